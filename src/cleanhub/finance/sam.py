"""Single-owner project finance under the conventions of the System Advisor Model (SAM).

Offered as a documented convention, so that our figures can be laid beside SAM's. The
conventions that decide the result:

- Operating cash (revenue less operating cost) carries the debt; reserves do not count.
- Sculpted debt is operating cash over the cover ratio, discounted at the loan rate. Where a
  debt fraction limits it, the limit is that share of installed cost with the lender's fee on
  the whole of it, construction finance and the first working-capital reserve.
- Debt of a fixed share is taken of installed cost, construction finance, first reserves and
  the fee on that share of them, in one step.
- The debt-service reserve holds the given months of next year's payment, working capital the
  given months of next year's operating cost; both earn interest, which is taxed.
- Straight-line classes write off half a year first and last; state tax is deducted from
  federal income; losses are used at once.

Year 0 is the year of installation; yearly arrays have ``analysis period + 1`` entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from cleanhub.core.errors import FaultList

FloatArray = NDArray[np.float64]
Groups = Mapping[str, Mapping[str, Any]]
Schedules = Mapping[int, FloatArray]

# Inputs that must be off: what they stand for is not part of this convention here.
_OFF = (
    "loan_moratorium", "months_receivables_reserve",
    "equip1_reserve_cost", "equip2_reserve_cost", "equip3_reserve_cost",
    "om_fuel_cost",
    "om_opt_fuel_1_usage", "om_opt_fuel_2_usage", "om_batt_nameplate", "om_fuelcell_nameplate",
    "om_land_lease",
    "system_use_recapitalization", "depr_alloc_custom_percent", "itc_sta_amount", "itc_sta_percent",
    "ptc_sta_amount", "ibi_fed_amount", "ibi_sta_amount", "ibi_uti_amount", "ibi_oth_amount",
    "ibi_fed_percent",
    "ibi_sta_percent", "ibi_uti_percent", "ibi_oth_percent", "cbi_fed_amount",
    "cbi_sta_amount",
    "cbi_uti_amount", "cbi_oth_amount", "pbi_fed_amount", "pbi_sta_amount", "pbi_uti_amount",
    "pbi_oth_amount",
)  # fmt: skip
_NEEDED = (
    "ppa_price_input", "ppa_escalation", "analysis_period", "term_int_rate", "term_tenor", "debt_option",
    "total_installed_cost", "real_discount_rate", "inflation_rate", "federal_tax_rate", "state_tax_rate",
)  # fmt: skip
_CLASSES = (
    ("depr_alloc_macrs_5_percent", "macrs", 5), ("depr_alloc_macrs_15_percent", "macrs", 15),
    ("depr_alloc_sl_5_percent", "sl", 5), ("depr_alloc_sl_15_percent", "sl", 15),
    ("depr_alloc_sl_20_percent", "sl", 20), ("depr_alloc_sl_39_percent", "sl", 39),
)  # fmt: skip


@dataclass(frozen=True)
class SingleOwner:
    """Results: debt [USD], after-tax IRR [%], NPV [USD], least cover ratio (NaN: no debt), flows."""

    debt: float
    irr: float
    npv: float
    min_dscr: float
    after_tax: FloatArray


def single_owner(inputs: Groups, energy_kwh: FloatArray, schedules: Schedules) -> SingleOwner:
    """Value one case.

    Parameters
    ----------
    inputs
        Groups of inputs under SAM's names (``FinancialParameters`` and so on); percent stay
        percent.
    energy_kwh
        Yearly energy sold, entry 0 is 0.
    schedules
        Tax depreciation by recovery class in years.
    """
    given = _Inputs(inputs)
    count = int(given.number("analysis_period"))
    year = np.arange(count + 1, dtype=np.float64)
    running = year >= 1
    energy = np.zeros(count + 1)
    energy[: len(energy_kwh)] = energy_kwh[: count + 1]
    inflation = given.share("inflation_rate")
    price = given.yearly("ppa_price_input", count, given.share("ppa_escalation"))
    capital = given.number("total_installed_cost")
    salvage = np.where(year == count, given.share("salvage_percentage") * capital, 0.0)
    revenue = price * energy + salvage
    operating = np.where(running, _operating_cost(given, energy, capital, count, inflation), 0.0)
    cash = revenue - operating
    working = _ahead(operating, given.number("months_working_reserve") / 12.0)
    before_debt = capital + given.number("construction_financing_cost") + given.number("cost_debt_closing")
    before_debt += given.number("cost_other_financing")
    debt, service = _debt(given, cash, before_debt + working[0], capital, year)
    reserve = _ahead(service, given.number("dscr_reserve_months") / 12.0)
    fee = given.share("cost_debt_fee") * debt
    installed = before_debt + working[0] + reserve[0] + fee
    rate = given.share("term_int_rate")
    balance = _balance(debt, service, rate)
    interest = np.concatenate([[0.0], balance[:-1] * rate])
    held = working + reserve
    earned = np.concatenate([[0.0], held[:-1] * given.share("reserves_interest")])
    basis = capital + given.number("construction_financing_cost") + given.number("cost_other_financing")
    credit = float(_investment_credits(given, basis).sum())
    if not credit:
        credit = given.number("itc_fed_amount")
    income = np.where(running, cash + earned - interest, 0.0)
    taxes = _taxes(given, income, basis, schedules, count)
    moved = np.diff(held, prepend=held[:1])
    production_credit = _production_credit(given, energy, year)
    flow = np.where(running, cash + earned - service - moved - taxes + production_credit, 0.0)
    flow[1] += credit
    flow[0] = debt - installed
    discount = (1.0 + given.share("real_discount_rate")) * (1.0 + inflation) - 1.0
    paid = service > 0
    return SingleOwner(
        debt=debt,
        irr=_internal_rate(flow) * 100.0,
        npv=float((flow * (1.0 + discount) ** -year).sum()),
        min_dscr=float((cash[paid] / service[paid]).min()) if paid.any() else float("nan"),
        after_tax=flow,
    )


def check_inputs(inputs: Groups, file: str, case: str, faults: FaultList) -> None:
    """Record every input that is missing, no number, impossible or outside this convention."""
    given = _Inputs(inputs)
    for name in _NEEDED:
        if name not in given.flat:
            faults.add(file, None, f"{case}.{name}", what="missing input", allowed="a number")
    for name, value in given.flat.items():
        numbers = value if isinstance(value, list) else [value]
        if any(isinstance(one, bool) or not isinstance(one, (int, float)) or one != one for one in numbers):  # noqa: PLR0124
            faults.add(file, None, f"{case}.{name}", what="not a number", found=value, allowed="a number")
        elif name in _OFF and any(one != 0 for one in numbers):
            faults.add(
                file, None, f"{case}.{name}", what="not part of this convention", found=value, allowed="0"
            )
    if faults.faults:
        return
    for name, low, high in (
        ("analysis_period", 1, 100), ("term_int_rate", 0, 100), ("real_discount_rate", 0, 100),
        ("total_installed_cost", 1e-9, np.inf), ("debt_percent", 0, 100), ("term_tenor", 0, 100),
    ):  # fmt: skip
        if name in given.flat and not low <= given.number(name) <= high:
            may_be = f"a number from {low:g} to {high:g}"
            faults.add(
                file,
                None,
                f"{case}.{name}",
                what="impossible value",
                found=given.number(name),
                allowed=may_be,
            )


class _Inputs:
    """SAM's grouped inputs by plain name; one missing counts as 0."""

    def __init__(self, groups: Groups) -> None:
        self.flat = {name: value for group in groups.values() for name, value in group.items()}

    def number(self, name: str) -> float:
        value = self.flat.get(name, 0.0)
        return float(value[0] if isinstance(value, list) else value)

    def share(self, name: str) -> float:
        return self.number(name) / 100.0

    def yearly(self, name: str, count: int, growth: float) -> FloatArray:
        """A schedule by year, or one value grown from year 1; entry 0 is 0."""
        value = self.flat.get(name, 0.0)
        out = np.zeros(count + 1)
        if isinstance(value, list) and len(value) > 1:
            out[1 : len(value) + 1] = value[:count]
        else:
            out[1:] = self.number(name) * (1.0 + growth) ** np.arange(count)
        return out


def _operating_cost(
    given: _Inputs, energy: FloatArray, capital: float, count: int, inflation: float
) -> FloatArray:
    def grown(name: str, escalation: str) -> FloatArray:
        return given.yearly(name, count, inflation + given.share(escalation))

    growth = np.concatenate([[0.0], (1.0 + inflation) ** np.arange(count)])
    assessed = given.share("prop_tax_cost_assessed_percent") * capital
    decline = 1.0 - given.share("prop_tax_assessed_decline") * np.arange(-1, count)
    cost = (
        grown("om_fixed", "om_fixed_escal")
        + grown("om_capacity", "om_capacity_escal") * given.number("system_capacity")
        + grown("om_production", "om_production_escal") * energy / 1000.0
        + given.share("insurance_rate") * capital * growth
        + given.share("property_tax_rate") * assessed * np.maximum(decline, 0.0)
    )
    return np.asarray(cost, dtype=np.float64)


def _ahead(flow: FloatArray, years: float) -> FloatArray:
    """Reserve that holds ``years`` of next year's flow; empty at the end."""
    return years * np.concatenate([flow[1:], [0.0]])


def _debt(
    given: _Inputs, cash: FloatArray, before_reserve: float, capital: float, year: FloatArray
) -> tuple[float, FloatArray]:
    """Debt and its yearly payments."""
    rate, tenor = given.share("term_int_rate"), given.number("term_tenor")
    open_years = (year >= 1) & (year <= tenor)
    if given.number("debt_option") == 1:
        service = np.where(open_years, np.maximum(cash, 0.0) / max(given.number("dscr"), 1e-9), 0.0)
        debt = float((service * (1.0 + rate) ** -year).sum())
        if given.number("dscr_limit_debt_fraction"):
            base = before_reserve + given.share("cost_debt_fee") * capital
            limit = given.share("dscr_maximum_debt_fraction") * base
            if debt > limit:
                service, debt = service * limit / debt, limit
        return debt, service
    share = given.share("debt_percent")
    if share <= 0 or not open_years.any():
        return 0.0, np.zeros(len(year))
    if given.number("payment_option") == 0:
        annuity = tenor if rate == 0 else (1.0 - (1.0 + rate) ** -tenor) / rate
        unit = np.where(open_years, 1.0 / annuity, 0.0)
    else:
        unit = np.where(open_years, 1.0 / tenor + rate * (1.0 - (year - 1.0) / tenor), 0.0)
    part = share * (1.0 + share * given.share("cost_debt_fee"))
    first_reserve = given.number("dscr_reserve_months") / 12.0 * unit[1]
    debt = part * before_reserve / (1.0 - part * first_reserve)
    return debt, unit * debt


def _balance(debt: float, service: FloatArray, rate: float) -> FloatArray:
    """Balance at the end of each year, year 0 included."""
    year = np.arange(len(service), dtype=np.float64)
    paid = np.cumsum(service * (1.0 + rate) ** -year)
    return np.asarray(np.maximum((debt - paid) * (1.0 + rate) ** year, 0.0), dtype=np.float64)


def _taxes(given: _Inputs, income: FloatArray, basis: float, schedules: Schedules, count: int) -> FloatArray:
    """State and federal income tax by year; a loss is a receipt."""
    federal_rate, state_rate = given.share("federal_tax_rate"), given.share("state_tax_rate")
    state = state_rate * (income - _depreciation(given, "sta", basis, schedules, count))
    federal = federal_rate * (income - _depreciation(given, "fed", basis, schedules, count) - state)
    return np.asarray(state + federal, dtype=np.float64)


def _depreciation(given: _Inputs, book: str, basis: float, schedules: Schedules, count: int) -> FloatArray:
    """Yearly write-off; a class that earns an investment credit loses half of it first."""
    out = np.zeros(count + 41)
    for (name, method, years), credit in zip(_CLASSES, _investment_credits(given, basis), strict=True):
        part = given.share(name) * basis - 0.5 * credit
        bonus_on = given.number(f"depr_bonus_{book}_{method}_{years}")
        bonus = given.share(f"depr_bonus_{book}") if bonus_on else 0.0
        out[1] += part * bonus
        shares = schedules[years] if method == "macrs" else _straight_line(years)
        out[1 : len(shares) + 1] += part * (1.0 - bonus) * shares
    return np.asarray(out[: count + 1], dtype=np.float64)


def _investment_credits(given: _Inputs, basis: float) -> FloatArray:
    """Federal investment credit that each class earns, in the order of the classes."""
    rate = given.share("itc_fed_percent")
    return np.array(
        [
            rate * basis * given.share(name) * bool(given.number(f"depr_itc_fed_{method}_{years}"))
            for name, method, years in _CLASSES
        ]
    )


def _straight_line(years: int) -> FloatArray:
    shares = np.full(years + 1, 1.0 / years)
    shares[[0, -1]] = 0.5 / years
    return shares


def _production_credit(given: _Inputs, energy: FloatArray, year: FloatArray) -> FloatArray:
    amount = given.yearly("ptc_fed_amount", len(year) - 1, given.share("ptc_fed_escal"))
    amount = np.round(amount, 3)  # the rate is set in tenths of a cent
    return np.where(year <= given.number("ptc_fed_term"), amount * energy, 0.0)


def _internal_rate(flow: FloatArray) -> float:
    """The rate nearest 0 at which the flows are worth nothing; NaN when there is none."""
    year = np.arange(len(flow), dtype=np.float64)

    def value(rate: float) -> float:
        return float((flow * (1.0 + rate) ** -year).sum())

    grid = np.concatenate([np.linspace(-0.9, 1.0, 191), np.geomspace(1.05, 20.0, 60)])
    at = np.array([value(rate) for rate in grid])
    turns = np.flatnonzero(np.sign(at[:-1]) * np.sign(at[1:]) < 0)
    if not len(turns):
        return float("nan")
    nearest = turns[np.argmin(np.abs(grid[turns]))]
    return float(brentq(value, grid[nearest], grid[nearest + 1], xtol=1e-13))
