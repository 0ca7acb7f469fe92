"""``cleanhub policy`` as a user meets it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cleanhub.cli.policy import policy_app
from cleanhub.core.errors import InputError
from cleanhub.policy.book import PolicyBook

FACTS = ("--fact", "prevailing_wage=yes", "--fact", "carbon_intensity_hydrogen_kg_per_kg=0.1")


def run(*words: str) -> str:
    done = CliRunner(env={"COLUMNS": "110", "NO_COLOR": "1"}).invoke(policy_app, list(words))
    if done.exception is not None:
        raise done.exception
    return done.stdout


def told(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def test_list(book: PolicyBook) -> None:
    rows = told("list")
    assert [row["policy"] for row in rows] == list(book.policies)
    text = run("list")
    assert f"{len(rows)} policies" in text
    assert "45q" in text


def test_list_on_a_subject() -> None:
    named = [row["policy"] for row in told("list", "--about", "truck")]
    assert "acf" in named
    assert "hvip" in named
    assert "sb-596" not in named
    assert told("list", "--about", "no-such-word") == []


def test_dates_of_a_subject_from_a_day_on() -> None:
    rows = told("dates", "--about", "drayage", "--after", "2026-06-01")
    assert [row["when"] for row in rows] == sorted(row["when"] for row in rows)
    assert ("2027-12-31", "ends") in [(row["when"], row["kind"]) for row in rows]
    text = " ".join(run("dates", "--about", "drayage", "--after", "2026-06-01").split())
    before, after = text.split("How they stood before 2026-06-01")
    assert "acf" not in before  # no date of it lies ahead: it is not enforced
    assert "US-CA, contested adopted, not enforced or in court" in after


def test_dates_follow_the_choices_of_a_scenario(tmp_path: Path) -> None:
    file = tmp_path / "later.yaml"
    text = "name: later\ntitle: Later\nextends: baseline\npolicies:\n  sb-596: {delay_years: 3}\n"
    file.write_text(text, encoding="utf-8")
    rows = told("dates", "--about", "cement", "--hub", "california", "--scenario", str(file))
    assert [row["when"] for row in rows if row["kind"] == "target"] == ["2038", "2048"]


@pytest.mark.parametrize(
    ("words", "fault"),
    [(("--after", "soon"), "--after: not a day; found soon"), (("--scenario", "baseline"), "of which hub?")],
)
def test_dates_refuses_what_it_does_not_understand(words: tuple[str, ...], fault: str) -> None:
    with pytest.raises(InputError, match=re.escape(fault)):
        run("dates", *words)


def test_show(book: PolicyBook) -> None:
    text = run("show", "45v")
    for words in ("construction_begins_before 2028-01-01", "1.002 USD/kg", "45v-not-with-45q", "usc-26-45v"):
        assert words in text
    row = told("show", "45v")
    assert row["version"] == book.version("45v")
    assert len(row["values"]) == len(book.policies["45v"].values)
    assert row["values"][0]["low"] is None


def test_show_every_policy(book: PolicyBook) -> None:
    for policy in book.policies:
        assert policy in run("show", policy)


def test_show_an_unknown_policy() -> None:
    with pytest.raises(InputError, match="no such policy; found 45r"):
        run("show", "45r")


def test_apply_prints_yes_no_and_why() -> None:
    text = " ".join(run("apply", "CA-001", *FACTS).split())
    assert "Pays" in text
    assert "USD/kg of hydrogen" in text
    assert "no, because" in text
    assert "stays a yes to 2027-12-31" in text
    assert "45v-not-with-45q" in text
    assert "allocation_48c is not stated" in text
    assert "not a project of that kind" in text


def test_apply_as_json_has_every_field() -> None:
    found = told("apply", "CA-001", *FACTS)
    one = next(answer for answer in found["answers"] if answer["policy"] == "45v")
    assert len(one["payments"]) == len(found["years"])
    assert one["answer"] == "pays"
    assert one["status_date"] == "2025-07-04"
    assert set(one) >= {"because", "rule", "until", "becomes", "rate_low", "terms", "version", "bankable"}


def test_a_claim_wins() -> None:
    found = told("apply", "CA-001", *FACTS, "--claim", "45q", "--claim", "45v")
    answers = {answer["policy"]: answer for answer in found["answers"]}
    assert answers["45q"]["answer"] == "pays"
    assert answers["45v"]["rule"] == "45v-not-with-45q"


def test_a_scenario_and_a_policy_of_ones_own(tmp_path: Path) -> None:
    scenario = tmp_path / "off.yaml"
    scenario.write_text(
        "name: off\ntitle: Off\nextends: baseline\npolicies: {45v: {off: true}}\n", encoding="utf-8"
    )
    own = tmp_path / "town-grant.yaml"
    own.write_text(
        "policy: town-grant\nname: Town grant\ninstrument: grant\njurisdiction: [US-CA]\n"
        "rule: rate_per_unit\n"
        "quantity: [hydrogen]\nsummary: pays\nstatus_date: 2026-01-01\n"
        "values: [{item: rate, value: 0.1, unit: USD/kg}]\n",
        encoding="utf-8",
    )
    words = ("apply", "CA-001", *FACTS, "--scenario", str(scenario), "--policies", str(own))
    answers = {answer["policy"]: answer for answer in told(*words)["answers"]}
    assert answers["45v"]["rule"] == "scenario"
    paid = answers["town-grant"]["payments"]  # 20,000 t of capacity as the archetype ramps up and runs
    assert 0 < paid[0] < paid[1] < paid[2]
    assert 1e6 < paid[2] < 2e6


def test_a_project_answers_with_the_facts_it_is_valued_with() -> None:
    found = told("apply", "CA-003")
    assert found["facts_from_archetype"] == "cement-capture"
    rate = next(answer for answer in found["answers"] if answer["policy"] == "45q")["rate"][0]
    assert rate > 85  # prevailing wages: the archetype's fact; a fifth without
    without = told("apply", "CA-003", "--fact", "prevailing_wage=no")
    assert next(a for a in without["answers"] if a["policy"] == "45q")["rate"][0] == pytest.approx(rate / 5)
    assert "archetype cement-capture, assumed" in " ".join(run("apply", "CA-003").split())
    assert told("apply", "CA-005")["facts_from_archetype"] == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("apply", "CA-999"), "no such project"),
        (("apply", "CA-001", "--fact", "wage=yes"), "no such fact"),
        (("apply", "CA-001", "--fact", "prevailing_wage"), "not NAME=VALUE"),
        (("apply", "CA-001", "--claim", "45r"), "no such policy"),
        (("apply", "CA-001", "--policies", "nowhere.yaml"), "cannot be read"),
    ],
)
def test_bad_input_is_told(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        run(*words)
    assert caught.value.exit_code == 2
