"""Debt, price and return against cases of others, closed forms and the properties they must have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cleanhub.cli import app
from cleanhub.core.errors import InputError
from cleanhub.finance.checks import check_finance, depreciation_schedule
from cleanhub.finance.project_debt import DebtTerms, Project, flows, net_present_value, price_at_return
from cleanhub.hub.library import load_library

MACRS_7 = depreciation_schedule(load_library(), 7, 25)
TERMS = DebtTerms(rate=0.08, tenor=15, cover_ratio=1.4, gearing_cap=0.6)


def project(**changes: Any) -> Project:
    given_: dict[str, Any] = {
        "volume": 20e6,
        "operating_cost": 45e6,
        "capital": 400e6,
        "life": 25,
        "tax_rate": 0.28,
        "inflation": 0.02,
        "depreciation": MACRS_7,
        **changes,
    }
    return Project(**given_)


# ---------------------------------------------------------------- the reference kernel


@pytest.mark.parametrize("file", ["sculpted_debt.json", "single_owner.json"])
def test_cases_of_others_are_met(shared_oracles: Path, file: str) -> None:
    rows = check_finance(shared_oracles / "finance" / file, load_library())
    assert len(rows) >= 9
    for row in rows:
        assert row["theirs"] is not None
        assert abs(row["relative_difference"]) <= 1e-6, row


def test_a_file_without_results_still_gets_ours(shared_oracles: Path, tmp_path: Path) -> None:
    for file in ("sculpted_debt.json", "single_owner.json"):
        cases = json.loads((shared_oracles / "finance" / file).read_text(encoding="utf-8"))
        bare = {}
        for name, case in cases.items():
            bare[name] = {key: case[key] for key in ("inputs", "overrides") if key in case}
            if "cashflows" in case:
                bare[name]["cashflows"] = {"cf_energy_net": case["cashflows"]["cf_energy_net"]}
        path = tmp_path / file
        path.write_text(json.dumps(bare), encoding="utf-8")
        with_results = check_finance(shared_oracles / "finance" / file, load_library())
        without = check_finance(path, load_library())
        assert [row["ours"] for row in without] == [row["ours"] for row in with_results]
        assert all(row["theirs"] is None and row["relative_difference"] is None for row in without)


def test_recovery_classes_write_off_everything_once() -> None:
    for years in (5, 7, 15, 20):
        assert depreciation_schedule(load_library(), years, 40).sum() == pytest.approx(1.0, abs=1e-9)
        assert depreciation_schedule(load_library(), years, 40, bonus=0.4).sum() == pytest.approx(
            1.0, abs=1e-9
        )
    assert depreciation_schedule(load_library(), 5, 10, bonus=1.0)[0] == 1.0
    with pytest.raises(KeyError):
        depreciation_schedule(load_library(), 6, 10)


def test_sculpted_debt_is_the_value_of_its_payments() -> None:
    found = flows(project(), TERMS, 3.2)
    year = np.arange(1, 26)
    assert (found.debt_service * 1.08**-year).sum() == pytest.approx(float(found.debt), rel=1e-12)
    paid = found.debt_service > 0
    assert (found.operating_cash / np.where(paid, found.debt_service, 1.0))[paid] == pytest.approx(1.4)


def test_the_gearing_cap_scales_payments_and_raises_cover() -> None:
    found = flows(project(), TERMS, 6.0)
    assert float(found.gearing) == pytest.approx(0.6)
    assert float(found.min_cover) > 1.4


def test_no_debt_has_no_cover_ratio() -> None:
    found = flows(project(), DebtTerms(0.08, 15, 1.4, 0.0), 4.0)
    assert float(found.debt) == 0.0
    assert np.isnan(float(found.min_cover))


def test_a_plant_without_debt_tax_or_inflation_costs_its_annuity() -> None:
    bare = project(tax_rate=0.0, inflation=0.0, spending=(1.0,))
    price = price_at_return(bare, DebtTerms(0.08, 15, 1.4, 0.0), 0.1)
    annuity = (1 - 1.1**-25) / 0.1
    assert float(price) == pytest.approx((45e6 + 400e6 / annuity) / 20e6, rel=1e-10)


def test_zero_rates_work() -> None:
    bare = project(tax_rate=0.0, inflation=0.0, spending=(1.0,))
    price = price_at_return(bare, DebtTerms(0.0, 15, 1.4, 0.0), 0.0)
    assert float(price) == pytest.approx((45e6 + 400e6 / 25) / 20e6, rel=1e-10)


@settings(max_examples=25, deadline=None)
@given(
    capital=st.floats(1e7, 1e9),
    more=st.floats(1.05, 2.0),
    equity=st.floats(0.02, 0.25),
    cap=st.floats(0.0, 0.9),
)
def test_the_price_rises_with_capital_and_with_the_return_asked(
    capital: float, more: float, equity: float, cap: float
) -> None:
    terms = DebtTerms(0.07, 15, 1.3, cap)
    base = float(price_at_return(project(capital=capital), terms, equity))
    assert float(price_at_return(project(capital=capital * more), terms, equity)) > base
    assert float(price_at_return(project(capital=capital), terms, equity * more)) > base
    assert net_present_value(flows(project(capital=capital), terms, base).equity, equity) == pytest.approx(
        0.0, abs=capital * 1e-9
    )


def test_cases_side_by_side_equal_cases_alone() -> None:
    capital = np.array([2e8, 4e8, 8e8])
    together = price_at_return(project(capital=capital), TERMS, 0.15)
    alone = [float(price_at_return(project(capital=one), TERMS, 0.15)) for one in capital]
    assert together == pytest.approx(alone, rel=1e-11)


def test_units_do_not_matter() -> None:
    tonnes = price_at_return(project(), TERMS, 0.15)
    kilograms = price_at_return(project(volume=20e9), TERMS, 0.15)
    assert float(kilograms) * 1000 == pytest.approx(float(tonnes), rel=1e-11)


# ---------------------------------------------------------------- bad input and the command


def case(**changes: Any) -> dict[str, Any]:
    inputs = {
        "vol": 2e7, "opex": 4.5e7, "capex": 4e8, "life": 25, "rd": 0.08, "tenor": 15, "dscr": 1.4,
        "gear_max": 0.6, "ke": 0.15, "tax": 0.28, "macrs": 7, "ptc": 0.0, "ptc_years": 0, "itc": 0.0,
        "bonus": 0.0, "infl": 0.02,
    }  # fmt: skip
    return {"inputs": {**inputs, **changes}}


def test_every_bad_input_is_listed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    missing = case()
    del missing["inputs"]["vol"]
    cases = {
        "rate": case(rd=1.5),
        "life": case(life=-3),
        "price": missing,
        "flag": case(itc=True),
        "nan": case(capex=float("nan")),
        "odd": {"inputs": {"colour": "blue"}},
        "class": case(macrs=6),
    }
    path.write_text(json.dumps(cases), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check_finance(path, load_library())
    assert {str(fault.column).split(".")[0] for fault in caught.value.faults} == set(cases)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["", "[1]", "null", "{"])
def test_what_is_no_file_of_cases_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "cases.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        check_finance(path, load_library())


def test_the_command_prints_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"one": case()}), encoding="utf-8")
    words, env = ["validate", "finance", str(path)], {"NO_COLOR": "1", "COLUMNS": "120"}
    rows = json.loads(CliRunner().invoke(app, [*words, "--json"], env=env).stdout)
    assert [row["quantity"] for row in rows] == ["price", "debt", "min_dscr"]
    assert set(rows[0]) == {"case", "quantity", "ours", "theirs", "relative_difference"}
    shown = CliRunner().invoke(app, words, env=env).stdout
    assert "min_dscr" in shown
