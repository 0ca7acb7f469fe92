"""How each kind of policy computes what it pays: one small function per code of ``policy_rule``.

A rule takes a :class:`Case` (one policy, one applicant, its figures) and gives a
:class:`Payment`. It knows the shape of a law and no amount: amounts come from ``policy_values``
by item and selector. Register a new rule with :func:`rule` and list its code in the codelist.
Money is nominal USD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from cleanhub.policy import formulas
from cleanhub.policy.applicant import Applicant
from cleanhub.policy.book import Policy
from cleanhub.policy.lookup import Band, Figures, FloatArray

HYDROGEN_INTENSITY = "carbon_intensity_hydrogen_kg_per_kg"
FUEL_EMISSIONS = "emission_rate_kg_per_mmbtu"
FUEL_INTENSITY = "fuel_ci_g_per_mj"
CROP_SHARE = "crop_oil_share"
FLEET = "fleet_size"
LOAN = "loan_usd"
ITEMS = "charging_items"
AWARD = "award_usd"


@dataclass(frozen=True)
class Case:
    """One policy before one applicant.

    ``given`` are the policy's quantities above zero, ``others`` the policies of the book.
    """

    policy: Policy
    applicant: Applicant
    figures: Figures
    given: tuple[str, ...]
    others: Mapping[str, Policy] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of operating years T."""
        return len(self.applicant.years)

    def amount(self, quantity: str) -> FloatArray:
        """Yearly amount of a quantity, shape (T,)."""
        return np.asarray(self.applicant.quantities[quantity], dtype=np.float64)

    def number(self, fact: str) -> float | None:
        """A fact as a number, ``None`` where it is not stated as one."""
        value = self.applicant.facts.get(fact)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@dataclass(frozen=True)
class Payment:
    """What a rule gives: money by year or once, terms, words for the reader, reasons against.

    ``paid`` is the total by year [USD], shape (T,); ``rate`` that total per unit of ``quantity``.
    """

    quantity: str = ""
    rate: Band | None = None
    paid: Band | None = None
    once: tuple[float, float, float] = (0.0, 0.0, 0.0)
    terms: Mapping[str, float] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


Rule = Callable[[Case], Payment]
RULES: dict[str, Rule] = {}


def rule(code: str) -> Callable[[Rule], Rule]:
    """Register a rule under its code of codelist ``policy_rule``."""

    def register(function: Rule) -> Rule:
        RULES[code] = function
        return function

    return register


def not_stated(fact: str, meaning: str) -> str:
    """The reason when a fact is missing: names the fact to state and what it means."""
    return f"{fact} is not stated ({meaning})"


# ---------------------------------------------------------------- rates per unit


@rule("rate_per_unit")
def rate_per_unit(case: Case) -> Payment:
    """Rate of each quantity, times multipliers, phase-down and uplifts; fees are negative."""
    rates: dict[str, Band] = {}
    for quantity in case.given:
        band = case.figures.band("rate", quantity)
        if band is not None:
            rates[quantity] = band * _phase_down(case, quantity)
    if not rates:
        return Payment(refusals=("the policy book holds no rate for it",))
    factor, words = _factors(case)
    sign = -1.0 if case.policy.instrument == "fee" else 1.0
    return _paid_by_quantity(case, {name: band * factor * sign for name, band in rates.items()}, words)


@rule("rate_by_hydrogen_intensity")
def rate_by_hydrogen_intensity(case: Case) -> Payment:
    """Rate of the tier that the hydrogen's carbon intensity lies in; nothing above the limit."""
    intensity = case.number(HYDROGEN_INTENSITY)
    if intensity is None:
        return Payment(refusals=(not_stated(HYDROGEN_INTENSITY, "kg CO2e per kg of hydrogen, well to gate"),))
    limit = case.figures.number("carbon_intensity_limit")
    if limit is not None and intensity > limit:
        return Payment(
            refusals=(f"the carbon intensity {intensity:g} kg CO2e/kg is above the limit of {limit:g}",)
        )
    return _paid_by_tier(case, intensity, f"at a carbon intensity of {intensity:g} kg CO2e/kg")


@rule("rate_by_fleet_size")
def rate_by_fleet_size(case: Case) -> Payment:
    """Rate of the tier that the fleet's size lies in."""
    fleet = case.number(FLEET)
    if fleet is None:
        return Payment(refusals=(not_stated(FLEET, "the number of vehicles in the whole fleet"),))
    return _paid_by_tier(case, fleet, f"for a fleet of {fleet:g}")


@rule("rate_by_fuel_emissions")
def rate_by_fuel_emissions(case: Case) -> Payment:
    """Maximum that falls to nothing at the reference emission rate (45Z)."""
    emissions = case.number(FUEL_EMISSIONS)
    if emissions is None:
        return Payment(refusals=(not_stated(FUEL_EMISSIONS, "kg CO2e per mmBtu of fuel"),))
    maximum, reference = case.figures.band("maximum"), case.figures.band("reference_emission_rate")
    if maximum is None or reference is None:
        return Payment(refusals=("the policy book holds no maximum or no reference emission rate for it",))
    ends = [
        formulas.declining_rate(emissions, reference.value, top)
        for top in (maximum.value, maximum.low, maximum.high)
    ]
    factor, words = _factors(case)
    words = (f"at an emission rate of {emissions:g} kg CO2e/mmBtu", *words)
    return _paid_by_quantity(case, {case.given[0]: Band(*ends) * factor}, words)


@rule("lcfs_credits")
def lcfs_credits(case: Case) -> Payment:
    """Credits of each fuel at the standard of the year, times their price; never below zero."""
    price, top = case.figures.band("price"), case.figures.band("price_maximum")
    if price is None:
        return Payment(refusals=("the policy book holds no price for it",))
    if top is not None:
        price = Band(*(np.minimum(end, top.value) for end in (price.value, price.low, price.high)))
    rates, words, refusals = {}, [], []
    for quantity in case.given:
        credits, intensity, refusal = _lcfs_credits_per_unit(case, quantity)
        if refusal:
            refusals.append(refusal)
            continue
        rates[quantity] = Band(credits, credits, credits) * price
        words.append(f"{quantity} at {intensity:g} g CO2e/MJ")
    if not rates:
        return Payment(refusals=tuple(dict.fromkeys(refusals)))
    if case.size:
        words.append(f"{price.value[0]:,.2f} USD a credit in {int(case.applicant.years[0])}")
    terms = {} if top is None or not case.size else {"price_maximum": float(top.value[0])}
    return _paid_by_quantity(case, rates, tuple(words), terms)


def _lcfs_credits_per_unit(case: Case, quantity: str) -> tuple[FloatArray, float, str]:
    figures = case.figures
    stated = case.number(FUEL_INTENSITY)
    usual = figures.number("carbon_intensity", quantity)
    intensity = stated if stated is not None else usual
    nothing = np.zeros(case.size)
    if intensity is None:
        return nothing, 0.0, not_stated(FUEL_INTENSITY, "the certified carbon intensity in g CO2e/MJ")
    diesel, gasoline = figures.band("benchmark", "diesel"), figures.band("benchmark", "gasoline")
    share = figures.number("diesel_share", quantity)
    density, ratio = figures.number("energy_density", quantity), figures.number("efficiency_ratio", quantity)
    if diesel is None or gasoline is None or share is None or density is None or ratio is None:
        return nothing, 0.0, f"the policy book lacks the standard or the energy of {quantity}"
    standard = share * diesel.value + (1.0 - share) * gasoline.value
    credits = formulas.lcfs_credits(standard, intensity, density, ratio, 1.0)
    return np.maximum(credits, 0.0) * _crop_share(case, quantity), intensity, ""


def _crop_share(case: Case, quantity: str) -> FloatArray:
    """Share of biomass-based diesel that earns credits under the cap on crop oils, shape (T,)."""
    crop, cap = case.number(CROP_SHARE), case.figures.band("crop_share_cap")
    if crop is None or cap is None or quantity not in ("renewable_fuel_diesel", "biodiesel"):
        return np.ones(case.size)
    return 1.0 - crop + np.minimum(crop, cap.value)


# ---------------------------------------------------------------- allowances


@rule("allowance_value")
def allowance_value(case: Case) -> Payment:
    """The price of an allowance for each tonne that need not be surrendered."""
    price = allowance_price(case.figures)
    if price is None:
        return Payment(refusals=("the policy book holds no allowance price",))
    terms = {}
    for item in ("price_floor", "price_tier_1", "price_tier_2", "price_ceiling"):
        band = _rising(case.figures, item)
        if band is not None and case.size:
            terms[item] = float(band.value[0])
    words = ("at the last settlement price, never below the floor nor above the ceiling",)
    return _paid_by_quantity(case, {case.given[0]: price}, words, terms)


@rule("free_allocation")
def free_allocation(case: Case) -> Payment:
    """Allowances for output: benchmark, assistance factor and cap factor, times their price."""
    figures = case.figures
    market = next((one for one in case.others.values() if one.rule == "allowance_value"), None)
    price = None if market is None else allowance_price(replace(figures, policy=market))
    benchmark, assistance = figures.band("product_benchmark"), figures.band("assistance_factor")
    cap = figures.band("cap_factor")
    if price is None or benchmark is None or assistance is None or cap is None:
        return Payment(refusals=("the policy book lacks a benchmark, a factor or the allowance price",))
    given = formulas.free_allocation(1.0, benchmark.value, assistance.value, cap.value)
    words = ("allowances for output, kept when emissions fall",)
    return _paid_by_quantity(case, {case.given[0]: price * given}, words)


def allowance_price(figures: Figures) -> Band | None:
    """Settlement price by year (mean of its auctions), between floor and ceiling [nominal USD/t].

    After the last auction it stays the same in real terms until the floor overtakes it. The low
    end is the floor, the high end the floor times ``high_over_floor``. ``None`` without auctions
    or floor.
    """
    auctions: dict[int, list[float]] = {}
    for row in figures.policy.values:
        if row.item == "settlement_price" and row.year is not None:
            figures.used.add(row.confidence)
            auctions.setdefault(row.year, []).append(row.value)
    floor = _rising(figures, "price_floor")
    if not auctions or floor is None:
        return None
    years = sorted(auctions)
    settled = np.interp(figures.years, years, [float(np.mean(auctions[year])) for year in years])
    growth = figures.index.factor(figures.years, years[-1])
    settled = np.where(figures.years > years[-1], settled * growth, settled)
    ceiling = _rising(figures, "price_ceiling")
    top = np.inf if ceiling is None else ceiling.value
    central = np.minimum(np.maximum(settled, floor.value), top)
    over = figures.number("high_over_floor") or 1.0
    low, high = np.minimum(floor.value, central), np.maximum(floor.value * over, central)
    picked = {"low": low, "value": central, "high": high}[figures.policy.choice.range]
    return Band(picked, low, high)


def _rising(figures: Figures, item: str) -> Band | None:
    """An allowance price set by rule: after its last row it rises by real growth and inflation."""
    band = figures.band(item)
    last = max((row.year for row in figures.policy.values if row.item == item and row.year), default=None)
    if band is None or last is None:
        return band
    yearly = 1.0 + (figures.number("real_growth") or 0.0) + figures.index.inflation
    return band * yearly ** np.maximum(figures.years - last, 0)


# ---------------------------------------------------------------- paid once


@rule("share_of_capital")
def share_of_capital(case: Case) -> Payment:
    """A share of the capital, once, up to a maximum in all or for each item."""
    share = case.figures.band("share", years=np.array([_service_year(case)]))
    if share is None:
        return Payment(refusals=("the policy book holds no share for it",))
    if case.applicant.capital_usd <= 0:
        return Payment(refusals=("capital is not stated (state the capital cost)",))
    added = sum(float(band.value[0]) for row, band in case.figures.every("added_share") if len(band.value))
    factor, words = _factors(case)
    shares = [(float(end[0]) + added) * factor for end in (share.value, share.low, share.high)]
    tops = [np.inf, np.inf, np.inf]
    limit = case.figures.band("maximum", years=np.array([_service_year(case)]))
    if limit is not None:
        tops = [float(end[0]) for end in (limit.value, limit.low, limit.high)]
    each = case.figures.number("maximum_per_item")
    if each is not None:
        items = case.number(ITEMS)
        if items is None:
            return Payment(refusals=(not_stated(ITEMS, "how many charging ports or dispensers"),))
        tops = [min(top, each * items) for top in tops]
    capital = case.applicant.capital_usd
    value, low, high = (min(share * capital, top) for share, top in zip(shares, tops, strict=True))
    words = (f"{shares[0]:.1%} of the capital" + (", at its maximum" if value == tops[0] else ""), *words)
    return Payment("capital", once=(value, low, high), terms={"share": shares[0]}, words=words)


@rule("award_stated")
def award_stated(case: Case) -> Payment:
    """The award that the project states, once."""
    award = case.number(AWARD)
    terms = case.figures.terms()
    if award is None:
        return Payment(terms=terms, refusals=(not_stated(AWARD, "the amount of the award in USD"),))
    return Payment("capital", once=(award, award, award), terms=terms, words=("the award as stated",))


# ---------------------------------------------------------------- terms


@rule("guarantee_by_loan")
def guarantee_by_loan(case: Case) -> Payment:
    """The share of a loan that is guaranteed, by tier of its size; pays nothing."""
    loan = case.number(LOAN)
    if loan is None:
        return Payment(refusals=(not_stated(LOAN, "the loan in USD"),))
    bounds, bands = case.figures.tiers("share")
    if not bands:
        return Payment(refusals=("the policy book holds no share for it",))
    share = _tier(case, loan, bounds, [_first(band) for band in bands])
    words = (f"guarantees {share:.0%} of a loan of {loan:,.0f} USD",)
    return Payment("", terms={"share": share, "maximum": share * loan}, words=words)


@rule("terms")
def terms(case: Case) -> Payment:
    """Pays nothing by itself: its figures are terms, limits, targets or rates of tax."""
    return Payment("", terms=case.figures.terms())


# ---------------------------------------------------------------- shared steps


def _factors(case: Case) -> tuple[float, tuple[str, ...]]:
    """Product of multipliers, uplifts and phase-down by construction, and the words that say so."""
    factor, words = 1.0, []
    for row, _ in case.figures.every("multiplier"):
        factor *= row.value
        missing = [tag[1:] for tag in row.tags if tag.startswith("!")]
        why = "; ".join(f"{fact} is not stated as yes" for fact in missing)
        words.append(f"at {row.value:.0%} of the full amount" + (f" because {why}" if why else ""))
    for row, _ in case.figures.every("uplift"):
        factor *= 1.0 + row.value
        words.append(f"{row.value:.0%} more for {' and '.join(row.tags) or 'all'}")
    return factor * _construction_phase(case), tuple(words)


def _construction_phase(case: Case) -> float:
    """Share left by the year construction begins."""
    begins = case.applicant.construction_begins
    if begins is None:
        return 1.0
    band = case.figures.band("phase_down_construction", years=np.array([begins.year]))
    return 1.0 if band is None else float(band.value[0])


def _phase_down(case: Case, quantity: str) -> FloatArray:
    band = case.figures.band("phase_down", quantity)
    return np.ones(case.size) if band is None else band.value


def _service_year(case: Case) -> int:
    if case.applicant.in_service is not None:
        return case.applicant.in_service.year
    return int(case.applicant.years[0]) if case.size else case.policy.status_date.year


def _first(band: Band) -> float:
    if len(band.value):
        return float(band.value[0])
    return float("nan")


def _tier(case: Case, where: float, bounds: FloatArray, rates: list[float]) -> float:
    if bounds[0] != -np.inf:  # a row was taken out: below the first bound there is nothing
        bounds, rates = np.concatenate(([-np.inf], bounds)), [0.0, *rates]
    return float(formulas.tier_rate(where, bounds, np.array(rates)))


def _paid_by_tier(case: Case, where: float, words: str) -> Payment:
    bounds, bands = case.figures.tiers("rate")
    if not bands:
        return Payment(refusals=("the policy book holds no rate for it",))
    found = int(np.searchsorted(bounds, where, side="right")) - 1
    if found < 0:
        return Payment(refusals=(f"the policy book holds no rate {words}",))
    factor, more = _factors(case)
    return _paid_by_quantity(case, {case.given[0]: bands[found] * factor}, (words, *more))


def _paid_by_quantity(
    case: Case,
    rates: Mapping[str, Band],
    words: tuple[str, ...] = (),
    terms: Mapping[str, float] | None = None,
) -> Payment:
    """Totals by year over the quantities; the rate is per unit of the quantity that is paid most."""
    paid = {name: band * case.amount(name) for name, band in rates.items()}
    main = max(paid, key=lambda name: abs(float(paid[name].value.sum())))
    total = Band.of(0.0, case.size)
    for band in paid.values():
        total = total + band
    rate = rates[main]
    if len(rates) > 1:
        amount = case.amount(main)
        rate = total * np.divide(1.0, amount, out=np.zeros_like(amount), where=amount > 0)
    return Payment(main, rate, total, terms=dict(terms or {}), words=words)
