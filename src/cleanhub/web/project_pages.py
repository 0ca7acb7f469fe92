"""The projects of a plan: all of them in one table, and a page for each."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from cleanhub.report import labels, palette
from cleanhub.report.context import Row
from cleanhub.report.numbers import MISSING, money, number, percent, pretty_unit
from cleanhub.web.blocks import (
    Cell,
    Chart,
    Head,
    PageTable,
    Part,
    Text,
    badge,
    chance,
    confidence,
    dollars,
    figure,
    known,
    mass,
    whole,
    words,
    year,
)
from cleanhub.web.links import project_link, project_links, table_link
from cleanhub.web.overview import CO2E
from cleanhub.web.view import PlanView

_ORDER = [name for name, _ in palette.STAGES]
_DONE = palette.STAGES[5][1].css
_OPEN = palette.CATEGORIES[1].css
ANSWERS = {"pays": 0, "requires": 1, "no": 2}


def _of(view: PlanView, table: str, project: str) -> list[Row]:
    return [row for row in view.rows(table) if str(row["project_id"]) == project]


def all_projects(view: PlanView) -> tuple[PageTable, ...]:
    """The table of all projects."""
    open_gates: dict[str, int] = {}
    for row in view.rows("gates"):
        if row["status"] == "open":
            project = str(row["project_id"])
            open_gates[project] = open_gates.get(project, 0) + 1
    worth = {str(r["project_id"]): r for r in view.rows("valuations") if r["case"] != "lender_p90"}
    rows = sorted(
        view.rows("projects"),
        key=lambda r: (_standing(r), -(r["p_fid_2030"] or 0.0), str(r["project_id"])),
    )
    cells = tuple(_project_row(view, row, worth, open_gates) for row in rows)
    head = (
        Head("Project"),
        Head("Sector"),
        Head("Stage"),
        Head("Role"),
        Head("Decision by 2030", "chance", "n"),
        Head("Decision", "median year", "n"),
        Head("10th to 90th", "percentile", "n"),
        Head("In service", "median year", "n"),
        Head("Gates open", style="n"),
        Head("Cut", f"{CO2E} per year", "n"),
        Head("Worth to its owner", "net present value", "n"),
        Head("Confidence"),
    )
    note: Text = (
        "Undecided projects first, the likeliest at the top. The chance is 100 % for projects whose decision "
        "is taken and 0 for those that ended. Years are of the draws in which the project decides. Net "
        f"present value of equity at its required return, {view.context.money_unit}; empty where the project "
        "cannot be valued."
    )
    table = PageTable(
        "all-projects", "All projects", head, cells,
        note=note, source=table_link("projects"), filtered=True, absent=not view.has("projects"),
    )  # fmt: skip
    return (table,)


def _standing(row: Row) -> int:
    """Undecided projects first, then those past their decision, then those that ended."""
    place = _ORDER.index(row["stage"]) if row["stage"] in _ORDER else 0
    return 0 if place < _ORDER.index("fid") else 1 if place < _ORDER.index("shelved") else 2


def _project_row(
    view: PlanView, row: Row, worth: dict[str, Row], open_gates: dict[str, int]
) -> tuple[Cell, ...]:
    project = str(row["project_id"])
    low, high = row["fid_p10"], row["fid_p90"]
    spread = f"{int(low)} to {int(high)}" if known(low) and known(high) else MISSING
    value = worth.get(project, {})
    return (
        Cell(project_link(view, project), str(row["name"])),
        words(labels.sector(str(row["sector"]))),
        Cell(_stage(row), str(_ORDER.index(row["stage"]) if row["stage"] in _ORDER else 99)),
        words(labels.words(str(row["role"]))),
        chance(row["p_fid_2030"]),
        year(row["fid_p50"]),
        Cell(spread, str(low) if known(low) else "", "n"),
        year(row["online_p50"]),
        whole(open_gates.get(project)) if view.has("gates") else words(None),
        mass(row["co2e_t_per_year"]),
        dollars(value.get("npv_usd")),
        confidence(row["confidence"]),
    )


def _stage(row: Row) -> Text:
    text = labels.stage(str(row["stage"]))
    if str(row.get("stage_basis") or "").startswith("inferred"):
        return Markup("{} <small>{}</small>").format(text, row["stage_basis"])
    return text


# ---------------------------------------------------------------- one project


def facts(view: PlanView, row: Row) -> tuple[tuple[str, Text], ...]:
    """What is known of a project: label and value, each with its unit."""
    project = str(row["project_id"])
    hub = next((r for r in view.context.package("projects") if str(r["project_id"]) == project), {})
    weak = str(row["confidence"]) in ("recalled", "assumed")
    found: list[tuple[str, Text]] = [
        ("Sector", labels.sector(str(row["sector"]))),
        ("Stage", _stage(row)),
        ("Role", labels.words(str(row["role"]))),
        ("Decision by 2030", percent(row["p_fid_2030"])),
        (f"Decision by {view.end_year}", percent(row.get("p_fid_ever"))),
        ("Median decision", year(row["fid_p50"]).text),
        ("Median entry into service", year(row["online_p50"]).text),
        ("Announced for", year(row["online_year"]).text),
        ("Cut per year", mass(row["co2e_t_per_year"]).text),
        (f"Capital, {view.context.money_unit}", money(row["capex_usd"])),
        ("Public money awarded", money(row["public_funding_usd"])),
        ("Developer", str(hub.get("developer") or MISSING)),
        ("Place", ", ".join(str(hub[k]) for k in ("city", "county") if hub.get(k)) or MISSING),
        ("Technology as published", str(hub.get("technology_text") or MISSING)),
        ("Capacity", _capacity(hub)),
        ("Confidence of the row", badge(str(row["confidence"])) if weak else str(row["confidence"])),
        ("Source", view.context.cite.cite(row["source_id"]) or str(row["source_id"])),
    ]
    if row["part_of"]:
        found.insert(3, ("Part of", project_link(view, row["part_of"])))
    if hub.get("supplied_by"):
        found.insert(3, ("Supplied by", project_links(view, hub["supplied_by"])))
    if hub.get("note"):
        found.append(("Note", str(hub["note"])))
    return tuple(found)


def _capacity(hub: Row | dict[str, Any]) -> str:
    if not known(hub.get("capacity")):
        return MISSING
    made = f" ({labels.words(str(hub['capacity_of']))})" if hub.get("capacity_of") else ""
    return f"{number(hub['capacity'])} {pretty_unit(str(hub['capacity_unit'] or ''))}{made}"


def project_parts(view: PlanView, project: str) -> tuple[Part, ...]:
    """The sections of one project's page."""
    return (
        _gates(view, project),
        _waits(view, project),
        _stages(view, project),
        _worth(view, project),
        _answers(view, project),
        _others(view, project),
    )


def _gates(view: PlanView, project: str) -> Part:
    rows = _of(view, "gates", project)
    cells = tuple(
        (
            words(labels.words(str(row["gate"]))),
            words(row["status"]),
            words(row["what"]),
            Cell(
                Markup("<b>{}</b>: {}").format(labels.words(str(row["actor"])), row["action"]),
                str(row["actor"]),
            ),
            year(row["p10"]),
            year(row["p50"]),
            year(row["p90"]),
            chance(row["p_pass"]),
            chance(row["p_last"]),
            words(row["rule"]),
            confidence(row["confidence"]),
        )
        for row in rows
    )
    head = (
        Head("Gate"),
        Head("Status"),
        Head("What it is here", style="l"),
        Head("Who closes it, how", style="l"),
        Head("10th percentile", "year", "n"),
        Head("Median", "year", "n"),
        Head("90th percentile", "year", "n"),
        Head("Closes", f"chance by {view.end_year}", "n"),
        Head("Is the last", "share of decisions", "n"),
        Head("Rule"),
        Head("Confidence"),
    )
    table = PageTable(
        "gates-table", "Gates", head, cells, absent=not view.has("gates"),
        empty="No gate of this project is simulated: its decision is taken, or it has ended.",
        note="Years are of the draws in which the gate closes.", source=table_link("gates"),
    )  # fmt: skip
    waiting = [row for row in rows if row["status"] != "done" and known(row["p50"])]
    if not waiting:
        return Part("gates", "Gates", (), (table,))
    ranges = [
        {
            "label": labels.words(str(row["gate"])),
            "low": row["p10"],
            "mid": row["p50"],
            "high": row["p90"],
            "done": False,
            "shown": percent(row["p_pass"]),
            "colour": _OPEN,
        }
        for row in sorted(waiting, key=lambda row: (float(row["p50"]), str(row["gate"])))
    ]
    now = view.as_of.year
    end = max([now + 5, *(int(row["p90"] or row["p50"]) + 1 for row in waiting)])
    chart = Chart(
        "gates-chart",
        "When each open gate closes: median, tenth to ninetieth percentile, and the chance that it does",
        {"kind": "ranges", "unit": "year", "ranges": ranges, "now": now, "end": min(end, view.end_year)},
        beside="gates-table",
    )
    return Part("gates", "Gates", (), (chart, table))


def _waits(view: PlanView, project: str) -> Part:
    rows = [row for row in view.rows("links") if project in str(row["projects"] or "").split(";")]
    rows += [row for row in view.rows("links") if str(row["project_id"]) == project and row not in rows]
    cells = tuple(
        (
            words(row["description"]),
            words(labels.words(str(row["kind"]))),
            Cell(
                Markup("<b>{}</b>: {}").format(labels.words(str(row["actor"])), row["action"]),
                str(row["actor"]),
            ),
            mass(row["blocked_co2e_t"]),
            chance(row["p_closes"]),
            year(row["p50"]),
            confidence(row["confidence"]),
        )
        for row in rows
    )
    head = (
        Head("Link", style="l"),
        Head("Kind"),
        Head("Who, what", style="l"),
        Head("Waits for it", f"expected {CO2E} to the target year", "n"),
        Head("Closes", "chance", "n"),
        Head("Median", "year", "n"),
        Head("Confidence"),
    )
    table = PageTable(
        "waits-for", "Open links", head, cells, absent=not view.has("links"),
        empty="It waits for no open link.", note="Tonnes of all projects that wait for the link.",
    )  # fmt: skip
    return Part("waits", "What it waits for", (), (table,))


def _stages(view: PlanView, project: str) -> Part:
    rows = _of(view, "stage_years", project)
    used = [stage for stage in _ORDER if any(row["stage"] == stage for row in rows)]
    years = sorted({int(row["year"]) for row in rows})
    share = {(int(row["year"]), str(row["stage"])): float(row["probability"] or 0.0) for row in rows}
    cells = tuple((year(when), *(chance(share.get((when, stage), 0.0)) for stage in used)) for when in years)
    head = (Head("Year", style="n"), *(Head(labels.stage(stage), style="n") for stage in used))
    table = PageTable(
        "stages-table", "Chance of each stage at the end of the year", head, cells,
        absent=not view.has("stage_years"), open=False,
        empty="No stages are simulated for this project.",
    )  # fmt: skip
    if len(years) < 2:
        return Part("stages", "Stages by year", (), (table,))
    points = [
        {"year": when, "series": labels.stage(stage), "value": share.get((when, stage), 0.0)}
        for stage in used
        for when in years
    ]
    series = [{"name": labels.stage(stage), "colour": palette.stage_colour(stage).css} for stage in used]
    chart = Chart(
        "stages-chart",
        "Chance of each stage, by year",
        {"kind": "areas", "unit": "share of draws", "points": points, "series": series,
         "now": view.as_of.year, "share": True},
        legend=tuple((one["name"], one["colour"]) for one in series),
        data=table,
    )  # fmt: skip
    return Part("stages", "Stages by year", (), (chart,))


def _worth(view: PlanView, project: str) -> Part:
    cells = tuple(
        (
            words("" if row["case"] == "none" else labels.words(str(row["case"]))),
            words(row["status"]),
            figure(row["levelised_cost"]),
            figure(row["price_at_return"]),
            figure(row["price_gap"]),
            figure(row["price_gap_before_policy"]),
            words(row["unit"]),
            figure(row["abatement_cost"]),
            dollars(row["npv_usd"]),
            chance(row["irr"]),
            figure(row["min_dscr"]),
            dollars(row["debt_usd"]),
            words(row["archetype"]),
            confidence(row["confidence"]),
        )
        for row in _of(view, "valuations", project)
    )
    head = (
        Head("Case"),
        Head("Status", style="l"),
        Head("Levelised cost", style="n"),
        Head("Price at return", style="n"),
        Head("Price gap", style="n"),
        Head("Gap before policy", style="n"),
        Head("Unit of these"),
        Head("Cost of abatement", f"USD per t {CO2E}", "n"),
        Head("Net present value", "of equity", "n"),
        Head("Return", "of equity, nominal", "n"),
        Head("Least cover", "of debt service", "n"),
        Head("Debt", style="n"),
        Head("Filled from archetype"),
        Head("Confidence"),
    )
    table = PageTable(
        "worth-table", "Valuations", head, cells, absent=not view.has("valuations"),
        note=f"Money in {view.context.money_unit} unless the heading says nominal. Price gap: what the "
        "product must earn more than the conventional one.",
        empty="This project was not valued.", source=table_link("valuations"),
    )  # fmt: skip
    return Part("worth", "What it is worth", (), (table,))


def grouped_answers(rows: list[Row]) -> list[Row]:
    """One row per policy and answer: payments of all years in one, with their first and last year."""
    found: dict[tuple[str, ...], Row] = {}
    for row in rows:
        keys = ("policy", "answer", "because", "until", "becomes", "confidence")
        one = found.setdefault(
            tuple(str(row[key] or "") for key in keys),
            {**{key: row[key] for key in keys}, "first": None, "last": None, "usd": None},
        )
        if known(row["year"]):
            when = int(row["year"])
            one["first"] = when if one["first"] is None else min(one["first"], when)
            one["last"] = when if one["last"] is None else max(one["last"], when)
        if known(row["usd"]):
            one["usd"] = (one["usd"] or 0.0) + float(row["usd"])
    return sorted(
        found.values(),
        key=lambda r: (ANSWERS.get(str(r["answer"]), 9), not r["becomes"], not r["until"], str(r["policy"])),
    )


def _answers(view: PlanView, project: str) -> Part:
    rows = grouped_answers(_of(view, "policy_answers", project))
    cells = tuple(
        (
            words(row["policy"]),
            Cell(Markup('<b class="answer {0}">{0}</b>').format(row["answer"]), str(row["answer"])),
            words(row["because"]),
            words(row["until"]),
            words(row["becomes"]),
            words(_span(row)),
            dollars(row["usd"]),
            confidence(row["confidence"]),
        )
        for row in rows
    )
    head = (
        Head("Policy"),
        Head("Answer"),
        Head("Because", style="l"),
        Head("A yes until", "last day"),
        Head("Would become a yes", "from this day"),
        Head("Paid in"),
        Head("Sum paid", "USD, nominal", "n"),
        Head("Confidence"),
    )
    nos = sum(row["answer"] == "no" for row in rows)
    lead = (
        f"{len(rows) - nos} answers are a yes or a duty, {nos} are a no; every no says why, and from which "
        "day it would be a yes where there is such a day."
    )
    table = PageTable(
        "answers-table", "Answers of the policies", head, cells, absent=not view.has("policy_answers"),
        filtered=True, empty="No policy was asked about this project: it has no case.",
        source=table_link("policy_answers"),
    )  # fmt: skip
    return Part("answers", "What the policies say", (lead,) if rows else (), (table,))


def _span(row: Row) -> str:
    if row["first"] is None:
        return ""
    return str(row["first"]) if row["first"] == row["last"] else f"{row['first']} to {row['last']}"


def _others(view: PlanView, project: str) -> Part:
    conflicts = [r for r in view.rows("conflicts") if project in str(r["projects"] or "").split(";")]
    heads: tuple[Head, ...] = (
        Head("Policy"),
        Head("What does not fit", style="l"),
        Head("Missed", "chance", "n"),
    )
    first = PageTable(
        "its-conflicts", "Signals of policy that do not fit", heads,
        tuple((words(r["policy"]), words(r["description"]), chance(r["p_missed"])) for r in conflicts),
        absent=not view.has("conflicts"), empty="No conflict was found.",
    )  # fmt: skip
    buyers = _of(view, "offtake", project)
    heads = (Head("Buyer"), Head("Match"), Head("Because", style="l"), Head("Confidence"))
    second = PageTable(
        "its-buyers", "Buyers who could close its offtake", heads,
        tuple(
            (words(r["name"]), words(labels.words(str(r["status"]))), words(r["because"]),
             confidence(r["confidence"]))
            for r in buyers
        ),
        absent=not view.has("offtake"), empty="No known buyer asks for what it makes.",
    )  # fmt: skip
    return Part("others", "Conflicts and buyers", (), (first, second))
