"""Why a problem has no path at all: which limits cannot be met together, by name.

Each limit, sales rule, committed addition, given production and given activity is one name. A name
is let go by freeing its rows and columns. The minimal set is found by letting go one name after
the other and keeping those without which the rest could be met; every one of the set is then
needed for the conflict.
"""

from __future__ import annotations

import highspy
import numpy as np

from cleanhub.core.errors import Fault, InputError
from cleanhub.pathways.optimal_model import Model

Name = tuple[str, str]
_FILES = {
    "limit": "limits.csv",
    "zero-emission sales": "cohorts.csv",
    "zero-emission sales at most": "cohorts.csv",
    "activity": "cohorts.csv",
    "committed addition": "projects.csv",
    "production": "facilities.csv",
}
_MENDING = {
    "limit": "a looser value, or hard = no",
    "zero-emission sales": "a lower share",
    "zero-emission sales at most": "a higher share",
    "activity": "less activity",
    "committed addition": "a plant that fits",
    "production": "less production",
}
MOST = 20
"""Conflicts named at most."""


Gives = dict[Name, str]
"""How much of a limit must give at the least for its conflict to end, in words."""


class ConflictError(InputError):
    """Limits that nobody can meet together.

    ``sets`` holds the minimal sets of (kind, name); ``gives`` tells of some of their limits by how much
    they would have to give, and in which year, for the conflict to end.
    """

    def __init__(self, sets: list[list[Name]], gives: Gives | None = None) -> None:
        self.sets = sets
        self.gives = gives or {}
        faults = [fault for one in sets for fault in _faults(one, self.gives)]
        super().__init__("no path meets these together", faults)

    @property
    def names(self) -> list[str]:
        """Every name of the first minimal set, sorted."""
        return sorted(name for _, name in self.sets[0]) if self.sets else []


def _faults(members: list[Name], gives: Gives) -> list[Fault]:
    out = []
    for kind, name in members:
        others = [
            f"{other_kind} {other}" for other_kind, other in members if (other_kind, other) != (kind, name)
        ]
        what = f"{kind} {name} cannot be met" + (f" together with {' and '.join(others)}" if others else "")
        out.append(Fault(_FILES[kind], found=gives.get((kind, name), ""), what=what, allowed=_MENDING[kind]))
    return out


def find_conflicts(model: Model, solver: highspy.Highs) -> ConflictError:
    """The minimal sets of names that cannot be met together, each free of the limits of those before.

    ``solver`` holds the programme of ``model``; its bounds are changed and put back.
    """
    trial = _Trial(model, solver)
    open_names = sorted(model.groups)
    found: list[list[Name]] = []
    gone: set[Name] = set()
    gives: Gives = {}
    while len(found) < MOST and not trial.feasible(gone):
        members = _minimal(trial, open_names, gone)
        if not members:
            break
        found.append(members)
        gives |= trial.least_to_give(members, open_names)
        limits = {name for name in members if name[0] in ("limit", "zero-emission sales")}
        gone |= limits or set(members)
    trial.restore()
    return ConflictError(found, gives)


def _minimal(trial: _Trial, names: list[Name], gone: set[Name]) -> list[Name]:
    """Deletion filter: the names that stay when each is let go unless that ends the conflict.

    Blocks of names are tried first, so that a few guilty ones among many are found quickly.
    """
    order = sorted((name for name in names if name not in gone), key=lambda name: (name[0] == "limit", name))
    released = set(gone)
    kept: list[Name] = []
    stack = [order]
    while stack:
        part = stack.pop()
        if not part:
            continue
        if not trial.feasible(released | set(part)):
            released |= set(part)
        elif len(part) == 1:
            kept += part
        else:
            half = len(part) // 2
            stack += [part[half:], part[:half]]
    return sorted(kept)


class _Trial:
    """The programme without its cost, with some names let go."""

    def __init__(self, model: Model, solver: highspy.Highs) -> None:
        self.model, self.solver = model, solver
        self.released: set[Name] = set()
        columns = np.arange(len(model.cost), dtype=np.int32)
        solver.changeColsCost(len(columns), columns, np.zeros(len(columns)))

    def feasible(self, released: set[Name]) -> bool:
        """Whether a path exists that keeps all but the ``released`` names."""
        self._release(released)
        self.solver.run()
        return bool(self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def _release(self, released: set[Name]) -> None:
        for name in sorted(self.released - released):
            self._set(name, free=False)
        for name in sorted(released - self.released):
            self._set(name, free=True)
        self.released = set(released)

    def least_to_give(self, members: list[Name], names: list[Name]) -> Gives:
        """What the limits of ``members`` fall short by when as little as possible gives, in words."""
        self._release(set(names) - set(members))
        model, solver = self.model, self.solver
        wanted = [limit.name for limit in model.accounts.problem.limits]
        mine = np.array([("limit", name) in members for name in wanted], dtype=bool)
        q, t = np.nonzero((model.limit_rows >= 0) & mine[:, None])
        first = solver.getNumCol()
        for row in model.limit_rows[q, t].tolist():
            sign = 1.0 if np.isfinite(model.row_lower[row]) else -1.0
            solver.addCol(1.0, 0.0, np.inf, 1, np.array([row], dtype=np.int32), np.array([sign]))
        solver.run()
        values = np.array(solver.getSolution().col_value)
        given = values[first:]
        if len(given):
            solver.deleteCols(len(given), np.arange(first, first + len(given), dtype=np.int32))
        out: Gives = {}
        for i in np.flatnonzero(given > 1e-7)[::-1].tolist():
            column = int(model.asked[q[i], t[i]])
            asked = float(values[column]) if column >= 0 else 1.0
            out["limit", wanted[q[i]]] = _in_words(model, int(q[i]), int(t[i]), float(given[i]), asked)
        return out

    def restore(self) -> None:
        for name in sorted(self.released):
            self._set(name, free=False)
        columns = np.arange(len(self.model.cost), dtype=np.int32)
        self.solver.changeColsCost(len(columns), columns, self.model.cost)

    def _set(self, name: Name, free: bool) -> None:
        model = self.model
        rows, columns = model.groups[name]
        for row in rows.tolist():
            low = -np.inf if free else float(model.row_lower[row])
            high = np.inf if free else float(model.row_upper[row])
            self.solver.changeRowBounds(row, low, high)
        for column in columns.tolist():
            low = 0.0 if free else float(model.lower[column])
            self.solver.changeColBounds(column, low, float(model.upper[column]))


def _in_words(model: Model, q: int, t: int, given: float, asked: float) -> str:
    """By how much a limit must give in a year, in its own unit; a share gives of what is ``asked``."""
    problem = model.accounts.problem
    limit = problem.limits[q]
    is_share = int(model.asked[q, t]) >= 0
    amount = given / max(asked, 1e-12) if is_share else given * float(model.limit_unit[q, t])
    nearest = float(limit.value[t]) + (-amount if limit.floor else amount)
    word = "at most" if limit.floor else "at least"
    wanted = f"{limit.value[t]:.6g} {limit.unit} in {int(problem.years[t])}"
    return f"{wanted}, where {word} {nearest:.6g} can be kept"
