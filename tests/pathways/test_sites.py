"""Sites in columns: what they reported is what they start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.finance.technologies import build_technologies
from cleanhub.hub.inventory import read_history
from cleanhub.hub.package import Hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.hub.series import Drivers
from cleanhub.pathways.sites import Sites, build_sites

YEARS = np.arange(2022, 2051)
PLANT = {"lat": 0.5, "lon": 0.5, "sector": "cement", "inventory_sector": "Industry", "product": "clinker"}


def sites_of(hub: Hub, **changes: Any) -> Sites:
    scenario = load_scenario("baseline", hub).model_copy(update=changes)
    tech = build_technologies(hub.library, scenario)
    return build_sites(hub, scenario, tech, Drivers(hub, scenario, YEARS), read_history(hub))


@pytest.fixture(scope="module")
def californias(california: Hub) -> Sites:
    return sites_of(california)


@pytest.fixture(scope="module")
def cement(tiny: Callable[..., Hub]) -> Callable[..., Sites]:
    """Two cement plants of 600 and 400 kt in 2022, whose demand is given by year."""

    def build(
        demand: dict[int, float], best: float = 0.0, projects: Any = (), **plants: dict[str, Any]
    ) -> Sites:
        names = ("large", "small")
        tables: dict[str, list[dict[str, Any]]] = {
            "facilities": [{**PLANT, "asset_id": n, "name": n, **plants.get(n, {})} for n in names],
            "facility_emissions": [
                {"asset_id": "large", "year": 2022, "co2e_t": 600_000},
                {"asset_id": "small", "year": 2022, "co2e_t": 400_000},
            ],
            "projects": list(projects),
        }
        if best:
            tables["facility_emissions"] += [
                {"asset_id": "large", "year": 2019, "co2e_t": 600_000 * best},
                {"asset_id": "small", "year": 2019, "co2e_t": 400_000 * best},
            ]
        hub = tiny(tables)
        rows = hub.tables["drivers"]
        own = rows[rows["driver"] == "cement_demand"].iloc[:1]
        path = pd.concat([own.assign(year=year, value=value) for year, value in demand.items()])
        path["year"] = path["year"].astype("Int64")
        hub.tables["drivers"] = pd.concat([rows[rows["driver"] != "cement_demand"], path])
        return sites_of(hub)

    return build


def tonnes(sites: Sites, year: int) -> np.ndarray:
    """Direct emissions before any change of technology."""
    return (sites.production * sites.unit_intensity[:, None])[:, year - 2022]


# ---------------------------------------------------------------- California


def test_the_last_reported_year_is_reproduced_to_the_tonne(californias: Sites, california: Hub) -> None:
    reported = california.tables["facility_emissions"]
    last = reported[reported["year"] == californias.last_year].groupby("asset_id")["co2e_t"].sum()
    assert californias.last_year == reported["year"].max() == 2023
    known = set(california.tables["facilities"]["asset_id"])
    assert set(californias.asset_id) == {name for name in last.index[last > 0] if name in known}
    np.testing.assert_allclose(tonnes(californias, 2023), last[californias.asset_id], rtol=1e-12)


def test_no_plant_makes_more_than_in_its_best_year(californias: Sites, california: Hub) -> None:
    best = california.tables["facility_emissions"].groupby("asset_id")["co2e_t"].max()
    best_t = best[californias.asset_id].to_numpy()[:, None]
    made = californias.production * californias.unit_intensity[:, None]
    plants = californias.start >= 0
    assert (made <= best_t * (1 + 1e-9))[plants][:, 1:].all()
    assert (californias.best_t >= californias.base_t).all()


def test_a_closed_site_makes_nothing_from_the_year_after(californias: Sites) -> None:
    after = californias.closed_year[:, None] < YEARS[None, :]
    assert after.any(), "California has announced closures"
    assert not californias.activity[after].any()
    open_ = ~after & (californias.base_t > 0)[:, None]
    assert (californias.activity[open_] > 0).all()


def test_what_sites_cannot_make_is_recorded(californias: Sites) -> None:
    assert californias.unmet
    for name, (wanted, made) in californias.unmet.items():
        inventory_sector, sector = name.split("|")
        mine = (californias.inventory_sector == inventory_sector) & (californias.sector == sector)
        by_hand = (californias.production * californias.unit_intensity[:, None])[mine].sum(axis=0)
        np.testing.assert_allclose(made, by_hand, rtol=1e-9, err_msg=name)
        assert (made <= wanted * (1 + 1e-9)).all(), name


def test_reinvestment_years_are_spread_over_the_cycle_and_kept_where_known(
    californias: Sites, california: Hub
) -> None:
    rows = california.tables["facilities"].set_index("asset_id").loc[list(californias.asset_id)]
    known = rows["reinvestment_year"].notna().to_numpy()
    given = rows["reinvestment_year"].fillna(0).to_numpy(int)
    np.testing.assert_array_equal(californias.reinvestment_year[known], given[known])
    assumed = californias.reinvestment_year[~known]
    assert ((assumed >= 2000) & (assumed < 2060)).all()
    assert len(set(assumed)) > 15, "not all in one year"


def test_a_sites_reinvestment_year_does_not_hang_on_its_neighbours(
    californias: Sites, california: Hub, changed: Callable[..., Hub]
) -> None:
    fewer = california.tables["facilities"].iloc[5::3]
    other = sites_of(changed(california, facilities=fewer.sample(frac=1, random_state=1)))
    before = dict(zip(californias.asset_id, californias.reinvestment_year, strict=True))
    assert 50 < len(other.asset_id) < len(californias.asset_id)
    assert all(before[n] == y for n, y in zip(other.asset_id, other.reinvestment_year, strict=True))


def test_projects_past_the_investment_decision_cut_their_tonnes_from_their_first_year(
    californias: Sites, california: Hub
) -> None:
    projects = california.tables["projects"]
    built = projects[
        projects["stage"].isin(["fid", "construction", "operating"])
        & (projects["role"] == "abates")
        & projects["asset_id"].isin(set(californias.asset_id))
        & projects["co2e_t_per_year"].notna()
        & (projects["online_year"] > 2023)
    ]
    assert len(built) >= 1
    by_hand = np.zeros_like(californias.committed_t)
    for _, row in built.iterrows():
        n = list(californias.asset_id).index(row["asset_id"])
        by_hand[n, row["online_year"] <= YEARS] += row["co2e_t_per_year"]
    np.testing.assert_array_equal(californias.committed_t, by_hand)
    assert not sites_of(california, programme=False).committed_t.any()


# ---------------------------------------------------------------- two plants


def test_all_plants_of_a_branch_move_together(cement: Callable[..., Sites]) -> None:
    sites = cement({2022: 1.0, 2032: 0.5})
    np.testing.assert_allclose(tonnes(sites, 2022), [600_000, 400_000])
    np.testing.assert_allclose(tonnes(sites, 2027), [450_000, 300_000])
    np.testing.assert_allclose(tonnes(sites, 2050), [300_000, 200_000])


def test_growth_stops_at_the_best_year_and_the_rest_is_unmet(cement: Callable[..., Sites]) -> None:
    sites = cement({2022: 1.0, 2032: 2.0}, best=1.5)
    np.testing.assert_allclose(tonnes(sites, 2024), [720_000, 480_000])
    np.testing.assert_allclose(tonnes(sites, 2040), [900_000, 600_000])
    wanted, made = sites.unmet["Industry|cement"]
    assert wanted[2040 - 2022] == pytest.approx(2_000_000)
    assert made[2040 - 2022] == pytest.approx(1_500_000)
    np.testing.assert_allclose(wanted[:5], made[:5])


def test_the_others_take_over_from_a_plant_that_closes_as_far_as_they_can(
    cement: Callable[..., Sites],
) -> None:
    sites = cement({2022: 1.0}, best=1.25, small={"closed_year": 2030})
    np.testing.assert_allclose(tonnes(sites, 2030), [600_000, 400_000])
    np.testing.assert_allclose(tonnes(sites, 2031), [750_000, 0])
    wanted, made = sites.unmet["Industry|cement"]
    assert wanted[2031 - 2022] - made[2031 - 2022] == pytest.approx(250_000)


def test_when_all_have_closed_nothing_is_made(cement: Callable[..., Sites]) -> None:
    sites = cement({2022: 1.0}, small={"closed_year": 2030}, large={"closed_year": 2030})
    assert not tonnes(sites, 2031).any()


def test_sites_that_make_nothing_of_the_library_follow_their_driver_without_a_ceiling(
    cement: Callable[..., Sites],
) -> None:
    neither = {"sector": "cement", "product": "glass_wool_of_no_technology"}
    with pytest.raises(Exception, match="product"):
        cement({2022: 1.0}, small=neither)
    sites = cement({2022: 1.0, 2032: 2.0}, small={"product": "lime"}, large={"product": "co2"})
    assert (sites.start >= 0).tolist() == [False, True]
    np.testing.assert_allclose(tonnes(sites, 2040), [1_200_000, 400_000])


def test_a_project_cuts_its_site(cement: Callable[..., Sites]) -> None:
    project = {
        "project_id": "p",
        "name": "p",
        "sector": "cement",
        "asset_id": "small",
        "stage": "construction",
        "role": "abates",
        "online_year": 2028,
        "co2e_t_per_year": 50_000,
    }
    sites = cement({2022: 1.0}, projects=[project])
    np.testing.assert_array_equal(sites.committed_t[1], np.where(YEARS >= 2028, 50_000.0, 0.0))
    assert not sites.committed_t[0].any()
    changes = ({"stage": "feed"}, {"role": "supplies"}, {"asset_id": ""}, {"online_year": 2021})
    others = [{**project, **change, "project_id": f"p{n}"} for n, change in enumerate(changes)]
    assert not cement({2022: 1.0}, projects=others).committed_t.any()
