"""Cases in closed form: told by their keys, answered by hand-computed figures, faults all at once."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleanhub.core.errors import InputError
from cleanhub.finance.checks import check_finance
from cleanhub.finance.closed_forms import forms, policy_value, sculpted_debt
from cleanhub.finance.comparison import Limits, compared, is_number, scale_of
from cleanhub.hub.library import Library, load_library

LIBRARY = load_library()
Rows = dict[tuple[str, str], dict[str, Any]]
Run = Callable[..., Rows]

FUEL = {"ci_std": 80.0, "ci": 81.0, "ed": 3.6, "eer": 5.0, "qty": 2.0, "unit": "kWh"}
GROWTH = {"pctnew": 40, "impurities": 4, "complexity": 6, "inclusiveness": 33, "proj_def": 5}
PLANT = {"newsteps": 2, "baleqs": 50, "waste": 2, "solids": 1}
ALLOCATION = {
    "O": 1000, "B": 0.5, "AF": 1.0, "c": 0.8, "emissions_before": 600, "after": 100, "price": 30,
}  # fmt: skip
ROLL_UP = {"BEC": 200, "EPC": 0.1, "process_cont": 0.25, "project_cont": 0.2}
DEBT = {"cfads": [12.0, 24.0], "dscr": 1.2, "rate": 0.25}
PARTS = {"components": [{"c": 100, "lr": 0.5, "n0": 1, "n": 2}, {"c": 60, "lr": 0.1, "n0": 10, "n": 40}]}
BARE = {
    "fuel": {"inputs": FUEL},
    "capture": {"tCO2": 1000, "rate": 80},
    "gallon": [{"er": 25}, {"er": 60}],
    "kilogram": [{"ci": 0.45}, {"ci": 4.0}],
    "debt": DEBT,
    "curve": {"C1": 100, "LR": 0.2, "C": [{"n": 1}, {"n": 4}]},
    "parts": PARTS,
    "growth": [GROWTH],
    "plant": [PLANT],
    "adoption": [{"medium": 3, "high": 2}],
    "allocation": ALLOCATION,
    "roll": ROLL_UP,
    "CRF_0pct_20y": None,
    "combined_tax": None,
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Rows of a file of cases, by case and quantity."""

    def check(cases: dict[str, Any], library: Library = LIBRARY) -> Rows:
        path = tmp_path / "cases.json"
        path.write_text(json.dumps(cases), encoding="utf-8")
        return {(row["case"], row["quantity"]): row for row in check_finance(path, library)}

    return check


def ours(rows: Rows) -> dict[str, float]:
    return {quantity: row["ours"] for (_, quantity), row in rows.items()}


# ---------------------------------------------------------------- the reference file


def numbers_in(case: object) -> int:
    if isinstance(case, dict):
        return sum(numbers_in(one) for one in case.values())
    if isinstance(case, list):
        return sum(numbers_in(one) for one in case)
    return isinstance(case, (int, float))


RESULTS = {
    "credits_t", "usd_at_55", "usd_per_gal", "usd_per_year", "per_kgH2", "npv_12y_8pct", "usd_per_kg",
    "cash_at_0p90_transfer", "debt", "debt_service", "principal", "balances", "llcr", "b", "cost", "total",
    "est_over_actual", "actual_over_est", "pct_design_capacity_months_7_12", "arl", "A", "EPCC", "TPC",
    "net_short_before", "net_long_after", "annual_value",
}  # fmt: skip


def without_results(case: Any) -> Any:
    if isinstance(case, dict):
        return {key: without_results(value) for key, value in case.items() if key not in RESULTS}
    if isinstance(case, list):
        return [without_results(one) for one in case]
    return case


def test_every_result_of_the_reference_file_is_met(shared_oracles: Path) -> None:
    path = shared_oracles / "finance" / "closed_form.json"
    rows = check_finance(path, LIBRARY)
    cases = json.loads(path.read_text(encoding="utf-8"))
    results = {name: numbers_in(case) - numbers_in(without_results(case)) for name, case in cases.items()}
    results |= {name: 1 for name, case in cases.items() if not isinstance(case, (dict, list))}
    for name, count in results.items():
        assert len([row for row in rows if row["case"] == name]) == count, name
    for row in rows:
        assert row["theirs"] is not None
        assert abs(row["relative_difference"]) <= 1e-12, row


def test_the_reference_file_without_results_gives_the_same(shared_oracles: Path, run: Run) -> None:
    path = shared_oracles / "finance" / "closed_form.json"
    cases = json.loads(path.read_text(encoding="utf-8"))
    bare = {
        name: without_results(case) if isinstance(case, (dict, list)) else None
        for name, case in cases.items()
    }
    full = {(row["case"], row["quantity"]): row["ours"] for row in check_finance(path, LIBRARY)}
    alone = run(bare)
    assert {key: alone[key]["ours"] for key in full} == full
    assert all(row["theirs"] is None and row["relative_difference"] is None for row in alone.values())


# ---------------------------------------------------------------- figures worked by hand


def test_fuel_credits(run: Run) -> None:
    # (80 - 81/5) x 3.6 x 5 x 2 g = 2.2968 kg
    found = run({"any name": {"inputs": FUEL, "credits_t": 0.002, "usd_at_55": 1, "usd_at_62p5": 1}})
    assert ours(found) == pytest.approx(
        {"credits_t": 2.2968e-3, "usd_at_55": 2.2968e-3 * 55, "usd_at_62p5": 2.2968e-3 * 62.5}
    )
    row = found["any name", "credits_t"]
    assert row["relative_difference"] == pytest.approx(0.1484)


def test_capture_credit(run: Run) -> None:
    case = {"tCO2": 1000, "rate": 80, "npv_2y_25pct": 0, "cash_at_0p95_transfer": 0, "usd_per_year": 0}
    assert ours(run({"x": case})) == pytest.approx(
        {"npv_2y_25pct": 80e3 * (0.8 + 0.64), "cash_at_0p95_transfer": 76e3, "usd_per_year": 80e3}
    )
    per_kg = ours(run({"x": {"tCO2": 1000, "rate": 80}}))["per_kgH2"]
    assert per_kg == pytest.approx(80e3 / 20e6)
    assert ours(run({"x": {"tCO2": 10, "rate": 3, "npv_4y_0pct": 0}})) == {"npv_4y_0pct": 120.0}


def test_rates_per_gallon_and_kilogram(run: Run) -> None:
    found = ours(run({"g": [{"er": er} for er in (-5, 0, 20, 50, 51)], "k": [{"ci": 4.0}, {"ci": 4.001}]}))
    gallons = [found[f"usd_per_gal[{index}]"] for index in range(5)]
    maximum = policy_value(LIBRARY, "45z", "maximum")
    assert gallons == pytest.approx([maximum, maximum, 0.6 * maximum, 0.0, 0.0])
    assert found["usd_per_kg[0]"] > 0
    assert found["usd_per_kg[1]"] == 0.0


def test_rates_follow_the_library(run: Run) -> None:
    table = LIBRARY.tables["policy_values"]
    mine = (table["policy"] == "45z") & (table["item"] == "maximum")
    richer = table.assign(value=table["value"].where(~mine, table["value"] * 2))
    library = replace(LIBRARY, tables={**LIBRARY.tables, "policy_values": richer})
    assert run({"g": [{"er": 25}]}, library)["g", "usd_per_gal[0]"]["ours"] == pytest.approx(1.0)
    poorer = replace(LIBRARY, tables={**LIBRARY.tables, "policy_values": table[~mine]})
    with pytest.raises(InputError, match=r"policy_values.csv has no row 45z, maximum"):
        run({"g": [{"er": 25}]}, poorer)


def test_sculpted_debt_by_hand(run: Run) -> None:
    # service 10, 20; debt 10/1.25 + 20/1.5625 = 20.8; interest 5.2, 4
    found = ours(run({"d": DEBT}))
    assert found == pytest.approx(
        {
            "debt": 20.8, "llcr": 1.2, "debt_service[0]": 10, "debt_service[1]": 20,
            "principal[0]": 4.8, "principal[1]": 16, "balances[0]": 20.8, "balances[1]": 16,
            "balances[2]": 0,
        },
        abs=1e-12,
    )  # fmt: skip


@given(
    st.lists(st.floats(0.1, 1e6), min_size=1, max_size=40),
    st.floats(1, 5),
    st.floats(0, 0.5),
)
def test_sculpted_debt_is_repaid(cash: list[float], cover: float, rate: float) -> None:
    found = sculpted_debt({"cfads": cash, "dscr": cover, "rate": rate})
    debt, balances = found["debt"], found["balances"]
    assert isinstance(debt, float)
    assert isinstance(balances, list)
    assert isinstance(found["principal"], list)
    assert sum(found["principal"]) == pytest.approx(debt, rel=1e-6, abs=1e-6 * max(cash))
    assert abs(balances[-1]) <= 1e-6 * max(cash) * (1 + rate) ** len(cash)
    assert found["llcr"] == pytest.approx(cover, rel=1e-9)


def test_rounding_left_of_the_last_balance_is_weighed_against_the_debt(run: Run) -> None:
    theirs = {"debt": 20.8, "balances": [20.8, 16.0, -3e-14]}
    found = run({"d": {**DEBT, **theirs}})
    assert abs(found["d", "balances[2]"]["relative_difference"]) < 1e-12
    assert ("d", "llcr") not in found


def test_a_list_of_another_length_shows_what_is_missing(run: Run) -> None:
    found = run({"d": {**DEBT, "balances": [20.8, 16.0, 0.0, 0.0], "principal": [4.8]}})
    assert found["d", "balances[3]"]["ours"] is None
    assert found["d", "principal[1]"]["theirs"] is None


def test_learning_and_components(run: Run) -> None:
    case = {"C1": 100, "LR": 0.2, "b": 0.3, "C": [{"n": 1, "cost": 100}, {"n": 4, "cost": 60}]}
    found = run({"c": case})
    assert ours(found) == pytest.approx({"b": 0.32192809488736235, "C[0]": 100, "C[1]": 64})
    assert found["c", "C[1]"]["theirs"] == 60.0
    assert ours(run({"c": {"C1": 100, "LR": 0.0}})) == {"b": 0.0}
    assert ours(run({"p": PARTS})) == pytest.approx({"total": 98.6})


def test_pioneer_plants(run: Run) -> None:
    found = ours(run({"g": [GROWTH, GROWTH], "p": [PLANT]}))
    assert found["est_over_actual[0]"] == found["est_over_actual[1]"] == pytest.approx(0.56852)
    assert found["actual_over_est[0]"] == pytest.approx(1 / 0.56852)
    assert found["pct_design_capacity_months_7_12[0]"] == pytest.approx(56.74)


def test_adoption_allocation_and_roll_up(run: Run) -> None:
    assert ours(run({"a": [{"medium": 0, "high": 1}, {"medium": 8, "high": 9}]})) == {
        "arl[0]": 8.0,
        "arl[1]": 1.0,
    }
    assert ours(run({"f": ALLOCATION})) == pytest.approx(
        {"A": 400, "net_short_before": 200, "net_long_after": 300, "annual_value": 15000}
    )
    assert ours(run({"q": ROLL_UP})) == pytest.approx({"EPCC": 220, "TPC": 324})


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("CRF_10pct_1y", 1.1),
        ("CRF_0pct_20y", 0.05),
        ("crf_25pct_2y", 1 / 1.44),
        ("CRF_12p5pct_1y", 1.125),
        ("CRF_12.5pct_1y", 1.125),
        ("CRF_1y_10pct", 1.1),
    ],
)
def test_capital_recovery_is_read_from_the_name(run: Run, name: str, factor: float) -> None:
    for theirs in (factor, None, {}):
        found = run({name: theirs})[name, name]
        assert found["ours"] == pytest.approx(factor, rel=1e-12)
        assert found["theirs"] == (factor if theirs == factor else None)


def test_taxes_together_follow_the_library(run: Run) -> None:
    federal = policy_value(LIBRARY, "federal-income-tax", "tax_rate")
    state = policy_value(LIBRARY, "california-income-tax", "tax_rate")
    found = run({"combined_tax": 0.28})["combined_tax", "combined_tax"]
    assert found["ours"] == pytest.approx(1 - (1 - federal) * (1 - state), rel=1e-12)
    assert found["theirs"] == 0.28


# ---------------------------------------------------------------- shapes, not names


def test_names_do_not_matter(run: Run) -> None:
    told = {name: case for name, case in BARE.items() if case is not None}
    before = run(told)
    after = run({f"case {index}": case for index, case in enumerate(told.values())})
    assert list(ours(before).items()) == list(ours(after).items())


def test_inputs_may_stand_in_a_group_or_beside_the_results(run: Run) -> None:
    for name in ("capture", "curve", "allocation", "roll", "debt"):
        assert ours(run({"a": BARE[name]})) == ours(run({"a": {"inputs": BARE[name]}}))
    assert ours(run({"a": FUEL})) == ours(run({"a": {"inputs": FUEL}}))


def test_every_shape_is_among_the_cases_here() -> None:
    known = forms(LIBRARY)
    keys = [set(form.needed) for form in known]
    assert len({frozenset(one) for one in keys}) == len(known) == 12
    assert len({form.title for form in known}) == len(known)


def test_only_the_results_that_a_case_holds_are_shown(run: Run) -> None:
    assert list(ours(run({"q": {**ROLL_UP, "TPC": 324}}))) == ["TPC"]
    assert list(ours(run({"f": {**ALLOCATION, "note": "text", "A": 400}}))) == ["A"]


def test_cases_of_every_kind_stand_in_one_file(run: Run) -> None:
    fixed = {
        "inputs": {
            "capital_cost": 100, "fixed_charge_rate": 0.1, "fixed_operating_cost": 2,
            "variable_operating_cost": 0, "annual_energy": 6,
        }
    }  # fmt: skip
    found = run({**BARE, "fixed": fixed})
    assert found["fixed", "lcoe_fcr"]["ours"] == pytest.approx(2.0)
    assert {case for case, _ in found} == {*BARE, "fixed"}
    assert all(row["ours"] is not None for row in found.values())


# ---------------------------------------------------------------- bad input


def put(case: Any, *place: Any) -> Any:
    """The case with the value (last word) at a place in it."""
    *way, last, value = place
    out = copy.deepcopy(case)
    inner = out
    for step in way:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return out


BAD = {
    "fuel.eer": put(BARE["fuel"], "inputs", "eer", 0),
    "fuel.ci": put(BARE["fuel"], "inputs", "ci", ...),
    "fuel.qty": put(BARE["fuel"], "inputs", "qty", True),
    "fuel.usd_at_-5": put(BARE["fuel"], "usd_at_-5", 1),
    "capture.tCO2": put(BARE["capture"], "tCO2", -1),
    "capture.rate": put(BARE["capture"], "rate", float("nan")),
    "capture.npv_-3y_8pct": put(BARE["capture"], "npv_-3y_8pct", 1),
    "capture.npv_3y_150pct": put(BARE["capture"], "npv_3y_150pct", 1),
    "capture.cash_at_1p5_transfer": put(BARE["capture"], "cash_at_1p5_transfer", 1),
    "gallon[1].er": put(BARE["gallon"], 1, "er", "sixty"),
    "gallon[0]": put(BARE["gallon"], 0, 7),
    "kilogram[0].ci": put(BARE["kilogram"], 0, {"usd_per_kg": 3}),
    "debt.rate": put(BARE["debt"], "rate", 1.5),
    "debt.dscr": put(BARE["debt"], "dscr", 0.5),
    "debt.cfads": put(BARE["debt"], "cfads", []),
    "debt.cfads[1]": put(BARE["debt"], "cfads", 1, False),
    "debt.cfads[0]": put(BARE["debt"], "cfads", 0, -4),
    "curve.LR": put(BARE["curve"], "LR", 1.0),
    "curve.C[1].n": put(BARE["curve"], "C", 1, "n", 0),
    "curve.C[0]": put(BARE["curve"], "C", 0, 3),
    "curve.C1": put(BARE["curve"], "C1", ...),
    "parts.components": put(BARE["parts"], "components", {"c": 1}),
    "parts.components[0].lr": put(BARE["parts"], "components", 0, "lr", -0.1),
    "parts.components[1].n0": put(BARE["parts"], "components", 1, "n0", ...),
    "growth[0].pctnew": put(BARE["growth"], 0, "pctnew", 140),
    "plant[0].solids": put(BARE["plant"], 0, "solids", 2),
    "adoption[0].medium": put(BARE["adoption"], 0, "medium", 2.5),
    "adoption[0].high": put(BARE["adoption"], 0, "high", -1),
    "allocation.O": put(BARE["allocation"], "O", None),
    "allocation.c": put(BARE["allocation"], "c", 1.2),
    "roll.BEC": put(BARE["roll"], "BEC", 10**400),
    "roll.project_cont": put(BARE["roll"], "project_cont", 1.5),
    "CRF_150pct_20y.rate": None,
    "CRF_8pct_-5y.years": None,
    "CRF_8pct": 0.1,
    "colour": {"inputs": {"colour": "blue"}},
    "empty": {},
    "none": None,
    "text": "8 %",
    "flag": True,
    "no rows": [],
    "mostly others": {"rate": 0.1, "x": 1, "y": 2, "z": 3},
}  # fmt: skip


@pytest.mark.parametrize("place", BAD)
def test_a_fault_names_its_place(run: Run, place: str) -> None:
    name = place.removesuffix(".rate").removesuffix(".years") if place.startswith("CRF") else "case"
    with pytest.raises(InputError) as caught:
        run({name: BAD[place]})
    assert caught.value.exit_code == 2
    [fault] = caught.value.faults
    inside = place.removeprefix(place.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0])
    assert fault.column == (place if name != "case" else f"case{inside}")
    assert fault.allowed
    assert fault.what


def test_all_faults_of_a_file_come_together(run: Run) -> None:
    cases = {f"case {index}": case for index, case in enumerate(BAD.values()) if case is not None}
    with pytest.raises(InputError) as caught:
        run(cases)
    assert {str(fault.column).split(".")[0].split("[")[0] for fault in caught.value.faults} == set(cases)


JUNK = st.one_of(
    st.none(), st.booleans(), st.text(max_size=3), st.floats(), st.integers(), st.just([]), st.just({})
)


@given(st.data())
def test_whatever_is_put_in_a_case_gives_rows_or_faults(tmp_path_factory: Any, data: Any) -> None:
    case: Any = copy.deepcopy(BARE[data.draw(st.sampled_from(sorted(BARE)))])
    inner = case
    while isinstance(inner, (dict, list)) and inner:
        key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        if not isinstance(inner[key], (dict, list)) or data.draw(st.booleans()):
            inner[key] = data.draw(JUNK)
            break
        inner = inner[key]
    path = tmp_path_factory.mktemp("junk") / "cases.json"
    path.write_text(json.dumps({"case": case}), encoding="utf-8")
    with contextlib.suppress(InputError):  # anything else is a crash
        assert check_finance(path, LIBRARY)


def test_several_faults_of_one_case_are_all_listed(run: Run) -> None:
    case = {**ROLL_UP, "EPC": -1, "process_cont": "much"}
    with pytest.raises(InputError) as caught:
        run({"q": case})
    assert [fault.column for fault in caught.value.faults] == ["q.EPC", "q.process_cont"]
    assert caught.value.faults[0].allowed == "a number from 0 to 1"


# ---------------------------------------------------------------- rows and limits


def test_differences_are_relative_where_there_is_something_to_relate_to() -> None:
    assert compared("c", "q", 1.1, 1.0)["relative_difference"] == pytest.approx(0.1)
    assert compared("c", "q", -1.1, -1.0)["relative_difference"] == pytest.approx(-0.1)
    assert compared("c", "q", 0.5, 0)["relative_difference"] == 0.5
    assert compared("c", "q", 1e-14, 0, scale=100.0)["relative_difference"] == pytest.approx(1e-16)
    assert compared("c", "q", 2.0, 1.0, scale=100.0)["relative_difference"] == 1.0


@pytest.mark.parametrize("theirs", [None, True, "1", float("nan"), [1.0]])
def test_what_is_no_number_is_not_compared(theirs: object) -> None:
    row = compared("c", "q", 1.0, theirs)
    assert (row["ours"], row["theirs"], row["relative_difference"]) == (1.0, None, None)


def test_an_answer_that_is_not_finite_is_empty() -> None:
    assert compared("c", "q", float("nan"), 1.0)["ours"] is None
    assert compared("c", "q", float("inf"), 1.0)["relative_difference"] is None


def test_the_scale_of_a_list() -> None:
    assert scale_of([1, -5.0, None, True, "9"]) == 5.0
    assert scale_of(None) == scale_of([]) == 0.0


def test_numbers() -> None:
    assert is_number(3)
    assert is_number(-0.5)
    assert not any(is_number(one) for one in (True, None, "3", float("inf"), 10**400))


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "words"),
    [
        (Limits(), (-1e9, 0, 1e9), (), "a number"),
        (Limits(0), (0, 5), (-1e-9,), "a number from 0"),
        (Limits(0, above=True), (1e-9,), (0, -1), "a number above 0"),
        (Limits(0, 1), (0, 1), (-0.1, 1.1), "a number from 0 to 1"),
        (Limits(0, 17, whole=True), (0, 17), (0.5, 18), "a whole number from 0 to 17"),
    ],
)
def test_limits(limits: Limits, inside: tuple[float, ...], outside: tuple[float, ...], words: str) -> None:
    assert all(limits.holds(one) for one in inside)
    assert not any(limits.holds(one) for one in outside)
    assert limits.words() == words
