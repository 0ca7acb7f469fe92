"""Substations: headroom by voltage or by row, works and their years, and which site hangs on which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.freight.figures import Figures
from cleanhub.freight.grid import (
    NEVER,
    build_grid,
    substation_operators,
    tie_to_substations,
    utility_of,
    year_ready,
)
from cleanhub.hub.package import Hub

AS_OF = dt.date(2026, 6, 1)


def substation(
    name: str, lat: float, lon: float, kv: float | None = 230, operator: str = "SCE"
) -> dict[str, object]:
    return {
        "infrastructure_id": name,
        "kind": "substation",
        "name": name.title(),
        "operator": operator,
        "lat": lat,
        "lon": lon,
        "value": np.nan if kv is None else kv,
        "unit": "kV",
    }


@pytest.fixture
def figures(california: Hub) -> Figures:
    return Figures(california)


@pytest.mark.parametrize(
    ("as_of", "years", "ready"),
    [
        (dt.date(2026, 1, 1), 0.0, 2026),
        (dt.date(2026, 1, 1), 1.0, 2027),
        (dt.date(2026, 1, 1), 1.01, 2028),
        (dt.date(2026, 6, 1), 1.8, 2029),  # 2026.41 + 1.8 = 2028.2
        (dt.date(2026, 6, 1), 8.9, 2036),
        (dt.date(2026, 6, 1), np.inf, NEVER),
        (dt.date(2026, 6, 1), 1e6, NEVER),
    ],
)
def test_works_serve_from_the_first_whole_year(as_of: dt.date, years: float, ready: int) -> None:
    assert int(year_ready(as_of, years)) == ready


def test_nothing_is_ready_before_its_lead_time() -> None:
    for day in (dt.date(2024, 2, 29), dt.date(2026, 12, 31), dt.date(2030, 7, 15)):
        years = np.linspace(0, 12, 97)
        ready = year_ready(day, years)
        begin = np.array([(dt.date(int(y), 1, 1) - day).days / 365.25 for y in ready])
        assert (begin >= years - 0.01).all()
        assert (begin < years + 1.01).all()


def test_california_has_its_twenty_substations(california: Hub, figures: Figures) -> None:
    grid = build_grid(california, figures, AS_OF)
    assert len(grid.name) == 20
    assert grid.tier.tolist() == ["circuit_upgrade", "substation_upgrade", "new_substation"]
    assert grid.tier_ready[0].tolist() == [2029, 2030, 2036]  # maxima of CPUC 2024 from June 2026
    assert (grid.headroom_confidence == "assumed").all()
    assert 0 < grid.coincidence <= 1
    assert (grid.tier_usd > 0).all()
    assert (grid.tier_kw > 0).all()


def test_headroom_follows_voltage(hub_with: Callable[..., Hub], figures: Figures) -> None:
    rows = [substation(f"s{kv}", 34.0, -118.0, kv) for kv in (12, 66, 100, 115, 230, 345, 765)]
    grid = build_grid(hub_with(infrastructure=rows, grid_headroom=[]), figures, AS_OF)
    by = {kv: figures.value("substation_headroom", f"{kv} kV", "kW") for kv in (66, 115, 230, 500)}
    expected = [by[66], by[66], by[66], by[115], by[230], by[230], by[500]]
    assert grid.headroom_kw.tolist() == expected


def test_a_row_of_headroom_takes_the_place_of_the_assumption(
    hub_with: Callable[..., Hub], figures: Figures
) -> None:
    given = {
        "infrastructure_id": "b",
        "low": 3,
        "value": 7.5,
        "unit": "MW",
        "source_id": "x",
        "confidence": "seen",
    }
    hub = hub_with(
        infrastructure=[substation("a", 34.0, -118.0), substation("b", 34.1, -118.0, None)],
        grid_headroom=[given],
    )
    grid = build_grid(hub, figures, AS_OF)
    assert grid.headroom_kw[1] == pytest.approx(7500.0)
    assert grid.headroom_confidence.tolist() == ["assumed", "seen"]
    assert build_grid(hub, figures, AS_OF, "low").headroom_kw[1] == pytest.approx(3000.0)
    high = build_grid(hub, figures, AS_OF, "high").headroom_kw  # no high end stated: the value
    assert high[1] == pytest.approx(7500.0)
    assert high[0] > grid.headroom_kw[0]


def test_every_fault_of_headroom_is_listed(hub_with: Callable[..., Hub], figures: Figures) -> None:
    rows = [
        {"infrastructure_id": "a", "value": -2, "unit": "MW", "source_id": "x", "confidence": "seen"},
        {"infrastructure_id": "b", "value": 2, "unit": "kWh", "source_id": "x", "confidence": "seen"},
        {"infrastructure_id": "ghost", "value": 2, "unit": "MW", "source_id": "x", "confidence": "seen"},
    ]
    base = [substation("a", 34.0, -118.0), substation("b", 34.1, -118.0), substation("c", 34.2, -118.0, None)]
    with pytest.raises(InputError) as caught:
        build_grid(hub_with(infrastructure=base, grid_headroom=rows), figures, AS_OF)
    lines = [fault.line() for fault in caught.value.faults]
    assert len(lines) == 4
    assert any("row 2" in line and "headroom" in line and "-2" in line for line in lines)
    assert any("row 3" in line and "no power" in line for line in lines)
    assert any("ghost" in line and "no such substation" in line for line in lines)
    assert any("infrastructure.csv, row 4" in line and "neither a voltage" in line for line in lines)


def test_lead_cost_and_delay_move_the_works(california: Hub, figures: Figures) -> None:
    grid = build_grid(california, figures, AS_OF)
    early = build_grid(california, figures, AS_OF, lead="low")
    late = build_grid(california, figures, AS_OF, added_lead=10.0)
    assert (early.tier_ready < grid.tier_ready).all()
    assert (late.tier_ready == grid.tier_ready + 10).all()
    cheap, dear = (build_grid(california, figures, AS_OF, cost=end).tier_usd for end in ("low", "high"))
    assert (cheap < grid.tier_usd).all()
    assert (grid.tier_usd < dear).all()
    assert (build_grid(california, figures, AS_OF, added_lead=1e5).tier_ready == NEVER).all()


def test_money_of_the_works_is_of_the_price_year(california: Hub) -> None:
    figures = Figures(california, price_year=2021)
    tiers = california.library.tables["grid_tiers"].sort_values("order")
    assert (tiers["currency_year"] == 2021).all()
    assert build_grid(california, figures, AS_OF).tier_usd[0] == pytest.approx(tiers["cost"].to_numpy(float))
    assert (
        build_grid(california, Figures(california), AS_OF).tier_usd[0] > tiers["cost"].to_numpy(float)
    ).all()


def test_the_library_says_what_its_lead_times_are(california: Hub) -> None:
    tiers = california.library.tables["grid_tiers"]
    assert tiers["lead_statistic"].str.contains("maximum").all()
    assert (tiers["lead_low"] < tiers["lead"]).all()
    assert tiers["order"].is_monotonic_increasing


def test_sites_hang_on_the_nearest_substation(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(
        infrastructure=[substation("west", 34.0, -118.2), substation("east", 34.0, -117.6)], grid_headroom=[]
    )
    grid = build_grid(hub, figures, AS_OF)
    place, km = tie_to_substations(hub, figures, grid, [34.0, 34.0, 36.5], [-118.0, -117.7, -119.5])
    assert place.tolist() == [0, 1, -1]
    assert km[0] == pytest.approx(18.4, abs=0.1)
    assert km[2] > figures.value("substation_reach", unit="km")


def test_a_place_with_a_utility_of_its_own_keeps_to_it(california: Hub, figures: Figures) -> None:
    grid = build_grid(california, figures, AS_OF)
    # Wilmington is in the City of Los Angeles; Carson, as near to the same substation, is not.
    place, _ = tie_to_substations(california, figures, grid, [33.785, 33.83], [-118.262, -118.262])
    operator = substation_operators(california, grid)[place]
    assert operator.tolist() == ["LADWP", "SCE"]
    assert utility_of(california, figures, [33.785, 33.83], [-118.262, -118.262]).tolist() == ["LADWP", ""]


def test_a_town_that_is_named_goes_before_the_nearest_tract(california: Hub, figures: Figures) -> None:
    point = ([33.772], [-118.231])  # a terminal of Long Beach whose nearest tract is in Los Angeles
    assert utility_of(california, figures, *point).tolist() == ["LADWP"]
    assert utility_of(california, figures, *point, ["Long Beach"]).tolist() == [""]
    assert utility_of(california, figures, *point, ["No such town"]).tolist() == ["LADWP"]


def test_a_hub_without_substations_has_an_empty_grid(hub_with: Callable[..., Hub], figures: Figures) -> None:
    hub = hub_with(infrastructure=[], grid_headroom=[])
    grid = build_grid(hub, figures, AS_OF)
    assert grid.tier_kw.shape == (0, 3)
    place, km = tie_to_substations(hub, figures, grid, [34.0], [-118.0])
    assert place.tolist() == [-1]
    assert np.isinf(km).all()


def test_a_hub_without_tracts_has_no_utility_of_its_own(
    hub_with: Callable[..., Hub], figures: Figures
) -> None:
    hub = hub_with(infrastructure=[substation("x", 34.0, -118.2)], tracts=[], grid_headroom=[])
    assert utility_of(hub, figures, [33.785], [-118.262]).tolist() == [""]
    assert tie_to_substations(hub, figures, build_grid(hub, figures, AS_OF), [33.9], [-118.2])[
        0
    ].tolist() == [0]
