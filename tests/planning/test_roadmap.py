"""The technology roadmap: sums, order and empty cases."""

from __future__ import annotations

import pandas as pd
import pytest

from cleanhub.core.tables import empty
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.planning.plan import Plan
from cleanhub.planning.roadmap import roadmap


def table(*rows: tuple[int, str, str, str, str, float]) -> dict[str, pd.DataFrame]:
    columns = ["year", "sector", "product", "region", "technology", "production"]
    return {"production": pd.DataFrame(rows, columns=columns).assign(unit="t/yr")}


SMALL = table(
    (2030, "steel", "steel", "north", "a_new", 4.0),
    (2020, "steel", "steel", "north", "old", 10.0),
    (2030, "steel", "steel", "north", "old", 6.0),
    (2020, "steel", "steel", "south", "old", 1.0),
    (2030, "steel", "steel", "south", "never", 0.0),
    (2020, "cement", "clinker", "", "kiln", 7.0),
)


def test_regions_are_summed_and_what_comes_first_stands_first() -> None:
    found = roadmap(SMALL)
    assert list(found.columns) == [2020, 2030]
    assert list(found.index.get_level_values("technology")) == ["kiln", "old", "a_new"]
    assert found.loc[("steel", "steel", "old", "t/yr")].tolist() == [11.0, 6.0]
    assert found.loc[("steel", "steel", "a_new", "t/yr")].tolist() == [0.0, 4.0]


def test_regions_can_stand_apart() -> None:
    found = roadmap(SMALL, sector="steel", by_region=True)
    assert list(found.index.get_level_values("region")) == ["north", "north", "south"]
    assert found.loc[("steel", "steel", "south", "old", "t/yr"), 2020] == 1.0


def test_one_sector_and_some_years() -> None:
    assert set(roadmap(SMALL, sector="cement").index.get_level_values("sector")) == {"cement"}
    assert list(roadmap(SMALL, years=[2030, 1999]).columns) == [2030]


@pytest.mark.parametrize("rows", [empty(PLAN_TABLES["production"]), SMALL["production"]])
def test_nothing_to_show(rows: pd.DataFrame) -> None:
    found = roadmap({"production": rows}, sector="glass")
    assert found.empty
    assert list(found.index.names) == ["sector", "product", "technology", "unit"]


def test_every_year_of_california_sums_to_its_production(net_zero: Plan) -> None:
    made = net_zero.table("production")
    found = roadmap(net_zero.tables)
    by_unit = made.groupby(["unit", "year"])["production"].sum()
    ours = found.groupby(level="unit").sum().stack()
    for key, value in ours.items():
        assert value == pytest.approx(by_unit.loc[key])
    assert list(found.columns) == sorted(set(made["year"]))
