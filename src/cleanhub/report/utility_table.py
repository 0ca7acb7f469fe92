"""The table to mail to the utility: load of charging by substation and year, its hours, and the works.

It is read from the plan tables ``site_load``, ``grid_upgrades`` and ``chargers`` and written as
``grid_works.csv`` beside the blueprint, so that nobody needs a reader of Parquet. Figures are rounded
to what the inputs bear: power to 0.1 MW, money to 0.1 million.
"""

from __future__ import annotations

import csv
import io

from cleanhub.hub.series import weakest
from cleanhub.report import charging
from cleanhub.report.context import Context, Row

FILE = "grid_works.csv"
HOURS = 24
_ABOUT_LOAD = ("substation", "name", "utility", "lat", "lon", "year", "peak_mw", "hour_of_peak", "sites_open")
_ABOUT_WORKS = ("works", "works_add_mw", "start", "ready", "headroom_mw", "headroom_confidence")


def utility_csv(context: Context) -> str:
    """Load and works as CSV with a heading, a row for each substation and year that has either.

    A row holds the load of a working day in that year (``peak_mw`` in ``hour_of_peak``, local time, then
    all 24 hours, ``mw_00`` from midnight to 1:00) and the works that must serve from that year on, each in
    one row only, so that works and costs add up over the rows; loads do not, since substations peak at
    different hours. ``cost_million_usd_YYYY`` names its price year. Years between two rows are not
    decided by the plan. ``load_confidence`` is the weakest of the sites behind the substation.
    """
    hours = _hourly(context)
    works = _works_by_year(context, sorted({year for _, year in hours}))
    names, places = charging.substation_names(context), _places(context)
    price = f"cost_million_usd_{context.plan.scenario.price_year}"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [*_ABOUT_LOAD, *_ABOUT_WORKS, price, "load_confidence", *(f"mw_{hour:02d}" for hour in range(HOURS))]
    )
    for code, year in sorted({*hours, *works}, key=lambda one: (charging.substation(names, one[0]), *one)):
        load = hours.get((code, year))
        mine = works.get((code, year), [])
        lat, lon, operator = places.get(code, ("", "", ""))
        utility = str(mine[0]["utility"] or "") if mine else operator
        behind = [site.row for site in charging.sites(context) if str(site.row["substation"]) == code]
        standing = [row for row in behind if int(row["year_energised"]) <= year]
        about = [code, charging.substation(names, code), utility]
        writer.writerow(
            [*map(_plain, about), lat, lon, year, *_peak(load), len(standing)]
            + _works_cells(mine)
            + [weakest([str(row["confidence"]) for row in standing or behind])]
            + ([""] * HOURS if load is None else [_mw(kw) for kw in load])
        )
    return out.getvalue()


def _hourly(context: Context) -> dict[tuple[str, int], list[float]]:
    """Substation and year to its 24 loads [kW]."""
    found: dict[tuple[str, int], list[float]] = {}
    for row in context.rows("site_load"):
        load = found.setdefault((str(row["substation"]), int(row["year"])), [0.0] * HOURS)
        load[int(row["hour"])] = float(row["kw"] or 0.0)
    return found


def _works_by_year(context: Context, years: list[int]) -> dict[tuple[str, int], list[Row]]:
    """Works under the first decided year in which they serve, else under the year they are ready."""
    found: dict[tuple[str, int], list[Row]] = {}
    for row in charging.works(context):
        ready = int(row["ready"])
        year = next((one for one in years if one >= ready), ready)
        found.setdefault((str(row["substation"]), year), []).append(row)
    return found


def _places(context: Context) -> dict[str, tuple[str, str, str]]:
    """Substation to latitude, longitude [degrees] and who runs it, as the hub's package says."""
    return {
        str(row["infrastructure_id"]): (
            _degrees(row.get("lat")),
            _degrees(row.get("lon")),
            str(row.get("operator") or ""),
        )
        for row in context.package("infrastructure")
    }


def _degrees(value: object) -> str:
    return "" if value is None else f"{float(str(value)):g}"


def _peak(load: list[float] | None) -> list[str]:
    """The largest load [MW] and the first hour that has it."""
    if load is None:
        return ["", ""]
    most = max(load)
    return [_mw(most), f"{load.index(most):02d}:00" if most > 0 else ""]


def _works_cells(works: list[Row]) -> list[str]:
    """What is built, how much it adds, from when to when, on what headroom, at what cost."""
    if not works:
        return [""] * (len(_ABOUT_WORKS) + 1)
    money = sum(float(row["cost_usd"] or 0.0) for row in works)
    return [
        " + ".join(str(row["tier"]) for row in works),
        _mw(sum(float(row["kw"] or 0.0) for row in works)),
        str(min(int(row["start"]) for row in works)),
        str(max(int(row["ready"]) for row in works)),
        _mw(float(works[0]["headroom_kw"])),
        str(works[0]["headroom_confidence"]),
        f"{money / 1e6:.1f}",
    ]


def _mw(kilowatts: float) -> str:
    return f"{kilowatts / 1e3:.1f}"


def _plain(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
