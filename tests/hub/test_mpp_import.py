"""Importing the shared solver's tables: every fault in one list, a hub that checks, nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from cleanhub.core.errors import FaultList, InputError
from cleanhub.hub.mpp_import import SETTINGS, TABLES, import_mpp, read_imported, read_solver
from cleanhub.hub.mpp_inputs import inputs_folder, read_inputs
from cleanhub.hub.mpp_settings import mpp_sectors, read_settings, sector_settings, settings_text
from cleanhub.hub.package import check_hub, load_hub
from cleanhub.hub.scenario import load_scenario

Tables = dict[str, pd.DataFrame]
Write = Callable[..., Path]
GAS = "Natural Gas SMR + ammonia synthesis"


def faults_of(folder: Path, sector: str = "ammonia") -> list[str]:
    with pytest.raises(InputError) as caught:
        read_solver(folder, sector)
    return [fault.line() for fault in caught.value.faults]


def only(lines: list[str], *words: str) -> str:
    found = [line for line in lines if all(word in line for word in words)]
    assert len(found) == 1, lines
    return found[0]


# --- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sector", mpp_sectors())
def test_settings_of_a_sector_can_be_written_and_read_back(sector: str, tmp_path: Path) -> None:
    path, faults = tmp_path / SETTINGS, FaultList()
    path.write_text(settings_text(sector), encoding="utf-8")
    assert read_settings(path, faults) == sector_settings(sector)
    assert not faults.faults


def test_an_unknown_sector_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="ammonia, aluminium"):
        sector_settings("paper")


def test_plants_of_the_products_hold_one_plant_of_the_base_product() -> None:
    settings = sector_settings("ammonia")
    for product in settings.products.values():
        assert product.plant_capacity * product.base_product_ratio == pytest.approx(0.73)


@pytest.mark.parametrize(("final", "year"), [(0, 2025), (100, 2035), (250, 2050)])
def test_a_higher_carbon_cost_is_reached_later(final: float, year: float) -> None:
    cost = sector_settings("ammonia").carbon_cost.model_copy(update={"final": final})
    assert cost.end_year == pytest.approx(year)


def test_faults_of_edited_settings_are_listed_with_their_lines(tmp_path: Path) -> None:
    path, faults = tmp_path / SETTINGS, FaultList()
    text = settings_text("ammonia").replace("renovation_share: 0.05", "renovation_share: 5")
    text = text.replace("investment_cycle: 20", "investment_cicle: 20")
    path.write_text(text, encoding="utf-8")
    assert read_settings(path, faults) is None
    lines = [fault.line() for fault in faults.faults]
    only(lines, "renovation_share", "found 5")
    only(lines, "investment_cicle", "unknown key")
    only(lines, "investment_cycle", "missing key")
    numbered = [fault.row for fault in faults.faults if fault.column == "renovation_share"]
    assert numbered == [text.splitlines().index(next(x for x in text.splitlines() if "share: 5" in x)) + 1]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("lower: 0.6", "lower: 0.97", "lower must be below upper"),
        ("last_year: 2050", "last_year: 2019", "last_year must be after first_year"),
        ("end_years: {0: 2025", "end_years: {0: 2020", "before the start year"),
        ("limits: [co2_storage]", "limits: [rampup]", "has the limit rampup"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    path, faults = tmp_path / SETTINGS, FaultList()
    assert old in settings_text("ammonia")
    path.write_text(settings_text("ammonia").replace(old, new), encoding="utf-8")
    assert read_settings(path, faults) is None
    assert any(problem in fault.line() for fault in faults.faults)


# --- reading and checking ------------------------------------------------------------------------


@pytest.mark.parametrize("gzipped", [False, True])
def test_plain_and_gzipped_tables_read_the_same(
    solver_tables: Tables, write_solver_tables: Write, gzipped: bool
) -> None:
    folder = write_solver_tables(solver_tables, gzipped=gzipped)
    solver = read_solver(folder, "ammonia")
    assert {name: len(frame) for name, frame in solver.frames.items()} == {
        name: len(frame) for name, frame in solver_tables.items()
    }
    assert inputs_folder(folder.parent) == folder


def test_limits_without_a_table_are_told(solver_tables: Tables, write_solver_tables: Write) -> None:
    notes = read_solver(write_solver_tables(solver_tables), "ammonia").notes
    assert any("pathway lc runs without electrolysers" in note for note in notes)
    assert not any("co2_storage" in note for note in notes)


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    assert "no input tables" in faults_of(tmp_path)[0]


@pytest.mark.parametrize("name", ["technology_characteristics", "emissions", "demand", "initial_asset_stack"])
def test_a_missing_file_is_named(solver_tables: Tables, write_solver_tables: Write, name: str) -> None:
    del solver_tables[name]
    only(faults_of(write_solver_tables(solver_tables)), f"{name}.csv: missing file")


def test_missing_columns_of_several_files_are_all_named(
    solver_tables: Tables, write_solver_tables: Write
) -> None:
    solver_tables["demand"] = solver_tables["demand"].drop(columns=["value", "year"])
    del solver_tables["technology_transitions"]["lcox"]
    lines = faults_of(write_solver_tables(solver_tables))
    only(lines, "demand.csv", "column value: missing column")
    only(lines, "demand.csv", "column year: missing column")
    only(lines, "technology_transitions.csv", "column lcox: missing column")


def test_every_kind_of_bad_cell_is_listed_once_with_its_first_row(
    solver_tables: Tables, write_solver_tables: Write
) -> None:
    demand = solver_tables["demand"].astype({"value": object})
    demand.loc[3, "value"] = "much"
    demand.loc[[5, 6], "value"] = -1.0
    demand.loc[8, "value"] = None
    demand.loc[9, "value"] = float("inf")
    solver_tables["demand"] = demand
    life = solver_tables["technology_characteristics"].astype({"technology_lifetime": float})
    life.loc[10, "technology_lifetime"] = -30
    life.loc[11, "technology_lifetime"] = 20.5
    life.loc[12, "technology_classification"] = "final"
    solver_tables["technology_characteristics"] = life
    solver_tables["technology_transitions"].loc[4, "switch_type"] = "brownfield_rebuild"
    solver_tables["technology_transitions"].loc[5, "product"] = "Methanol"
    lines = faults_of(write_solver_tables(solver_tables))
    only(lines, "demand.csv, row 5, column value: not a number; found much")
    only(lines, "demand.csv, row 7, column value: negative (2 rows)")
    only(lines, "demand.csv, row 10, column value: empty cell")
    only(lines, "demand.csv, row 11, column value: not a number; found inf")
    only(lines, "row 12, column technology_lifetime: negative; found -30")
    only(lines, "row 13, column technology_lifetime: not a whole number; found 20.5")
    only(lines, "row 14, column technology_classification: unknown word; found final")
    only(lines, "row 6, column switch_type: unknown word; found brownfield_rebuild")
    only(lines, "row 7, column product: unknown word; found Methanol")
    assert len(lines) == 9


def test_switches_to_technologies_that_nobody_describes(
    solver_tables: Tables, write_solver_tables: Write
) -> None:
    switches = solver_tables["technology_transitions"]
    switches.loc[0, "technology_destination"] = "Alchemy"
    solver_tables["initial_asset_stack"].loc[2, "technology"] = "Steam engine"
    solver_tables["initial_asset_stack"].loc[1, "region"] = "Atlantis"
    table = solver_tables["technology_characteristics"]
    gone = (table["technology"] == GAS) & (table["region"] == "China") & (table["product"] == "Urea")
    solver_tables["technology_characteristics"] = table[~gone | (table["year"] != 2033)]
    emissions = solver_tables["emissions"]
    solver_tables["emissions"] = emissions[~emissions["technology"].str.contains("Electrolyser")]
    lines = faults_of(write_solver_tables(solver_tables))
    only(lines, "row 2, column technology_destination: unknown technology; found Alchemy")
    only(lines, "initial_asset_stack.csv, row 4, column technology: unknown technology; found Steam engine")
    only(lines, "initial_asset_stack.csv, row 3, column region: unknown region; found Atlantis")
    only(lines, "technology_destination: a technology with no characteristics", f"{GAS} in China")
    only(lines, "technology_origin: a technology with no characteristics", f"{GAS} in China")
    only(lines, "emissions.csv: a technology with no emissions; found Electrolyser + SMR")


def test_a_year_without_demand_and_a_row_given_twice(
    solver_tables: Tables, write_solver_tables: Write
) -> None:
    demand = solver_tables["demand"]
    world = (demand["region"] == "Global") & (demand["product"] == "Urea")
    solver_tables["demand"] = demand[~(world & (demand["year"] >= 2048))]
    only(faults_of(write_solver_tables(solver_tables)), "no demand for Urea", "found 2048 to 2050")
    solver_tables["demand"] = pd.concat([demand, demand.iloc[[0]]])
    only(faults_of(write_solver_tables(solver_tables)), "demand.csv, row 374", "duplicate row")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"", "not a table"), (b"\xff\xfe\xfa,\x9c\n", "not UTF-8"), (b"product,region\n", "missing column")],
)
def test_files_that_are_no_tables(
    solver_tables: Tables, write_solver_tables: Write, content: bytes, problem: str
) -> None:
    folder = write_solver_tables(solver_tables)
    (folder / "demand.csv").write_bytes(content)
    assert any("demand.csv" in line and problem in line for line in faults_of(folder))


def test_a_broken_gzip_file_is_a_fault(solver_tables: Tables, write_solver_tables: Write) -> None:
    folder = write_solver_tables(solver_tables, gzipped=True)
    path = folder / "demand.csv.gz"
    path.write_bytes(path.read_bytes()[:200])
    only(faults_of(folder), "demand.csv.gz", "cannot be read")


def test_a_table_with_a_header_only_is_a_fault(solver_tables: Tables, write_solver_tables: Write) -> None:
    solver_tables["emissions"] = solver_tables["emissions"].iloc[:0]
    only(faults_of(write_solver_tables(solver_tables)), "emissions.csv: no rows")


def test_reading_gathers_instead_of_raising(solver_tables: Tables, write_solver_tables: Write) -> None:
    del solver_tables["demand"]
    faults = FaultList()
    frames = read_inputs(write_solver_tables(solver_tables), sector_settings("ammonia"), faults)
    assert len(faults.faults) == 1
    assert "technology_transitions" in frames


# --- the hub -------------------------------------------------------------------------------------


@pytest.fixture
def imported(solver_tables: Tables, write_solver_tables: Write, tmp_path: Path) -> Path:
    import_mpp(write_solver_tables(solver_tables), "ammonia", tmp_path / "my-hub")
    return tmp_path / "my-hub"


def test_the_hub_checks_without_fault_and_loads(imported: Path) -> None:
    assert [fault.line() for fault in check_hub(imported).faults] == []
    hub = load_hub(imported)
    assert hub.name == "my-hub"
    assert hub.base_year == 2020
    assert load_scenario("baseline", hub).name == "baseline"
    # nine rows of 2 Mt at 0.9 emit 2 t per t
    assert hub.tables["inventory"]["co2e_t"].sum() == pytest.approx(9 * 2.0 * 0.9 * 2.0 * 1e6)


def test_tables_and_settings_come_back_as_they_went_in(imported: Path, solver_tables: Tables) -> None:
    solver = read_imported(imported)
    assert solver.settings == sector_settings("ammonia")
    for name, frame in solver.frames.items():
        plain = frame.astype(dict.fromkeys(frame.select_dtypes("category").columns, str))
        pd.testing.assert_frame_equal(
            plain, solver_tables[name], check_dtype=False, check_column_type=False, obj=name
        )


def test_importing_twice_gives_the_same_bytes(
    imported: Path, solver_tables: Tables, write_solver_tables: Write
) -> None:
    before = {path.relative_to(imported): path.read_bytes() for path in imported.rglob("*") if path.is_file()}
    import_mpp(write_solver_tables(solver_tables), "ammonia", imported)
    after = {path.relative_to(imported): path.read_bytes() for path in imported.rglob("*") if path.is_file()}
    assert before == after


def test_what_is_not_a_former_import_is_never_overwritten(
    solver_tables: Tables, write_solver_tables: Write, tmp_path: Path
) -> None:
    folder = write_solver_tables(solver_tables)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(InputError, match="not empty and not a former import"):
        import_mpp(folder, "ammonia", mine)
    assert [path.name for path in mine.iterdir()] == ["letter.txt"]
    (mine / "letter.txt").unlink()
    import_mpp(folder, "ammonia", mine)
    assert (mine / TABLES / "demand.parquet").is_file()


def test_a_fault_leaves_nothing_behind(
    solver_tables: Tables, write_solver_tables: Write, tmp_path: Path
) -> None:
    del solver_tables["demand"]
    folder = write_solver_tables(solver_tables)
    with pytest.raises(InputError):
        import_mpp(folder, "ammonia", tmp_path / "half")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs"]


def test_a_name_that_no_hub_can_have_is_refused(
    solver_tables: Tables, write_solver_tables: Write, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="not a hub name"):
        import_mpp(write_solver_tables(solver_tables), "ammonia", tmp_path / "My Hub!")


def test_a_hub_that_was_not_imported_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cleanhub hub import mpp"):
        read_imported(tmp_path)


def test_edited_settings_and_lost_tables_are_found_when_read(imported: Path) -> None:
    path = imported / SETTINGS
    path.write_text(path.read_text(encoding="utf-8").replace("upper: 0.95", "upper: 95"), encoding="utf-8")
    with pytest.raises(InputError, match=r"upper.*found 95"):
        read_imported(imported)
    path.write_text(settings_text("ammonia"), encoding="utf-8")
    (imported / TABLES / "demand.parquet").unlink()
    with pytest.raises(InputError, match=r"demand\.parquet: missing file"):
        read_imported(imported)


def aluminium_tables(tables: Tables, coordinates: str) -> Tables:
    renamed = {"Ammonia": "Aluminium"}
    tables = {name: frame.replace({"product": renamed}) for name, frame in tables.items()}
    tables = {
        name: frame[frame["product"] == "Aluminium"] if "product" in frame else frame
        for name, frame in tables.items()
    }
    stack = tables["initial_asset_stack"].rename(columns={"average_cuf": "capacity_factor"})
    tables["initial_asset_stack"] = stack.drop(columns="average_age").assign(
        year=[1990, 2000, 2010], coordinates=["10.5, 20.25", coordinates, "-5, 30"], country="Nowhere"
    )
    return tables


def test_plants_with_coordinates_become_sites(
    solver_tables: Tables, write_solver_tables: Write, tmp_path: Path
) -> None:
    folder = write_solver_tables(aluminium_tables(solver_tables, "0, 179"))
    import_mpp(folder, "aluminium", tmp_path / "smelters")
    assert [fault.line() for fault in check_hub(tmp_path / "smelters").faults] == []
    sites = load_hub(tmp_path / "smelters").tables["facilities"]
    assert list(sites["lat"]) == [10.5, 0.0, -5.0]
    assert list(sites["capacity"]) == [2e6] * 3
    assert set(sites["sector"]) == {"aluminium"}
    meta = json.loads((tmp_path / "smelters" / "datapackage.json").read_text(encoding="utf-8"))
    assert meta["solver"]["sector"] == "aluminium"


@pytest.mark.parametrize("place", ["somewhere", "95, 10", "10", "10, 400"])
def test_plants_at_no_place_are_refused(
    solver_tables: Tables, write_solver_tables: Write, tmp_path: Path, place: str
) -> None:
    folder = write_solver_tables(aluminium_tables(solver_tables, place))
    with pytest.raises(InputError, match=r"row 3, column coordinates: no place"):
        import_mpp(folder, "aluminium", tmp_path / "smelters")
    assert not (tmp_path / "smelters").exists()


@pytest.mark.parametrize(("sector", "folder"), [("ammonia", "ammonia/bau"), ("aluminium", "aluminium/lc")])
def test_the_solvers_own_tables_import(
    shared_oracles: Path, tmp_path: Path, sector: str, folder: str
) -> None:
    import_mpp(shared_oracles / "mpp" / folder, sector, tmp_path / sector)
    assert [fault.line() for fault in check_hub(tmp_path / sector).faults] == []
    sites = load_hub(tmp_path / sector).tables["facilities"]
    assert len(sites) == (181 if sector == "aluminium" else 0)
