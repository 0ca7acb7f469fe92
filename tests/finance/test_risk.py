"""Draws against closed forms, and Monte Carlo against the single valuations it is made of."""

from __future__ import annotations

import copy
import datetime as dt
import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.core.yaml_file import merged_mapping
from cleanhub.finance.build import Setting, TaxTerms
from cleanhub.finance.case_value import value_case
from cleanhub.finance.cases import LoadedCase, case_of, list_archetypes, load_archetype
from cleanhub.finance.figures import Z90, Values
from cleanhub.finance.risk import (
    Distribution,
    correlation_matrix,
    draws,
    financing,
    monte_carlo,
    nearest_correlation,
    normal_draws,
    uncertain_paths,
    uncertain_policies,
)
from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer

TAXED = Setting(tax=TaxTerms(0.21, 0.0884, 1.0))
PLANT: dict[str, Any] = {
    "name": "plant",
    "title": "A plant that sells two ways",
    "project": {"sector": "hydrogen", "in_service": dt.date(2030, 1, 1)},
    "production": {
        "product": "hydrogen",
        "unit": "t",
        "capacity": 1000.0,
        "utilisation": {"value": 0.9, "low": 0.8, "high": 0.95},
        "life": 10,
        "policy_product": "hydrogen",
    },
    "capital": {"cost": {"value": 20e6, "low": 18e6, "high": 26e6}, "spending": [0.5, 0.5]},
    "costs": {"operation": {"fixed": 1e6}},
    "revenue": {
        "offtake": {"price": {"value": 6000, "low": 5000, "high": 7000, "unit": "USD/t"},
                    "share": 0.6, "contracted": True},
        "merchant": {"price": {"value": 5000, "low": 4000, "high": 6500, "unit": "USD/t"}, "share": 0.4},
    },
    "debt": {"tenor": 8},
}  # fmt: skip
BARE: dict[str, Any] = {
    "production": {"utilisation": {"value": 0.9, "low": 0.9, "high": 0.9}},
    "capital": {"cost": {"value": 20e6, "low": 20e6, "high": 20e6}},
    "revenue": {"merchant": {"price": {"value": 5000, "low": 4000, "high": 6000, "unit": "USD/t"}}},
    "debt": {"kind": "none"},
}
"""Neither debt nor anything uncertain but two prices, whose ranges are even on both sides."""


def plant(library: Library, **changes: Any) -> LoadedCase:
    data = copy.deepcopy(PLANT)
    return case_of(merged_mapping(data, changes) if changes else data, library)


def pair(first: str, second: str, value: float) -> dict[str, Any]:
    return {"between": [first, second], "value": value}


def market(low: float = 0.5, high: float = 2.0) -> Answer:
    rate = np.full(10, 300.0)
    return Answer(
        "credit", "A credit with a market price", "market_credit", "pays", "it does",
        quantity="hydrogen", rate=rate, rate_low=low * rate, rate_high=high * rate, bankable=False,
    )  # fmt: skip


PRICES = ("revenue.merchant.price", "revenue.offtake.price")


# ---------------------------------------------------------------- draws


@pytest.mark.parametrize(("method", "samples"), [("latin_hypercube", 20_000), ("sobol", 1 << 14)])
def test_low_and_high_are_the_10th_and_90th_percentile(library: Library, method: Any, samples: int) -> None:
    case = plant(library)
    for path, drawn in draws(case, samples, 3, method).items():
        figure = case.figures[path]
        width = figure.high - figure.low
        for percent, end in ((10, figure.low), (50, figure.value), (90, figure.high)):
            assert np.percentile(drawn, percent) == pytest.approx(end, abs=2e-3 * width), path


def test_every_uncertain_figure_is_drawn_and_nothing_else(library: Library) -> None:
    case = plant(library)
    expected = ("capital.cost", "production.utilisation", *PRICES)
    assert uncertain_paths(case) == expected
    assert tuple(draws(case, 5)) == expected
    with_credit = Setting(answers=(market(),))
    assert uncertain_paths(case, with_credit) == (*expected, "policies.credit")


def test_policies_without_a_range_or_that_say_no_are_not_drawn() -> None:
    flat = market(1.0, 1.0)
    refused = Answer("other", "Other", "market_credit", "no", "because")
    assert uncertain_policies(Setting(answers=(flat, refused))) == ()
    assert [one.policy for one in uncertain_policies(Setting(answers=(market(), refused)))] == ["credit"]


def test_one_draw_falls_in_each_stratum_even_where_correlated(library: Library) -> None:
    case = plant(library, correlations=[pair(*PRICES, 0.8)])
    drawn = normal_draws(case, PRICES, 1000, 1)
    for row in drawn.z:
        strata = np.floor([1000 * NormalDist().cdf(z) for z in row]).astype(int)
        assert sorted(strata) == list(range(1000))


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol"])
@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.5, 0.95])
def test_correlation_is_recovered(library: Library, method: Any, rho: float) -> None:
    case = plant(library, correlations=[pair(*PRICES, rho)])
    z = normal_draws(case, uncertain_paths(case), 1 << 14, 2, method).z
    found = np.corrcoef(z)
    first, second = (uncertain_paths(case).index(path) for path in PRICES)
    assert found[first, second] == pytest.approx(rho, abs=0.02)
    found[first, second] = found[second, first] = 0.0
    assert np.abs(found - np.eye(len(z))).max() < 0.03
    assert np.abs(z.mean(axis=1)).max() < 0.01
    assert z.std(axis=1) == pytest.approx(np.ones(len(z)), abs=0.01)


def test_three_correlated_figures_keep_all_three_correlations(library: Library) -> None:
    paths = ("capital.cost", *PRICES)
    wanted = {(0, 1): 0.6, (0, 2): -0.3, (1, 2): 0.2}
    stated = [pair(paths[i], paths[j], rho) for (i, j), rho in wanted.items()]
    z = normal_draws(plant(library, correlations=stated), paths, 1 << 14, 4).z
    found = np.corrcoef(z)
    for (i, j), rho in wanted.items():
        assert found[i, j] == pytest.approx(rho, abs=0.02)


def test_same_seed_same_numbers(library: Library) -> None:
    case = plant(library)
    for method in ("latin_hypercube", "sobol"):
        one, two = (normal_draws(case, PRICES, 100, 7, method).z for _ in range(2))  # type: ignore[arg-type]
        assert np.array_equal(one, two)
        assert not np.array_equal(one, normal_draws(case, PRICES, 100, 8, method).z)  # type: ignore[arg-type]


def test_a_further_figure_leaves_the_draws_of_the_others(library: Library) -> None:
    case = plant(library)
    few, more = draws(case, 50, 1, paths=PRICES), draws(case, 50, 1)
    for path in PRICES:
        assert np.array_equal(few[path], more[path])


def test_draws_stay_inside_the_limits_of_their_field(library: Library) -> None:
    case = plant(library, production={"utilisation": {"value": 0.9, "low": 0.5, "high": 0.98}})
    drawn = draws(case, 5000, 0)["production.utilisation"]
    assert drawn.max() == 1.0
    assert drawn.min() >= 0.0


def test_a_policy_is_drawn_as_its_normal_variable(library: Library) -> None:
    drawn = draws(plant(library), 4000, 0, paths=("policies.credit",))["policies.credit"]
    assert np.percentile(drawn, 90) == pytest.approx(Z90, abs=1e-2)


def test_wrong_questions_are_listed_together(library: Library) -> None:
    with pytest.raises(InputError) as caught:
        draws(plant(library), 0, -1, "dice", paths=("capital.price",))  # type: ignore[arg-type]
    text = str(caught.value)
    assert caught.value.exit_code == 2
    for word in ("samples", "seed", "method", "capital.price", "4 faults"):
        assert word in text
    with pytest.raises(InputError, match="duplicate"):
        draws(plant(library), 10, paths=("capital.cost", "capital.cost"))
    with pytest.raises(InputError, match="block"):
        monte_carlo(plant(library), TAXED, 10, block=0)


# ---------------------------------------------------------------- correlations


def test_the_nearest_correlation_matrix_is_highams() -> None:
    # Higham (2002), section 1: the nearest to this one is given to four digits.
    given = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    near = np.array([[1.0, 0.7607, 0.1573], [0.7607, 1.0, 0.7607], [0.1573, 0.7607, 1.0]])
    found = nearest_correlation(given)
    assert found == pytest.approx(near, abs=1e-4)
    assert np.linalg.eigvalsh(found)[0] > 0
    assert np.diag(found) == pytest.approx(np.ones(3), abs=0)


def test_contradicting_correlations_are_moved_and_noted(library: Library) -> None:
    first, second, third = "capital.cost", *PRICES
    stated = [pair(first, second, 0.95), pair(second, third, 0.95), pair(first, third, -0.9)]
    case = plant(library, correlations=stated)
    matrix, notes = correlation_matrix(case, (first, second, third))
    assert np.linalg.eigvalsh(matrix)[0] > 0
    assert "contradict" in notes[0]
    result = monte_carlo(case, TAXED, 50)
    assert any("contradict" in note for note in result.notes)


def test_a_matrix_that_holds_is_left_as_it_is(library: Library) -> None:
    case = plant(library, correlations=[pair(*PRICES, 0.99)])
    matrix, notes = correlation_matrix(case, PRICES)
    assert matrix.tolist() == [[1.0, 0.99], [0.99, 1.0]]
    assert notes == ()


def test_perfect_agreement_of_three_is_no_contradiction(library: Library) -> None:
    """0.6 and 0.8 beside a pair of 0 lie on the edge of what is possible: moved by a hair, without a note."""
    first, second, third = "capital.cost", *PRICES
    case = plant(library, correlations=[pair(first, second, 0.6), pair(first, third, 0.8)])
    matrix, notes = correlation_matrix(case, (first, second, third))
    assert notes == ()
    assert matrix[0].tolist() == pytest.approx([1.0, 0.6, 0.8], abs=1e-6)
    assert np.linalg.eigvalsh(matrix)[0] > 0


def test_a_pair_that_is_not_drawn_is_noted(library: Library) -> None:
    case = plant(library, correlations=[pair("capital.cost", "costs.operation.fixed", 0.5)])
    matrix, notes = correlation_matrix(case, uncertain_paths(case))
    assert np.array_equal(matrix, np.eye(4))
    assert "costs.operation.fixed is not drawn" in notes[0]


def test_a_figure_with_itself_and_a_pair_stated_twice_are_refused(library: Library) -> None:
    stated = [pair(*PRICES, 0.5), pair(*reversed(PRICES), 0.2), pair(PRICES[0], PRICES[0], 0.9)]
    case = plant(library, correlations=stated)
    with pytest.raises(InputError) as caught:
        correlation_matrix(case, PRICES)
    assert "duplicate" in str(caught.value)
    assert "with itself" in str(caught.value)


def test_correlated_policies_move_together(library: Library) -> None:
    case = plant(library, correlations=[pair("policies.credit", "revenue.merchant.price", 0.7)])
    setting = Setting(answers=(market(),))
    z = normal_draws(case, uncertain_paths(case, setting), 5000, 0).z
    names = uncertain_paths(case, setting)
    first, second = names.index("policies.credit"), names.index("revenue.merchant.price")
    assert np.corrcoef(z[first], z[second])[0, 1] == pytest.approx(0.7, abs=0.03)


# ---------------------------------------------------------------- Monte Carlo


@pytest.mark.parametrize("rho", [0.0, 0.6, -0.6])
def test_value_is_the_sum_of_two_normals(library: Library, rho: float) -> None:
    """Without debt and tax NPV is linear in both prices: mean, spread and chance of loss are known."""
    case = plant(library, **BARE, correlations=[pair(*PRICES, rho)])
    setting = Setting()
    central = value_case(case, setting).sponsor.npv_usd
    slope = {}
    for path in PRICES:
        figure = case.figures[path]
        raised = value_case(case, setting, case.values.with_values(**{path: figure.high})).sponsor.npv_usd
        slope[path] = (raised - central) / Z90
    one, two = slope.values()
    spread = math.sqrt(one**2 + two**2 + 2.0 * rho * one * two)
    found = monte_carlo(case, setting, 20_000, seed=5)
    assert found.paths == PRICES
    assert found.mean("npv_usd") == pytest.approx(central, abs=2e-3 * spread)
    assert found.npv_usd.std() == pytest.approx(spread, rel=0.01)
    exact = NormalDist(central, spread)
    assert found.percentile("npv_usd", 10) == pytest.approx(exact.inv_cdf(0.1), abs=0.03 * spread)
    assert found.probability_of_loss == pytest.approx(exact.cdf(0.0), abs=0.01)
    # expected shortfall of a normal variable: mean - spread * density(quantile) / share
    tail = central - spread * NormalDist().pdf(NormalDist().inv_cdf(0.05)) / 0.05
    assert found.expected_shortfall(0.05) == pytest.approx(tail, abs=0.05 * spread)


@pytest.mark.parametrize("block", [3, 61, 333, 500])
def test_financed_results_do_not_depend_on_the_block(library: Library, block: int) -> None:
    case, setting = plant(library), Setting((market(),), TAXED.tax)
    whole = monte_carlo(case, setting, 500, seed=2, block=100_000)
    parts = monte_carlo(case, setting, 500, seed=2, block=block)
    for name in ("npv_usd", "irr", "min_dscr", "debt"):
        assert np.array_equal(whole.of(name), parts.of(name), equal_nan=True), name


def test_whole_results_depend_on_the_block_within_the_engines_tolerance(library: Library) -> None:
    case = plant(library)
    one = monte_carlo(case, TAXED, 300, block=300, whole=True)
    two = monte_carlo(case, TAXED, 300, block=11, whole=True)
    assert one.npv_usd == pytest.approx(two.npv_usd, abs=1e-8 * 20e6)
    assert one.debt == pytest.approx(two.debt, rel=1e-8)


def test_latin_hypercube_and_sobol_agree(library: Library) -> None:
    case = plant(library)
    one = monte_carlo(case, TAXED, 1 << 13, method="latin_hypercube")
    two = monte_carlo(case, TAXED, 1 << 13, method="sobol")
    spread = one.npv_usd.std()
    assert one.mean("npv_usd") == pytest.approx(two.mean("npv_usd"), abs=0.01 * spread)
    for percent in (10, 50, 90):
        lhs, sobol = one.percentile("npv_usd", percent), two.percentile("npv_usd", percent)
        assert lhs == pytest.approx(sobol, abs=0.04 * spread)
    assert two.notes == ()
    assert "power of two" in monte_carlo(case, TAXED, 1000, method="sobol").notes[0]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("kind", ["sculpted", "level", "none"])
@pytest.mark.parametrize("sized_on", ["lender", "sponsor"])
def test_each_draw_is_a_valuation_of_its_own(library: Library, whole: bool, kind: str, sized_on: str) -> None:
    case = plant(library, debt={"kind": kind, "sized_on": sized_on})
    result = monte_carlo(case, TAXED, 40, seed=3, whole=whole)
    drawn = draws(case, 40, 3)
    for number in (0, 13, 39):
        numbers = case.values.with_values(**{path: float(array[number]) for path, array in drawn.items()})
        if whole:
            view = value_case(case, TAXED, numbers).sponsor
            npv, debt = view.npv_usd, view.debt_usd
        else:
            outcome, worth = financing(value_case(case, TAXED)).equity(numbers)
            npv, debt = float(worth[0]), float(outcome.debt[0])
        assert result.npv_usd[number] == pytest.approx(npv, abs=1e-9 * 20e6)
        assert result.debt[number] == pytest.approx(debt, rel=1e-8, abs=1e-3)


def test_the_central_draw_is_the_central_valuation(library: Library) -> None:
    for sized_on in ("lender", "sponsor"):
        case = plant(library, debt={"sized_on": sized_on})
        value = value_case(case, TAXED)
        outcome, npv = financing(value).equity(case.values)
        assert npv[0] == pytest.approx(value.sponsor.npv_usd, abs=1e-3)
        assert outcome.debt[0] == pytest.approx(value.sponsor.debt_usd, rel=1e-10)


def test_financed_debt_is_the_lenders_and_whole_debt_is_not(library: Library) -> None:
    case = plant(library, debt={"gearing_cap": 1.0, "cover_ratio": 2.0})
    lent = value_case(case, TAXED).lender.debt_usd
    fixed = monte_carlo(case, TAXED, 200)
    assert fixed.debt == pytest.approx(np.full(200, lent), rel=1e-9)
    assert monte_carlo(case, TAXED, 200, whole=True).debt.std() > 0.05 * lent


def test_a_gearing_cap_still_lowers_fixed_debt(library: Library) -> None:
    case = plant(library, debt={"gearing_cap": 0.4}, revenue={"offtake": {"price": {"value": 9000,
                 "low": 8000, "high": 9500, "unit": "USD/t"}}})  # fmt: skip
    found = monte_carlo(case, TAXED, 500)
    cost = draws(case, 500)["capital.cost"]
    assert found.debt.max() <= value_case(case, TAXED).lender.debt_usd * (1 + 1e-9)
    cheap = cost < np.percentile(cost, 20)
    assert found.debt[cheap].mean() < found.debt[~cheap].mean()


def test_a_market_price_widens_the_distribution(library: Library) -> None:
    case = plant(library, production={"by_products": {}})
    fixed = Setting((market(1.0, 1.0),), TAXED.tax)
    drawn = Setting((market(0.2, 3.0),), TAXED.tax)
    assert monte_carlo(case, drawn, 2000).npv_usd.std() > 1.02 * monte_carlo(case, fixed, 2000).npv_usd.std()
    only = monte_carlo(case, drawn, 2000, paths=("policies.credit",))
    assert only.paths == ("policies.credit",)
    assert only.npv_usd.std() > 0


def test_nothing_uncertain_gives_the_central_case_every_time(library: Library) -> None:
    found = monte_carlo(plant(library), TAXED, 7, paths=())
    assert found.npv_usd == pytest.approx(np.full(7, found.central["npv_usd"]), abs=1e-3)


def test_without_debt_there_is_no_cover_ratio_and_nothing_is_not_covered(library: Library) -> None:
    found = monte_carlo(plant(library, debt={"kind": "none"}), TAXED, 100)
    assert np.isnan(found.min_dscr).all()
    assert found.probability_not_covered == 0.0
    assert math.isnan(found.percentile("min_dscr", 50))
    assert math.isnan(found.mean("min_dscr"))
    assert (found.debt == 0).all()


def test_thin_cover_is_often_not_enough(library: Library) -> None:
    dear = {
        "cost": {"value": 50e6, "low": 45e6, "high": 55e6}
    }  # so that no more is lent than the cash flow bears
    terms = {"sized_on": "sponsor", "gearing_cap": 1.0}
    thin = plant(library, capital=dear, debt={**terms, "cover_ratio": 1.0})
    safe = plant(library, capital=dear, debt={**terms, "cover_ratio": 2.5})
    found = monte_carlo(thin, TAXED, 1000), monte_carlo(safe, TAXED, 1000)
    assert found[0].probability_not_covered > 0.4 > found[1].probability_not_covered


@pytest.mark.parametrize("name", list_archetypes())
def test_archetypes_can_be_drawn(library: Library, name: str) -> None:
    found = monte_carlo(load_archetype(name, library), TAXED, 64)
    assert np.isfinite(found.npv_usd).all()
    assert found.npv_usd.std() > 0


# ---------------------------------------------------------------- what is told


def made(npv: Any, irr: Any, dscr: Any) -> Distribution:
    count = len(npv)
    central: Mapping[str, float] = {"npv_usd": 0.0, "irr": 0.1, "min_dscr": 1.5, "debt": 0.0}
    arrays = [np.array(one, dtype=float) for one in (npv, irr, dscr)]
    return Distribution(*arrays, np.zeros(count), central, ("a",), count, 0, "latin_hypercube")


def test_statistics_by_hand() -> None:
    nan = float("nan")
    found = made([-30, -10, 0, 10, 20], [nan, nan, 0.1, 0.2, 0.3], [0.5, nan, 0.99, 1.0, 2.0])
    assert found.probability_of_loss == 0.4
    assert found.probability_not_covered == 0.4
    assert found.expected_shortfall(0.4) == -20.0
    assert found.expected_shortfall(0.01) == -30.0
    assert found.expected_shortfall(1.0) == found.mean("npv_usd") == -2.0
    assert found.percentile("irr", 50) == 0.2
    told = found.summary()
    assert told["irr"]["share_without"] == 0.4
    assert told["npv_usd"]["p50"] == 0.0
    assert told["samples"] == 5
    with pytest.raises(KeyError):
        found.of("payback")
    with pytest.raises(ValueError, match="share"):
        found.expected_shortfall(0.0)


def test_values_of_a_block_are_those_of_the_whole(library: Library) -> None:
    case = plant(library)
    drawn = normal_draws(case, uncertain_paths(case), 100, 0)
    whole, part = drawn.values(), drawn.values(20, 30)
    for path in drawn.paths:
        assert np.array_equal(whole[path][20:30], part[path])
    assert Values(case.figures, part).count == 10
