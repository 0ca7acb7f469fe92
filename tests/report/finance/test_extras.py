"""Parts below the term sheet: risk, tornado, support, and frozen cases."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cleanhub.finance.case_value import CaseValue
from cleanhub.finance.frozen import FrozenCase, freeze, open_frozen
from cleanhub.finance.frozen_today import Recomputed, recompute
from cleanhub.finance.risk import Distribution, monte_carlo
from cleanhub.finance.sensitivity import policy_values, tornado
from cleanhub.finance.support_needed import Package, support_needed
from cleanhub.hub.library import Library
from cleanhub.report.finance import extras
from cleanhub.report.finance.summary import case_summary
from cleanhub.report.finance.term_sheet import WIDTH, term_sheet
from cleanhub.report.numbers import MINUS

Make = Callable[..., CaseValue]


@pytest.fixture(scope="module")
def drawn(plant: CaseValue) -> Distribution:
    return monte_carlo(plant.loaded, plant.setting, 200, 3)


@pytest.fixture(scope="module")
def frozen(plant: CaseValue, tmp_path_factory: pytest.TempPathFactory) -> FrozenCase:
    path = tmp_path_factory.mktemp("frozen") / "case.json"
    freeze(plant, path, dt.date(2026, 5, 27), "library")
    return open_frozen(path)


@pytest.fixture(scope="module")
def again(frozen: FrozenCase, library: Library) -> Recomputed:
    return recompute(frozen, library)


def fits(lines: list[str]) -> bool:
    return max(map(len, lines)) <= WIDTH


def test_risk_tells_percentiles_and_chances(drawn: Distribution) -> None:
    lines = extras.distribution_lines(drawn)
    assert fits(lines)
    assert lines[0].startswith("RISK  200 draws of ")
    assert "seed 3" in lines[0]
    row = next(line for line in lines if "NPV of equity" in line)
    assert f"{drawn.percentile('npv_usd', 50) / 1e6:.0f} million".replace("-", MINUS) in row.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert any("owners fall short" in line for line in lines)


def test_draws_without_a_result_are_counted(drawn: Distribution) -> None:
    irr = drawn.irr.copy()
    irr[:50] = np.nan
    lines = extras.distribution_lines(replace(drawn, irr=irr))
    assert any("IRR of equity (25 % have none)" in line.replace("\N{NO-BREAK SPACE}", " ") for line in lines)
    assert fits(lines)


def test_a_case_without_debt_has_no_cover(make: Make) -> None:
    value = make({"debt": {"kind": "none"}})
    lines = extras.distribution_lines(monte_carlo(value.loaded, value.setting, 20, 0))
    row = next(line for line in lines if "least cover ratio" in line)
    assert row.count("–") == 4


def test_notes_of_the_draws_are_shown(drawn: Distribution) -> None:
    lines = extras.distribution_lines(replace(drawn, notes=("correlations were mended",)))
    assert any("note: correlations were mended" in line for line in lines)


def test_the_tornado_lists_the_widest_first_and_the_value_of_policies(plant: CaseValue) -> None:
    bars = tornado(plant.loaded, plant.setting)
    worth = policy_values(plant.loaded, plant.setting, plant.setting.without, ["45q"])
    lines = extras.tornado_lines(bars, worth, plant.loaded)
    assert fits(lines)
    assert bars[0].path in lines[2]
    assert any("more: --json lists all" in line for line in lines) == (len(bars) > extras.SHOWN)
    assert any("Carbon oxide sequestration credit (45Q)" in line for line in lines)
    assert any("need not add up" in line for line in lines)
    assert "no figure of this case has a range" in " ".join(extras.tornado_lines([], [], plant.loaded))


def test_support_ranks_by_public_cost(make: Make) -> None:
    value = make({"revenue": {"offtake": {"price": 6500.0}, "merchant": {"price": 4000.0}}})
    assert value.sponsor.npv_usd < 0
    packages = support_needed(value.loaded, value.setting, pairs=False)
    lines = extras.support_lines(packages)
    assert fits(lines)
    closing = [one for one in packages if one.closes]
    assert closing
    at = [
        next(n for n, line in enumerate(lines) if line.startswith(f"  {one.name.replace('_', ' ')}"))
        for one in closing
    ]
    assert at == sorted(at)


def test_an_amount_bears_its_unit() -> None:
    package = Package(
        {"grant": 2e7, "guarantee": 0.5, "price_floor": 4000.0},
        {"grant": "USD", "guarantee": "1", "price_floor": "USD/t"},
        True, 2e7, 0.0, float("nan"), 0.0, 1.4, 1e8, 1.0, "as it is", 2,
    )  # fmt: skip
    text = "\n".join(extras.support_lines([package])).replace("\N{NO-BREAK SPACE}", " ")
    assert "grant $20 million; guarantee 50 %; price floor 4,000 USD/t" in text
    assert "as it is" in text
    assert "in 2 years" in text


def test_rows_are_plain_and_named() -> None:
    package = Package({"grant": 1.0}, {"grant": "USD"}, True, 1.0, 0.0, float("nan"), 0.0, 1.0, 1.0, 1.0)
    [row] = extras.rows_of([package])
    assert row["name"] == "grant"
    assert row["cost_per_tonne"] is None
    json.dumps(row, allow_nan=False)


def test_a_frozen_case_says_what_it_is_and_that_it_agrees(frozen: FrozenCase, again: Recomputed) -> None:
    lines = extras.frozen_lines(frozen, again)
    assert frozen.id in lines[0]
    assert "as of 2026-05-27" in lines[0]
    assert "policies: library" in lines[0]
    assert frozen.sha256 in lines[1]
    assert "gives the same, every line to the cent" in lines[-1]
    assert extras.frozen_data(frozen, again)["same"] is True


def test_a_frozen_case_that_differs_names_the_lines_and_keeps_its_own_results(
    frozen: FrozenCase, library: Library
) -> None:
    lines = dict(frozen.sponsor.lines)
    moved = lines["equity"].values.copy()
    moved[5] += 1.0
    lines["equity"] = replace(lines["equity"], values=moved)
    metrics = {**frozen.sponsor.metrics, "npv_usd": 123_456_789.0}
    views = {**frozen.views, "sponsor_p50": replace(frozen.sponsor, lines=lines, metrics=metrics)}
    other = replace(frozen, views=views)
    compared = recompute(other, library)
    told = extras.frozen_lines(other, compared)
    assert any("differs in 2 of" in line for line in told)
    assert any("equity" in line and "1 differ" in line for line in told)
    summary = extras.frozen_summary(other, case_summary(compared.value))
    assert summary["results"]["sponsor_p50"]["npv_usd"] == 123_456_789.0
    assert any("$123 million" in line.replace("\N{NO-BREAK SPACE}", " ") for line in term_sheet(summary))
    assert summary["flows"]["sponsor_p50"]["equity"]["values"][5] == moved[5]
    assert extras.frozen_data(other, compared)["differences"]


def test_a_frozen_case_that_cannot_be_valued_again_still_opens(frozen: FrozenCase) -> None:
    lines = extras.frozen_lines(frozen, None, "codes have changed")
    assert any("cannot value it again: codes have changed" in line for line in lines)
    assert extras.frozen_data(frozen, None, "codes have changed")["same"] is None


def test_prices_of_a_frozen_case_are_its_own(frozen: FrozenCase, again: Recomputed) -> None:
    other = replace(frozen, results={**frozen.results, "price_at_return": 1.25})
    summary = extras.frozen_summary(other, case_summary(again.value))
    assert summary["price"]["at_return"] == 1.25
    assert summary["results"]["sponsor_p50"]["price_at_return"] == 1.25


def test_edits_are_told(plant: CaseValue, make: Make, tmp_path: Path) -> None:
    from cleanhub.finance.frozen_edits import Edit, data_differences

    first = freeze(plant, None, dt.date(2026, 5, 27))
    later = make({"inputs": {"wood": {"price": {"value": 90.0, "unit": "USD/t"}}}})
    changed = data_differences(first.data, later.loaded.data)
    edits = [
        Edit("A. Banker", dt.date(2026, 6, 1), path, before, after, "new supply contract")
        for path, (before, after) in changed.items()
    ]
    second = freeze(later, tmp_path / "b.json", dt.date(2026, 6, 1), "", edits, first)
    text = " ".join(" ".join(extras.frozen_lines(second, None, "x")).split())
    assert f"follows {first.id}" in text
    assert "edit 2026-06-01 by A. Banker: inputs.wood.price" in text
    assert "new supply contract" in text
