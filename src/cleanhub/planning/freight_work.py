"""The computing of freight inside a plan: ground, case, sites pass by pass, tables; each remembered.

:mod:`cleanhub.planning.freight_steps` asks it, in this process or beside it, for what is not remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.fingerprint import fingerprint
from cleanhub.core.memory import remembered
from cleanhub.hub.excerpt import Excerpt, excerpt, without_parameters
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import Scenario

if TYPE_CHECKING:
    from cleanhub.freight.case import FreightCase, Ground
    from cleanhub.freight.serve import Served
    from cleanhub.freight.siting_binds import Binding

FloatArray = NDArray[np.float64]
APART_TABLES = frozenset(
    {
        "branches",
        "commitments",
        "counties",
        "credits",
        "facilities",
        "facility_emissions",
        "gates_begun",
        "inventory",
        "limits",
        "markets",
        "offtakers",
        "pipeline_parameters",
        "prices",
        "programme_facts",
        "projects",
        "stacks",
        "targets",
    }
)
"""Tables of a hub that freight does not read."""
APART_LIBRARY = frozenset(
    {
        "adoption_thresholds",
        "breakthroughs",
        "commitments",
        "component_deployment",
        "components",
        "gate_rules",
        "link_rules",
        "offtakers",
        "pipeline_parameters",
        "policies",
        "policy_conditions",
        "policy_exclusions",
        "policy_settings",
        "policy_values",
        "switches",
        "technologies",
        "technology_components",
        "technology_parameters",
    }
)
"""Tables of the library that freight does not read."""
APART_CHOICES = frozenset(
    {"carbon_price", "credits", "learning", "limits", "policies", "programme", "zero_emission_sales"}
)
"""Choices of a scenario that freight does not read."""
DRIVERS = ("price_electricity_trucking", "price_electricity_industrial", "grid_emission_factor")
"""Drivers whose values freight reads."""
GROUND_APART_TABLES = APART_TABLES | {"drivers", "tariffs"}
"""Tables of a hub that no step of freight before prices reads."""
GROUND_APART_CHOICES = APART_CHOICES | {"decision", "drivers", "end_year"}
"""Choices of a scenario that no step of freight before prices reads."""
CHARGER_PRICES = frozenset(
    {
        "charger_hardware",
        "charger_installation",
        "charging_energy_price",
        "charging_running",
        "charging_worth",
        "demand_charge",
        "front_of_meter",
        "grid_life",
        "make_ready",
        "plug_life",
        "site_upkeep",
        "site_works",
    }
)
"""Parameters of freight that no step before prices reads: what chargers and their power cost."""
_PRICED = ("years", "sites", "counted")
"""What a case adds to its ground, the hub and the scenario: all that is remembered of it beside them."""


@dataclass(frozen=True)
class Outline:
    """What the coupling asks of a :class:`~cleanhub.freight.case.FreightCase`; the same names and units."""

    asset_id: str
    years: NDArray[np.int64]
    first_price: float
    charging_efficiency: float
    counted: dict[str, float]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Pass:
    """What chargers do for the trucks wanted, (T,): share of the activity served and USD per kWh."""

    share: FloatArray
    usd_per_kwh: FloatArray


Asked = Sequence[tuple[FloatArray, FloatArray]]
"""What every pass so far was asked: yearly activity (T,) [km] and the share of it wanted electric (T,)."""


class FreightWork:
    """Freight of one hub under one scenario: what is computed when a step is not remembered.

    Raises :class:`~cleanhub.core.errors.InputError` listing every fault of the hub's freight when its case
    is made.
    """

    def __init__(self, hub: Hub, scenario: Scenario, seed: int) -> None:
        self._part = excerpt(hub, scenario, APART_TABLES, APART_LIBRARY, APART_CHOICES, DRIVERS)
        self.hub, self.scenario, self.seed = self._part.hub, self._part.scenario, seed
        self._found: dict[int, Served] = {}
        self._grounds: dict[str, Ground | None] = {}

    @cached_property
    def key(self) -> str:
        """Fingerprint of all that freight reads."""
        return fingerprint(self._part.content, self.seed)

    def prepare(self) -> None:
        """Make the case and load what sites chargers, before anybody waits for them."""
        if self.case is not None:
            import cleanhub.freight.serve  # noqa: F401 - it loads the solver

    def outline(self) -> Outline | None:
        """What the coupling asks of the case; ``None`` where the hub has no freight."""
        case = self.case
        if case is None:
            return None
        return Outline(
            case.asset_id,
            case.years,
            case.first_price,
            case.charging_efficiency,
            case.counted,
            case.notes,
        )

    @cached_property
    def case(self) -> FreightCase | None:
        """The case itself, with all its arrays."""
        from cleanhub.freight.case import FreightCase, priced
        from cleanhub.freight.figures import Figures

        def make() -> tuple[str, dict[str, Any]] | None:
            part = self._of_ground()
            key = fingerprint(part.content, self.seed)
            ground = self._ground(key, part)
            if ground is None:
                return None
            case = priced(ground, self.hub, self.scenario)
            return key, {name: getattr(case, name) for name in _PRICED}

        found = remembered("freight arrays", (self.key,), make)
        if found is None:
            return None
        ground = self._ground(found[0])
        assert ground is not None  # as it was when the arrays were made
        figures = Figures(self.hub, price_year=self.scenario.price_year)
        whole = {**vars(ground), **found[1]}
        return FreightCase(hub=self.hub, scenario=self.scenario, figures=figures, **whole)

    def _of_ground(self) -> Excerpt:
        """What the ground reads of the hub and the scenario."""
        return excerpt(
            without_parameters(self.hub, "freight_parameters", CHARGER_PRICES),
            self.scenario,
            GROUND_APART_TABLES,
            APART_LIBRARY,
            GROUND_APART_CHOICES,
        )

    def _ground(self, key: str, part: Excerpt | None = None) -> Ground | None:
        """Roads, truck-days and sites, remembered under ``key``: that of ``part``, what they read."""
        from cleanhub.freight.case import prepare_ground

        def make() -> Ground | None:
            read = self._of_ground() if part is None else part
            return prepare_ground(read.hub, read.scenario, self.seed)

        if key not in self._grounds:
            self._grounds[key] = remembered("freight ground", (key,), make)
        return self._grounds[key]

    def done(self, asked: Asked) -> Pass:
        """What the chargers of the last pass ``asked`` do."""
        served = self.served(asked)
        return Pass(served.share, served.usd_per_kwh)

    def served(self, asked: Asked) -> Served:
        """The same with the choice of sites behind it."""
        from cleanhub.freight.serve import serve_trucks

        case = self.case
        assert case is not None  # no pass is asked for without freight
        number = len(asked)
        if number not in self._found:
            self._found[number] = remembered(
                "sites of a pass",
                (self.key, asked),
                lambda: serve_trucks(case, *asked[-1], self.served(asked[:-1]) if number > 1 else None),
            )
        return self._found[number]

    def notes(self, asked: Asked) -> tuple[str, ...]:
        """Notes on the last pass."""
        return self.served(asked).notes

    def could(self, activity_km: FloatArray) -> Binding:
        """What could be charged if all trucks wanted it, which the share that does not enters."""

        def make() -> Binding:
            from cleanhub.freight.siting_binds import what_could_be

            case = self.case
            assert case is not None  # asked for after a pass
            return what_could_be(case.problem(activity_km, np.ones(len(activity_km))))

        return remembered("what could be charged", (self.key, activity_km), make)

    def tables(
        self, asked: Asked, wanted: FloatArray, residual: FloatArray, could: dict[str, Any] | None = None
    ) -> dict[str, pd.DataFrame]:
        """The plan tables of freight; see :func:`cleanhub.freight.serve.freight_tables`.

        ``could`` are the parts of :meth:`could` of the same activity, where they are at hand.
        """

        def make() -> dict[str, pd.DataFrame]:
            from cleanhub.freight.serve import freight_tables
            from cleanhub.freight.siting_binds import Binding

            case = self.case
            assert case is not None  # tables are asked for after a pass
            found = self.could(asked[-1][0]) if could is None else Binding(**could)
            return freight_tables(case, self.served(asked), wanted, residual, found)

        return remembered("freight tables", (self.key, asked, wanted, residual), make)
