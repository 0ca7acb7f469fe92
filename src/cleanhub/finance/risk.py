"""Monte Carlo of one case: correlated draws of every uncertain figure, and what they come to.

Each uncertain figure is drawn as a standard normal variable ``z`` and read by
:meth:`~cleanhub.finance.figures.Resolved.at`, so that its low, central and high value are its
10th, 50th and 90th percentile. Market policies are drawn too, under the path ``policies.<id>``,
which holds ``z`` itself. Correlations of the case join the normal variables (Gaussian copula).

Two questions, two modes. *Financed*: the debt is what lenders lend on the central case and its
service is fixed; each draw says what owners get and whether the service is covered. *Whole*:
each draw sizes its own debt (valuation before the final investment decision).

Every path has a random stream of its own, made of the seed and its name: a figure that is added
to a case leaves the draws of the others as they were (Latin hypercube), and the numbers do not
depend on how many cases are run at a time.

References: McKay, Beckman, Conover (1979), Latin hypercube; Iman, Conover (1982), correlation by
rank; Higham (2002), nearest correlation matrix; Owen (1998), scrambled Sobol points.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import qmc

from cleanhub.core.errors import FaultList
from cleanhub.finance.build import CASH, Reading, Setting
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import LoadedCase
from cleanhub.finance.engine import Outcome, run
from cleanhub.finance.figures import Values
from cleanhub.finance.returns import internal_rate_of_return, present_value
from cleanhub.policy.applicant import Answer

FloatArray = NDArray[np.float64]
Method = Literal["latin_hypercube", "sobol"]
POLICIES = "policies."
RESULTS = ("npv_usd", "irr", "min_dscr", "debt")
_EDGE = 2.0**-54
_SOBOL_BLOCK = 1 << 16
_LEAST_EIGENVALUE = 1e-8
_WORTH_TELLING = 1e-6


# ---------------------------------------------------------------- what is drawn


def uncertain_policies(setting: Setting) -> tuple[Answer, ...]:
    """Policies that pay at a rate with a range: market prices of credits and allowances."""
    return tuple(
        answer
        for answer in setting.answers
        if answer.answer == "pays"
        and answer.instrument in CASH
        and len(answer.rate)
        and answer.quantity not in ("", "capital")
        and any(len(end) and np.any(end != answer.rate) for end in (answer.rate_low, answer.rate_high))
    )


def uncertain_paths(
    loaded: LoadedCase, setting: Setting | None = None, *, judging: bool = False
) -> tuple[str, ...]:
    """Paths of every figure with a range, and ``policies.<id>`` of every market policy, in order.

    What owners ask (``returns``) judges a result and does not make it: it is in only where
    ``judging`` is set, as in a tornado, and is not drawn.
    """
    figures = sorted(
        path
        for path, figure in loaded.figures.items()
        if figure.uncertain and (judging or not path.startswith(("returns.", "reference.")))
    )
    policies = sorted(POLICIES + answer.policy for answer in uncertain_policies(setting or Setting()))
    return (*figures, *policies)


def correlation_matrix(loaded: LoadedCase, paths: Sequence[str]) -> tuple[FloatArray, tuple[str, ...]]:
    """Correlations of ``paths``, shape (P, P), and notes on what could not be taken as stated.

    Pairs that are not stated are 0. Statements that contradict each other (the matrix is not
    positive definite) are moved to the nearest correlation matrix, and a note says by how much
    at most. A pair with a path that is not drawn is noted and left out. Raises
    :class:`~cleanhub.core.errors.InputError` for a pair of a path with itself or stated twice.
    """
    place = {path: number for number, path in enumerate(paths)}
    matrix = np.eye(len(paths))
    notes: list[str] = []
    faults = FaultList()
    seen: set[frozenset[str]] = set()
    for number, pair in enumerate(loaded.case.correlations):
        first, second = pair.between
        key = f"correlations.{number}.between"
        shown = f"{first}, {second}"
        if first == second:
            faults.add(loaded.case.name, column=key, what="a figure with itself", found=shown, allowed="two")
        elif frozenset(pair.between) in seen:
            faults.add(loaded.case.name, column=key, what="duplicate", found=shown, allowed="each pair once")
        elif first in place and second in place:
            matrix[place[first], place[second]] = matrix[place[second], place[first]] = pair.value
        else:
            lacking = ", ".join(path for path in pair.between if path not in place)
            notes.append(f"correlation of {shown} left out: {lacking} is not drawn")
        seen.add(frozenset(pair.between))
    faults.raise_if_any(f"case {loaded.case.name}")
    if len(paths) and np.linalg.eigvalsh(matrix)[0] < _LEAST_EIGENVALUE:
        nearest = nearest_correlation(matrix)
        moved = float(np.abs(nearest - matrix).max())
        if moved > _WORTH_TELLING:
            told = f"moved to the nearest that do not, by {moved:.2g} at most"
            notes.append(f"correlations contradict each other: {told}")
        matrix = nearest
    return matrix, tuple(notes)


def nearest_correlation(matrix: FloatArray) -> FloatArray:
    """Positive definite correlation matrix nearest to a symmetric one (Frobenius norm), shape (P, P).

    Alternating projections with Dykstra's correction (Higham 2002); eigenvalues are at least 1e-8.
    """
    found, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(10_000):
        start = found - correction
        definite = _definite(start)
        correction = definite - start
        previous, found = found, definite.copy()
        np.fill_diagonal(found, 1.0)
        if np.abs(found - previous).max() < 1e-12:
            break
    found = _definite(found)
    size = np.sqrt(np.diag(found))
    scaled: FloatArray = found / np.outer(size, size)
    np.fill_diagonal(scaled, 1.0)
    return scaled


def _definite(matrix: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 2.0 * _LEAST_EIGENVALUE)) @ vectors.T)


# ---------------------------------------------------------------- draws


@dataclass(frozen=True)
class NormalDraws:
    """Standard normal draws ``z`` of shape (P, N), one row for each path; figures are read block by block."""

    loaded: LoadedCase
    paths: tuple[str, ...]
    z: FloatArray
    notes: tuple[str, ...] = ()

    def values(self, start: int = 0, stop: int | None = None) -> dict[str, FloatArray]:
        """Draws ``start`` to ``stop`` in the units of their figures (policies: ``z``), by path."""
        part = self.z[:, start:stop]
        return {
            path: self.loaded.figures[path].at(row) if path in self.loaded.figures else row
            for path, row in zip(self.paths, part, strict=True)
        }


def normal_draws(
    loaded: LoadedCase, paths: Sequence[str], samples: int, seed: int, method: Method = "latin_hypercube"
) -> NormalDraws:
    """Correlated standard normal draws of ``paths``; 8 bytes for each path and draw.

    With the Latin hypercube each path keeps its strata: correlated paths are put in the order of
    ranks of correlated normal variables. Sobol points are scrambled; they are balanced where
    ``samples`` is a power of two. Raises :class:`~cleanhub.core.errors.InputError`.
    """
    _check(loaded, paths, samples, seed, method)
    paths = tuple(paths)
    matrix, notes = correlation_matrix(loaded, paths)
    z = np.empty((len(paths), samples))
    if method == "sobol":
        _fill_sobol(z, seed)
        if samples & (samples - 1):
            notes = (*notes, f"{samples} Sobol points are not balanced: a power of two is")
    else:
        for row, path in zip(z, paths, strict=True):
            points = qmc.LatinHypercube(d=1, seed=_stream(seed, path)).random(samples)
            ndtri(np.clip(points[:, 0], _EDGE, 1.0 - _EDGE), out=row)
    _correlate(z, matrix, keep_strata=method == "latin_hypercube")
    return NormalDraws(loaded, paths, z, notes)


def draws(
    loaded: LoadedCase,
    samples: int,
    seed: int = 0,
    method: Method = "latin_hypercube",
    paths: Sequence[str] | None = None,
) -> dict[str, FloatArray]:
    """Draws of figures by path, each shape (samples,), in the unit of its field.

    Parameters
    ----------
    loaded
        The case.
    samples, seed
        How many, and the seed: same seed, same numbers.
    method
        ``latin_hypercube`` or ``sobol`` (scrambled).
    paths
        What is drawn; none: every figure with a range. ``policies.<id>`` gives ``z`` itself.
    """
    chosen = uncertain_paths(loaded) if paths is None else paths
    return normal_draws(loaded, chosen, samples, seed, method).values()


def _check(loaded: LoadedCase, paths: Sequence[str], samples: Any, seed: Any, method: str) -> None:
    faults, name = FaultList(), loaded.case.name
    for what, value, least in (("samples", samples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            faults.add(name, column=what, what="impossible", found=value, allowed=f"whole, at least {least}")
    if method not in ("latin_hypercube", "sobol"):
        faults.add(name, column="method", what="unknown", found=method, allowed="latin_hypercube, sobol")
    for path in paths:
        if path not in loaded.figures and not path.startswith(POLICIES):
            allowed = ", ".join(uncertain_paths(loaded))
            faults.add(name, column="paths", what="no such figure", found=path, allowed=allowed)
    if len(set(paths)) < len(paths):
        faults.add(name, column="paths", what="duplicate", allowed="each path once")
    faults.raise_if_any(f"draws of {name}")


def _stream(seed: int, path: str) -> np.random.Generator:
    """Random numbers of one path: of the seed and its name, whatever else is drawn."""
    words = np.frombuffer(hashlib.sha256(path.encode()).digest()[:16], dtype=np.uint32)
    return np.random.default_rng([seed, *map(int, words)])


def _fill_sobol(z: FloatArray, seed: int) -> None:
    if not len(z):
        return
    points = qmc.Sobol(len(z), scramble=True, seed=np.random.default_rng(seed))
    samples = z.shape[1]
    for start in range(0, samples, _SOBOL_BLOCK):
        wanted = min(_SOBOL_BLOCK, samples - start)
        drawn = points.random(1 << (wanted - 1).bit_length())[:wanted]
        ndtri(np.clip(drawn.T, _EDGE, 1.0 - _EDGE), out=z[:, start : start + wanted])


def _correlate(z: FloatArray, matrix: FloatArray, keep_strata: bool) -> None:
    """Mix rows of ``z`` in place; from the last one up, so that no second copy is needed."""
    factor = np.linalg.cholesky(matrix) if len(z) else matrix
    for row in range(len(z) - 1, 0, -1):
        others = np.flatnonzero(factor[row, :row])
        if not len(others):
            continue
        mixed = factor[row, row] * z[row]
        for other in others:
            mixed += factor[row, other] * z[other]
        if keep_strata:
            order = np.argsort(mixed, kind="stable")
            mixed[order] = np.sort(z[row])
        z[row] = mixed


# ---------------------------------------------------------------- valuation of many readings


@dataclass(frozen=True)
class Financing:
    """How the debt of many readings is found: a service that is fixed, or sized in each reading."""

    loaded: LoadedCase
    setting: Setting
    service: FloatArray | None

    def equity(
        self, values: Values, lender_values: Values | None = None, count: int = 1
    ) -> tuple[Outcome, FloatArray]:
        """Sponsor's outcome of N readings, and the NPV of equity (N,) [USD].

        ``lender_values`` are what lenders read when they size the debt anew; none: ``values``, with
        bad ends only for what is not replaced.
        """
        service, debt = self.service, self.loaded.case.debt
        if service is None and debt.kind != "none" and debt.sized_on == "lender":
            lender = Reading(self.loaded, lender_values or values, self.setting, lender=True, count=count)
            service = run(lender.lines(), lender.terms(), lender.rules()).service
        reading = Reading(self.loaded, values, self.setting, count=count)
        outcome = run(reading.lines(), reading.terms(service), reading.rules())
        return outcome, present_value(outcome.equity, values("returns.equity"))


def financing(value: CaseValue, whole: bool = False) -> Financing:
    """The debt of the central case with its service fixed, or (``whole``) debt sized in each reading."""
    case, service = value.loaded.case, None
    if not whole and case.debt.kind != "none":
        view = value.lender if case.debt.sized_on == "lender" else value.sponsor
        service = view.outcome.service
    return Financing(value.loaded, value.setting, service)


def least_cover(outcome: Outcome) -> FloatArray:
    """Least cover ratio of each case, (N,); NaN where there is no debt to serve."""
    cover = outcome.cover()
    least = np.where(np.isnan(cover), np.inf, cover).min(axis=0)
    return np.where(np.isinf(least), np.nan, least)


# ---------------------------------------------------------------- Monte Carlo


@dataclass(frozen=True)
class Distribution:
    """Results of N draws.

    Attributes
    ----------
    npv_usd, irr, min_dscr, debt
        Net present value of equity [USD], its internal rate of return [1/yr] (NaN where there is
        none), least cover ratio (NaN without debt), senior debt [USD]; each shape (N,).
    central
        The same of the central case.
    paths
        What was drawn.
    whole
        Whether each draw sized its own debt.
    notes
        What a reader must know about the draws.
    """

    npv_usd: FloatArray
    irr: FloatArray
    min_dscr: FloatArray
    debt: FloatArray
    central: Mapping[str, float]
    paths: tuple[str, ...]
    samples: int
    seed: int
    method: str
    whole: bool = False
    notes: tuple[str, ...] = field(default=())

    def of(self, name: str) -> FloatArray:
        """One of ``npv_usd``, ``irr``, ``min_dscr``, ``debt``. Raises ``KeyError``."""
        if name not in RESULTS:
            raise KeyError(name)
        return np.asarray(getattr(self, name))

    def percentile(self, name: str, percent: float) -> float:
        """Percentile (0 to 100) of a result among the draws that have it; NaN if none has."""
        known = _known(self.of(name))
        return float(np.percentile(known, percent)) if len(known) else float("nan")

    def mean(self, name: str) -> float:
        """Mean of a result among the draws that have it; NaN if none has."""
        known = _known(self.of(name))
        return float(known.mean()) if len(known) else float("nan")

    @property
    def probability_of_loss(self) -> float:
        """Share of draws in which equity falls short of its required return (NPV below 0)."""
        return float((self.npv_usd < 0).mean())

    @property
    def probability_not_covered(self) -> float:
        """Share of draws in which debt service is not covered in some year; without debt it is."""
        return float((self.min_dscr < 1.0).mean())

    def expected_shortfall(self, share: float = 0.05) -> float:
        """Mean NPV of the worst ``share`` of draws [USD]; at least one draw."""
        if not 0.0 < share <= 1.0:
            raise ValueError(f"a share above 0 and up to 1; found {share}")
        worst = max(1, round(share * self.samples))
        return float(np.partition(self.npv_usd, worst - 1)[:worst].mean())

    def summary(self) -> dict[str, Any]:
        """Plain numbers for a table or JSON: mean, P10, P50, P90 of each result, and the chances."""
        found: dict[str, Any] = {
            name: {
                "central": self.central[name],
                "mean": self.mean(name),
                **{f"p{percent}": self.percentile(name, percent) for percent in (10, 50, 90)},
                "share_without": float(np.isnan(self.of(name)).mean()),
            }
            for name in RESULTS
        }
        found["probability_of_loss"] = self.probability_of_loss
        found["probability_not_covered"] = self.probability_not_covered
        found["expected_shortfall_usd"] = self.expected_shortfall()
        found.update(samples=self.samples, seed=self.seed, method=self.method, whole=self.whole)
        found.update(paths=list(self.paths), notes=list(self.notes))
        return found


def _known(array: FloatArray) -> FloatArray:
    return np.asarray(array[~np.isnan(array)])


def monte_carlo(
    loaded: LoadedCase,
    setting: Setting,
    samples: int = 10_000,
    seed: int = 0,
    method: Method = "latin_hypercube",
    block: int = 4000,
    whole: bool = False,
    paths: Sequence[str] | None = None,
) -> Distribution:
    """Value a case at many draws.

    Parameters
    ----------
    loaded, setting
        The case, and the policies and tax law it meets.
    samples, seed, method
        Draws, as in :func:`draws`.
    block
        Most draws run at once; bounds memory. Financed results do not depend on it; whole ones
        only within the tolerance to which the engine sizes debt (1e-10).
    whole
        Whether each draw sizes its own debt; else the lender's central debt service is fixed in all
        draws, and only the gearing cap can still lower it. In a whole draw lenders know the draw:
        bad ends hold for figures that are not drawn.
    paths
        What is drawn; none: every figure with a range and every market policy.

    Raises :class:`~cleanhub.core.errors.InputError`.
    """
    if block < 1:
        faults = FaultList()
        faults.add(loaded.case.name, column="block", what="impossible", found=block, allowed="at least 1")
        faults.raise_if_any(f"draws of {loaded.case.name}")
    drawn = normal_draws(
        loaded, uncertain_paths(loaded, setting) if paths is None else paths, samples, seed, method
    )
    value = value_case(loaded, setting)
    debt = financing(value, whole)
    found = {name: np.empty(samples) for name in RESULTS}
    for start, stop in _blocks(samples, block):
        values = Values(loaded.figures, drawn.values(start, stop))
        outcome, npv = debt.equity(values, count=stop - start)
        part = slice(start, stop)
        found["npv_usd"][part] = npv
        found["irr"][part] = internal_rate_of_return(outcome.equity)
        found["min_dscr"][part] = least_cover(outcome)
        found["debt"][part] = outcome.debt
    view = value.sponsor
    central = {"npv_usd": view.npv_usd, "irr": view.irr, "min_dscr": view.min_dscr, "debt": view.debt_usd}
    return Distribution(
        **found,
        central=central,
        paths=drawn.paths,
        samples=samples,
        seed=seed,
        method=method,
        whole=whole,
        notes=drawn.notes,
    )


def _blocks(samples: int, block: int) -> Iterator[tuple[int, int]]:
    """Runs of at most ``block`` draws, of like length: none holds a single draw unless ``block`` is 1."""
    ends: Iterable[int] = np.linspace(0, samples, -(-samples // block) + 1).astype(int).tolist()
    start, *rest = ends
    for stop in rest:
        yield start, stop
        start = stop
