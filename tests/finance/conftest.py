"""A market with flat prices, and the library's rows as they stand in the file."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.finance.technologies import Technologies, build_technologies
from cleanhub.hub.library import FOLDER, Library, load_library
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import Decision, Scenario, load_scenario
from cleanhub.hub.series import Drivers

FLAT_PRICES: dict[str, tuple[float, str]] = {
    "price_coal": (4.0, "USD/GJ"),
    "price_natural_gas": (8.0, "USD/GJ"),
    "price_electricity_industrial": (100.0, "USD/MWh"),
    "price_biomass": (80.0, "USD/t"),
    "price_diesel": (5.0, "USD/gal"),
    "price_hydrogen": (2000.0, "USD/t"),
    "co2_transport_storage": (40.0, "USD/t"),
    "carbon": (80.0, "USD/t CO2e"),
}

Path_ = float | Mapping[int, float]
Market = Callable[..., Drivers]


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="session")
def california() -> Hub:
    return ch.load_hub("california")


@pytest.fixture(scope="session")
def california_baseline(california: Hub) -> Scenario:
    return load_scenario("baseline", california)


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """Nothing but an allowance price, at 8 % real over 20 years, in dollars of 2024."""
    return Scenario(
        name="flat",
        title="Flat prices",
        as_of=dt.date(2026, 1, 1),
        carbon_price="carbon",
        decision=Decision(discount_rate=0.08, horizon=20, lead_time=3),
    )


@pytest.fixture(scope="session")
def tiny_hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return load_hub(new_hub("tiny-hub", tmp_path_factory.mktemp("hub")))


@pytest.fixture(scope="session")
def driver_rows() -> Callable[[Mapping[str, tuple[Path_, str]]], pd.DataFrame]:
    """Rows of drivers.csv; a number stands for a flat path, a mapping gives value by year."""

    def rows(paths: Mapping[str, tuple[Path_, str]]) -> pd.DataFrame:
        out = [
            (name, "price", year, np.nan, value, np.nan, unit, 2024 if "USD" in unit else pd.NA)
            for name, (path, unit) in paths.items()
            for year, value in (path.items() if isinstance(path, Mapping) else [(2022, path)])
        ]
        frame = pd.DataFrame(
            out, columns=["driver", "kind", "year", "low", "value", "high", "unit", "currency_year"]
        )
        frame = frame.astype({"year": "Int64", "currency_year": "Int64", "value": float})
        return frame.assign(region="", source_id="test", confidence="assumed", note="")

    return rows


@pytest.fixture(scope="session")
def market(tiny_hub: Hub, driver_rows: Callable[..., pd.DataFrame]) -> Market:
    """Drivers of a hub with the flat prices above, some of them replaced, and given credits."""

    def build(
        scenario: Scenario,
        prices: Mapping[str, tuple[Path_, str]] | None = None,
        credit_rows: list[dict[str, Any]] | None = None,
        projects: pd.DataFrame | None = None,
        library: Library | None = None,
    ) -> Drivers:
        tables = dict(tiny_hub.tables)
        tables["drivers"] = driver_rows({**FLAT_PRICES, **(prices or {})})
        if credit_rows:
            texts = ("policy", "facts", "driver", "sector", "technology", "excludes")
            plain = {
                **dict.fromkeys(texts, ""),
                **dict.fromkeys(("reach_low", "reach", "reach_high"), np.nan),
            }
            plain["years_paid"] = 12.0
            tables["credits"] = pd.DataFrame([{**plain, **row} for row in credit_rows])
        if projects is not None:
            tables["projects"] = projects
        hub = replace(tiny_hub, tables=tables, library=library or tiny_hub.library)
        return Drivers(hub, scenario, np.arange(2022, scenario.end_year + 1))

    return build


@pytest.fixture(scope="session")
def tech(library: Library, scenario: Scenario) -> Technologies:
    return build_technologies(library, scenario)


@pytest.fixture(scope="session")
def row() -> Callable[..., float]:
    """Value of one row of technology_parameters.csv, insisting on the unit the test counts in."""
    with (FOLDER / "technology_parameters.csv").open(encoding="utf-8") as handle:
        rows = {(r["technology"], r["parameter"], r["carrier"]): r for r in csv.DictReader(handle)}

    def value(technology: str, parameter: str, unit: str, carrier: str = "") -> float:
        found = rows[technology, parameter, carrier]
        assert found["unit"] == unit, f"{technology} {parameter} is now in {found['unit']}"
        amount = float(found["value"])
        if not found["currency_year"]:
            return amount
        return amount * _dollars_2024(unit.partition("/")[0], int(found["currency_year"]))

    return value


@pytest.fixture(scope="session")
def dollars_2024() -> Callable[[str, int], float]:
    return _dollars_2024


def _dollars_2024(currency: str, year: int) -> float:
    """Dollars of 2024 for one unit of a currency, straight from price_index.csv."""
    with (FOLDER / "price_index.csv").open(encoding="utf-8") as handle:
        index = {(r["series"], int(r["year"])): float(r["value"]) for r in csv.DictReader(handle)}
    rate = 1.0 if currency == "USD" else 1.0 / index[currency, year]
    return rate * index["usd_gdp_deflator", 2024] / index["usd_gdp_deflator", year]


@pytest.fixture
def library_folder(tmp_path: Path) -> Callable[..., Path]:
    """A copy of the library in which cells of one row of technology_parameters.csv read otherwise."""

    def copy(technology: str, parameter: str, **cells: str) -> Path:
        target = tmp_path / "library"
        target.mkdir()
        for path in FOLDER.glob("*.csv"):
            (target / path.name).write_bytes(path.read_bytes())
        with (FOLDER / "technology_parameters.csv").open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        [mine] = [r for r in rows if (r["technology"], r["parameter"]) == (technology, parameter)]
        mine.update(cells)
        with (target / "technology_parameters.csv").open("w", encoding="utf-8", newline="") as handle:
            writer = csv.DictWriter(handle, list(mine))
            writer.writeheader()
            writer.writerows(rows)
        return target

    return copy
