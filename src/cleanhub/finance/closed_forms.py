"""Reference cases that have an answer in closed form: credits, capital, learning, readiness.

A case is told by its *shape*, the keys it holds, never by its name; only a bare number has to
say in its name what it is (``CRF_8pct_20y``, ``combined_tax``). Inputs stand in a group
``inputs`` or beside the results. A list of records is one case: its quantities carry the
index, ``usd_per_gal[3]``. A quantity may carry a number in its name: ``usd_at_55``,
``npv_12y_8pct``, ``cash_at_0p90_transfer``. A case without results gets every quantity of
its shape. Rates of law come from the library's policy values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList, InputError
from cleanhub.finance.annuity import annuity_factor, capital_recovery_factor
from cleanhub.finance.capital import (
    estimate_over_actual,
    performance_in_months_7_to_12,
    pioneer_terms,
    roll_up,
)
from cleanhub.finance.comparison import Limits, check_number
from cleanhub.finance.plant_learning import hybrid_cost, learning_curve, learning_exponent
from cleanhub.finance.readiness import adoption_level
from cleanhub.hub.library import Library
from cleanhub.policy.formulas import (
    combined_tax_rate,
    declining_rate,
    free_allocation,
    lcfs_credits,
    tier_rate,
)

Record = dict[str, Any]
Inputs = Mapping[str, float]
Answers = dict[str, float]
NUMBER = r"(-?\d+(?:[p.]\d+)?)"
ANY, POSITIVE = Limits(), Limits(0, above=True)
AMOUNT, SHARE = Limits(0), Limits(0, 1)
INCOME_TAXES = (("federal-income-tax", "tax_rate"), ("california-income-tax", "tax_rate"))
LEARNING_RATE, YEARS = Limits(0, 0.99), Limits(0, 200, above=True)


# ---------------------------------------------------------------- the forms


@dataclass(frozen=True)
class NamedQuantity:
    """A quantity with numbers in its name: pattern, limits of the numbers, formula, default name."""

    pattern: str
    limits: tuple[Limits, ...]
    formula: Callable[[Inputs, tuple[float, ...]], float]
    default: Callable[[], str]

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """The numbers in ``name``; ``None`` when it is no quantity of this kind."""
        match = re.fullmatch(self.pattern, name)
        return tuple(_spoken(one) for one in match.groups()) if match else None


@dataclass(frozen=True)
class Form:
    """A shape of case: its inputs with limits, its results, and the formula between them.

    ``lists`` maps a key whose value is a list to the limits of its numbers, or to the limits
    of the fields of its records.
    """

    title: str
    inputs: Mapping[str, Limits]
    results: tuple[str, ...]
    formula: Callable[[Any], Mapping[str, Any]]
    named: tuple[NamedQuantity, ...] = ()
    lists: Mapping[str, Limits | Mapping[str, Limits]] | None = None
    optional_lists: tuple[str, ...] = ()

    @property
    def needed(self) -> list[str]:
        """Keys that a case of this shape holds."""
        listed = [key for key in self.lists or {} if key not in self.optional_lists]
        return [*self.inputs, *listed]

    def shared(self, keys: set[str]) -> tuple[int, float]:
        """How well keys fit: number of keys known, share of the needed ones that are there."""
        known = {key for key in keys if self.knows(key)}
        needed = self.needed
        return len(known), len(known & set(needed)) / len(needed)

    def knows(self, key: str) -> bool:
        """Whether a case of this shape may hold ``key``."""
        named = any(one.numbers(key) is not None for one in self.named)
        return key in self.inputs or key in (self.lists or {}) or key in self.results or named

    def quantities(self, record: Record) -> list[str]:
        """The results that a record holds, or every one of the shape when it holds none."""
        held = [key for key in record if self._is_result(key, record[key])]
        return held or [*self.results, *(one.default() for one in self.named)]

    def _is_result(self, key: str, value: object) -> bool:
        if key in (self.lists or {}):  # the same list may hold inputs alone
            listed = value if isinstance(value, list) else []
            return key in self.results and any(element_result(one) is not None for one in listed)
        return key in self.results or any(one.numbers(key) is not None for one in self.named)


def element_result(element: object) -> object:
    """The result in an element of a list: the cost of a record, else the element itself."""
    return element.get("cost") if isinstance(element, dict) else element


def forms(library: Library) -> tuple[Form, ...]:
    """Every shape, with the library's rates and tables behind its formulas."""
    return (
        _fuel_credit(library),
        _capture_credit(library),
        Form("45Z credit", {"er": ANY}, ("usd_per_gal",), lambda x: _fuel_rate(library, x)),
        Form("45V credit", {"ci": ANY}, ("usd_per_kg",), lambda x: _hydrogen_rate(library, x)),
        Form(
            "sculpted debt",
            {"dscr": Limits(1, 20), "rate": SHARE},
            ("debt", "llcr", "debt_service", "principal", "balances"),
            sculpted_debt,
            lists={"cfads": AMOUNT},
        ),
        Form(
            "learning curve",
            {"C1": AMOUNT, "LR": LEARNING_RATE},
            ("b", "C"),
            _learning,
            lists={"C": {"n": POSITIVE}},
            optional_lists=("C",),
        ),
        Form(
            "components from first to later plant",
            {},
            ("total",),
            _hybrid,
            lists={"components": {"c": AMOUNT, "lr": LEARNING_RATE, "n0": POSITIVE, "n": POSITIVE}},
        ),
        _cost_growth(library),
        _plant_performance(library),
        _adoption(library),
        _allocation(),
        Form(
            "capital roll-up",
            {"BEC": AMOUNT, "EPC": SHARE, "process_cont": SHARE, "project_cont": SHARE},
            ("EPCC", "TPC"),
            _roll_up,
        ),
    )


def _fuel_credit(library: Library) -> Form:
    def price(x: Inputs, numbers: tuple[float, ...]) -> float:
        return _fuel_credits(x)["credits_t"] * numbers[0]

    return Form(
        "fuel credit",
        {"ci_std": ANY, "ci": ANY, "ed": AMOUNT, "eer": POSITIVE, "qty": AMOUNT},
        ("credits_t",),
        _fuel_credits,
        named=(
            NamedQuantity(
                rf"usd_at_{NUMBER}",
                (AMOUNT,),
                price,
                lambda: f"usd_at_{_written(_default(library, 'fuel_credit', 'price'))}",
            ),
        ),
    )


def _capture_credit(library: Library) -> Form:
    def default(name: str) -> float:
        return _default(library, "capture_credit", name)

    def yearly(x: Inputs) -> Answers:
        paid = x["tCO2"] * x["rate"]
        return {"usd_per_year": paid, "per_kgH2": paid / (default("hydrogen_t") * 1e3)}

    def worth(x: Inputs, numbers: tuple[float, ...]) -> float:
        years, percent = numbers
        return x["tCO2"] * x["rate"] * float(annuity_factor(percent / 100, years))

    def present_value() -> str:
        years, percent = years_paid(library, "45q"), default("discount_rate") * 100
        return f"npv_{_written(years)}y_{_written(percent)}pct"

    return Form(
        "capture credit",
        {"tCO2": AMOUNT, "rate": AMOUNT},
        ("usd_per_year", "per_kgH2"),
        yearly,
        named=(
            NamedQuantity(
                rf"npv_{NUMBER}y_{NUMBER}pct",
                (YEARS, Limits(0, 100)),
                worth,
                present_value,
            ),
            NamedQuantity(
                rf"cash_at_{NUMBER}_transfer",
                (SHARE,),
                lambda x, numbers: x["tCO2"] * x["rate"] * numbers[0],
                lambda: f"cash_at_{default('transfer_price'):.2f}_transfer".replace(".", "p"),
            ),
        ),
    )


def _cost_growth(library: Library) -> Form:
    def growth(x: Inputs) -> Answers:
        ratio = float(
            estimate_over_actual(
                library, x["pctnew"], x["impurities"], x["complexity"], x["inclusiveness"], x["proj_def"]
            )
        )
        return {"est_over_actual": ratio, "actual_over_est": 1.0 / ratio if ratio else float("nan")}

    terms = {
        "pctnew": "percent_new",
        "impurities": "impurities",
        "complexity": "complexity",
        "inclusiveness": "inclusiveness",
        "proj_def": "project_definition",
    }
    limits = _pioneer_limits(library, "cost_growth", terms)
    return Form("cost growth of a pioneer plant", limits, ("est_over_actual", "actual_over_est"), growth)


def _plant_performance(library: Library) -> Form:
    def performance(x: Inputs) -> Answers:
        found = performance_in_months_7_to_12(library, x["newsteps"], x["baleqs"], x["waste"], x["solids"])
        return {"pct_design_capacity_months_7_12": float(found)}

    terms = {"newsteps": "new_steps", "baleqs": "balance_equations", "waste": "waste", "solids": "solids"}
    limits = _pioneer_limits(library, "plant_performance", terms)
    title = "performance of a pioneer plant"
    return Form(title, limits, ("pct_design_capacity_months_7_12",), performance)


def _pioneer_limits(library: Library, equation: str, terms: Mapping[str, str]) -> dict[str, Limits]:
    known = pioneer_terms(library, equation)
    return {key: Limits(known[term].minimum, known[term].maximum) for key, term in terms.items()}


def _adoption(library: Library) -> Form:
    count = Limits(0, len(library.tables["arl_dimensions"]), whole=True)

    def level(x: Inputs) -> Answers:
        return {"arl": float(adoption_level(library.tables["arl_lookup"], int(x["medium"]), int(x["high"])))}

    return Form("adoption readiness", {"medium": count, "high": count}, ("arl",), level)


def _allocation() -> Form:
    def incentive(x: Inputs) -> Answers:
        given = float(free_allocation(x["O"], x["B"], x["AF"], x["c"]))
        before, after = x["emissions_before"], x["after"]
        return {
            "A": given,
            "net_short_before": before - given,
            "net_long_after": given - after,
            "annual_value": (before - after) * x["price"],
        }

    amounts = dict.fromkeys(("O", "B", "AF", "c", "emissions_before", "after", "price"), AMOUNT)
    return Form(
        "free allocation",
        {**amounts, "c": SHARE},
        ("A", "net_short_before", "net_long_after", "annual_value"),
        incentive,
    )


# ---------------------------------------------------------------- formulas


def sculpted_debt(x: Mapping[str, Any]) -> dict[str, float | list[float]]:
    """Debt whose service is cash flow over a cover ratio in every year, paid to the last cent.

    ``x`` holds ``cfads``, the cash flow available for debt service by year [money], ``dscr``
    [1] and ``rate`` [1/yr]. Answers ``debt``, ``llcr``, and by year ``debt_service``,
    ``principal`` and (from the year of drawing, one longer) ``balances``; the last balance is
    what rounding leaves of 0.
    """
    rate, cash = float(x["rate"]), [float(one) for one in x["cfads"]]
    service = [one / float(x["dscr"]) for one in cash]
    debt = sum(one / (1 + rate) ** t for t, one in enumerate(service, 1))
    balance, principal, balances = debt, [], [debt]
    for one in service:
        principal.append(one - rate * balance)
        balance = balance * (1 + rate) - one
        balances.append(balance)
    worth = sum(one / (1 + rate) ** t for t, one in enumerate(cash, 1))
    return {
        "debt": debt,
        "llcr": worth / debt if debt else float("nan"),
        "debt_service": service,
        "principal": principal,
        "balances": balances,
    }


def _fuel_credits(x: Inputs) -> Answers:
    return {"credits_t": float(lcfs_credits(x["ci_std"], x["ci"], x["ed"], x["eer"], x["qty"]))}


def _fuel_rate(library: Library, x: Inputs) -> Answers:
    reference = policy_value(library, "45z", "reference_emission_rate")
    return {"usd_per_gal": float(declining_rate(x["er"], reference, policy_value(library, "45z", "maximum")))}


def _hydrogen_rate(library: Library, x: Inputs) -> Answers:
    tiers = policy_rows(library, "45v", "rate").sort_values("tier_from", na_position="first")
    start = tiers["tier_from"].to_numpy(float)
    rate = float(
        tier_rate(x["ci"], np.where(np.isnan(start), -np.inf, start), tiers["value"].to_numpy(float))
    )
    return {"usd_per_kg": rate if x["ci"] <= policy_value(library, "45v", "carbon_intensity_limit") else 0.0}


def _learning(x: Mapping[str, Any]) -> dict[str, Any]:
    rows = x.get("C") or []
    costs = learning_curve(x["C1"], x["LR"], [float(row["n"]) for row in rows])
    return {"b": float(learning_exponent(x["LR"])), "C": costs.tolist()}


def _hybrid(x: Mapping[str, Any]) -> Answers:
    columns = {key: [float(one[key]) for one in x["components"]] for key in ("c", "lr", "n0", "n")}
    return {"total": float(hybrid_cost(columns["c"], columns["lr"], columns["n0"], columns["n"]))}


def _roll_up(x: Inputs) -> Answers:
    found = roll_up(x["BEC"], x["EPC"], x["process_cont"], x["project_cont"])
    return {"EPCC": float(found.engineered), "TPC": float(found.total_plant)}


# ---------------------------------------------------------------- rates from the library


def policy_rows(library: Library, policy: str, item: str, selector: str = "") -> pd.DataFrame:
    """Rows of ``policy_values`` for an item; ``InputError`` when the library holds none."""
    table = library.tables["policy_values"]
    rows = table[(table["policy"] == policy) & (table["item"] == item) & (table["selector"] == selector)]
    if rows.empty:
        key = ", ".join(one for one in (policy, item, selector) if one)
        raise InputError(f"policy_values.csv has no row {key}, which a reference case rests on")
    return rows


def policy_value(library: Library, policy: str, item: str, selector: str = "") -> float:
    """The one value of an item of a policy, in the row's unit; the first where years differ."""
    return float(policy_rows(library, policy, item, selector)["value"].iloc[0])


def years_paid(library: Library, policy: str) -> float:
    """Years that a policy pays for [yr]; ``InputError`` when the library does not say."""
    table = library.tables["policies"]
    found = table.loc[table["policy"] == policy, "years_paid"].dropna()
    if found.empty:
        raise InputError(f"policies.csv has no years_paid of {policy}, which a reference case rests on")
    return float(found.iloc[0])


def _default(library: Library, layout: str, name: str) -> float:
    table = library.tables["case_defaults"]
    rows = table[(table["layout"] == layout) & (table["input"] == name)]
    if rows.empty:
        raise InputError(f"case_defaults.csv has no row {layout}, {name}")
    return float(rows["value"].iloc[0])


# ---------------------------------------------------------------- bare numbers


def named_answer(name: str, library: Library, file: str, faults: FaultList) -> float | None:
    """Answer of a case that is a bare number and says in its name what it is; ``None`` if it does not.

    ``CRF_8pct_20y`` is a capital recovery factor at 8 % over 20 years, ``combined_tax`` the
    federal and Californian rate of income tax together.
    """
    if name.lower().startswith("crf"):
        rate = re.search(rf"(?:^|_){NUMBER}pct(?:_|$)", name)
        years = re.search(rf"(?:^|_){NUMBER}y(?:_|$)", name)
        if not rate or not years:
            return None
        given: Record = {"rate": _spoken(rate[1]), "years": _spoken(years[1])}
        count = len(faults.faults)
        check_number(file, name, given, "rate", Limits(0, 100), faults)
        check_number(file, name, given, "years", YEARS, faults)
        if len(faults.faults) > count:
            return float("nan")
        return float(capital_recovery_factor(given["rate"] / 100, given["years"]))
    if "combined_tax" in name.lower():
        return float(combined_tax_rate(*(policy_value(library, *one) for one in INCOME_TAXES)))
    return None


def _spoken(text: str) -> float:
    """A number in a name, in which p stands for the decimal point."""
    return float(text.replace("p", "."))


def _written(value: float) -> str:
    return f"{value:g}".replace(".", "p")
