"""Tables of a simulation: chances and years by hand on small graphs, and that nothing is counted twice."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hand_graphs import Hand, One, setting

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pipeline.draws import draw
from cleanhub.pipeline.evaluate import evaluate
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import STAGE
from cleanhub.pipeline.results import (
    gates_table,
    job_years_per_dollar,
    money,
    pipeline_years_table,
    project_columns,
    stage_years_table,
)
from cleanhub.pipeline.simulate import simulate

TRACE = {"actor": "city", "action": "grant it", "barrier": "permitting", "rule": "r", "confidence": "assumed"}


def sure(value):
    return (value, value, value)


def run_of(hand, draws=1_000, seed=0, finance=None, parameters=None, **rule):
    """What a run is to the tables, without a hub."""
    world = draw(*hand.build(), setting(**rule), draws, seed, finance=finance)
    times = evaluate(world)
    return SimpleNamespace(world=world, times=times, strict=times, parameters=parameters)


class Rows:
    """Parameters with one row: ten job-years for a million dollars of 2019, prices twice as high since."""

    price_year = 2024
    rows = pd.DataFrame(
        {"currency_year": [2019]}, index=pd.MultiIndex.from_tuples([("job_years_per_musd", "")])
    )
    index = SimpleNamespace(to_dollars=lambda currency, year, price_year: 2.0 if year == 2019 else 1.0)

    @staticmethod
    def value(parameter):
        return 10.0


# ---------------------------------------------------------------- gates


def three_gates():
    hand = Hand().gate("a", "permit", 0.6, years=sure(2.0), what="permit of a", **TRACE)
    hand.gate("a", "offtake", years=sure(3.0), what="buyers", **TRACE)
    hand.gate("a", "site", done=True, what="land", **TRACE)
    hand.gate(
        "a", "finance", after=["gate:a:permit", "gate:a:offtake"], years=sure(1.0), what="money", **TRACE
    )
    return hand.project(One("a"), ["gate:a:finance", "gate:a:site"])


def test_gates_tell_their_chance_their_years_and_which_is_last():
    table = gates_table(run_of(three_gates())).set_index("gate")
    assert table.loc["permit", "p_pass"] == pytest.approx(0.6, abs=0.002)
    assert table.loc["permit", ["p10", "p50", "p90"]].tolist() == [2028.0] * 3
    assert table.loc["finance", "p50"] == 2030.0
    assert table["p_last"].fillna(-1).to_dict() == {"finance": -1, "offtake": 1, "permit": 0, "site": -1}
    assert table.loc["site", "status"] == "done"
    assert table.loc["site", "p_pass"] == 1.0
    assert np.isnan(table.loc["site", "p50"])


def test_a_gate_that_no_rule_asks_for_stands_without_one():
    hand = three_gates().gate("a", "epc", done=True, what="contractor", **{**TRACE, "rule": ""})
    table = gates_table(run_of(hand)).set_index("gate")
    assert table.loc["epc", ["status", "rule"]].tolist() == ["done", ""]


def test_a_gate_that_closes_after_its_project_was_given_up_does_not_count():
    table = gates_table(run_of(three_gates(), drop_hazard=0.2, draws=5_000)).set_index("gate")
    assert table.loc["offtake", "p_pass"] == pytest.approx(np.exp(-0.2 * 3.0), abs=0.002)


def test_a_gate_beyond_the_plan_does_not_count():
    hand = Hand().gate("a", "permit", years=sure(9.0), what="w", **TRACE).project(One("a"), ["gate:a:permit"])
    row = gates_table(run_of(hand, last_year=2030)).iloc[0]
    assert row["p_pass"] == 0.0
    assert np.isnan(row["p50"])


def test_shares_of_the_last_gate_sum_to_one():
    hand = Hand()
    for code in ("permit", "offtake", "epc"):
        hand.gate("a", code, 0.8, years=(1.0, 2.0, 4.0), what="w", **TRACE)
    table = gates_table(run_of(hand.project(One("a"), [f"gate:a:{c}" for c in ("permit", "offtake", "epc")])))
    assert table["p_last"].sum() == pytest.approx(1.0)
    assert table["p_last"].min() > 0.2  # alike


# ---------------------------------------------------------------- stages


def engineered():
    hand = Hand().node(Node("stage:a:pre_feed", STAGE, "a", years=sure(1.0)))
    hand.node(Node("stage:a:feed", STAGE, "a", years=sure(2.0)), ["stage:a:pre_feed"])
    hand.gate("a", "permit", after=["stage:a:feed"], years=sure(1.5))
    return hand.project(One("a", life=3.0), ["gate:a:permit"], build=2.0)


def test_stages_follow_each_other():
    table = stage_years_table(run_of(engineered(), last_year=2037))
    assert (table["probability"] == 1.0).all()
    stages = dict(zip(table["year"], table["stage"], strict=True))
    assert [stages[year] for year in range(2026, 2036)] == [
        "feed",  # pre-feed ends as the year does
        "feed",
        "feed",
        "feed",  # the permit comes in the middle of 2030
        "fid",
        "construction",
        "operating",  # 6.5 years after 1 January 2026
        "operating",
        "operating",
        "closed",
    ]


def test_what_is_given_up_is_shelved_and_what_is_not_finished_cancelled():
    run = run_of(engineered(), drop_hazard=0.1, completion=0.8, draws=5_000, last_year=2040)
    table = stage_years_table(run).set_index(["year", "stage"])["probability"]
    assert table[2026, "shelved"] == pytest.approx(1 - np.exp(-0.1), abs=0.001)
    decided = np.exp(-0.45)
    assert table[2030, "fid"] == pytest.approx(decided, abs=0.001)
    assert table[2032, "operating"] == pytest.approx(0.8 * decided, abs=0.01)
    assert table[2032, "cancelled"] == pytest.approx(0.2 * decided, abs=0.01)
    assert table.groupby("year").sum().to_numpy() == pytest.approx(1.0)


def test_stages_of_what_is_past_or_over():
    hand = Hand().project(One("old", stage="operating", online=-1.0, life=4.0), [])
    hand.project(One("rising", stage="construction"), [], build=1.5).project(One("gone", stage="shelved"), [])
    hand.project(One("new", stage="fid"), [], build=2.5)
    table = stage_years_table(run_of(hand, last_year=2029)).pivot(
        index="year", columns="project_id", values="stage"
    )
    assert table["old"].tolist() == ["operating", "operating", "closed", "closed"]
    assert table["rising"].tolist() == ["construction", "operating", "operating", "operating"]
    assert table["new"].tolist() == ["construction", "construction", "operating", "operating"]
    assert set(table["gone"]) == {"shelved"}


def test_a_programme_is_not_shelved_while_its_parts_go_on():
    hand = Hand().gate("a", "permit", years=sure(6.0)).project(One("a", part_of="top"), ["gate:a:permit"])
    hand.project(One("top", role="programme"), [])
    table = stage_years_table(run_of(hand, drop_hazard=0.3, last_year=2031))
    assert "shelved" not in set(table[table["project_id"] == "top"]["stage"])


# ---------------------------------------------------------------- by year


def test_money_tonnes_and_jobs_come_in_their_years():
    hand = Hand().gate("a", "permit", 0.5, years=sure(2.5))
    one = One("a", tonnes=100.0, capital=3e6, public=1e6, life=4.0)
    hand.project(one, ["gate:a:permit"], build=2.0).project(One("old", stage="operating", capital=9e9), [])
    table = pipeline_years_table(run_of(hand, parameters=Rows(), last_year=2040))
    value = table.set_index(["metric", "year"])["value"]
    assert value["decisions", 2028] == pytest.approx(0.5)
    assert value["decisions"].sum() == pytest.approx(0.5)
    assert value["capital_usd", 2028] == pytest.approx(1.5e6)
    assert value["public_usd", 2028] == pytest.approx(0.5e6)
    assert value["private_usd", 2028] == pytest.approx(1.0e6)
    assert value["job_years", 2028] == pytest.approx(7.5)  # 10 per 2 million of today
    assert value["in_service", 2029] == pytest.approx(1.0)  # the old one
    assert value["in_service", 2030] == pytest.approx(1.5)
    tonnes = value["co2e_t"] - 1.0 * (value["co2e_t"].index < 2046)  # the old one cuts a tonne a year
    assert tonnes[2030] == pytest.approx(25.0)  # half a year of half the draws
    assert tonnes[2031] == pytest.approx(50.0)
    assert tonnes[2034] == pytest.approx(25.0)
    assert tonnes.sum() == pytest.approx(200.0)


def test_the_first_year_counts_from_as_of_only():
    hand = Hand().project(One("old", stage="operating", tonnes=12.0, online=-2.0), [])
    table = pipeline_years_table(run_of(hand, parameters=Rows(), as_of=2026.75, last_year=2027))
    assert table[table["metric"] == "co2e_t"]["value"].tolist() == pytest.approx([3.0, 12.0])


def test_percentiles_are_of_sums_over_projects():
    hand = Hand()
    for name in "abcdefgh":
        hand.gate(name, "permit", 0.5).project(One(name), [f"gate:{name}:permit"])
    table = pipeline_years_table(run_of(hand, parameters=Rows(), draws=4_000)).set_index(["metric", "year"])
    row = table.loc[("decisions", 2026)]
    assert row["value"] == pytest.approx(4.0, abs=0.01)
    assert (row["p10"], row["p50"], row["p90"]) == (2.0, 4.0, 6.0)  # binomial of 8 and a half


def test_an_umbrella_carries_what_its_parts_do_not():
    hand = Hand().project(One("top", role="programme", capital=10.0, public=6.0, tonnes=50.0), [])
    hand.project(One("a", capital=7.0, public=1.0, part_of="top"), [])
    hand.project(One("b", capital=np.nan, public=2.0, part_of="top"), [])
    graph, projects = hand.build()
    capital, public = money(projects, np.ones((3, 1)))
    assert public[:, 0].tolist() == [3.0, 1.0, 2.0]
    assert capital[:, 0].tolist() == [3.0, 7.0, 2.0]  # b: no capital is known, the public money is
    run = run_of(hand, parameters=Rows())
    table = pipeline_years_table(run).set_index(["metric", "year"])["value"]
    assert table["decisions", 2026] == 2.0  # a programme's is that of its parts
    assert table["capital_usd", 2026] == 12.0
    assert table["co2e_t", 2030] == 2.0
    assert run.times.tonnes[0].sum() == 0.0
    assert len(graph) == 6


def test_jobs_are_per_dollar_of_the_plan():
    assert job_years_per_dollar(SimpleNamespace(parameters=Rows())) == pytest.approx(5e-6)


# ---------------------------------------------------------------- projects


class Knows:
    """Knows the first project."""

    known = np.array([True, False, False, False, False])

    def passes(self, project, decided, world):
        return np.ones(len(decided), dtype=bool)


def test_chances_of_projects():
    hand = Hand().gate("a", "permit", 0.5, years=sure(2.0)).project(One("a"), ["gate:a:permit"])
    hand.gate("b", "permit", 0.5, years=sure(7.0)).project(One("b", part_of="top"), ["gate:b:permit"])
    hand.project(One("built", stage="construction"), [], build=1.0).project(
        One("gone", stage="cancelled"), []
    )
    hand.project(One("top", role="programme"), [])
    found = project_columns(run_of(hand, finance=Knows())).set_index("project_id")
    assert found["p_fid_2030"].to_dict() == {"a": 0.5, "b": 0.0, "built": 1.0, "gone": 0.0, "top": 0.0}
    assert found["p_fid_ever"].to_dict() == {"a": 0.5, "b": 0.5, "built": 1.0, "gone": 0.0, "top": 0.5}
    assert found.loc["a", ["fid_p10", "fid_p50", "fid_p90", "online_p50"]].tolist() == [2028.0] * 3 + [2029.0]
    assert found.loc["built", ["fid_p50", "online_p50"]].fillna(-1).tolist() == [-1, 2027.0]
    assert found["p_from"].tolist() == ["valuation", "prior", "stage", "stage", "prior"]


def test_the_end_of_2030_is_the_last_moment_that_counts():
    hand = Hand()
    for name, years in (("in", 4.99), ("out", 5.01)):
        hand.gate(name, "permit", years=sure(years)).project(One(name), [f"gate:{name}:permit"])
    assert project_columns(run_of(hand, draws=2))["p_fid_2030"].tolist() == [1.0, 0.0]


def test_no_projects_give_empty_tables():
    run = run_of(Hand(), draws=3, parameters=Rows())
    assert len(gates_table(run)) == len(stage_years_table(run)) == len(project_columns(run)) == 0
    assert (pipeline_years_table(run)["value"] == 0.0).all()


def test_tables_of_the_bundled_hub(california, scenario_ca):
    run = simulate(california, scenario_ca, draws=200)
    gates, stages, years = gates_table(run), stage_years_table(run), pipeline_years_table(run)
    for name, table in (("gates", gates), ("stage_years", stages), ("pipeline_years", years)):
        assert list(table.columns) == list(PLAN_TABLES[name].names)
        assert len(table)
    assert stages.groupby(["project_id", "year"])["probability"].sum().to_numpy() == pytest.approx(1.0)
    columns = project_columns(run)
    assert columns["project_id"].tolist() == california.tables["projects"]["project_id"].tolist()
    assert columns["p_fid_2030"].notna().all()
    ended = columns["stage"].isin(["cancelled", "closed", "shelved"])
    past = columns["stage"].isin(["fid", "construction", "operating"])
    assert (columns.loc[past, "p_fid_2030"] == 1.0).all()
    assert (columns.loc[ended, "p_fid_2030"] == 0.0).all()
    assert columns.loc[~past & ~ended, "p_fid_ever"].between(0.001, 0.95).all()
    mean = years.set_index(["metric", "year"])["value"]
    last = mean["co2e_t"].loc[: run.world.setting.target_year].sum()
    assert last == pytest.approx(run.times.tonnes.sum(axis=0).mean())
    assert (mean["capital_usd"] - mean["public_usd"] - mean["private_usd"]).abs().max() < 1e-3
    assert (mean["private_usd"] >= 0.0).all()
