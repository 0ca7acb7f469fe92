"""Cases run side by side come to what each comes to alone, to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_case import small_case

from cleanhub.finance.beside import Run, run_beside
from cleanhub.finance.build import Reading, Setting, TaxTerms
from cleanhub.finance.engine import run
from cleanhub.finance.price_search import PriceQuestion, price_at_return, prices_at_return
from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer

LAW = Setting(tax=TaxTerms(0.21, 0.0884, 1.0, 0.8, 1.0))
CREDIT = Answer("c", "", "production_credit", "pays", "", quantity="hydrogen", rate=np.full(10, 0.5),
                tax_character="tax_credit")  # fmt: skip
DEBT: dict[str, Any] = {"kind": "sculpted", "rate": 0.07, "tenor": 8, "cover_ratio": 1.4, "fee": 0.01}
LOAN = {"soft": {"amount": {"value": 10.0, "unit": "MUSD"}, "rate": 0.02, "tenor": 6}}
# Each differs from the others in what may differ side by side, or in what may not.
CHANGES: dict[str, dict[str, Any]] = {
    "plain": {"debt": DEBT},
    "dearer debt": {"debt": {**DEBT, "rate": 0.09, "cover_ratio": 1.6}},
    "inflation": {"debt": DEBT, "inflation": 0.02, "capital": {"salvage": 0.1}},
    "renewals": {"debt": DEBT, "capital": {"replacements": {"stack": {"every": 5, "share": 0.2}}}},
    "loan behind": {"debt": DEBT, "support": {"loans": LOAN}},
    "level": {"debt": {**DEBT, "kind": "level"}},
    "before tax": {"debt": {**DEBT, "cash_flow": "pre_tax"}},
    "no debt": {},
    "shorter": {"debt": DEBT, "production": {"life": 8}},
    "sponsor sizes": {"debt": {**DEBT, "sized_on": "sponsor"}},
}


def run_of(library: Library, name: str, setting: Setting = LAW) -> Run:
    loaded = small_case(library, {"production": {"policy_product": "hydrogen"}} | CHANGES[name])
    reading = Reading(loaded, loaded.values, setting, count=3)
    return Run(reading.lines(), reading.terms(), reading.rules())


@pytest.fixture(scope="module")
def runs(library: Library) -> list[Run]:
    credited = run_of(library, "plain", Setting((CREDIT,), LAW.tax, (("hydrogen", "kg"),)))
    return [*(run_of(library, name) for name in CHANGES), credited]


def test_a_run_beside_others_is_the_run_alone(runs: list[Run]) -> None:
    for one, (equity, service) in zip(runs, run_beside(runs), strict=True):
        alone = run(one.lines, one.terms, one.rules)
        np.testing.assert_array_equal(equity, alone.equity)
        np.testing.assert_array_equal(service, alone.service)


def test_only_cases_of_one_shape_share_arrays(runs: list[Run]) -> None:
    shapes = dict(zip([*CHANGES, "credited"], [one.shape() for one in runs], strict=True))
    together = {name for name, shape in shapes.items() if shape == shapes["plain"]}
    assert together == {"plain", "dearer debt", "inflation", "sponsor sizes", "credited"}


def test_questions_asked_together_have_the_answers_of_each_alone(library: Library) -> None:
    cases = [small_case(library, changes) for changes in CHANGES.values()]
    questions = [PriceQuestion(case, LAW, lender=lender) for case in cases for lender in (False, True)]
    questions.append(PriceQuestion(cases[0], LAW, target=0.2))
    together = prices_at_return(questions)
    alone = [price_at_return(q.loaded, q.setting, q.target, q.lender) for q in questions]
    np.testing.assert_array_equal(together, alone)
    assert together[-1] > together[0]
