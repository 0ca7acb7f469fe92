"""The single owner beside SAM: figures that PySAM 7.1.1 (SSC) gave for a 100 MW plant and variations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import FaultList
from cleanhub.finance.checks import depreciation_schedule
from cleanhub.finance.sam import SingleOwner, check_inputs, single_owner
from cleanhub.hub.library import load_library

BASE: dict[str, Any] = {
    "ppa_price_input": [0.022],
    "ppa_escalation": 1.0,
    "analysis_period": 25.0,
    "construction_financing_cost": 2866500.0,
    "cost_debt_fee": 2.75,
    "debt_option": 1.0,
    "dscr": 1.3,
    "dscr_limit_debt_fraction": 1.0,
    "dscr_maximum_debt_fraction": 80.0,
    "dscr_reserve_months": 6.0,
    "federal_tax_rate": [21.0],
    "inflation_rate": 2.5,
    "insurance_rate": 0.5,
    "months_working_reserve": 6.0,
    "prop_tax_cost_assessed_percent": 100.0,
    "real_discount_rate": 6.4,
    "reserves_interest": 1.75,
    "state_tax_rate": [7.0],
    "system_capacity": 100000.0,
    "term_int_rate": 7.0,
    "term_tenor": 18.0,
    "om_capacity": [25.0],
    "total_installed_cost": 109200000.0,
    "ptc_fed_term": 10.0,
    "depr_alloc_sl_20_percent": 100.0,
}
MACRS = {
    "depr_alloc_sl_20_percent": 0.0,
    "depr_alloc_macrs_5_percent": 90.0,
    "depr_alloc_macrs_15_percent": 10.0,
}
# name: (changes, debt [USD], after-tax IRR [%], after-tax NPV [USD], least cover ratio)
SAM: dict[str, tuple[dict[str, Any], float, float, float, float]] = {
    "as it is": ({}, 93274000.0, 15.679474771, 20440320.863, 1.531513597),
    "accelerated depreciation": (MACRS, 93274000.0, 24.669765602, 30269774.194, 1.531513597),
    "investment credit": (
        {"itc_fed_percent": [30.0], "depr_itc_fed_sl_20": 1.0},
        93274000.0, 60.162408616, 49324682.313, 1.531513597,
    ),
    "investment credit on one class": (
        {
            "itc_fed_percent": [30.0],
            "depr_itc_fed_macrs_5": 1.0,
            "depr_alloc_sl_20_percent": 10.0,
            "depr_alloc_macrs_5_percent": 90.0,
        },
        93274000.0, 75.594247503, 54514280.782, 1.531513597,
    ),
    "credit of a fixed amount": (
        {"itc_fed_amount": [5e6]}, 93274000.0, 18.300491673, 25024953.175, 1.531513597,
    ),
    "production credit": (
        {"ptc_fed_amount": [0.027], "ptc_fed_escal": 2.5},
        93274000.0, 91.283752262, 164649189.564, 1.531513597,
    ),
    "property tax": (
        {"property_tax_rate": 1.0, "prop_tax_assessed_decline": 2.0},
        93710800.0, 13.394710468, 13712112.357, 1.422917526,
    ),
    "more operating cost": (
        {"om_fixed": [200000.0], "om_production": [4.0]}, 80172837.667, 5.972444666, -12568475.637, 1.3,
    ),
    "fixed principal": (
        {"debt_option": 0.0, "debt_percent": 40.0, "payment_option": 1.0},
        47132153.491, 10.489580099, 9689807.474, 2.299035006,
    ),
    "salvage": ({"salvage_percentage": 10.0}, 93274000.0, 15.789201664, 21358009.479, 1.531513597),
    "other costs of finance": (
        {"cost_debt_closing": 450000.0, "cost_other_financing": 100000.0},
        93714000.0, 15.495118402, 19988402.079, 1.524322932,
    ),
    "bonus depreciation, federal only": (
        {
            "depr_alloc_sl_20_percent": 0.0,
            "depr_alloc_macrs_5_percent": 100.0,
            "depr_bonus_fed": 60.0,
            "depr_bonus_fed_macrs_5": 1.0,
        },
        93274000.0, 31.495800550, 32781212.258, 1.531513597,
    ),
    "a stricter lender": (
        {"dscr": 1.5, "dscr_maximum_debt_fraction": 60.0},
        69955500.0, 12.360391082, 15854810.816, 2.042018129,
    ),
    "a shorter loan": ({"term_tenor": 10.0}, 75415401.859, 10.732555957, 10199642.864, 1.3),
    "no cap on debt": ({"dscr_limit_debt_fraction": 0.0}, 109884922.490, 23.590726178, 23706806.784, 1.3),
    "no inflation": ({"inflation_rate": 0.0}, 93274000.0, 17.359992606, 44416511.676, 1.593847080),
    "no state tax": ({"state_tax_rate": [0.0]}, 93274000.0, 16.411544008, 23146920.678, 1.531513597),
}  # fmt: skip
ENERGY = np.array([0.0, *[756864000.0] * 25])


def value(**changes: Any) -> SingleOwner:
    library = load_library()
    schedules = {years: depreciation_schedule(library, years, 40) for years in (5, 7, 15, 20)}
    return single_owner({"all": {**BASE, **changes}}, ENERGY, schedules)


@pytest.mark.parametrize("name", SAM)
def test_sam_gives_the_same(name: str) -> None:
    changes, debt, irr, npv, cover = SAM[name]
    ours = value(**changes)
    assert ours.debt == pytest.approx(debt, rel=1e-8)
    assert ours.irr == pytest.approx(irr, rel=1e-5)  # SAM closes its IRR to about 1e-6
    assert ours.npv == pytest.approx(npv, rel=1e-8)
    assert ours.min_dscr == pytest.approx(cover, rel=1e-8)


def test_no_debt_has_no_cover_ratio() -> None:
    ours = value(debt_option=0.0, debt_percent=0.0)
    assert ours.debt == 0.0
    assert np.isnan(ours.min_dscr)
    assert ours.irr == pytest.approx(9.282842938, rel=1e-5)


def test_a_higher_price_is_worth_more_and_a_higher_loan_rate_less() -> None:
    assert value(ppa_price_input=[0.024]).npv > value().npv > value(term_int_rate=9.0).npv


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"om_fuel_cost": [0.1]}, "not part of this convention"),
        ({"months_receivables_reserve": 2.0}, "not part of this convention"),
        ({"term_int_rate": float("nan")}, "not a number"),
        ({"term_int_rate": True}, "not a number"),
        ({"term_int_rate": 150.0}, "impossible value"),
        ({"analysis_period": -1.0}, "impossible value"),
    ],
)
def test_what_it_cannot_value_is_refused(changes: dict[str, Any], what: str) -> None:
    faults = FaultList()
    check_inputs({"all": {**BASE, **changes}}, "cases.json", "one", faults)
    assert [fault.what for fault in faults.faults] == [what]


def test_a_missing_input_is_named() -> None:
    faults = FaultList()
    check_inputs({"all": {key: item for key, item in BASE.items() if key != "dscr"}}, "f", "one", faults)
    assert not faults.faults
    check_inputs(
        {"all": {key: item for key, item in BASE.items() if key != "term_tenor"}}, "f", "one", faults
    )
    assert [fault.what for fault in faults.faults] == ["missing input"]
