"""Frozen cases reopen bit for bit, refuse a changed byte, and name the lines that today gives otherwise."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cleanhub
from cleanhub.core.errors import InputError, RunError
from cleanhub.core.yaml_file import merged_mapping
from cleanhub.finance.build import Setting, TaxTerms
from cleanhub.finance.case_value import CaseValue, value_case
from cleanhub.finance.cases import case_of, list_archetypes, load_archetype
from cleanhub.finance.frozen import FrozenCase, freeze, open_frozen, to_the_cent, view_lines
from cleanhub.finance.frozen_data import rendered
from cleanhub.finance.frozen_edits import Edit, data_differences
from cleanhub.finance.frozen_today import rebuild, recompute
from cleanhub.hub.library import Library
from cleanhub.policy.applicant import Answer

DAY = dt.date(2026, 5, 27)
RATE = np.linspace(85.0, 99.7, 20) / 3.0
SETTING = Setting(
    answers=(
        Answer(
            "credit", "A credit", "production_credit", "pays", "it does", until=dt.date(2042, 12, 31),
            quantity="co2_stored", rate=RATE, rate_low=0.8 * RATE, rate_high=RATE, payments=RATE * 3.5e5,
            terms={"share": 0.1}, transfer_price=0.93, lag_years=0.25, tax_character="tax_free",
            version="ab12",
        ),
        Answer("other", "Another", "grant", "no", "because it does not", becomes=dt.date(2027, 1, 1)),
    ),
    tax=TaxTerms(0.21, 0.0884, 1.0, 0.8, 1.0),
    quantity_units=(("co2_stored", "t"),),
)  # fmt: skip
PLANT: dict[str, Any] = {
    "name": "plant",
    "title": "A plant",
    "project": {
        "sector": "hydrogen",
        "construction_begins": dt.date(2027, 3, 1),
        "in_service": dt.date(2030, 1, 1),
        "facts": {},
    },
    "production": {
        "product": "hydrogen", "unit": "t", "capacity": 20000, "life": 20, "policy_product": "hydrogen",
        "utilisation": {"value": 0.9, "low": 0.75, "high": 0.95},
        "by_products": {"co2_stored": {"value": 17.5, "unit": "t/t"}},
    },
    "capital": {"cost": {"value": 240, "unit": "MUSD", "low": 200, "high": 400}},
    "costs": {"operation": {"fixed": 11.5e6}},
    "revenue": {
        "offtake": {"price": {"value": 4.5, "unit": "USD/kg"}, "contracted": True, "last_year": 15},
        "merchant": {"price": {"value": 3, "unit": "USD/kg"}, "first_year": 16},
    },
}  # fmt: skip


def valued(library: Library, **changes: Any) -> CaseValue:
    data = copy.deepcopy(PLANT)
    return value_case(case_of(merged_mapping(data, changes) if changes else data, library), SETTING)


@pytest.fixture(scope="module")
def value(library: Library) -> CaseValue:
    return valued(library)


@pytest.fixture(scope="module")
def frozen(value: CaseValue) -> FrozenCase:
    return freeze(value, None, DAY, "baseline 2026-05")


@pytest.fixture
def file(tmp_path: Path, value: CaseValue) -> Path:
    path = tmp_path / "plant.json"
    freeze(value, path, DAY, "baseline 2026-05")
    return path


# ---------------------------------------------------------------- to the cent


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.125, "0.12"), (0.375, "0.38"), (2.665, "2.66"), (2.675, "2.68"), (-0.125, "-0.12"),
        (1e9, "1000000000.00"), (1.5e26, "150000000000000000000000000.00"),
        (-0.001, "0.00"), (0.0, "0.00"), (1234567.895, "1234567.90"), (float("nan"), "nan"), (3, "3.00"),
    ],
)  # fmt: skip
def test_half_a_cent_goes_to_the_even_one(number: float, text: str) -> None:
    assert to_the_cent(number) == text


# ---------------------------------------------------------------- round trip


def test_every_number_comes_back_bit_for_bit(value: CaseValue, file: Path) -> None:
    back = open_frozen(file)
    for view in value.views:
        stored = back.views[view.name]
        lines = view_lines(view)
        assert list(stored.lines) == sorted(lines)
        for name, line in lines.items():
            assert stored.lines[name].values.tobytes() == line.values.tobytes(), name
            assert stored.lines[name].first_year == line.first_year
        for name, number in view.metrics().items():
            assert stored.metrics[name] == number or (math.isnan(number) and math.isnan(stored.metrics[name]))
    assert back.results["price_at_return"] == value.price_at_return
    assert math.isnan(back.results["reference_price"])


def test_results_follow_from_stored_flows_alone(value: CaseValue, file: Path) -> None:
    back = open_frozen(file)
    assert back.sponsor.npv_usd == value.sponsor.npv_usd == back.sponsor.metrics["npv_usd"]
    assert back.lender.npv_usd == value.lender.npv_usd
    assert back.sponsor.irr == value.sponsor.irr


def test_all_flows_are_there(value: CaseValue, frozen: FrozenCase) -> None:
    lines = frozen.sponsor.lines
    expected = (
        "sales: offtake", "sales: merchant", "policy: credit", "cost: operation", "equity", "service",
        "use: capital", "source: senior debt", "federal tax", "state tax", "cover ratio", "product",
    )  # fmt: skip
    assert set(expected) <= set(lines)
    uses = sum(line.values for name, line in lines.items() if name.startswith("use: "))
    sources = sum(line.values for name, line in lines.items() if name.startswith("source: "))
    assert uses == pytest.approx(sources, rel=1e-9)
    assert lines["equity"].first_year == -2
    assert len(lines["equity"].values) == 23
    assert lines["product"].unit == "t"
    sold = lines["sales: offtake"].values + lines["sales: merchant"].values
    assert sold == pytest.approx(lines["revenue"].values)
    assert lines["equity"].cents[0] == to_the_cent(value.sponsor.outcome.equity[0, 0])


def test_the_setting_comes_back_whole(frozen: FrozenCase) -> None:
    back = frozen.setting
    assert back.tax == SETTING.tax
    assert back.quantity_units == SETTING.quantity_units
    for mine, its in zip(SETTING.answers, back.answers, strict=True):
        for item in fields(Answer):
            one, other = getattr(mine, item.name), getattr(its, item.name)
            assert np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other, item.name


def test_inputs_and_what_they_rest_on_are_kept(value: CaseValue, frozen: FrozenCase) -> None:
    assert frozen.data == value.loaded.data
    assert frozen.data["project"]["in_service"] == dt.date(2030, 1, 1)
    assert frozen.figures["capital.cost"]["value"] == pytest.approx(240e6)
    assert frozen.figures["capital.cost"]["high"] == pytest.approx(400e6)
    assert (frozen.as_of, frozen.policies_version) == (DAY, "baseline 2026-05")
    assert frozen.program_version == cleanhub.__version__
    assert frozen.id == frozen.sha256[:12]


def test_same_case_same_bytes(library: Library, frozen: FrozenCase) -> None:
    again = freeze(valued(library), None, DAY, "baseline 2026-05")
    assert again.text == frozen.text
    other = freeze(valued(library), None, DAY + dt.timedelta(1), "baseline 2026-05")
    assert other.id != frozen.id


def test_the_hash_is_that_of_the_content(frozen: FrozenCase) -> None:
    content = json.loads(frozen.text)
    bare = {key: item for key, item in content.items() if key not in ("id", "sha256")}
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == frozen.sha256


@pytest.mark.parametrize("name", list_archetypes())
def test_archetypes_freeze_and_compute_the_same_again(library: Library, tmp_path: Path, name: str) -> None:
    loaded = load_archetype(name, library)
    rate = np.resize(RATE, loaded.case.production.life)
    credit = replace(SETTING.answers[0], rate=rate, rate_low=rate, rate_high=rate, payments=rate)
    value = value_case(loaded, replace(SETTING, answers=(credit,)))
    path = tmp_path / f"{name}.json"
    freeze(value, path, DAY)
    again = recompute(open_frozen(path), library)
    assert again.same, again.lines()
    assert again.value.loaded.id == value.loaded.id


# ---------------------------------------------------------------- tampering


def refused(path: Path, *words: str) -> None:
    with pytest.raises(InputError) as caught:
        open_frozen(path)
    assert caught.value.exit_code == 2
    for word in (path.name, *words):
        assert word in str(caught.value)


def test_any_changed_byte_is_refused(file: Path) -> None:
    original = file.read_bytes()
    places = np.random.default_rng(1).integers(0, len(original), 150)
    for place in map(int, places):
        changed = bytearray(original)
        changed[place] = ord("1") if changed[place] != ord("1") else ord("2")
        file.write_bytes(bytes(changed))
        refused(file)
    file.write_bytes(original)
    assert open_frozen(file).text.encode() == original


def test_changes_that_keep_the_content_are_refused_too(file: Path) -> None:
    original = file.read_text(encoding="utf-8")
    for text in (
        original + " ",
        original.replace("\n", "\r\n"),
        original[:-1],
        json.dumps(json.loads(original)),
    ):
        file.write_bytes(text.encode())
        refused(file, "changed since it was frozen")


def test_a_number_changed_with_its_cents_is_refused(file: Path) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    content["views"]["sponsor_p50"]["lines"]["equity"]["values"][0] += 1.0
    file.write_text(
        json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    refused(file, "sha256", "changed since it was frozen")
    for no_number in ("NaN", "1e400"):
        content["results"]["price_gap"] = "no number"
        text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
        file.write_text(text.replace('"no number"', no_number), encoding="utf-8")
        refused(file, "changed since it was frozen")


def test_what_is_no_frozen_case_is_refused_in_words(tmp_path: Path) -> None:
    refused(tmp_path / "missing.json", "cannot be read")
    for number, (text, word) in enumerate(
        [("{", "no JSON"), ("[1]", "no frozen case"), ("{}", "no frozen case"), ("\ud800", "no JSON")]
    ):
        path = tmp_path / f"bad{number}.json"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        refused(path, word)


def test_a_later_format_is_named(file: Path) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    content["format"] = 99
    file.write_text(json.dumps(content), encoding="utf-8")
    refused(file, "unknown format", "99")


@pytest.mark.parametrize(
    ("views", "word"),
    [
        (lambda views: {"lender_p90": views["lender_p90"]}, "sponsor_p50"),
        (lambda views: {**views, "owner": views["lender_p90"]}, "owner"),
        (lambda views: {**views, "lender_p90": {**views["lender_p90"], "lines": {}}}, "equity"),
    ],
)
def test_a_sealed_file_without_what_every_case_has_is_refused(
    file: Path, views: Callable[[dict[str, Any]], dict[str, Any]], word: str
) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    bare = {key: item for key, item in content.items() if key not in ("sha256", "id")}
    file.write_text(rendered({**bare, "views": views(content["views"])}), encoding="utf-8")
    refused(file, "no frozen case of this format", word)


def _at(*path: str, becomes: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        *way, last = path
        for key in way:
            content = content[key]
        content[last] = becomes

    return change


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_at("views", "sponsor_p50", "lines", "equity", "first_year", becomes="1"), "equity.first_year"),
        (_at("views", "sponsor_p50", "lines", "equity", "values", becomes=["x"]), "equity.values.0"),
        (_at("views", "lender_p90", "metrics", becomes=[]), "views.lender_p90.metrics"),
        (_at("results", "price_gap", becomes=10**400), "results.price_gap"),
        (_at("as_of", becomes=True), "as_of"),
        (_at("case", becomes=True), "case"),
        (_at("case", "begins", becomes={"$date": 5}), "isoformat"),
        (_at("figures", "capital", becomes={}), "figures.capital.value"),
        (_at("setting", "tax", "bonus", becomes="all"), "setting.tax.bonus"),
        (_at("setting", "answers", becomes=[{"policy": 1}]), "setting.answers.0.policy"),
        (_at("setting", "quantity_units", becomes=[["t"]]), "setting.quantity_units.0"),
        (_at("edits", becomes=[{"who": "A"}]), "edits.0.when"),
        (_at("based_on", becomes=None), "based_on"),
    ],
)
def test_a_field_of_another_kind_is_named(
    file: Path, change: Callable[[dict[str, Any]], None], word: str
) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    bare = {key: item for key, item in content.items() if key not in ("sha256", "id")}
    change(bare)
    file.write_text(rendered(bare), encoding="utf-8")
    refused(file, "no frozen case of this format", word)


def test_a_seal_that_is_no_text_does_not_fit(file: Path) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, "sha256": [1, "a"]}), encoding="utf-8")
    refused(file, "changed since it was frozen")


def test_nothing_is_half_written(tmp_path: Path, value: CaseValue) -> None:
    with pytest.raises(RunError, match=r"case\.json"):
        freeze(value, tmp_path / "nowhere" / "case.json", DAY)
    path = tmp_path / "taken.json"
    path.mkdir()
    with pytest.raises(RunError):
        freeze(value, path, DAY)
    assert [one.name for one in tmp_path.iterdir()] == ["taken.json"]


# ---------------------------------------------------------------- computing it again


def test_todays_program_gives_the_same(library: Library, frozen: FrozenCase) -> None:
    again = recompute(frozen, library)
    assert again.same
    assert all(again.checked.values())
    assert all(line.endswith(": the same") for line in again.lines())
    assert any(line.startswith("sponsor_p50, equity") for line in again.lines())


def test_a_changed_library_is_seen_in_the_lines_it_moves(library: Library, frozen: FrozenCase) -> None:
    table = library.tables["depreciation"].copy()
    first = (table["recovery_years"] == 7) & (table["year"] == 1)
    table.loc[first, "share"] = table.loc[first, "share"] + 0.05
    changed = replace(library, tables={**library.tables, "depreciation": table})
    again = recompute(frozen, changed)
    assert not again.same
    moved = {one.line for one in again.differences}
    assert {"state tax", "equity"} <= moved
    assert "sales: offtake" not in moved
    assert "use: capital" not in moved
    line = next(one for one in again.lines() if one.startswith("sponsor_p50, state tax"))
    assert "differ, most in year" in line
    assert "sponsor_p50, sales: offtake: the same" in again.lines()


def test_a_line_that_went_or_came_is_named(library: Library, frozen: FrozenCase) -> None:
    view = frozen.sponsor
    lines = dict(view.lines)
    lines["cost: of old"] = lines["cost: operation"]
    del lines["fees"]
    older = replace(frozen, views={**frozen.views, view.name: replace(view, lines=lines)})
    again = recompute(older, library)
    kinds = {(one.line, math.isnan(one.before), math.isnan(one.after)) for one in again.differences}
    assert kinds == {("cost: of old", False, True), ("fees", True, False)}


def test_a_line_without_a_name_is_told_too(library: Library, frozen: FrozenCase) -> None:
    view = frozen.sponsor
    lines = {**view.lines, "": view.lines["equity"]}
    older = replace(frozen, views={**frozen.views, view.name: replace(view, lines=lines)})
    again = recompute(older, library)
    assert not again.same
    assert next(line for line in again.lines() if "differ, most in" in line).startswith("sponsor_p50, : ")


def test_numbers_too_large_to_be_added_up_are_refused(library: Library, frozen: FrozenCase) -> None:
    data = {**frozen.data, "capital": {**frozen.data["capital"], "cost": {"value": 1e308, "unit": "USD"}}}
    with pytest.raises(InputError, match="too large to be valued"):
        recompute(replace(frozen, data=data), library)


def test_less_than_a_cent_is_the_same(library: Library, frozen: FrozenCase) -> None:
    view = frozen.sponsor
    equity = view.lines["equity"]
    cents = np.array([float(text) for text in equity.cents])

    def with_equity(values: Any) -> FrozenCase:
        lines = {**view.lines, "equity": replace(equity, values=values)}
        return replace(frozen, views={**frozen.views, view.name: replace(view, lines=lines)})

    assert recompute(with_equity(cents), library).same
    cents[3] += 0.01
    found = recompute(with_equity(cents), library).differences
    assert [(one.line, one.year) for one in found] == [("equity", 1)]
    assert found[0].before - found[0].after == pytest.approx(0.01, abs=0.006)


def test_a_rebuilt_case_is_the_case(library: Library, value: CaseValue, frozen: FrozenCase) -> None:
    again = rebuild(frozen, library)
    assert again.case == value.loaded.case
    assert again.id == value.loaded.id
    assert again.from_archetype == value.loaded.from_archetype


def test_a_case_on_an_archetype_keeps_what_it_dropped(library: Library, tmp_path: Path) -> None:
    base = load_archetype("heat-pump", library)
    group, name = next((kind, one) for kind in ("costs", "inputs") for one in getattr(base.case, kind))
    loaded = case_of({"name": "mine", "title": "Mine", "based_on": "heat-pump", group: {name: None}}, library)
    path = tmp_path / "mine.json"
    freeze(value_case(loaded, SETTING), path, DAY)
    back = open_frozen(path)
    assert back.data["based_on"] == "heat-pump"
    assert back.from_archetype == loaded.from_archetype
    assert recompute(back, library).same
    assert name not in getattr(rebuild(back, library).case, group)


def test_a_case_that_is_no_longer_accepted_says_so(library: Library, frozen: FrozenCase) -> None:
    data = {**frozen.data, "project": {**frozen.data["project"], "sector": "gone"}}
    with pytest.raises(InputError, match="gone"):
        recompute(replace(frozen, data=data), library)


# ---------------------------------------------------------------- who edited what


def edit(path: str, before: Any, after: Any, who: str = "A. Lender", reason: str = "new quote") -> Edit:
    return Edit(who, dt.date(2026, 6, 1), path, before, after, reason)


CHANGED = {"capital": {"cost": {"value": 260}}}
TRUE = edit("capital.cost.value", 240, 260)


def test_an_edited_case_names_the_former_and_keeps_the_history(
    library: Library, frozen: FrozenCase, tmp_path: Path
) -> None:
    path = tmp_path / "second.json"
    second = freeze(valued(library, **CHANGED), path, DAY, edits=[TRUE], based_on=frozen)
    back = open_frozen(path)
    assert back.based_on == frozen.id
    assert back.edits == second.edits == (TRUE,)
    debt = edit("debt", None, {"tenor": 12}, who="B. Sponsor")
    third = freeze(valued(library, **CHANGED, debt={"tenor": 12}), None, DAY, edits=[debt], based_on=back)
    assert third.based_on == back.id
    assert third.edits == (TRUE, debt)
    assert third.id != back.id != frozen.id


@pytest.mark.parametrize(
    ("edits", "word"),
    [
        ([], "changed without an edit"),
        ([edit("capital.cost.value", 200, 260)], "before is not so"),
        ([edit("capital.cost.value", 240, 300)], "after is not so"),
        ([TRUE, edit("debt.tenor", 10, 12)], "is not so"),
        ([edit("capital.cost.value", 240, 260, reason=" ")], "who and why"),
        ([edit("capital.cost.value", 240, 260, who="")], "who and why"),
    ],
)
def test_edits_must_be_the_truth(library: Library, frozen: FrozenCase, edits: list[Edit], word: str) -> None:
    with pytest.raises(InputError, match=word):
        freeze(valued(library, **CHANGED), None, DAY, edits=edits, based_on=frozen)


def test_two_edits_of_one_figure_are_a_chain(library: Library, frozen: FrozenCase) -> None:
    chain = [edit("capital.cost.value", 240, 250), edit("capital.cost.value", 250, 260)]
    second = freeze(valued(library, **CHANGED), None, DAY, edits=chain, based_on=frozen)
    assert second.edits == tuple(chain)


def test_differences_of_data_are_by_path() -> None:
    before = {"a": {"b": 1, "c": [1, 2]}, "day": {"$date": "2026-01-01"}, "gone": 1}
    after = {"a": {"b": 2, "c": [1, 2]}, "day": {"$date": "2026-01-02"}, "new": 1}
    assert data_differences(before, after) == {
        "a.b": (1, 2),
        "day": ({"$date": "2026-01-01"}, {"$date": "2026-01-02"}),
        "gone": (1, None),
        "new": (None, 1),
    }
    assert data_differences(before, before) == {}
