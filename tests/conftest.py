"""Fixtures that tests of several rooms share."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

# isort: off
import cleanhub  # noqa: F401  # before numpy: it settles how numpy rounds

# isort: on
import pandas as pd
import pytest

from cleanhub.core import aside, memory
from cleanhub.hub.package import Hub, load_hub

ROOT = Path(__file__).resolve().parents[1]


LONG = (
    "test_docs.py",
    "test_every_row_counts.py",
    "test_walkthroughs.py",
    "test_many_writers.py",
    "test_cli.py",
    "test_plan.py",
    "test_remembered_plans.py",
    "test_browser.py",
    "test_store_and_compare.py",
    "test_workbook.py",
    "test_cli_register.py",
    "test_write.py",
    "test_published.py",
    "test_bad_days.py",
    "test_register_projects.py",
    "test_mangled_files.py",
)
"""Files of minutes, begun first: whoever runs files side by side would else wait for the last of them.

The second plans nothing: while it runs, the first makes the plans of California that the others read back.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files before the others; the order within a file stays."""
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG)))


def pytest_configure(config: pytest.Config) -> None:
    """One memory of steps for the whole run, its workers and the commands they start; gone with it.

    Workers use every core already: none of them begins processes beside itself.
    """
    if hasattr(config, "workerinput"):
        aside.stay_alone()
    else:
        folder = tempfile.mkdtemp(prefix="cleanhub-memory-")
        os.environ[memory.VARIABLE] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture
def monkeypatch(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """pytest's own; once it has replaced code, nothing is remembered: the memory knows only the real code."""
    replace = monkeypatch.setattr

    def without_memory(*given: Any, **options: Any) -> None:
        monkeypatch.setenv(memory.VARIABLE, "off")
        replace(*given, **options)

    replace(monkeypatch, "setattr", without_memory)
    return monkeypatch


@pytest.fixture(scope="session")
def published_figures() -> pd.DataFrame:
    """Every published figure beside ours; the first worker that asks measures it, the others read it back.

    ``doc_published`` has it too from then on.
    """
    import doc_published  # and with it the pathways: few tests need them

    package = memory.PACKAGE
    inputs = (memory.package_digest(package / "hubs"), memory.package_digest(package / "library"))
    figures = memory.remembered("tests: published figures", inputs, doc_published.compare_published)
    with mock.patch.object(doc_published, "compare_published", return_value=figures):
        return doc_published.compared()


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The root of this checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_oracles() -> Path:
    """The folder of reference cases beside the checkout.

    They are other people's results, for checking only, and never ship with the project; where they
    are not at hand the test skips.
    """
    folder = ROOT.parent / "shared" / "oracles"
    if not folder.is_dir():
        pytest.skip("no reference cases: the folder shared/oracles is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def small_hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small hub of freight as a package folder; not to be changed, copy it first."""
    from small_hub import make_small_hub

    return make_small_hub(tmp_path_factory.mktemp("freight") / "small")


@pytest.fixture(scope="session")
def small_hub(small_hub_folder: Path) -> Hub:
    """The small hub of freight, loaded; not to be changed."""
    return load_hub(small_hub_folder)


MPP_REGIONS = ("India", "China", "Middle East", "Saudi Arabia")
GAS, CAPTURE, MIXED = (
    "Natural Gas SMR + ammonia synthesis",
    "Natural Gas SMR + CCS + ammonia synthesis",
    "Electrolyser + SMR + ammonia synthesis",
)
_MPP_TECHNOLOGIES = {  # class, first year, levelised cost, scope 1, captured
    GAS: ("initial", 2020, 300.0, 2.0, 0.0),
    MIXED: ("transition", 2020, 320.0, 1.5, 0.0),
    CAPTURE: ("end-state", 2025, 330.0, 0.2, 1.8),
}


def small_solver_tables() -> dict[str, pd.DataFrame]:
    """Made-up inputs of the imported solver's ammonia sector: three technologies, four regions."""
    products, years = ("Ammonia", "Urea", "Ammonium nitrate"), range(2020, 2051)
    places = [(p, r, t, y) for p in products for r in MPP_REGIONS for t in _MPP_TECHNOLOGIES for y in years]
    key = ["product", "region", "technology", "year"]
    frame = pd.DataFrame(places, columns=key)
    about = pd.DataFrame.from_dict(
        _MPP_TECHNOLOGIES, orient="index", columns=["class", "first", "cost", "emitted", "captured"]
    ).loc[frame["technology"]]
    characteristics = frame.assign(
        technology_classification=about["class"].to_numpy(),
        expected_maturity=about["first"].to_numpy(),
        technology_lifetime=30,
        wacc=0.08,
    )
    emissions = frame.assign(
        co2_scope1=about["emitted"].to_numpy(),
        co2_scope1_captured=about["captured"].to_numpy(),
        co2_scope2=0.1,
    )
    new = frame.rename(columns={"technology": "technology_destination"}).assign(
        technology_origin="New-build", switch_type="greenfield", lcox=about["cost"].to_numpy()
    )
    closed = frame.rename(columns={"technology": "technology_origin"}).assign(
        technology_destination="Decommissioned", switch_type="decommission", lcox=0.0
    )
    pairs = [(GAS, CAPTURE), (GAS, MIXED), (MIXED, CAPTURE), (CAPTURE, GAS)]
    changed = pd.concat(
        new[new["technology_destination"] == after].assign(
            technology_origin=before, switch_type="brownfield_renovation"
        )
        for before, after in pairs
    )
    switches = pd.concat([new, changed, closed], ignore_index=True)
    switches = switches.assign(tco=switches["lcox"] / 2, switch_capex=100.0, marginal_cost=switches["lcox"])
    demand = pd.DataFrame(
        [
            {"product": p, "region": r, "year": y, "value": share * (5.0 + 0.5 * (y - 2020))}
            for p in products
            for r, share in (("Global", 1.0), ("India", 0.3), ("China", 0.3), ("Middle East", 0.4))
            for y in years
        ]
    )
    stack = pd.DataFrame(
        [
            {"product": p, "region": r, "technology": GAS, "annual_production_capacity": 2.0}
            | {"average_cuf": 0.9, "average_age": 15.0}
            for p in products
            for r in ("India", "China", "Middle East")
        ]
    )
    storage = pd.DataFrame({"year": years, "value": 5.0})
    return {
        "technology_transitions": switches,
        "technology_characteristics": characteristics,
        "emissions": emissions,
        "demand": demand,
        "initial_asset_stack": stack,
        "co2_storage_constraint": storage,
    }


@pytest.fixture
def solver_tables() -> dict[str, pd.DataFrame]:
    """Fresh made-up input tables of the imported solver, to be changed at will."""
    return small_solver_tables()


@pytest.fixture
def write_solver_tables(tmp_path: Path) -> Callable[..., Path]:
    """Write input tables as the solver lays them out, plain or gzipped; gives their folder."""

    def write(tables: dict[str, pd.DataFrame], folder: str = "inputs", gzipped: bool = False) -> Path:
        target = tmp_path / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            table.to_csv(target / f"{name}.csv{'.gz' if gzipped else ''}", index=False)
        return target

    return write
