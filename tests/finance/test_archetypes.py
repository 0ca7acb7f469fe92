"""Archetypes: all load, every figure says where it comes from, mass and energy are sane, copies work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from cleanhub.core.errors import InputError
from cleanhub.core.yaml_file import parse_yaml
from cleanhub.finance.case_figures import stated_figures
from cleanhub.finance.cases import ARCHETYPES, LoadedCase, case_of, list_archetypes, load_archetype, read_case
from cleanhub.hub.library import Library, load_library

DOCS = Path(__file__).parents[2] / "docs"
NAMES = [path.stem for path in sorted(ARCHETYPES.glob("*.yaml"))]
ASKED_FOR = {
    "cement-capture",
    "cement-clay",
    "cement-electric-kiln",
    "biomass-hydrogen-storage",
    "electrolysis",
    "smr-capture",
    "saf-hefa",
    "saf-atj",
    "saf-ft",
    "saf-ptl",
    "thermal-battery",
    "heat-pump",
    "truck-depot",
    "hydrogen-station",
    "shore-power",
    "dri-eaf",
    "ammonia-bunkering",
    "methanol-bunkering",
    "direct-air-capture",
    "gas-power-capture",
    "co2-storage-hub",
    "glass-hybrid-furnace",
    "battery-truck-fleet",
    "fuel-cell-truck-fleet",
}
NO_SALES = {"cement-capture", "gas-power-capture"}
CARBON = 12.011 / 44.009  # carbon in CO2, by mass
GAS = 0.05029  # t CO2 per GJ of natural gas, gross (40 CFR 98 table C-1)
COPYLEFT = "read through a copyleft repository"
COPYLEFT_MOST = 20


@pytest.fixture(scope="module")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="module")
def loaded(library: Library) -> dict[str, LoadedCase]:
    return {name: load_archetype(name, library) for name in NAMES}


@pytest.fixture(params=NAMES)
def archetype(request: pytest.FixtureRequest, loaded: dict[str, LoadedCase]) -> LoadedCase:
    return loaded[request.param]


def value(case: LoadedCase, path: str) -> float:
    return case.figures[path].value


def total(case: LoadedCase, path: str) -> float:
    """Capital in USD of the price year, whichever way it is stated."""
    cost = case.figures["capital.cost"]
    size = value(case, "production.capacity") if "/" in cost.unit else 1.0
    return cost.value * size


def lines_of(error: pytest.ExceptionInfo[InputError]) -> dict[str, int | None]:
    return {str(fault.column): fault.row for fault in error.value.faults}


# ---------------------------------------------------------------- what is there


def test_every_kind_of_first_project_is_there() -> None:
    assert set(list_archetypes()) == ASKED_FOR


def test_it_loads_under_its_own_name_and_is_private(archetype: LoadedCase) -> None:
    assert archetype.case.name in NAMES
    assert archetype.case.private
    assert archetype.case.based_on is None
    assert archetype.from_archetype == ()
    assert len(archetype.case.description) > 200


@pytest.mark.parametrize("name", NAMES)
def test_the_file_opens_with_what_it_is_and_what_to_change_first(name: str) -> None:
    head = (ARCHETYPES / f"{name}.yaml").read_text(encoding="utf-8").split("\nname:")[0]
    assert all(line.startswith("#") for line in head.splitlines())
    assert "What it is:" in head
    assert "Change first:" in head
    widest = max(len(line) for line in (ARCHETYPES / f"{name}.yaml").read_text("utf-8").splitlines())
    assert widest <= 110


@pytest.mark.parametrize("name", NAMES)
def test_what_to_change_first_exists(name: str, loaded: dict[str, LoadedCase]) -> None:
    """Paths that the head names (``inputs.wood``, ``capital.cost``) are in the case."""
    head = (ARCHETYPES / f"{name}.yaml").read_text(encoding="utf-8").split("\nname:")[0]
    roots = "project|production|capital|inputs|costs|revenue|reference|facts"
    for path in re.findall(rf"\b((?:{roots})\.[a-z0-9_.]+[a-z0-9_])", head):
        place: Any = loaded[name].data
        for part in (f"project.{path}" if path.startswith("facts.") else path).split("."):
            assert part in place, f"{name}: {path}"
            place = place[part]


def test_every_product_has_its_codes(archetype: LoadedCase, library: Library) -> None:
    production = archetype.case.production
    quantities = library.codelists.get("policy_quantity", frozenset())
    if not quantities:
        pytest.skip("no codelist of policy quantities in this library")
    assert set(production.by_products) <= quantities
    assert not production.policy_product or production.policy_product in quantities


# ---------------------------------------------------------------- every number says where it is from


def test_every_figure_of_the_file_names_source_and_confidence(archetype: LoadedCase) -> None:
    written = dict(_written(archetype.data))
    assert len(written) >= 18
    for path, figure in written.items():
        assert isinstance(figure, dict), f"{path} is a bare number"
        assert len(figure.get("source", "")) > 8, path
        assert "confidence" in figure, path
        assert figure.get("unit"), path


def test_money_has_a_price_year(archetype: LoadedCase) -> None:
    money = [
        (path, resolved)
        for path, resolved in archetype.figures.items()
        if re.match(r"(USD|EUR|MUSD|MEUR)\b", resolved.figure.unit or "")
    ]
    assert len(money) >= 3
    for path, resolved in money:
        year = resolved.figure.currency_year
        assert year is not None, path
        assert 2010 <= year <= 2025, path


def test_ranges_hold_and_the_main_figures_have_one(archetype: LoadedCase) -> None:
    for path, resolved in archetype.figures.items():
        assert resolved.low <= resolved.value <= resolved.high, path
    for path in ("production.utilisation", "returns.equity", "debt.cover_ratio"):
        assert archetype.figures[path].uncertain, path
    cost = archetype.figures["capital.cost"]
    assert cost.uncertain or archetype.case.capital.estimate_class is not None
    for name in archetype.case.inputs:
        place = f"inputs.{name}"
        assert archetype.figures[f"{place}.use"].uncertain or archetype.figures[f"{place}.price"].uncertain


def test_assumed_ranges_of_seen_figures_are_said_to_be_so(archetype: LoadedCase) -> None:
    for path, resolved in archetype.figures.items():
        figure = resolved.figure
        if figure.confidence == "seen" and resolved.uncertain:
            assert re.search("range assumed|high end assumed|range by its estimate class", figure.note), path


def test_figures_read_through_copyleft_repositories_are_few(loaded: dict[str, LoadedCase]) -> None:
    found = [
        (name, path)
        for name, case in loaded.items()
        for path, figure, _ in stated_figures(case.case)
        if COPYLEFT in figure.note
    ]
    assert 0 < len(found) <= COPYLEFT_MOST
    for name, path in found:
        assert not re.search(r"github|pypsa|gpl", loaded[name].figures[path].figure.source, re.IGNORECASE)


def _written(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a file that is read as a figure, by path."""
    groups = ("production.capacity", "production.utilisation", "capital.cost", "inflation")
    for key, item in data.items():
        here = f"{path}.{key}" if path else str(key)
        if isinstance(item, dict) and "value" in item and not here.startswith("correlations"):
            yield here, item
        elif isinstance(item, dict):
            yield from _written(item, here)
        elif here in groups or key in (
            "price",
            "use",
            "fixed",
            "variable",
            "rate",
            "fee",
            "share_of_capital",
        ):
            yield here, item


# ---------------------------------------------------------------- dates, finance, readiness


def test_dates_leave_time_to_build(archetype: LoadedCase) -> None:
    project = archetype.case.project
    assert project.construction_begins is not None
    months = (project.in_service - project.construction_begins).days / 30.4
    assert 3 <= months <= 48
    assert len(archetype.case.capital.spending) >= round(months / 12 - 0.6)
    assert {"US", "US-CA"} <= set(project.jurisdictions)
    assert 2027 <= project.in_service.year <= 2031


def test_debt_is_weaker_where_sales_are(archetype: LoadedCase) -> None:
    debt, case = archetype.case.debt, archetype.case
    assert debt.tenor <= case.production.life
    contracted = any(stream.contracted for stream in case.revenue.values())
    proven = case.readiness.trl is not None and case.readiness.trl >= 9
    floor = 1.25 if contracted and proven else 1.3  # the lender's band: contracted and proven, or not
    assert debt.kind == "none" or debt.cover_ratio.value >= floor
    assert debt.gearing_cap.value <= (0.8 if contracted and proven else 0.7)
    assert value(archetype, "debt.rate") < value(archetype, "returns.equity")
    assert value(archetype, "returns.project") < value(archetype, "returns.equity")
    if case.readiness.trl is not None and case.readiness.trl <= 7:
        assert debt.cover_ratio.value >= 1.5
        assert value(archetype, "returns.equity") >= 0.14


def test_new_technology_expects_more_cost_than_the_estimate(archetype: LoadedCase) -> None:
    capital, trl = archetype.case.capital, archetype.case.readiness.trl
    assert trl is not None
    if trl <= 7:
        assert capital.pioneer is not None or value(archetype, "capital.cost_growth") > 1.1


def test_a_pioneer_without_ramp_up_leaves_early_output_to_the_method(loaded: dict[str, LoadedCase]) -> None:
    for name in ("saf-ft", "saf-ptl", "cement-electric-kiln"):
        assert loaded[name].case.capital.pioneer is not None
        assert loaded[name].case.production.ramp_up == ()
    others = set(NAMES) - {"saf-ft", "saf-ptl", "cement-electric-kiln"}
    assert all(loaded[name].case.production.ramp_up for name in others)


def test_adoption_is_rated_in_all_dimensions(archetype: LoadedCase, library: Library) -> None:
    dimensions = {str(one) for one in library.tables["arl_dimensions"]["dimension"]}
    assert set(archetype.case.readiness.adoption) == dimensions
    assert len(set(archetype.case.readiness.adoption.values())) > 1


def test_sales_are_whole_in_every_year(archetype: LoadedCase) -> None:
    case = archetype.case
    if case.name in NO_SALES:
        assert not case.revenue
        assert case.production.by_products
        return
    sold = np.zeros(case.production.life)
    for name, stream in case.revenue.items():
        assert stream.quantity == "product", "one price per unit of product, so prices can be compared"
        within = slice(stream.first_year - 1, stream.last_year)
        sold[within] += value(archetype, f"revenue.{name}.share")
    np.testing.assert_allclose(sold, 1.0, atol=1e-9)


def test_policies_do_not_hide_in_sales(archetype: LoadedCase) -> None:
    for name, stream in archetype.case.revenue.items():
        words = f"{name} {stream.price.source} {stream.price.note}".lower()
        assert not re.search(r"\b(45[qvz]|lcfs|voucher|tax credit|rin)\b", words)


def test_the_federal_awards_that_were_ended_are_in_no_case(archetype: LoadedCase) -> None:
    assert not archetype.case.support.grants
    assert not archetype.case.support.loans
    assert "awarded_by" not in archetype.case.project.facts


# ---------------------------------------------------------------- mass and energy


def test_lebec_is_as_announced(loaded: dict[str, LoadedCase]) -> None:
    case = loaded["cement-capture"]
    assert value(case, "production.capacity") == 950_000
    assert total(case, "capital.cost") == pytest.approx(891e6)
    gas = value(case, "inputs.steam_gas.use") * GAS
    assert value(case, "production.by_products.emissions_avoided") == pytest.approx(1.0 - gas, abs=0.01)


def test_mote_makes_20000_t_hydrogen_and_stores_350000_t(loaded: dict[str, LoadedCase]) -> None:
    case = loaded["biomass-hydrogen-storage"]
    made = value(case, "production.capacity") * value(case, "production.utilisation")
    assert made == pytest.approx(20_000, rel=1e-3)
    stored = value(case, "production.by_products.co2_stored")
    assert stored * made == pytest.approx(350_000, rel=1e-3)
    carbon_in = 0.5 * value(case, "inputs.wood.use")  # half of dry wood is carbon
    assert 0.6 < stored * CARBON / carbon_in < 0.95
    assert value(case, "inputs.co2_transport_storage.use") == stored
    assert value(case, "capital.cost_growth") == 2.0
    assert value(case, "returns.equity") == 0.15


def test_mote_capital_follows_from_the_model_it_is_scaled_from(loaded: dict[str, LoadedCase]) -> None:
    figure = loaded["biomass-hydrogen-storage"].figures["capital.cost"].figure
    scaled = 233.7 * (22_222_000 / 365 / 155_236) ** 0.6
    co2_block = 22_222 * 17.5 * 100 / 1e6
    assert figure.value == pytest.approx(scaled + co2_block, rel=0.01)
    fixed = loaded["biomass-hydrogen-storage"].figures["costs.fixed_operation.fixed"].figure
    assert fixed.value == pytest.approx(11.55 * (60_882 / 155_236) ** 0.6, rel=0.01)


def test_electrolysis_uses_what_water_splitting_needs(loaded: dict[str, LoadedCase]) -> None:
    case = loaded["electrolysis"]
    power = (
        value(case, "inputs.electricity.use") * 1000
        if case.unit == "t"
        else case.figures["inputs.electricity.use"].figure.value
    )
    assert 45 <= power <= 65  # kWh/kg; 39.4 is the heating value
    kilowatts = 100_000
    yearly = case.figures["production.capacity"].figure.value * 1000  # kg
    assert yearly == pytest.approx(kilowatts * 8760 / power, rel=0.01)
    assert case.figures["inputs.water.use"].figure.value >= 8.9
    assert case.figures["capital.cost"].figure.value * 1e6 / kilowatts == pytest.approx(2000)


def test_reforming_balances_its_carbon(loaded: dict[str, LoadedCase]) -> None:
    case = loaded["smr-capture"]
    made = value(case, "inputs.natural_gas.use") * GAS
    stored = value(case, "production.by_products.co2_stored")
    assert stored / made == pytest.approx(0.92, abs=0.01)
    assert made - stored == pytest.approx(0.8, abs=0.1)


def test_fats_give_fuel_in_known_yield(loaded: dict[str, LoadedCase]) -> None:
    use = value(loaded["saf-hefa"], "inputs.fats_oils.use")
    assert 0.78 <= 2.95e-3 / use <= 0.87  # t fuel per t fat, 2.95 kg per gallon


@pytest.mark.parametrize("name", ["saf-hefa", "saf-atj", "saf-ft", "saf-ptl"])
def test_fuel_shares_are_whole_and_match_what_is_sold(name: str, loaded: dict[str, LoadedCase]) -> None:
    case = loaded[name]
    shares = [value(case, f"production.by_products.{one}") for one in case.case.production.by_products]
    assert sum(shares) == pytest.approx(1.0)
    jet = value(case, "production.by_products.saf")
    sold = value(case, "revenue.jet.share") + value(case, "revenue.jet_spot.share")
    assert sold == pytest.approx(jet)
    intensity = float(str(case.case.project.facts["fuel_ci_g_per_mj"]))
    avoided = (89 - intensity) * 127 / 1e6  # t/gal
    assert value(case, "reference.emissions_avoided") == pytest.approx(avoided, rel=0.05)


@pytest.mark.parametrize("name", ["saf-hefa", "saf-ft", "saf-ptl"])
def test_both_intensities_of_a_fuel_agree(name: str, loaded: dict[str, LoadedCase]) -> None:
    """45Z leaves land use out and counts per mmBtu; these fuels have none, so it is the smaller or equal."""
    facts = loaded[name].case.project.facts
    rate = float(str(facts["emission_rate_kg_per_mmbtu"]))
    assert 0 < rate <= float(str(facts["fuel_ci_g_per_mj"])) * 1.055056 + 0.1


def test_synthetic_fuel_has_enough_carbon_and_hydrogen(loaded: dict[str, LoadedCase]) -> None:
    case = loaded["saf-ptl"]
    fuel = 3.0  # kg per gallon
    carbon = value(case, "inputs.co2.use") * 1000 * CARBON
    assert 0.85 * fuel < carbon < 1.3 * fuel
    energy_in = value(case, "inputs.hydrogen.use") * 33.33
    assert 0.6 < 35.1 / energy_in < 0.83  # at most the stoichiometric share


def test_gasified_wood_gives_less_energy_than_it_holds(loaded: dict[str, LoadedCase]) -> None:
    wood = value(loaded["saf-ft"], "inputs.wood.use") * 18.6
    assert 0.129 / wood == pytest.approx(0.383, abs=0.005)


def test_hydrogen_steel_uses_what_reduction_needs(loaded: dict[str, LoadedCase]) -> None:
    case = loaded["dri-eaf"]
    hydrogen = case.figures["inputs.hydrogen.use"].figure.value
    assert 50 <= hydrogen <= 70  # kg/t
    power = value(case, "inputs.electricity.use")
    with_electrolysis = hydrogen * 55 / 1000 + power
    assert 3.4 <= with_electrolysis <= 4.6  # MWh/t; Vogl and others: 3.48 at 45 kWh/kg
    assert 1.43 <= value(case, "inputs.iron_ore.use") <= 1.7


def test_heat_obeys_the_first_law(loaded: dict[str, LoadedCase]) -> None:
    assert value(loaded["thermal-battery"], "inputs.electricity.use") > 1.0
    assert 2.0 < 1 / value(loaded["heat-pump"], "inputs.electricity.use") < 4.5
    for name in ("thermal-battery", "heat-pump"):
        avoided = value(loaded[name], "production.by_products.emissions_avoided")
        assert avoided == pytest.approx(3.6 / 0.83 * GAS, rel=0.01)


def test_captured_tonnes_are_stored_and_paid_for(loaded: dict[str, LoadedCase]) -> None:
    for name in ("cement-capture", "gas-power-capture", "direct-air-capture"):
        case = loaded[name]
        assert case.case.production.product == "co2"
        assert value(case, "production.by_products.co2_stored") == 1.0
        assert value(case, "inputs.co2_transport_storage.use") == 1.0
        assert "reference.price" not in case.figures
    hub = loaded["co2-storage-hub"]
    assert not hub.case.production.by_products
    assert value(hub, "reference.emissions_avoided") == 0.0


def test_charging_loses_power_and_clinker_keeps_its_process_co2(loaded: dict[str, LoadedCase]) -> None:
    for name in ("truck-depot", "shore-power"):
        assert 1.0 < value(loaded[name], "inputs.electricity.use") < 1.15
    depot = loaded["truck-depot"]
    assert value(depot, "production.capacity") == 15 * 8760
    assert "simulation" in depot.case.description
    kiln = loaded["cement-electric-kiln"]
    assert value(kiln, "production.by_products.emissions_avoided") == pytest.approx(0.86 - 0.52)
    clay = loaded["cement-clay"]
    assert value(clay, "production.by_products.emissions_avoided") == pytest.approx(
        1.5 * 0.86 - 2.5 * GAS, abs=0.01
    )


@pytest.mark.parametrize("name", ["battery-truck-fleet", "fuel-cell-truck-fleet"])
def test_a_fleet_drives_what_its_trucks_drive(name: str, loaded: dict[str, LoadedCase]) -> None:
    case = loaded[name]
    trucks = value(case, "production.bought.vehicles")
    each = value(case, "production.capacity_from.vehicles")
    assert trucks * each == pytest.approx(value(case, "production.capacity"))
    assert trucks == case.case.project.facts["fleet_size"]
    diesel = 1.48e-3  # t/mi
    assert 0 < value(case, "reference.emissions_avoided") < diesel


def test_published_measures_give_the_capacity_of_the_case(loaded: dict[str, LoadedCase]) -> None:
    for name, measure, size in (
        ("truck-depot", "charging_power", 15),
        ("thermal-battery", "heat_storage", 100),
    ):
        case = loaded[name]
        yearly = size * case.figures[f"production.capacity_from.{measure}"].figure.value
        assert yearly == pytest.approx(value(case, "production.capacity"), rel=0.01)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("cement-capture", 600, 1400),
        ("gas-power-capture", 400, 1000),
        ("direct-air-capture", 700, 2500),
        ("electrolysis", 8, 25),
        ("smr-capture", 6_000, 14_000),
        ("dri-eaf", 600, 1400),
        ("saf-hefa", 1, 6),
        ("saf-ft", 15, 60),
        ("glass-hybrid-furnace", 150, 500),
        ("cement-electric-kiln", 250, 700),
    ],
)
def test_capital_per_unit_of_yearly_capacity_is_in_known_bounds(
    name: str, least: float, most: float, loaded: dict[str, LoadedCase]
) -> None:
    case = loaded[name]
    assert least <= total(case, "capital.cost") / value(case, "production.capacity") <= most


# ---------------------------------------------------------------- copies and edits


EDITED = """\
name: my-plant
title: My plant
based_on: biomass-hydrogen-storage
capital:
  cost: {value: 250, unit: MUSD, currency_year: 2024, source: my engineer, confidence: derived}
inputs:
  wood:
    price: {value: 60, unit: USD/t, currency_year: 2024, source: my supply contract, confidence: seen}
  natural_gas: null
"""


def test_a_copy_keeps_the_rest_and_says_what_it_keeps(tmp_path: Path, library: Library) -> None:
    path = tmp_path / "my-plant.yaml"
    path.write_text(EDITED, encoding="utf-8")
    mine, base = read_case(path, library), load_archetype("biomass-hydrogen-storage", library)
    assert mine.figures["capital.cost"].value == 250e6
    assert value(mine, "inputs.wood.price") == 60
    assert "natural_gas" not in mine.case.inputs
    assert "inputs.natural_gas.use" not in mine.figures
    kept = {"production.capacity", "inputs.wood.use", "capital.cost_growth", "revenue.offtake.price"}
    assert kept <= set(mine.from_archetype)
    for path_ in kept:
        assert value(mine, path_) == value(base, path_)
    changed = {"capital.cost", "inputs.wood.price", "inputs.natural_gas.use", "name", "title"}
    assert not changed & set(mine.from_archetype)
    assert mine.id != base.id


def test_a_dropped_input_takes_its_correlations_along(library: Library) -> None:
    edit: dict[str, Any] = {"inputs": {"natural_gas": None}}
    head = {"name": "m", "title": "M", "based_on": "biomass-hydrogen-storage"}
    base = load_archetype("biomass-hydrogen-storage", library).case.correlations
    kept = case_of({**head, **edit}, library).case.correlations
    assert set(kept) == {pair for pair in base if "inputs.natural_gas.price" not in pair.between} < set(base)
    edit["correlations"] = [{"between": ["capital.cost", "inputs.natural_gas.price"], "value": 0.5}]
    with pytest.raises(InputError) as error:
        case_of({**head, **edit}, library)
    (fault,) = error.value.faults
    assert str(fault.column).startswith("correlations.")


def test_a_dropped_cost_is_gone(library: Library) -> None:
    edit = {"costs": {"renewals": None}}
    mine = case_of({"name": "m", "title": "M", "based_on": "biomass-hydrogen-storage", **edit}, library)
    assert set(mine.case.costs) == {"fixed_operation", "co2_compression_upkeep"}
    assert not any(path.startswith("costs.renewals") for path in mine.figures)
    assert not any(path.startswith("costs.renewals") for path in mine.from_archetype)


def test_a_changed_figure_drops_range_and_source_of_the_archetype(library: Library) -> None:
    mine = case_of(
        {
            "name": "mine",
            "title": "Mine",
            "based_on": "cement-capture",
            "inputs": {"co2_transport_storage": {"price": {"value": 5.0, "unit": "USD/t"}}},
            "production": {"utilisation": 0.99},
        },
        library,
    )
    price = mine.figures["inputs.co2_transport_storage.price"]
    assert (price.value, price.low, price.high) == (5.0, 5.0, 5.0)
    assert price.figure.source == ""
    assert not mine.figures["production.utilisation"].uncertain


def test_a_copied_file_is_the_archetype(archetype: LoadedCase, tmp_path: Path, library: Library) -> None:
    text = (ARCHETYPES / f"{archetype.case.name}.yaml").read_text(encoding="utf-8")
    path = tmp_path / "copy.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_case(path, library).id == archetype.id


def test_an_empty_case_on_an_archetype_is_all_archetype(archetype: LoadedCase, library: Library) -> None:
    name = archetype.case.name
    mine = case_of({"name": "mine", "title": "Mine", "based_on": name}, library)
    assert {path for path in mine.figures if not path.startswith("policies")} == set(archetype.figures)
    assert "project.in_service" in mine.from_archetype
    for path, resolved in archetype.figures.items():
        assert mine.figures[path].value == resolved.value


def test_an_unknown_archetype_lists_the_known(library: Library) -> None:
    with pytest.raises(InputError) as error:
        case_of({"name": "mine", "title": "Mine", "based_on": "cement-captur"}, library)
    assert "cement-capture" in str(error.value)
    assert "truck-depot" in str(error.value)


# ---------------------------------------------------------------- the pages about them


def test_each_archetype_has_its_section_and_no_other() -> None:
    page = (DOCS / "models" / "archetypes.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### ([a-z0-9-]+)$", page, re.MULTILINE)) == set(NAMES)


def test_the_case_of_the_guide_is_read(library: Library) -> None:
    page = (DOCS / "guides" / "value-a-project.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    mine = case_of(YAML(typ="safe").load(block), library)
    assert mine.figures["production.capacity"].value == 600_000
    assert "inputs.steam_gas.use" not in mine.figures
    assert mine.case.capital.pioneer is None
    assert "inputs.electricity.use" in mine.from_archetype


def test_the_cost_of_biomass_hydrogen_is_what_the_page_says(
    loaded: dict[str, LoadedCase], library: Library
) -> None:
    """Parts of the levelised cost in USD of 2024 per kg, worked out by hand from the figures."""
    case = loaded["biomass-hydrogen-storage"]
    real = (1 + value(case, "returns.project")) / (1 + value(case, "inflation")) - 1
    year = np.arange(1, case.case.production.life + 1)
    output = np.ones(len(year))
    output[:3] = case.case.production.ramp_up
    made = 20_000e3 * (output * (1 + real) ** -year).sum()  # kg, discounted
    annual = ((1 + real) ** -year).sum()
    built = value(case, "capital.cost") * value(case, "capital.cost_growth")
    shares = np.asarray(case.case.capital.spending)
    parts = {
        "capital": built * (shares * (1 + real) ** np.arange(2, -1, -1)).sum() / made,
        "fixed cost and renewals": sum(value(case, f"costs.{name}.fixed") for name in case.case.costs)
        * annual
        / made,
    }
    for name, words in (
        ("wood", "wood"),
        ("electricity", "power"),
        ("natural_gas", "natural gas"),
        ("co2_transport_storage", "CO2 transport and storage"),
    ):
        parts[words] = value(case, f"inputs.{name}.use") * value(case, f"inputs.{name}.price") / 1000
    parts["sum"] = sum(parts.values())
    page = (DOCS / "models" / "archetypes.md").read_text(encoding="utf-8")
    for words, expected in parts.items():
        found = re.search(rf"^\| {re.escape(words)} \| ([0-9.]+) \|", page, re.MULTILINE)
        assert found is not None, words
        assert float(found[1]) == pytest.approx(expected, abs=0.011), words


# ---------------------------------------------------------------- what is refused, with its line


def test_every_fault_of_a_file_is_listed_with_its_line(tmp_path: Path, library: Library) -> None:
    text = """\
name: my-plant
title: My plant
based_on: electrolysis
production:
  utilisation: true
  colour: green
capital:
  cost: {value: .nan, unit: MUSD}
inputs:
  water:
    price: {value: two, unit: USD/t}
returns:
  equity: {value: 0.1, low: 0.2, high: 0.3}
"""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_case(path, library)
    rows = {fault.row for fault in error.value.faults}
    assert {5, 6, 8, 11, 13} <= rows
    words = str(error.value)
    for expected in ("colour", "utilisation", "low <= value <= high"):
        assert expected in words


def test_wrong_units_and_impossible_figures_are_listed_together(tmp_path: Path, library: Library) -> None:
    text = """\
name: my-plant
title: My plant
based_on: electrolysis
production:
  utilisation: {value: 1.4, unit: "1"}
  capacity: {value: 100, unit: MW}
capital:
  cost: {value: 5, unit: t}
inputs:
  electricity:
    use: {value: 55, unit: kg/kg}
"""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_case(path, library)
    found = lines_of(error)
    assert found["production.utilisation"] == 5
    assert found["production.capacity"] == 6
    assert found["capital.cost"] == 8
    assert found["inputs.electricity.use"] == 11


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"project": {"sector": "cemnt"}}, "sector"),
        ({"production": {"product": "gold"}}, "product"),
        ({"tax": {"federal_class": 8}}, "recovery class"),
        ({"project": {"in_service": "tomorrow"}}, "in_service"),
        ({"readiness": {"adoption": {"Z9": "low"}}}, "Z9"),
        (
            {"correlations": [{"between": ["capital.cost", "inputs.gold.price"], "value": 0.5}]},
            "no such figure",
        ),
        ({"revenue": {"more": {"price": {"value": 1, "unit": "USD/kg"}, "share": 0.5}}}, "sold than made"),
        ({"capital": {"spending": [0.5, 0.6]}}, "adds up to 1"),
        ({"support": {"grants": {"one": {"amount": 1.0, "share": 0.1}}}}, "amount or share"),
    ],
)
def test_a_bad_edit_is_refused(edit: dict[str, Any], words: str, library: Library) -> None:
    with pytest.raises(InputError) as error:
        case_of({"name": "mine", "title": "Mine", "based_on": "electrolysis", **edit}, library)
    assert words in str(error.value)


def test_files_parse_without_a_fault_of_yaml() -> None:
    from cleanhub.core.errors import FaultList

    for name in NAMES:
        faults = FaultList()
        assert parse_yaml(ARCHETYPES / f"{name}.yaml", faults) is not None
        assert not faults.faults
