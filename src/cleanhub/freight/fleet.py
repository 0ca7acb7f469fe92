"""The drayage fleet: model years, sizes of firms, home charging, replacement.

The registry (``truck_registry.csv`` of a hub) holds shares by class: of trucks by model year, of
firms by the number of their trucks. Within a class of model years trucks are spread evenly;
within a class of firms sizes thin out as one over the size. A legacy truck may serve until it is
``legacy_life`` years old, or until it has gone ``legacy_distance`` if that comes first, but never less
than ``legacy_life_least`` years: rows of the hub, since they are law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.finance.truck_ownership import TruckTerms
from cleanhub.freight.figures import Figures
from cleanhub.hub.package import Hub

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

REGISTRY = "truck_registry"
SUM_MAY_BE_OFF = 0.005


@dataclass(frozen=True)
class FleetClasses:
    """Classes of firms by the number of their trucks, each shape (C,).

    ``first`` and ``last`` trucks of the class, ``firms`` share of firms, ``trucks`` share of trucks.
    """

    first: IntArray
    last: IntArray
    firms: FloatArray
    trucks: FloatArray

    @property
    def mean_size(self) -> FloatArray:
        """Mean number of trucks of a firm of each class, shape (C,)."""
        return mean_size(self.first, self.last)


def mean_size(first: IntArray, last: IntArray) -> FloatArray:
    """Mean size of firms of a class in which sizes thin out as 1/size, shape of ``first``.

    That is (b - a) / ln(b / a) between a = first - 1/2 and b = last + 1/2.
    """
    low = np.asarray(first, dtype=np.float64) - 0.5
    high = np.asarray(last, dtype=np.float64) + 0.5
    return np.asarray((high - low) / np.log(high / low), dtype=np.float64)


def fleet_classes(hub: Hub, asset_id: str) -> FleetClasses | None:
    """Firms of a cohort by size; ``None`` when the hub's registry has none.

    Raises ``InputError`` when classes overlap or shares do not sum to 1.
    """
    rows = _rows(hub, asset_id, "fleet_size")
    if rows.empty:
        return None
    first, last = rows["first"].to_numpy(np.int64), rows["last"].to_numpy(np.int64)
    firms = rows["share"].to_numpy(float)
    trucks = firms * mean_size(first, last)
    return FleetClasses(first, last, firms, trucks / trucks.sum())


def home_charging_share(hub: Hub, figures: Figures, asset_id: str = "") -> float:
    """Share of trucks whose owner can have chargers at an own yard [-].

    With a registry: trucks of firms of at least ``own_depot_fleet`` trucks (whole classes and
    the part of one that is cut, by size) times the share of their yards that suit,
    ``own_depot_share``. Without one: the row ``home_charging_share``.
    """
    classes = fleet_classes(hub, asset_id or drayage_cohort(hub))
    if classes is None:
        return figures.value("home_charging_share")
    least = figures.value("own_depot_fleet", "", "vehicle")
    low = classes.first - 0.5
    high = classes.last + 0.5
    # Trucks per class are spread evenly over size, since firms thin out as one over it.
    above = np.clip((high - np.maximum(low, least - 0.5)) / (high - low), 0.0, 1.0)
    return float(classes.trucks @ above) * figures.value("own_depot_share")


def drayage_cohort(hub: Hub) -> str:
    """The cohort whose ``duty_cycle`` is drayage; else the first of the registry; else empty."""
    cohorts = hub.tables["cohorts"]
    if "duty_cycle" in cohorts:
        found = cohorts.loc[cohorts["duty_cycle"] == "drayage", "asset_id"]
        if len(found):
            return str(found.iloc[0])
    named = hub.tables[REGISTRY]["asset_id"]
    return str(named.iloc[0]) if len(named) else ""


# ---------------------------------------------------------------- age and replacement


@dataclass(frozen=True)
class ModelYears:
    """Trucks by model year: ``year`` (M,) and ``share`` of the fleet (M,), which sums to 1."""

    year: IntArray
    share: FloatArray


def model_years(hub: Hub, asset_id: str = "") -> ModelYears | None:
    """Trucks of a cohort by model year; ``None`` when the hub's registry has none."""
    rows = _rows(hub, asset_id or drayage_cohort(hub), "model_year")
    if rows.empty:
        return None
    years, shares = [], []
    for first, last, share in zip(rows["first"], rows["last"], rows["share"], strict=True):
        mine = np.arange(int(first), int(last) + 1)
        years.append(mine)
        shares.append(np.full(len(mine), float(share) / len(mine)))
    share = np.concatenate(shares)
    return ModelYears(np.concatenate(years).astype(np.int64), share / share.sum())


def last_years(year: IntArray, figures: Figures, yearly_km: float) -> IntArray:
    """Last calendar year in which trucks of model ``year`` (M,) may serve under the legacy limits."""
    most = figures.value("legacy_life", "", "yr")
    least = figures.value("legacy_life_least", "", "yr")
    driven = figures.value("legacy_distance", "", "km") / max(yearly_km, 1e-9)
    return np.asarray(year + int(np.floor(max(least, min(most, driven)))), dtype=np.int64)


def replacements(
    hub: Hub, figures: Figures, years: IntArray, yearly_km: float, asset_id: str = ""
) -> FloatArray:
    """Share of today's trucks that leave at the end of each of ``years``, shape (T,) [-].

    Those already past their limit leave in the first year. Zeros without a registry.
    """
    fleet = model_years(hub, asset_id)
    if fleet is None:
        return np.zeros(len(years))
    leave = np.maximum(last_years(fleet.year, figures, yearly_km), int(years[0]))
    at = leave - int(years[0])
    inside = at < len(years)
    return np.asarray(np.bincount(at[inside], weights=fleet.share[inside], minlength=len(years)))


def _rows(hub: Hub, asset_id: str, counts: str) -> pd.DataFrame:
    """Rows of a cohort's registry in order, checked: no overlap, shares that sum to 1."""
    table = hub.tables[REGISTRY]
    rows = table[(table["asset_id"] == asset_id) & (table["counts"] == counts)].sort_values("first")
    if rows.empty:
        return rows
    faults = FaultList()
    file = f"{REGISTRY}.csv"
    first, last = rows["first"].to_numpy(np.int64), rows["last"].to_numpy(np.int64)
    lines = [int(str(line)) for line in rows.index]
    for k, line in enumerate(lines):
        least = 1 if counts == "fleet_size" else 0
        if last[k] < first[k] or first[k] < least:
            faults.add(
                file, line, "last", what="class ends before it begins", found=f"{first[k]} to {last[k]}"
            )
        elif k and first[k] <= last[k - 1]:
            faults.add(
                file, line, "first", what="classes overlap", found=int(first[k]), allowed=f"> {last[k - 1]}"
            )
    total = float(rows["share"].sum())
    if abs(total - 1.0) > SUM_MAY_BE_OFF:
        what = f"shares of {counts} of {asset_id} do not sum to 1"
        faults.add(file, lines[0], "share", what=what, found=round(total, 4), allowed="1")
    faults.raise_if_any("truck registry")
    return rows


# ---------------------------------------------------------------- terms of ownership


def truck_terms(
    figures: Figures,
    battery: str,
    kwh_per_mile: float | None = None,
    public_share: float | None = None,
) -> TruckTerms:
    """What drayage trucks pay beyond the library's rows.

    For :func:`~cleanhub.finance.truck_ownership.truck_cost_table`.

    Parameters
    ----------
    figures
        Rows ``battery_maintenance``, ``truck_hour_cost``, ``public_charging_share``, ``plug_power`` of public
        sites, ``charging_power_share``, ``charging_wait``, ``charging_session``, ``loaded_teu_per_mile``,
        ``voucher_fleet_size``, ``port_voucher_reach`` and ``truck_place``.
    battery
        The cohort's battery technology.
    kwh_per_mile
        Energy at the plug, for example from the tours; the library's if not given.
    public_share
        Share of the energy charged on the way, while the driver waits; the row if not given.
    """
    used = figures.value("battery_use", "", "kWh/mi") if kwh_per_mile is None else kwh_per_mile
    share = figures.value("public_charging_share") if public_share is None else public_share
    power = figures.value("plug_power", "public", "kW") * figures.value("charging_power_share")
    stops = 1.0 / figures.value("charging_session", "public", "kWh")
    hours_per_kwh = 1.0 / power + stops * figures.value("charging_wait", "", "h")
    places = tuple(figures.items("truck_place"))
    return TruckTerms(
        energy={} if kwh_per_mile is None else {battery: kwh_per_mile * factor("kWh", "MWh")},
        upkeep_usd_per_mile={battery: figures.value("battery_maintenance", "", "USD/mi")},
        waiting_hours_per_mile={battery: used * share * hours_per_kwh},
        hour_usd=figures.value("truck_hour_cost", "", "USD/h"),
        loaded_teu_per_mile=figures.value("loaded_teu_per_mile", "", "TEU/mi") if places else 0.0,
        fleet_size=figures.value("voucher_fleet_size", "", "vehicle"),
        voucher_reach=figures.value("port_voucher_reach"),
        places=places,
    )
