"""The simulation of one hub's pipeline: graph, calibration, draws, times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import End, Parameters
from cleanhub.hub.scenario import Scenario
from cleanhub.pipeline.calibrate import Calibration, calibrate
from cleanhub.pipeline.draws import FinanceGate, World, remembered_draw
from cleanhub.pipeline.evaluate import Times, evaluate
from cleanhub.pipeline.graph import Dangling, Pipeline, build_graph
from cleanhub.pipeline.problem import FloatArray, Hurdle, Projects, Setting, Simulation
from cleanhub.pipeline.stages import chance_ever, year_of

DRAWS = 1_000
_ENDS: tuple[End, End, End] = ("low", "value", "high")
_TARGETS = ("hub_emissions", "state_emissions")
_OFF = 0.01
"""Distance of the share reached from the base rate that is told to the reader."""

Judges = Callable[[Projects, Hurdle], FinanceGate]
"""Makes the judge of finance gates for the projects of a graph and a hurdle."""


@dataclass(frozen=True)
class Run:
    """A simulation with what it was made of.

    Attributes
    ----------
    pipeline
        Graph, projects, and the policies that pay each.
    world, times
        What was drawn, and when everything closes with the hurdle asked for.
    strict
        Times of the same world if no project may decide whose value is below nothing; ``times`` itself
        without valuations or where the hurdle asked for is the strict one.
    calibration
        Shift of the gates and the share it reaches.
    parameters
        Table ``pipeline_parameters`` of the hub and the library.
    notes
        What a reader must know.
    """

    pipeline: Pipeline
    world: World
    times: Times
    strict: Times
    calibration: Calibration
    hurdle: Hurdle
    parameters: Parameters
    notes: tuple[str, ...]

    @property
    def simulation(self) -> Simulation:
        """The draws as the contract between the modules says."""
        world, times = self.world, self.times
        return Simulation(
            graph=world.graph,
            projects=world.projects,
            setting=world.setting,
            seed=world.seed,
            hurdle=self.hurdle,
            time=times.time,
            closes=world.closes,
            decided=times.decided,
            in_service=times.in_service,
            given_up=world.given_up,
            tonnes=times.tonnes,
            shift=self.calibration.shift,
        )


def simulate(
    hub: Hub,
    scenario: Scenario,
    draws: int = DRAWS,
    seed: int = 0,
    hurdle: Hurdle = "revealed",
    finance: Judges | None = None,
    answers: Mapping[str, Sequence[str]] | None = None,
    without_evidence: bool = False,
    dangling: Dangling = "error",
) -> Run:
    """Simulate the projects of a hub; the same seed gives the same numbers.

    Parameters
    ----------
    draws, seed
        How many worlds, and the seed.
    hurdle
        What the finance gate of a project with a valuation asks for.
    finance
        Makes the judge of those gates (:func:`cleanhub.pipeline.financing.value_gate`); none: every
        finance gate passes by its own chance.
    answers
        Policies that pay each project, by project.
    without_evidence
        Simulate the reference that calibration uses: its base rates are the published ones.
    dangling
        See :func:`~cleanhub.pipeline.graph.build_graph`.

    Raises
    ------
    InputError
        For a row of ``pipeline_parameters`` that is missing, and as
        :func:`~cleanhub.pipeline.graph.build_graph`.
    ValueError
        For fewer than one draw or a negative seed.
    """
    if draws < 1 or seed < 0:
        raise ValueError(f"draws must be at least 1 and the seed at least 0: {draws}, {seed}")
    setting = read_setting(hub, scenario)
    reference = build_graph(hub, scenario, without_evidence=True, dangling="note")
    found = calibrate(reference.graph, reference.projects, setting)
    pipeline = reference if without_evidence else build_graph(hub, scenario, answers, dangling=dangling)
    projects = pipeline.projects
    judge = finance(projects, hurdle) if finance is not None and not without_evidence else None
    world = remembered_draw(pipeline.graph, projects, setting, draws, seed, found.shift, judge)
    times = evaluate(world)
    return Run(
        pipeline=pipeline,
        world=world,
        times=times,
        strict=_strict(world, times, hurdle, finance if judge is not None else None),
        calibration=found,
        hurdle=hurdle,
        parameters=Parameters(hub, "pipeline_parameters", price_year=scenario.price_year),
        notes=(*pipeline.notes, *_notes(found, setting)),
    )


def read_setting(hub: Hub, scenario: Scenario) -> Setting:
    """Figures of the simulation from the hub's and the library's ``pipeline_parameters``.

    Tonnes count to the year of the hub's last target of emissions within the plan, else to its end. Raises
    :class:`~cleanhub.core.errors.InputError` naming a row that is missing.
    """
    rows = Parameters(hub, "pipeline_parameters", price_year=scenario.price_year)
    ever, hazard = chance_ever(hub), rows.value("fid_hazard", "", "1/yr")
    targets = hub.tables["targets"]
    years = targets.loc[targets["metric"].isin(_TARGETS), "year"].astype(int)
    return Setting(
        as_of=year_of(scenario.as_of),
        base=scenario.as_of.year,
        last_year=scenario.end_year,
        target_year=max((year for year in years if year <= scenario.end_year), default=scenario.end_year),
        drop_hazard=hazard * (1.0 - ever) / ever,
        ever=ever,
        hazard=hazard,
        common_project=rows.value("common_share", "project"),
        common_gate=rows.value("common_share", "gate"),
        completion=rows.value("completion"),
        capital_growth=_points(rows, "capital_growth"),
        price_spread=_points(rows, "price_spread"),
    )


def _points(rows: Parameters, parameter: str) -> FloatArray:
    return np.array([rows.value(parameter, "", "1", which) for which in _ENDS], dtype=float)


def _strict(world: World, times: Times, hurdle: Hurdle, finance: Judges | None) -> Times:
    if finance is None or hurdle == "strict":
        return times
    return evaluate(replace(world, finance=finance(world.projects, "strict")))


def _notes(found: Calibration, setting: Setting) -> list[str]:
    if found.projects and abs(found.reached - setting.ever) > _OFF:
        told = f"{found.reached:.0%} of projects without evidence decide, the base rate is {setting.ever:.0%}"
        return [f"no shift of the gates brings about the base rate: {told}"]
    return []
