"""What the report reads of the charging tables of a plan: sites in order, phases, loads, names.

The section of the report, the map and the investment blueprint read the same plain records from
here, so a site has one number and one phase wherever it is shown. Power is in kW as in the
plan tables, money in USD of the scenario's price year, a day is a working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cleanhub.planning.scorecard import ILLUSTRATIVE, WEAK
from cleanhub.report import labels
from cleanhub.report.context import Context, Row, once

OPEN = "open"
MOST_PHASES = 3
TABLES = (
    "truck_charging",
    "chargers",
    "charging_capital",
    "road_flow",
    "site_load",
    "site_use",
    "grid_upgrades",
)
"""The plan tables of trucks and their charging."""

OPEN_STREET_MAP = "\N{COPYRIGHT SIGN} OpenStreetMap contributors, ODbL"
"""The words that the Open Database License asks for wherever its geometry is shown."""


@dataclass(frozen=True)
class Phase:
    """A run of years in which sites open; number 0 stands for what is open already."""

    number: int
    first: int
    last: int

    @property
    def label(self) -> str:
        """``Phase 1, 2027 to 2029``, or that the sites are open already."""
        if not self.number:
            return "Open already"
        years = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
        return f"Phase {self.number}, {years}"


@dataclass(frozen=True)
class Site:
    """A row of ``chargers``, its number in reading order (from 1) and its phase."""

    number: int
    phase: Phase
    row: Row

    @property
    def megawatts(self) -> float:
        """Power of its plugs together [MW]."""
        return float(self.row["kw"] or 0.0) / 1e3


def has_charging(context: Context) -> bool:
    """Whether the plan says anything about charging trucks."""
    return any(context.rows(name) for name in TABLES)


def year_rows(context: Context) -> list[Row]:
    """Rows of ``truck_charging`` in order of years."""
    return sorted(context.rows("truck_charging"), key=lambda row: int(row["year"]))


def share_of(row: Row, column: str) -> float:
    """A column of ``truck_charging`` as percent of the truck-days of its year (0 without any)."""
    trucks = float(row["trucks"] or 0.0)
    return 100.0 * float(row[column] or 0.0) / trucks if trucks else 0.0


def phases(opening_years: Iterable[int]) -> tuple[Phase, ...]:
    """The years from first to last opening in at most three runs of about equal length."""
    years = sorted(set(opening_years))
    if not years:
        return ()
    span = years[-1] - years[0] + 1
    runs = min(MOST_PHASES, len(years))
    edges = [years[0] + -(-span * i // runs) for i in range(runs + 1)]
    return tuple(Phase(i + 1, edges[i], edges[i + 1] - 1) for i in range(runs))


@once
def sites(context: Context) -> list[Site]:
    """Every site: what is open first, then by year of opening and by power, the largest first."""
    rows = context.rows("chargers")
    planned = phases(int(row["year_energised"]) for row in rows if row["status"] != OPEN)
    opened = Phase(0, 0, 0)
    order = sorted(
        rows,
        key=lambda row: (
            row["status"] != OPEN,
            int(row["year_energised"]) if row["status"] != OPEN else 0,
            -float(row["kw"] or 0.0),
            str(row["site_id"]),
        ),
    )
    out = []
    for number, row in enumerate(order, start=1):
        own = [one for one in planned if one.first <= int(row["year_energised"]) <= one.last]
        out.append(Site(number, opened if row["status"] == OPEN else own[0], row))
    return out


def planned_sites(context: Context) -> list[Site]:
    """The sites that the plan opens."""
    return [site for site in sites(context) if site.phase.number]


@once
def substation_names(context: Context) -> Mapping[str, str]:
    """Substation id to name: from the grid works, else from the hub's infrastructure."""
    found = {str(row["infrastructure_id"]): str(row["name"]) for row in context.package("infrastructure")}
    found.update({str(row["substation"]): str(row["name"]) for row in context.rows("grid_upgrades")})
    return found


def substation(names: Mapping[str, str], code: object) -> str:
    """The name of a substation; its id in words where nobody names it."""
    text = str(code or "")
    return names.get(text) or labels.words(text)


@once
def peak_loads(context: Context) -> dict[tuple[str, int], float]:
    """Substation and year to the largest load of charging in any hour [kW]."""
    found: dict[tuple[str, int], float] = {}
    for row in context.rows("site_load"):
        key = str(row["substation"]), int(row["year"])
        found[key] = max(found.get(key, 0.0), float(row["kw"] or 0.0))
    return found


def busiest(peaks: Mapping[tuple[str, int], float]) -> list[str]:
    """Substations by their largest load in any year, the largest first."""
    top: dict[str, float] = {}
    for (name, _), kilowatts in peaks.items():
        top[name] = max(top.get(name, 0.0), kilowatts)
    return sorted(top, key=lambda name: (-top[name], name))


def works(context: Context) -> list[Row]:
    """Rows of ``grid_upgrades`` in the order in which they must begin."""
    return sorted(
        context.rows("grid_upgrades"),
        key=lambda row: (int(row["start"]), int(row["ready"]), str(row["substation"]), str(row["tier"])),
    )


def chosen_years(years: Sequence[int], most: int) -> list[int]:
    """At most ``most`` (two or more) of the sorted ``years``, evenly spread, first and last among them."""
    if len(years) <= most:
        return list(years)
    step = (len(years) - 1) / (most - 1)
    return [years[round(i * step)] for i in range(most)]


def weak_share(rows: Iterable[Row], weight: str, confidence: str) -> float:
    """Share of ``weight`` in rows whose ``confidence`` is recalled or assumed (0 without any weight)."""
    whole = weak = 0.0
    for row in rows:
        amount = abs(float(row[weight] or 0.0))
        whole += amount
        if str(row[confidence]) in WEAK:
            weak += amount
    return weak / whole if whole else 0.0


def is_illustrative(share: float) -> bool:
    """Whether so large a share of weak inputs calls for the word *illustrative*."""
    return share > ILLUSTRATIVE


@once
def attribution(context: Context) -> str:
    """What must stand wherever road geometry is shown; empty without any."""
    licences = sorted({str(row["licence"] or "not stated") for row in context.rows("road_flow")})
    parts = []
    for licence in licences:
        if "odbl" in licence.lower() or "openstreetmap" in licence.lower():
            parts.append(f"roads {OPEN_STREET_MAP}")
        else:
            parts.append(f"roads: licence {licence}")
    return "; ".join(dict.fromkeys(parts))
