"""The faithful solver beside that solver's own results: ranks to the last row, mixes within tolerance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleanhub.finance.levelised import discount_sum
from cleanhub.hub.mpp_import import ImportedSolver, read_solver
from cleanhub.pathways.mpp_compare import PathwayCheck, check_mpp
from cleanhub.pathways.mpp_faithful import MppResult, run_faithful
from cleanhub.pathways.mpp_tables import MppTables, build_tables

pytestmark = pytest.mark.slow  # forty runs of whole pathways


@pytest.fixture(scope="module")
def folder(shared_oracles: Path) -> Path:
    place = shared_oracles / "mpp"
    if not place.is_dir():
        pytest.skip("no reference cases of the solver: shared/oracles has no folder mpp")
    return place


@pytest.fixture(scope="module")
def checks(folder: Path) -> dict[str, PathwayCheck]:
    return {check.folder: check for check in check_mpp(folder, 10)}


@pytest.fixture(scope="module")
def bau(folder: Path) -> tuple[ImportedSolver, MppTables, MppResult]:
    solver = read_solver(folder / "ammonia" / "bau", "ammonia")
    tables = build_tables(solver.frames, solver.settings)
    return solver, tables, run_faithful(tables, solver.settings, "bau", 0)


def test_the_three_rank_tables_are_met_exactly(checks: dict[str, PathwayCheck]) -> None:
    ranks = {row["table"]: row for row in checks["ammonia/bau"].ranks}
    assert {name: row["rows"] for name, row in ranks.items()} == {
        "decommission": 18_228,
        "greenfield": 15_288,
        "brownfield": 58_110,
    }
    for row in ranks.values():
        assert row["differences"] == row["only_ours"] == row["only_theirs"] == 0


@pytest.mark.parametrize("name", ["ammonia/bau", "ammonia/lc"])
def test_mixes_over_ten_seeds_lie_inside_the_tolerance(checks: dict[str, PathwayCheck], name: str) -> None:
    check = checks[name]
    assert check.status == "compared"
    assert {row["year"] for row in check.mix} == {2030, 2040, 2050}
    outside = [row for row in check.mix if not row["ok"]]
    assert not outside


def test_mixes_are_far_inside_it(checks: dict[str, PathwayCheck]) -> None:
    # the tolerances allow for what we do not know; what we do know should leave a wide margin
    for name, most in (("ammonia/bau", 1.0), ("ammonia/lc", 4.0)):
        assert max(abs(row["difference"]) for row in checks[name].mix) < most


def test_pathways_without_results_run_and_say_so(checks: dict[str, PathwayCheck]) -> None:
    for name in ("ammonia/fa", "aluminium/lc"):
        assert checks[name].status == "no results to compare with"
        assert checks[name].mix


@pytest.mark.parametrize("name", ["bau", "lc"])
def test_the_first_year_is_met_to_the_last_digit(folder: Path, name: str) -> None:
    solver = read_solver(folder / "ammonia" / name, "ammonia")
    result = run_faithful(build_tables(solver.frames, solver.settings), solver.settings, name, 5)
    theirs = pd.read_csv(folder / "ammonia" / name / "technology_mix_by_year.csv").query("year == 2020")
    ours = result.mix.query("year == 2020")
    pd.testing.assert_frame_equal(
        ours.reset_index(drop=True), theirs.reset_index(drop=True), check_dtype=False, rtol=1e-9
    )
    emitted = pd.read_csv(folder / "ammonia" / name / "emissions_by_year_Mt.csv").query("year == 2020")
    own = result.emissions.query("year == 2020").merge(
        emitted, on=["product", "year"], suffixes=("", "_theirs")
    )
    assert len(own) == 3
    for kind in emitted.columns[2:]:
        np.testing.assert_allclose(own[kind], own[f"{kind}_theirs"], rtol=1e-9, atol=1e-9)


def test_decisions_of_bau_are_as_many_in_each_year(
    folder: Path, bau: tuple[ImportedSolver, MppTables, MppResult]
) -> None:
    theirs = pd.read_csv(folder / "ammonia" / "bau" / "transitions.csv")
    key = ["year_first_visible", "type"]
    expected = theirs.groupby(key).size()
    found = bau[2].transitions.groupby(key).size()
    different = (expected - found.reindex(expected.index, fill_value=0)).abs()
    assert expected.xs("brownfield", level="type").sum() == 55
    assert different.xs("brownfield", level="type").max() <= 1
    assert different.xs("greenfield", level="type").max() <= 1
    assert set(found.index.get_level_values("type")) == {"brownfield", "greenfield"}


def test_columns_are_those_of_the_results(
    folder: Path, bau: tuple[ImportedSolver, MppTables, MppResult]
) -> None:
    for name, table in (("technology_mix_by_year", bau[2].mix), ("emissions_by_year_Mt", bau[2].emissions)):
        theirs = pd.read_csv(folder / "ammonia" / "bau" / f"{name}.csv", nrows=1)
        assert list(table.columns) == list(theirs.columns)


def test_cost_tables_share_our_conventions(bau: tuple[ImportedSolver, MppTables, MppResult]) -> None:
    # LCOX = NPV / (0.95 D), TCO = NPV / (30 x 0.95): their ratio is life over discounted years
    switches = bau[1].switches
    new = switches.tco != 0
    np.testing.assert_allclose(switches.lcox[new] / switches.tco[new], 30 / discount_sum(0.08, 30), rtol=1e-9)


@pytest.mark.parametrize("name", ["bau", "lc", "fa", "cc"])
def test_aluminium_runs_every_pathway_on_what_the_folder_holds(folder: Path, name: str) -> None:
    solver = read_solver(folder / "aluminium" / "lc", "aluminium")
    tables = build_tables(solver.frames, solver.settings)
    result = run_faithful(tables, solver.settings, name, 0)
    total = result.mix.groupby("year")["annual_production_volume_Mt"].sum()
    np.testing.assert_allclose(total[2020], 65.3, atol=0.4)
    assert (total > 60).all()
    if name in ("bau", "cc"):  # without a carbon budget demand is met
        assert total[2050] > 95
    late = result.transitions.query("year_first_visible > 2041")["technology_destination"]
    initial = {"Carbon Anode + Coal", "Carbon Anode + Natural Gas"}
    if name in ("lc", "cc"):
        assert not initial & set(late)
    hydro = result.transitions[result.transitions["technology_destination"].str.contains("Hydro")]
    assert hydro["technology_origin"].str.contains("Hydro").all()
