"""Milestones that the sectors' programmes have set, and what the path shows in their year.

The milestones are rows of the library (table ``breakthroughs``): what is measured, which
technologies, carriers or component count, the figure and the year. A figure for the whole
world (plants, vehicles, capacity) is measured on any hub and judged only on one that covers it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.units import factor
from cleanhub.hub.series import weakest
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.unit_cost import plant_costs, with_policy

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

AT_MOST = frozenset({"intensity_change", "cost"})
"""Metrics that meet a milestone from above."""
OF_THE_WORLD = frozenset({"plants", "vehicles", "capacity"})
"""Metrics whose milestone is a figure for the world."""
ALL_SECTORS = "cross_sector"


@dataclass(frozen=True)
class Measured:
    """What the path shows by year (T,), its unit, and why it shows nothing (empty: it does)."""

    values: FloatArray
    unit: str
    why_not: str = ""


def milestone_rows(pathway: Pathway) -> list[dict[str, object]]:
    """One row of table ``tipping_points`` for each breakthrough of a sector that the hub has."""
    meter = Meter(pathway)
    rows = []
    for _, line in pathway.hub.library.tables["breakthroughs"].iterrows():
        if line["sector"] in meter.sectors or line["sector"] == ALL_SECTORS:
            rows.append(_row(pathway, line, meter.measure(line)))
    return rows


def _row(pathway: Pathway, line: pd.Series, found: Measured) -> dict[str, object]:
    years, due, wanted = pathway.years, int(line["year"]), float(line["value"])
    values, notes = found.values, [str(line["name"])]
    if found.unit and np.isfinite(values).any():
        values = values * factor(found.unit, str(line["unit"]))
    inside = int(years[0]) <= due <= int(years[-1])
    slack = 1e-9 * max(abs(wanted), 1.0)
    reached = values <= wanted + slack if line["metric"] in AT_MOST else values >= wanted - slack
    reached = reached & np.isfinite(values)
    at = int(np.argmax(reached)) if reached.any() else -1
    whole = pathway.hub.meta.get("covers") == "world" or line["metric"] not in OF_THE_WORLD
    value = float(values[due - int(years[0])]) if inside else float("nan")
    met = ""
    if found.why_not:
        notes.append(found.why_not)
    elif not inside:
        notes.append("due outside the years of the path")
    elif not whole:
        notes.append("a figure for the world, of which the hub is a part: not judged")
    elif np.isfinite(value):
        met = "yes" if reached[due - int(years[0])] else "no"
        notes.append(_slack(due, int(years[at]) if at >= 0 else None))
    return {
        "sector": line["sector"],
        "product": line["product"],
        "region": "",
        "technology": "",
        "against": "",
        "kind": "milestone",
        "milestone": line["breakthrough"],
        "year": int(years[at]) if at >= 0 and whole else pd.NA,
        "due": due,
        "met": met,
        "lasts": "" if at < 0 or not whole else "yes" if reached[at:].all() else "no",
        "value": value,
        "unit": line["unit"],
        "threshold": wanted,
        "source": line["source_id"],
        "confidence": weakest([str(line["confidence"]), "derived"]),
        "note": "; ".join([*notes, *([str(line["note"])] if line["note"] else [])]),
    }


def _slack(due: int, reached: int | None) -> str:
    if reached is None:
        return "not on this path"
    if reached == due:
        return "reached in the year it is due"
    years = abs(reached - due)
    return f"reached {years} year{'s' if years > 1 else ''} {'early' if reached < due else 'late'}"


class Meter:
    """Reads metrics off a path; every one is a series by year."""

    def __init__(self, pathway: Pathway) -> None:
        self.pathway = pathway
        self.tech = pathway.tech
        self.path = pathway.walked
        library = pathway.hub.library.tables
        self.classes = library["technologies"]["classification"].to_numpy(object)
        self.heating = dict(
            zip(library["heating_values"]["carrier"], library["heating_values"]["value"], strict=True)
        )
        problem = pathway.problem
        self.sectors = {str(one) for one in problem.markets.sector} | {cls.sector for cls in problem.vehicles}
        self.made = self._sum_by_technology(self.path.production)
        for cls in self.path.vehicles:
            np.add.at(self.made, cls.options, cls.distance)

    def _sum_by_technology(self, amount: FloatArray) -> FloatArray:
        """Amounts by row and year (R, T) summed to (K, T)."""
        row, t, cell = self._standing
        shape = (len(self.tech.names), len(self.pathway.years))
        total = np.bincount(cell, amount[row, t], shape[0] * shape[1])
        return np.asarray(total, dtype=np.float64).reshape(shape)

    @cached_property
    def _standing(self) -> tuple[IntArray, IntArray, IntArray]:
        """Row and year of every plant that stands, and its place in (K, T)."""
        row, t = np.nonzero((self.path.run >= 0) & (self.path.capacity > 0))
        return row, t, self.path.run[row, t] * len(self.pathway.years) + t

    def measure(self, line: pd.Series) -> Measured:
        """The series of the line's metric."""
        metrics: dict[str, Callable[[pd.Series], Measured]] = {
            "production_share": self._production_share,
            "sales_share": self._sales_share,
            "energy_share": self._energy_share,
            "plants": self._plants,
            "vehicles": self._vehicles,
            "capacity": self._capacity,
            "intensity_change": self._intensity_change,
            "cost": self._cost,
        }
        return metrics[str(line["metric"])](line)

    def counted(self, line: pd.Series) -> BoolArray:
        """Technologies that the line counts, (K,)."""
        mask = np.ones(len(self.tech.names), dtype=bool)
        if line["sector"] != ALL_SECTORS:
            mask &= self.tech.sector == line["sector"]
        if line["product"]:
            mask &= self.tech.product == line["product"]
        if line["technology"]:
            mask &= np.isin(self.tech.names, _listed(line["technology"]))
        if line["classification"]:
            mask &= np.isin(self.classes, _listed(line["classification"]))
        return mask

    def _nothing(self, why: str) -> Measured:
        return Measured(np.full(len(self.pathway.years), np.nan), "", why)

    def _share(self, part: FloatArray, whole: FloatArray, why: str) -> Measured:
        if not (whole > 0).any():
            return self._nothing(why)
        share = np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)
        return Measured(share * 100.0, "%")

    def _production_share(self, line: pd.Series) -> Measured:
        all_of_it = (self.tech.sector == line["sector"]) & (self.tech.product == line["product"])
        part = self.made[self.counted(line) & all_of_it].sum(axis=0)
        return self._share(part, self.made[all_of_it].sum(axis=0), "the hub does not make the product")

    def _sales_share(self, line: pd.Series) -> Measured:
        counted = self.counted(line)
        part = np.zeros(len(self.pathway.years))
        whole = np.zeros(len(self.pathway.years))
        for cls in self.path.vehicles:
            of_product = str(self.tech.product[cls.options[0]]) == line["product"] or not line["product"]
            if cls.sector == line["sector"] and of_product:
                part += cls.bought[counted[cls.options]].sum(axis=0)
                whole += cls.bought.sum(axis=0)
        return self._share(part, whole, "the hub has no such vehicles")

    def _energy_share(self, line: pd.Series) -> Measured:
        content = np.array([self._content(c) for c in range(len(self.tech.carriers))])
        mine = np.array([cls.sector == line["sector"] for cls in self.path.vehicles], dtype=bool)
        used = np.zeros((len(self.tech.carriers), len(self.pathway.years)))
        for v in np.flatnonzero(mine):
            cls = self.path.vehicles[v]
            used += self.tech.inputs[cls.options].T @ cls.distance
        if not mine.any():
            own = self.tech.sector == line["sector"]
            used = self.tech.inputs[own].T @ self.made[own]
        energy = used * content[:, None]
        counted = np.isin(self.tech.carriers, _listed(line["carrier"]))
        return self._share(energy[counted].sum(axis=0), energy.sum(axis=0), "the hub uses no such energy")

    def _content(self, c: int) -> float:
        """Energy of a carrier [GJ per unit]; 0 for what is no fuel."""
        try:
            return factor(str(self.tech.carrier_units[c]), "GJ")
        except ValueError:
            return float(self.heating.get(self.tech.carriers[c], 0.0))

    def _plants(self, line: pd.Series) -> Measured:
        counted = self.counted(line) & ~self.tech.is_vehicle
        path = self.path
        size = self.pathway.problem.plants.capacity
        first = size[np.maximum(path.plant, 0)] if len(size) else np.zeros(len(path.plant))
        whole = np.where(path.plant >= 0, first, path.capacity.max(axis=1, initial=0.0))[:, None]
        held = np.divide(path.capacity, whole, out=np.zeros_like(path.capacity), where=whole > 0)
        number = self._sum_by_technology(held)[counted].sum(axis=0)
        return Measured(number, "1")

    def _vehicles(self, line: pd.Series) -> Measured:
        counted = self.counted(line)
        number = np.zeros(len(self.pathway.years))
        for cls in self.path.vehicles:
            if cls.sector == line["sector"]:
                number += cls.vehicles[counted[cls.options]].sum(axis=0)
        return Measured(number, "vehicle")

    def _capacity(self, line: pd.Series) -> Measured:
        components = self.pathway.hub.library.tables["components"].set_index("component")
        learning = self.pathway.problem.learning
        where = np.flatnonzero(learning.names == line["component"])
        if not len(where):
            return self._nothing("the library has no such component")
        amount = learning.amount[:, where[0]]
        total = amount @ self._sum_by_technology(self.path.capacity)
        for cls in self.path.vehicles:
            total = total + amount[cls.options] @ cls.vehicles
        return Measured(np.asarray(total), str(components.loc[line["component"], "unit"]))

    def _intensity_change(self, line: pd.Series) -> Measured:
        mine = self.tech.product == line["product"]
        tonnes = self._sum_by_technology(self.path.emissions)[mine].sum(axis=0)
        made = self.made[mine].sum(axis=0)
        if made[0] <= 0 or tonnes[0] <= 0:
            return self._nothing("the hub does not make the product")
        intensity = np.divide(tonnes, made, out=np.full_like(made, np.nan), where=made > 0)
        return Measured((intensity / intensity[0] - 1.0) * 100.0, "%")

    def _cost(self, line: pd.Series) -> Measured:
        """Least full cost of a new plant among the regions, credits taken off."""
        problem, counted = self.pathway.problem, self.counted(line)
        ready = counted[:, None] & (problem.years >= self.tech.earliest[:, None])
        best = np.full(len(problem.years), np.inf)
        runs_at = problem.markets.high[
            problem.markets.meets_demand & (problem.markets.product == line["product"])
        ]
        load = float(runs_at.max(initial=0.0)) or 1.0
        for g in range(len(problem.regions)):
            full = plant_costs(problem, with_policy(problem), self.path.multiplier, g, load).new
            open_to = ready & problem.costs.priced[g][:, None]
            best = np.minimum(best, np.where(open_to, full, np.inf).min(axis=0))
        if not np.isfinite(best).any():
            return self._nothing("the hub has no price for what it uses")
        values = np.where(np.isfinite(best), best, np.nan)
        return Measured(values, f"USD/({self.tech.unit[np.flatnonzero(counted)[0]]})")


def _listed(cell: object) -> list[str]:
    return [part.strip() for part in str(cell).split(";") if part.strip()]
