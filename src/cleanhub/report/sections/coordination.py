"""Who must decide what by when: a timeline per actor, and the dates that do not fit."""

from __future__ import annotations

import math

from markupsafe import Markup

from cleanhub.report import labels, palette, pipeline_charts, svg
from cleanhub.report.blocks import Figure, Head, Key, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, tonnes
from cleanhub.report.pipeline_charts import Slot
from cleanhub.report.sections.common import pair, plural
from cleanhub.report.sections.missing_links import link_name, when

PER_ACTOR = 4
"""Links of one actor that the timeline shows at most."""
_TALLEST = 40
"""Rows of the timeline, headings counted in, that a printed page holds."""
_BACK = 3
_COLOURS = (palette.CATEGORIES[0].css, palette.ALARM.css)


def coordination(context: Context) -> tuple[Figure, Table]:
    """The timeline of dated links, and the dates that cannot be kept."""
    rows = context.rows("coordination")
    dated = [row for row in rows if row["decide_by"] is not None and row["needed_by"] is not None]
    return _timeline(context, dated, len(rows)), _misfits(context, dated)


def _late(row: Row) -> bool:
    return row["fits"] is not None and not row["fits"]


def _by_actor(rows: list[Row]) -> list[tuple[str, list[Row]]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["actor"]), []).append(row)
    for own in found.values():
        own.sort(key=lambda row: (-_tonnes(row), -float(row["late_years"] or 0.0), str(row["link_id"])))
    return sorted(found.items(), key=lambda item: (-_tonnes(item[1][0]), item[0]))


def _per_actor(groups: list[tuple[str, list[Row]]]) -> int:
    """Links of one actor that are shown, so that the timeline fits a page; one at least."""
    for most in range(PER_ACTOR, 1, -1):
        if sum(1 + min(len(own), most) for _, own in groups) <= _TALLEST:
            return most
    return 1


def _tonnes(row: Row) -> float:
    return float(row["blocked_co2e_t"] or 0.0)


def _label(context: Context, row: Row) -> str:
    known = context.link_rows.get(str(row["link_id"]), {"kind": "", "description": row["link_id"]})
    name = link_name({**known, "link_id": row["link_id"]})
    if known["kind"] != "gate":
        return name
    project = str(known["project_id"] or "")
    return f"{name}: {context.project_names.get(project, project)}"


def _timeline(context: Context, dated: list[Row], every: int) -> Figure:
    title = "Who must act by when"
    if not dated:
        said = "No link of this plan has a date to be held." if every else "No coordination in this plan."
        return Figure("fig-coordination", title, Markup(""), empty=said)
    groups = _by_actor(dated)
    day = context.plan.scenario.as_of
    today = day.year + (day.timetuple().tm_yday - 1) / 365.25
    most = _per_actor(groups)
    shown = [(labels.actor(actor), [_slot(context, r) for r in own[:most]]) for actor, own in groups]
    ends = [x for _, own in shown for slot in own for x in (slot.need, slot.expected or 0.0)]
    window = (day.year - _BACK, max(math.ceil(max(ends)), day.year + 1))
    late = sum(_late(row) for row in dated)
    description = f"{len(groups)} actors, {len(dated)} links with a date; {late} do not fit."

    def draw(width: int, identifier: str) -> Markup:
        return pipeline_charts.timeline(width, identifier, title, description, shown, window, today, _COLOURS)

    count = sum(len(own) for _, own in shown)
    cut = f" Shown are the {count} of them that block most, {most} an actor at most."
    return Figure(
        "fig-coordination",
        title,
        *pair(draw, "fig-coordination"),
        legend=(
            Key("From when work must begin to when it must be closed", _COLOURS[0]),
            Key("The same, where it is expected too late", _COLOURS[1], "hatch"),
            Key("Expected, in time (median)", svg.INK, "diamond"),
            Key("Expected, too late", _COLOURS[1], "hollow"),
        ),
        unit="calendar year",
        year=f"{window[0]} to {window[1]}",
        source="this plan, table coordination",
        note=f"{plural(len(dated), 'link')} of {every} have a date that somebody published or a policy sets."
        f"{cut if count < len(dated) else ''} Expected years are medians of the draws in which it closes.",
        data=_dates(context, groups),
    )


def _slot(context: Context, row: Row) -> Slot:
    about = f"{row['action']}; {context.named(str(row['because']))}"
    return Slot(
        _label(context, row),
        float(row["decide_by"]),
        float(row["needed_by"]),
        row["expected"],
        _late(row),
        about,
    )


def _dates(context: Context, groups: list[tuple[str, list[Row]]]) -> Table:
    out: tuple[tuple[Text, ...], ...] = tuple(
        (
            labels.actor(actor),
            _label(context, row),
            labels.subscripts(str(row["action"])),
            when(row["decide_by"]),
            when(row["needed_by"]),
            when(row["expected"]),
            number(row["late_years"], 2),
            context.named(str(row["because"])),
        )
        for actor, own in groups
        for row in own
    )
    head = (
        Head("Actor"),
        Head("Link", long=True),
        Head("What they would do", long=True),
        Head("Begin by", numeric=True),
        Head("Closed by", numeric=True),
        Head("Expected", numeric=True),
        Head("Late", "years", numeric=True),
        Head("Because", long=True),
    )
    return Table("Who must act by when", head, out, unit="calendar years; below 0: time to spare")


def _misfits(context: Context, dated: list[Row]) -> Table:
    found: dict[str, list[Row]] = {}
    for row in dated:
        if _late(row):
            found.setdefault(str(row["because"]).split(";")[0], []).append(row)
    ranked = sorted(found.items(), key=lambda item: (-max(map(_tonnes, item[1])), item[0]))
    out: list[tuple[Text, ...]] = []
    for date, rows in ranked:
        worst = max(rows, key=lambda row: (float(row["late_years"] or 0.0), str(row["link_id"])))
        begun = min(float(row["decide_by"]) for row in rows)
        actors = sorted({labels.actor(str(row["actor"])) for row in rows})
        out.append(
            (
                Markup("{}<br><small>{}: {}</small>").format(
                    context.named(date), plural(len(rows), "link"), ", ".join(actors)
                ),
                Markup("{}<br><small>{}: {}</small>").format(
                    _label(context, worst),
                    labels.actor(str(worst["actor"])),
                    labels.subscripts(str(worst["action"])),
                ),
                when(begun),
                when(worst["expected"]),
                number(worst["late_years"], 2),
                tonnes(max(map(_tonnes, rows))) if max(map(_tonnes, rows)) > 0 else MISSING,
            )
        )
    return Table(
        "Dates that do not fit",
        (
            Head("Whose date", "links that come too late, and who is concerned", long=True),
            Head("The latest of them", long=True),
            Head("First should have begun", numeric=True),
            Head("Latest expected", numeric=True),
            Head("Late", "years", numeric=True),
            Head("Blocks", "CO\N{SUBSCRIPT TWO}e", numeric=True),
        ),
        tuple(out),
        unit="calendar years; tonnes expected",
        year="in the column",
        source="this plan, table coordination",
        note="Counted back from the published year of service, or the date of the policy, by the median time "
        "that each step takes. A date that should have begun before the date of the plan cannot be kept.",
        empty="Every date that somebody published can be kept at the median.",
        id="dates-that-do-not-fit",
    )
