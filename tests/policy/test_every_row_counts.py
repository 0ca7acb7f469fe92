"""No row of the policy tables is idle: taking one out changes some answer to some project."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.hub.library import Library
from cleanhub.hub.scenario import Scenario
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.apply import answers
from cleanhub.policy.book import BOOK_TABLES, PolicyBook, book_from_tables
from cleanhub.policy.conditions import PAYING

Frames = Mapping[str, pd.DataFrame]
Make = Callable[..., Applicant]
Place = tuple[bool, int]  # whether everything is enacted, number in the crowd
GOOD: dict[str, Any] = {
    "prevailing_wage": True,
    "carbon_intensity_hydrogen_kg_per_kg": 0.2,
    "emission_rate_kg_per_mmbtu": 20,
    "domestic_feedstock": True,
    "prohibited_foreign_entity": False,
    "fuel_ci_g_per_mj": 20,
    "allocation_48c": True,
    "eligible_census_tract": True,
    "refuelling_property": True,
    "charging_items": 3,
    "zero_emission_power": True,
    "qualified_production_property": True,
    "lpo_commitment": True,
    "public_body": True,
    "loan_usd": 6e6,
    "commercial_uses": 5,
    "years_in_commercial_use": 8,
    "fleet_size": 15,
    "zero_emission_trucks": False,
    "co2_pipeline": True,
    "sold_to_public_works": True,
    "construction_product": "flat_glass",
    "incentive_receivable": True,
    "philanthropic_commitment": True,
    "stage": "feed",
    "award_usd": 1e6,
    "acquired_on": dt.date(2025, 6, 1),
    "ccs_method_approved": True,
}
EVERYTHING = [
    "co2_stored",
    "co2_utilised",
    "hydrogen",
    "fuel",
    "electricity_sold",
    "electricity_heavy_truck",
    "electricity_light_vehicle",
    "electricity_forklift",
    "electricity_refrigeration_unit",
    "electricity_shore_power",
    "electricity_cargo_handling",
    "hydrogen_heavy_truck",
    "hydrogen_light_vehicle",
    "renewable_fuel_diesel",
    "biodiesel",
    "ethanol",
    "renewable_gasoline",
    "saf",
    "compressed_gas_heavy_truck",
    "clinker",
    "vehicles",
    "battery_cells",
    "critical_mineral_cost",
    "emissions_avoided",
    "teu",
]
PLACES = frozenset({"US", "US-CA", "POLA", "POLB"})
TRUCK, DEPOT, HEAT = "truck_class8_day_battery", "truck_charging_depot", "steam_thermal_battery"
MATERIALS = [
    "hot_rolled_structural_steel",
    "hollow_structural_steel",
    "steel_plate",
    "reinforcing_steel",
    "flat_glass",
    "light_mineral_wool",
    "heavy_mineral_wool",
]
LCFS_ONLY = [name for name in EVERYTHING if name.startswith(("electricity_", "hydrogen_"))]


def without(*facts: str, **changed: Any) -> dict[str, Any]:
    return {**{name: value for name, value in GOOD.items() if name not in facts}, **changed}


@pytest.fixture(scope="module")
def crowd(applicant: Make) -> list[Applicant]:
    """Projects that between them pass and fail every condition and use every amount."""

    def make(sector: str = "cement", first: int = 2026, facts: Any = None, **more: Any) -> Applicant:
        names = more.pop("names", EVERYTHING)
        each = more.pop("each", 1e6)
        given = {
            "jurisdictions": PLACES,
            "technology": TRUCK,
            "capital_usd": 1e7,
            "construction_begins": dt.date(2025, 7, 1),
            "in_service": dt.date(first, 1, 1),
            **more,
        }
        amounts = dict.fromkeys(names, each)
        return applicant(
            sector, first, given.pop("count", 22), amounts, GOOD if facts is None else facts, **given
        )

    one_quantity = [make("trucking", names=[name]) for name in EVERYTHING]
    default_ci = [make("ports", names=[name], facts=without("fuel_ci_g_per_mj")) for name in LCFS_ONLY]
    missing = [make("power", facts=without(name)) for name in GOOD]
    missing_cement = [make("cement", facts=without(name)) for name in GOOD]
    missing_truck = [make("trucking", facts=without(name)) for name in GOOD]
    materials = [make("steel", facts=without(construction_product=name)) for name in MATERIALS]
    tiers = [
        make("hydrogen", facts=without(carbon_intensity_hydrogen_kg_per_kg=x), names=["hydrogen"])
        for x in (0.1, 0.5, 2, 3, 5)
    ]
    awards = [
        make("glass", facts=without(awarded_by=name))
        for name in ("cec-indigo", "epa-clean-ports", "doe-oced", "doe-awards-2025-10")
    ]
    small = [make(sector, each=300) for sector in ("cement", "power", "cdr")]
    old = [
        make("power", 2025, facts=without(**changed), names=names, in_service=dt.date(2025, 7, day))
        for changed in ({}, {"co2_use": "eor"})
        for names in (["co2_stored"], ["co2_utilised"])
        for day in (4, 5)
    ]
    air = [
        make("cdr", 2025, names=names, in_service=dt.date(2025, 7, day))
        for names in (["co2_stored"], ["co2_utilised"])
        for day in (4, 5)
    ]
    late = [
        make(
            sector,
            year + 2,
            construction_begins=dt.date(year, 8, 1),
            facts=without("acquired_on", **changed),
        )
        for year in (2024, 2027, 2028, 2030, 2032, 2033, 2034, 2035, 2036)
        for sector in ("power", "fuels")
        for changed in ({}, {"wind_or_solar": True})
    ]
    past = [make("glass", 2015, names=["emissions_avoided", "hydrogen_heavy_truck", "clinker"], count=36)]
    past += [make("fuels", 2024, names=["ethanol"], facts=without(fuel_ci_g_per_mj=5))]
    past += [make("cement", 2015, count=36), make("fuels", 2024, facts=without(crop_oil_share=0.8))]
    past += [make("glass", year, names=["emissions_avoided"]) for year in range(2021, 2026)]
    odd = [
        make("power", capital_usd=1e9, facts=without(commercial_uses=0)),
        make("buildings", technology=""),
        make("trucking", technology=DEPOT, facts=without("refuelling_property")),
        make("other_industry", technology=HEAT),
        make("cement", product="cement"),
        make("trucking", facts=without("public_body", fleet_size=30, drayage=True)),
        make("trucking", facts=without("public_body", fleet_size=60)),
        make("power", facts=without(loan_usd=4e6)),
        make("power", facts=without(loan_usd=9e7, commercial_uses=1, years_in_commercial_use=1)),
        make("power", facts=without(loan_usd=5e5, stage="operating")),
        make("power", facts=without(underserved_area=True, domestic_content=True)),
        make("power", facts=without(energy_community=True, wind_or_solar=True)),
        make("fuels", facts=without(emission_rate_kg_per_mmbtu=60)),
        make("fuels", 2025, names=["fuel", "saf"]),
        make("trucking", facts=without(zero_emission_trucks=True, acquired_on=dt.date(2026, 1, 1))),
        make("power", facts=without(ccs_method_approved=False)),
        make("power", facts=without("ccs_method_approved")),
        make("power", facts=without(applied_on=dt.date(2029, 1, 1))),
        make("power", capital_usd=1e9),
        make("power", 2031, construction_begins=dt.date(2028, 12, 1)),
        make("power", 2030, construction_begins=dt.date(2029, 12, 1)),
    ]
    return [
        *one_quantity, *default_ci, *missing, *missing_cement, *missing_truck, *materials, *tiers, *awards,
        *small, *old, *air, *late, *past, *odd,
    ]  # fmt: skip


def told(answer: Answer) -> tuple[Any, ...]:
    """Everything an answer says but its version."""
    arrays = (answer.rate, answer.rate_low, answer.rate_high, answer.payments)
    return (
        answer.policy,
        answer.answer,
        answer.because,
        answer.until,
        answer.becomes,
        answer.transfer_price,
        answer.once,
        answer.once_low,
        answer.once_high,
        tuple(sorted(answer.terms.items())),
        *(np.round(values, 12).tobytes() for values in arrays),
    )


class Asker:
    """Asks the crowd with and without a row, until somebody hears something else."""

    def __init__(self, frames: Frames, library: Library, crowd: list[Applicant]) -> None:
        self.frames, self.library, self.crowd = frames, library, crowd
        self.before: dict[tuple[frozenset[str], Place], Any] = {}
        self.heard: Counter[Place | tuple[frozenset[str], Place]] = Counter()
        self.counts: dict[tuple[str, int], bool] = {}
        dead = frames["policies"].loc[~frames["policies"]["legal_status"].isin(PAYING), "policy"]
        self.enacted = Scenario.model_validate(
            {
                "name": "s",
                "title": "S",
                "as_of": dt.date(2026, 6, 1),
                "policies": {name: {"enact": dt.date(2025, 1, 1)} for name in dead},
            }
        )

    def few(self, policies: frozenset[str]) -> dict[str, pd.DataFrame]:
        out = dict(self.frames)
        for name in BOOK_TABLES[:-1]:
            out[name] = out[name][out[name]["policy"].isin(policies)]
        return out

    def books(self, tables: Frames) -> Callable[[bool], PolicyBook]:
        """The book of some tables, as it stands and with everything enacted, each read when first asked."""
        return cache(
            lambda enacted: book_from_tables(tables, self.library, self.enacted if enacted else None)
        )

    def changes(self, table: str, line: int) -> bool:
        """Whether some answer changes without the row of ``table`` on ``line``."""
        if (table, line) not in self.counts:
            self.counts[table, line] = self._asked(table, line)
        return self.counts[table, line]

    def _asked(self, table: str, line: int) -> bool:
        row = self.frames[table].loc[line]
        names = {row["policy"], row["excludes"] if "excludes" in row else row["policy"]}
        if row["policy"].startswith("cap-and-invest"):
            names |= {"cap-and-invest", "cap-and-invest-allocation", "cap-and-invest-ccs-method"}
        policies = frozenset(names)
        full = self.few(policies)
        whole, less = self.books(full), self.books({**full, table: full[table].drop(index=line)})
        for place in self.likely_first(policies):
            enacted, number = place
            one = self.crowd[number]
            if (policies, place) not in self.before:
                self.before[policies, place] = [told(answer) for answer in answers(whole(enacted), one)]
            if [told(answer) for answer in answers(less(enacted), one)] != self.before[policies, place]:
                self.heard.update([place, (policies, place)])
                return True
        return False

    def likely_first(self, policies: frozenset[str]) -> list[Place]:
        """Everybody, before and after everything is enacted; first who heard of rows of these policies."""
        everybody = [(enacted, number) for enacted in (False, True) for number in range(len(self.crowd))]
        return sorted(everybody, key=lambda at: (-self.heard[policies, at], -self.heard[at]))


@pytest.fixture(scope="module")
def asker(frames: Frames, library: Library, crowd: list[Applicant]) -> Asker:
    return Asker(frames, library, crowd)


def on_a_line(frame: pd.DataFrame, line: int) -> bool:
    """Whether a value by year is what its neighbours give by interpolation."""
    row = frame.loc[line]
    if pd.isna(row["year"]):
        return False
    same = frame[(frame[["policy", "item", "selector"]] == row[["policy", "item", "selector"]]).all(axis=1)]
    others = same.drop(index=line).sort_values("year")
    years = others["year"].to_numpy(float)
    if not len(years) or not years[0] < row["year"] < years[-1]:
        return False
    return bool(
        np.isclose(np.interp(float(row["year"]), years, others["value"].to_numpy(float)), row["value"])
    )


def idle(asker: Asker, table: str, step: int = 1) -> list[str]:
    frame = asker.frames[table]
    key = [name for name in ("policy", "item", "selector", "year", "condition", "exclusion") if name in frame]
    lines = [
        int(line) for line in frame.index[::step] if "item" not in frame or not on_a_line(frame, int(line))
    ]
    return [str(tuple(frame.loc[line, key])) for line in lines if not asker.changes(table, line)]


@pytest.mark.parametrize("table", ["policies", "policy_conditions", "policy_exclusions"])
def test_every_policy_condition_and_exclusion_counts(asker: Asker, table: str) -> None:
    assert "\n".join(idle(asker, table)) == ""


def test_a_sample_of_the_values_counts(asker: Asker) -> None:
    assert "\n".join(idle(asker, "policy_values", step=11)) == ""


@pytest.mark.slow
def test_every_value_counts(asker: Asker) -> None:
    assert "\n".join(idle(asker, "policy_values")) == ""
