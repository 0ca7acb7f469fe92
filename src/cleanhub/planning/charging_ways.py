"""Ways to charge at the sites of a plan: at once, at the best hours, with panels and storage of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.freight.case import FreightCase
from cleanhub.freight.charging_schedule import Schedule, charge_at_once, substation_load
from cleanhub.freight.problem import FloatArray, SitingPlan
from cleanhub.freight.serve import power_and_tariffs, room_kw, schedule_of, windows_of
from cleanhub.freight.site_power import grid_carbon, site_options

AT_ONCE, BEST_HOURS, OWN_POWER = "at once", "best hours", "own power"


@dataclass(frozen=True)
class OwnPower:
    """What each site that is used may build at most: panels [kW] and storage [kWh]."""

    panels_kw: float = 0.0
    storage_kwh: float = 0.0


def charging_ways(case: FreightCase, plan: SitingPlan, own: OwnPower | None = None) -> pd.DataFrame:
    """The last year's charging in two or three ways, a row for each.

    ``at once``: full power from arrival on. ``best hours``: between arrival and departure at least cost
    within what substations can serve, as the plan has it. ``own power``: the same where sites
    may build ``own``, as far as that pays.

    Columns: ``way``; ``usd_per_year`` of energy, demand and customer charges and of panels and storage, and
    ``usd_per_kwh`` of it, capital of the sites aside; ``peak_kw`` of all sites together; ``over_room_kw``,
    by how much the load of substations is above what they can serve, summed; ``unserved_kwh_per_year``;
    ``co2_t_per_year`` of the grid's power by the hour; ``panels_kw`` and ``storage_kwh`` built.
    """
    t = len(plan.problem.years) - 1
    power, tariffs = power_and_tariffs(case, plan, t)
    carbon = grid_carbon(case.hub, int(plan.problem.years[t]), case.drivers)
    windows = windows_of(case, plan, t)
    found = {
        AT_ONCE: charge_at_once(windows, power, tariffs, case.working_days, carbon=carbon),
        BEST_HOURS: schedule_of(case, plan, t, carbon=carbon),
    }
    if own is not None:
        used, rate = np.where(power > 0, 1.0, 0.0), plan.problem.discount_rate
        options = site_options(used * own.panels_kw, used * own.storage_kwh, case.figures, rate)
        found[OWN_POWER] = schedule_of(case, plan, t, options, carbon)
    room = room_kw(plan)[:, t]
    return pd.DataFrame([_row(way, one, case, room) for way, one in found.items()])


def _row(way: str, found: Schedule, case: FreightCase, room: FloatArray) -> dict[str, object]:
    usd = found.energy_usd + found.demand_usd + found.fixed_usd + found.equipment_usd
    kwh = float(found.kwh_per_year.sum())
    load = substation_load(found.grid, case.sites.substation, len(room)).max(axis=(1, 2, 3))
    return {
        "way": way,
        "usd_per_year": float(usd.sum()),
        "usd_per_kwh": float(usd.sum()) / kwh if kwh else float("nan"),
        "peak_kw": float(found.grid.sum(axis=0).max()),
        "over_room_kw": float(np.maximum(load - room, 0.0).sum()),
        "unserved_kwh_per_year": float(found.unserved_kwh.sum()),
        "co2_t_per_year": float(found.co2_t.sum()),
        "panels_kw": float(found.solar_kw.sum()),
        "storage_kwh": float(found.storage_kwh.sum()),
    }
