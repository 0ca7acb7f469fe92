"""What moves a result: tornado, break-even, and the value of each policy by its removal.

The tornado takes each uncertain figure to its low and its high end (10th and 90th percentile),
everything else central, with the debt that was lent on the central case (or sized anew with
``whole``). Break-even asks at which value of one figure the project just earns its required
return, with debt sized anew, as :func:`~cleanhub.finance.case_value.value_case` does. The value
of a policy is what changes when it is taken away and the law is asked again, so that a rival
which it excluded may come in; the single values therefore need not add up to that of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.finance.build import Setting, bad_ends
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.figures import Z90, Values
from cleanhub.finance.price_search import PriceQuestion, prices_at_return
from cleanhub.finance.returns import internal_rate_of_return, present_value
from cleanhub.finance.risk import POLICIES, Financing, financing, uncertain_paths, uncertain_policies

FloatArray = NDArray[np.float64]
Result = Literal["npv_usd", "price_at_return", "irr"]
_POINTS = 65
_ROUNDS = 12


# ---------------------------------------------------------------- tornado


@dataclass(frozen=True)
class Bar:
    """One figure of a tornado.

    Attributes
    ----------
    path, unit
        The figure and its unit.
    low, central, high
        Its 10th percentile, median and 90th percentile; for a policy the mean yearly rate.
    at_low, at_central, at_high
        The result there; NaN where there is none.
    """

    path: str
    unit: str
    low: float
    central: float
    high: float
    at_low: float
    at_central: float
    at_high: float

    @property
    def swing(self) -> float:
        """Distance between the results at both ends; NaN where one has none."""
        return abs(self.at_high - self.at_low)


def tornado(
    loaded: LoadedCase, setting: Setting, measure: Result = "npv_usd", whole: bool = False
) -> list[Bar]:
    """Each uncertain figure and market policy at both ends, the widest swing first.

    Parameters
    ----------
    loaded, setting
        The case, and the policies and tax law it meets.
    measure
        ``npv_usd`` and ``irr`` of equity, or ``price_at_return`` (which always sizes debt anew; a
        figure that is moved is moved for lenders too).
    whole
        Size the debt anew in every reading; else its service is that of the central case.

    Raises :class:`~cleanhub.core.errors.InputError` for an unknown measure.
    """
    if measure not in ("npv_usd", "price_at_return", "irr"):
        faults = FaultList()
        allowed = "npv_usd, price_at_return, irr"
        faults.add(loaded.case.name, column="measure", what="unknown", found=measure, allowed=allowed)
        faults.raise_if_any(f"tornado of {loaded.case.name}")
    ends = _ends(loaded, setting)
    changes = [(path, at) for path, (_, low, _, high) in ends.items() for at in _settings(path, low, high)]
    if measure == "price_at_return":
        readings = [loaded.values.with_values(**{path: at}) for path, at in changes]
        *found, central = prices_at_return(
            [PriceQuestion(loaded, setting, values=values) for values in (*readings, loaded.values)]
        )
    else:
        debt = financing(value_case(loaded, setting), whole)
        *found, central = _one_at_a_time(debt, changes, measure)
    bars = [
        Bar(path, unit, low, middle, high, found[2 * number], central, found[2 * number + 1])
        for number, (path, (unit, low, middle, high)) in enumerate(ends.items())
    ]
    return sorted(bars, key=lambda bar: (-np.nan_to_num(bar.swing, nan=np.inf), bar.path))


def _ends(loaded: LoadedCase, setting: Setting) -> dict[str, tuple[str, float, float, float]]:
    """Unit, low, central and high of everything that is uncertain."""
    ends: dict[str, tuple[str, float, float, float]] = {}
    for path in uncertain_paths(loaded, judging=True):
        figure = loaded.figures[path]
        ends[path] = (figure.unit, figure.low, figure.value, figure.high)
    for answer in uncertain_policies(setting):
        low = answer.rate_low if len(answer.rate_low) else answer.rate
        high = answer.rate_high if len(answer.rate_high) else answer.rate
        unit = setting.unit_of(answer.quantity)
        means = (float(low.mean()), float(answer.rate.mean()), float(high.mean()))
        ends[POLICIES + answer.policy] = (f"USD/{unit}" if unit else "USD", *means)
    return ends


def _settings(path: str, low: float, high: float) -> tuple[float, float]:
    """What takes the place of the central number at both ends; policies are set by their normal variable."""
    return (-Z90, Z90) if path.startswith(POLICIES) else (low, high)


def _one_at_a_time(debt: Financing, changes: Sequence[tuple[str, float]], measure: str) -> list[float]:
    """The result with each change alone, and last with none; all run at once."""
    loaded = debt.loaded
    count = len(changes) + 1
    central = {path: float(loaded.values.get(path, 0.0)) for path, _ in changes}
    lenders = central | {
        path: end for path, end in bad_ends(loaded, loaded.case.lender.bad_ends).items() if path in central
    }

    def arrays(defaults: Mapping[str, float]) -> Values:
        columns = {path: np.full(count, number) for path, number in defaults.items()}
        for number, (path, at) in enumerate(changes):
            columns[path][number] = at
        return Values(loaded.figures, columns)

    values = arrays(central)
    outcome, npv = debt.equity(values, arrays(lenders), count)
    found = npv if measure == "npv_usd" else internal_rate_of_return(outcome.equity)
    return [float(one) for one in np.broadcast_to(found, (count,))]


# ---------------------------------------------------------------- break-even


@dataclass(frozen=True)
class BreakEven:
    """The value of one figure at which equity is worth ``target_npv``.

    ``value`` is NaN where there is none within the figure's limits, and ``reason`` says why.
    ``crossings`` counts the values that were seen to do so; ``value`` is the nearest to ``central``.
    """

    path: str
    unit: str
    central: float
    npv_at_central: float
    value: float
    reason: str = ""
    crossings: int = 1


def break_even(
    loaded: LoadedCase, setting: Setting, path: str, target_npv: float = 0.0, whole: bool = True
) -> BreakEven:
    """The value of the figure at ``path`` at which the sponsor's NPV is ``target_npv`` [USD].

    Parameters
    ----------
    loaded, setting
        The case, and the policies and tax law it meets.
    path
        A figure of the case.
    target_npv
        Net present value of equity that is sought [USD].
    whole
        Size the debt anew at every value (as ``value_case`` does with the number replaced); else its
        service is that of the central case.

    Raises :class:`~cleanhub.core.errors.InputError` for an unknown path.
    """
    if path not in loaded.figures:
        faults = FaultList()
        allowed = ", ".join(sorted(loaded.figures))
        faults.add(loaded.case.name, column="path", what="no such figure", found=path, allowed=allowed)
        faults.raise_if_any(f"break-even of {loaded.case.name}")
    figure = loaded.figures[path]
    central_case = value_case(loaded, setting)
    debt = financing(central_case, whole)

    def above(points: FloatArray) -> FloatArray:
        values = loaded.values.with_values(**{path: points})
        with np.errstate(all="ignore"):  # far from the central number anything may overflow
            return np.broadcast_to(debt.equity(values, None, len(points))[1], points.shape) - target_npv

    at_central = central_case.sponsor.npv_usd
    points = _tried(loaded, path)
    worth = above(points)
    kept = np.isfinite(worth)
    points, worth = points[kept], worth[kept]
    turns = np.flatnonzero((worth[:-1] >= 0) != (worth[1:] >= 0))

    def answer(value: float, reason: str) -> BreakEven:
        return BreakEven(path, figure.unit, figure.value, at_central, value, reason, len(turns))

    if not len(turns):
        return answer(np.nan, _why_none(worth, points, figure.unit, target_npv))
    distance = np.maximum(points[turns] - figure.value, figure.value - points[turns + 1])
    at = int(turns[np.argmin(distance)])
    found, left = _closed(above, float(points[at]), float(points[at + 1]))
    if abs(left) > 1e-6 * float(np.abs(worth[[at, at + 1]]).max()):
        return answer(np.nan, f"value jumps at {found:g} {figure.unit} without meeting the target")
    return answer(found, "")


def _tried(loaded: LoadedCase, path: str) -> FloatArray:
    """Values to try, rising: outwards from the central number, and evenly between finite limits."""
    figure = loaded.figures[path]
    least, most = figure.measure.least, _most(loaded, path)
    scale = max(abs(figure.value), figure.high - figure.low) or 1.0
    steps = scale * 2.0 ** np.arange(-10.0, 31.0)
    points = np.concatenate([figure.value - steps, [figure.value], figure.value + steps])
    if np.isfinite(least) and np.isfinite(most):
        points = np.concatenate([points, np.linspace(least, most, 2 * _POINTS)])
    return np.unique(np.clip(points, least, most))


def _most(loaded: LoadedCase, path: str) -> float:
    """Upper limit of a figure; a share of sales may not pass what other sales leave."""
    parts = path.split(".")
    if parts[0] != "revenue" or parts[-1] != "share":
        return loaded.figures[path].measure.most
    own, life = loaded.case.revenue[parts[1]], loaded.case.production.life
    others = [
        (one, float(loaded.values(f"revenue.{name}.share")))
        for name, one in loaded.case.revenue.items()
        if name != parts[1] and one.quantity == own.quantity
    ]
    sold = [
        sum(share for one, share in others if one.first_year <= year <= one.last_year)
        for year in range(own.first_year, min(own.last_year, life) + 1)
    ]
    return max(1.0 - max(sold, default=0.0), loaded.figures[path].value)


def _closed(above: Callable[[FloatArray], FloatArray], low: float, high: float) -> tuple[float, float]:
    """Where ``above`` changes sign between ``low`` and ``high``, and what is left of it there."""
    for _ in range(_ROUNDS):
        points = np.linspace(low, high, _POINTS)
        worth = above(points)
        at = int(np.argmax((worth >= 0) != (worth[0] >= 0)))
        low, high = float(points[max(at - 1, 0)]), float(points[at])
        if high - low <= 1e-13 * max(abs(low), abs(high)):
            break
    first, last = above(np.array([low, high]))
    share = first / (first - last) if first != last else 0.0
    found = low + float(share) * (high - low)
    return found, float(above(np.array([found, found]))[0])


def _why_none(worth: FloatArray, points: FloatArray, unit: str, target: float) -> str:
    if not len(worth) or float(worth.max() - worth.min()) <= 1e-9 * max(float(np.abs(worth).max()), 1.0):
        return "the result does not depend on it"
    best = int(np.argmin(np.abs(worth)))
    side = "below" if worth[best] < 0 else "above"
    shown = "" if unit == "1" else f" {unit}"
    return (
        f"stays {side} the target from {points[0]:g} to {points[-1]:g}{shown}; "
        f"nearest {worth[best] + target:,.0f} USD at {points[best]:g}{shown}"
    )


# ---------------------------------------------------------------- value of policies


@dataclass(frozen=True)
class PolicyValue:
    """What one policy, or all together, is worth to the sponsor.

    Attributes
    ----------
    policy, name
        Its identifier and name; the last row, of all together, has the identifier ``""``.
    npv_change_usd
        Sponsor's NPV with it less without it [USD].
    price_change
        Price at return with it less without it [USD per unit]; below 0 where it helps, NaN where
        there is no such price with or without it.
    cash_usd
        Present value at the equity return of what it pays, after any discount and before tax [USD].
    comes_in
        Policies that pay only when it is away.
    note
        What a reader must know.
    """

    policy: str
    name: str
    npv_change_usd: float
    price_change: float
    cash_usd: float
    comes_in: tuple[str, ...] = ()
    note: str = ""


NOT_ADDITIVE = (
    "the single values need not add up: a policy that leaves may let an excluded one in, and debt and tax "
    "depend on all together"
)


def policy_values(
    loaded: LoadedCase,
    setting: Setting,
    setting_without: Callable[[str], Setting],
    policies: Iterable[str],
    price: bool = True,
) -> list[PolicyValue]:
    """Value of each policy by removal, and last of all together.

    Parameters
    ----------
    loaded, setting
        The case, and the policies and tax law it meets.
    setting_without
        The setting when the policy named is not asked for.
    policies
        Identifiers of the policies to remove, one at a time.
    price
        Whether the change of the price at return is worked out (it takes most of the time).

    All together means no policy at all; tax law (rates, depreciation) stays as it is with them.
    """
    value = value_case(loaded, setting)
    cash = _paid(value)
    names = {answer.policy: answer.name for answer in setting.answers}
    with_all = value.price_at_return if price else np.nan
    rows = []
    for policy in policies:
        without = value_case(loaded, setting_without(policy))
        comes_in = tuple(sorted(set(_paid(without)) - set(cash)))
        rows.append(
            PolicyValue(
                policy,
                names.get(policy, policy),
                value.sponsor.npv_usd - without.sponsor.npv_usd,
                with_all - without.price_at_return if price else np.nan,
                cash.get(policy, 0.0),
                comes_in,
                f"when it leaves, {', '.join(comes_in)} pays" if comes_in else "",
            )
        )
    none = value_case(loaded, replace(setting, answers=()))
    rows.append(
        PolicyValue(
            "",
            "all together",
            value.sponsor.npv_usd - none.sponsor.npv_usd,
            with_all - none.price_at_return if price else np.nan,
            sum(cash.values()),
            (),
            NOT_ADDITIVE,
        )
    )
    return rows


def _paid(value: CaseValue) -> dict[str, float]:
    """Present value of what each policy pays, where it pays anything [USD]."""
    reading, found = value.sponsor.reading, {}
    for policy, line in reading.policy_lines().items():
        yearly = line.yearly.copy()
        yearly[0] += line.once
        flows = np.concatenate([np.zeros((reading.rows, yearly.shape[1])), yearly])
        worth = float(present_value(flows, value.sponsor.equity_return)[0])
        if worth:
            found[policy] = worth
    return found
