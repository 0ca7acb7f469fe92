"""What the base rates say of counts that were published, beside the counts.

The published tracker counts plants: announced, financed, operating. From its first count, with the
announced stock as published since (straight lines between counts, the last one held), the hazard of
decisions gives the decisions of each later window: ``N ~ Poisson(h S)``, with ``S`` the stock times years
of the window and ``h`` drawn between the ends of its range. Hydrogen projects are counted as one cohort that
was announced evenly from a first to a last month: with the hazard ``h`` and ``k = h / ever`` the share past
the decision after ``T`` years is ``ever (1 - (1 - exp(-k T)) / (k T))``.

What this cannot show: the counts are one cohort of one tracker, its plants of all ages and sectors, and
the hazard was derived from decisions of 2025, a part of the same years. Only windows after them test it.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.tables import conform
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pipeline.calibrate import Calibration
from cleanhub.pipeline.draws import normal, stream
from cleanhub.pipeline.problem import FloatArray, Setting
from cleanhub.pipeline.ranges import spread

DRAWS = 10_000
TRACKER = "tracker"
_WORLD = "plants of seven sectors, world"
_POPULATIONS = {
    "hydrogen": "low-emission hydrogen, world",
    "us_ccs": "commercial CO2 capture, United States",
}
_GIVEN = "given: the first count, and the announced stock as published between; found: decisions since"
_COHORT = "given: the number announced, evenly over the years; found: decisions at the hazard and share ever"


@dataclass(frozen=True)
class Count:
    """One published figure: of whom, what, from and to which moment (years), and its row."""

    population: str
    metric: str
    start: float
    end: float
    date: str
    value: float
    source_id: str
    confidence: str


@dataclass(frozen=True)
class Stock:
    """Announced plants at some moments; straight lines between, the ends held."""

    at: FloatArray
    plants: FloatArray

    def years(self, start: float, end: float) -> float:
        """Plants times years between two moments."""
        inside = self.at[(self.at > start) & (self.at < end)]
        at = np.concatenate([[start], inside, [end]])
        return float(np.trapezoid(np.interp(at, self.at, self.plants), at))


def backtest_table(
    parameters: Parameters, setting: Setting, calibration: Calibration, as_of: str, seed: int = 0
) -> pd.DataFrame:
    """Plan table ``pipeline_backtest``.

    Parameters
    ----------
    parameters
        Table ``pipeline_parameters``: rows ``tracker`` with the item ``metric:month`` or
        ``metric:month/month``, the metric after its population and a dot where it is not the tracker's,
        and ``fid_hazard`` with its range.
    setting, calibration
        Base rates, and what the reference of this hub reaches.
    as_of
        Date of the plan, for rows of the hub itself.
    """
    counts = list(published(parameters))
    z = normal(seed, "backtest:hazard", DRAWS)
    ends = [parameters.value("fid_hazard", "", "1/yr", which) for which in ("low", "value", "high")]
    hazard = spread(z, *ends)
    rows = list(_reference(parameters, setting, calibration, as_of))
    derived_from = _trace(parameters, "fid_hazard")[0]
    rows += _tracker([one for one in counts if one.population == ""], hazard, derived_from, seed)
    rows += _hydrogen([one for one in counts if one.population == "hydrogen"], hazard, setting, seed)
    rows += _failures([one for one in counts if one.population == "us_ccs"], setting)
    table = PLAN_TABLES["pipeline_backtest"]
    return conform(pd.DataFrame(rows, columns=table.names), table)


def published(parameters: Parameters) -> Iterator[Count]:
    """The rows ``tracker``, in the order of their items."""
    rows = parameters.rows
    for (name, item), row in zip(rows.index, rows.to_dict("records"), strict=True):
        if name != TRACKER:
            continue
        what, _, when = str(item).partition(":")
        population, _, metric = what.rpartition(".")
        first, _, last = when.partition("/")
        year, month = (int(part) for part in (last or first).split("-"))
        yield Count(
            population=population,
            metric=metric,
            start=_begin(first),
            end=_begin(last) + 1.0 / 12.0 if last else _begin(first) + 0.5 / 12.0,
            date=f"{year}-{month:02d}-{calendar.monthrange(year, month)[1] if last else 15:02d}",
            value=float(row["value"]),
            source_id=str(row["source_id"]),
            confidence=str(row["confidence"]),
        )


def _begin(month: str) -> float:
    year, number = (int(part) for part in month.split("-"))
    return year + (number - 1) / 12.0


# ---------------------------------------------------------------- populations


def _tracker(
    counts: list[Count], hazard: FloatArray, derived_from: str, seed: int
) -> Iterator[dict[str, object]]:
    stock = sorted((one.end, one.value) for one in counts if one.metric == "announced")
    past = sorted(_past(counts), key=lambda one: one.end)
    if not stock or not past:
        return
    announced = Stock(*np.array(stock).T)
    first, totals = past[0], {one.end: one.value for one in counts if one.metric == "total"}
    tested = [one for one in counts if one.metric == "decisions"] + past[1:]
    for one in tested:
        start = one.start if one.metric == "decisions" else first.end
        already = 0.0 if one.metric == "decisions" else first.value
        random = stream(seed, f"backtest:{one.metric}:{one.date}")
        found = already + random.poisson(hazard * announced.years(start, one.end))
        same = one.metric == "decisions" and one.source_id == derived_from
        yield _row(_WORLD, one, found, "plant", _GIVEN + "; the hazard was derived from these" * same)
        if one.metric == "past_fid" and one.end in totals:
            total = totals[one.end]
            share = replace(one, metric="share_past_fid", value=one.value / total)
            yield _row(_WORLD, share, found / total, "1", f"{_GIVEN}; of all plants as counted")


def _past(counts: list[Count]) -> list[Count]:
    """Plants past their decision at each moment: as published, or operating and financed together."""
    found = {one.end: one for one in counts if one.metric == "past_fid"}
    for one in counts:
        others = [other for other in counts if other.metric == "financed" and other.end == one.end]
        if one.metric == "operating" and others and one.end not in found:
            both = one.value + others[0].value
            found[one.end] = replace(one, metric="past_fid", value=both)
    return list(found.values())


def _hydrogen(
    counts: list[Count], hazard: FloatArray, setting: Setting, seed: int
) -> Iterator[dict[str, object]]:
    cohort = next((one for one in counts if one.metric == "announced"), None)
    if cohort is None:
        return
    who, rate = _POPULATIONS["hydrogen"], hazard / setting.ever
    announced = cohort.value / (cohort.end - cohort.start)
    for one in counts:
        random = stream(seed, f"backtest:hydrogen:{one.metric}:{one.date}")
        left = announced * _left(rate, one.end - cohort.start)
        if one.metric == "past_fid":
            yield _row(who, one, random.poisson(setting.ever * left), "project", _COHORT)
        elif one.metric == "share_past_fid":
            share = setting.ever * left / (announced * (one.end - cohort.start))
            yield _row(
                who, one, share, "1", f"{_COHORT}; published: share of the mass announced for one year"
            )
        elif one.metric == "cancelled":
            before = announced * _left(rate, one.start - cohort.start)
            gone = random.poisson((1.0 - setting.ever) * (left - before))
            yield _row(who, one, gone, "project", f"{_COHORT}; given up, whether anybody says so or not")


def _left(rate: FloatArray, years: float) -> FloatArray:
    """Of a project announced each year for ``years``, how many have left at this rate by the end."""
    return np.asarray(years - (1.0 - np.exp(-rate * years)) / rate)


def _failures(counts: list[Count], setting: Setting) -> Iterator[dict[str, object]]:
    for one in counts:
        if one.metric == "share_failed":
            how = "given: the share that ever decides; theirs is of projects of other years, to their end"
            yield _row(_POPULATIONS["us_ccs"], one, np.array([1.0 - setting.ever]), "1", how)


def _reference(
    parameters: Parameters, setting: Setting, calibration: Calibration, as_of: str
) -> Iterator[dict[str, object]]:
    """The two base rates that the gates are calibrated to, and what they come to."""
    if not calibration.projects:
        return
    for metric, found, given, unit in (
        ("fid_ever", calibration.reached, setting.ever, "1"),
        ("fid_hazard", calibration.hazard, setting.hazard, "1/yr"),
    ):
        source_id, confidence = _trace(parameters, metric)
        one = Count("", metric, 0.0, 0.0, as_of, given, source_id, confidence)
        how = "calibrated to it: no test; the hub's projects with all evidence removed"
        yield _row("projects of the hub without evidence", one, np.array([found]), unit, how)


def _trace(parameters: Parameters, parameter: str) -> tuple[str, str]:
    """Source and confidence of the row of a parameter that holds for all."""
    rows = parameters.rows.reset_index()
    row = rows[(rows["parameter"] == parameter) & (rows["item"].fillna("") == "")].iloc[0]
    return str(row["source_id"]), str(row["confidence"])


def _row(population: str, one: Count, found: NDArray[np.number], unit: str, how: str) -> dict[str, object]:
    low, high = np.percentile(found, (5, 95))
    return {
        "population": population,
        "metric": one.metric,
        "date": one.date,
        "ours": float(np.mean(found)),
        "low": float(low),
        "high": float(high),
        "published": one.value,
        "unit": unit,
        "how": how,
        "source_id": one.source_id,
        "confidence": one.confidence,
    }
