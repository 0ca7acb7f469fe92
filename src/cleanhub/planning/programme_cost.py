"""What each programme of a scenario costs for each tonne that it moves, and what its delay moves.

A programme is a credit in force, the price on emissions, or the rule on sales of zero-emission trucks.
Each is taken out of the scenario, or delayed, alone, and the path is walked again
(:mod:`cleanhub.planning.measured_path`), with the chargers of the plan. What differs between the two
paths is the programme's: tonnes and money of the same years, so that money paid to those who would have
acted anyway counts and tonnes they would have cut anyway do not. Programmes act together: their tonnes
must not be added.

Low and high are the two ends of the ranges of all drivers, limits and policies at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.memory import remembered
from cleanhub.finance.valuations import PUBLIC
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import DriverChoice, PolicyChoice, Scenario
from cleanhub.pathways.charging import Charging
from cleanhub.planning.identity import content
from cleanhub.planning.measured_path import TARGET_YEAR, measured_path, sited_chargers

CARBON_PRICE = "carbon_price"
SALES_RULE = "zero_emission_sales"
NO_TONNES = 1e-4
"""Share of the hub's summed emissions below which a programme counts as moving none: plants change whole, so
a path has no finer meaning, and money over next to no tonnes is no cost of a tonne."""
_RESOURCES = ("capital", "fixed_opex", "variable_opex", "energy", "co2_transport_storage")
_END = Literal["value", "low", "high"]
_ENDS: tuple[_END, ...] = ("value", "low", "high")
_WORDS = ("central values", "low ends", "high ends")
_RANGED = ("co2e_t", "paid_usd", "usd_per_t", "all_costs_usd_per_t")
COLUMNS = [
    *("programme", "name", "paid_by", "change", "first_year", "last_year"),
    *(f"{name}{end}" for name in _RANGED for end in ("", "_low", "_high")),
    "note",
]
"""Columns of the table: tonnes cut and money paid summed over the years, dollars of the price year."""


@dataclass(frozen=True)
class Programme:
    """One programme of a scenario, and the scenario without it or with it delayed."""

    programme: str
    name: str
    paid_by: Literal["public", "market", "emitters", "buyers"]
    without: Scenario


@dataclass(frozen=True)
class _Sums:
    """Tonnes [t CO2e] and money [USD] of a path from the scenario's year to the target year."""

    co2e_t: float
    credits: float
    carbon: float
    resources: float


def programme_costs(
    hub: Hub,
    scenario: Scenario,
    delay_years: int = 0,
    only: Collection[str] = (),
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> pd.DataFrame:
    """The programmes of a scenario, one row each, with the columns :data:`COLUMNS`.

    Without ``delay_years`` each is compared with its absence: tonnes it cuts, money it pays. With them,
    with its delay by so many years: tonnes and money that the delay loses (negative: gains).
    ``paid_usd`` is what credits and vouchers pay, for the price on emissions what emitters pay;
    ``usd_per_t`` that money for each tonne cut, empty for the price (it is no cost of the public) and where
    no tonnes move; ``all_costs_usd_per_t`` what capital, energy, operation and storage cost more for each
    tonne, whoever pays. ``only`` names programmes, all where it is empty; ``progress`` is called with the
    share done. Raises :class:`~cleanhub.core.errors.InputError` for a programme that is not in force.
    """
    in_force = {one.programme: one for one in _programmes(hub, scenario, delay_years)}
    faults = FaultList()
    for name in [name for name in only if name not in in_force]:
        may_be = ", ".join(in_force) or "none is"
        faults.add("programme", what="not in force in this scenario", found=name, allowed=may_be)
    faults.raise_if_any(f"programmes of scenario {scenario.name}")
    programmes = [one for name, one in in_force.items() if not only or name in only]
    charging = sited_chargers(hub, scenario, seed)
    tell, done = progress or (lambda share: None), 0
    known: dict[tuple[str, _END], _Sums] = {}
    for end in _ENDS:
        for name, one in [("", scenario), *((p.programme, p.without) for p in programmes)]:
            known[name, end] = _sums(hub, one, end, charging, seed)
            done += 1
            tell(done / (len(_ENDS) * (len(programmes) + 1)))
    rows = [
        _row(scenario, one, delay_years, [(known["", end], known[one.programme, end]) for end in _ENDS])
        for one in programmes
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _programmes(hub: Hub, scenario: Scenario, delay: int) -> Iterator[Programme]:
    """The programmes in force in ``scenario``: credits in their order, the price, the rule on sales."""
    credits = hub.tables["credits"].set_index("credit")
    instruments = hub.library.tables["policies"].set_index("policy")["instrument"]
    for credit in scenario.credits:
        row = credits.loc[credit]
        policy, driver = str(row["policy"]), str(row["driver"])
        public = not policy or instruments.get(policy, "") in PUBLIC
        without = scenario.model_copy(
            update={"credits": tuple(one for one in scenario.credits if one != credit)}
        )
        if delay:
            without = _late_policy(scenario, policy, delay) if policy else _late(scenario, delay, driver)
        yield Programme(credit, str(row["name"]), "public" if public else "market", without)
    if scenario.carbon_price:
        without = scenario.model_copy(update={CARBON_PRICE: None})
        without = _late(scenario, delay, scenario.carbon_price) if delay else without
        yield Programme(CARBON_PRICE, f"Price on emissions ({scenario.carbon_price})", "emitters", without)
    if scenario.zero_emission_sales:
        rules = hub.tables["cohorts"]["zero_emission_sales_driver"]
        without = scenario.model_copy(update={SALES_RULE: False})
        without = _late(scenario, delay, *sorted(set(rules) - {""})) if delay else without
        yield Programme(SALES_RULE, "Rule on sales of zero-emission trucks", "buyers", without)


def _late(scenario: Scenario, years: int, *drivers: str) -> Scenario:
    choices = dict(scenario.drivers)
    for name in drivers:
        choice = choices.get(name, DriverChoice())
        choices[name] = choice.model_copy(update={"delay_years": choice.delay_years + years})
    return scenario.model_copy(update={"drivers": choices})


def _late_policy(scenario: Scenario, policy: str, years: int) -> Scenario:
    choice = scenario.policy_choice(policy)
    late: PolicyChoice = choice.model_copy(update={"delay_years": choice.delay_years + years})
    return scenario.model_copy(update={"policies": {**scenario.policies, policy: late}})


def _sums(hub: Hub, scenario: Scenario, end: _END, charging: tuple[Charging, ...], seed: int) -> _Sums:
    def walked() -> _Sums:
        chosen = scenario if end == "value" else scenario.with_range(end)
        path = measured_path(hub, chosen, charging, seed)
        first, last = years_of(scenario)
        rows = path.costs[(path.costs["year"] >= first) & (path.costs["year"] <= last)]
        spent = rows.groupby("item")["value_usd"].sum()
        return _Sums(
            path.headline("hub_emissions_cumulative"),
            -float(spent.get("credits", 0.0)),
            float(spent.get("carbon", 0.0)),
            float(spent.reindex(list(_RESOURCES)).sum()),
        )

    return remembered("sums of a path", (*content(hub), scenario, end, charging, seed), walked)


def years_of(scenario: Scenario) -> tuple[int, int]:
    """First and last year that tonnes and money are summed over."""
    return scenario.as_of.year, min(TARGET_YEAR, scenario.end_year)


def _row(
    scenario: Scenario, one: Programme, delay: int, runs: list[tuple[_Sums, _Sums]]
) -> dict[str, object]:
    """``runs`` are the paths with and without the programme: central, low ends, high ends."""
    tonnes = np.array([without.co2e_t - with_it.co2e_t for with_it, without in runs])
    item = "carbon" if one.paid_by == "emitters" else "credits"
    paid = np.array([getattr(with_it, item) - getattr(without, item) for with_it, without in runs])
    costs = np.array([with_it.resources - without.resources for with_it, without in runs])
    moved = np.abs(tonnes) > NO_TONNES * np.array([with_it.co2e_t for with_it, _ in runs])
    divisor = np.where(moved, tonnes, np.nan)
    first, last = years_of(scenario)
    still = [word for word, moves in zip(_WORDS, moved, strict=True) if not moves]
    row: dict[str, object] = {
        "programme": one.programme,
        "name": one.name,
        "paid_by": one.paid_by,
        "change": f"delayed by {delay} years" if delay else "without it",
        "first_year": first,
        "last_year": last,
        "note": f"moves no tonnes at: {', '.join(still)}" if still else "",
    }
    for name, values in (
        ("co2e_t", np.where(moved, tonnes, 0.0)),
        ("paid_usd", paid),
        ("usd_per_t", paid / divisor if item == "credits" else np.full(len(runs), np.nan)),
        ("all_costs_usd_per_t", costs / divisor),
    ):
        known = values[~np.isnan(values)]
        row[name] = values[0]
        row[f"{name}_low"] = known.min() if len(known) else np.nan
        row[f"{name}_high"] = known.max() if len(known) else np.nan
    return row
