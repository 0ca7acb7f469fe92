"""Nothing looks cheap for want of data, and nothing is counted twice."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import LimitChoice, load_scenario
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.engine import run_pathway


@pytest.fixture(scope="module")
def california() -> Hub:
    return load_hub("california")


def without_driver(hub: Hub, name: str) -> Hub:
    rows = hub.tables["drivers"]
    return dataclasses.replace(hub, tables={**hub.tables, "drivers": rows[rows["driver"] != name]})


@pytest.mark.parametrize("missing", ["price_biomass", "co2_transport_storage"])
def test_a_technology_without_a_price_is_not_offered(california: Hub, missing: str) -> None:
    scenario = load_scenario("net-zero-2045", california)
    path = run_pathway(without_driver(california, missing), scenario)
    carriers = path.tech.inputs[:, path.tech.carriers == missing.removeprefix("price_")].sum(axis=1)
    needs = carriers > 0 if missing.startswith("price_") else path.tech.captured > 0
    assert needs.any()
    assert not path.problem.costs.priced[0, needs].any()
    assert not np.isin(path.walked.run, np.flatnonzero(needs)).any()


def test_a_new_hub_says_what_it_has_no_price_for(tmp_path: Path) -> None:
    from cleanhub.planning.plan import plan

    folder = new_hub("bare", tmp_path)
    path = folder / "drivers.csv"
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows[rows["driver"] != "co2_transport_storage"].to_csv(path, index=False)
    notes = plan(folder).notes
    assert any("no price of co2_transport_storage" in note for note in notes)


def test_a_limit_in_another_unit_is_the_same_limit(california: Hub) -> None:
    scenario = load_scenario("net-zero-2045", california)
    rows = california.tables["limits"].copy()
    stores = rows["quantity"] == "co2_storage"
    for column in ("low", "value", "high"):
        rows.loc[stores, column] = rows.loc[stores, column] / 1000.0
    rows.loc[stores, "unit"] = "kt/yr"
    hub = dataclasses.replace(california, tables={**california.tables, "limits": rows})
    one, two = run_pathway(california, scenario), run_pathway(hub, scenario)
    assert storage(two) == pytest.approx(storage(one))
    assert (one.walked.run == two.walked.run).all()


def test_a_limit_in_a_unit_that_does_not_fit_is_refused(california: Hub) -> None:
    rows = california.tables["limits"].assign(unit="USD/t")
    hub = dataclasses.replace(california, tables={**california.tables, "limits": rows})
    with pytest.raises(InputError, match="unit does not fit co2_storage"):
        run_pathway(hub, load_scenario("baseline", california))


def storage(pathway: Pathway) -> Any:
    """What the limit on CO2 storage allows by year."""
    (limit,) = [one for one in pathway.problem.limits if one.name == "co2-storage"]
    return limit.value


def test_limits_take_the_end_of_their_range_that_is_asked_for(california: Hub) -> None:
    scenario = load_scenario("net-zero-2045", california)
    high = storage(run_pathway(california, scenario.with_range("high")))
    low = storage(run_pathway(california, scenario.with_range("low")))
    middle = storage(run_pathway(california, scenario))
    assert (low <= middle).all()
    assert (middle <= high).all()
    assert low.sum() < middle.sum() < high.sum()
    fixed = scenario.model_copy(update={"limits": {"co2-storage": LimitChoice(range="low")}})
    assert storage(run_pathway(california, fixed.with_range("high"))) == pytest.approx(low)


def test_a_committed_project_is_not_counted_on_top_of_the_sites_own_change(california: Hub) -> None:
    scenario = load_scenario("net-zero-2045", california)
    projects = california.tables["projects"].copy()
    mine = projects.index[projects["asset_id"] == "ghgrp-1006642"]
    projects.loc[mine, ["stage", "online_year"]] = ["construction", 2027]
    hub = dataclasses.replace(california, tables={**california.tables, "projects": projects})
    path = run_pathway(hub, scenario)
    n = int(np.flatnonzero(path.sites.asset_id == "ghgrp-1006642")[0])
    changed = path.walked.run[n] != path.sites.start[n]
    assert changed.any()
    direct = path.tech.direct[path.walked.run[n]]
    assert path.walked.emissions[n][changed] == pytest.approx((path.sites.production[n] * direct)[changed])
    before = ~changed & (path.years >= 2027)
    assert (path.walked.emissions[n][before] < (path.sites.production[n] * direct)[before]).all()
