"""What a group of plants may run when: a small network through the years.

A group is plants that are alike but for their size, or the new plants of one market and
year. Its plants flow through *chains*: what a plant runs, and, where its change earned a
credit, since when. A node is a year in which a chain may be left (a change is open, or the
equipment falls due and the plant may be given up); a column is what happens from one node
to the next: standing from the start, being built, staying, or changing. Every column knows
the years it covers and the capital it spends, so that cost and limits are sums over columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cleanhub.pathways.optimal_cost import Accounts
from cleanhub.pathways.problem import RETROFIT, BoolArray, FloatArray, IntArray, Problem

STAND, BUILD, STAY, CHANGE = 0, 1, 2, 3


@dataclass(frozen=True)
class Network:
    """Columns and nodes of one kind of group.

    ``event`` is STAND, BUILD, STAY or CHANGE; ``before`` (-1: nothing) and ``tech`` the technology;
    ``entry`` the year position since which a credit is earned (-1: none); ``start`` and ``end`` the
    year positions covered; ``origin`` and ``target`` the nodes (-1: none), all (J,). ``spent`` is the
    capital spent per unit of size (J, T) [USD]; ``partial`` whether only the added part is paid,
    ``due`` whether what is left falls due in the year of the event (J,); ``invested`` the year that
    the cycle counts from. ``covers`` (J, T) says whether a column covers a year; ``chains`` (C, 2) are
    the pairs of technology and entry, ascending, and ``chain`` (J,) which of them a column runs.
    """

    market: int
    event: IntArray
    before: IntArray
    tech: IntArray
    entry: IntArray
    left: IntArray
    start: IntArray
    end: IntArray
    origin: IntArray
    target: IntArray
    nodes: int
    spent: FloatArray
    partial: BoolArray
    due: BoolArray
    invested: int
    covers: BoolArray
    chains: IntArray
    chain: IntArray

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.tech)


@dataclass(frozen=True)
class Kind:
    """What makes groups of plants alike.

    ``starts`` are the technologies to begin with at ``begin``, ``event`` STAND or BUILD; ``invested`` the
    year that the cycle counts from; ``end`` the first year position in which they are closed;
    ``tonnes_of`` the yearly product that least sizes of sites are held against (T,), None where no
    option has one.
    """

    market: int
    starts: tuple[int, ...]
    event: int
    begin: int
    invested: int
    end: int
    product: FloatArray | None = None


class Networks:
    """Networks of the groups of one programme, each made once: groups of two markets often share theirs."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self._reached: dict[tuple[int, tuple[int, ...]], IntArray] = {}
        self._open: dict[tuple[int, tuple[int, ...], int, int], BoolArray] = {}
        self._made: dict[tuple[object, ...], Network] = {}

    def of(self, kind: Kind) -> Network:
        """Every column that a group of ``kind`` can reach."""
        problem = self.accounts.problem
        region = int(problem.markets.region[kind.market])
        ks = self.reach(region, kind.starts)
        years, t = problem.years, np.arange(len(problem.years))
        due = (years[None, :] - kind.invested) % np.maximum(problem.tech.cycle[ks], 1)[:, None] == 0
        due &= (t > 0) & (years > problem.last_reported) & (t > kind.begin) & (t < kind.end)
        allowed = self._allowed(kind, ks, region, due)
        leave: BoolArray = np.asarray(allowed.any(axis=1))
        if problem.markets.meets_demand[kind.market]:
            leave |= due & (self.accounts.renewal[ks] > 0)
        read = due.tobytes(), allowed.tobytes(), leave.tobytes()
        key = (region, kind.starts, kind.event, kind.begin, kind.end, *read)
        if key not in self._made:
            self._made[key] = _network(self.accounts, kind, ks, due, allowed, leave)
        return replace(self._made[key], market=kind.market, invested=kind.invested)

    def reach(self, region: int, starts: tuple[int, ...]) -> IntArray:
        """Technologies that can follow from ``starts`` within the years, ``starts`` included, sorted."""
        if (region, starts) in self._reached:
            return self._reached[region, starts]
        problem = self.accounts.problem
        open_to = problem.costs.priced[region] & (problem.tech.earliest <= int(problem.years[-1]))
        seen = np.zeros(len(open_to), dtype=bool)
        seen[list(starts)] = True
        while True:
            more = (problem.kinds[seen] > 0).any(axis=0) & open_to & ~seen
            if not more.any():
                break
            seen |= more
        return self._reached.setdefault((region, starts), np.flatnonzero(seen))

    def _allowed(self, kind: Kind, ks: IntArray, region: int, due: BoolArray) -> BoolArray:
        """Whether a plant may change from one technology to another in a year, (n, n, T)."""
        problem, tech = self.accounts.problem, self.accounts.problem.tech
        key = region, kind.starts, kind.begin, kind.end
        if key not in self._open:
            self._open[key] = _open(problem, kind, ks, region)
        out = self._open[key]
        if not problem.rule.reinvest_early:
            out = out & due[:, None, :]
        if kind.product is not None:
            emitted = tech.direct[ks][:, None] * kind.product[None, :]
            out = out & (emitted[:, None, :] >= tech.minimum_site_t[ks][None, :, None])
        return out


def _open(problem: Problem, kind: Kind, ks: IntArray, region: int) -> BoolArray:
    """Whether a change is one and its technology ready, whatever falls due and however large, (n, n, T)."""
    years, t = problem.years, np.arange(len(problem.years))
    switch = problem.kinds[np.ix_(ks, ks)] > 0
    np.fill_diagonal(switch, False)
    switch &= problem.costs.priced[region, ks][None, :]
    now = (years >= problem.first_choice) & (years > problem.last_reported)
    now &= (t > kind.begin) & (t < kind.end) & (t > 0)
    ready = (problem.tech.earliest[ks][:, None] <= years[None, :]) & now[None, :]
    return np.asarray(switch[:, :, None] & ready[None, :, :])


def _network(
    accounts: Accounts, kind: Kind, ks: IntArray, due: BoolArray, allowed: BoolArray, leave: BoolArray
) -> Network:
    """The network of ``kind`` over technologies ``ks``, where changes are ``allowed`` and nodes ``leave``."""
    problem = accounts.problem
    following = _following(leave, kind.end)
    first = np.searchsorted(ks, np.array(kind.starts, dtype=np.int64))
    credit = problem.costs.credits[problem.markets.region[kind.market], ks] != 0
    ids = _node_ids(leave, allowed, credit, first, kind)
    k, entry, at = np.nonzero(ids >= 0)
    entry -= 1
    order = np.lexsort((k, entry, at))
    k, entry, at = k[order], entry[order], at[order]
    origin = ids[k, entry + 1, at]
    who, to = np.nonzero(allowed[k, :, at])
    begun = np.full(len(first), kind.begin)
    earned = np.where(credit[first, kind.begin] & (kind.begin > 0), kind.begin, -1)
    changed = np.where(credit[to, at[who]], at[who], -1)
    parts = {
        "event": (np.full(len(first), kind.event), np.full(len(k), STAY), np.full(len(to), CHANGE)),
        "before": (np.full(len(first), -1), k, k[who]),
        "tech": (first, k, to),
        "entry": (earned, entry, changed),
        "left": (np.full(len(first), -1), entry, entry[who]),
        "start": (begun, at, at[who]),
        "origin": (np.full(len(first), -1), origin, origin[who]),
    }
    column = {name: np.concatenate(part).astype(np.int64) for name, part in parts.items()}
    column["end"] = following[column["tech"], column["start"]]
    return _finish(accounts, kind, ks, due, ids, column)


def _following(leave: BoolArray, end: int) -> IntArray:
    """First later year in which each technology may be left, ``end`` where there is none, (n, T)."""
    out = np.full(leave.shape, end, dtype=np.int64)
    at = np.where(leave, np.arange(leave.shape[1]), end)
    out[:, :-1] = np.minimum.accumulate(at[:, :0:-1], axis=1)[:, ::-1]
    return np.minimum(out, end)


def _node_ids(
    leave: BoolArray, allowed: BoolArray, credit: BoolArray, first: IntArray, kind: Kind
) -> IntArray:
    """Number of the node of each technology, credit year (position + 1; 0: none) and year, else -1."""
    n, count = leave.shape
    enters = allowed.any(axis=0) & credit
    if kind.begin > 0:
        enters[first, kind.begin] |= credit[first, kind.begin]
    t = np.arange(count)
    exists = np.zeros((n, count + 1, count), dtype=bool)
    exists[:, 0] = leave
    exists[:, 1:] = enters[:, :, None] & leave[:, None, :] & (t[None, :] > t[:, None])[None]
    ids = np.full(exists.shape, -1, dtype=np.int64)
    ids[exists] = np.arange(int(exists.sum()))
    return ids


def _finish(
    accounts: Accounts,
    kind: Kind,
    ks: IntArray,
    due: BoolArray,
    ids: IntArray,
    column: dict[str, IntArray],
) -> Network:
    """Drop what cannot be reached, number the nodes anew, add up the capital."""
    local, begin, end = column["tech"], column["start"], column["end"]
    inside = end < kind.end
    at = np.where(inside, end, 0)
    target = np.where(inside, ids[local, column["entry"] + 1, at], -1)
    alive = _reached(column["origin"], target, begin, ids.size)
    kept = {name: values[alive] for name, values in column.items()}
    origin, target, nodes = _numbered(kept["origin"], target[alive], ids.size)
    before, after = kept["before"], kept["tech"]
    t = np.arange(len(accounts.problem.years))[None, :]
    pair = ks[after] * (t.size + 1) + kept["entry"] + 1
    chains, chain = np.unique(pair, return_inverse=True)
    known = before >= 0
    was = np.where(known, before, 0)
    kinds = accounts.problem.kinds[ks[was], ks[after]]
    change = kept["event"] == CHANGE
    retrofit = change & (kinds == RETROFIT)
    partial = retrofit & ~due[was, kept["start"]]
    spent = _spent(accounts, ks, due, kept, partial)
    return Network(
        market=kind.market,
        event=kept["event"],
        before=np.where(known, ks[was], -1),
        tech=ks[after],
        entry=kept["entry"],
        left=kept["left"],
        start=kept["start"],
        end=kept["end"],
        origin=origin,
        target=target,
        nodes=nodes,
        spent=spent,
        partial=partial,
        due=known & due[was, kept["start"]],
        invested=kind.invested,
        covers=(t >= kept["start"][:, None]) & (t < kept["end"][:, None]),
        chains=np.stack([chains // (t.size + 1), chains % (t.size + 1) - 1], axis=1),
        chain=chain,
    )


def _numbered(origin: IntArray, target: IntArray, size: int) -> tuple[IntArray, IntArray, int]:
    """Nodes (below ``size``; -1: none) numbered anew in their order, and how many there are."""
    there = np.zeros(size + 1, dtype=bool)
    there[origin] = there[target] = True
    there[-1] = False  # that of none
    number = np.cumsum(there) - 1
    number[-1] = -1
    return number[origin], number[target], int(there.sum())


def _reached(origin: IntArray, target: IntArray, start: IntArray, size: int) -> BoolArray:
    """Columns that plants can come to: their origin is none or the target of one that is reached."""
    seen = np.zeros(size + 1, dtype=bool)
    alive = np.zeros(len(origin), dtype=bool)
    for t in np.unique(start):
        now = np.flatnonzero(start == t)
        alive[now] = (origin[now] < 0) | seen[origin[now]]
        seen[target[now[alive[now]]]] = True
        seen[-1] = False
    return alive


def _spent(
    accounts: Accounts, ks: IntArray, due: BoolArray, column: dict[str, IntArray], partial: BoolArray
) -> FloatArray:
    """Capital spent per unit of size by column and year, (J, T): the event's and the renewals'."""
    k, start, end, event = column["tech"], column["start"], column["end"], column["event"]
    t = np.arange(due.shape[1])[None, :]
    within = (t < end[:, None]) & np.where((event == STAY)[:, None], t >= start[:, None], t > start[:, None])
    out = np.where(within & due[k], accounts.renewal[ks][k], 0.0)
    paying = np.flatnonzero((event == CHANGE) | (event == BUILD))
    at = start[paying]
    full, part = accounts.full[ks[k[paying]], at], accounts.part[ks[k[paying]], at]
    out[paying, at] += np.where(partial[paying], part, full)
    return np.asarray(out)
