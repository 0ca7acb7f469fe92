"""Settings of the shared solver of the Mission Possible Partnership: the constants of a run.

What the solver's input tables do not hold (thresholds, cycles, weights, bans, caps) is data here:
:func:`sector_settings` reads the defaults of ``library/mpp_settings.yaml``, :func:`read_settings`
the ``solver.yaml`` of an imported hub, which may have been edited. Capacities are in Mt a year,
utilisations and shares in 1, money in USD.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cleanhub.core.errors import FaultList
from cleanhub.core.yaml_file import YamlFile, fault_kind, parse_yaml

SETTINGS_FILE = Path(__file__).resolve().parent.parent / "library" / "mpp_settings.yaml"
SWITCH_KINDS = ("greenfield", "decommission", "brownfield_renovation", "brownfield_newbuild")
CLASSES = ("initial", "transition", "end-state")
NOTHING = ("New-build", "Decommissioned", "decommission", "Decommission")
"""Words of the tables that stand where a technology stands: no plant before, no plant after."""
LIMIT_FILES = {
    "co2_storage": ("co2_storage_constraint",),
    "electrolysers": (
        "electrolysis_capacity_addition_constraint",
        "electrolyser_cfs",
        "electrolyser_efficiencies",
        "electrolyser_proportions",
    ),
    "carbon_budget": ("carbon_budget",),
    "demand_share": (),
    "rampup": (),
}
"""Input tables that each limit needs."""

Share = Field(ge=0, le=1)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MppProduct(_Strict):
    """A product: size of a new plant [Mt/yr] and t of the base product per t."""

    plant_capacity: float = Field(gt=0)
    base_product_ratio: float = Field(gt=0)


class MppDispatch(_Strict):
    """Order and bounds of capacity utilisation."""

    cost: Literal["marginal_cost", "lcox"]
    upper: float = Share
    lower: float = Share

    @model_validator(mode="after")
    def _ordered(self) -> MppDispatch:
        if self.lower >= self.upper:
            raise ValueError("lower must be below upper")
        return self


class MppRanking(_Strict):
    """What switches are ranked by."""

    cost: Literal["lcox", "tco"]
    relative_uncertainty: float = Field(gt=0, le=1)
    emissions: tuple[str, ...]


class MppForcing(_Strict):
    """Switches that are taken out before the simulation."""

    no_end_state_to_end_state: bool
    dropped_technologies: tuple[str, ...] = ()
    dropped_renovations: tuple[str, ...] = ()
    restricted_origin: dict[str, str] = {}
    moratorium_year: int
    transitional_years: int = Field(ge=0)


class MppDemandShare(_Strict):
    """Technologies that together serve at most a share of the demand."""

    maximum: float = Share
    until: int
    technologies: tuple[str, ...]


class MppRampUp(_Strict):
    """New assets a year after a technology matures: assets x (1 + growth) ^ years since."""

    assets: float = Field(gt=0)
    growth: float = Field(ge=0)
    years: int = Field(ge=0)


class MppCarbonCost(_Strict):
    """Carbon cost: a straight line from the start year [0] to its final value [USD/t].

    ``end_years`` says in which year each final value is reached; between them it is interpolated.
    """

    start_year: int
    final: float = Field(ge=0)
    end_years: dict[float, float] = Field(min_length=1)

    @property
    def end_year(self) -> float:
        """The year in which the final value is reached."""
        values = sorted(self.end_years)
        return float(np.interp(self.final, values, [self.end_years[value] for value in values]))

    @model_validator(mode="after")
    def _ends_after_start(self) -> MppCarbonCost:
        if self.end_year < self.start_year:
            raise ValueError("the final value is reached before the start year")
        return self


class MppPathway(_Strict):
    """One pathway: how switches are ranked and which limits hold."""

    ranking: Literal["uncertainty_bins", "sorted", "histogram", "cost_per_tonne"]
    cost: float = Share
    emissions: float = Share
    limits: tuple[
        Literal["co2_storage", "electrolysers", "demand_share", "carbon_budget", "rampup"], ...
    ] = ()
    lcox_improvement: float | None = None
    first_renovation: int | None = None
    first_newbuild: int | None = None
    moratorium: bool = False
    stop_within_budget: bool = False


class MppSettings(_Strict):
    """Every constant of one sector; see the comments of ``library/mpp_settings.yaml``."""

    sector: str
    first_year: int
    last_year: int
    initial_stack: Literal["regional", "individual"]
    products: dict[str, MppProduct] = Field(min_length=1)
    new_plant_utilisation: float = Share
    dispatch: MppDispatch
    decommission_utilisation: float = Share
    investment_cycle: int = Field(ge=0)
    renovation_share: float = Share
    renovation_share_rounded: Literal["up", "down"]
    dropped_on_violation: Literal["switch", "destination"]
    broken_switch_still_happens: bool
    demand_year_offset: Literal[0, 1]
    no_initial_for: tuple[str, ...] = ()
    regional_cap: float | None = Field(default=None, ge=0, le=1)
    cap_plant_capacity: float = Field(default=1.0, gt=0)
    regional_share: dict[str, float] = {}
    subregions: dict[str, str] = {}
    ranking: MppRanking
    forcing: MppForcing
    bans: dict[str, tuple[str, ...]] = {}
    demand_share: MppDemandShare | None = None
    hydrogen_per_base_product: float = Field(default=0.0, ge=0)
    ppa_word: str | None = None
    rampup: MppRampUp | None = None
    carbon_cost: MppCarbonCost
    new_plants_keep_co2_storage: bool = False
    pathways: dict[str, MppPathway] = Field(min_length=1)

    @model_validator(mode="after")
    def _years_and_limits(self) -> MppSettings:
        if self.last_year <= self.first_year:
            raise ValueError("last_year must be after first_year")
        for name, pathway in self.pathways.items():
            for limit in ("demand_share", "rampup"):
                if limit in pathway.limits and getattr(self, limit) is None:
                    raise ValueError(f"pathway {name} has the limit {limit}, which is not described")
        return self

    @property
    def years(self) -> range:
        """All years of the run."""
        return range(self.first_year, self.last_year + 1)


def mpp_sectors() -> tuple[str, ...]:
    """The sectors that have settings."""
    return tuple(_library_settings())


def sector_settings(sector: str) -> MppSettings:
    """The default settings of a sector. Raises ``InputError`` for a sector that has none."""
    known = _library_settings()
    faults = FaultList()
    if sector not in known:
        faults.add("--sector", what="unknown sector", found=sector, allowed=", ".join(known))
    faults.raise_if_any("solver settings")
    return MppSettings.model_validate(known[sector])


def settings_text(sector: str) -> str:
    """The default settings of a sector as YAML with the library's comments, to be written and edited."""
    sector_settings(sector)
    lines = SETTINGS_FILE.read_text(encoding="utf-8").splitlines()
    first = lines.index(f"{sector}:") + 1
    after = (k for k in range(first, len(lines)) if lines[k] and not lines[k].startswith(" "))
    return "\n".join(line[2:] for line in lines[first : next(after, len(lines))]) + "\n"


def read_settings(path: Path, faults: FaultList) -> MppSettings | None:
    """Read ``solver.yaml``; every fault with its line, ``None`` when there is any."""
    parsed = parse_yaml(path, faults)
    return None if parsed is None else _validated(parsed, faults)


def _validated(parsed: YamlFile, faults: FaultList) -> MppSettings | None:
    try:
        return MppSettings.model_validate(parsed.data)
    except ValidationError as error:
        for item in error.errors():
            place = item["loc"]
            faults.add(
                parsed.path.name,
                parsed.line(place),
                ".".join(str(part) for part in place) or None,
                what=fault_kind(item["type"]),
                found="" if item["type"] == "missing" else item["input"] if place else "",
                allowed=item["msg"],
            )
    return None


def _library_settings() -> dict[str, Any]:
    faults = FaultList()
    parsed = parse_yaml(SETTINGS_FILE, faults)
    faults.raise_if_any("solver settings of the library")
    return {} if parsed is None else parsed.data
