"""The optimum of a few plants by trying everything, year by year, in plain loops.

Written from the rules alone (see the first lines of ``pathways/optimal_cost.py``), without the arrays of
the programme: plants outside of markets that meet a demand, any switches, no learning.
"""

from __future__ import annotations

from collections.abc import Iterator

from cleanhub.pathways.problem import RETROFIT, Problem

Run = tuple[int, ...]


def is_due(problem: Problem, plant: int, tech: int, t: int) -> bool:
    """Whether a plant that runs ``tech`` falls due in year position ``t``."""
    if t == 0 or problem.years[t] <= problem.last_reported:
        return False
    since = int(problem.years[t] - problem.plants.last_investment[plant])
    return since % int(problem.tech.cycle[tech]) == 0


def runs(problem: Problem, plant: int) -> Iterator[Run]:
    """Every sequence of technologies that a plant may run."""

    def grow(run: list[int]) -> Iterator[Run]:
        t = len(run)
        if t == len(problem.years):
            yield tuple(run)
            return
        own = run[-1]
        for k in options(problem, plant, own, t):
            yield from grow([*run, k])

    yield from grow([int(problem.plants.start[plant])])


def options(problem: Problem, plant: int, own: int, t: int) -> list[int]:
    """What a plant may run in year position ``t``, having run ``own``."""
    out = [own]
    year, tech = int(problem.years[t]), problem.tech
    market = int(problem.plants.market[plant])
    region = int(problem.markets.region[market])
    if year < problem.first_choice or year <= problem.last_reported or year > problem.plants.closes[plant]:
        return out
    if not (problem.rule.reinvest_early or is_due(problem, plant, own, t)):
        return out
    tonnes = float(problem.plants.made[plant, t]) * float(tech.direct[own])
    for k in range(len(tech.names)):
        if k == own or problem.kinds[own, k] == 0 or tech.earliest[k] > year:
            continue
        if problem.costs.priced[region, k] and tonnes >= tech.minimum_site_t[k]:
            out.append(k)
    return out


def run_cost(problem: Problem, plant: int, run: Run) -> float:
    """System cost of one plant that runs ``run``."""
    tech, costs, rate = problem.tech, problem.costs, problem.rule.discount_rate
    region = int(problem.markets.region[problem.plants.market[plant]])
    count = len(problem.years)
    total, since = 0.0, 0
    for t in range(count):
        k, made = run[t], float(problem.plants.made[plant, t])
        discount = (1.0 + rate) ** -t
        total += discount * made * float(costs.yearly[region, k, t])
        spent = 0.0
        standing = problem.years[t] <= problem.plants.closes[plant]
        if t and run[t] != run[t - 1]:
            since = t
            before = run[t - 1]
            early = not is_due(problem, plant, before, t)
            added = problem.kinds[before, k] == RETROFIT and early
            spent = float(tech.capex_added[k] if added else tech.capex[k])
        elif is_due(problem, plant, k, t) and standing:
            spent = float(tech.capex[k] - tech.capex_added[k] if tech.base[k] >= 0 else tech.capex[k])
        if since and t - since < problem.rule.horizon:
            total -= discount * made * float(costs.credits[region, k, since])
        life = int(tech.lifetime[k])
        yearly = spent * made / life if rate == 0 else spent * made * rate / (1.0 - (1.0 + rate) ** -life)
        total += sum(yearly * (1.0 + rate) ** -s for s in range(t, min(t + life, count)))
    return total


def cheapest(problem: Problem, plant: int) -> tuple[float, Run]:
    """Cost and sequence of the cheapest run of a plant."""
    return min((run_cost(problem, plant, run), run) for run in runs(problem, plant))
