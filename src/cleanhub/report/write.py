"""The public entry: one plan in, one ``report.html`` out.

The file is whole in itself (inline style, script and figures; a content security policy
that forbids any request) and depends on nothing but the plan: no clock, no random ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from cleanhub.core.aside import aside
from cleanhub.report import blueprint, palette
from cleanhub.report import map as map_section
from cleanhub.report.blocks import Section
from cleanhub.report.context import Context
from cleanhub.report.contract import PlanLike
from cleanhub.report.page import own_file, page
from cleanhub.report.sections import (
    abatement,
    bankable,
    binding,
    brief,
    changes,
    commitments,
    costs,
    evidence,
    freight,
    method,
    milestones,
    pipeline,
    projects,
    scorecard,
    standing,
    tipping,
    today,
)

FILE = "report.html"
Builder = Callable[[Context], Section | None]
_BUILDERS: tuple[Builder, ...] = (
    brief.build,
    scorecard.build,
    standing.build,
    today.build,
    changes.build,
    tipping.build,
    abatement.build,
    binding.build,
    freight.build,
    projects.build,
    pipeline.build,
    bankable.build,
    milestones.build,
    commitments.build,
    costs.build,
    map_section.build,
    method.build,
)
"""The sections in reading order, but for the last: ``evidence`` lists what they cited.

A builder gives ``None`` where the plan has nothing for its section."""
_ON_ROADS = (freight.build, map_section.build)
"""Sections that show the same as the blueprint."""
_APART = (pipeline.build, standing.build, binding.build)
"""Sections that take about a third of the time of all."""


@dataclass(frozen=True)
class Part:
    """A section as HTML, with places for the numbers of its sources, and those sources in order.

    ``id`` is empty where the plan has nothing for it.
    """

    id: str
    title: str
    body: Markup
    cited: tuple[str, ...]


Parts = Mapping[str, Part]
"""Parts by the module of their builder."""


def write_report(plan: PlanLike, folder: Path) -> Path:
    """Write ``folder/report.html`` for ``plan`` and return its path.

    The folder is made when it is missing. The file appears whole or not at all. Equal plans
    give equal bytes. Where the plan holds charging sites the investment blueprint and the utility's
    table stand beside it, where it holds road geometry the attribution.
    Raises ``RunError`` for a plan that was loaded without its hub, and
    ``OSError`` when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    context = Context(plan)

    def on_roads() -> Parts:
        blueprint.write_blueprint(context, folder)
        return _parts(context, _ON_ROADS)

    text = _text(context, aside(on_roads))
    target = folder / FILE
    partial = folder / f".{FILE}.partial"
    partial.write_bytes(text.encode("utf-8"))
    partial.replace(target)
    return target


def render(plan: PlanLike) -> str:
    """The report of ``plan`` as one HTML document."""
    context = Context(plan)
    return _text(context, aside(lambda: _parts(context, _ON_ROADS)))


def sections_of(context: Context) -> list[Section]:
    """The sections that the plan has something for, in reading order."""
    sections = [build(context) for build in (*_BUILDERS, evidence.build)]
    return [section for section in sections if section is not None]


def _text(context: Context, on_roads: Callable[[], Parts]) -> str:
    """The report, whose parts are written beside one another; their sources are numbered in reading order."""
    apart = aside(lambda: _parts(context, _APART))
    others = [build for build in _BUILDERS if build not in (*_ON_ROADS, *_APART)]
    written = {**_parts(context, others), **apart(), **on_roads()}
    parts = [written[build.__module__] for build in _BUILDERS]
    for part in parts:
        context.cite.add(*part.cited)
    parts.append(_part(context, evidence.build))
    plan, headlines = context.plan, context.rows("scorecard")
    text = page(
        "report.html.j2",
        plan=plan,
        hub=context.hub,
        scenario=plan.scenario,
        as_of=plan.scenario.as_of.isoformat(),
        versions=sorted(plan.versions.items()),
        context=context,
        sections=[part for part in parts if part.id],
        weak=sum(bool(row["illustrative"]) for row in headlines),
        headlines=len(headlines),
        style=own_file("report.css"),
        script=own_file("map.js"),
        light=Markup(palette.css_variables(dark=False)),
        dark=Markup(palette.css_variables(dark=True)),
    )
    return context.cite.numbered(text)


def _parts(context: Context, builders: Iterable[Builder]) -> Parts:
    """Parts with places for the numbers of their sources, whatever else cites what."""
    whole, found = context.cite, {}
    try:
        for build in builders:
            context.cite = whole.mentions()
            found[build.__module__] = _part(context, build)
    finally:
        context.cite = whole
    return found


def _part(context: Context, build: Builder) -> Part:
    section = build(context)
    cited = tuple(source for _, source, _ in context.cite.listed())
    if section is None:
        return Part("", "", Markup(""), cited)
    body = Markup(page("section.html.j2", section=section))
    return Part(section.id, section.title, body, cited)
