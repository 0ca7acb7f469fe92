"""The announced projects of a plan with their values: each project is remembered by itself.

What a project is worth rests on its own row, the policies, and what all cases share; a change of one
project leaves the others as they were. Prices are remembered apart, since they rest on the policies that
concern the project and on no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from cleanhub.core.aside import aside
from cleanhub.core.fingerprint import fingerprint
from cleanhub.core.memory import remembered, remembered_each
from cleanhub.finance.build import Setting
from cleanhub.finance.case_value import CasePrices, CaseValue, prices_of, value_case
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.from_project import ProjectCase, project_case
from cleanhub.finance.policy_setting import setting_of
from cleanhub.finance.project_grid import ValueGrid, is_proposed, value_grid
from cleanhub.finance.valuations import ProjectValue
from cleanhub.hub.excerpt import Excerpt, excerpt
from cleanhub.hub.library import Library
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.policy.book import PolicyBook, load_book

CASE_LIBRARY = frozenset(
    {
        "arl_dimensions",
        "capital_factors",
        "depreciation",
        "estimate_classes",
        "fid_checklist",
        "pioneer_coefficients",
        "price_index",
    }
)
"""Tables of the library that cases are read with."""
READING_LIBRARY = ("depreciation", "pioneer_coefficients")
"""Those of them that a case still asks once it is read: all that is remembered with it."""
CASE_CHOICES = frozenset({"as_of", "price_year"})
"""Choices of a scenario that cases read, its policies aside."""

FEW = 6
"""Projects below which all are valued in one process."""


@dataclass(frozen=True)
class Valued:
    """The projects of a hub with their values, the policies that were asked, and value grids by project."""

    projects: list[ProjectValue]
    book: PolicyBook
    grids: dict[str, ValueGrid]

    @property
    def answers(self) -> Mapping[str, Sequence[str]]:
        """Policies that pay each project at the dates of its own case, by project."""
        return {
            one.project.project_id: [a.policy for a in one.value.setting.answers if a.answer == "pays"]
            for one in self.projects
            if one.value is not None
        }


@dataclass(frozen=True)
class _Worth:
    """What is remembered of one project; a grid for those whose decision is still to come."""

    project: ProjectCase
    value: CaseValue | None = None
    prices: CasePrices | None = None
    grid: ValueGrid | None = None


def valued_projects(hub: Hub, scenario: Scenario) -> Valued:
    """Every project of the hub in both views and on its grid, under the scenario's policies."""
    book = load_book(hub.library, hub, scenario)
    shared = _shared(hub, scenario)
    content = fingerprint(shared.content)
    asked = fingerprint(content, book.content)
    table = hub.tables["projects"]
    cells = table.astype(object).where(table.notna(), None)  # the dtypes tell how gaps are marked
    columns = tuple(zip(table.columns, table.dtypes.astype(str), strict=True))
    rows = [row for _, row in table.iterrows()]
    texts = list(cells.itertuples(index=False, name=None))

    def worth_of(wanted: list[int]) -> list[_Worth]:
        cases = [_case(rows[at], (columns, texts[at]), shared, content) for at in wanted]
        return [_worth(rows[at], case, content, book) for at, case in zip(wanted, cases, strict=True)]

    def make(missing: list[int]) -> list[_Worth]:
        if len(missing) < FEW:
            return worth_of(missing)
        beside = aside(lambda: worth_of(missing[1::2]))
        made = dict(zip(missing[::2], worth_of(missing[::2]), strict=True))
        made |= dict(zip(missing[1::2], beside(), strict=True))
        return [made[at] for at in missing]

    inputs = [(asked, columns, text) for text in texts]
    projects, grids = [], {}
    for row, worth in zip(rows, remembered_each("project", inputs, make), strict=True):
        projects.append(ProjectValue(row, worth.project, worth.value, worth.prices))
        if worth.grid is not None:
            grids[worth.project.project_id] = worth.grid
    return Valued(projects, book, grids)


def _shared(hub: Hub, scenario: Scenario) -> Excerpt:
    """What the cases of all projects have in common: no table of the hub, and few of the library."""
    library = hub.library.tables.keys() - CASE_LIBRARY
    return excerpt(hub, scenario, set(hub.tables), library, set(type(scenario).model_fields) - CASE_CHOICES)


def _case(row: pd.Series, text: tuple[Any, ...], shared: Excerpt, content: str) -> ProjectCase:
    """The case of one row, ``text`` in words; it rests on no policy."""

    def make() -> ProjectCase:
        project = project_case(row, shared.hub, shared.scenario)
        if project.loaded is None:
            return project
        asked = {name: project.loaded.library.tables[name] for name in READING_LIBRARY}
        return replace(project, loaded=replace(project.loaded, library=Library(asked, {}, frozenset())))

    return remembered("case", (content, text), make)


def _worth(row: pd.Series, project: ProjectCase, content: str, book: PolicyBook) -> _Worth:
    """What the project of one row of the hub's table is worth."""
    loaded = project.loaded
    if loaded is None:
        return _Worth(project)
    value = value_case(loaded, setting_of(loaded, book))
    for view in value.views:  # worked out now, they are remembered with the view
        _ = view.npv_usd, view.irr, view.min_dscr, view.levelised_cost
    grid = None
    if is_proposed(row):
        grid = replace(value_grid(loaded, book), project_id=project.project_id)
    return _Worth(project, value, _prices(loaded, value.setting, content), grid)


def _prices(loaded: LoadedCase, setting: Setting, content: str) -> CasePrices:
    """The prices of a case; of the policies' answers only those that pay are looked at."""
    paying = setting.paying()
    return remembered("prices", (content, loaded.text, paying), lambda: prices_of([(loaded, paying)])[0])
