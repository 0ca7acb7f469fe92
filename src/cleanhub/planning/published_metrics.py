"""What a path shows for one published figure.

A figure is a row of the library's table ``published_figures``: what is measured, which
products, technologies, classes, carriers, regions or assets count, and the year. Figures are
read off plan tables (production, assets, emissions, costs, balances, fleet); nothing here
compares: see :mod:`cleanhub.planning.published`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.units import factor
from cleanhub.pathways import accounts, emissions, results
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.breakthroughs import Meter
from cleanhub.pathways.segments import Segment, build_segments
from cleanhub.pathways.unit_cost import Running, plant_costs, without_policy
from cleanhub.planning.targets import PathTables, budgets_table

ALL_SECTORS = "cross_sector"
NOTHING = (float("nan"), "")
Measured = tuple[float, str]


def listed(cell: object) -> list[str]:
    """The parts of a cell that holds several words separated by ``;``."""
    return [part.strip() for part in str(cell).split(";") if part.strip()]


class PathMetrics:
    """Reads published metrics off one path. Tables are built when first needed."""

    def __init__(self, pathway: Pathway) -> None:
        self.pathway = pathway
        self.tech = pathway.tech

    @cached_property
    def production(self) -> pd.DataFrame:
        """Plan table ``production``."""
        return results.production_table(self.pathway)

    @cached_property
    def assets(self) -> pd.DataFrame:
        """Plan table ``assets``."""
        return results.assets_table(self.pathway)

    @cached_property
    def emissions(self) -> pd.DataFrame:
        """Plan table ``emissions``, cut to what the inventory includes in scope 1."""
        rows = emissions.emissions_table(self.pathway)
        return rows[(rows["scope"] == 1) & (rows["boundary"] == "included") & (rows["gas"] == "co2e")]

    @cached_property
    def costs(self) -> pd.DataFrame:
        """Plan table ``costs``, cut to capital."""
        rows = accounts.costs_table(self.pathway)
        return rows[rows["item"] == "capital"]

    @cached_property
    def balances(self) -> pd.DataFrame:
        """Plan table ``balances``."""
        return accounts.balances_table(self.pathway)

    @cached_property
    def truck_fleet(self) -> pd.DataFrame:
        """Plan table ``truck_fleet``."""
        return results.truck_fleet_table(self.pathway)

    @cached_property
    def budgets(self) -> pd.DataFrame:
        """Plan table ``budgets``."""
        zero = frozenset(self.tech.names[self.tech.is_vehicle & (self.tech.direct <= 0)])
        tables = PathTables(
            emissions.emissions_table(self.pathway),
            self.assets,
            pd.DataFrame(),
            self.truck_fleet,
            self.pathway.drivers,
            zero,
        )
        return budgets_table(self.pathway.hub, self.pathway.scenario, tables)

    def measure(self, figure: pd.Series) -> Measured:
        """What the path shows for ``figure`` and its unit; NaN when it shows nothing of the kind.

        Raises ``KeyError`` for a metric that nobody measures.
        """
        metrics: dict[str, Callable[[pd.Series], Measured]] = {
            "production": self._production,
            "net_production": self._net_production,
            "production_share": self._production_share,
            "production_change": self._production_change,
            "plants": self._plants,
            "sites": self._sites,
            "capacity": self._capacity,
            "sector_emissions": self._sector_emissions,
            "asset_emissions": self._asset_emissions,
            "emission_cut": self._emission_cut,
            "intensity": self._intensity,
            "intensity_change": self._intensity_change,
            "cumulative_emissions": self._cumulative_emissions,
            "budget": self._budget,
            "captured": self._captured,
            "capture_share": self._capture_share,
            "energy": self._energy,
            "energy_share": self._energy_share,
            "purchases": self._purchases,
            "sales_share": self._sales_share,
            "parity_year": self._parity_year,
            "investment": self._investment,
            "yearly_investment": self._yearly_investment,
            "cost_premium": self._cost_premium,
            "learning_rate": self._learning_rate,
        }
        return metrics[str(figure["metric"])](figure)

    # ------------------------------------------------------------ what counts

    def counted(self, figure: pd.Series) -> NDArray[np.bool_]:
        """Technologies that the figure counts, (K,)."""
        library = self.pathway.hub.library.tables["technologies"]
        mask = np.ones(len(self.tech.names), dtype=bool)
        if figure["sector"] not in ("", ALL_SECTORS):
            mask &= self.tech.sector == figure["sector"]
        if figure["product"]:
            mask &= self.tech.product == figure["product"]
        if figure["technology"]:
            mask &= np.isin(self.tech.names, listed(figure["technology"]))
        if figure["classification"]:
            of_class = library["classification"].isin(listed(figure["classification"]))
            mask &= np.isin(self.tech.names, library.loc[of_class, "technology"].to_numpy(object))
        return mask

    def _made(self, figure: pd.Series, year: int, of_all: bool = False) -> pd.DataFrame:
        """Rows of table ``production`` in ``year``; ``of_all``: by any technology of the product."""
        rows = self.production[self.production["year"] == year]
        if figure["region"]:
            rows = rows[rows["region"].isin(listed(figure["region"]))]
        chosen = figure.copy()
        if of_all:
            chosen["technology"] = chosen["classification"] = ""
        return rows[rows["technology"].isin(self.tech.names[self.counted(chosen)])]

    def _own_assets(self, figure: pd.Series, year: int) -> pd.DataFrame:
        rows = self.assets[self.assets["year"] == year]
        if figure["asset_id"]:
            return rows[rows["asset_id"].isin(listed(figure["asset_id"]))]
        if figure["sector"] not in ("", ALL_SECTORS):
            rows = rows[rows["sector"] == figure["sector"]]
        if figure["product"] or figure["technology"] or figure["classification"]:
            rows = rows[rows["technology"].isin(self.tech.names[self.counted(figure)])]
        return rows

    def _fleet(self, figure: pd.Series) -> pd.DataFrame:
        rows = self.truck_fleet
        if figure["asset_id"]:
            rows = rows[rows["class"].isin(listed(figure["asset_id"]))]
        return rows

    # ------------------------------------------------------------ what is made

    def _production(self, figure: pd.Series) -> Measured:
        rows = self._made(figure, int(figure["year"]))
        return (float(rows["production"].sum()), str(rows["unit"].iloc[0])) if len(rows) else NOTHING

    def _net_production(self, figure: pd.Series) -> Measured:
        """Made, less what the hub's own assets use of it (only for products that are carriers too)."""
        made, unit = self._production(figure)
        rows = self.balances
        rows = rows[(rows["year"] == figure["year"]) & rows["carrier"].isin(listed(figure["carrier"]))]
        used = rows[rows["item"] == "use"]
        amounts = [float(row["value"]) * factor(str(row["unit"]), unit) for _, row in used.iterrows()]
        return made - sum(amounts), unit

    def _production_share(self, figure: pd.Series) -> Measured:
        year = int(figure["year"])
        total = float(self._made(figure, year, of_all=True)["production"].sum())
        part = float(self._made(figure, year)["production"].sum())
        return (part / total * 100.0, "%") if total > 0 else NOTHING

    def _production_change(self, figure: pd.Series) -> Measured:
        now = float(self._made(figure, int(figure["year"]))["production"].sum())
        then = float(self._made(figure, int(figure["base_year"]))["production"].sum())
        return ((now / then - 1.0) * 100.0, "%") if then > 0 else NOTHING

    def _plants(self, figure: pd.Series) -> Measured:
        if figure["asset_id"]:
            rows = self._fleet(figure)
            return float(rows.loc[rows["year"] == figure["year"], "trucks"].sum()), "vehicle"
        unit = "vehicle" if self.tech.is_vehicle[self.counted(figure)].any() else "1"
        return float(self._made(figure, int(figure["year"]))["plants"].sum()), unit

    def _sites(self, figure: pd.Series) -> Measured:
        rows = self.pathway.hub.tables["facilities"]
        rows = rows[rows["sector"] == figure["sector"]]
        return float((rows["product"] == figure["product"]).sum() if figure["product"] else len(rows)), "1"

    def _capacity(self, figure: pd.Series) -> Measured:
        rows = self._made(figure, int(figure["year"]))
        return (float(rows["capacity"].sum()), str(rows["unit"].iloc[0])) if len(rows) else (0.0, "")

    # ------------------------------------------------------------ what is emitted

    def _sector_emissions(self, figure: pd.Series) -> Measured:
        rows = self.emissions[self.emissions["year"] == figure["year"]]
        if figure["sector"] not in ("", ALL_SECTORS):
            rows = rows[rows["sector"] == figure["sector"]]
        return (float(rows["value"].sum()), "t CO2e/yr") if len(rows) else NOTHING

    def _asset_emissions(self, figure: pd.Series) -> Measured:
        rows = self._own_assets(figure, int(figure["year"]))
        return (float(rows["co2e_t"].sum()), "t CO2e/yr") if len(rows) else NOTHING

    def _emission_cut(self, figure: pd.Series) -> Measured:
        now, _ = self._asset_emissions(figure)
        then = float(self._own_assets(figure, int(figure["base_year"]))["co2e_t"].sum())
        return ((1.0 - now / then) * 100.0, "%") if then > 0 else NOTHING

    def _tonnes_per_unit(self, figure: pd.Series, year: int) -> Measured:
        rows = self._own_assets(figure, year)
        rows = rows[rows["production"] > 0]
        if rows.empty:
            return NOTHING
        unit = str(rows["unit"].iloc[0]).removesuffix("/yr")
        return float(rows["co2e_t"].sum() / rows["production"].sum()), f"t CO2e/({unit})"

    def _intensity(self, figure: pd.Series) -> Measured:
        return self._tonnes_per_unit(figure, int(figure["year"]))

    def _intensity_change(self, figure: pd.Series) -> Measured:
        now, _ = self._tonnes_per_unit(figure, int(figure["year"]))
        then, _ = self._tonnes_per_unit(figure, int(figure["base_year"]))
        return ((now / then - 1.0) * 100.0, "%") if then > 0 else NOTHING

    def _cumulative_emissions(self, figure: pd.Series) -> Measured:
        years = range(int(figure["base_year"]), int(figure["year"]) + 1)
        rows = self.assets[self.assets["year"].isin(years) & (self.assets["sector"] == figure["sector"])]
        return (float(rows["co2e_t"].sum()), "t CO2e") if len(rows) else NOTHING

    def _budget(self, figure: pd.Series) -> Measured:
        rows = self.budgets[self.budgets["sector"] == figure["sector"]]
        return (float(rows["budget"].iloc[0]), str(rows["unit"].iloc[0])) if len(rows) else NOTHING

    def _captured(self, figure: pd.Series) -> Measured:
        return float(self._own_assets(figure, int(figure["year"]))["captured_t"].sum()), "t/yr"

    def _capture_share(self, figure: pd.Series) -> Measured:
        """CO2 captured over the cut against the base year's intensity, at the year's output.

        Capture that burns more fuel than before catches that too: the share can exceed what it saves.
        """
        year = int(figure["year"])
        then, _ = self._tonnes_per_unit(figure, int(figure["base_year"]))
        rows = self._own_assets(figure, year)
        saved = then * float(rows["production"].sum()) - float(rows["co2e_t"].sum())
        return (float(rows["captured_t"].sum()) / saved * 100.0, "%") if saved > 0 else NOTHING

    # ------------------------------------------------------------ energy

    def _energy(self, figure: pd.Series) -> Measured:
        """Carriers used by what counts, in the figure's unit. ``ValueError`` if one cannot be in it."""
        rows, wanted = self._made(figure, int(figure["year"])), str(figure["unit"])
        made = np.zeros(len(self.tech.names))
        for name, amount in rows.groupby("technology")["production"].sum().items():
            made[self.tech.find(str(name))] = float(amount)
        use = made @ self.tech.inputs
        carriers = np.isin(self.tech.carriers, listed(figure["carrier"]))
        total = 0.0
        for c in np.flatnonzero(carriers & (use > 0)):
            total += float(use[c]) * factor(f"{self.tech.carrier_units[c]}/yr", wanted)
        return total, wanted

    def _energy_share(self, figure: pd.Series) -> Measured:
        found = Meter(self.pathway).measure(figure)
        at = int(figure["year"]) - int(self.pathway.years[0])
        return (float(found.values[at]), found.unit) if found.unit else NOTHING

    # ------------------------------------------------------------ vehicles

    def _purchases(self, figure: pd.Series) -> Measured:
        rows = self._fleet(figure)
        return float(rows.loc[rows["year"] == figure["year"], "purchases"].sum()), "vehicle/yr"

    def _sales_share(self, figure: pd.Series) -> Measured:
        rows = self._fleet(figure)
        rows = rows[rows["year"] == figure["year"]]
        total = float(rows["purchases"].sum())
        mine = rows["powertrain"].isin(self.tech.names[self.counted(figure)])
        return (float(rows.loc[mine, "purchases"].sum()) / total * 100.0, "%") if total > 0 else NOTHING

    def _parity_year(self, figure: pd.Series) -> Measured:
        """First year in which classes with half of the trucks have a counted one that costs no more."""
        rows, names = self._fleet(figure), self.tech.names[self.counted(figure)]
        first = int(rows["year"].min()) if len(rows) else 0
        found: list[tuple[float, float]] = []
        for _, group in rows.groupby("class"):
            start = group[group["year"] == first]
            own = str(start["powertrain"].iloc[int(start["trucks"].argmax())])
            cost = group.pivot_table(index="year", columns="powertrain", values="tco_usd_per_mile")
            clean = cost[[name for name in cost if name in set(names)]].min(axis=1)
            met = cost.index[clean <= cost[own]]
            found.append((float(met[0]) if len(met) else np.inf, float(start["trucks"].sum())))
        if not found:
            return NOTHING
        years, trucks = (np.array(part) for part in zip(*sorted(found), strict=True))
        half = years[int(np.searchsorted(np.cumsum(trucks), 0.5 * trucks.sum()))]
        return (float(half), "yr") if np.isfinite(half) else NOTHING

    # ------------------------------------------------------------ money

    def _investment(self, figure: pd.Series) -> Measured:
        """Capital of plants and vehicles from the base year on, the figure's year included."""
        years = self.pathway.years
        inside = (years >= int(figure["base_year"])) & (years <= int(figure["year"]))
        if figure["product"]:
            path = self.pathway.walked
            mine = self.pathway.problem.markets.product[path.market] == figure["product"]
            return float(path.capex[mine][:, inside].sum()), "USD"
        rows = self.costs[self.costs["year"].isin(years[inside])]
        return float(rows.loc[rows["sector"] == figure["sector"], "value_usd"].sum()), "USD"

    def _yearly_investment(self, figure: pd.Series) -> Measured:
        total, _ = self._investment(figure)
        return total / (int(figure["year"]) - int(figure["base_year"]) + 1), "USD/yr"

    def _cost_premium(self, figure: pd.Series) -> Measured:
        """Cheapest counted technology over the region's incumbent, both new, without policy.

        The mean over regions, weighted by demand of the year.
        """
        problem, counted = self.pathway.problem, self.counted(figure)
        t = int(figure["year"]) - int(self.pathway.years[0])
        pairs = [
            (self._premium(segment, counted, t), float(problem.markets.demand[segment.markets, t].sum()))
            for segment in build_segments(problem)
            if segment.product == figure["product"] and not segment.is_vehicles and segment.incumbent >= 0
        ]
        known = [(value, weight) for value, weight in pairs if np.isfinite(value)]
        total = sum(weight for _, weight in known)
        return (sum(v * w for v, w in known) / total * 100.0, "%") if total > 0 else NOTHING

    def _premium(self, segment: Segment, counted: NDArray[np.bool_], t: int) -> float:
        problem, g = self.pathway.problem, segment.region
        cost = plant_costs(problem, self._bare, self.pathway.walked.multiplier, g, segment.load).new[:, t]
        ready = counted & (problem.years[t] >= self.tech.earliest) & problem.costs.priced[g]
        return float(cost[ready].min() / cost[segment.incumbent] - 1.0) if ready.any() else float("nan")

    @cached_property
    def _bare(self) -> Running:
        return without_policy(self.pathway.problem)

    def _learning_rate(self, figure: pd.Series) -> Measured:
        rows = self.pathway.hub.library.tables["components"]
        rows = rows[rows["component"] == figure["component"]]
        return (float(rows["value"].iloc[0]), "1") if len(rows) else NOTHING
