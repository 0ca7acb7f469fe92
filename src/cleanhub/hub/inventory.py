"""Past emissions: the published inventory split into sites, cohorts and rest.

Sites keep their reported tonnes. Cohorts carry their share of an inventory category. The
rest is what each line of the inventory holds beyond them; where the sites of a branch
exceed its line (inventories book cogeneration apart from its plant), the excess is taken
out of the other lines of the same top-level sector, in proportion, so that the sum of a
top-level sector never changes and its rest is never negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.hub.package import Hub
from cleanhub.hub.series import sum_by

BRANCH = ["inventory_sector", "sector"]


@dataclass(frozen=True)
class History:
    """Past emissions of a hub, made once for all that stand on them.

    ``sites``, ``cohorts``, ``rest`` and ``beside`` are what :func:`site_history`, :func:`cohort_history`,
    :func:`rest_history` and :func:`beside_total` give.
    """

    sites: pd.DataFrame
    cohorts: pd.DataFrame
    rest: pd.DataFrame
    beside: pd.DataFrame


def read_history(hub: Hub) -> History:
    """The past emissions of ``hub`` [t CO2e] by site, cohort and rest, and what stands beside its total."""
    sites, cohorts = site_history(hub), cohort_history(hub)
    return History(sites, cohorts, _rest(hub, sites, cohorts), beside_total(hub))


def site_history(hub: Hub) -> pd.DataFrame:
    """Reported tonnes of listed sites: asset_id, inventory_sector, sector, year, co2e_t, confidence.

    Rows of sites that the facilities table does not hold are left out.
    """
    sites = hub.tables["facilities"][["asset_id", *BRANCH]]
    reported = hub.tables["facility_emissions"]
    reported = reported[reported["year"].notna() & (reported["asset_id"] != "")]
    rows = reported.merge(sites, on="asset_id", how="inner")
    rows = sum_by(rows, ["asset_id", *BRANCH, "year"], "co2e_t")
    rows["year"] = rows["year"].astype(int)
    return rows


def cohort_history(hub: Hub) -> pd.DataFrame:
    """Tonnes of every cohort class by inventory year; same columns as :func:`site_history`."""
    inventory = _included(hub)
    lines = inventory.groupby(["inventory_sector", "category", "year"], as_index=False)["co2e_t"].sum()
    cohorts = hub.tables["cohorts"]
    rows = cohorts[["asset_id", *BRANCH, "category", "category_share", "confidence"]].merge(
        lines, on=["inventory_sector", "category"], how="inner"
    )
    rows["co2e_t"] = rows["co2e_t"] * rows["category_share"]
    return rows[["asset_id", *BRANCH, "year", "co2e_t", "confidence"]].reset_index(drop=True)


def rest_history(hub: Hub) -> pd.DataFrame:
    """The rest by branch and year: inventory_sector, sector, year, co2e_t, overrun_t, confidence."""
    return read_history(hub).rest


def _rest(hub: Hub, sites: pd.DataFrame, cohorts: pd.DataFrame) -> pd.DataFrame:
    lines = _included(hub).groupby([*BRANCH, "year"])["co2e_t"].sum()
    held = pd.concat([sites, cohorts])
    held = held[held["year"].isin(set(lines.index.get_level_values("year")))]
    taken = held.groupby([*BRANCH, "year"])["co2e_t"].sum()
    rest = lines.sub(taken, fill_value=0.0).rename("co2e_t").reset_index()
    group = rest.groupby(["inventory_sector", "year"])["co2e_t"]
    positive = rest["co2e_t"].clip(lower=0.0)
    excess = (
        -rest["co2e_t"].clip(upper=0.0).groupby([rest["inventory_sector"], rest["year"]]).transform("sum")
    )
    room = positive.groupby([rest["inventory_sector"], rest["year"]]).transform("sum")
    share = np.where(room > 0, positive / room.where(room > 0, 1.0), 0.0)
    rest["co2e_t"] = np.maximum(positive - excess * share, 0.0)
    rest["overrun_t"] = np.maximum(-group.transform("sum"), 0.0) if len(rest) else 0.0
    rest["confidence"] = "derived"
    rest["year"] = rest["year"].astype(int)
    return rest


def beside_total(hub: Hub) -> pd.DataFrame:
    """Excluded and biogenic lines by branch and year, with their boundary."""
    inventory = hub.tables["inventory"]
    rows = inventory[(inventory["boundary"] != "included") & inventory["year"].notna()]
    rows = rows.groupby([*BRANCH, "boundary", "year"], as_index=False)[["co2e_t"]].sum()
    rows["year"] = rows["year"].astype(int)
    rows["confidence"] = "seen"
    return rows


def inventory_total(hub: Hub, year: int) -> float:
    """Included CO2-equivalent tonnes of the published inventory in ``year``."""
    rows = _included(hub)
    return float(rows.loc[rows["year"] == year, "co2e_t"].sum())


def scope_pairs(hub: Hub) -> set[tuple[str, str]]:
    """The branches that the hub's programme covers."""
    branches = hub.tables["branches"]
    inside = branches[branches["hub_scope"].fillna(False).astype(bool)]
    return set(zip(inside["inventory_sector"], inside["sector"], strict=True))


def branch_drivers(hub: Hub) -> dict[tuple[str, str], str]:
    """Name of the driver that moves each branch, by (inventory_sector, sector); empty where it has none."""
    branches = hub.tables["branches"]
    pairs = zip(branches["inventory_sector"], branches["sector"], strict=True)
    return dict(zip(pairs, branches["driver"].astype(str), strict=True))


def _included(hub: Hub) -> pd.DataFrame:
    inventory = hub.tables["inventory"]
    rows = inventory[(inventory["boundary"] == "included") & inventory["year"].notna()].copy()
    rows["year"] = rows["year"].astype(int)
    return rows
