"""What public support closes the gap of a project, at least public cost.

The gap is closed when equity earns its required return (sponsor's NPV at least 0) and, if asked,
the lender's least cover ratio is at least ``cover``. Five instruments are tried alone and in pairs:

- ``grant``: paid with the spending of construction; cuts what can be depreciated. Cost: the
  payments.
- ``loan``: concessional, behind the senior debt. Cost: what is drawn less the service, and the
  losses expected.
- ``first_loss``: the same, and senior lenders accept a lower cover ratio, in proportion to the
  tranche up to a full share of the capital.
- ``guarantee``: on a share of the senior debt; the rate and the cover ratio fall in proportion.
  Cost: the losses expected less fees.
- ``price_floor``: a contract for difference on all product sold. The public pays what the
  case's own price lacks of the strike price; lenders count the strike price on merchant sales too.
  Cost: these payments.

Public cost is a present value at ``returns.public``, dated like NPV (end of the first year of
construction). The loss expected in a year is the default rate times (1 - recovery) of what is
owed to senior and public lenders; a public loan bears it first, a guarantee its share of the
rest. Tax that comes back is not deducted; support that the case already has is not counted.
Terms come from the case, its fields' defaults and the library table ``support_terms``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.finance.build import Reading, Setting
from cleanhub.finance.case_figures import PRODUCT
from cleanhub.finance.case_model import Guarantee, SoftLoan
from cleanhub.finance.case_value import levelised_cost
from cleanhub.finance.cases import LoadedCase, case_of
from cleanhub.finance.engine import Lines, Outcome, SoftTerms, Terms, run
from cleanhub.finance.figures import Values
from cleanhub.finance.returns import present_value
from cleanhub.finance.risk import least_cover

FloatArray = NDArray[np.float64]
INSTRUMENTS = ("grant", "loan", "first_loss", "guarantee", "price_floor")
_ADDED = "added"
_SECTIONS, _ROUNDS = 17, 10
_COARSE = 7
_DOUBLINGS = 24


@dataclass(frozen=True)
class SupportTerms:
    """Terms on which support is given.

    Rates are per year, shares between 0 and 1; tenor and grace in years. ``default_rate`` and
    ``recovery`` say what lending and guaranteeing cost the public.
    """

    loan_rate: float
    loan_tenor: int
    loan_grace: int
    first_loss_full_share: float
    first_loss_cover_ratio: float
    guarantee_most_share: float
    guarantee_rate_cut: float
    guarantee_fee: float
    guarantee_cover_ratio: float
    default_rate: float
    recovery: float


def support_terms(loaded: LoadedCase, **changes: float) -> SupportTerms:
    """Terms from the defaults of a case's loans and guarantee and from the library, with ``changes``.

    Raises ``TypeError`` for an unknown term.
    """
    table = loaded.library.tables["support_terms"]
    rows = dict(zip(table["item"].astype(str), table["value"].astype(float), strict=True))
    loan, guarantee = SoftLoan.model_fields, Guarantee.model_fields
    terms: dict[str, Any] = {
        "loan_rate": loan["rate"].default.value,
        "loan_tenor": loan["tenor"].default,
        "loan_grace": loan["grace"].default,
        "guarantee_fee": guarantee["fee"].default.value,
        "default_rate": guarantee["default_rate"].default.value,
        "recovery": guarantee["recovery"].default.value,
        **rows,
    }
    return SupportTerms(**{**terms, **changes})


@dataclass(frozen=True)
class Package:
    """Support that was tried.

    Attributes
    ----------
    amounts, units
        Least amount of each instrument, and its unit: USD of the day, share of the senior debt, USD
        of the price year per unit of product. Where it does not close the gap: the amount that
        does most.
    closes
        Whether it closes the gap.
    public_cost_usd, expected_loss_usd
        Present value of what the public pays, and what of that is expected losses on loans and
        guarantees [USD].
    cost_per_tonne
        Public cost over all tonnes CO2e avoided in the project's life, not discounted [USD/t]; NaN
        where the case does not state them.
    npv_usd, min_dscr, debt_usd
        Sponsor's NPV, lender's least cover ratio (NaN without debt) and senior debt with it.
    gap_closed
        Share of the gap in NPV that it closes, up to 1.
    because
        Why it does not close the gap, or what to know.
    short_years
        Years in which the sponsor's central cash flow is less than the service of all loans: a loan
        that closes the gap on paper may still not be served.
    """

    amounts: Mapping[str, float]
    units: Mapping[str, str]
    closes: bool
    public_cost_usd: float
    expected_loss_usd: float
    cost_per_tonne: float
    npv_usd: float
    min_dscr: float
    debt_usd: float
    gap_closed: float
    because: str = ""
    short_years: int = 0

    @property
    def name(self) -> str:
        """Instruments joined by ``+``; ``nothing`` where none is needed."""
        return " + ".join(self.amounts) or "nothing"


def support_needed(
    loaded: LoadedCase,
    setting: Setting,
    terms: SupportTerms | None = None,
    cover: float | None = None,
    instruments: Sequence[str] = INSTRUMENTS,
    pairs: bool = True,
) -> list[Package]:
    """Packages that close the gap, least public cost first; then those that cannot, with how much they do.

    Parameters
    ----------
    loaded, setting
        The case, and the policies and tax law it meets.
    terms
        Terms of the instruments; none: :func:`support_terms`.
    cover
        Least cover ratio asked in the lender's view; none: whatever lenders lend on is enough.
    instruments
        Which to try.
    pairs
        Also try every two together, amounts searched on a grid that is then refined; a pair is
        listed where it costs less than each of its two alone.

    A case without a gap gives one package of nothing. Raises
    :class:`~cleanhub.core.errors.InputError` for an unknown instrument.
    """
    faults = FaultList()
    for name in instruments:
        if name not in INSTRUMENTS:
            allowed = ", ".join(INSTRUMENTS)
            faults.add(loaded.case.name, column="instruments", what="unknown", found=name, allowed=allowed)
    faults.raise_if_any(f"support of {loaded.case.name}")
    search = _Search(_Supported(loaded, setting, terms or support_terms(loaded)), cover)
    if search.enough(search.base)[0]:
        return [search.package({}, True, "no gap: the project earns its required return")]
    singles = {name: search.single(name) for name in instruments}
    found = list(singles.values())
    if pairs:
        possible = [name for name in instruments if search.case.most(name) > 0]
        for first, second in combinations(possible, 2):
            both = search.pair(first, second, singles)
            if both is not None:
                found.append(both)
    return sorted(found, key=_rank)


def _rank(package: Package) -> tuple[bool, float, str]:
    return (
        not package.closes,
        package.public_cost_usd if package.closes else -package.gap_closed,
        package.name,
    )


# ---------------------------------------------------------------- a case with support


@dataclass(frozen=True)
class _Tried:
    """What N trials come to, each shape (N,)."""

    npv: FloatArray
    min_dscr: FloatArray
    debt: FloatArray
    cost: FloatArray
    loss: FloatArray
    short_years: NDArray[np.int64]


class _Supported:
    """A case with room for every instrument, valued at many amounts at once."""

    def __init__(self, loaded: LoadedCase, setting: Setting, terms: SupportTerms) -> None:
        self.terms, self.setting = terms, setting
        self.has_debt = loaded.case.debt.kind != "none"
        self.guaranteed = loaded.case.support.guarantee is not None
        self.loaded = case_of(
            _with_room(loaded, terms, self.has_debt and not self.guaranteed), loaded.library
        )
        self.sponsor = Reading(self.loaded, self.loaded.values, setting)
        self.lender = Reading(self.loaded, self.loaded.values, setting, lender=True)
        self.capital = float(self.sponsor.spending.sum())
        self.public_rate = float(self.loaded.values("returns.public"))
        self.loan = _loan_flows(self.sponsor, terms)
        avoided = float(self.loaded.values.get("reference.emissions_avoided", np.nan))
        self.tonnes = float(self.sponsor.made.sum()) * avoided

    def unit(self, name: str) -> str:
        """Unit of an instrument's amount."""
        per_product = f"USD/{self.loaded.unit}"
        return {"guarantee": "1", "price_floor": per_product}.get(name, "USD")

    def most(self, name: str) -> float:
        """Most that can be given of an instrument; 0 where it cannot be given at all."""
        if name == "guarantee":
            return self.terms.guarantee_most_share if self.has_debt and not self.guaranteed else 0.0
        if name == "first_loss" and not self.has_debt:
            return 0.0
        if name == "price_floor":
            return np.inf if self._streams() else 0.0
        given = self.sponsor.lines().grants.sum()
        return max(self.capital - float(given), 0.0)

    def start(self) -> float:
        """A strike price to start from: the highest of the case's prices and its levelised cost."""
        prices = [float(self.loaded.values(f"revenue.{name}.price")) for name in self._streams()]
        return max(*prices, levelised_cost(self.sponsor), 1e-12)

    def impossible(self, name: str) -> str:
        """Why an instrument cannot be given."""
        if name == "guarantee" and self.guaranteed:
            return "the case has a guarantee already"
        if name == "price_floor":
            return "no product is sold"
        return "there is no senior debt" if not self.has_debt else "nothing is left to pay for"

    def _streams(self) -> list[str]:
        return [name for name, one in self.loaded.case.revenue.items() if one.quantity == PRODUCT]

    def tried(self, amounts: Mapping[str, FloatArray]) -> _Tried:
        """Value the case at amounts of each instrument, arrays of one shape (N,)."""
        given = {name: np.asarray(amounts.get(name, 0.0), dtype=np.float64) for name in INSTRUMENTS}
        count = max((array.size for array in given.values()), default=1)
        given = {name: np.broadcast_to(array, (count,)) for name, array in given.items()}
        sized_on_lender = self.has_debt and self.loaded.case.debt.sized_on == "lender"
        lent = self._run(given, count, True, None)
        sponsor = self._run(given, count, False, lent.service if sized_on_lender else None)
        if self.has_debt and not sized_on_lender:
            lent = self._run(given, count, True, sponsor.service)
        npv = present_value(sponsor.equity, float(self.loaded.values("returns.equity")))
        own = given["grant"] + (given["loan"] + given["first_loss"]) * float(self.loan.drawn.sum())
        npv = np.where(own <= self.capital * (1.0 + 1e-12), npv, -np.inf)  # no more than the plant costs
        cost, loss = self._public(given, sponsor, count)
        served = sponsor.service + sponsor.soft_service
        short = (served > 1e-6 * self.capital) & (sponsor.cash_flow < served * (1.0 - 1e-9))
        return _Tried(npv, least_cover(lent), sponsor.debt, cost, loss, np.asarray(short.sum(axis=0)))

    def _run(
        self, given: Mapping[str, FloatArray], count: int, lender: bool, service: FloatArray | None
    ) -> Outcome:
        base = self.lender if lender else self.sponsor
        changes: dict[str, FloatArray] = {
            f"support.grants.{_ADDED}.amount": given["grant"],
            f"support.loans.{_ADDED}.amount": given["loan"] + given["first_loss"],
        }
        if self.has_debt:
            changes["debt.cover_ratio"] = self._cover_ratio(base, given)
            if not self.guaranteed:
                changes["support.guarantee.share"] = given["guarantee"]
        values = self.loaded.values.with_values(**changes)
        reading = Reading(self.loaded, values, self.setting, lender=lender, count=count)
        lines = _with_floor(reading, given["price_floor"]) if given["price_floor"].any() else reading.lines()
        return run(lines, reading.terms(service if self.has_debt else None), reading.rules())

    def _cover_ratio(self, base: Reading, given: Mapping[str, FloatArray]) -> FloatArray:
        """Cover ratio that lenders ask, lower in proportion to tranche or guarantee, whichever helps more."""
        own, terms = base.values("debt.cover_ratio"), self.terms
        tranche = np.minimum(given["first_loss"] / (terms.first_loss_full_share * self.capital), 1.0)
        covered = given["guarantee"] / terms.guarantee_most_share
        behind = own - np.maximum(own - terms.first_loss_cover_ratio, 0.0) * tranche
        backed = own - np.maximum(own - terms.guarantee_cover_ratio, 0.0) * covered
        return np.asarray(np.minimum(behind, backed))

    def _public(
        self, given: Mapping[str, FloatArray], sponsor: Outcome, count: int
    ) -> tuple[FloatArray, FloatArray]:
        """Present value of what the public pays, and of that the losses expected, (N,) [USD]."""
        rows, terms = self.sponsor.rows, self.terms
        lent = given["loan"] + given["first_loss"]
        paid = np.zeros((rows + self.sponsor.life, count))
        paid[:rows] += np.asarray(self.loaded.case.capital.spending)[:, None] * given["grant"]
        paid[:rows] += self.loan.drawn[:, None] * lent
        paid[rows:] -= self.loan.service[:, None] * lent
        if given["price_floor"].any():
            reading = Reading(self.loaded, self.loaded.values, self.setting, count=count)
            paid[rows:] += _top_up(reading, given["price_floor"])[0]
        behind = self.loan.owed[:, None] * lent
        senior = np.concatenate([sponsor.debt[None], sponsor.balance[:-1]])
        lost = (1.0 - terms.recovery) * (senior + behind)
        first = np.minimum(behind, lost * (lent > 0))
        losses = np.zeros_like(paid)
        losses[rows:] = terms.default_rate * (first + given["guarantee"] * (lost - first))
        paid[rows:] -= terms.guarantee_fee * given["guarantee"] * senior
        loss = present_value(losses, self.public_rate)
        return present_value(paid, self.public_rate) + loss, loss


def _with_room(loaded: LoadedCase, terms: SupportTerms, guarantee: bool) -> dict[str, Any]:
    """The case's data with an empty grant, loan and guarantee to be filled."""
    data = {key: item for key, item in loaded.data.items() if key != "based_on"}
    support = dict(data.get("support", {}))
    nothing = {"value": 0.0, "unit": "USD"}
    support["grants"] = {**support.get("grants", {}), _ADDED: {"amount": dict(nothing)}}
    soft = {"amount": dict(nothing), "rate": terms.loan_rate, "tenor": terms.loan_tenor}
    support["loans"] = {**support.get("loans", {}), _ADDED: {**soft, "grace": terms.loan_grace}}
    if guarantee:
        support["guarantee"] = {
            "share": 0.0,
            "rate_cut": terms.guarantee_rate_cut,
            "fee": terms.guarantee_fee,
        }
    data["support"] = support
    return data


@dataclass(frozen=True)
class _LoanFlows:
    """A public loan of one dollar at service: drawn (B,), service (T,) and owed at each year's start (T,)."""

    drawn: FloatArray
    service: FloatArray
    owed: FloatArray


def _loan_flows(reading: Reading, terms: SupportTerms) -> _LoanFlows:
    """The engine's own schedule of such a loan, read from a project without senior debt."""
    life = reading.life
    soft = SoftTerms(1.0, terms.loan_rate, min(terms.loan_tenor, life), terms.loan_grace)
    only = Terms("none", np.zeros((life, 1)), 0.0, 0, 1.0, 0.0, soft=(soft,))
    alone = run(reading.lines(), only, reading.rules())
    drawn = (alone.sources["loans behind it"] - alone.uses["interest during construction"])[:, 0]
    service = alone.soft_service[:, 0]
    owed = np.empty(life)
    balance = 1.0
    for year, paid in enumerate(service):
        owed[year] = balance
        balance = max(balance * (1.0 + terms.loan_rate) - paid, 0.0)
    return _LoanFlows(drawn, service, owed)


def _top_up(reading: Reading, strike: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What a floor of ``strike`` adds to sales, and to what lenders count, each (T, N) [USD of the day].

    The strike price is indexed as the price of each stream is.
    """
    added = np.zeros((reading.life, reading.count))
    counted = np.zeros_like(added)
    paths = {
        name: f"revenue.{name}.price"
        for name, stream in reading.case.revenue.items()
        if stream.quantity == PRODUCT
    }
    at_one = Reading(
        reading.loaded,
        Values(reading.values.figures, {**reading.values.replaced, **dict.fromkeys(paths.values(), 1.0)}),
        reading.setting,
        lender=reading.lender,
        count=reading.count,
    )
    for name, (sold, bound) in at_one.sales_lines().items():
        if name not in paths:
            continue
        price = reading.values(paths[name])
        relied_on = price if bound or not reading.lender else price * reading.case.lender.merchant_share
        added += sold * np.maximum(strike - price, 0.0)
        counted += sold * np.maximum(strike - relied_on, 0.0)
    return added, counted


def _with_floor(reading: Reading, strike: FloatArray) -> Lines:
    """Lines of a reading whose product sells at ``strike`` at least."""
    lines = reading.lines()
    added, counted = _top_up(reading, strike)
    working = lines.working_capital + added * reading.case.working_capital.receivable_days / 365.0
    working[-1] = 0.0
    return replace(
        lines, revenue=lines.revenue + added, bankable=lines.bankable + counted, working_capital=working
    )


# ---------------------------------------------------------------- the search


class _Search:
    """Least amounts that close the gap."""

    def __init__(self, case: _Supported, cover: float | None) -> None:
        self.case, self.cover = case, cover
        self.base = case.tried({})
        self.limits: dict[str, float] = {}

    def enough(self, tried: _Tried) -> NDArray[np.bool_]:
        """Whether each trial closes the gap; a case without debt covers it."""
        closed = tried.npv >= 0
        if self.cover is not None:
            closed &= ~(tried.min_dscr < self.cover * (1.0 - 1e-9))
        return np.asarray(closed)

    def least(self, name: str, others: Mapping[str, FloatArray], rounds: int = _ROUNDS) -> FloatArray:
        """Least amount of an instrument beside ``others`` of shape (J,); NaN where none is enough.

        Amounts are tried side by side from 0 to the most; the step in which the gap closes first is
        cut again, by 16 in each round.
        """
        rows = next(iter(others.values())).size if others else 1
        low, high = np.zeros(rows), np.full(rows, self.limit(name))
        possible: NDArray[np.bool_] = np.ones(rows, dtype=np.bool_)
        steps = np.linspace(0.0, 1.0, _SECTIONS)
        for turn in range(rounds):
            amount: FloatArray = np.asarray(low[:, None] + (high - low)[:, None] * steps)
            wide = {key: np.repeat(array, _SECTIONS) for key, array in others.items()}
            closed = self.enough(self.case.tried({**wide, name: amount.ravel()})).reshape(rows, _SECTIONS)
            if turn == 0:
                possible = np.asarray(closed.any(axis=1))
            first = closed.argmax(axis=1)
            column = np.arange(rows)
            low, high = amount[column, np.maximum(first - 1, 0)], amount[column, first]
        return np.where(possible, high, np.nan)

    def limit(self, name: str) -> float:
        """Most of an instrument that is tried; a strike price is doubled until it is enough."""
        if name not in self.limits:
            most = self.case.most(name)
            if np.isinf(most):
                strikes: FloatArray = self.case.start() * 2.0 ** np.arange(_DOUBLINGS, dtype=np.float64)
                closed = self.enough(self.case.tried({name: strikes}))
                most = float(strikes[closed.argmax()] if closed.any() else strikes[-1])
            self.limits[name] = most
        return self.limits[name]

    def package(self, amounts: Mapping[str, float], closes: bool, because: str = "") -> Package:
        """A package valued."""
        tried = self.case.tried({name: np.array([amount]) for name, amount in amounts.items()})
        npv, cost, short = float(tried.npv[0]), float(tried.cost[0]), int(tried.short_years[0])
        gap = -float(self.base.npv[0])
        closed = 1.0 if gap <= 0 else float(np.clip((npv + gap) / gap, 0.0, 1.0))
        return Package(
            amounts=dict(amounts),
            units={name: self.case.unit(name) for name in amounts},
            closes=closes,
            public_cost_usd=cost,
            expected_loss_usd=float(tried.loss[0]),
            cost_per_tonne=cost / self.case.tonnes if self.case.tonnes > 0 else np.nan,
            npv_usd=npv,
            min_dscr=float(tried.min_dscr[0]),
            debt_usd=float(tried.debt[0]),
            gap_closed=closed,
            because=because,
            short_years=short,
        )

    def single(self, name: str) -> Package:
        """One instrument alone."""
        if self.case.most(name) <= 0:
            return self.package({name: 0.0}, False, f"cannot be given: {self.case.impossible(name)}")
        least = float(self.least(name, {})[0])
        if np.isfinite(least):
            return self.package({name: least}, True)
        amounts = np.linspace(0.0, self.limit(name), 4 * _SECTIONS)
        tried = self.case.tried({name: np.asarray(amounts)})
        best = int(np.argmax(tried.npv))
        shown = self.package({name: float(amounts[best])}, False)
        reason = (
            f"closes {shown.gap_closed:.0%} of the gap at most"
            if shown.npv_usd < 0
            else f"the cover ratio asked, {self.cover:g}, is not reached"
        )
        return replace(shown, because=reason)

    def pair(self, first: str, second: str, singles: Mapping[str, Package]) -> Package | None:
        """Two instruments at least cost, if that is less than each of them alone."""
        alone = min(
            (singles[name].public_cost_usd for name in (first, second) if singles[name].closes),
            default=np.inf,
        )
        if first == "price_floor":
            first, second = second, first
        top = singles[first].amounts[first] if singles[first].closes else self.limit(first)
        low, high = 0.0, top
        best: tuple[float, float, float] | None = None
        for _ in range(3):
            amounts: FloatArray = np.linspace(low, high, _COARSE)
            partner = self.least(second, {first: amounts}, _ROUNDS // 2)
            closed = np.isfinite(partner)
            if not closed.any():
                return None
            tried = self.case.tried({first: amounts, second: np.where(closed, partner, 0.0)})
            cost = np.where(closed, tried.cost, np.inf)
            at = int(np.argmin(cost))
            if best is None or cost[at] < best[0]:
                best = (float(cost[at]), float(amounts[at]), float(partner[at]))
            low, high = float(amounts[max(at - 1, 0)]), float(amounts[min(at + 1, _COARSE - 1)])
        assert best is not None
        cost_found, one, two = best
        two = float(self.least(second, {first: np.array([one])})[0]) if two > 0 else two
        if one <= 0 or two <= 0 or cost_found >= alone * (1.0 - 1e-6):
            return None
        return self.package({first: one, second: two}, True)
