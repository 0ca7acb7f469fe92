"""Pages as HTML: each function gives one, made of the plan and of nothing else."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.report import charging, labels, limits, palette
from cleanhub.report.numbers import count
from cleanhub.report.page import environment
from cleanhub.web import data_pages, geography, overview, project_pages
from cleanhub.web.blocks import Chart, Part
from cleanhub.web.links import table_link
from cleanhub.web.view import PlanView

PAGES = (("/", "Overview"), ("/map", "Map"), ("/projects", "Projects"), ("/data", "Data"))


class Pages:
    """The pages of one plan. Every method gives HTML; ``KeyError`` for what the plan does not hold."""

    def __init__(self, view: PlanView) -> None:
        self.view = view

    @cached_property
    def _environment(self) -> Environment:
        found = environment("cleanhub.web")
        found.globals["pages"] = PAGES
        return found

    def _render(self, template: str, title: str, here: str = "", **given: Any) -> str:
        sections: tuple[Part, ...] = given.get("sections", ())
        blocks = [*given.get("blocks", ()), *(block for part in sections for block in part.blocks)]
        usual = {"trail": (), "lead": (), "facts": (), "sections": (), "blocks": (), "map": None}
        return self._environment.get_template(template).render(
            **{**usual, "remark": False, **given},
            title=title,
            here=here,
            view=self.view,
            versions=sorted(self.view.plan.versions.items()),
            charts=any(isinstance(block, Chart) for block in blocks),
        )

    def overview(self) -> str:
        """The first page."""
        lead = [text for text in (self.view.plan.scenario.description,) if text]
        return self._render(
            "page.html.j2",
            self.view.plan.hub_title,
            "/",
            lead=lead,
            remark=True,
            sections=overview.parts(self.view),
        )

    def map(self) -> str:
        """The map with its tables."""
        view = self.view
        sites = geography.placed_sites(view)
        used = {palette.group_of(str(row["sector"])).key for row, _, _, _ in sites}
        groups = [group for group in palette.GROUPS if group.key in used]
        stages = {str(row["stage"]) for row, _ in geography.placed_projects(view)}
        shown = [(name, colour) for name, colour in palette.STAGES if name in stages]
        layers = (
            ("sites", "Sites", palette.INCUMBENT.css, "dot"),
            ("projects", "Projects", palette.STAGES[4][1].css, "diamond"),
            ("chargers", "Charging sites", palette.PHASES[0].css, "dot"),
        )
        about = {
            "bounds": " ".join(f"{edge:g}" for edge in geography.bounds(view)),
            "group_keys": " ".join(group.key for group in groups),
            "stage_keys": " ".join(name for name, _ in shown),
            "groups": [(group.label, group.colour.css) for group in groups],
            "stages": [(labels.stage(name), colour.css) for name, colour in shown],
            "layers": layers,
            "credit": charging.attribution(view.context),
        }
        tables = geography.tables(view)
        return self._render("page.html.j2", "Map", "/map", map=about, remark=True, blocks=tables)

    def projects(self) -> str:
        """All projects."""
        rows = self.view.rows("projects")
        ended = sum(row["stage"] in ("shelved", "cancelled", "closed") for row in rows)
        lead = (
            f"{len(rows)} projects, {ended} of them ended or paused. Only those whose role is to abate "
            "carry tonnes; stores, suppliers and infrastructure make those tonnes possible."
        )
        blocks = project_pages.all_projects(self.view)
        return self._render(
            "page.html.j2", "Projects", "/projects", lead=(lead,) if rows else (), blocks=blocks
        )

    def project(self, project: str) -> str:
        """One project."""
        rows = [row for row in self.view.rows("projects") if str(row["project_id"]) == project]
        if not rows:
            raise KeyError(project)
        return self._render(
            "page.html.j2",
            str(rows[0]["name"]),
            "/projects",
            trail=(("/projects", "Projects"),),
            facts=project_pages.facts(self.view, rows[0]),
            sections=project_pages.project_parts(self.view, project),
        )

    def data(self) -> str:
        """All tables, and what the plan rests on."""
        blocks = [data_pages.table_of_tables(self.view), data_pages.provenance_summary(self.view)]
        lead = (
            "Every table of the plan with its columns and units, as a page, as CSV and as JSON under /api/.",
            table_link("sources", "Sources: where the numbers come from"),
        )
        remarks = tuple(self.view.plan.notes)
        sections = (Part("notes", "Remarks of the run", remarks),) if remarks else ()
        return self._render("page.html.j2", "Data", "/data", lead=lead, blocks=blocks, sections=sections)

    def table(self, name: str) -> str:
        """One table: its columns, then its first rows."""
        rows = count(len(self.view.plan.tables[name]))
        declared = PLAN_TABLES[name]
        download = Markup('<a href="/data/{0}.csv">CSV</a>, <a href="/api/tables/{0}">JSON</a>').format(name)
        facts = (
            ("Rows", rows),
            ("Key", ", ".join(declared.key) or "none"),
            ("Download all rows", download),
        )
        return self._render(
            "page.html.j2",
            name,
            "/data",
            trail=(("/data", "Data"),),
            lead=(declared.description,),
            facts=facts,
            blocks=(data_pages.columns_table(name), data_pages.rows_table(self.view, name)),
        )

    def sources(self) -> str:
        """All sources."""
        return self._render(
            "page.html.j2",
            "Sources",
            "/data",
            trail=(("/data", "Data"),),
            remark=True,
            blocks=(data_pages.sources_table(self.view),),
        )

    def limits(self) -> str:
        """What this model cannot tell, with the figures of the plan."""
        context = self.view.context
        questions = tuple(
            Markup("<b>{}</b> {}").format(one.question, one.why) for one in limits.limits(context)
        )
        shares = Part("headlines", "What each headline rests on", (), (limits.headlines_block(context),))
        told = Part("questions", "Questions this plan does not answer", questions)
        return self._render("page.html.j2", limits.TITLE, "/limits", sections=(told, shares))

    def words(self) -> str:
        """The glossary."""
        tables = data_pages.words_tables(self.view)
        sections = (Part("codes", "Codes", (), tables),) if tables else ()
        return self._render("words.html.j2", "Words", "/words", sections=sections)

    def missing(self, title: str, said: str) -> str:
        """The page for an address that leads nowhere, or for a request that cannot be met."""
        return self._render("missing.html.j2", title, said=said)

    def style(self) -> str:
        """The style sheet: the report's, with the palette before it and what only these pages need after."""
        text = [
            f":root{{{palette.css_variables(dark=False)}}}",
            f"@media screen and (prefers-color-scheme:dark){{:root{{{palette.css_variables(dark=True)}}}}}",
            self._source("report.css"),
            self._source("web.css"),
        ]
        return "\n".join(text)

    def _source(self, name: str) -> str:
        loader = self._environment.loader
        assert loader is not None
        return loader.get_source(self._environment, name)[0]

    def favicon(self) -> str:
        """The mark of the pages, as SVG."""
        return self._source("favicon.svg")
