"""Calibration: the base rates come out, on graphs with a closed form and on the bundled hub."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_graphs import Hand, One, setting
from scipy.special import expit, logit

from cleanhub.core.memory import VARIABLE, remembering
from cleanhub.pipeline.calibrate import WIDEST, Calibration, calibrate, population
from cleanhub.pipeline.draws import draw
from cleanhub.pipeline.evaluate import evaluate
from cleanhub.pipeline.problem import Projects
from cleanhub.pipeline.simulate import simulate

EVER, HAZARD = 0.2, 0.03
DROP = HAZARD * (1 - EVER) / EVER


def one_gate(count: int, p: float, years: float, fixed: bool = False) -> Hand:
    hand = Hand()
    for number in range(count):
        name = f"p{number}"
        hand.gate(name, "permit", p, years=(years, years, years), fixed=fixed)
        hand.project(One(name), [f"gate:{name}:permit"])
    return hand


def test_three_and_twenty_percent_are_different_quantities():
    assert pytest.approx(0.12) == DROP
    assert pytest.approx(HAZARD) == DROP * EVER / (1 - EVER)


def test_the_shift_of_one_gate_in_closed_form():
    """P = p' exp(-lambda T): p' = 0.2 / exp(-0.12 x 3), and the shift is its log-odds less those of p."""
    found = calibrate(*one_gate(20, 0.6, 3.0).build(), setting(drop_hazard=DROP))
    exact = logit(EVER / np.exp(-DROP * 3.0)) - logit(0.6)
    assert found.reached == pytest.approx(EVER, abs=0.002)
    assert found.shift == pytest.approx(exact, abs=0.03)
    assert found.projects == 20


def test_the_hazard_of_live_project_years_follows_from_the_identity():
    hand = one_gate(20, 0.6, 3.0)
    found = calibrate(*hand.build(), setting(drop_hazard=DROP))
    assert found.hazard == pytest.approx(HAZARD, rel=0.03)
    rule = setting(drop_hazard=DROP)
    world = draw(*hand.build(), rule, 5_000, 77, shift=found.shift)
    decided = evaluate(world).decided
    came = np.isfinite(decided)
    assert came.mean() == pytest.approx(EVER, abs=0.005)
    live_years = np.minimum(decided, world.given_up).sum()
    assert came.sum() / live_years == pytest.approx(HAZARD, rel=0.04)


def test_chances_that_are_fixed_stay_and_the_others_make_up_for_them():
    hand = Hand()
    for name in "abcdefgh":
        hand.gate(name, "permit", 0.5, fixed=True).gate(name, "offtake", 0.5)
        hand.project(One(name), [f"gate:{name}:permit", f"gate:{name}:offtake"])
    found = calibrate(*hand.build(), setting())
    assert expit(found.shift) == pytest.approx(0.4, abs=0.02)  # 0.5 x 0.4 = 0.2


def test_base_rates_out_of_reach_are_told_by_what_is_reached():
    late = calibrate(*one_gate(5, 0.5, 40.0).build(), setting(drop_hazard=DROP))
    assert late.shift == WIDEST
    assert late.reached < 0.02
    sure = calibrate(*one_gate(5, 1.0, 1.0).build(), setting())
    assert (sure.shift, sure.reached) == (0.0, 1.0)
    bound = calibrate(*one_gate(5, 0.9, 1.0, fixed=True).build(), setting())
    assert (bound.shift, round(bound.reached, 2)) == (0.0, 0.9)


def test_no_projects_need_no_shift():
    found = calibrate(*Hand().build(), setting())
    assert (found.shift, found.projects) == (0.0, 0)


def test_programmes_are_not_counted():
    hand = one_gate(3, 0.5, 1.0)
    hand.gate("top", "permit", 0.001).project(One("top", role="programme"), ["gate:top:permit"])
    graph, projects = hand.build()
    assert population(projects).tolist() == [True, True, True, False]
    assert calibrate(graph, projects, setting()).reached == pytest.approx(EVER, abs=0.01)


def test_the_same_data_gives_the_same_shift():
    graph, projects = one_gate(5, 0.6, 1.0).build()
    assert calibrate(graph, projects, setting()) == calibrate(graph, projects, setting())


def test_california_without_evidence_has_the_published_base_rates(california, scenario_ca):
    """Another seed than that of the calibration: 3 % a year and 20 % ever within sampling error."""
    run = simulate(california, scenario_ca, draws=4_000, seed=5, without_evidence=True)
    counted = population(run.world.projects)
    decided, given_up = run.times.decided[counted], run.world.given_up[counted]
    came = np.isfinite(decided)
    by_draw = came.mean(axis=0)
    assert by_draw.mean() == pytest.approx(EVER, abs=4 * by_draw.std() / np.sqrt(4_000) + 0.002)
    assert came.sum() / np.minimum(decided, given_up).sum() == pytest.approx(HAZARD, rel=0.02)
    assert run.calibration.reached == pytest.approx(EVER, abs=0.001)


def test_what_was_found_is_remembered_whatever_the_capital_and_not_with_other_base_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "memory"))
    graph, projects = one_gate(5, 0.6, 3.0).build()
    dearer = replace(projects, capital=projects.capital + 1e9, public=np.full(len(projects), 1e6))

    def found(of: Projects, drop_hazard: float = DROP) -> tuple[Calibration, list[str]]:
        with remembering() as memory:
            return calibrate(graph, of, setting(drop_hazard=drop_hazard), draws=100), memory.recalled

    first, _ = found(projects)
    assert found(dearer) == (first, ["calibration"])
    assert found(projects, 0.5 * DROP)[1] == []
    monkeypatch.setenv(VARIABLE, "off")
    assert found(dearer)[0] == first
