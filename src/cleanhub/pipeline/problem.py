"""What the simulation of the pipeline is given and what it gives: the contract between its modules.

Everything that must close before something else can begin is a **node**: a gate of a project, its
final investment decision, its entry into service, shared infrastructure, a policy in force. An
**edge** says that one node waits for another. Time is in years after the scenario's ``as_of`` date;
a node that never closes has the time infinity. So *all of these must close* is a maximum over times,
*one of these is enough* a minimum, and failure is a time like any other.

Shapes: P projects, N nodes, E edges, D draws, Y years. Arrays of text are of dtype object.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
TextArray = NDArray[np.object_]

GATE, STAGE, DECISION, SERVICE, SHARED, POLICY = "gate", "stage", "decision", "service", "shared", "policy"
"""Kinds of node. ``stage`` is a step of engineering (pre_feed, feed); ``shared`` is infrastructure that
is no project of the hub; a project that others wait for is waited for at its ``service`` node."""

Hurdle = Literal["revealed", "strict"]
"""When a project with a valuation passes its finance gate: *strict*, when its value in the draw is not
negative; *revealed*, when its value over capital is at least what sponsors of projects past their
decision have accepted, as this program values them."""


@dataclass(frozen=True)
class Projects:
    """The projects of a hub as arrays, in the order of its table.

    Attributes
    ----------
    id, name, sector, role, stage, stage_basis
        Text (P,). ``stage`` is the one simulated from (asserted or inferred), ``stage_basis`` which.
    past_fid, ended
        Decision taken (fid, construction, operating); cancelled, closed or shelved: (P,) bool. Neither: live.
    umbrella
        Position of the project it is ``part_of``, -1 for none, (P,).
    tonnes
        Tonnes cut or removed a year in service, (P,) [t CO2e/yr]; 0 unless the role (or second role) is
        ``abates``.
    capital, public
        Capital and public money awarded, (P,) [USD of the scenario's price year]; NaN where unknown.
    online
        Published year of service, years after as_of, (P,); NaN where there is none.
    life
        Years in service that tonnes count, (P,).
    decision, service
        Node of the decision and of entry into service, (P,).
    """

    id: TextArray
    name: TextArray
    sector: TextArray
    role: TextArray
    stage: TextArray
    stage_basis: TextArray
    past_fid: BoolArray
    ended: BoolArray
    umbrella: IntArray
    tonnes: FloatArray
    capital: FloatArray
    public: FloatArray
    online: FloatArray
    life: FloatArray
    decision: IntArray
    service: IntArray

    def __len__(self) -> int:
        return len(self.id)

    @property
    def live(self) -> BoolArray:
        """Projects whose decision is still to come, (P,)."""
        return ~self.past_fid & ~self.ended

    @property
    def unpriced(self) -> Projects:
        """The same without capital and public money: what does not read them need not be made anew."""
        nothing = np.zeros(len(self))
        return replace(self, capital=nothing, public=nothing)


@dataclass(frozen=True)
class Graph:
    """Nodes and who waits for whom; no cycle, nodes in an order in which each comes after what it waits for.

    Attributes
    ----------
    id
        ``gate:CA-003:permit``, ``stage:CA-003:feed``, ``decision:CA-003``, ``service:CA-003``,
        ``store:<infrastructure_id>``, ``policy:45q`` ...: (N,) text, all different.
    kind
        One of the kinds above, (N,). ``link_kind`` is its code of codelist ``link_kind``; empty for nodes
        that are no link (decision, service, stage).
    project
        Position of its project, -1 for shared nodes and policies, (N,).
    gate
        Code of its gate, (N,); empty for other kinds.
    what, actor, action, barrier, rule, confidence
        Words and codes for tables, (N,).
    done
        Closed before as_of, (N,): its time is 0.
    p_pass
        Chance to pass it by itself, before calibration, (N,); 1 where nothing can fail.
    p_low, p_high
        Ends of the range of that chance as its rule states it, (N,); NaN where it has none.
    fixed
        Chances that calibration leaves as they are (evidence, infrastructure, policies), (N,) bool.
    years
        Quickest tenth, median, slowest tenth of the years it takes once it can begin, (N, 3).
    earliest
        Years after as_of before which it cannot close, (N,); 0 for none.
    any_of
        True: one of those it waits for is enough; False: all of them, (N,).
    before, after
        Edges: node ``after[e]`` waits for node ``before[e]``, (E,); sorted by ``after``.
    cost
        Capital of shared nodes, (N,) [USD]; NaN where unknown or none.
    """

    id: TextArray
    kind: TextArray
    link_kind: TextArray
    project: IntArray
    gate: TextArray
    what: TextArray
    actor: TextArray
    action: TextArray
    barrier: TextArray
    rule: TextArray
    confidence: TextArray
    done: BoolArray
    p_pass: FloatArray
    p_low: FloatArray
    p_high: FloatArray
    fixed: BoolArray
    years: FloatArray
    earliest: FloatArray
    any_of: BoolArray
    before: IntArray
    after: IntArray
    cost: FloatArray

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True)
class Setting:
    """Figures of the simulation beside the graph.

    Attributes
    ----------
    as_of, base, last_year, target_year
        As-of date as a year with decimals, first calendar year, last year of the plan, year to which
        tonnes count (their sum to its end).
    drop_hazard
        Chance a year that a live project is given up for reasons that are no gate [1/yr].
    ever, hazard
        Base rates that the simulation is calibrated to: share of proposed projects that ever decide, and
        share of the announced stock that does in a year. drop_hazard = hazard (1 - ever) / ever.
    common_project, common_gate
        Shares of the variance of a gate's latent that its project and its kind of gate have in common.
    completion
        Share of projects past their decision that come into service.
    capital_growth
        Final over estimated capital: tenth, median, ninetieth percentile, (3,).
    price_spread
        Price of the product over the central one: the same, (3,).
    """

    as_of: float
    base: int
    last_year: int
    target_year: int
    drop_hazard: float
    ever: float
    hazard: float
    common_project: float
    common_gate: float
    completion: float
    capital_growth: FloatArray
    price_spread: FloatArray


@dataclass(frozen=True)
class Simulation:
    """Draws of one pipeline.

    Attributes
    ----------
    time
        Years after as_of at which each node closes, infinity where it never does, (N, D).
    closes
        The same without anything that comes before it: whether a node passes by itself, (N, D) bool.
    decided, in_service
        Time of the decision and of service, (P, D); 0 or before for those past it; a programme's is that
        of the first of its parts.
    given_up
        Time at which a live project is given up if it has not decided before, (P, D).
    tonnes
        Tonnes cut to the end of the target year, (P, D) [t CO2e]; nothing for umbrellas.
    shift
        Shift of the log-odds of the gates that calibration found.
    """

    graph: Graph
    projects: Projects
    setting: Setting
    seed: int
    hurdle: Hurdle
    time: FloatArray
    closes: BoolArray
    decided: FloatArray
    in_service: FloatArray
    given_up: FloatArray
    tonnes: FloatArray
    shift: float
