"""A lender's portfolio: hand-made plan tables, figures reckoned by hand, and a file with every fault."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.cli import main
from cleanhub.core.errors import InputError
from cleanhub.core.tables import Table, conform
from cleanhub.finance.case_value import value_case
from cleanhub.finance.cases import load_archetype
from cleanhub.finance.frozen import FrozenCase, freeze
from cleanhub.finance.policy_setting import setting_of
from cleanhub.hub.library import Library, load_library
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.planning.holdings import Holding, read_holdings
from cleanhub.planning.plan import Plan
from cleanhub.planning.portfolio import Portfolio, build_portfolio, path_intensity
from cleanhub.policy.book import load_book

DAY = dt.date(2026, 6, 1)
UNVALUED = "not valuable, because its capacity is not published"
BLANKS: dict[str, Any] = {"text": "", "number": 0.0, "integer": 0, "year": 2030, "yes_no": False}


def table(name: str, *rows: dict[str, Any]) -> pd.DataFrame:
    """A plan table whose rows state what a test is about."""
    declared: Table = PLAN_TABLES[name]
    blank = {column.name: BLANKS[column.kind] for column in declared.columns}
    blank |= {column.name: "-" for column in declared.columns if column.kind == "text" and not column.blank}
    return conform(pd.DataFrame([{**blank, **row} for row in rows], columns=declared.names), declared)


def views(project: str, archetype: str, capital: float, npv: float, cover: float, debt: float) -> Any:
    shared = {
        "project_id": project,
        "status": "valued",
        "archetype": archetype,
        "unit": "USD/t",
        "confidence": "assumed",
        "co2e_t_per_year": 1000.0,
    }
    sponsor = {"case": "sponsor_p50", "capital_usd": capital, "npv_usd": npv, "irr": 0.1, "price_gap": 30.0}
    lender = {"case": "lender_p90", "npv_usd": 2 * npv, "irr": np.nan, "price_gap": 60.0}
    return [{**shared, **view, "min_dscr": cover, "debt_usd": debt} for view in (sponsor, lender)]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Two valued projects, one that has no case, and a cement path that falls from 0.8 to 0.1 t/t."""
    pays = {"answer": "pays", "confidence": "assumed"}
    path = {"sector": "cement", "technology": "cement_dry_kiln"}
    tables = {
        "projects": table(
            "projects",
            {
                "project_id": "A",
                "name": "Capture",
                "sector": "cement",
                "stage": "feed",
                "p_fid_2030": 0.1,
                "p_fid_ever": 0.5,
                "confidence": "assumed",
            },
            {
                "project_id": "B",
                "name": "Clay",
                "sector": "cement",
                "stage": "operating",
                "p_fid_2030": 1.0,
                "p_fid_ever": 1.0,
                "confidence": "seen",
            },
            {
                "project_id": "C",
                "name": "Depot",
                "sector": "trucking",
                "stage": "announced",
                "p_fid_2030": 0.2,
                "p_fid_ever": 0.25,
                "capex_usd": 50.0,
                "confidence": "seen",
            },
        ),
        "valuations": table(
            "valuations",
            *views("A", "cement-capture", 400.0, -50.0, np.nan, 0.0),
            *views("B", "cement-clay", 50.0, 5.0, 1.4, 20.0),
            {"project_id": "C", "case": "none", "status": UNVALUED, "co2e_t_per_year": np.nan},
        ),
        "policy_answers": table(
            "policy_answers",
            {"project_id": "A", "policy": "45q", "year": 2031, "usd": 100.0, "until": "2032-12-31", **pays},
            {"project_id": "A", "policy": "45q", "year": 2032, "usd": 300.0, "until": "2032-12-31", **pays},
            {"project_id": "B", "policy": "45q", "year": 2031, "usd": 25.0, "until": "2030-06-30", **pays},
            {"project_id": "B", "policy": "48c", "answer": "no", "usd": np.nan, "confidence": "assumed"},
        ),
        "links": table(
            "links",
            {"order": 0, "link_id": "pipe", "projects": "A;Z", "p_closes": 0.6},
            {"order": 1, "link_id": "gate", "projects": "A", "p_closes": 0.2},
            {"order": 2, "link_id": "other", "projects": "Z", "p_closes": 0.1},
        ),
        "production": table(
            "production",
            *(
                {**path, "product": "clinker", "year": year, "production": 100.0, "unit": "t/yr"}
                for year in (2030, 2035, 2040)
            ),
        ),
        "assets": table(
            "assets",
            *(
                {
                    **path,
                    "asset_id": asset,
                    "year": year,
                    "co2e_t": tonnes,
                    "production": made,
                    "unit": "t/yr",
                }
                for asset, year, tonnes, made in (
                    ("k1", 2030, 60.0, 75.0),
                    ("k2", 2030, 20.0, 25.0),
                    ("k1", 2035, 30.0, 100.0),
                    ("k1", 2040, 10.0, 100.0),
                    ("k1", 2045, 0.0, 0.0),
                )
            ),
            {"sector": "cement", "asset_id": "other", "technology": "", "year": 2030, "co2e_t": 1e9},
        ),
        "project_need": table(
            "project_need",
            {
                "sector": "cement",
                "year": 2030,
                "unit": "plants",
                "plants_needed": 4.0,
                "fid_expected": 1.5,
                "gap": 2.5,
            },
            {"sector": "trucking", "year": 2030, "unit": "vehicles", "plants_needed": 400.0},
            {"sector": "lime", "year": 2030, "unit": "plants", "plants_needed": 1.0},
        ),
        "stage_years": table(
            "stage_years",
            {"project_id": "A", "year": 2030, "stage": "fid", "probability": 0.1},
            {"project_id": "A", "year": 2030, "stage": "construction", "probability": 0.05},
            {"project_id": "A", "year": 2030, "stage": "feed", "probability": 0.85},
            {"project_id": "B", "year": 2030, "stage": "operating", "probability": 1.0},
        ),
    }
    return Plan(
        scenario=Scenario(name="x", title="A path", as_of=DAY, end_year=2045),
        seed=0,
        tables=tables,
        hub_name="made",
        hub_title="Made",
        hashes={},
        versions={"cleanhub": "0"},
        pending={},
    )


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("holdings")


@pytest.fixture(scope="module")
def frozen(library: Library, folder: Path) -> FrozenCase:
    loaded = load_archetype("cement-clay", library)
    value = value_case(loaded, setting_of(loaded, load_book(library)))
    return freeze(value, folder / "clay.json", DAY)


def held(plan: Plan, library: Library, folder: Path, *lines: str) -> list[Holding]:
    file = folder / "held.csv"
    file.write_text("\n".join(["project_id,case,commitment_usd", *lines]) + "\n", encoding="utf-8")
    return read_holdings(file, plan, library)


@pytest.fixture(scope="module")
def found(plan: Plan, library: Library, folder: Path) -> Portfolio:
    return build_portfolio(plan, held(plan, library, folder, "A,,100", "B,,25", "C,,75"), library)


def row(found: Portfolio, name: str, **where: object) -> Any:
    frame = found.tables[name]
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


# --- exposure ------------------------------------------------------------------------------------


def test_a_commitment_counts_with_its_chance_and_its_share_of_the_capital(found: Portfolio) -> None:
    capture = row(found, "exposure", holding_id="A")
    assert capture["share"] == 0.5  # 100 of 200
    assert capture["expected_usd"] == 50.0  # 100 x 0.5
    assert capture["attribution"] == 0.25  # 100 of 400
    assert capture["financed_co2e_t_per_year"] == 250.0  # 0.25 x 1,000
    assert capture["expected_co2e_t_per_year"] == 125.0
    assert (capture["sponsor_npv_usd"], capture["lender_npv_usd"]) == (-50.0, -100.0)
    assert (capture["sponsor_price_gap"], capture["lender_price_gap"]) == (30.0, 60.0)


def test_a_project_that_is_not_valued_says_why_and_takes_its_published_capital(found: Portfolio) -> None:
    depot = row(found, "exposure", holding_id="C")
    assert depot["basis"] == UNVALUED
    assert math.isnan(depot["lender_npv_usd"])
    assert depot["attribution"] == 1.0  # 75 of the 50 it publishes: never more than all of it


def test_totals_add_up_what_is_known(found: Portfolio) -> None:
    sums = found.totals()
    assert sums["commitment_usd"] == 200.0
    assert sums["expected_usd"] == 50.0 + 25.0 + 75.0 * 0.25
    assert sums["past_decision_usd"] == 25.0
    assert sums["valued_usd"] == 125.0
    assert sums["below_return_usd"] == 100.0
    assert (sums["covered_usd"], sums["not_covered_usd"], sums["no_debt_usd"]) == (25.0, 0.0, 100.0)
    assert sums["above_debt_usd"] == 100.0 + 5.0  # A carries no debt, B 20 of the 25
    assert sums["financed_co2e_t_per_year"] == 250.0 + 500.0  # B: 25 of 50
    assert sums["tonnes_usd"] == 125.0
    assert sums["weak_share"] == 0.625  # A and B are valued on assumed figures


# --- concentration -------------------------------------------------------------------------------


def test_sectors_and_technologies_add_up_to_all_commitments(found: Portfolio) -> None:
    table = found.tables["concentration"]
    for kind in ("sector", "technology", "stage"):
        assert table.loc[table["kind"] == kind, "share"].sum() == pytest.approx(1.0)
    assert row(found, "concentration", kind="sector", item="cement")["commitment_usd"] == 125.0
    assert row(found, "concentration", kind="technology", item="not known")["commitment_usd"] == 75.0


def test_a_policy_counts_the_commitments_it_pays_and_the_first_day_that_binds(found: Portfolio) -> None:
    credit = row(found, "concentration", kind="policy", item="45q")
    assert (credit["holdings"], credit["share"], credit["paid_usd"]) == (2, 0.625, 425.0)
    assert credit["paid_per_usd_of_capital"] == pytest.approx((100 * 400 / 400 + 25 * 25 / 50) / 125)
    assert credit["until"] == "2030-06-30"
    assert "48c" not in set(found.tables["concentration"]["item"])  # it says no


def test_a_link_counts_the_commitments_that_wait_for_it_least_likely_first(found: Portfolio) -> None:
    links = found.tables["concentration"].query("kind == 'link'")
    assert list(links["item"]) == ["gate", "pipe"]
    assert list(links["commitment_usd"]) == [100.0, 100.0]
    assert list(links["p_closes"]) == [0.2, 0.6]


# --- against the path ----------------------------------------------------------------------------


def test_the_path_is_what_its_plants_emit_over_what_they_make(plan: Plan) -> None:
    path, unit = path_intensity(plan, "cement", "clinker")
    assert path == {2030: 0.8, 2035: 0.3, 2040: 0.1}  # no 2045: nothing is made
    assert unit == "t"


def test_what_is_financed_is_weighed_by_commitment_and_set_against_each_year(
    found: Portfolio, library: Library, plan: Plan
) -> None:
    from cleanhub.finance.technologies import build_technologies

    technologies = build_technologies(library, plan.scenario)
    capture, clay = (
        float(technologies.direct[technologies.find(name)])
        for name in ("cement_amine_capture", "cement_clay")
    )
    financed = (100 * capture + 25 * clay) / 125
    assert 0.1 < financed < 0.3
    rows = found.tables["alignment"].query("sector == 'cement'")
    assert list(rows["year"]) == [2030, 2035, 2040]
    assert rows["financed_intensity"].to_numpy() == pytest.approx(financed)
    assert rows["difference"].to_numpy() == pytest.approx([financed - 0.8, financed - 0.3, financed - 0.1])
    assert list(rows["aligned"]) == ["yes", "yes", "no"]
    assert set(rows["unit"]) == {"t CO2e/t"}


def test_a_sector_whose_product_the_path_does_not_make_is_named_and_left_empty(found: Portfolio) -> None:
    depot = row(found, "alignment", sector="trucking")
    assert depot["product"] == ""
    assert depot["commitment_usd"] == 75.0
    assert depot["covered_usd"] == 0.0
    assert pd.isna(depot["year"])


def test_plants_that_the_path_needs_stand_beside_those_that_are_financed(found: Portfolio) -> None:
    need = row(found, "need", sector="cement")
    assert (need["plants_needed"], need["fid_expected"], need["gap"]) == (4.0, 1.5, 2.5)
    assert need["financed_projects"] == 2
    assert need["financed_fid_expected"] == pytest.approx(0.15 + 1.0)
    assert len(found.tables["need"]) == 1  # vehicles and sectors without a commitment are not in it


# --- frozen cases --------------------------------------------------------------------------------


def test_a_frozen_case_brings_its_own_results_to_the_cent(
    plan: Plan, library: Library, folder: Path, frozen: FrozenCase
) -> None:
    (one,) = held(plan, library, folder, ",clay.json,1000000")
    assert one.holding_id == frozen.id
    assert one.basis == f"frozen case {frozen.id}"
    assert one.views["lender_p90"]["npv_usd"] == frozen.lender.metrics["npv_usd"]
    assert one.views["sponsor_p50"]["price_gap"] == frozen.results["price_gap"]
    assert one.technology == "cement_clay"
    assert math.isnan(one.p_fid_ever)  # nobody has said
    avoided = frozen.figures["reference.emissions_avoided"]["value"]
    assert one.co2e_t_per_year == pytest.approx(avoided * frozen.sponsor.lines["product"].values.mean())
    assert one.attribution == pytest.approx(1e6 / frozen.sponsor.lines["use: capital"].values.sum())


def test_a_row_with_project_and_case_has_the_chance_of_one_and_the_figures_of_the_other(
    plan: Plan, library: Library, folder: Path, frozen: FrozenCase
) -> None:
    (one,) = held(plan, library, folder, "A,clay.json,1000000")
    assert (one.holding_id, one.stage, one.p_fid_ever) == ("A", "feed", 0.5)
    assert one.views["lender_p90"]["npv_usd"] == frozen.lender.metrics["npv_usd"]


def test_draws_give_a_frozen_case_its_chance_of_a_loss(
    plan: Plan, library: Library, folder: Path, frozen: FrozenCase
) -> None:
    holdings = held(plan, library, folder, "A,,100", ",clay.json,1000000")
    found = build_portfolio(plan, holdings, library, samples=50, seed=1)
    assert math.isnan(row(found, "exposure", holding_id="A")["p_loss"])
    assert 0.0 <= row(found, "exposure", holding_id=frozen.id)["p_loss"] <= 1.0
    again = build_portfolio(plan, holdings, library, samples=50, seed=1)
    pd.testing.assert_frame_equal(found.tables["exposure"], again.tables["exposure"])


# --- what is refused -----------------------------------------------------------------------------


def test_every_fault_of_a_file_is_told_at_once(
    plan: Plan, library: Library, folder: Path, frozen: FrozenCase
) -> None:
    changed = frozen.text.replace('"id": "', '"id": "0', 1)
    (folder / "changed.json").write_text(changed, encoding="utf-8")
    lines = ["A,,-5", "Q,,10", "B,,ten", "B,,1", ",,5", ",nowhere.json,5", ",changed.json,5", ",x.yaml,5"]
    with pytest.raises(InputError) as refused:
        held(plan, library, folder, *lines)
    faults = {(fault.row, fault.what.split(":")[0]) for fault in refused.value.faults}
    assert faults == {
        (2, "out of range"),
        (3, "no such project"),
        (4, "not a number"),
        (5, "duplicate"),
        (6, "names nothing"),
        (7, "cannot be read"),
        (8, "changed since it was frozen"),
        (9, "not a frozen case"),
    }


def test_a_file_without_a_row_is_refused(plan: Plan, library: Library, folder: Path) -> None:
    with pytest.raises(InputError, match="holds no commitment"):
        held(plan, library, folder)


def test_commitments_of_nothing_make_no_shares(plan: Plan, library: Library, folder: Path) -> None:
    found = build_portfolio(plan, held(plan, library, folder, "A,,0"), library)
    assert math.isnan(row(found, "exposure", holding_id="A")["share"])
    assert set(found.tables["alignment"]["covered_usd"]) == {0.0}


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def command(plan: Plan, folder: Path, tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """``cleanhub finance portfolio`` on a saved plan and a file of lines."""
    plan.save(tmp_path / "plan")

    def run(*words: str, lines: tuple[str, ...] = ("A,,100", "B,,25", "C,,75")) -> tuple[int, str, str]:
        file = tmp_path / "held.csv"
        file.write_text("\n".join(["project_id,case,commitment_usd", *lines]) + "\n", encoding="utf-8")
        out, err, code = io.StringIO(), io.StringIO(), 0
        given = ["cleanhub", "finance", "portfolio", str(file), "--plan", str(tmp_path / "plan"), *words]
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            patch.setattr(sys, "argv", given)
            try:
                main()
            except SystemExit as stop:
                code = int(stop.code or 0)
        return code, out.getvalue(), err.getvalue()

    return run


def test_the_command_prints_every_part_within_a_terminal(
    command: Callable[..., tuple[int, str, str]],
) -> None:
    code, text, _ = command()
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert code == 0
    assert max(map(len, text.splitlines())) <= 108
    for words in (
        "PORTFOLIO  3 commitments, $200  ILLUSTRATIVE",
        "expected to reach a decision: $93.8 of $200 with a known chance; $25 is past it",
        "committed beyond the debt that the lender's P90 carries: $105",
        "not valued: $75",
        "$0.90 per $ of capital, if by 2030-06-30",
        "behind the path from 2040",
        "trucking: no technology is financed whose product the path makes",
        "plants that the path changes or builds: 4 by 2030",
        "TONNES AVOIDED  750 t CO2e a year if all are built, 625 t as expected",
    ):
        assert words in text, words


def test_the_command_writes_its_tables_and_tells_them_as_json(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, text, _ = command("--json", "--out", str(tmp_path / "tables"))
    assert code == 0
    told = json.loads(text)
    assert told["totals"]["commitment_usd"] == 200.0
    for name in ("exposure", "concentration", "alignment", "need"):
        written = pd.read_csv(tmp_path / "tables" / f"{name}.csv")
        assert len(written) == len(told[name]) > 0
        assert list(written.columns) == list(told[name][0])


def test_the_command_writes_nothing_for_a_wrong_file(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, _, wrong = command("--out", str(tmp_path / "tables"), lines=("Q,,1",))
    assert code == 2
    assert "held.csv, row 2, column project_id: no such project; found Q" in wrong
    assert not (tmp_path / "tables").exists()
