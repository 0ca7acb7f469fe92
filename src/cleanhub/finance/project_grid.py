"""What a project is worth over delay, capital, price and the policies in force: a table to interpolate in.

A simulation asks for the value of a project in thousands of draws, each with its own date, cost, price and
law. A valuation takes milliseconds, so each project is valued once on a grid and the draws read between its
nodes (multilinear, kept at the ends). The axes:

- **policy state**: bit k of the state says that ``policies[k]`` is lost (repealed, or not had); state 0 is
  the book *as dated*. The policies are those that pay most, three at most; a policy that another excludes
  takes its place when that one is lost.
- **delay**: years by which construction and service both begin later than the case says. The book is asked
  anew at each, so what has a last day is lost after it. Two nodes stand on the last day of every such date
  and on the day after: the step is in the table, not smeared over the years between two nodes.
- **capital** and **price**: factors on the capital and on every price at which the product is sold; N
  columns of one reading.

Every column sizes its own debt. Values are those of :func:`~cleanhub.finance.case_value.value_case`: at
delay 0, both factors 1 and state 0 they are the same numbers.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cleanhub.finance.build import CASH, Reading, Setting
from cleanhub.finance.case_figures import PRODUCT
from cleanhub.finance.case_value import LENDER, SPONSOR
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.engine import Lines, Outcome, Terms, run
from cleanhub.finance.figures import Values
from cleanhub.finance.policy_setting import DEPRECIATION, applicant_of, quantity_units, tax_terms
from cleanhub.finance.returns import present_value
from cleanhub.finance.valuations import ProjectValue
from cleanhub.hub.schema import ENDED, PAST_FID
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.apply import answer_of
from cleanhub.policy.book import Policy, PolicyBook
from cleanhub.policy.lookup import Index
from cleanhub.policy.stacking import settle

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

VIEWS = (SPONSOR, LENDER)
DELAYS = (0.0, 2.0, 5.0, 10.0)
"""Delays of the grid beside those of deadlines [yr]."""
CAPITAL = (0.6, 1.0, 2.0)
"""Factors on capital."""
PRICES = (0.6, 1.0, 1.6)
"""Factors on the prices of the product."""
MOST_POLICIES = 3
_YEAR = 365.25
_DAY = dt.timedelta(days=1)
_LASTING = frozenset({"jurisdiction", "scenario", "without", "legal_status", "quantity"})
"""Reasons of a *no* that no date changes."""


@dataclass(frozen=True)
class ValueGrid:
    """Net present value of equity and capital spent on a grid.

    Shapes: V views (:data:`VIEWS`), S = 2^len(policies) states, K delays, C capital and P price factors.

    Attributes
    ----------
    policies
        Policies that a state can lose, dearest first.
    delays, capital, prices
        Nodes of the axes, rising, (K,) [yr], (C,), (P,); one price where nothing is sold.
    npv
        At the end of the first year of construction, (V, S, K, C, P) [nominal USD].
    spent
        Capital over all years of construction, (V, K, C) [nominal USD].
    expected_growth
        Final over estimated capital that the case expects and that is in its capital already [1].
    late_interest
        Interest on the debt that is drawn, for a year by which construction is late, over capital: the
        case's rate of debt times its greatest share of debt [1/yr].
    begins, in_service
        Dates of the case without delay.
    """

    project_id: str
    policies: tuple[str, ...]
    delays: FloatArray
    capital: FloatArray
    prices: FloatArray
    npv: FloatArray
    spent: FloatArray
    expected_growth: float
    late_interest: float
    begins: dt.date
    in_service: dt.date

    def state(self, lost: Mapping[str, ArrayLike]) -> IntArray:
        """State of each draw from whether each policy is lost in it, (D,) bool by policy; others are kept."""
        bits = [np.asarray(lost.get(policy, False), bool) << k for k, policy in enumerate(self.policies)]
        total = np.zeros((), dtype=np.int64)
        for bit in bits:
            total = total + bit.astype(np.int64)
        return np.asarray(total, dtype=np.int64)

    def at(
        self, view: str, state: ArrayLike, delay: ArrayLike, capital: ArrayLike, price: ArrayLike
    ) -> FloatArray:
        """Value over capital at D draws, (D,) [1]; each argument (D,) or single.

        Exact at nodes, kept at the ends beyond them; the value and the capital are each interpolated,
        then divided. Raises ``ValueError`` for a view that is none of :data:`VIEWS`.
        """
        row = _row(view)
        given = np.broadcast_arrays(*(np.asarray(one) for one in (state, delay, capital, price)))
        axes = [
            _between(nodes, np.asarray(x, dtype=np.float64))
            for nodes, x in zip((self.delays, self.capital, self.prices), given[1:], strict=True)
        ]
        npv, spent = np.zeros(given[0].shape), np.zeros(given[0].shape)
        for delayed, dearer in product((0, 1), (0, 1)):
            k, in_delay = axes[0][delayed]
            c, in_capital = axes[1][dearer]
            spent += in_delay * in_capital * self.spent[row, k, c]
            for p, in_price in axes[2]:
                npv += in_delay * in_capital * in_price * self.npv[row, given[0], k, c, p]
        return np.divide(npv, spent, out=np.full_like(npv, np.nan), where=spent > 0)

    def along_delay(
        self, view: str, state: ArrayLike, capital: ArrayLike, price: ArrayLike
    ) -> tuple[FloatArray, FloatArray]:
        """Value and capital at every node of delay, (K, D) each [USD]: for draws that only move in time."""
        row = _row(view)
        at, factor, paid = np.broadcast_arrays(*(np.asarray(one) for one in (state, capital, price)))
        npv, spent = (np.zeros((len(self.delays), *at.shape)) for _ in range(2))
        for c, in_capital in _between(self.capital, np.asarray(factor, dtype=np.float64)):
            spent += in_capital * self.spent[row][:, c]
            for p, in_price in _between(self.prices, np.asarray(paid, dtype=np.float64)):
                weight = in_capital * in_price
                if weight.any():
                    npv += weight * np.moveaxis(self.npv[row][at, :, c, p], -1, 0)
        return npv, spent


def _row(view: str) -> int:
    if view not in VIEWS:
        raise ValueError(f"no view {view}; there are {', '.join(VIEWS)}")
    return VIEWS.index(view)


def _between(nodes: FloatArray, x: FloatArray) -> tuple[tuple[IntArray, FloatArray], ...]:
    """The node below and the node above each ``x`` with their weights; the ends hold beyond them."""
    if len(nodes) == 1:
        only = np.zeros(x.shape, dtype=np.int64)
        return (only, np.ones(x.shape)), (only, np.zeros(x.shape))
    low = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    share = np.clip((x - nodes[low]) / (nodes[low + 1] - nodes[low]), 0.0, 1.0)
    return (low, 1.0 - share), (low + 1, share)


def value_grids(
    projects: Sequence[ProjectValue],
    book: PolicyBook,
    delays: Sequence[float] = DELAYS,
    capital: Sequence[float] = CAPITAL,
    prices: Sequence[float] = PRICES,
) -> dict[str, ValueGrid]:
    """Grids of all projects that have a case and whose decision is still to come, by project."""
    found = {}
    for one in projects:
        if one.project.loaded is None or not is_proposed(one.row):
            continue
        grid = value_grid(one.project.loaded, book, delays, capital, prices)
        found[one.project.project_id] = replace(grid, project_id=one.project.project_id)
    return found


def is_proposed(row: pd.Series) -> bool:
    """Whether the decision of a project is still to come, as its row says."""
    return str(row["stage"]) not in (*PAST_FID, *ENDED)


def value_grid(
    loaded: LoadedCase,
    book: PolicyBook,
    delays: Sequence[float] = DELAYS,
    capital: Sequence[float] = CAPITAL,
    prices: Sequence[float] = PRICES,
    policies: Sequence[str] | None = None,
) -> ValueGrid:
    """Value one case over a grid.

    Parameters
    ----------
    loaded, book
        The case, and the policies that are asked.
    delays, capital, prices
        Nodes: years from 0 on, rising; positive factors, rising. Days on which a policy's dates pass
        are added to the delays.
    policies
        Policies that a state can lose; none given: those that pay most, :data:`MOST_POLICIES` at most.

    Raises
    ------
    ValueError
        If nodes do not rise, or begin below 0.
    """
    for name, nodes in (("delays", delays), ("capital", capital), ("prices", prices)):
        if not len(nodes) or min(nodes) < 0 or np.any(np.diff(nodes) <= 0):
            raise ValueError(f"{name} need to rise from 0 or more; found {list(nodes)}")
    asker = _Asker(loaded, book)
    days = sorted({round(delay * _YEAR) for delay in delays})
    moments = [asker.at(day) for day in days]
    losable = _dearest(moments) if policies is None else tuple(policies)
    dates = {day for name in asker.dated for day in _jumps(book.policies[name], moments[0].given)}
    more = sorted(day for day in dates if 0 <= day <= days[-1] and day not in days)
    moments = sorted([*moments, *(asker.at(day) for day in more)], key=lambda one: one.days)
    sold = _sold(loaded)
    mesh = np.meshgrid(capital, prices if sold else [1.0], indexing="ij")
    table = _Table(loaded, [axis.ravel() for axis in mesh], sold)
    for number, moment in enumerate(moments):
        for state in range(1 << len(losable)):
            lost = {policy for k, policy in enumerate(losable) if state >> k & 1}
            table.add(state, number, moment.moved, asker.setting(moment, lost))
    npv, spent = table.valued(len(moments), 1 << len(losable))
    shape = (len(capital), len(mesh[0][0]))
    return ValueGrid(
        project_id=loaded.case.name,
        policies=losable,
        delays=np.array([moment.days / _YEAR for moment in moments]),
        capital=np.asarray(capital, dtype=np.float64),
        prices=np.asarray(prices if sold else [1.0], dtype=np.float64),
        npv=npv.reshape(*npv.shape[:-1], *shape),
        spent=spent.reshape(*spent.shape[:-1], *shape)[..., 0],
        expected_growth=float(np.asarray(table.growth)),
        late_interest=_late_interest(loaded),
        begins=_begins(moments[0].given),
        in_service=loaded.case.project.in_service,
    )


def _late_interest(loaded: LoadedCase) -> float:
    if loaded.case.debt.kind == "none":
        return 0.0
    return float(loaded.values("debt.rate")) * float(loaded.values("debt.gearing_cap"))


def delayed(loaded: LoadedCase, days: int) -> LoadedCase:
    """The same case with construction and service beginning ``days`` later."""
    project = loaded.case.project
    later = dt.timedelta(days=days)
    begins = project.construction_begins
    dates = {
        "in_service": project.in_service + later,
        "construction_begins": None if begins is None else begins + later,
    }
    return replace(loaded, case=loaded.case.model_copy(update={"project": project.model_copy(update=dates)}))


def _begins(given: Applicant) -> dt.date:
    assert given.construction_begins is not None  # applicant_of reckons it back from service
    return given.construction_begins


def _sold(loaded: LoadedCase) -> tuple[str, ...]:
    """Paths of the prices at which the product is sold."""
    streams = loaded.case.revenue.items()
    return tuple(f"revenue.{name}.price" for name, stream in streams if stream.quantity == PRODUCT)


# ---------------------------------------------------------------- policies


@dataclass(frozen=True)
class _Moment:
    """A case some days later, and what each policy says to it by itself."""

    days: int
    moved: LoadedCase
    given: Applicant
    found: tuple[Answer, ...]


class _Asker:
    """Asks those policies whose answer a date, or the loss of another policy, can change."""

    def __init__(self, loaded: LoadedCase, book: PolicyBook) -> None:
        self.loaded, self.book = loaded, book
        self.units = quantity_units(book)
        self.rate = float(loaded.values("returns.project"))
        self.index = Index(book.price_index, float(loaded.values("inflation")))
        given = applicant_of(loaded, book)
        self.names = tuple(
            name
            for name, policy in book.policies.items()
            if not _never(policy, answer_of(book, policy, given, self.index))
        )
        paying = {*CASH, DEPRECIATION}
        self.dated = tuple(name for name in self.names if book.policies[name].instrument in paying)

    def at(self, days: int) -> _Moment:
        """Answers when all begins ``days`` later."""
        moved = delayed(self.loaded, days)
        given = applicant_of(moved, self.book)
        found = (answer_of(self.book, self.book.policies[name], given, self.index) for name in self.names)
        return _Moment(days, moved, given, tuple(found))

    def setting(self, moment: _Moment, lost: Iterable[str]) -> Setting:
        """The answers that can be had together without those lost."""
        left = [answer for answer in moment.found if answer.policy not in lost]
        kept = settle(left, self.book, moment.given.claims, self.rate)
        return Setting(tuple(kept), tax_terms(kept, self.book), self.units)


def _never(policy: Policy, answer: Answer) -> bool:
    """Whether a *no* rests on something that neither a date nor another policy changes."""
    if answer.answer != "no":
        return False
    facts = {
        one.condition
        for one in policy.conditions
        if not one.is_date and not one.either and one.test != "policy_in_force"
    }
    return any(rule in _LASTING or rule in facts for rule in answer.rule.split(";"))


def _dearest(moments: Sequence[_Moment]) -> tuple[str, ...]:
    """Policies that pay most over their life at any delay, dearest first."""
    worth: dict[str, float] = {}
    for moment in moments:
        for answer in moment.found:
            if answer.answer == "pays" and answer.instrument in CASH:
                paid = (float(answer.payments.sum()) + answer.once) * answer.transfer_price
                worth[answer.policy] = max(worth.get(answer.policy, 0.0), paid)
    paying = sorted((-paid, policy) for policy, paid in worth.items() if paid > 0)
    return tuple(policy for _, policy in paying[:MOST_POLICIES])


def _jumps(policy: Policy, given: Applicant) -> list[int]:
    """Days of delay on both sides of every date of a policy that concerns this applicant."""
    begins, service = _begins(given), given.in_service
    assert service is not None
    first: list[tuple[dt.date, dt.date]] = []  # (date of the project, first day on the other side)
    for one in policy.conditions:
        if one.date is not None:
            subject = service if one.test.startswith("in_service") else begins
            first.append((subject, one.date + _DAY if one.test.endswith("_by") else one.date))
    first += [(service, value.in_service_from) for value in policy.values if value.in_service_from]
    once = not policy.quantity  # paid when service begins, else by the year that holds its middle
    if policy.pays_from:
        first.append((service, policy.pays_from if once else dt.date(policy.pays_from.year - 1, 7, 1)))
    if policy.pays_until:
        first.append((service, policy.pays_until + _DAY if once else dt.date(policy.pays_until.year, 7, 1)))
    days = [(other - subject).days for subject, other in first]
    return [side for day in days if day > 0 for side in (day - 1, day)]


# ---------------------------------------------------------------- values


class _Table:
    """Readings of all delays and states, valued side by side; equal settings are valued once."""

    def __init__(self, loaded: LoadedCase, factors: Sequence[FloatArray], sold: Sequence[str]) -> None:
        self.loaded = loaded
        self.values = {view: _columns(loaded, view, factors, sold) for view in VIEWS}
        self.width = len(factors[0])
        self.growth = Reading(loaded, loaded.values, Setting()).cost_growth
        self.places: dict[tuple[int, int], int] = {}
        self.known: dict[tuple[object, ...], int] = {}
        self.readings: list[dict[str, Reading]] = []
        self.bare: dict[int, dict[str, Reading]] = {}

    def add(self, state: int, number: int, moved: LoadedCase, setting: Setting) -> None:
        """One state at one delay."""
        key = (number, *(answer.policy for answer in setting.answers if answer.answer != "no"))
        if key not in self.known:
            if number not in self.bare:  # what policies do not move is worked out once a delay
                self.bare[number] = {
                    view: Reading(moved, self.values[view], setting, view == LENDER, self.width)
                    for view in VIEWS
                }
            readings = {view: copy.copy(reading) for view, reading in self.bare[number].items()}
            for reading in readings.values():
                reading.setting = setting
            self.known[key] = len(self.readings)
            self.readings.append(readings)
        self.places[state, number] = self.known[key]

    def valued(self, delays: int, states: int) -> tuple[FloatArray, FloatArray]:
        """Values (V, S, K, C x P) and capital (V, K, C x P) [USD]."""
        npv = np.empty((len(VIEWS), len(self.readings), self.width))
        spent = np.empty_like(npv)
        groups: dict[object, list[int]] = {}
        for place, readings in enumerate(self.readings):
            groups.setdefault(readings[SPONSOR].setting.tax, []).append(place)
        for group in groups.values():
            for row, (found, capital) in enumerate(self._run(group)):
                npv[row, group], spent[row, group] = found, capital
        at = np.array([[self.places[state, k] for k in range(delays)] for state in range(states)])
        return npv[:, at], spent[:, at[0]]

    def _run(self, group: Sequence[int]) -> list[tuple[FloatArray, FloatArray]]:
        """Both views of some readings under one tax law; debt is sized by the view that the case names."""
        debt = self.loaded.case.debt
        order = (LENDER, SPONSOR) if debt.sized_on == "lender" else (SPONSOR, LENDER)
        service: FloatArray | None = None
        found = {}
        for view in order:
            readings = [self.readings[place][view] for place in group]
            lines = [reading.lines() for reading in readings]
            outcome = _outcome(readings, lines, service)
            service = outcome.service if debt.kind != "none" else None
            rate = float(readings[0].values("returns.equity"))
            shape = (len(group), self.width)
            capital = np.concatenate([line.spending.sum(axis=0) for line in lines])
            found[view] = present_value(outcome.equity, rate).reshape(shape), capital.reshape(shape)
        return [found[view] for view in VIEWS]


def _columns(loaded: LoadedCase, view: str, factors: Sequence[FloatArray], sold: Sequence[str]) -> Values:
    """Numbers of one view with capital and prices multiplied: lenders' bad ends stay beneath the factors."""
    read = Reading(loaded, loaded.values, Setting(), lender=view == LENDER).values
    moved = {"capital.cost": read("capital.cost") * factors[0]}
    moved |= {path: read(path) * factors[1] for path in sold}
    return loaded.values.with_values(**moved)


def _outcome(readings: Sequence[Reading], lines: Sequence[Lines], service: FloatArray | None) -> Outcome:
    """One run of the engine over the columns of all readings."""
    each: list[Terms] = [reading.terms() for reading in readings]
    soft = tuple(
        replace(
            loan,
            amount=np.concatenate(
                [
                    np.broadcast_to(np.asarray(terms.soft[number].amount), (reading.count,))
                    for terms, reading in zip(each, readings, strict=True)
                ]
            ),
        )
        for number, loan in enumerate(each[0].soft)
    )
    terms = replace(each[0], soft=soft, given_service=service)
    return run(_side_by_side(lines), terms, readings[0].rules())


def _side_by_side(lines: Sequence[Lines]) -> Lines:
    """The columns of several lines one after another."""
    width = lines[0].revenue.shape[1]
    joined: dict[str, FloatArray | None] = {}
    for one in fields(Lines):
        parts = [getattr(line, one.name) for line in lines]
        if one.name == "tax_credit":
            if all(part is None for part in parts):
                joined[one.name] = None
                continue
            parts = [np.zeros_like(lines[0].revenue) if part is None else part for part in parts]
        wide = [np.asarray(part, dtype=np.float64) for part in parts]
        joined[one.name] = np.concatenate(
            [np.broadcast_to(part, (*part.shape[:-1], width)) for part in wide], axis=-1
        )
    return Lines(**joined)  # type: ignore[arg-type]
