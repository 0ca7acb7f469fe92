"""Projects: the pipeline by sector and stage, every project, and the plants the path needs."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Figure, Head, Key, Section, Table, Text
from cleanhub.report.charts import Bar
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, pretty_unit, scale_for, year
from cleanhub.report.sections.common import pair, plural

_ORDER = [name for name, _ in palette.STAGES]


def build(context: Context) -> Section:
    """Pipeline bars, project need, the table of all projects, and programme facts."""
    rows = context.rows("projects")
    lead: list[Text] = []
    if rows:
        ended = sum(row["stage"] in ("shelved", "cancelled", "closed") for row in rows)
        tonnage = sum(row["role"] == "abates" for row in rows)
        lead.append(
            f"{plural(len(rows), 'announced project')}, {ended} of them ended or paused. Only the "
            f"{tonnage} with the role \N{LEFT DOUBLE QUOTATION MARK}abates\N{RIGHT DOUBLE QUOTATION MARK} "
            "carry tonnes; stores, suppliers and enabling infrastructure make those tonnes possible "
            "and are not counted twice."
        )
    return Section(
        "projects",
        "Projects",
        tuple(lead),
        (_pipeline(rows), _need(context), _table(context, rows), _facts(context)),
    )


def _stage_rank(stage: str) -> int:
    return _ORDER.index(stage) if stage in _ORDER else len(_ORDER)


def _pipeline(rows: list[Row]) -> Figure:
    title = "Projects by sector and stage"
    if not rows:
        return Figure("fig-projects", title, Markup(""), empty="No projects in this plan.")
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        stages = found.setdefault(str(row["sector"]), {})
        stages[str(row["stage"])] = stages.get(str(row["stage"]), 0) + 1
    order = sorted(found, key=lambda s: (-sum(found[s].values()), s))
    used = sorted({s for stages in found.values() for s in stages}, key=lambda s: (_stage_rank(s), s))
    bars = [
        Bar(
            labels.sector(sector),
            str(sum(found[sector].values())),
            tuple(
                (
                    float(found[sector].get(stage, 0)),
                    palette.stage_colour(stage).css,
                    "hatch" if stage in ("shelved", "cancelled", "closed") else "",
                )
                for stage in used
            ),
        )
        for sector in order
    ]
    description = "Projects: " + ", ".join(f"{b.label} {b.shown}" for b in bars) + "."

    def draw(width: int, identifier: str) -> Markup:
        return charts.horizontal_bars(width, identifier, title, description, bars)

    wide, narrow = pair(draw, "fig-projects")
    keys = tuple(
        Key(
            labels.stage(stage),
            palette.stage_colour(stage).css,
            "hatch" if stage in ("shelved", "cancelled", "closed") else "box",
        )
        for stage in used
    )
    head = (Head("Sector"), *(Head(labels.stage(s), numeric=True) for s in used), Head("Sum", numeric=True))
    cells = tuple(
        (
            labels.sector(sector),
            *(str(found[sector].get(stage, 0)) for stage in used),
            str(sum(found[sector].values())),
        )
        for sector in order
    )
    return Figure(
        "fig-projects",
        title,
        wide,
        narrow,
        legend=keys,
        unit="number of projects",
        year="stage as last published",
        source="this plan, table projects",
        data=Table(title, head, cells, unit="number of projects"),
    )


def _need(context: Context) -> Table:
    rows = context.rows("project_need")
    years = sorted({int(row["year"]) for row in rows})
    by_key = {(str(row["sector"]), str(row["unit"]), int(row["year"])): row for row in rows}
    wanted = {(str(r["sector"]), str(r["unit"])) for r in rows if r["plants_needed"] or r["fid_expected"]}
    last = years[-1] if years else 0
    out: list[tuple[Text, ...]] = []
    for sector, counted_in in sorted(wanted):
        end = by_key.get((sector, counted_in, last), {})
        cells = []
        for when in years:
            row = by_key.get((sector, counted_in, when), {})
            cells.append(f"{number(row.get('plants_needed'))} / {number(row.get('fid_expected'))}")
        capital = end.get("capital_gap_usd")
        out.append(
            (
                labels.sector(sector) + ("" if counted_in == "plants" else f", {counted_in}"),
                *cells,
                number(end.get("gap")),
                number(None if capital is None else capital / 1e9),
            )
        )
    counted = sorted({str(row["source"]) for row in rows})
    return Table(
        "Plants and vehicles that the path needs, against the pipeline",
        (
            Head("Sector"),
            *(Head(str(when), "needed / expected", numeric=True) for when in years),
            Head(f"Gap in {last}", "plants or vehicles", numeric=True),
            Head("Capital of the gap", "$ billion", numeric=True),
        ),
        tuple(out),
        unit=f"needed on the path by then / projects past or expected to pass FID; money in "
        f"{context.money_unit}",
        year="in the heading",
        source="; ".join(counted),
        note="Sectors where neither a plant is needed nor a project expected are left out. A surplus "
        "in one sector does not fill the gap of another.",
        id="project-need",
    )


def _price(row: Row) -> Text:
    if row["levelised_cost"] is None:
        return str(row["status"] or MISSING)
    unit = pretty_unit(str(row["unit"] or ""))
    money_ = unit.startswith("USD/")
    unit = unit.replace("USD/", "per ", 1) if money_ else unit
    text = f"{'$' if money_ else ''}{number(row['levelised_cost'])} {unit}"
    if row["abatement_cost"] is not None:
        text += f"; ${number(row['abatement_cost'])} per t CO\N{SUBSCRIPT TWO}e"
    return text


def _table(context: Context, rows: list[Row]) -> Table:
    worth: dict[str, Row] = {}
    for row in context.rows("valuations"):
        if row["case"] == "lender_p90":
            continue
        worth.setdefault(str(row["project_id"]), row)
    names = {str(row["project_id"]): str(row["name"]) for row in rows}
    ranked = sorted(
        rows, key=lambda r: (str(r["sector"]), _stage_rank(str(r["stage"])), str(r["project_id"]))
    )
    out: list[tuple[Text, ...]] = []
    for row in ranked:
        umbrella = str(row["part_of"] or "")
        value = worth.get(str(row["project_id"]))
        out.append(
            (
                Markup("{}{}").format(
                    row["name"],
                    Markup("<br><small>part of {}</small>").format(names.get(umbrella, umbrella))
                    if umbrella
                    else "",
                ),
                labels.sector(str(row["sector"])),
                labels.stage(str(row["stage"])),
                labels.words(str(row["role"])),
                year(row["online_year"]),
                number(None if row["capex_usd"] is None else row["capex_usd"] / 1e6),
                number(None if row["co2e_t_per_year"] is None else row["co2e_t_per_year"] / 1e3),
                _price(value) if value else "not valued in this plan",
                Markup("{} {}").format(row["confidence"], context.cite.cite(row["source_id"])),
            )
        )
    return Table(
        "All projects",
        (
            Head("Project"),
            Head("Sector"),
            Head("Stage"),
            Head("Role"),
            Head("Online", numeric=True),
            Head("Capital", "$ million", numeric=True),
            Head("Cut", "kt CO\N{SUBSCRIPT TWO}e/yr", numeric=True),
            Head("Levelised cost, or why not", long=True),
            Head("Source"),
        ),
        tuple(out),
        unit=f"in the heading; money in {context.money_unit}; levelised costs are real, without tax",
        year="online year as announced",
        source="in the column, with the confidence of the row",
        note="Probability and date of FID are pending: they need the stage-gate simulation.",
        empty="No projects in this plan.",
        id="all-projects",
    )


def _facts(context: Context) -> Table:
    out: list[tuple[Text, ...]] = []
    for row in context.package("programme_facts"):
        scale = scale_for([row["value"], row["low"], row["high"]], str(row["unit"]))
        low, high = scale.show(row["low"]), scale.show(row["high"])
        spread = "" if MISSING in (low, high) else f" ({low} to {high})"
        said = str(row["statement"] or row.get("note") or labels.words(str(row["fact"])))
        out.append(
            (
                Markup("{}<br><small>{}</small>").format(said, row["fact"]),
                scale.show(row["value"]) + spread,
                scale.long_unit,
                labels.words(str(row["confidence"])),
                context.cite.cite(row["source_id"]),
            )
        )
    return Table(
        "What the programme says of itself",
        (
            Head("Statement and its id", long=True),
            Head("Value", numeric=True),
            Head("Unit"),
            Head("Confidence"),
            Head("Source"),
        ),
        tuple(out),
        unit="in the column; money as published, in the price year of the source",
        year="of the source",
        source="in the column",
        note="These figures stand beside the project list to compare with. The list is compiled "
        "project by project from public sources; neither is tuned to the other, so their counts "
        "differ.",
        empty="The package of this hub holds no programme facts.",
    )
