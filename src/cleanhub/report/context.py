"""What every section reads: the plan as plain rows, its years, and its citations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from typing import Any, TypeVar

import pandas as pd

from cleanhub.core.errors import RunError
from cleanhub.report import labels
from cleanhub.report.citations import Citations
from cleanhub.report.contract import HubLike, PlanLike
from cleanhub.report.numbers import tonne_factor

Row = dict[str, Any]
T = TypeVar("T")


Choice = Callable[[pd.DataFrame], "pd.Series[bool]"]
"""Says of each row of a frame whether it is wanted; missing is no."""


def as_rows(frame: pd.DataFrame | None, wanted: Choice | None = None) -> list[Row]:
    """A frame as plain dictionaries; missing cells (NaN, NA, NaT) become ``None``.

    Of a long table ``wanted`` spares the rows that nobody reads.
    """
    if frame is None or frame.empty:
        return []
    if wanted is not None:
        frame = frame[wanted(frame).to_numpy(dtype=bool, na_value=False)]
    columns = [_cells(frame[name]) for name in frame.columns]
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _cells(column: pd.Series[Any]) -> list[Any]:
    cells, missing = column.tolist(), column.isna().to_numpy()
    if not missing.any():
        return cells
    return [None if gone else cell for cell, gone in zip(cells, missing.tolist(), strict=True)]


def _of_scope_1(emissions: pd.DataFrame) -> pd.Series[bool]:
    """Scope 1, included, CO2e."""
    return (emissions["scope"] == 1) & (emissions["boundary"] == "included") & (emissions["gas"] == "co2e")


def _replaced(text: str, names: Mapping[str, str]) -> str:
    """``text`` with whole words that are keys of ``names`` replaced by their values."""
    return re.sub(r"[\w-]*\w", lambda hit: names.get(hit[0], hit[0]), text)


def once(make: Callable[[Context], T]) -> Callable[[Context], T]:
    """``make``, whose value is made once for each context: the section and the blueprint show the same.

    Only for what cites nothing: a citation counts where its part is written.
    """

    @wraps(make)
    def made(context: Context) -> T:
        if make not in context.made:
            context.made[make] = make(context)
        value: T = context.made[make]
        return value

    return made


class Context:
    """One plan, read once."""

    def __init__(self, plan: PlanLike) -> None:
        if plan.hub is None:
            raise RunError(
                f"plan {plan.id} was loaded without its hub: plan again to write its report, or "
                "read the report.html beside its plan.json"
            )
        self.plan = plan
        self.hub: HubLike = plan.hub
        self._rows: dict[str, list[Row]] = {}
        self.made: dict[Callable[..., Any], Any] = {}
        self.cite = Citations(self._sources())

    def rows(self, table: str) -> list[Row]:
        """Rows of a plan table (empty when it is absent)."""
        key = f"plan.{table}"
        if key not in self._rows:
            self._rows[key] = as_rows(self.plan.tables.get(table))
        return self._rows[key]

    def rows_where(self, table: str, wanted: Choice) -> list[Row]:
        """The rows of a long plan table that are ``wanted``."""
        return as_rows(self.plan.tables.get(table), wanted)

    def package(self, table: str) -> list[Row]:
        """Rows of a table of the hub package (empty when it is absent)."""
        key = f"hub.{table}"
        if key not in self._rows:
            self._rows[key] = as_rows(self.hub.tables.get(table))
        return self._rows[key]

    def package_cells(self, table: str, column: str) -> list[Any]:
        """One column of a long table of the hub package (empty when the table is absent)."""
        frame = self.hub.tables.get(table)
        return [] if frame is None or frame.empty else _cells(frame[column])

    def _sources(self) -> list[Row]:
        combined = getattr(self.hub, "sources", None)
        frame = combined() if callable(combined) else self.hub.tables.get("sources")
        return as_rows(frame)

    @cached_property
    def base_year(self) -> int:
        """The hub's base year: last inventory year, else the last past year with emissions."""
        given = self.hub.meta.get("base_year")
        if isinstance(given, int):
            return given
        past = [int(r["year"]) for r in self.rows("emissions") if r["status"] == "history"]
        return max(past, default=self.plan.scenario.as_of.year)

    @property
    def end_year(self) -> int:
        """Last year of the path."""
        return int(self.plan.scenario.end_year)

    @property
    def money_unit(self) -> str:
        """How money is labelled: ``USD of 2024``."""
        return f"USD of {self.plan.scenario.price_year}"

    @cached_property
    def gwp(self) -> str:
        """The GWP set of the hub's tonnes."""
        return str(self.hub.meta.get("gwp") or "not stated")

    @cached_property
    def facilities(self) -> dict[str, Row]:
        """Sites of the package by id."""
        return {str(row["asset_id"]): row for row in self.package("facilities")}

    @cached_property
    def scope_1(self) -> list[Row]:
        """Scope 1, included, CO2e rows of ``emissions``, with ``tonnes`` added."""
        kept = []
        for row in self.rows_where("emissions", _of_scope_1):
            factor = tonne_factor(str(row["unit"])) or 1.0
            kept.append({**row, "tonnes": float(row["value"] or 0.0) * factor})
        return kept

    @cached_property
    def base_tonnes(self) -> dict[str, tuple[int, float, str]]:
        """Site id to (year, t CO2e, source id) in the base year.

        When no site at all reports for the base year, each site's latest year before it.
        """
        table, base = self.hub.tables.get("facility_emissions"), self.base_year
        exact = as_rows(table, lambda t: t["co2e_t"].notna() & (t["year"] == base))
        found: dict[str, tuple[int, float, str]] = {}
        for row in exact or as_rows(table, lambda t: t["co2e_t"].notna() & (t["year"] < base)):
            when, site = int(row["year"]), str(row["asset_id"])
            if site not in found or when > found[site][0]:
                found[site] = (when, float(row["co2e_t"]), str(row["source_id"]))
        return found

    @cached_property
    def technology_names(self) -> Mapping[str, str]:
        """Technology id to name, when the hub carries its library."""
        library = getattr(self.hub, "library", None)
        tables = getattr(library, "tables", {})
        return {str(r["technology"]): str(r["name"]) for r in as_rows(tables.get("technologies"))}

    def technology(self, code: object) -> str:
        """A technology in words."""
        text = str(code or "")
        return self.technology_names.get(text) or labels.words(text)

    @cached_property
    def project_names(self) -> Mapping[str, str]:
        """Project id to name, of the plan's projects."""
        return {str(row["project_id"]): str(row["name"]) for row in self.rows("projects")}

    def projects_in(self, cell: object) -> list[str]:
        """The names of the projects of a ``;``-separated cell."""
        return [self.project_names.get(one, one) for one in str(cell or "").split(";") if one]

    def named(self, text: str) -> str:
        """``text`` with the names of projects where it holds their ids."""
        return _replaced(text, self.project_names)

    def with_assets(self, text: str) -> str:
        """``text`` with the names of sites and cohorts where it holds their ids."""
        sites = {one: str(row["name"]) for one, row in self.facilities.items()}
        return _replaced(text, {**self._cohorts, **sites})

    @cached_property
    def link_rows(self) -> Mapping[str, Row]:
        """Open links of the plan by id."""
        return {str(row["link_id"]): row for row in self.rows("links")}

    @cached_property
    def target_year(self) -> int:
        """Year to whose end tonnes of projects count: of the hub's last target of emissions, or the end."""
        years = [
            int(row["year"])
            for row in self.package("targets")
            if row["metric"] in ("hub_emissions", "state_emissions") and int(row["year"]) <= self.end_year
        ]
        return max(years, default=self.end_year)

    def asset(self, code: object) -> str:
        """The name of a site or cohort."""
        text = str(code or "")
        if text in self.facilities:
            return str(self.facilities[text]["name"])
        return self._cohorts.get(text) or labels.words(text)

    @cached_property
    def _cohorts(self) -> dict[str, str]:
        return {str(r["asset_id"]): str(r["name"]) for r in self.package("cohorts")}
