"""The public entry: one plan in, one ``report.html`` out.

The file is whole in itself (inline style, script and figures; a content security policy
that forbids any request) and depends on nothing but the plan: no clock, no random ids.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cleanhub.core.aside import aside
from cleanhub.report import blueprint, charts, palette
from cleanhub.report import map as map_section
from cleanhub.report.blocks import Section
from cleanhub.report.context import Context
from cleanhub.report.contract import PlanLike
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
_APART = (freight.build, map_section.build, pipeline.build, standing.build)
"""Sections that take about half of the time of all."""


def write_report(plan: PlanLike, folder: Path) -> Path:
    """Write ``folder/report.html`` for ``plan`` and return its path.

    The folder is made when it is missing. The file appears whole or not at all. Equal plans
    give equal bytes. Where the plan holds charging sites the investment blueprint and the utility's
    table stand beside it, where it holds road geometry the attribution.
    Raises ``RunError`` for a plan that was loaded without its hub, and
    ``OSError`` when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    beside = aside(lambda: blueprint.write_blueprint(plan, folder))
    page = render(plan)
    target = folder / FILE
    partial = folder / f".{FILE}.partial"
    partial.write_bytes(page.encode("utf-8"))
    partial.replace(target)
    beside()
    return target


def sections_of(context: Context) -> list[Section]:
    """The sections that the plan has something for, in reading order.

    Those of :data:`_APART` are written beside the others; the sources of all are numbered in reading order
    by :meth:`~cleanhub.report.citations.Citations.numbered` of the context.
    """
    apart = aside(lambda: {build.__module__: _written(context, build) for build in _APART})
    here = {build.__module__: _written(context, build) for build in _BUILDERS if build not in _APART}
    found = []
    for build in _BUILDERS:
        section, cited = here.get(build.__module__) or apart()[build.__module__]
        context.cite.add(*cited)
        found.append(section)
    found.append(evidence.build(context))
    return [section for section in found if section is not None]


def _written(context: Context, build: Builder) -> tuple[Section | None, list[str]]:
    """One section with places for the numbers of its sources, and those sources in order."""
    whole = context.cite
    context.cite = whole.mentions()
    try:
        section = build(context)
        return section, [source for _, source, _ in context.cite.listed()]
    finally:
        context.cite = whole


def render(plan: PlanLike) -> str:
    """The report of ``plan`` as one HTML document."""
    context = Context(plan)
    sections = sections_of(context)
    environment = Environment(
        loader=PackageLoader("cleanhub.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["swatch"] = charts.swatch
    weak = sum(bool(row["illustrative"]) for row in context.rows("scorecard"))
    page = environment.get_template("report.html.j2").render(
        plan=plan,
        hub=context.hub,
        scenario=plan.scenario,
        as_of=plan.scenario.as_of.isoformat(),
        versions=sorted(plan.versions.items()),
        context=context,
        sections=sections,
        weak=weak,
        headlines=len(context.rows("scorecard")),
        style=_own_file("report.css"),
        script=_own_file("map.js"),
        light=Markup(palette.css_variables(dark=False)),
        dark=Markup(palette.css_variables(dark=True)),
    )
    return context.cite.numbered(page)


def _own_file(name: str) -> Markup:
    """A file of this room, put in unescaped: it holds no data."""
    return Markup((files("cleanhub.report") / "templates" / name).read_text(encoding="utf-8"))
