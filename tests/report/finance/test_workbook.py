"""The workbook: every result is a formula, and what a spreadsheet makes of it is what the engine says."""

from __future__ import annotations

import math
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cleanhub.core.errors import RunError
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import LoadedCase
from cleanhub.report.finance.workbook import write_workbook
from cleanhub.report.finance.workbook_debt import SPARE, passes_needed

Cells = dict[str, dict[str, tuple[Any, bool]]]
Make = Callable[..., CaseValue]
RESULTS = (
    "npv_usd",
    "irr",
    "mirr",
    "debt_usd",
    "gearing",
    "min_dscr",
    "avg_dscr",
    "llcr",
    "plcr",
    "levelised_cost",
)
FIRST_ROW = 5

OFFTAKE, MERCHANT = "revenue.offtake.price", "revenue.merchant.price"
LOSSES = {
    "correlations": [],
    "production": {"ramp_up": None, "degradation": 0.01, "life": 18},
    "capital": {
        "scope": "bare_erected",
        "engineering_fee": 0.1,
        "process_contingency": 0.2,
        "project_contingency": 0.15,
        "owners_cost": 0.1,
        "cost_growth": None,
        "escalation": 0.01,
        "salvage": 0.1,
        "pioneer": {
            "unproven_share": 30.0, "impurities": 2.0, "complexity": 5.0, "project_definition": 4.0,
            "new_steps": 1.0, "waste": 1.0, "solids": True,
        },
        "learning": {"block": {"share": 0.3, "rate": 0.15, "units_before": 2.0, "units_by_then": 9.0}},
        "replacements": {
            "stack": {"share": {"value": 0.15, "low": 0.1, "high": 0.2}, "every": 7},
            "blower": {"share": 0.05, "every": 4},
        },
    },
    "reserves": {"maintenance_years": 3, "interest": 0.02},
    "tax": {"federal_class": 15, "state_class": 20, "bonus": 0.9},
}  # fmt: skip
SUPPORT = {
    "support": {
        "grants": {"gift": {"amount": 3.0e7}, "award": {"share": 0.05, "taxable": True}},
        "loans": {
            "behind": {
                "amount": 5.0e7, "rate": 0.03, "tenor": 15, "grace": 2, "first_loss_cover_ratio": 1.5,
            },
            "free": {"share": 0.1, "rate": 0.0, "tenor": 40},
        },
        "guarantee": {"share": 0.5, "rate_cut": 0.02, "fee": 0.01, "cover_ratio": 1.6},
    },
    "tax": {"losses": "used_at_once"},
    "debt": {"gearing_cap": 0.7},
}  # fmt: skip
MINI_PERM = {
    "debt": {
        "kind": "mini_perm", "tenor": 6, "amortisation": 18, "refinance_rate": 0.1, "refinance_fee": 0.01,
        "cover_ratio": 1.3, "gearing_cap": 0.8,
    }
}  # fmt: skip
CASES: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    # name: changes to the plant (or an archetype), inputs that are then changed in the workbook
    "capped": ({"debt": {"gearing_cap": 0.4, "cover_ratio": 1.2}}, {OFFTAKE: 10_100.0, MERCHANT: 4_500.0}),
    "sculpted": ({}, {OFFTAKE: 8_200.0, MERCHANT: 7_700.0}),
    "level": (
        {
            "debt": {"kind": "level", "gearing_cap": 0.9},
            "reserves": {"debt_service_months": 9.0, "interest": 0.03},
            "revenue": {"offtake": {"indexed": False, "escalation": 0.01}},
            "lender": {"merchant_share": 0.4},
        },
        {OFFTAKE: 13_000.0, MERCHANT: 5_000.0, "inflation": 0.03},
    ),
    "mini-perm": (MINI_PERM, {OFFTAKE: 8_000.0, MERCHANT: 5_000.0}),
    "no-debt": ({"debt": {"kind": "none"}}, {OFFTAKE: 7_500.0, MERCHANT: 5_500.0}),
    "before-tax": (
        {
            "debt": {"kind": "mini_perm", "tenor": 6, "amortisation": 18, "cash_flow": "pre_tax"},
            "support": {"guarantee": {"share": 0.5, "rate_cut": 0.02, "fee": 0.005}},
        },
        {OFFTAKE: 9_500.0, MERCHANT: 5_500.0},
    ),
    "sponsor-sized": (
        {"debt": {"sized_on": "sponsor", "gearing_cap": 0.85}},
        {OFFTAKE: 9_900.0, MERCHANT: 5_000.0, "debt.rate": 0.095, "inputs.wood.price": 120.0},
    ),
    "renewals-and-losses": (LOSSES, {OFFTAKE: 10_000.0, MERCHANT: 6_500.0, "production.degradation": 0.02}),
    "supported": (SUPPORT, {OFFTAKE: 9_700.0, MERCHANT: 5_000.0, "support.guarantee.share": 0.8}),
    "clay": (
        {"based_on": "cement-clay", "name": "clay", "title": "Clay"},
        {"revenue.clinker_saved.price": 80.0, "working_capital.receivable_days": 70.0, "debt.tenor": 9.0},
    ),
    "trucks": (
        {"based_on": "battery-truck-fleet", "name": "fleet", "title": "Fleet"},
        {"returns.equity": 0.2},
    ),
}  # fmt: skip


def changed_case(loaded: LoadedCase, changes: Mapping[str, float]) -> tuple[LoadedCase, Any]:
    """The case with figures replaced in its values, and the terms that are no figures in its model."""
    case = loaded.case
    plain = {path: value for path, value in changes.items() if path not in loaded.figures}
    for path, value in plain.items():
        group, name = path.split(".")
        part = getattr(case, group)
        given = int(value) if isinstance(getattr(part, name), int) else value
        case = case.model_copy(update={group: part.model_copy(update={name: given})})
    figures = {path: value for path, value in changes.items() if path in loaded.figures}
    moved = LoadedCase(case, loaded.figures, loaded.library, loaded.from_archetype, loaded.data)
    return moved, moved.values.with_values(**figures)


def results(cells: Cells) -> dict[str, dict[str, Any]]:
    """Results of both views by name."""
    sheet = cells["Results"]
    return {
        view: {name: sheet[f"{column}{FIRST_ROW + row}"][0] for row, name in enumerate(RESULTS)}
        for view, column in (("sponsor", "C"), ("lender", "D"))
    }


def assert_agree(cells: Cells, value: CaseValue, tolerance: float = 1e-6) -> None:
    found = results(cells)
    lent = value.loaded.case.debt.kind != "none"
    for view, told in ((value.sponsor, found["sponsor"]), (value.lender, found["lender"])):
        for name in RESULTS:
            expected = getattr(view, name)
            if math.isnan(expected) or (not lent and name in ("debt_usd", "gearing")):
                assert told[name] == "none", (view.name, name)
            else:
                assert told[name] == pytest.approx(expected, rel=tolerance, abs=1e-9), (view.name, name)


@pytest.fixture(scope="module")
def written(make: Make, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[CaseValue, Path]]:
    folder = tmp_path_factory.mktemp("workbooks")
    values = {name: make(changes) for name, (changes, _) in CASES.items()}
    return {name: (value, write_workbook(value, folder / f"{name}.xlsx")) for name, value in values.items()}


@pytest.fixture(scope="module")
def calculated(
    written: dict[str, tuple[CaseValue, Path]],
    recalculated: Callable[[Sequence[Path]], list[Cells]],
    edit_inputs: Callable[..., Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, tuple[Cells, Cells]]:
    """Cells of every workbook as written, and with the other inputs."""
    folder = tmp_path_factory.mktemp("edited")
    first = [path for _, path in written.values()]
    second = [edit_inputs(written[name][1], folder / f"{name}-b.xlsx", CASES[name][1]) for name in written]
    cells = recalculated([*first, *second])
    return dict(zip(written, zip(cells[: len(first)], cells[len(first) :], strict=True), strict=True))


# ---------------------------------------------------------------- a spreadsheet gives the same


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_spreadsheet_gives_what_the_engine_gives(
    name: str, written: dict[str, tuple[CaseValue, Path]], calculated: dict[str, tuple[Cells, Cells]]
) -> None:
    assert_agree(calculated[name][0], written[name][0])


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_other_prices_typed_in_give_what_the_engine_gives_for_them(
    name: str, written: dict[str, tuple[CaseValue, Path]], calculated: dict[str, tuple[Cells, Cells]]
) -> None:
    before = written[name][0]
    loaded, values = changed_case(before.loaded, CASES[name][1])
    after = value_case(loaded, before.setting, values)
    assert after.sponsor.npv_usd != pytest.approx(before.sponsor.npv_usd, rel=1e-3)
    assert_agree(calculated[name][1], after)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_no_cell_shows_an_error(name: str, calculated: dict[str, tuple[Cells, Cells]]) -> None:
    for cells in calculated[name]:
        wrong = [
            (sheet, place, value)
            for sheet, found in cells.items()
            for place, (value, is_formula) in found.items()
            if is_formula and isinstance(value, str) and (value.startswith("#") or "Err:" in value)
        ]
        assert wrong == []


def test_the_cases_are_what_they_are_meant_to_be(written: dict[str, tuple[CaseValue, Path]]) -> None:
    def value(name: str) -> CaseValue:
        return written[name][0]

    assert value("capped").sponsor.gearing == pytest.approx(0.4)
    assert value("sculpted").lender.gearing < 0.5 - 1e-6, "the cover ratio decides"
    assert value("level").sponsor.debt_usd > 0
    assert value("level").sponsor.outcome.service[:12].std() == pytest.approx(0, abs=1e-3)
    assert value("mini-perm").sponsor.outcome.fees.any()
    assert value("no-debt").sponsor.debt_usd == 0
    assert value("renewals-and-losses").sponsor.reading.renewals.any()
    assert value("renewals-and-losses").sponsor.outcome.taxes.federal[0, 0] == 0, (
        "a loss waits in the first year"
    )
    assert value("renewals-and-losses").setting.tax.federal_loss_share < 1, "and may offset a share only"
    assert value("supported").sponsor.outcome.taxes.total.min() < 0
    assert value("trucks").loaded.case.production.bought


@pytest.mark.slow
def test_the_check_column_says_where_the_program_stands(calculated: dict[str, tuple[Cells, Cells]]) -> None:
    same, moved = calculated["sculpted"]
    assert all(
        abs(same["Results"][f"G{row}"][0]) < 1e-9 for row in range(FIRST_ROW, FIRST_ROW + len(RESULTS))
    )
    assert abs(moved["Results"][f"G{FIRST_ROW}"][0]) > 1e-3


@pytest.mark.slow
def test_debt_sizing_agrees_after_its_passes(calculated: dict[str, tuple[Cells, Cells]]) -> None:
    row = FIRST_ROW + len(RESULTS) + 1
    for name, both in calculated.items():
        for cells in both:
            if name != "no-debt":
                assert cells["Results"][f"C{row}"][0] < 1e-9, name
                assert cells["Results"][f"D{row}"][0] == "agreed", name


@pytest.mark.slow
def test_yearly_lines_are_those_of_the_engine(
    written: dict[str, tuple[CaseValue, Path]], calculated: dict[str, tuple[Cells, Cells]]
) -> None:
    value, cells = written["supported"][0], calculated["supported"][0]
    for view, sheet in ((value.sponsor, cells["Sponsor"]), (value.lender, cells["Lender"])):
        for label, line, first in (
            ("equity: paid and received", view.outcome.equity, 3),
            ("cash flow available for debt service", view.outcome.cash_flow, 6),
            ("income tax", view.outcome.taxes.total, 6),
            ("debt service", view.outcome.service, 6),
            ("running costs", view.lines.cost, 6),
            ("income that is taxed", view.lines.revenue, 6),
        ):
            found = row_of(sheet, label)
            told = [found[first + at] for at in range(len(line))]
            assert told == pytest.approx(line[:, 0].tolist(), rel=1e-8, abs=1e-3), (view.name, label)


def row_of(sheet: dict[str, tuple[Any, bool]], label: str) -> dict[int, Any]:
    """Values of the last line with this label, by column from 0."""
    rows = [int(place[1:]) for place, (value, _) in sheet.items() if value == label and place.startswith("A")]
    [*_, row] = rows
    return {
        column_number(match[1]): value
        for place, (value, _) in sheet.items()
        if (match := re.fullmatch(rf"([A-Z]+){row}", place))
    }


def column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1


@pytest.mark.slow
def test_sources_equal_uses(calculated: dict[str, tuple[Cells, Cells]]) -> None:
    for name, both in calculated.items():
        for cells in both:
            for sheet in ("Sponsor", "Lender"):
                assert row_of(cells[sheet], "sources less uses (nothing is missing when 0)")[2] == 0, name


# ---------------------------------------------------------------- what is written


@pytest.mark.parametrize("name", CASES)
def test_every_number_on_a_sheet_of_results_is_a_formula(
    name: str, written: dict[str, tuple[CaseValue, Path]], read_cells: Callable[[Path], Cells]
) -> None:
    cells = read_cells(written[name][1])
    hard = [
        (sheet, place)
        for sheet in ("Sponsor", "Lender", "Debt sizing", "Rate of return")
        for place, (value, is_formula) in cells.get(sheet, {}).items()
        if isinstance(value, float) and not is_formula
    ]
    assert hard == []
    check = {f"{column}{row}" for column in "EF" for row in range(FIRST_ROW, FIRST_ROW + len(RESULTS))}
    hard = [
        place
        for place, (value, is_formula) in cells["Results"].items()
        if isinstance(value, float) and not is_formula
    ]
    assert set(hard) <= check
    for row in range(FIRST_ROW, FIRST_ROW + len(RESULTS)):
        assert all(cells["Results"][f"{column}{row}"][1] for column in "CDGH")


def test_no_formula_is_a_bare_number(written: dict[str, tuple[CaseValue, Path]]) -> None:
    """A result typed in behind an equals sign would be no formula either; 0 says that there is nothing."""
    for _, path in written.values():
        with zipfile.ZipFile(path) as package:
            for name in package.namelist():
                if name.startswith("xl/worksheets/sheet"):
                    formulas = re.findall(r"<f>([^<]*)</f>", package.read(name).decode())
                    bare = {text for text in formulas if re.fullmatch(r"[-+]?[\d.]+(E[-+]?\d+)?", text)}
                    assert bare <= {"0", "1"}, name


def test_every_figure_of_the_case_is_an_input_with_unit_source_and_confidence(
    written: dict[str, tuple[CaseValue, Path]], read_cells: Callable[[Path], Cells]
) -> None:
    value, path = written["sculpted"]
    sheet = read_cells(path)["Inputs"]
    rows = {str(found): place[1:] for place, (found, _) in sheet.items() if place.startswith("A") and found}
    for name, figure in value.loaded.figures.items():
        row = rows[name]
        assert sheet[f"C{row}"] == (pytest.approx(figure.value), False)
        assert sheet[f"D{row}"][1], "the lender's cell is a formula"
        assert sheet[f"G{row}"][0] == figure.figure.confidence
        assert sheet.get(f"B{row}", ("",))[0] == figure.unit.replace("USD", "USD of 2024")
        if figure.uncertain:
            assert (sheet[f"E{row}"][0], sheet[f"F{row}"][0]) == pytest.approx((figure.low, figure.high))
    assert "H2A" in sheet[f"H{rows['inputs.wood.use']}"][0]
    for name in (
        "debt.tenor",
        "working_capital.receivable_days",
        "tax.federal_rate",
        "lender.market_credits",
    ):
        assert name in rows


def test_lenders_take_the_bad_end_from_the_cells_of_the_range(
    written: dict[str, tuple[CaseValue, Path]],
) -> None:
    _, path = written["sculpted"]
    with zipfile.ZipFile(path) as package:
        text = package.read("xl/worksheets/sheet2.xml").decode()
    formulas = re.findall(r'<c r="D(\d+)"[^>]*><f>([CEF])(\d+)</f>', text)
    assert all(row == other for row, _, other in formulas)
    assert {"C", "E", "F"} == {column for _, column, _ in formulas}


def test_the_sheets_stand_in_order(
    written: dict[str, tuple[CaseValue, Path]], read_cells: Callable[[Path], Cells]
) -> None:
    expected = [
        "Results",
        "Inputs",
        "Yearly inputs",
        "Sponsor",
        "Lender",
        "Debt sizing",
        "Rate of return",
        "Sources",
    ]
    assert list(read_cells(written["sculpted"][1])) == expected
    assert "Debt sizing" not in read_cells(written["no-debt"][1])


def test_sources_name_every_figure_and_every_policys_answer(
    written: dict[str, tuple[CaseValue, Path]], read_cells: Callable[[Path], Cells]
) -> None:
    value, path = written["sculpted"]
    texts = {str(found) for found, _ in read_cells(path)["Sources"].values()}
    assert set(value.loaded.figures) <= texts
    assert {one.policy for one in value.setting.answers} <= texts
    assert {one.because for one in value.setting.answers} <= texts
    assert f"id {value.loaded.id}" in texts


def test_equal_cases_give_equal_bytes(plant: CaseValue, tmp_path: Path) -> None:
    first, second = (write_workbook(plant, tmp_path / f"{name}.xlsx").read_bytes() for name in "ab")
    assert first == second


def test_an_old_workbook_is_replaced_and_nothing_else_is_left(plant: CaseValue, tmp_path: Path) -> None:
    path = tmp_path / "case.xlsx"
    path.write_text("old", encoding="utf-8")
    assert write_workbook(plant, path) == path
    assert zipfile.is_zipfile(path)
    assert [one.name for one in tmp_path.iterdir()] == ["case.xlsx"]


def test_a_folder_that_is_not_there_is_told(plant: CaseValue, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        write_workbook(plant, tmp_path / "nowhere" / "case.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_there_are_as_many_passes_as_the_case_needs(make: Make, plant: CaseValue) -> None:
    needed = passes_needed(plant.lender)
    assert 4 <= needed <= 30
    assert passes_needed(make({"debt": {"cash_flow": "pre_tax"}}).lender) == 1
    assert SPARE > 0


def test_there_is_no_macro_and_no_outside_link(written: dict[str, tuple[CaseValue, Path]]) -> None:
    for _, path in written.values():
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
        assert not [name for name in names if "vba" in name.lower() or "externalLink" in name]


def test_results_can_be_read_without_calculating(
    written: dict[str, tuple[CaseValue, Path]], read_cells: Callable[[Path], Cells]
) -> None:
    value, path = written["sculpted"]
    assert results(read_cells(path))["sponsor"]["npv_usd"] == pytest.approx(value.sponsor.npv_usd)
