"""What to unblock first: links by the tonnes that wait for them, and the three barriers counted.

The gates of one project all block the same tonnes, since a project decides only when each has closed.
So what one project alone waits for is one entry, with its open gates; what several wait for is an entry
of its own. Everything here is read from the plan table ``links``.
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from cleanhub.pipeline.barriers import bundles, count_barriers
from cleanhub.report import charts, labels, palette, svg
from cleanhub.report.blocks import Figure, Head, Key, Table, Text
from cleanhub.report.charts import Bar
from cleanhub.report.context import Context, Row, as_rows
from cleanhub.report.numbers import MISSING, money, number, percent, scale_for, tonnes
from cleanhub.report.sections.common import inside, pair, plural

MOST = 12
"""Entries that are shown."""
_ACTIONS = 2
_LABEL = (320.0, 42)
_SHARED, _OWN = palette.CATEGORIES[1].css, palette.CATEGORIES[0].css


@dataclass(frozen=True)
class Entry:
    """What is unblocked together: the links of one project, or one link that several wait for."""

    name: str
    project: str
    links: tuple[Row, ...]
    """Those first of which a year of delay costs most."""

    @property
    def blocked(self) -> float:
        """Expected tonnes lost if it never closes [t CO2e]: of the worst link, not of their sum."""
        return max(float(row["blocked_co2e_t"] or 0.0) for row in self.links)

    @property
    def share(self) -> float:
        """Its part of all tonnes that wait; parts add up."""
        return sum(float(row["shapley_share"] or 0.0) for row in self.links)

    @property
    def slowest(self) -> Row:
        """The link of which a year of delay costs most."""
        return self.links[0]


def entries(context: Context) -> list[Entry]:
    """Entries with tonnes, those that block most first."""
    found = [
        Entry(
            context.project_names.get(one.project_id, one.project_id)
            if one.project_id
            else labels.said(str(one.links[0]["description"])),
            one.project_id,
            one.links,
        )
        for one in bundles(context.rows("links"))
    ]
    kept = [one for one in found if one.blocked > 0]
    return sorted(kept, key=lambda one: (-one.blocked, one.name, one.project))


def link_name(row: Row) -> str:
    """A link in few words: its gate, or what it is."""
    if row["kind"] == "gate":
        return labels.gate(str(row["link_id"]).rsplit(":", 1)[-1])
    return labels.said(str(row["description"]))


def first_links(context: Context) -> tuple[Figure, Table, Table]:
    """The chart and the table of what to unblock first, and shared links without tonnes of their own."""
    found = entries(context)
    return _figure(context, found[:MOST]), _table(context, found), _uncounted(context)


def _figure(context: Context, found: list[Entry]) -> Figure:
    title = "Tonnes that wait, by what must be unblocked"
    if not found:
        return Figure("fig-links", title, Markup(""), empty="No link of this plan blocks tonnes.")
    scale = scale_for([one.blocked for one in found], "t CO2e")
    bars = [
        Bar(
            svg.wrap(one.name, _LABEL[1], 1)[0],
            scale.show(one.blocked),
            ((one.blocked, _OWN if one.project else _SHARED, "" if one.project else "hatch"),),
        )
        for one in found
    ]
    description = f"In {scale.unit}: " + "; ".join(f"{bar.label} {bar.shown}" for bar in bars) + "."

    def draw(width: int, identifier: str) -> Markup:
        return charts.horizontal_bars(width, identifier, title, description, bars, labels=_LABEL)

    data: tuple[tuple[Text, ...], ...] = tuple(
        (one.name, link_name(row), labels.actor(str(row["actor"])), labels.subscripts(str(row["action"])),
         tonnes(row["blocked_co2e_t"]), tonnes(row["per_year_of_delay_t"]), percent(row["shapley_share"]),
         percent(row["p_closes"]), when(row["p50"]), str(row["confidence"]))
        for one in found for row in one.links
    )  # fmt: skip
    head = (
        Head("What waits"),
        Head("Link"),
        Head("Who can"),
        Head("What they would do", long=True),
        Head("Blocks", numeric=True),
        Head("A year of delay", numeric=True),
        Head("Share", numeric=True),
        Head("Chance to close", numeric=True),
        Head("Median year", numeric=True),
        Head("Confidence"),
    )
    return Figure(
        "fig-links",
        title,
        *pair(draw, "fig-links"),
        legend=(
            Key("Shared: several projects wait for it", _SHARED, "hatch"),
            Key("One project, with its own open gates", _OWN),
        ),
        unit=f"{scale.unit}, expected, lost if it never closes; bars overlap and do not add up",
        year=f"{context.plan.scenario.as_of.year} to {context.target_year}, summed, undiscounted",
        source="this plan, table links",
        data=Table(title, head, data, unit="tonnes of CO\N{SUBSCRIPT TWO}e"),
    )


def when(value: object) -> str:
    """The calendar year in which a moment lies."""
    return str(int(value)) if isinstance(value, int | float) else MISSING


def _about(context: Context, one: Entry) -> Markup:
    if one.project:
        names: dict[bool, list[str]] = {True: [], False: []}
        for row in one.links:
            names[row["kind"] == "gate"].append(inside(link_name(row)))
        gates, rest = names[True], names[False]
        text = f"{plural(len(gates), 'open gate')}: {', '.join(gates)}"
        text += f"; and {', '.join(rest)}" if rest else ""
    else:
        row = one.links[0]
        waiting = context.projects_in(row["projects"])
        text = labels.link(str(row["kind"])) + (
            f"; {', '.join(waiting)} cannot decide without it"
            if waiting
            else "; no project depends on it alone, several could use it"
        )
        if row["cost_usd"] is not None:
            text += f"; capital {money(row['cost_usd'])}"
    return Markup("{}<br><small>{}</small>").format(one.name, text)


def _who(one: Entry) -> Markup:
    ranked = one.links
    lines = [
        Markup("<b>{}</b>: {}").format(labels.actor(str(row["actor"])), labels.subscripts(str(row["action"])))
        for row in ranked[:_ACTIONS]
    ]
    if len(ranked) > _ACTIONS:
        lines.append(Markup("<small>and {} more</small>").format(len(ranked) - _ACTIONS))
    return Markup("<br>").join(lines)


def _chance(context: Context, one: Entry) -> str:
    if one.project:
        known = {str(row["project_id"]): row for row in context.rows("projects")}
        ever = known.get(one.project, {}).get("p_fid_ever")
        return percent(ever)
    return percent(one.links[0]["p_closes"])


def _table(context: Context, found: list[Entry]) -> Table:
    out: list[tuple[Text, ...]] = []
    for one in found[:MOST]:
        delay = tonnes(one.slowest["per_year_of_delay_t"])
        why = link_name(one.slowest) if len(one.links) > 1 else ""
        out.append(
            (
                _about(context, one),
                tonnes(one.blocked),
                Markup("{}<br><small>{}</small>").format(delay, why) if why else delay,
                percent(one.share),
                Markup("{}<br><small>{}</small>").format(_chance(context, one), one.slowest["confidence"]),
                _who(one),
            )
        )
    left = len(found) - MOST
    more = f" {plural(left, 'entry', 'entries')} with fewer tonnes not shown." if left > 0 else ""
    return Table(
        "What to unblock first",
        (
            Head("What waits", long=True),
            Head("Blocks", f"CO\N{SUBSCRIPT TWO}e to {context.target_year}", numeric=True),
            Head("A year of delay", "costs, at the worst of its links", numeric=True),
            Head("Share", "of the tonnes that wait", numeric=True),
            Head("Chance", "link closes, project decides", numeric=True),
            Head("Who can, and what they would do", "those first whose delay costs most", long=True),
        ),
        tuple(out),
        unit="expected tonnes: what the simulation brings, not what is announced",
        year=f"{context.plan.scenario.as_of.year} to {context.target_year}",
        source="this plan, table links",
        note="Blocks: lost if this link never closes and all else goes as simulated. A project decides only "
        "when all its gates have closed, so each open gate of one project blocks the same tonnes; it stands "
        "here once. Shares divide what links hold up together (Shapley value) and add up over all links; "
        f"blocked tonnes do not.{more}",
        empty="No link of this plan blocks tonnes.",
        id="unblock-first",
    )


def _uncounted(context: Context) -> Table:
    rows = [
        row
        for row in context.rows("links")
        if row["kind"] != "gate" and not row["blocked_co2e_t"] and row["projects_blocked"]
    ]
    ranked = sorted(rows, key=lambda row: (-int(row["projects_blocked"]), str(row["link_id"])))
    out: tuple[tuple[Text, ...], ...] = tuple(
        (
            link_name(row),
            "; ".join(context.projects_in(row["projects"])),
            percent(row["p_closes"]),
            when(row["p50"]),
            Markup("<b>{}</b>: {}").format(
                labels.actor(str(row["actor"])), labels.subscripts(str(row["action"]))
            ),
            labels.words(str(row["confidence"])),
        )
        for row in ranked[:MOST]
    )
    return Table(
        "Shared links of projects that count no tonnes themselves",
        (
            Head("Link", long=True),
            Head("Projects that wait", long=True),
            Head("Chance to close", numeric=True),
            Head("Median year", numeric=True),
            Head("Who can, and what they would do", long=True),
            Head("Confidence"),
        ),
        out,
        unit="in the heading",
        year=f"chance by the end of {context.end_year}",
        source="this plan, table links",
        note="Charging sites, ports, suppliers and programmes make tonnes possible elsewhere and count none "
        "of their own, so these links are ranked by the projects that wait.",
        empty="None.",
        id="links-without-tonnes",
    )


# ---------------------------------------------------------------- barriers


def barriers(context: Context) -> tuple[Figure, Table]:
    """Open gates of each barrier with the tonnes that are theirs, as bars and as a table."""
    title = "Tonnes behind each barrier"
    frame = context.plan.tables.get("links")
    rows = context.rows("links")
    if frame is None or not rows:
        return (
            Figure("fig-barriers", title, Markup(""), empty="No links in this plan."),
            Table("The three barriers, counted as gates", (), (), empty="No links in this plan."),
        )
    counted = count_barriers(frame)
    counts = as_rows(counted)
    scale = scale_for([row["shapley_co2e_t"] for row in counts], "t CO2e")
    bars = [
        Bar(
            labels.barrier(str(row["barrier"])).split(":")[0],
            scale.show(row["shapley_co2e_t"]),
            ((float(row["shapley_co2e_t"]), colour.css, overlay),),
        )
        for row, colour, overlay in zip(
            counts, (*palette.CATEGORIES[:3], palette.INCUMBENT), ("", "hatch", "", "light"), strict=True
        )
    ]
    description = f"In {scale.unit}: " + "; ".join(f"{bar.label} {bar.shown}" for bar in bars) + "."

    def draw(width: int, identifier: str) -> Markup:
        return charts.horizontal_bars(width, identifier, title, description, bars, labels=_LABEL)

    figure = Figure(
        "fig-barriers",
        title,
        *pair(draw, "fig-barriers"),
        unit=f"{scale.unit}, expected; parts add up (Shapley value)",
        year=f"{context.plan.scenario.as_of.year} to {context.target_year}, summed",
        source="this plan, table links",
        data=Table(
            title,
            (Head("Barrier"), Head(scale.unit, numeric=True), Head("Share", numeric=True)),
            tuple(
                (
                    labels.barrier(str(row["barrier"])),
                    scale.show(row["shapley_co2e_t"]),
                    percent(row["shapley_share"]),
                )
                for row in counts
            ),
            unit=scale.unit,
        ),
    )
    return figure, _barrier_table(context, counts)


def _barrier_table(context: Context, counts: list[Row]) -> Table:
    out: list[tuple[Text, ...]] = []
    for row in counts:
        first = context.link_rows.get(str(row["first"]))
        out.append(
            (
                labels.barrier(str(row["barrier"])),
                number(row["open_gates"]),
                number(row["shared_links"]),
                number(row["projects"]),
                tonnes(row["shapley_co2e_t"]),
                percent(row["shapley_share"]),
                _one(context, first) if first else MISSING,
            )
        )
    return Table(
        "The three barriers, counted as gates",
        (
            Head("Barrier"),
            Head("Open gates", numeric=True),
            Head("Shared links", numeric=True),
            Head("Projects", "that cannot decide without", numeric=True),
            Head("Tonnes behind it", "CO\N{SUBSCRIPT TWO}e", numeric=True),
            Head("Share", numeric=True),
            Head("Its link that blocks most", long=True),
        ),
        tuple(out),
        unit="counts; tonnes expected",
        year=f"{context.plan.scenario.as_of.year} to {context.target_year}",
        source="this plan, table links",
        note="A project counts under every barrier that holds it. Which gate belongs to which barrier is a "
        "rule of the library.",
        id="barriers",
    )


def _one(context: Context, row: Row) -> str:
    if row["kind"] != "gate":
        return link_name(row)
    project = context.project_names.get(str(row["project_id"]), str(row["project_id"]))
    return f"{project}: {link_name(row)}"
