"""A scenario switches off, delays, scales, ends or enacts each policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.package import Hub, load_hub
from cleanhub.hub.scenario import PolicyChoice, Scenario, load_scenario
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.book import PolicyBook

Make = Callable[..., Applicant]
Ask = Callable[..., Answer]
Under = Callable[[dict[str, Any]], PolicyBook]


@pytest.fixture(scope="module")
def hub() -> Hub:
    return load_hub("california")


@pytest.fixture
def load(hub: Hub, tmp_path: Path) -> Callable[[str], Scenario]:
    def loader(text: str) -> Scenario:
        path = tmp_path / "mine.yaml"
        path.write_text(f"name: mine\ntitle: Mine\nextends: baseline\n{text}", encoding="utf-8")
        return load_scenario(path, hub)

    return loader


def test_the_choices_of_a_file(load: Callable[[str], Scenario]) -> None:
    scenario = load(
        "policies: {45q: {off: true}, 45v: {delay_years: 1}, "
        "lcfs: {scale: 0.8, range: low, until: 2035-12-31}, cap-and-invest-mdi: {enact: 2027-01-01}}\n"
    )
    assert scenario.policy_choice("45q").off
    assert scenario.policy_choice("45v").delay_years == 1
    assert scenario.policy_choice("lcfs") == PolicyChoice(scale=0.8, range="low", until=dt.date(2035, 12, 31))
    assert scenario.policy_choice("cap-and-invest-mdi").enact == dt.date(2027, 1, 1)
    assert scenario.policy_choice("45z") == PolicyChoice()


@pytest.mark.parametrize(
    ("text", "line", "found", "allowed"),
    [
        ("policies:\n  45r: {off: true}\n", 5, "45r", "45q"),
        ("policies:\n  45q: {of: true}\n", 5, "True", "off, delay_years"),
        ("policies:\n  lcfs: {scale: -1}\n", 5, "-1", "greater than or equal to 0"),
        ("policies:\n  lcfs: {delay_years: 99}\n", 5, "99", "less than or equal to 30"),
        ("policies:\n  lcfs: {until: soon}\n", 5, "soon", "date"),
        ("policies:\n  lcfs: {range: middle}\n", 5, "middle", "'low', 'value' or 'high'"),
    ],
)
def test_a_wrong_choice_is_a_fault_with_its_line(
    load: Callable[[str], Scenario], text: str, line: int, found: str, allowed: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(text)
    (fault,) = caught.value.faults
    assert fault.row == line
    assert fault.found == found
    assert allowed in fault.allowed


def test_off(hydrogen: Make, ask: Ask, under: Under) -> None:
    found = ask("45v", hydrogen(), under({"45v": {"off": True}}))
    assert (found.answer, found.rule) == ("no", "scenario")


def test_a_delay_moves_the_deadline(hydrogen: Make, ask: Ask, under: Under) -> None:
    late = hydrogen(construction_begins=dt.date(2028, 6, 1))
    assert ask("45v", late).answer == "no"
    later = under({"45v": {"delay_years": 1}})
    found = ask("45v", late, later)
    assert found.answer == "pays"
    assert found.until == dt.date(2028, 12, 31)
    assert ask("45v", hydrogen(construction_begins=dt.date(2029, 1, 1)), later).answer == "no"


def test_a_delay_moves_values_and_the_end(applicant: Make, ask: Ask, under: Under) -> None:
    given = applicant("trucking", 2026, quantities={"electricity_heavy_truck": 1e6})
    base = ask("lcfs", given, inflation=0.0)
    later = ask("lcfs", given, under({"lcfs": {"delay_years": 1}}), inflation=0.0)
    np.testing.assert_allclose(later.rate[1:], base.rate[:-1])
    fuel = applicant(
        "fuels",
        2028,
        quantities={"fuel": 1e6},
        facts={"emission_rate_kg_per_mmbtu": 10, "domestic_feedstock": True},
    )
    assert (ask("45z", fuel).payments > 0).sum() == 2
    assert (ask("45z", fuel, under({"45z": {"delay_years": 3}})).payments > 0).sum() == 5


def test_a_negative_delay_brings_forward(applicant: Make, ask: Ask, under: Under) -> None:
    """The auto-acceleration mechanism takes the standard of the following year."""
    given = applicant("trucking", 2029, quantities={"electricity_heavy_truck": 1e6})
    base = ask("lcfs", given, inflation=0.0)
    sooner = ask("lcfs", given, under({"lcfs": {"delay_years": -1}}), inflation=0.0)
    np.testing.assert_allclose(sooner.rate[:-1], base.rate[1:])


def test_scale_range_and_until(applicant: Make, ask: Ask, under: Under) -> None:
    given = applicant("trucking", 2030, quantities={"electricity_heavy_truck": 1e6})
    base = ask("lcfs", given)
    np.testing.assert_allclose(
        ask("lcfs", given, under({"lcfs": {"scale": 0.8}})).payments, base.payments * 0.8
    )
    low = ask("lcfs", given, under({"lcfs": {"range": "low"}}))
    np.testing.assert_allclose(low.rate, base.rate_low)
    np.testing.assert_allclose(low.rate_high, base.rate_high)
    ended = ask("lcfs", given, under({"lcfs": {"until": dt.date(2035, 12, 31)}}))
    np.testing.assert_array_equal(ended.payments > 0, given.years <= 2035)
    assert ended.until == dt.date(2035, 12, 31)


def test_a_proposed_policy_pays_nothing_until_enacted(applicant: Make, ask: Ask, under: Under) -> None:
    given = applicant("cement", 2028)
    found = ask("cap-and-invest-mdi", given)
    assert (found.answer, found.rule) == ("no", "legal_status")
    assert "not adopted" in found.because
    assert (
        ask("cap-and-invest-mdi", given, under({"cap-and-invest-mdi": {"enact": dt.date(2027, 1, 1)}})).answer
        == "pays"
    )


def test_an_expired_policy_can_be_enacted_again(applicant: Make, ask: Ask, under: Under) -> None:
    facts = {"eligible_census_tract": True, "prevailing_wage": True, "charging_items": 9}
    again = under({"30c": {"enact": dt.date(2027, 1, 1)}})

    def asked(service: str, book: PolicyBook | None) -> Answer:
        day = dt.date.fromisoformat(service)
        given = applicant(
            "trucking",
            day.year,
            technology="truck_charging_depot",
            in_service=day,
            capital_usd=1e6,
            facts=facts,
        )
        return ask("30c", given, book)

    assert asked("2028-01-01", None).answer == "no"
    assert asked("2028-01-01", again).once == pytest.approx(3e5)
    early = asked("2026-12-31", again)
    assert early.answer == "no"
    assert early.becomes == dt.date(2027, 1, 1)


def test_enacting_and_ending(applicant: Make, ask: Ask, under: Under) -> None:
    book = under({"act": {"enact": dt.date(2030, 1, 1), "until": dt.date(2035, 1, 1)}})
    assert ask("act", applicant("trucking", 2031), book).answer == "requires"
    assert ask("act", applicant("trucking", 2036), book).answer == "no"


def test_the_version_follows_rows_and_choices(book: PolicyBook, under: Under) -> None:
    other = under({"45q": {"scale": 0.5}})
    assert other.version("45q") != book.version("45q")
    assert other.version("45v") == book.version("45v")
    assert len(book.version("45q")) == 12
