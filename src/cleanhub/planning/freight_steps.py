"""The steps of freight inside a plan, remembered: ground, case, every pass of siting, tables.

What the coupling needs of a step is small and kept apart from the arrays behind it: while nothing that
freight reads has changed, neither the arrays nor the code that makes them are loaded.
"""

from __future__ import annotations

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


class FreightSteps:
    """Freight of one hub under one scenario, step by step.

    Raises :class:`~cleanhub.core.errors.InputError` listing every fault of the hub's freight when its case
    is made.
    """

    def __init__(self, hub: Hub, scenario: Scenario, seed: int) -> None:
        part = excerpt(hub, scenario, APART_TABLES, APART_LIBRARY, APART_CHOICES, DRIVERS)
        self.hub, self.scenario, self.seed = part.hub, part.scenario, seed
        self._key = fingerprint(part.content, seed)
        self._asked: list[tuple[FloatArray, FloatArray]] = []
        self._found: dict[int, Served] = {}
        self._grounds: dict[str, Ground | None] = {}

    @cached_property
    def outline(self) -> Outline | None:
        """What the coupling asks of the case; ``None`` where the hub has no freight."""

        def make() -> Outline | None:
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

        return remembered("freight", (self._key,), make)

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

        found = remembered("freight arrays", (self._key,), make)
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

    def serve(self, activity_km: FloatArray, wanted: FloatArray) -> Pass:
        """The next pass: chargers for the share ``wanted`` (T,) of the activity (T,) [km]."""
        self._asked.append((activity_km, wanted))

        def make() -> Pass:
            served = self.served()
            return Pass(served.share, served.usd_per_kwh)

        return remembered("chargers of a pass", (self._key, self._asked), make)

    def served(self, passes: int | None = None) -> Served:
        """What the chargers do after so many passes (the last unless given), with the choice of sites."""
        from cleanhub.freight.serve import serve_trucks

        number = len(self._asked) if passes is None else passes
        case = self.case
        assert case is not None  # no pass is asked for without freight
        if number not in self._found:
            before = self._asked[:number]
            self._found[number] = remembered(
                "sites of a pass",
                (self._key, before),
                lambda: serve_trucks(case, *before[-1], self.served(number - 1) if number > 1 else None),
            )
        return self._found[number]

    def _could(self) -> Binding:
        """What could be charged if all trucks wanted it, which the share that does not enters."""

        def make() -> Binding:
            from cleanhub.freight.siting_binds import what_could_be

            case = self.case
            assert case is not None  # asked for after a pass
            return what_could_be(case.problem(activity_km, np.ones(len(activity_km))))

        activity_km = self._asked[-1][0]
        return remembered("what could be charged", (self._key, activity_km), make)

    def notes(self) -> tuple[str, ...]:
        """Notes on the last pass."""
        return remembered("notes on sites", (self._key, self._asked), lambda: self.served().notes)

    def tables(self, wanted: FloatArray, residual: FloatArray) -> dict[str, pd.DataFrame]:
        """The plan tables of freight; see :func:`cleanhub.freight.serve.freight_tables`."""

        def make() -> dict[str, pd.DataFrame]:
            from cleanhub.freight.serve import freight_tables

            case = self.case
            assert case is not None  # tables are asked for after a pass
            return freight_tables(case, self.served(), wanted, residual, self._could())

        return remembered("freight tables", (self._key, self._asked, wanted, residual), make)
