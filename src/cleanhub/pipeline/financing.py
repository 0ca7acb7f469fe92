"""The finance gate of a project with a valuation, judged draw by draw on its value grid.

A project finds its money if its value over capital in the draw, in the sponsor's view or, failing that, in
the lender's, is at least its hurdle. The value is read from
:class:`~cleanhub.finance.project_grid.ValueGrid` at the draw's delay (decision later than the case's own
day on which construction begins), capital, price and the policies in force. Two hurdles:

- *strict*: 0. The valuation sees no balance sheet, no premium, no duty to comply and grants only as
  published, so most plants that stand today would fail it.
- *revealed*: what sponsors of projects past their decision have accepted, valued in the same way, so that
  what the valuation leaves out is left out on both sides. One accepted value is drawn for each project and
  draw. A positive one shows no hurdle above 0, so the hurdle is never above 0 and whatever passes the strict
  hurdle passes this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cleanhub.finance.case_value import LENDER, SPONSOR
from cleanhub.finance.project_grid import ValueGrid
from cleanhub.finance.valuations import ProjectValue
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.schema import PAST_FID
from cleanhub.pipeline.draws import World, uniform
from cleanhub.pipeline.problem import SHARED, BoolArray, FloatArray, Hurdle, IntArray, Projects
from cleanhub.pipeline.stages import year_of

LEAST_ACCEPTED = 5
"""Projects past their decision with a value that it takes to draw hurdles from the hub's own."""
_POLICY = "policy:"


@dataclass(frozen=True)
class ShareOfLink:
    """One project's part of shared infrastructure: its users, its cost, and how likely it is the one used.

    ``users`` (K,) are positions of projects; ``cost`` [USD]; ``weight`` is one over the number of shared
    links of which one is enough for the project.
    """

    users: IntArray
    cost: float
    weight: float = 1.0


@dataclass
class ValueGate:
    """Judges the finance gates of projects with a grid; a :class:`~cleanhub.pipeline.draws.FinanceGate`.

    Attributes
    ----------
    projects, grids
        The projects in order, and the grids of some of them by project.
    hurdle
        Which of the two.
    accepted
        Values over capital of projects past their decision, rising, (A,) [1].
    kept
        Chance that a policy stays in force, by policy (empty: any other), for those that are no node of
        the graph.
    """

    projects: Projects
    grids: Mapping[str, ValueGrid]
    hurdle: Hurdle
    accepted: FloatArray
    kept: Mapping[str, float] = field(default_factory=dict)
    _margins: dict[tuple[int, bytes], FloatArray] = field(default_factory=dict, repr=False)
    _repealed: dict[str, BoolArray] = field(default_factory=dict, repr=False)
    _world: tuple[object, ...] = field(default=(), repr=False)

    @cached_property
    def known(self) -> BoolArray:
        """Live projects with a grid, (P,)."""
        return np.array([one in self.grids for one in self.projects.id], dtype=bool) & self.projects.live

    def passes(self, project: int, decided: FloatArray, world: World) -> BoolArray:
        """Whether the project finds its money if it decides ``decided`` years after as_of, (D,) bool.

        Raises ``KeyError`` for a project without a grid.
        """
        grid = self.grids[str(self.projects.id[project])]
        state = grid.state(self.lost(grid, world))
        margins = self._margin(project, grid, np.broadcast_to(state, decided.shape), world)
        delay = decided - (year_of(grid.begins) - world.setting.as_of)
        low, share = _place(grid.delays, delay)
        draws = np.arange(len(decided))
        found = np.zeros(len(decided), dtype=bool)
        for margin in margins:  # sponsor, lender
            found |= (1.0 - share) * margin[low, draws] + share * margin[low + 1, draws] >= 0.0
        return found

    def hurdles(self, project: int, seed: int, draws: int) -> FloatArray:
        """Least value over capital at which the project decides, (D,) [1]; the same for the same seed."""
        if self.hurdle == "strict":
            return np.zeros(draws)
        u = uniform(seed, f"hurdle:{self.projects.id[project]}", draws)
        return np.minimum(inverse(self.accepted, u), 0.0)

    def along_delay(
        self, project: int, state: IntArray, capital: FloatArray, price: FloatArray
    ) -> list[tuple[FloatArray, FloatArray]]:
        """Value and capital of sponsor and lender at every node of delay, (K, D) each [USD]."""
        grid = self.grids[str(self.projects.id[project])]
        return [grid.along_delay(view, state, capital, price) for view in (SPONSOR, LENDER)]

    def lost(self, grid: ValueGrid, world: World) -> dict[str, BoolArray]:
        """Whether each policy of a grid is out of force, (D,) by policy.

        A policy that is a node of the graph is as the world drew it; others are drawn here with their
        chance to stay, each from its own stream.
        """
        self._look_at(world)
        found = {}
        for policy in grid.policies:
            if _POLICY + policy in world.in_force:
                found[policy] = ~world.in_force[_POLICY + policy]
                continue
            if policy not in self._repealed:
                u = uniform(world.seed, f"kept:{policy}", world.draws)
                self._repealed[policy] = u > self.kept.get(policy, self.kept.get("", 1.0))
            found[policy] = self._repealed[policy]
        return found

    def _look_at(self, world: World) -> None:
        """Forget what was worked out for other draws. A world with a policy taken out has the same draws."""
        same = (world.capital, world.price, world.ready, world.graph)
        if len(self._world) != len(same) or any(a is not b for a, b in zip(self._world, same, strict=True)):
            self._world = same
            self._margins.clear()
            self._repealed.clear()

    def _margin(self, project: int, grid: ValueGrid, state: IntArray, world: World) -> FloatArray:
        """Value less hurdle times capital at each node of delay, (2, K, D) [USD].

        Everything but the date is the same however often a world is looked at, so it is kept.
        """
        self._look_at(world)
        key = (project, state.tobytes())
        if key not in self._margins:
            factor = own_factor(grid, world.capital[project], float(world.setting.capital_growth[1]))
            factor = factor + late_interest(grid, world, project)
            shares = shares_of(world, project)
            if shares:
                factor = factor + shared_factor(shares, world.ready, base_capital(grid))
            hurdle = self.hurdles(project, world.seed, world.draws)
            along = self.along_delay(project, state, factor, world.price[project])
            margin = np.stack([npv - hurdle * spent for npv, spent in along])
            if len(grid.delays) == 1:
                margin = np.repeat(margin, 2, axis=1)
            self._margins[key] = margin
        return self._margins[key]


def value_gate(
    valued: Sequence[ProjectValue],
    projects: Projects,
    grids: Mapping[str, ValueGrid],
    parameters: Parameters,
    hurdle: Hurdle = "revealed",
) -> ValueGate:
    """The judge of a hub's finance gates.

    Parameters
    ----------
    valued
        The hub's projects with their values: those past their decision give the hurdles.
    projects, grids
        Projects in the order of the simulation, grids by project.
    parameters
        Table ``pipeline_parameters``: ``hurdle`` where the hub has fewer than :data:`LEAST_ACCEPTED`
        such projects, ``policy_kept`` by policy.

    Raises
    ------
    InputError
        If ``hurdle`` is needed and there is no such row.
    """
    accepted = accepted_values(valued)
    if len(accepted) < LEAST_ACCEPTED:
        ends = [parameters.value("hurdle", "", "1", which) for which in ("low", "value", "high")]
        accepted = of_percentiles(*ends)
    kept = parameters.items("policy_kept")
    return ValueGate(projects, grids, hurdle, accepted, kept)


def value_gates(
    valued: Sequence[ProjectValue], grids: Mapping[str, ValueGrid], parameters: Parameters
) -> Callable[[Projects, Hurdle], ValueGate]:
    """What makes the judge for the projects of a graph and a hurdle (see
    :func:`~cleanhub.pipeline.simulate.simulate`); arguments as in :func:`value_gate`.
    """

    def made(projects: Projects, hurdle: Hurdle) -> ValueGate:
        return value_gate(valued, projects, grids, parameters, hurdle)

    return made


def accepted_values(valued: Sequence[ProjectValue]) -> FloatArray:
    """Sponsors' value over capital of every project past its decision, rising, (A,) [1]."""
    found = []
    for one in valued:
        if one.value is not None and str(one.row["stage"]) in PAST_FID:
            view = one.value.sponsor
            found.append(view.npv_usd / float(view.lines.spending.sum()))
    return np.sort(np.array([value for value in found if np.isfinite(value)], dtype=np.float64))


def of_percentiles(low: float, middle: float, high: float) -> FloatArray:
    """Five values whose :func:`inverse` has these tenth, fiftieth and ninetieth percentiles, (5,)."""
    return np.array([low, (low + middle) / 2, middle, (middle + high) / 2, high])


def inverse(values: FloatArray, u: FloatArray) -> FloatArray:
    """Smoothed inverse of the distribution of sorted ``values`` (A,) at ``u`` (D,) in (0, 1).

    Straight lines through the k-th value at (k - 1/2) / A (Hazen 1914); the least and the greatest value
    hold beyond the first and last.
    """
    return np.interp(u, (np.arange(len(values)) + 0.5) / len(values), values)


def own_factor(grid: ValueGrid, drawn: FloatArray, median: float) -> FloatArray:
    """Factor on the grid's capital from final over estimated capital as drawn, (D,).

    A case that states the growth it expects has it in its capital: its own takes the place of the median,
    and only the spread around it is drawn.
    """
    return drawn / median if grid.expected_growth > 1.0 else np.asarray(drawn)


def late_interest(grid: ValueGrid, world: World, project: int) -> FloatArray:
    """What interest adds to the capital factor where building takes longer than its median, (D,) [1].

    All debt is drawn by then, so each year more costs a year's interest on it; less time saves as much.
    """
    service = world.projects.service[project]
    return np.asarray(grid.late_interest * (world.years[service] - world.graph.years[service, 1]))


def base_capital(grid: ValueGrid) -> float:
    """Sponsor's capital without delay and at factor 1 [USD]."""
    _, spent = grid.along_delay(SPONSOR, 0, 1.0, 1.0)
    return float(spent[0])


def shares_of(world: World, project: int) -> list[ShareOfLink]:
    """Shared infrastructure that a project waits for through its own gates, with all who use it."""
    graph, found = world.graph, []
    for node in np.flatnonzero(graph.project == project):
        found += _shared_before(world, int(node), 1.0)
    return found


def _shared_before(world: World, node: int, weight: float) -> list[ShareOfLink]:
    """Shared nodes that a node waits for, and those that they wait for."""
    graph, before = world.graph, world.order.before[node]
    shared = [int(one) for one in before if graph.kind[one] == SHARED]
    each = weight / len(before) if graph.any_of[node] and len(before) else weight
    found = []
    for one in shared:
        if np.isfinite(graph.cost[one]) and not graph.done[one]:
            found.append(ShareOfLink(_users(world, one), float(graph.cost[one]), each))
        found += _shared_before(world, one, each)
    return found


def _users(world: World, node: int) -> IntArray:
    """Projects whose gates wait for a shared node, or for shared nodes behind it, (K,)."""
    graph, users, waiting = world.graph, set(), [node]
    while waiting:
        for after in map(int, world.order.after[waiting.pop()]):
            if graph.kind[after] == SHARED:
                waiting.append(after)
            elif graph.project[after] >= 0 and not world.projects.ended[graph.project[after]]:
                users.add(int(graph.project[after]))
    return np.array(sorted(users), dtype=np.int64)


def shared_factor(shares: Sequence[ShareOfLink], alive: BoolArray, capital: float) -> FloatArray:
    """What the number of users adds to a project's capital factor, (D,) [1].

    Cost is shared equally among the users that come through: with n of N users it is cost / n instead of
    cost / N. ``alive`` (P, D) says who comes through; ``capital`` is the project's own [USD].
    """
    total = np.zeros(alive.shape[1])
    for share in shares:
        come = np.maximum(alive[share.users].sum(axis=0), 1)
        total += share.weight * share.cost * (1.0 / come - 1.0 / max(len(share.users), 1))
    return total / capital if capital > 0 else np.zeros_like(total)


def _place(nodes: FloatArray, x: FloatArray) -> tuple[IntArray, FloatArray]:
    """Node below each ``x`` and the share of the way to the next, the ends held."""
    if len(nodes) == 1:
        return np.zeros(x.shape, dtype=np.int64), np.zeros(x.shape)
    low = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    return low, np.clip((x - nodes[low]) / (nodes[low + 1] - nodes[low]), 0.0, 1.0)
