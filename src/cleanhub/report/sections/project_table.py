"""The table of all projects: stage, gates, chances and years of decision, money, source."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import labels, palette, pipeline_charts
from cleanhub.report.blocks import Head, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, percent, pretty_unit, year

_ORDER = [name for name, _ in palette.STAGES]
_PAST = ("fid", "construction", "operating")


def stage_rank(stage: str) -> int:
    """Place of a stage in the order in which projects come to them."""
    return _ORDER.index(stage) if stage in _ORDER else len(_ORDER)


def _price(row: Row) -> Text:
    unit = pretty_unit(str(row["unit"] or ""))
    money_ = unit.startswith("USD/")
    unit = unit.replace("USD/", "per ", 1) if money_ else unit
    text = f"{'$' if money_ else ''}{number(row['levelised_cost'])} {unit}"
    if row["abatement_cost"] is not None:
        text += f"; ${number(row['abatement_cost'])} per t CO\N{SUBSCRIPT TWO}e"
    return text


def _gates(context: Context) -> dict[str, Markup]:
    """The gates of each project as dots with a line of text, by project id."""
    found: dict[str, list[Row]] = {}
    for row in context.rows("gates"):
        found.setdefault(str(row["project_id"]), []).append(row)
    out: dict[str, Markup] = {}
    for project, rows in found.items():
        open_ = [row for row in rows if row["status"] != "done"]
        last = max(open_, key=lambda row: (float(row["p_last"] or 0.0), str(row["gate"])), default=None)
        last = last if last is not None and last["p_last"] else None
        dots = [
            _dot(row, row is last)
            for row in sorted(rows, key=lambda row: (row["status"] != "done", str(row["gate"])))
        ]
        text = f"{len(rows) - len(open_)} of {len(rows)} done"
        text += f"; last: {labels.gate(str(last['gate']))}" if last else ""
        out[project] = Markup("{}<br><small>{}</small>").format(
            pipeline_charts.gate_dots(dots, palette.CATEGORIES[3].css), text
        )
    return out


def _dot(row: Row, last: bool) -> tuple[str, str]:
    name = labels.gate(str(row["gate"]))
    if row["status"] == "done":
        return f"{name}: done", "done"
    return f"{name}: open, closes with {percent(row['p_pass'])}", "last" if last else "open"


def _chance(row: Row) -> Text:
    """The chance of a decision by 2030, with the strict one where it differs."""
    chance, strict = row["p_fid_2030"], row.get("p_fid_strict")
    if chance is None:
        return MISSING
    if row["stage"] in _PAST:
        return "taken"
    if strict is None or percent(strict) == percent(chance):
        return percent(chance)
    return Markup("{}<br><small>strict {}</small>").format(percent(chance), percent(strict))


def _decision(row: Row) -> Text:
    """The median year of decision, with its range."""
    if row["fid_p50"] is None:
        return MISSING
    return Markup("{}<br><small>{} to {}</small>").format(
        year(row["fid_p50"]), year(row["fid_p10"]), year(row["fid_p90"])
    )


def _online(row: Row) -> Text:
    """The expected year of service, with the announced one."""
    if row["online_p50"] is None:
        return (
            Markup("<small>announced {}</small>").format(year(row["online_year"]))
            if row["online_year"]
            else MISSING
        )
    if not row["online_year"] or int(row["online_year"]) == int(row["online_p50"]):
        return year(row["online_p50"])
    return Markup("{}<br><small>announced {}</small>").format(
        year(row["online_p50"]), year(row["online_year"])
    )


def _stage(row: Row) -> Text:
    if row.get("stage_basis") != "inferred":
        return labels.stage(str(row["stage"]))
    return Markup("{}<br><small>inferred from silence</small>").format(labels.stage(str(row["stage"])))


def project_table(context: Context, rows: list[Row]) -> Table:
    """Every project with its stage, gates, chances, years, money and source."""
    worth: dict[str, Row] = {}
    for row in context.rows("valuations"):
        if row["case"] == "lender_p90":
            continue
        worth.setdefault(str(row["project_id"]), row)
    gates = _gates(context)
    ranked = sorted(rows, key=lambda r: (str(r["sector"]), stage_rank(str(r["stage"])), str(r["project_id"])))
    out: list[tuple[Text, ...]] = []
    for row in ranked:
        umbrella = str(row["part_of"] or "")
        value = worth.get(str(row["project_id"]))
        kind = f"{labels.sector(str(row['sector']))}; {labels.words(str(row['role'])).lower()}"
        if umbrella:
            kind += f"; part of {context.project_names.get(umbrella, umbrella)}"
        out.append(
            (
                Markup("{}<br><small>{}</small>").format(row["name"], kind),
                _stage(row),
                gates.get(str(row["project_id"]), MISSING),
                _chance(row),
                _decision(row),
                _online(row),
                number(None if row["capex_usd"] is None else row["capex_usd"] / 1e6),
                number(None if row["co2e_t_per_year"] is None else row["co2e_t_per_year"] / 1e3),
                _price(value) if value and value["levelised_cost"] is not None else MISSING,
                Markup("{} {}").format(row["confidence"], context.cite.cite(row["source_id"])),
            )
        )
    return Table(
        "All projects",
        (
            Head("Project"),
            Head("Stage"),
            Head("Gates"),
            Head("FID by 2030", "chance", numeric=True),
            Head("FID", "median, P10 to P90", numeric=True),
            Head("In service", "expected", numeric=True),
            Head("Capital", "$ million", numeric=True),
            Head("Cut", "kt CO\N{SUBSCRIPT TWO}e/yr", numeric=True),
            Head("Levelised cost"),
            Head("Source"),
        ),
        tuple(out),
        unit=f"in the heading; money in {context.money_unit}; levelised costs are real, without tax; "
        f"{MISSING}: not published, or not valued",
        year="calendar years",
        source="in the column, with the confidence of the row; chances and years: this plan, tables projects "
        "and gates",
        note=_note(context, rows),
        empty="No projects in this plan.",
        id="all-projects",
    )


def _note(context: Context, rows: list[Row]) -> str:
    if all(row["p_fid_2030"] is None for row in rows) or not context.rows("gates"):
        return (
            "This plan holds no chances of a final investment decision (FID): its pipeline was not simulated."
        )
    return (
        "Years of decision and service are of those draws in which they come. Strict: no project decides "
        "whose value is below nothing in our valuation. Gates: filled is done, hollow is open, the square "
        "is the one that closes last most often, finance apart. Most chances are assumed; see "
        "what stands in the way."
    )
