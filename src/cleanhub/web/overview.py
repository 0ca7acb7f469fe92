"""The first page: the headlines, what to unblock first, the barriers, and what the pipeline brings."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.pipeline.barriers import Bundle, bundles
from cleanhub.report import labels, palette
from cleanhub.report.context import Row
from cleanhub.report.numbers import count, tonnes
from cleanhub.report.sections import scorecard
from cleanhub.web.blocks import (
    Cell,
    Chart,
    Head,
    PageTable,
    Part,
    Text,
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
from cleanhub.web.view import PlanView

MOST_BARS = 12
MOST_LINKS = 20
CO2E = "CO\N{SUBSCRIPT TWO}e"
_BARRIER_COLOUR = {"permitting": "blue", "foak_capital": "orange", "policy": "green"}
_CATEGORY = {colour.name: colour.css for colour in palette.CATEGORIES}


def parts(view: PlanView) -> tuple[Part, ...]:
    """The sections of the page, in reading order."""
    return (
        _scorecard(view),
        _unblock(view),
        _barriers(view),
        _coordination(view),
        _conflicts(view),
        _years(view),
        _path(view),
        _promises(view),
        _pending(view),
    )


def _scorecard(view: PlanView) -> Part:
    section = scorecard.build(view.context)
    return Part("scorecard", "Scorecard", section.lead, section.blocks[:1])


def _barrier_colour(row: Row) -> str:
    return _CATEGORY.get(_BARRIER_COLOUR.get(str(row["barrier"]), ""), palette.INCUMBENT.css)


def _unblock(view: PlanView) -> Part:
    rows = view.rows("links")  # the most tonnes first
    head = (
        Head("", style="n"),
        Head("Missing link", style="l"),
        Head("Who, and what they would do", style="l"),
        Head("Waits for it", f"expected {CO2E} to the target year", "n"),
        Head("A year later", CO2E, "n"),
        Head("Its share", "of all expected tonnes", "n"),
        Head("Closes", "chance", "n"),
        Head("Median", "year", "n"),
        Head("Projects", style="l"),
        Head("Confidence"),
    )
    cells = tuple(_link_row(view, number, row) for number, row in enumerate(rows[:MOST_LINKS], start=1))
    note: Text = (
        "Waits for it: expected tonnes lost if the link never closes and all else stays as simulated; two "
        "links of one project each hold all of its tonnes, so the column must not be added up. Its share "
        "divides what is common and can be."
    )
    if len(rows) > MOST_LINKS:
        note = Markup("{} The first {} of {}; all are in {}.").format(
            note, MOST_LINKS, count(len(rows)), table_link("links")
        )
    table = PageTable(
        "missing-links", "Open links by the tonnes that wait for them", head, cells,
        note=note, source=table_link("links"), absent=not view.has("links"), filtered=True,
    )  # fmt: skip
    blocks: tuple[Chart | PageTable, ...] = (table,)
    shown = [one for one in bundles(rows) if one.blocked > 0][:MOST_BARS]
    if shown:
        blocks = (_links_chart(view, shown), table)
    lead = "If one link is missing, what waits for it does not happen. Begin at the top."
    return Part("unblock", "What to unblock first", (lead,), blocks)


def _link_row(view: PlanView, number: int, row: Row) -> tuple[Cell, ...]:
    projects = Markup("{}<br><small>{}</small>").format(
        count(row["projects_blocked"]), project_links(view, row["projects"], 3)
    )
    who = Markup("<b>{}</b>: {}").format(labels.words(str(row["actor"])), row["action"])
    what = Markup("{}<br><small>{}, {}</small>").format(
        row["description"], labels.words(str(row["kind"])), labels.words(str(row["barrier"])).lower()
    )
    return (
        whole(number),
        Cell(what, str(row["description"])),
        Cell(who, str(row["actor"])),
        mass(row["blocked_co2e_t"]),
        mass(row["per_year_of_delay_t"]),
        chance(row["shapley_share"]),
        chance(row["p_closes"]),
        year(row["p50"]),
        Cell(projects, str(row["projects_blocked"])),
        confidence(row["confidence"]),
    )


def _links_chart(view: PlanView, shown: list[Bundle]) -> Chart:
    names = {str(row["project_id"]): str(row["name"]) for row in view.rows("projects")}

    def label(one: Bundle) -> str:
        if not one.project_id:
            return str(one.links[0]["description"])
        return f"{names.get(one.project_id, one.project_id)}: {len(one.links)} links"

    bars = [
        {
            "label": label(one),
            "value": one.blocked / 1e6,
            "shown": tonnes(one.blocked, 2),
            "colour": _barrier_colour(one.links[0]),
        }
        for one in shown
    ]
    used = dict.fromkeys(str(one.links[0]["barrier"]) for one in shown)
    legend = tuple((labels.words(b), _barrier_colour({"barrier": b})) for b in used)
    return Chart(
        "links-chart",
        "Expected tonnes that wait, by project and shared link; the colour is that of the most urgent link",
        {"kind": "bars", "unit": f"Mt {CO2E}", "bars": bars},
        legend=legend,
        beside="missing-links",
    )


def _barriers(view: PlanView) -> Part:
    found: dict[str, list[Row]] = {}
    for row in view.rows("links"):
        found.setdefault(str(row["barrier"]), []).append(row)
    sums = {name: sum(row["shapley_co2e_t"] or 0.0 for row in rows) for name, rows in found.items()}
    order = sorted(found, key=lambda name: (-sums[name], name))
    cells = tuple(
        (
            words(labels.words(name)),
            words(view.meanings.get("barrier", {}).get(name, "")),
            whole(len(found[name])),
            mass(sums[name]),
            chance(sum(row["shapley_share"] or 0.0 for row in found[name])),
        )
        for name in order
    )
    head = (
        Head("Barrier"),
        Head("Meaning", style="l"),
        Head("Open links", style="n"),
        Head("Their part", f"expected {CO2E} to the target year", "n"),
        Head("Share", "of all expected tonnes", "n"),
    )
    table = PageTable(
        "barriers-table",
        "Open links by barrier",
        head,
        cells,
        note="What several links hold together is divided among them, so that the parts add up.",
        source=table_link("links"),
        absent=not view.has("links"),
    )
    return Part("barriers", "Barriers", (), (table,))


def _coordination(view: PlanView) -> Part:
    rows = sorted(
        view.rows("coordination"),
        key=lambda row: (row["fits"] is not False, -(row["blocked_co2e_t"] or 0.0), str(row["link_id"])),
    )
    cells = tuple(
        (
            words(labels.words(str(row["actor"]))),
            words(row["action"]),
            year(row["decide_by"]),
            year(row["needed_by"]),
            year(row["expected"]),
            figure(row["late_years"], 2),
            Cell(scorecard.met_cell({True: "yes", False: "no"}.get(row["fits"])), str(row["fits"] or "")),
            words(row["because"]),
            mass(row["blocked_co2e_t"]),
            Cell(project_links(view, row["projects"]), str(row["projects"])),
        )
        for row in rows[:MOST_LINKS]
    )
    head = (
        Head("Who"),
        Head("What", style="l"),
        Head("Begin by", style="n"),
        Head("Needed by", style="n"),
        Head("Expected", style="n"),
        Head("Late by", "years", "n"),
        Head("Fits"),
        Head("Because", style="l"),
        Head("Waits for it", CO2E, "n"),
        Head("Projects", style="l"),
    )
    note: Text = "Rows whose dates do not fit come first."
    if len(rows) > MOST_LINKS:
        note = Markup("{} The first {} of {}; all are in {}.").format(
            note, MOST_LINKS, len(rows), table_link("coordination")
        )
    table = PageTable(
        "who-decides", "Decisions in the order of need", head, cells,
        note=note, absent=not view.has("coordination"), filtered=True,
    )  # fmt: skip
    return Part("coordination", "Who must decide what by when", (), (table,))


def _conflicts(view: PlanView) -> Part:
    cells = tuple(
        (
            words(row["policy"]),
            words(row["description"]),
            year(row["deadline"]),
            year(row["expected"]),
            chance(row["p_missed"]),
            dollars(row["usd"]),
            Cell(project_links(view, row["projects"]), str(row["projects"])),
            confidence(row["confidence"]),
        )
        for row in view.rows("conflicts")
    )
    head = (
        Head("Policy"),
        Head("What does not fit", style="l"),
        Head("Date", style="n"),
        Head("Expected", style="n"),
        Head("Missed", "chance", "n"),
        Head("At stake", "USD, nominal", "n"),
        Head("Projects", style="l"),
        Head("Confidence"),
    )
    table = PageTable(
        "policy-conflicts", "Dates and rules that do not fit", head, cells, absent=not view.has("conflicts"),
        empty="No conflict was found.",
    )  # fmt: skip
    return Part("conflicts", "Where the signals of policy conflict", (), (table,))


_METRICS = {
    "co2e_t": ("Tonnes that the projects of the pipeline cut", f"Mt {CO2E}", 1e6, "green"),
    "decisions": ("Investment decisions", "projects", 1.0, "blue"),
    "in_service": ("Projects in service", "projects", 1.0, "sky"),
}
"""Metrics of ``pipeline_years`` that are drawn: title, unit, divisor, colour."""


def _years(view: PlanView) -> Part:
    rows = view.rows("pipeline_years")
    charts = []
    for metric, (title, unit, divisor, colour) in _METRICS.items():
        ends = {"low": "p10", "mid": "p50", "high": "p90"}
        points = [
            {"year": int(r["year"]), **{end: float(r[column]) / divisor for end, column in ends.items()}}
            for r in rows
            if r["metric"] == metric and all(known(r[column]) for column in ends.values())
        ]
        if points:
            data = {"kind": "spread", "unit": unit, "points": points, "colour": _CATEGORY[colour]}
            charts.append(
                Chart(f"years-{metric}", title, {**data, "now": view.as_of.year}, beside="pipeline-years")
            )
    cells = tuple(
        (
            year(row["year"]),
            words(labels.words(str(row["metric"]))),
            figure(row["value"]),
            figure(row["p10"]),
            figure(row["p50"]),
            figure(row["p90"]),
            words(row["unit"]),
        )
        for row in rows
    )
    head = (
        Head("Year", style="n"),
        Head("What"),
        Head("Mean", style="n"),
        Head("10th percentile", style="n"),
        Head("Median", style="n"),
        Head("90th percentile", style="n"),
        Head("Unit"),
    )
    table = PageTable(
        "pipeline-years", "What the pipeline brings, by year", head, cells,
        note="Line: median of the draws; band: from the tenth to the ninetieth percentile.",
        source=table_link("pipeline_years"), absent=not view.has("pipeline_years"), open=False,
    )  # fmt: skip
    return Part("years", "What the pipeline brings", (), (*charts, table))


def _path(view: PlanView) -> Part:
    """Scope 1 emissions of what the hub's programme covers, by sector group."""
    found: dict[tuple[str, int], float] = {}
    for row in view.context.scope_1:
        if row["hub_scope"]:
            key = (palette.group_of(str(row["sector"])).key, int(row["year"]))
            found[key] = found.get(key, 0.0) + float(row["tonnes"])
    years = sorted({when for _, when in found})
    groups = [group for group in palette.GROUPS if any(key == group.key for key, _ in found)]
    if not found:
        table = PageTable("path-table", "Emissions", (), (), absent=not view.has("emissions"))
        return Part("path", "The path of emissions", (), (table,))
    points = [
        {"year": when, "series": group.label, "value": max(found.get((group.key, when), 0.0), 0.0) / 1e6}
        for group in groups
        for when in years
    ]
    head = (
        Head("Year", style="n"),
        *(Head(group.label, "Mt", "n") for group in groups),
        Head("Sum", "Mt", "n"),
    )
    cells = tuple(
        (
            year(when),
            *(figure(found.get((group.key, when), 0.0) / 1e6) for group in groups),
            figure(sum(found.get((group.key, when), 0.0) for group in groups) / 1e6),
        )
        for when in years
    )
    series = [{"name": group.label, "colour": group.colour.css} for group in groups]
    last = max((int(r["year"]) for r in view.context.scope_1 if r["status"] == "history"), default=0)
    figure_data = {"kind": "areas", "unit": f"Mt {CO2E} per year", "points": points, "series": series}
    chart = Chart(
        "path-chart",
        "Scope 1 emissions of what the hub covers",
        {**figure_data, "now": last or years[0], "share": False},
        note=f"Published up to {last or years[0]} (dashed line), projected under the scenario after it. GWP "
        f"set {view.context.gwp}.",
        source=table_link("emissions"),
        legend=tuple((group.label, group.colour.css) for group in groups),
        data=PageTable("path-table", "The same numbers", head, cells, open=False),
    )
    return Part("path", "The path of emissions", (), (chart,))


def _promises(view: PlanView) -> Part:
    promised = tuple(
        (
            words(row["actor"]),
            words(labels.words(str(row["metric"]))),
            year(row["year"]),
            figure(row["target"]),
            figure(row["pathway"]),
            figure(row["gap"]),
            words(row["unit"]),
            words(row["how"]),
            confidence(row["confidence"]),
            Cell(view.context.cite.cite(row["source_id"]), str(row["source_id"])),
        )
        for row in view.rows("commitments")
    )
    heads = (
        Head("Who promised"),
        Head("What"),
        Head("By", style="n"),
        Head("Promised", style="n"),
        Head("Reached", "on the path", "n"),
        Head("Short by", style="n"),
        Head("Unit"),
        Head("How they compare", style="l"),
        Head("Confidence"),
        Head("Source"),
    )
    bought = tuple(
        (
            words(row["name"]),
            words(labels.words(str(row["product"]))),
            Cell(project_link(view, row["project_id"]) if row["project_id"] else "\N{EN DASH}"),
            words(labels.words(str(row["status"]))),
            figure(row["volume"]),
            words(row["unit"]),
            words(row["because"]),
            confidence(row["confidence"]),
        )
        for row in view.rows("offtake")
    )
    heads_bought = (
        Head("Buyer"),
        Head("Product"),
        Head("Project"),
        Head("Match"),
        Head("Would buy a year", style="n"),
        Head("Unit"),
        Head("Because", style="l"),
        Head("Confidence"),
    )
    return Part(
        "promises",
        "Promises and buyers",
        (),
        (
            PageTable(
                "commitments-table", "Commitments against the path", heads, promised,
                absent=not view.has("commitments"), filtered=True, open=False,
            ),
            PageTable(
                "offtake-table", "Buyers and projects", heads_bought, bought,
                absent=not view.has("offtake"), filtered=True, open=False,
            ),
        ),
    )  # fmt: skip


def _pending(view: PlanView) -> Part:
    rows = [name for name in view.plan.pending if not view.has(name)]
    cells = tuple((words(name), words(view.plan.pending[name])) for name in sorted(rows))
    table = PageTable(
        "pending-tables",
        "Tables of the design that cleanhub does not make yet",
        (Head("Table"), Head("Part of cleanhub that will make it")),
        cells,
        empty="All tables of the design are made.",
    )
    lead = "Not yet in cleanhub, so nothing on these pages speaks of it."
    return Part("pending", "Not yet in cleanhub", (lead,) if cells else (), (table,))
