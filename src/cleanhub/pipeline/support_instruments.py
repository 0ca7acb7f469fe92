"""Ways to help a project, as rows of the library, and the share of their odds that is taken as caused.

That supported projects decide more often than others is an odds ratio in a sample that was chosen: part of
it may be that the better projects were supported. So every odds ratio has three points, at the low end, the
middle and the high end of the parameter ``support_uplift`` (none of it caused, half, all), and a share
between them is read along straight lines of log-odds. What money pays is no such share: it is paid or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.scenario import Scenario
from cleanhub.pipeline.problem import FloatArray
from cleanhub.pipeline.stages import listed

FILE = "support_instruments.csv"
SHARED_INSTRUMENT = "shared_infrastructure"
"""The instrument that helps shared links; all others help projects."""
PUBLIC = "public"
"""Payer whose money can have a budget of its own."""


@dataclass(frozen=True)
class Instrument:
    """One way to help.

    Attributes
    ----------
    name, payer
        Codes of codelists ``support_instrument`` and ``payer``.
    gates
        Gates it helps; empty for all that are open.
    odds
        Odds ratio on passing them at the three points of the uplift, (3,) [1].
    years_cut
        Share of their time that it saves if all of its effect is caused [1].
    capital_share
        Share of the capital as estimated that it pays [1].
    takes_slot
        Whether it takes one of the programme's places.
    cost
        Low, middle, high cost beside the share of capital [USD of the scenario's price year].
    """

    name: str
    gates: tuple[str, ...]
    odds: tuple[float, float, float]
    years_cut: float
    capital_share: float
    takes_slot: bool
    cost: tuple[float, float, float]
    payer: str

    def helps(self, gate: str) -> bool:
        """Whether it helps with a gate."""
        return not self.gates or gate in self.gates


@dataclass(frozen=True)
class Uplift:
    """Shares of the odds ratio taken as caused: low, middle and high point, rising, (3,) [1]."""

    points: tuple[float, float, float]

    def log_odds(self, instrument: Instrument, share: FloatArray | float) -> FloatArray:
        """What is added to the log-odds of a gate it helps, of the shape of ``share``; ends hold."""
        return np.asarray(np.interp(np.asarray(share), self.points, np.log(instrument.odds)))

    def drawn(self, u: FloatArray) -> FloatArray:
        """Shares with the three points as least, median and greatest, at uniform numbers ``u`` (D,)."""
        return np.interp(u, (0.0, 0.5, 1.0), self.points)


def read_uplift(parameters: Parameters) -> Uplift:
    """The points of parameter ``support_uplift``; ``InputError`` where there is no such row."""
    low, middle, high = (parameters.value("support_uplift", "", "1", end) for end in ("low", "value", "high"))
    return Uplift((low, middle, high))


def read_instruments(
    hub: Hub, scenario: Scenario, only: Sequence[str] | None = None
) -> tuple[Instrument, ...]:
    """The instruments of the library, or those named in ``only``, in the order of the table.

    Raises :class:`~cleanhub.core.errors.InputError` with every name that is no instrument and every odds
    ratio that is 0 or does not rise.
    """
    table = hub.library.tables["support_instruments"]
    faults = FaultList()
    known = [str(name) for name in table["instrument"]]
    for name in only or ():
        if name not in known:
            allowed = ", ".join(known)
            faults.add(FILE, None, "instrument", what="no such instrument", found=name, allowed=allowed)
    found = []
    for line, row in table.iterrows():
        odds = (float(row["odds_low"]), float(row["odds_ratio"]), float(row["odds_high"]))
        if not 0.0 < odds[0] <= odds[1] <= odds[2]:
            place = int(str(line))
            faults.add(FILE, place, "odds_ratio", what="odds must be above 0 and rise", found=str(odds))
        elif not only or row["instrument"] in only:
            found.append(_instrument(row, odds, hub, scenario))
    faults.raise_if_any("support")
    return tuple(found)


def _instrument(row: pd.Series, odds: tuple[float, float, float], hub: Hub, scenario: Scenario) -> Instrument:
    index = hub.library.price_index
    dollars = index.to_dollars("USD", int(row["currency_year"]), scenario.price_year)
    return Instrument(
        name=str(row["instrument"]),
        gates=tuple(listed(row["gates"])),
        odds=odds,
        years_cut=float(row["years_cut"]),
        capital_share=float(row["capital_share"]),
        takes_slot=bool(row["takes_slot"]),
        cost=(dollars * row["cost_low"], dollars * row["cost"], dollars * row["cost_high"]),
        payer=str(row["payer"]),
    )
