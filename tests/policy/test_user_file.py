"""Policies that users write: a file that works, and every fault of a file that does not, at once."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.library import Library
from cleanhub.hub.package import BUNDLED, load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.book import PolicyBook, load_book

Make = Callable[..., Applicant]
Ask = Callable[..., Answer]
Write = Callable[..., Path]

GOOD = """\
policy: county-heat
name: County grant for industrial heat
instrument: grant
jurisdiction: [US-CA]
rule: share_of_capital
summary: pays a share of the capital of heat pumps
tax_character: taxable
status_date: 2026-01-01
values:
  - {item: share, value: 0.2, low: 0.1, high: 0.3, unit: "1"}
  - {item: maximum, value: 500000, unit: USD}
conditions:
  - condition: county-heat-technology
    test: technology_in
    value: [steam_heat_pump]
    words: it is for heat pumps
  - condition: county-heat-service
    test: in_service_by
    value: 2030-12-31
    words: it must be in service by {allowed}, it is {found}
excludes:
  - {policy: cec-indigo, exclusion: county-heat-not-with-indigo, scope: the same equipment}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def writer(text: str, name: str = "county-heat") -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def faults(library: Library, *files: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_book(library, None, None, files)
    assert caught.value.exit_code == 2
    return [fault.line() for fault in caught.value.faults]


def heat_pump(applicant: Make, service: dt.date, **more: object) -> Applicant:
    return applicant("food", technology="steam_heat_pump", in_service=service, **more)


def test_a_policy_of_ones_own(library: Library, write: Write, applicant: Make, ask: Ask) -> None:
    book = load_book(library, None, None, [write(GOOD)])
    found = ask("county-heat", heat_pump(applicant, dt.date(2030, 12, 31), capital_usd=1e6), book)
    assert found.answer == "pays"
    assert (found.once, found.once_low, found.once_high) == pytest.approx((2e5, 1e5, 3e5))
    assert found.until == dt.date(2030, 12, 31)
    assert found.confidence == "assumed"
    assert found.source_id == "cleanhub-assumption"
    capped = ask("county-heat", heat_pump(applicant, dt.date(2029, 1, 1), capital_usd=1e8), book)
    assert capped.once == pytest.approx(5e5)
    late = ask("county-heat", heat_pump(applicant, dt.date(2031, 1, 1), capital_usd=1e6), book)
    assert late.because == "it must be in service by 2030-12-31, it is 2031-01-01"


def test_its_exclusion_holds_both_ways(library: Library, write: Write, applicant: Make, ask: Ask) -> None:
    book = load_book(library, None, None, [write(GOOD)])
    given = heat_pump(
        applicant,
        dt.date(2029, 1, 1),
        capital_usd=1e6,
        facts={"awarded_by": "cec-indigo", "award_usd": 9e5},
    )
    assert ask("cec-indigo", given, book).answer == "pays"
    assert ask("county-heat", given, book).rule == "county-heat-not-with-indigo"


def test_the_library_is_not_changed(library: Library, write: Write, book: PolicyBook) -> None:
    before = {name: book.version(name) for name in book.policies}
    load_book(library, None, None, [write(GOOD)])
    again = load_book(library)
    assert {name: again.version(name) for name in again.policies} == before


def test_a_file_may_take_a_policys_place(library: Library, write: Write, hydrogen: Make, ask: Ask) -> None:
    text = """\
policy: 45v
replaces: 45v
name: 45V as I see it
instrument: production_credit
jurisdiction: [US]
rule: rate_per_unit
quantity: [hydrogen]
summary: pays one dollar a kilogram
status_date: 2026-01-01
values:
  - {item: rate, value: 1, unit: USD/kg}
"""
    book = load_book(library, None, None, [write(text, "45v")])
    found = ask("45v", hydrogen(construction_begins=dt.date(2035, 1, 1)), book)
    assert found.rate[0] == pytest.approx(1.0)
    assert (found.payments > 0).all()
    assert any(exclusion.other == "45q" for exclusion in book.policies["45v"].exclusions)


def test_every_fault_is_told_at_once(library: Library, write: Write) -> None:
    text = GOOD
    for old, new in (
        ("instrument: grant", "instrument: gift"),
        ("[US-CA]", "[US-XX]"),
        ('unit: "1"}', 'unit: "1"}\n  - {item: shore, value: 1, unit: parsecs}'),
        ("low: 0.1", "low: 0.25"),
        ("[steam_heat_pump]", "[steam_pump]"),
        ("2030-12-31", "sometime"),
        ("policy: cec-indigo", "policy: cec-orange"),
    ):
        assert old in text
        text = text.replace(old, new)
    found = faults(library, write(text))
    for row, words in (
        (1, "unknown policy_instrument; found gift"),
        (1, "unknown jurisdiction; found US-XX"),
        (10, "range does not hold its value; found 0.25, 0.2, 0.3"),
        (11, "unknown policy_item; found shore"),
        (11, "unknown unit; found parsecs"),
        (14, "unknown code; found steam_pump"),
        (18, "not a date; found sometime"),
        (23, "no such policy; found cec-orange"),
    ):
        assert any(f"row {row}," in line and words in line for line in found), (row, words, found)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("summary: pays", "sumary: pays", "unknown key"),
        ("summary: pays a share of the capital of heat pumps\n", "", "missing key"),
        ("value: 0.2", "value: .nan", "impossible value"),
        ("value: 0.2", "value: true", "impossible value"),
        ("value: 0.2", "value: abc", "impossible value"),
        ("policy: county-heat", "policy: county-warmth", "policy differs from the file name"),
        ("policy: county-heat", "policy: [", "not valid YAML"),
        ("status_date: 2026-01-01", "status_date: 2026-02-30", "not valid YAML"),
        ("jurisdiction: [US-CA]", "jurisdiction: []", "impossible value"),
        ("tax_character: taxable", "source_id: nobody", "not in sources.csv"),
        ("tax_character: taxable", "replaces: 45r", "no such policy"),
        ("tax_character: taxable", "pays_from: 2030-01-01\npays_until: 2029-01-01", "ends before it begins"),
        ("condition: county-heat-service", "condition: 45q-construction", "duplicate condition"),
        ("test: in_service_by", "test: at_least", "not a number"),
        ("test: in_service_by", "test: is_true", "the test has no value"),
        ("test: in_service_by", "test: whenever", "unknown policy_test"),
    ],
)
def test_a_fault_names_its_line(library: Library, write: Write, old: str, new: str, words: str) -> None:
    assert old in GOOD
    found = faults(library, write(GOOD.replace(old, new, 1)))
    assert any(words in line and line.startswith("county-heat.yaml, row") for line in found), found


def test_a_policy_of_the_library_is_not_written_over_by_chance(library: Library, write: Write) -> None:
    text = GOOD.replace("policy: county-heat", "policy: 45q", 1)
    (line,) = faults(library, write(text, "45q"))
    assert "duplicate policy; found 45q; allowed another name, or replaces: 45q" in line


def test_an_unreadable_file(library: Library, tmp_path: Path) -> None:
    (line,) = faults(library, tmp_path / "none.yaml")
    assert line.startswith("none.yaml: cannot be read")


def test_the_files_of_a_hub(tmp_path: Path, applicant: Make, ask: Ask) -> None:
    folder = shutil.copytree(BUNDLED / "california", tmp_path / "mine")
    (folder / "policies").mkdir()
    (folder / "policies" / "county-heat.yaml").write_text(GOOD, encoding="utf-8")
    scenario = "name: half\ntitle: Half\nextends: baseline\npolicies: {county-heat: {scale: 0.5}}\n"
    (folder / "scenarios" / "half.yaml").write_text(scenario, encoding="utf-8")
    hub = load_hub(folder)
    book = load_book(hub.library, hub, load_scenario("half", hub))
    assert ask(
        "county-heat", heat_pump(applicant, dt.date(2029, 1, 1), capital_usd=1e6), book
    ).once == pytest.approx(1e5)


def test_the_guide_shows_a_file_that_works(repo_root: Path) -> None:
    guide = (repo_root / "docs" / "guides" / "add-a-policy.md").read_text(encoding="utf-8")
    assert guide.split("```yaml\n")[1].split("```")[0] == GOOD
