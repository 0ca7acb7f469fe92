"""Support of projects: what it changes in drawn worlds, what it is worth, what is chosen and said."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from exact_choice import search_all
from hand_graphs import Hand, One, setting
from scipy.special import expit, logit
from test_financing import gate_of, grid_of, world_of

from cleanhub.core.errors import InputError
from cleanhub.hub.parameters import Parameters
from cleanhub.pipeline.calibrate import population
from cleanhub.pipeline.draws import World, chances, draw, log_odds
from cleanhub.pipeline.draws import world_of as world_of_odds
from cleanhub.pipeline.evaluate import evaluate
from cleanhub.pipeline.graph import build_graph
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import GATE, SHARED
from cleanhub.pipeline.simulate import read_setting, simulate
from cleanhub.pipeline.stages import chance_ever
from cleanhub.pipeline.support import Limits, caveat, plan_support
from cleanhub.pipeline.support_choice import choose
from cleanhub.pipeline.support_effects import (
    Ground,
    Help,
    added,
    ground_of,
    helped_world,
    times_with,
)
from cleanhub.pipeline.support_instruments import Instrument, Uplift, read_instruments, read_uplift
from cleanhub.pipeline.support_values import (
    Candidate,
    find_candidates,
    help_of,
    make_offers,
    problem_of,
)

DRAWS = 4000
UPLIFT = Uplift((0.0, 0.5, 1.0))
YEARS = 20.0
"""From 2026 to the end of 2045."""


def instrument(name: str = "technical_assistance", **changes: Any) -> Instrument:
    """Help whose odds are 4 in the middle and 16 at the high end, for 1 million of the programme."""
    given: dict[str, Any] = {
        "name": name,
        "gates": (),
        "odds": (1.0, 4.0, 16.0),
        "years_cut": 0.0,
        "capital_share": 0.0,
        "takes_slot": True,
        "cost": (0.5e6, 1e6, 2e6),
        "payer": "programme",
    }
    return Instrument(**{**given, **changes})


LINK_HELP = instrument("shared_infrastructure")


def on(hand: Hand, share: float = 0.5, draws: int = DRAWS, **rule: Any) -> Ground:
    """The ground of a hand-made pipeline; what decides is in service at once."""
    rules = setting(**rule)
    world = draw(*hand.build(), rules, draws, 0)
    return ground_of(world, evaluate(world), UPLIFT, share, 2045)


def one_gate(p: float = 0.2, **gate: Any) -> Hand:
    hand = Hand().gate("a", "permit", p, **gate)
    return hand.project(One("a", tonnes=100.0), ["gate:a:permit"], build=0.0)


def store_and_user() -> Hand:
    """Project a waits for its permit (0.3) and for the store (0.4); each is independent of the other."""
    hand = Hand().node(Node("store:s", SHARED, link_kind="store", p_pass=0.4, what="a store"))
    hand.gate("a", "permit", 0.3)
    hand.gate("a", "co2_transport_storage", 1.0, after=["store:s"])
    gates = ["gate:a:permit", "gate:a:co2_transport_storage"]
    return hand.project(One("a", tonnes=100.0, life=50.0), gates, build=0.0)


def moved(p: float, odds: float) -> float:
    return float(expit(logit(p) + np.log(odds)))


# ---------------------------------------------------------------- odds, time, money


@pytest.mark.parametrize(("share", "odds"), [(0.0, 1.0), (0.25, 2.0), (0.5, 4.0), (1.0, 16.0)])
def test_odds_move_the_chance_of_a_gate(share: float, odds: float) -> None:
    ground = on(one_gate(), share)
    help_ = help_of(ground, Candidate("a", "A", project=0), instrument())
    assert help_ is not None
    more = moved(0.2, odds) - 0.2
    assert added(ground, [help_]) == pytest.approx(100.0 * YEARS * more, abs=100.0 * YEARS * 2 / DRAWS)
    assert (added(ground, [help_]) == 0.0) == (share == 0.0)


def test_a_draw_that_passed_still_passes_and_nothing_else_is_drawn_anew() -> None:
    ground = on(store_and_user(), common_project=0.3)
    help_ = help_of(ground, Candidate("a", "A", project=0), instrument())
    world = helped_world(ground, [help_ or Help()])
    assert not (ground.world.closes & ~world.closes).any()
    assert (world.closes != ground.world.closes).any()
    assert world.given_up is ground.world.given_up
    store = list(world.graph.id).index("store:s")
    assert np.array_equal(world.closes[store], ground.world.closes[store])


def test_odds_of_two_instruments_multiply() -> None:
    ground = on(one_gate())
    one = help_of(ground, Candidate("a", "A", project=0), instrument())
    other = help_of(ground, Candidate("a", "A", project=0), instrument("permitting", gates=("permit",)))
    assert one is not None
    assert other is not None
    more = moved(0.2, 16.0) - 0.2
    expected = pytest.approx(100.0 * YEARS * more, abs=100.0 * YEARS * 2 / DRAWS)
    assert added(ground, [one, other]) == expected
    assert added(ground, [one + other]) == expected


def test_an_instrument_helps_its_own_gates_only() -> None:
    ground = on(one_gate())
    offtake = instrument("offtake", gates=("offtake",))
    assert help_of(ground, Candidate("a", "A", project=0), offtake) is None
    assert help_of(ground, Candidate("a", "A", project=0), LINK_HELP) is None
    done = on(one_gate(done=True))
    assert help_of(done, Candidate("a", "A", project=0), instrument()) is None


def test_time_saved_makes_gates_quicker_by_the_share_that_is_caused() -> None:
    for share, years in ((0.0, 4.0), (0.5, 3.5), (1.0, 3.0)):
        ground = on(one_gate(1.0, years=(4.0, 4.0, 4.0)), share)
        help_ = help_of(ground, Candidate("a", "A", project=0), instrument(years_cut=0.25))
        assert np.all(times_with(ground, [help_ or Help()]).decided[0] == years)
        assert added(ground, [help_ or Help()]) == pytest.approx(100.0 * (4.0 - years))


def valued(grid: Any, hurdle: str = "revealed", share: float = 0.5, **rule: Any) -> Ground:
    """The two projects of test_financing, of which a is judged by its value."""
    world = world_of(draws=DRAWS, **rule)
    world = replace(world, finance=gate_of(world, grid, hurdle))
    return ground_of(world, evaluate(world), UPLIFT, share, 2045)


def test_odds_move_the_hurdle_of_a_project_judged_by_its_value() -> None:
    """A value of -0.5 of the capital: three tenths to a half of sponsors accepted as little."""
    ground = valued(grid_of(-50.0))
    guarantee = instrument("guarantee", gates=("finance",))
    help_ = help_of(ground, Candidate("a", "A", project=0), guarantee)
    before = float(np.isfinite(ground.times.decided[0]).mean())
    after = float(np.isfinite(times_with(ground, [help_ or Help()]).decided[0]).mean())
    assert before == pytest.approx(0.4, abs=2 / DRAWS)
    assert after == pytest.approx(moved(0.4, 4.0), abs=2 / DRAWS)
    assert added(ground, [help_ or Help()]) > 0.0


def test_a_strict_hurdle_has_no_odds() -> None:
    ground = valued(grid_of(-50.0), "strict")
    guarantee = instrument("guarantee", gates=("finance",))
    help_ = help_of(ground, Candidate("a", "A", project=0), guarantee)
    assert added(ground, [help_ or Help()]) == 0.0


def test_a_grant_lowers_the_capital_that_is_valued_and_its_odds_do_not_count_on_top() -> None:
    """Value -10 at the capital estimated, 100 more for each unit of capital saved: 0.15 is enough."""
    ground = valued(grid_of(-10.0, per_capital=-100.0), "strict")
    for share, passes in ((0.05, False), (0.15, True)):
        grant = instrument("grant", gates=("finance",), capital_share=share, payer="public")
        help_ = help_of(ground, Candidate("a", "A", project=0), grant)
        assert help_ is not None
        assert help_.odds == ()
        assert help_.capital == ((0, share),)
        world = helped_world(ground, [help_])
        assert np.allclose(world.capital[0], ground.world.capital[0] - share)
        assert np.isfinite(times_with(ground, [help_]).decided[0]).all() == passes
        assert (added(ground, [help_]) > 0.0) == passes
        assert added(ground.at(0.0), [help_]) == added(ground, [help_])  # money is paid or not
    plain = help_of(ground, Candidate("b", "B", project=1), grant)
    assert plain is None  # no capital is known


def test_help_with_a_shared_link_saves_its_users_capital() -> None:
    hand = Hand().node(Node("pipe:x", SHARED, link_kind="pipe", cost=40.0))
    for name in ("a", "b"):
        hand.gate(name, "permit", after=["pipe:x"])
        hand.gate(name, "finance", after=[f"gate:{name}:permit"])
        hand.project(One(name), [f"gate:{name}:finance"])
    world = draw(*hand.build(), setting(), 50, 0)
    world = replace(world, finance=gate_of(world, grid_of(-10.0, per_capital=-100.0)))
    ground = ground_of(world, evaluate(world), UPLIFT, 0.0, 2045)
    pays = replace(LINK_HELP, capital_share=0.8)
    help_ = help_of(ground, find_candidates(ground)[-1], pays)
    assert help_ is not None
    assert help_.links == ((0, 0.8),)
    # half of 0.8 x 40 on a capital of 100
    assert np.allclose(helped_world(ground, [help_]).capital[0], 1.0 - 0.16)
    assert np.isfinite(times_with(ground, [help_]).decided[0]).all()
    assert added(ground, [help_]) > 0.0


# ---------------------------------------------------------------- values


def test_a_store_counts_the_gain_of_its_users_and_the_synergy_is_the_product() -> None:
    ground = on(store_and_user())
    offers = make_offers(ground, [instrument(), LINK_HELP])
    assert [one.id for one in offers.candidates] == ["a", "store:s"]
    worth = 100.0 * YEARS
    p, q = 0.3, 0.4
    more_p, more_q = moved(p, 4.0) - p, moved(q, 4.0) - q
    # two independent factors drawn side by side: 4 standard errors
    off = 4 * worth * 0.5 / np.sqrt(DRAWS)
    assert offers.packages[0].value == pytest.approx(worth * more_p * q, abs=off)
    assert offers.packages[1].value == pytest.approx(worth * p * more_q, abs=off)
    assert offers.pairs == ((0, 1),)
    assert offers.extra[0] == pytest.approx(worth * more_p * more_q, abs=off)
    both = problem_of(offers, 2, 2e6)
    helps = [one.help for one in offers.packages]
    assert choose(both).value == pytest.approx(added(ground, helps))


def test_what_no_tonnes_depend_on_and_programmes_with_parts_are_no_candidates() -> None:
    hand = Hand().gate("part", "permit", 0.5)
    hand.project(One("part", part_of="all"), ["gate:part:permit"])
    hand.gate("all", "permit", 0.5).project(One("all", role="programme"), ["gate:all:permit"])
    hand.gate("idle", "permit", 0.5).project(One("idle", tonnes=0.0), ["gate:idle:permit"])
    hand.gate("past", "permit", 0.5).project(One("past", stage="construction"), ["gate:past:permit"])
    assert [one.id for one in find_candidates(on(hand))] == ["part"]


@pytest.fixture(scope="module")
def run(small: Any, scenario: Any) -> Any:
    return simulate(small, scenario, draws=300)


@pytest.fixture(scope="module")
def offered(small: Any, scenario: Any) -> tuple[Instrument, ...]:
    return read_instruments(small, scenario)


@pytest.fixture(scope="module")
def ground(run: Any) -> Ground:
    weights = np.linspace(0.5, 2.0, len(run.world.projects))
    return ground_of(run.world, run.times, read_uplift(run.parameters), 0.5, 2045, weights)


def test_the_ground_draws_as_the_simulation_did(run: Any, ground: Ground) -> None:
    assert np.array_equal(helped_world(ground, []).closes, run.world.closes)
    same = times_with(ground, [])
    assert np.array_equal(same.decided, run.times.decided)
    assert np.array_equal(same.tonnes, ground.times.tonnes)


def test_values_of_packages_are_those_of_a_whole_evaluation(
    ground: Ground, offered: tuple[Instrument, ...]
) -> None:
    offers = make_offers(ground, offered)
    base = ground.weights @ ground.times.tonnes.mean(axis=1)
    assert len(offers.packages) > 5
    for one in offers.packages:
        whole = ground.weights @ times_with(ground, [one.help]).tonnes.mean(axis=1) - base
        assert one.value == pytest.approx(whole)
        assert one.cost[0] <= one.cost[1] <= one.cost[2]
        assert sum(one.paid.values()) == pytest.approx(one.cost[1])
    vault = next(place for place, one in enumerate(offers.candidates) if one.id == "vault")
    assert any(one.candidate == vault for one in offers.packages)  # a store without tonnes of its own
    for (a, b), extra in zip(offers.pairs, offers.extra, strict=True):
        pair = [offers.packages[a], offers.packages[b]]
        whole = ground.weights @ times_with(ground, [one.help for one in pair]).tonnes.mean(axis=1) - base
        assert extra == pytest.approx(whole - pair[0].value - pair[1].value, abs=1e-3)
    few = problem_of(offers, 2, 3e6)
    if len(offers.candidates) <= 12:
        assert choose(few).value == pytest.approx(search_all(few).value)


def test_public_money_apart_or_with_the_rest(ground: Ground, offered: tuple[Instrument, ...]) -> None:
    offers = make_offers(ground, offered)
    one, apart = problem_of(offers, 3, 1e7), problem_of(offers, 3, 1e7, 2e6)
    assert one.public.sum() == 0.0
    assert np.allclose(one.cost, apart.cost + apart.public)
    assert np.isinf(one.public_budget)
    assert apart.public_budget == 2e6
    assert apart.public.any()


def test_more_slots_or_money_never_lower_the_value_of_offers(
    ground: Ground, offered: tuple[Instrument, ...]
) -> None:
    offers = make_offers(ground, offered)
    by_slots = [choose(problem_of(offers, slots, 1e7)).value for slots in range(6)]
    by_money = [choose(problem_of(offers, 3, money)).value for money in (0.0, 1e6, 3e6, 1e7, 3e7, 1e9)]
    for values in (by_slots, by_money):
        assert all(later >= earlier * (1 - 1e-6) for earlier, later in pairwise(values))
        assert values[-1] > values[0]


# ---------------------------------------------------------------- the plan


def test_a_plan_stays_within_its_limits_and_says_what_holds_without_uplift(
    run: Any, offered: tuple[Instrument, ...]
) -> None:
    plan = plan_support(run, offered, read_uplift(run.parameters), Limits(2, 6e6))
    assert len(plan.chosen) >= 1
    assert plan.chosen["slot"].sum() <= 2
    assert plan.chosen["cost_usd"].sum() <= 6e6
    assert plan.choice.bound >= plan.choice.value > 0.0
    assert plan.simulated.value == pytest.approx(plan.choice.value, rel=0.3)
    assert plan.fresh.value > 0.0
    assert plan.at_zero == 0.0  # no valuations here, so money alone does nothing
    assert list(plan.uplifts["uplift"]) == [0.0, 0.5, 1.0]
    assert plan.uplifts["chosen_co2e_t"].is_monotonic_increasing
    assert plan.at_zero < plan.drawn.value < plan.uplifts["chosen_co2e_t"].max()
    assert (plan.uplifts["best_co2e_t"] >= 0.0).all()
    assert (plan.chosen["p_after"] >= plan.chosen["p_before"]).all()
    again = plan_support(run, offered, read_uplift(run.parameters), Limits(2, 6e6))
    assert again.chosen.equals(plan.chosen)
    assert (again.fresh, again.drawn) == (plan.fresh, plan.drawn)


def test_tonnes_to_an_earlier_year_are_fewer(run: Any, offered: tuple[Instrument, ...]) -> None:
    uplift = read_uplift(run.parameters)
    soon = plan_support(run, offered, uplift, Limits(2, 6e6), by=2032)
    late = plan_support(run, offered, uplift, Limits(2, 6e6), by=2045)
    assert soon.base < late.base
    assert soon.choice.value < late.choice.value


def test_weights_turn_the_choice(run: Any, offered: tuple[Instrument, ...]) -> None:
    only = np.array([1.0 if one == "fleet" else 0.0 for one in run.world.projects.id])
    plan = plan_support(run, offered, read_uplift(run.parameters), Limits(1, 5e6), weights=only)
    assert {one.id for one in plan.offers.candidates if one.project >= 0} <= {"fleet", "depot"}


def test_a_year_that_is_not_in_the_plan(run: Any, offered: tuple[Instrument, ...]) -> None:
    with pytest.raises(InputError, match=r"no such year; found 1999; allowed 2026 to 2050"):
        plan_support(run, offered, UPLIFT, Limits(1, 1e6), by=1999)


def test_nothing_to_support(empty_hub: Any, scenario: Any, offered: tuple[Instrument, ...]) -> None:
    run = simulate(empty_hub, scenario, draws=20)
    plan = plan_support(run, offered, UPLIFT, Limits(3, 1e8))
    assert plan.chosen.empty
    assert (plan.base, plan.choice.value, plan.fresh.value) == (0.0, 0.0, 0.0)


# ---------------------------------------------------------------- rows of the library


def test_full_odds_of_assistance_are_those_of_the_sample_and_the_middle_is_half(
    small: Any, offered: tuple[Instrument, ...]
) -> None:
    rows = Parameters(small, "pipeline_parameters")
    supported, ever = rows.value("fid_supported"), chance_ever(small)
    ratio = (supported / (1 - supported)) / (ever / (1 - ever))
    assistance = next(one for one in offered if one.name == "technical_assistance")
    assert assistance.odds == pytest.approx((1.0, ratio / 2, ratio), abs=0.005)
    assert read_uplift(rows).points == (0.0, 0.5, 1.0)
    assert all(one.odds[0] == 1.0 for one in offered)  # no uplift, no effect


def test_odds_on_every_gate_bring_no_more_decisions_than_the_sample_shows(
    california: Any, scenario_ca: Any
) -> None:
    """On the reference, full odds on every gate of every project: more than 20 % decide, fewer than 70 %."""
    rules = read_setting(california, scenario_ca)
    shift = simulate(california, scenario_ca, draws=2).calibration.shift
    reference = build_graph(california, scenario_ca, without_evidence=True, dangling="note")
    graph, projects = reference.graph, reference.projects
    chance = chances(graph, rules, shift)
    odds = log_odds(graph, projects, rules, chance, 200, 1)
    gates = (graph.kind == GATE) & (graph.project >= 0)
    raised = np.where(gates, expit(logit(chance) + np.log(9.33)), chance)
    world: World = world_of_odds(graph, projects, rules, raised, odds, 200, 1)
    share = np.isfinite(evaluate(world).decided[population(projects)]).mean()
    assert 0.25 < share < 0.70


def test_unknown_instruments_and_odds_that_fall_are_all_told(
    small: Any, scenario: Any, with_library: Any
) -> None:
    with pytest.raises(InputError) as told:
        read_instruments(small, scenario, ["guarantee", "luck", "prayer"])
    assert len(told.value.faults) == 2
    assert "luck" in str(told.value)
    row = {
        "instrument": "offtake",
        "odds_low": 2,
        "odds_ratio": 1,
        "odds_high": 3,
        "years_cut": 0,
        "capital_share": 0,
        "takes_slot": "no",
        "cost_low": 1,
        "cost": 1,
        "cost_high": 1,
        "currency_year": 2024,
        "payer": "buyer",
    }
    hub = with_library(small, support_instruments=[row, {**row, "instrument": "guarantee", "odds_low": 0}])
    with pytest.raises(InputError) as told:
        read_instruments(hub, scenario)
    assert [(fault.row, fault.column) for fault in told.value.faults] == [
        (2, "odds_ratio"),
        (3, "odds_ratio"),
    ]


def test_costs_are_in_dollars_of_the_scenario(small: Any, scenario: Any) -> None:
    (now,) = read_instruments(small, scenario, ["permitting"])
    (then,) = read_instruments(small, scenario.model_copy(update={"price_year": 2010}), ["permitting"])
    assert now.cost[1] == pytest.approx(750000.0)
    assert 0.5 < then.cost[1] / now.cost[1] < 0.9
    assert now.takes_slot
    assert not read_instruments(small, scenario, ["grant"])[0].takes_slot


def test_the_caveat_names_the_sample(run: Any, offered: tuple[Instrument, ...]) -> None:
    said = caveat(run, offered, UPLIFT, 0.5)
    for words in ("70%", "20%", "chosen, not drawn", "9.33", "4.67", "assumed"):
        assert words in said
    assert "70%" not in caveat(run, [one for one in offered if one.gates], UPLIFT, 0.5)
