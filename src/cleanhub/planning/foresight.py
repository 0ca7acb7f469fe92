"""What deciding year by year costs above the best path with all years known ahead.

The optimum of the same problem (:mod:`cleanhub.pathways.optimal`) bounds the cost of every path
that keeps the hard limits; the difference to the plan's own path is the price of owners'
short sight and of limits served first come, first served. Its marginal values say what one unit
more of each limit would save.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.engine import walk

FloatArray = NDArray[np.float64]
MOST_MARKETS = 8
"""Markets that meet a demand up to which the optimum is solved inside a plan."""
TOO_LARGE = (
    f"not solved inside a plan: more than {MOST_MARKETS} markets; "
    "cleanhub pathways HUB --rule optimal solves it"
)


@dataclass(frozen=True)
class Foresight:
    """The plan's path against the optimum, in dollars' worth of the first year.

    ``cost_usd`` of the path, ``least_usd`` below which none lies, ``marginal`` value of each limit
    by year (Q, T) [USD per unit]. Where there is no optimum, ``note`` says why and the numbers are
    NaN; it also names the hard limits that the path breaks, for then the two are not alike.
    """

    cost_usd: float
    least_usd: float
    note: str
    marginal: FloatArray | None = None

    @property
    def excess_usd(self) -> float:
        """What the path costs above the optimum [USD]."""
        return self.cost_usd - self.least_usd

    @property
    def excess_percent(self) -> float:
        """The same as a share of the optimum [%]."""
        return self.excess_usd / abs(self.least_usd) * 100.0 if self.least_usd else float("nan")


def compare_with_optimum(pathway: Pathway) -> Foresight:
    """Solve the optimum of the pathway's problem and value its path alike.

    Under rule optimal the path compared is that of least cost, year by year.
    """
    from cleanhub.pathways.optimal import ConflictError, cost_of, solve_optimal  # with a solver: heavy

    problem = pathway.problem
    none = float("nan")
    if int(problem.markets.meets_demand.sum()) > MOST_MARKETS and pathway.optimum is None:
        return Foresight(none, none, TOO_LARGE)
    path = pathway.walked
    if problem.rule.name == "optimal":
        path = walk(replace(problem, rule=replace(problem.rule, name="least_cost")))
    try:
        best = pathway.optimum or solve_optimal(problem, path.multiplier)
    except ConflictError as error:
        names = "; ".join(sorted({name for one in error.sets for _, name in one}))
        return Foresight(none, none, f"no path keeps all hard limits: {names}")
    cost = cost_of(problem, path, path.multiplier)
    broken = sorted({one.limit for one in cost.broken})
    note = "system cost of plants and vehicles with technologies, discounted to the first year"
    if broken:
        note += f"; the path breaks {', '.join(broken)}, the optimum does not"
    return Foresight(cost.total, best.bound, note, best.shadow)


def with_marginal_values(limits: pd.DataFrame, pathway: Pathway, found: Foresight) -> pd.DataFrame:
    """Plan table ``limits`` with the marginal values of the optimum filled in."""
    if found.marginal is None:
        return limits
    position = {limit.name: q for q, limit in enumerate(pathway.problem.limits)}
    first = int(pathway.years[0])
    value = [
        found.marginal[position[name], int(year) - first] if name in position else np.nan
        for name, year in zip(limits["limit"], limits["year"], strict=True)
    ]
    return limits.assign(marginal_value=np.array(value, dtype=np.float64))
