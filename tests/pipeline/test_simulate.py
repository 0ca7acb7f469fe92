"""The simulation of a hub: settings, seeds, evidence, stores, valuations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.pipeline.evaluate import evaluate
from cleanhub.pipeline.problem import GATE
from cleanhub.pipeline.simulate import read_setting, simulate


class Rich:
    """Finds money for all projects (revealed) or none (strict)."""

    def __init__(self, projects, hurdle):
        self.known = projects.live
        self.hurdle = hurdle

    def passes(self, project, decided, world):
        return np.full(len(decided), self.hurdle == "revealed")


def of(run, project_id):
    return int(np.flatnonzero(run.world.projects.id == project_id)[0])


def came(run):
    return np.isfinite(run.times.decided)


def test_the_setting_is_read_from_rows(small, scenario):
    found = read_setting(small, scenario)
    assert (found.as_of, found.base, found.last_year) == (2026.0, 2026, 2050)
    assert found.drop_hazard == pytest.approx(found.hazard * (1 - found.ever) / found.ever)
    assert np.all(np.diff(found.capital_growth) >= 0)


def test_tonnes_count_to_the_last_target_within_the_plan(california, scenario_ca):
    assert read_setting(california, scenario_ca).target_year == 2045
    early = scenario_ca.model_copy(update={"end_year": 2040})
    assert read_setting(california, early).target_year == 2030  # 2045 is beyond this plan


def test_a_row_that_is_missing_is_named(small, scenario):
    rows = small.library.tables["pipeline_parameters"]
    kept = {**small.library.tables, "pipeline_parameters": rows[rows["parameter"] != "completion"]}
    with pytest.raises(InputError, match="no row completion"):
        read_setting(replace(small, library=replace(small.library, tables=kept)), scenario)


@pytest.mark.parametrize(("draws", "seed"), [(0, 0), (10, -1)])
def test_impossible_numbers_of_draws_are_refused(small, scenario, draws, seed):
    with pytest.raises(ValueError, match="at least"):
        simulate(small, scenario, draws=draws, seed=seed)


def test_each_gate_that_is_done_raises_the_chance_and_lowers_no_draw(make_hub, small, scenario):
    base = simulate(small, scenario, draws=3_000)
    graph, kiln = base.world.graph, of(base, "kiln")
    others = np.arange(len(base.world.projects)) != kiln
    nodes = np.flatnonzero((graph.kind == GATE) & (graph.project == kiln))
    assert len(nodes) > 5
    for node in nodes:
        gate = str(graph.gate[node])
        told = simulate(make_hub(change={"kiln": {"gates_done": gate}}), scenario, draws=3_000)
        assert np.all(told.times.decided[kiln] <= base.times.decided[kiln]), gate
        if base.world.closes[node].mean() < 0.98:  # a gate that nearly always passes tells next to nothing
            assert came(told)[kiln].sum() > came(base)[kiln].sum(), gate
        assert np.array_equal(told.world.given_up[others], base.world.given_up[others])


def test_without_stores_no_capture_decides(small, scenario):
    run = simulate(small, scenario, draws=500)
    graph = run.world.graph
    stores = np.flatnonzero((graph.link_kind == "store") & ~graph.done)
    suppliers = [run.world.projects.service[of(run, name)] for name in ("vault", "wells")]
    gone = evaluate(run.world, never=[*map(int, stores), *map(int, suppliers)])
    for name in ("kiln", "mill"):
        assert np.isfinite(run.times.decided[of(run, name)]).any()
        assert not np.isfinite(gone.decided[of(run, name)]).any()
    assert np.array_equal(gone.decided[of(run, "turbine")], run.times.decided[of(run, "turbine")])


def test_one_project_and_none(make_hub, empty_hub, scenario):
    run = simulate(make_hub(only=["mill"]), scenario, draws=50)
    assert run.times.decided.shape == (1, 50)
    nothing = simulate(empty_hub, scenario, draws=50)
    assert nothing.times.decided.shape == (0, 50)
    assert nothing.calibration.shift == 0.0


def test_the_strict_hurdle_is_looked_at_in_the_same_world(small, scenario):
    run = simulate(small, scenario, draws=200, finance=Rich)
    live = run.world.projects.live & (run.world.projects.role != "programme")
    assert np.isfinite(run.times.decided[live]).any(axis=1).all()
    assert not np.isfinite(run.strict.decided[live]).any()
    alone = simulate(small, scenario, draws=200, finance=Rich, hurdle="strict")
    assert np.array_equal(alone.times.decided, run.strict.decided)
    plain = simulate(small, scenario, draws=200)
    assert plain.strict is plain.times


def test_evidence_is_left_out_of_the_reference(small, scenario):
    run = simulate(small, scenario, draws=50, without_evidence=True, finance=Rich)
    projects = run.world.projects
    plain = projects.role != "programme"
    assert set(projects.stage[plain]) == {"announced"}
    assert run.world.finance is None
