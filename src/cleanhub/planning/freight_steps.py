"""The steps of freight inside a plan, remembered: outline, every pass of siting, notes, tables.

What the coupling needs of a step is small and kept apart from the arrays behind it: while nothing that
freight reads has changed, neither the arrays nor the code that makes them are loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from cleanhub.core.aside import Begun, Partner, aside
from cleanhub.core.memory import remembered
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario
from cleanhub.planning.freight_work import FloatArray, FreightWork, Outline, Pass

if TYPE_CHECKING:
    from cleanhub.freight.case import FreightCase
    from cleanhub.freight.serve import Served

_Question = tuple[str, tuple[Any, ...]]


class FreightSteps:
    """Freight of one hub under one scenario, step by step.

    ``beside`` prepares the case at once in a process of its own, which makes what is not remembered.

    Raises :class:`~cleanhub.core.errors.InputError` listing every fault of the hub's freight when its case
    is made.
    """

    def __init__(self, hub: Hub, scenario: Scenario, seed: int, beside: bool = False) -> None:
        self._work = FreightWork(hub, scenario, seed)
        self._partner: Partner[_Question, Any] | None = Partner(self._prepared) if beside else None
        self._needed = False
        self._could: Begun[dict[str, Any]] | None = None
        self._asked: list[tuple[FloatArray, FloatArray]] = []

    def _prepared(self) -> Callable[[_Question], Any]:
        self._work.prepare()
        return self._answer

    def _answer(self, question: _Question) -> Any:
        method, given = question
        return getattr(self._work, method)(*given)

    def _made(self, method: str, *given: Any) -> Callable[[], Any]:
        """What makes the value of a method of the work: the process beside where that has begun."""

        def make() -> Any:
            if self._partner is None:
                return self._answer((method, given))
            self._needed = True
            return self._partner.ask((method, given))()

        return make

    @property
    def case(self) -> FreightCase | None:
        """The case itself, with all its arrays."""
        return self._work.case

    @cached_property
    def outline(self) -> Outline | None:
        """What the coupling asks of the case; ``None`` where the hub has no freight."""
        found: Outline | None = remembered("freight", (self._work.key,), self._made("outline"))
        return found

    def serve(self, activity_km: FloatArray, wanted: FloatArray) -> Pass:
        """The next pass: chargers for the share ``wanted`` (T,) of the activity (T,) [km].

        The activity is the same in every pass.
        """
        self._asked.append((activity_km, wanted))
        made = self._made("done", self._asked)

        def make() -> Pass:
            if self._partner is not None and self._could is None:
                self._could = aside(lambda: vars(self._work.could(activity_km)))  # the tables will need it
            found: Pass = made()
            return found

        return remembered("chargers of a pass", (self._work.key, self._asked), make)

    def served(self) -> Served:
        """What the chargers of the last pass do, with the choice of sites."""
        return self._work.served(self._asked)

    def notes(self) -> tuple[str, ...]:
        """Notes on the last pass."""
        key = (self._work.key, self._asked)
        return remembered("notes on sites", key, self._made("notes", self._asked))

    def tables(self, wanted: FloatArray, residual: FloatArray) -> Begun[dict[str, pd.DataFrame]]:
        """Begin the plan tables of freight; see :func:`cleanhub.freight.serve.freight_tables`.

        A process beside that was not needed until now ends: all is likely to be remembered.
        """
        if self._partner is not None and self._needed:
            could = self._could() if self._could else None
            return self._partner.ask(("tables", (self._asked, wanted, residual, could)))
        if self._partner is not None:
            self._partner.end()
        return aside(lambda: self._work.tables(self._asked, wanted, residual))
