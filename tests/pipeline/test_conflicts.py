"""Conflicts found in California's projects and laws with gates written by hand, and none where none is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand_graphs import Hand, One, setting

import cleanhub as ch
from cleanhub.finance.valuations import ProjectValue, value_projects
from cleanhub.hub.pipeline_tables import CONFLICTS
from cleanhub.hub.scenario import PolicyChoice, Scenario, load_scenario
from cleanhub.pipeline.conflicts import conflicts_table
from cleanhub.pipeline.draws import draw
from cleanhub.pipeline.evaluate import evaluate
from cleanhub.pipeline.nodes import Node
from cleanhub.pipeline.problem import SHARED, Graph, Projects, Simulation
from cleanhub.pipeline.ready import median_times, ready
from cleanhub.policy.book import BOOK_TABLES, PolicyBook, book_from_tables, load_book

CHOSEN = ("CA-001", "CA-003", "CA-004", "CA-006", "CA-014", "CA-031", "CA-041", "CA-044", "CA-068")
AS_OF = dt.date(2026, 6, 1)
START = 2026.0 + 151 / 365
LEBEC_45Q = "deadline_before_link:45q:CA-003"


@pytest.fixture(scope="module")
def hub() -> ch.Hub:
    whole = ch.load_hub("california")
    table = whole.tables["projects"]
    return replace(whole, tables={**whole.tables, "projects": table[table["project_id"].isin(CHOSEN)]})


@pytest.fixture(scope="module")
def baseline(hub: ch.Hub) -> Scenario:
    return load_scenario("baseline", hub)


@pytest.fixture(scope="module")
def book(hub: ch.Hub, baseline: Scenario) -> PolicyBook:
    return load_book(hub.library, hub, baseline)


@pytest.fixture(scope="module")
def valued(hub: ch.Hub, baseline: Scenario, book: PolicyBook) -> list[ProjectValue]:
    return value_projects(hub, baseline, book)


@pytest.fixture(scope="module")
def plain(valued: list[ProjectValue], book: PolicyBook) -> pd.DataFrame:
    return conflicts_table(valued, book, AS_OF).set_index("conflict_id")


def hand(
    project: str = "CA-003", years: Sequence[float] = (1.0, 1.0, 1.0), stage: str = "announced"
) -> tuple[Graph, Projects]:
    """A project whose permit waits for a shared pipe; its finance gate comes last and never passes."""
    one = Hand().node(Node("pipe", SHARED, what="a pipe", confidence="assumed", years=tuple(years)))
    one.gate(project, "permit", after=["pipe"], years=(0.5, 0.5, 0.5))
    one.gate(project, "finance", 0.0, after=[f"gate:{project}:permit"])
    one.project(One(project, stage=stage), [f"gate:{project}:permit", f"gate:{project}:finance"], build=3.0)
    return one.build()


def simulated(graph: Graph, projects: Projects, draws: int = 1000) -> Simulation:
    world = draw(graph, projects, setting(as_of=START), draws, 0)
    times = evaluate(world)
    return Simulation(
        graph, projects, world.setting, 0, "revealed", times.time, world.closes, times.decided,
        times.in_service, world.given_up, times.tonnes, 0.0,
    )  # fmt: skip


def with_draws(
    valued: list[ProjectValue], book: PolicyBook, graph: Graph, projects: Projects
) -> pd.DataFrame:
    found = conflicts_table(valued, book, AS_OF, simulated(graph, projects))
    return found.set_index("conflict_id")


# ---------------------------------------------------------------- deadlines


def test_a_link_that_comes_after_the_last_day_is_a_conflict(
    valued: list[ProjectValue], book: PolicyBook
) -> None:
    """A pipe in eight years: construction can begin in 2034.9, 45Q asks for 2032."""
    row = with_draws(valued, book, *hand(years=(8.0, 8.0, 8.0))).loc[LEBEC_45Q]
    assert row["other"] == "pipe"
    assert row["deadline"] == 2033.0
    assert row["expected"] == pytest.approx(START + 8.5)
    assert row["late_years"] == pytest.approx(START + 8.5 - 2033.0)
    assert row["p_missed"] == 1.0
    assert row["projects"] == "CA-003"
    assert row["co2e_t_per_year"] == 950_000
    assert "2032-12-31" in row["description"]
    assert "a pipe" in row["description"]


def test_one_that_comes_in_time_is_none(valued: list[ProjectValue], book: PolicyBook) -> None:
    assert LEBEC_45Q not in with_draws(valued, book, *hand(years=(1.0, 1.0, 1.0))).index
    assert LEBEC_45Q not in with_draws(valued, book, *hand(years=(6.0, 6.0, 6.0))).index
    assert LEBEC_45Q in with_draws(valued, book, *hand(years=(6.2, 6.2, 6.2))).index  # 2033.1


def test_what_hangs_on_it_is_what_the_credit_pays(valued: list[ProjectValue], book: PolicyBook) -> None:
    row = with_draws(valued, book, *hand(years=(8.0, 8.0, 8.0))).loc[LEBEC_45Q]
    (one,) = (one for one in valued if one.project.project_id == "CA-003")
    assert one.value is not None
    (answer,) = (answer for answer in one.value.setting.answers if answer.policy == "45q")
    assert row["usd"] == pytest.approx(answer.payments.sum() * answer.transfer_price)


def test_the_chance_is_counted_over_draws_in_which_all_but_money_closes(
    valued: list[ProjectValue], book: PolicyBook
) -> None:
    graph, projects = hand(years=(4.0, 6.0, 9.0))
    simulation = simulated(graph, projects)
    assert np.isinf(simulation.decided).all()  # its money never comes, and the date is asked all the same
    at = simulation.time[1] + START
    row = conflicts_table(valued, book, AS_OF, simulation).set_index("conflict_id").loc[LEBEC_45Q]
    assert row["p_missed"] == pytest.approx((at >= 2033.0).mean())
    assert row["expected"] == pytest.approx(np.median(at))
    assert 0.3 < row["p_missed"] < 0.6


def test_medians_do_without_draws(valued: list[ProjectValue], book: PolicyBook) -> None:
    for pipe, found in ((8.0, True), (5.0, False)):
        graph, projects = hand(years=(1.0, pipe, 20.0))
        table = conflicts_table(
            valued, book, AS_OF, graph=graph, projects=projects, setting=setting(as_of=START)
        ).set_index("conflict_id")
        assert (LEBEC_45Q in table.index) is found
        if found:
            assert pd.isna(table.loc[LEBEC_45Q, "p_missed"])
            assert table.loc[LEBEC_45Q, "expected"] == pytest.approx(START + 8.5)


def test_without_either_the_dates_of_the_case_are_taken(plain: pd.DataFrame) -> None:
    assert "deadline_before_link" not in set(plain["kind"])  # all of them begin in time by their own dates


def test_a_last_year_of_payment_is_a_date_of_service(valued: list[ProjectValue], book: PolicyBook) -> None:
    """45Z pays to 2029: a plant that begins in 2027.9 and builds for three years comes after it."""
    table = with_draws(valued, book, *hand("CA-031", years=(1.0, 1.0, 1.0)))
    row = table.loc["deadline_before_link:45z:CA-031"]
    assert row["expected"] == pytest.approx(START + 1.5 + 3.0)
    assert row["deadline"] == 2030.0


def test_dates_before_as_of_are_over(valued: list[ProjectValue], book: PolicyBook) -> None:
    graph, projects = hand(years=(20.0, 20.0, 20.0))
    later = conflicts_table(valued, book, dt.date(2033, 1, 2), simulated(graph, projects))
    assert LEBEC_45Q not in set(later["conflict_id"])


def test_a_project_that_is_not_live_in_the_simulation_is_left_out(
    valued: list[ProjectValue], book: PolicyBook
) -> None:
    graph, projects = hand(years=(8.0, 8.0, 8.0), stage="shelved")
    table = with_draws(valued, book, graph, projects)
    assert LEBEC_45Q not in table.index
    assert not any("CA-003" in ids.split(";") for ids in table["projects"])


def test_median_times_follow_the_graph() -> None:
    one = (
        Hand()
        .node(Node("near", SHARED, years=(5.0, 6.0, 7.0)))
        .node(Node("far", SHARED, years=(1.0, 2.0, 9.0)))
    )
    one.node(Node("any", SHARED, any_of=True), ["near", "far"]).node(Node("all", SHARED), ["near", "far"])
    one.node(Node("done", SHARED, done=True, years=(3.0, 3.0, 3.0)))
    one.node(Node("late", SHARED, earliest=4.5), ["any"])
    graph, _ = one.project(One("a"), ["all"]).build()
    assert list(median_times(graph)[:6]) == [6.0, 2.0, 2.0, 6.0, 0.0, 4.5]
    assert ready() is None


def test_the_longest_link_is_found_along_the_critical_path() -> None:
    one = Hand().node(Node("pipe", SHARED, years=(3.0, 3.0, 3.0)))
    one.gate("a", "permit", after=["pipe"], years=(1.0, 1.0, 1.0)).gate("a", "offtake", years=(3.5, 3.5, 3.5))
    graph, projects = one.project(One("a"), ["gate:a:permit", "gate:a:offtake"]).build()
    found = ready(graph=graph, projects=projects, setting=setting())
    assert found is not None
    longest = found.longest(0, np.array([0]))
    assert longest is not None
    assert graph.id[longest] == "pipe"  # the offtake takes longer, and is not what the project waits for
    assert found.decision(0)[0] == 4.0


# ---------------------------------------------------------------- exclusive


def test_two_credits_for_one_plant_are_told_with_the_lesser(
    plain: pd.DataFrame, valued: list[ProjectValue], hub: ch.Hub, baseline: Scenario
) -> None:
    row = plain.loc["exclusive:45q:45v"]
    assert row["projects"] == "CA-001"
    pays = {}
    for other, credit in (("45v", "45q"), ("45q", "45v")):
        off = baseline.model_copy(update={"policies": {other: PolicyChoice(off=True)}})
        (one,) = (
            one
            for one in value_projects(hub, off, load_book(hub.library, hub, off))
            if one.project.project_id == "CA-001"
        )
        assert one.value is not None
        (answer,) = (answer for answer in one.value.setting.answers if answer.policy == credit)
        pays[credit] = answer.payments.sum() * answer.transfer_price
    assert row["usd"] == pytest.approx(min(pays.values()))


def test_without_the_exclusion_there_is_no_conflict(
    hub: ch.Hub, baseline: Scenario, valued: list[ProjectValue]
) -> None:
    tables = {name: hub.library.tables[name] for name in BOOK_TABLES}
    tables["policy_exclusions"] = tables["policy_exclusions"].iloc[:0]
    free = book_from_tables(tables, hub.library, baseline)
    found = conflicts_table(value_projects(hub, baseline, free), free, AS_OF)
    assert "exclusive" not in set(found["kind"])


# ---------------------------------------------------------------- unmet rules


def test_a_test_that_no_first_of_a_kind_passes(plain: pd.DataFrame) -> None:
    rows = plain[plain["policy"] == "ibank-climate-catalyst"]
    assert list(rows["projects"]) == ["CA-014"]  # of the trucks one fleet passes
    assert "first-of-a-kind" in rows["description"].iloc[0]
    assert rows["other"].iloc[0] == "ibank-catalyst-uses;ibank-catalyst-years"


def test_a_credit_that_waits_for_a_method_shows_what_it_would_pay(
    plain: pd.DataFrame, hub: ch.Hub, baseline: Scenario
) -> None:
    (row,) = plain[plain["policy"] == "cap-and-invest"].to_dict("records")
    assert row["projects"] == "CA-003;CA-014"
    choice = {"cap-and-invest-ccs-method": PolicyChoice(enact=dt.date(2026, 6, 1))}
    enacted = baseline.model_copy(update={"policies": choice})
    book = load_book(hub.library, hub, enacted)
    valued = value_projects(hub, enacted, book)
    paid = sum(
        answer.payments.sum()
        for one in valued
        if one.value and one.project.project_id in ("CA-003", "CA-014")
        for answer in one.value.setting.answers
        if answer.policy == "cap-and-invest"
    )
    assert row["usd"] == pytest.approx(paid)
    assert "cap-and-invest" not in set(conflicts_table(valued, book, AS_OF)["policy"])


def test_products_that_a_law_leaves_out_are_named(plain: pd.DataFrame) -> None:
    row = plain.loc["unmet_rule:buy-clean:buy-clean-not-cement"]
    assert row["projects"] == "CA-003;CA-004;CA-006"


def test_a_standard_that_no_proposed_project_serves_in_time(
    valued: list[ProjectValue], book: PolicyBook
) -> None:
    """SB 596 asks for 2035: with a pipe in 8 years and 3 to build the kiln comes in 2037.9."""
    graph, projects = hand(years=(8.0, 8.0, 8.0))
    medians = {"graph": graph, "projects": projects, "setting": setting(as_of=START)}
    row = (
        conflicts_table(valued, book, AS_OF, **medians).set_index("conflict_id").loc["unmet_rule:sb-596:2035"]
    )
    assert row["expected"] == pytest.approx(START + 11.5)
    assert row["deadline"] == 2036.0
    graph, projects = hand(years=(1.0, 1.0, 1.0))
    medians = {"graph": graph, "projects": projects, "setting": setting(as_of=START)}
    assert "sb-596" not in set(conflicts_table(valued, book, AS_OF, **medians)["policy"])
    never = with_draws(valued, book, graph, projects).loc["unmet_rule:sb-596:2035"]  # its money never comes
    assert never["p_missed"] == 1.0


def test_offers_that_are_no_law_or_not_in_force_are_no_conflict(
    plain: pd.DataFrame, book: PolicyBook
) -> None:
    told = {book.policies[name].legal_status for name in plain["policy"]}
    assert told == {"in_force"}


# ---------------------------------------------------------------- the table


def test_the_table_is_as_declared(plain: pd.DataFrame, valued: list[ProjectValue], book: PolicyBook) -> None:
    table = with_draws(valued, book, *hand(years=(8.0, 8.0, 8.0))).reset_index()
    assert list(table.columns) == CONFLICTS.names
    assert table["conflict_id"].is_unique
    assert set(table["kind"]) == {"deadline_before_link", "exclusive", "unmet_rule"}
    assert table["description"].str.len().gt(40).all()
    assert not table["other"].isna().any()
    assert table["usd"].dropna().gt(0).all()
    again = with_draws(valued, book, *hand(years=(8.0, 8.0, 8.0))).reset_index()
    pd.testing.assert_frame_equal(table, again)


def test_deleting_a_policy_takes_its_conflicts_away(
    hub: ch.Hub, baseline: Scenario, valued: list[ProjectValue]
) -> None:
    tables = {name: hub.library.tables[name] for name in BOOK_TABLES}
    for name in ("policies", "policy_values", "policy_conditions"):
        tables[name] = tables[name][tables[name]["policy"] != "45q"]
    pairs = tables["policy_exclusions"]
    tables["policy_exclusions"] = pairs[(pairs["policy"] != "45q") & (pairs["excludes"] != "45q")]
    cut = book_from_tables(tables, hub.library, baseline)
    found = with_draws(value_projects(hub, baseline, cut), cut, *hand(years=(8.0, 8.0, 8.0)))
    assert LEBEC_45Q not in found.index
    assert "exclusive:45q:45v" not in found.index
