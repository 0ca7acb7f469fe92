"""Missing links and coordination of a whole hub."""

from __future__ import annotations

import numpy as np
import pytest

from cleanhub.pipeline.coordination import coordination_table
from cleanhub.pipeline.missing import links_table
from cleanhub.pipeline.simulate import simulate


def test_tables_of_a_hub(small, scenario):
    run = simulate(small, scenario, draws=300)
    links = links_table(run)
    projects = run.world.projects
    tonnes = run.times.tonnes.mean(axis=1)
    assert links["shapley_co2e_t"].sum() == pytest.approx(tonnes[projects.live].sum())
    assert links["blocked_co2e_t"].max() <= tonnes.sum() + 1e-6
    assert (links["per_year_of_delay_t"] <= links["blocked_co2e_t"] + 1e-6).all()
    assert links.equals(links_table(simulate(small, scenario, draws=300)))
    table = coordination_table(run, links)
    assert sorted(table["link_id"]) == sorted(links["link_id"])
    dated = table[table["needed_by"].notna()]
    assert set(";".join(dated["projects"]).split(";")) >= {"kiln"}  # the only one with a published year
    assert np.allclose(dated["late_years"], dated["expected"] - dated["needed_by"], equal_nan=True)


def test_removing_the_store_removes_its_links_and_tonnes(make_hub, small, scenario):
    with_store = links_table(simulate(small, scenario, draws=300))
    without = make_hub(drop=["vault", "cavern", "wells"])
    run = simulate(without, scenario, draws=300)
    left = links_table(run)
    assert with_store["link_id"].str.contains("vault").any()
    assert not left["link_id"].str.contains("vault|cavern|wells").any()
    stores = left[left["kind"] == "store"].set_index("link_id")
    assert "kiln" in ";".join(
        stores["projects"]
    )  # who is to store its CO2 is now open, and shows as its link


def test_a_gate_that_is_done_is_no_link_and_another_blocks_no_less(make_hub, small, scenario):
    open_ = links_table(simulate(small, scenario, draws=300)).set_index("link_id")
    done = make_hub(change={"kiln": {"gates_done": "permit"}})
    closed = links_table(simulate(done, scenario, draws=300)).set_index("link_id")
    assert "gate:kiln:permit" in open_.index
    assert "gate:kiln:permit" not in closed.index
    gates = [name for name in closed.index if name.startswith("gate:kiln:")]
    assert (closed.loc[gates, "blocked_co2e_t"] >= open_.loc[gates, "blocked_co2e_t"]).all()
