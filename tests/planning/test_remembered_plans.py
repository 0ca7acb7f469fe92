"""Plans from memory: byte for byte what computing gives, and nothing remembered that a change touches."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import cleanhub as ch
from cleanhub.core.memory import VARIABLE, remembering
from cleanhub.freight.figures import Figures
from cleanhub.hub.excerpt import excerpt, without_parameters
from cleanhub.hub.scenario import PolicyChoice
from cleanhub.planning import announced, freight_work
from cleanhub.planning.plan import Plan
from cleanhub.planning.store import write_plan
from cleanhub.report.remembered import write_remembered

Change = Callable[[Path], None]
ROOMS = Path(ch.__file__).parent


@pytest.fixture
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty memory for this test alone."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "memory"))


@pytest.fixture(scope="session")
def planned(port: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """A plan of the small hub, and the memory that it left."""
    memory = tmp_path_factory.mktemp("planned") / "memory"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(memory))
        return few_years(port), memory


@pytest.fixture
def before(planned: tuple[Plan, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan that was made before, with a memory of this test alone that knows it."""
    plan, memory = planned
    monkeypatch.setenv(VARIABLE, str(shutil.copytree(memory, tmp_path / "memory")))
    return plan


def few_years(folder: Path, fresh: bool = False, **choices: object) -> Plan:
    """The plan of ``folder`` to 2032 with other choices of its scenario."""
    hub = ch.load_hub(folder)
    scenario = ch.load_scenario("baseline", hub).model_copy(update={"end_year": 2032, **choices})
    return ch.plan(hub, scenario, fresh=fresh)


def written(hub: Path, out: Path) -> tuple[dict[str, str], list[str]]:
    """Digest of every file of the plan of ``hub`` to 2032, but for run.json, and the steps it remembered."""
    out.mkdir()
    with remembering():
        plan = few_years(hub)
        write_remembered(plan, out, plan.inputs)
        write_plan(plan, out)
    files = [path for path in sorted(out.rglob("*")) if path.is_file() and path.name != "run.json"]
    told = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return (
        {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        told["remembered"],
    )


def times(table: str, column: str, factor: float, row: int = 0) -> Change:
    """One number of the package times ``factor``."""

    def change(folder: Path) -> None:
        frame = pd.read_csv(folder / f"{table}.csv", dtype=str, keep_default_na=False)
        at = frame.index[frame[column] != ""][row]
        frame.loc[at, column] = f"{float(frame.loc[at, column]) * factor:g}"
        frame.to_csv(folder / f"{table}.csv", index=False)

    return change


def own_figure(parameter: str, item: str, value: float, unit: str) -> Change:
    """A figure of freight that the hub has in place of its own or the library's."""

    def change(folder: Path) -> None:
        path = folder / "freight_parameters.csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame = frame[(frame["parameter"] != parameter) | (frame["item"] != item)]
        own = {"parameter": parameter, "item": item, "value": f"{value:g}", "unit": unit}
        row = {**frame.iloc[0].to_dict(), "low": "", "high": "", "currency_year": "2024", **own}
        pd.concat([frame, pd.DataFrame([row])]).to_csv(path, index=False)

    return change


def test_a_plan_is_the_same_computed_remembered_and_without_memory(
    port: Path, tmp_path: Path, own_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, nothing = written(port, tmp_path / "cold")
    again, remembered = written(port, tmp_path / "warm")
    monkeypatch.setenv(VARIABLE, "off")
    off, none = written(port, tmp_path / "off")
    assert first == again == off
    assert "report.html" in first
    assert not {"plan", "report", "freight", "projects"} & {*nothing, *none}
    assert {"hub", "plan", "report"} <= set(remembered)


@pytest.mark.parametrize(
    ("change", "kept", "computed"),
    [
        (times("facility_emissions", "co2e_t", 1.1), {"projects", "freight", "freight tables"}, set()),
        (times("projects", "co2e_t_per_year", 1.1), {"freight", "freight tables"}, {"projects"}),
        (own_figure("charger_hardware", "150 kW", 90_000, "USD"), {"freight ground"}, {"freight arrays"}),
        (own_figure("working_days", "", 300, "d/yr"), {"projects"}, {"freight ground", "freight arrays"}),
    ],
    ids=["tonnes", "project", "charger", "days"],
)
def test_after_a_change_what_it_touches_is_computed_and_the_plan_is_that_without_memory(
    changed: Path, before: Plan, change: Change, kept: set[str], computed: set[str]
) -> None:
    change(changed)
    after, alone = few_years(changed), few_years(changed, fresh=True)
    for name, frame in alone.tables.items():
        pd.testing.assert_frame_equal(frame, after.tables[name])
    assert after.notes == alone.notes
    assert any(not frame.equals(before.tables[name]) for name, frame in after.tables.items())
    assert kept <= set(after.recalled)
    assert not {"plan", *computed} & set(after.recalled)


def test_a_carbon_price_finds_the_arrays_of_freight_and_what_could_be_charged(
    port: Path, before: Plan
) -> None:
    after, alone = (few_years(port, fresh, carbon_price="carbon_price_ceiling") for fresh in (False, True))
    for name, frame in alone.tables.items():
        pd.testing.assert_frame_equal(frame, after.tables[name])
    assert after.notes == alone.notes
    assert {"freight", "freight arrays", "freight ground", "what could be charged"} <= set(after.recalled)
    assert "freight tables" not in after.recalled


def test_a_policy_leaves_the_cases_and_the_draws_as_they_were(port: Path, before: Plan) -> None:
    halved = {"45q": PolicyChoice(scale=0.5)}
    after, alone = (few_years(port, fresh, policies=halved) for fresh in (False, True))
    for name, frame in alone.tables.items():
        pd.testing.assert_frame_equal(frame, after.tables[name])
    assert {"case", "calibration", "backtest"} <= set(after.recalled)
    assert "project" not in after.recalled


# ---------------------------------------------------------------- excerpts


def test_what_is_left_out_of_parameters_cannot_be_read(small_hub: ch.Hub) -> None:
    part = without_parameters(small_hub, "freight_parameters", {"make_ready", "working_days"})
    figures, whole = Figures(part), Figures(small_hub)
    for name in ("make_ready", "working_days"):
        assert whole.has(name)
        assert not figures.has(name)
    assert len(figures.rows) == len(whole.rows) - 2


def test_the_ground_of_freight_asks_for_no_price_of_charging() -> None:
    on_ground = (
        *("energy", "exposure", "flows", "gravity", "network", "roads", "tours", "travel_time", "trips"),
        *("truck_day_groups", "visits", "zones", "access", "grid", "site_rules", "community", "near"),
    )
    texts = [(ROOMS / "freight" / f"{name}.py").read_text(encoding="utf-8") for name in on_ground]
    named = set(re.findall(r"\"(\w+)\"", "\n".join(texts)))
    assert not named & freight_work.CHARGER_PRICES
    assert not named & {"drivers", "tariffs"}


def test_what_an_excerpt_leaves_out_cannot_be_read(small_hub: ch.Hub) -> None:
    scenario = ch.load_scenario("baseline", small_hub)
    part = excerpt(small_hub, scenario, {"facilities"}, {"switches"}, {"carbon_price"}, ("a",))
    with pytest.raises(KeyError):
        part.hub.tables["facilities"]
    with pytest.raises(KeyError):
        part.hub.library.tables["switches"]
    with pytest.raises(AttributeError):
        _ = part.scenario.carbon_price
    assert part.scenario.as_of == scenario.as_of
    assert set(part.hub.tables["drivers"]["driver"]) == set(small_hub.tables["drivers"]["driver"])
    assert part.hub.tables["drivers"]["value"].isna().all()


def mentioned(*rooms: str) -> set[str]:
    """Every name in quotes after ``tables``, or beside a hub, in the code of these rooms."""
    texts = [
        path.read_text(encoding="utf-8") for room in rooms for path in sorted((ROOMS / room).rglob("*.py"))
    ]
    found = re.findall(r"tables(?:\.get\(|\[)\"(\w+)\"|\(hub, \"(\w+)\"", "\n".join(texts))
    return {name for pair in found for name in pair if name}


def test_freight_names_no_table_that_its_excerpt_leaves_out() -> None:
    assert not mentioned("freight") & (freight_work.APART_TABLES | freight_work.APART_LIBRARY)


def test_the_pipeline_names_no_table_that_its_excerpt_leaves_out() -> None:
    apart = announced.APART_TABLES | announced.APART_LIBRARY
    assert not mentioned("pipeline", "policy") & apart


@pytest.mark.parametrize(
    ("rooms", "apart"),
    [(("freight",), freight_work.APART_CHOICES), (("pipeline",), announced.APART_CHOICES)],
)
def test_no_room_asks_for_a_choice_that_its_excerpt_leaves_out(
    rooms: tuple[str, ...], apart: frozenset[str]
) -> None:
    texts = [
        path.read_text(encoding="utf-8") for room in rooms for path in sorted((ROOMS / room).rglob("*.py"))
    ]
    assert not set(re.findall(r"scenario\.(\w+)", "\n".join(texts))) & apart
