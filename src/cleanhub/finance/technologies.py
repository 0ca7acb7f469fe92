"""The library's technologies as arrays: cost, inputs and emissions per unit of product.

A technology that is *built on* another (capture on a kiln) adds its parameters to those of
its base. Quantities are per unit of product; money is in US dollars of the scenario's
price year.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.memory import remembered
from cleanhub.core.money import currency_of, in_dollars
from cleanhub.core.units import factor
from cleanhub.finance.annuity import capital_recovery_factor
from cleanhub.hub.library import Library
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import CONFIDENCE_ORDER

FloatArray = NDArray[np.float64]
DEFAULT_LIFETIME = 20.0
NO_END = 9999


@dataclass(frozen=True)
class Technologies:
    """Technologies in columns; every array has one entry (or row) per technology.

    Attributes
    ----------
    names, sector, product, unit
        Identifiers and product unit, shape (K,).
    capex, capex_added
        Full capital, and what it adds to its base [USD per unit of yearly capacity, or per
        vehicle], shape (K,).
    capital_charge, capital_charge_added
        The same, annualised over each part's lifetime, shape (K,).
    fixed, variable
        Yearly fixed cost per unit of capacity and variable cost per unit, shape (K,).
    inputs
        Carrier use per unit, shape (K, C).
    direct, captured
        Scope 1 emissions and stored CO2 [t per unit], shape (K,).
    direct_ch4, direct_n2o
        Methane and nitrous oxide within the scope 1 emissions [t of gas per unit], shape (K,).
    latest
        Last year a vehicle is sold while another choice is open, shape (K,); empty: no end.
    is_vehicle
        Whether capital is per vehicle: a technology of cohorts, shape (K,).
    upstream
        Emissions of making and bringing a unit of each carrier [t CO2e], shape (C,).
    minimum_site_t
        Smallest site an option is offered to, by its yearly tonnes [t], shape (K,).
    """

    names: NDArray[np.object_]
    sector: NDArray[np.object_]
    product: NDArray[np.object_]
    unit: NDArray[np.object_]
    base: NDArray[np.int64]
    is_default: NDArray[np.bool_]
    earliest: NDArray[np.int64]
    cycle: NDArray[np.int64]
    lifetime: NDArray[np.int64]
    capex: FloatArray
    capex_added: FloatArray
    capital_charge: FloatArray
    capital_charge_added: FloatArray
    fixed: FloatArray
    variable: FloatArray
    inputs: FloatArray
    direct: FloatArray
    direct_ch4: FloatArray
    direct_n2o: FloatArray
    captured: FloatArray
    is_vehicle: NDArray[np.bool_]
    minimum_site_t: FloatArray
    carriers: NDArray[np.object_]
    carrier_units: NDArray[np.object_]
    upstream: FloatArray
    price_drivers: NDArray[np.object_]
    confidence: NDArray[np.object_]
    latest: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def find(self, name: str) -> int:
        """Position of a technology; -1 if the library has none of that name."""
        where = np.flatnonzero(self.names == name)
        return int(where[0]) if len(where) else -1

    def default_for(self, sector: str, product: str) -> int:
        """Technology that a site uses unless it says otherwise; -1 if the library has none.

        The product decides; sites that name no product take the default of their sector.
        """
        if product:
            where = np.flatnonzero(self.is_default & (self.product == product))
        else:
            where = np.flatnonzero(self.is_default & (self.sector == sector))
            where = where if len(set(self.product[where])) == 1 else where[:0]
        return int(where[0]) if len(where) else -1


_READ = ("technologies", "technology_parameters", "carriers", "price_index")
"""Tables of the library that technologies are built from."""


def build_technologies(library: Library, scenario: Scenario) -> Technologies:
    """Turn the library's tables into arrays in the scenario's price year.

    They depend on the price year and the discount rate alone and are kept with the library.

    Raises :class:`~cleanhub.core.errors.InputError` when a unit cannot be converted or a
    technology has no direct emissions.
    """
    key = ("technologies", scenario.price_year, scenario.decision.discount_rate)
    kept = library.kept.get(key)
    if not isinstance(kept, Technologies):
        part = Library({name: library.tables[name] for name in _READ}, library.codelists, library.units)
        kept = remembered("technologies", (part.tables, *key), lambda: _build(part, scenario))
        library.kept[key] = kept
    return kept


def _build(library: Library, scenario: Scenario) -> Technologies:
    table = library.tables["technologies"]
    names = table["technology"].to_numpy(object)
    position = {name: k for k, name in enumerate(names)}
    carriers = library.tables["carriers"]
    faults = FaultList()
    reader = _Reader(library, scenario, faults)
    parameters = library.tables["technology_parameters"]
    own = {name: reader.read(rows) for name, rows in parameters.groupby("technology", sort=False)}
    base = np.array([position.get(name, -1) for name in table["built_on"]], dtype=np.int64)
    parts = [own.get(name, reader.read(parameters.iloc[:0])) for name in names]
    built = [_Built.of(parts[k], parts[base[k]] if base[k] >= 0 else None, reader) for k in range(len(names))]
    rate = scenario.decision.discount_rate
    charges = np.array([b.capital_charges(rate) for b in built]).reshape(len(built), 2)
    _check_complete(names, built, faults)
    faults.raise_if_any("technology library")
    return Technologies(
        names=names,
        sector=table["sector"].to_numpy(object),
        product=table["product"].to_numpy(object),
        unit=table["product_unit"].to_numpy(object),
        base=base,
        is_default=table["default_for_sector"].fillna(False).to_numpy(bool),
        earliest=table["earliest_year"].to_numpy(np.int64),
        latest=np.array([part.get("latest_year", NO_END) for part in parts], dtype=np.int64),
        cycle=table["investment_cycle"].to_numpy(float).round().astype(np.int64),
        lifetime=np.array([round(b.lifetime) for b in built], dtype=np.int64),
        capex=np.array([b.capex for b in built]),
        capex_added=np.array([b.capex_added for b in built]),
        capital_charge=charges[:, 0],
        capital_charge_added=charges[:, 1],
        fixed=np.array([b.fixed for b in built]),
        variable=np.array([b.variable for b in built]),
        inputs=np.array([b.inputs for b in built]).reshape(len(built), len(carriers)),
        direct=np.array([b.direct for b in built]),
        direct_ch4=np.array([b.direct_ch4 for b in built]),
        direct_n2o=np.array([b.direct_n2o for b in built]),
        captured=np.array([b.captured for b in built]),
        is_vehicle=np.array([part.per_vehicle for part in parts], dtype=bool),
        minimum_site_t=np.array([part.get("minimum_site") for part in parts]),
        carriers=carriers["carrier"].to_numpy(object),
        carrier_units=carriers["unit"].to_numpy(object),
        upstream=carriers["upstream_emission_factor_t"].fillna(0.0).to_numpy(float),
        price_drivers=carriers["price_driver"].to_numpy(object),
        confidence=np.array([b.confidence for b in built], dtype=object),
    )


# ---------------------------------------------------------------- reading parameters


class _Reader:
    """Reads parameter rows into product units and dollars of the price year."""

    def __init__(self, library: Library, scenario: Scenario, faults: FaultList) -> None:
        self.index = library.price_index
        self.price_year = scenario.price_year
        self.faults = faults
        carriers = library.tables["carriers"]
        self.carriers = {name: c for c, name in enumerate(carriers["carrier"])}
        self.carrier_units = carriers["unit"].to_numpy(object)
        self.burnt = carriers["emission_factor_t"].to_numpy(float)
        table = library.tables["technologies"]
        self.product_unit = dict(zip(table["technology"], table["product_unit"], strict=True))

    def read(self, rows: pd.DataFrame) -> _Part:
        part = _Part(np.zeros(len(self.carriers)), np.zeros(len(self.carriers)))
        for line, row in rows.iterrows():
            product = self.product_unit[row["technology"]]
            value = self._value(row, product, int(str(line)))
            name, carrier = row["parameter"], row["carrier"]
            if name == "input":
                part.inputs[self.carriers[carrier]] += value
            elif name == "capture_input":
                part.capture_inputs[self.carriers[carrier]] += value
            else:
                part.values[name] = value
            if name == "capex" and in_dollars(str(row["unit"])).endswith("/vehicle"):
                part.per_vehicle = True
            part.confidence.append(str(row["confidence"]))
        return part

    def _value(self, row: pd.Series, product: str, line: int) -> float:
        unit = str(row["unit"])
        scale = 1.0
        currency = currency_of(unit)
        if currency:
            year = int(row["currency_year"]) if pd.notna(row["currency_year"]) else self.price_year
            scale = self.index.to_dollars(currency, year, self.price_year)
        target = self._target(str(row["parameter"]), str(row["carrier"]), product)
        for may_be in target:
            try:
                return float(row["value"]) * scale * factor(in_dollars(unit), may_be)
            except ValueError:
                continue
        self.faults.add(
            "technology_parameters.csv",
            line,
            "unit",
            what=f"unit does not fit {row['parameter']} of {row['technology']}",
            found=unit,
            allowed=" or ".join(target),
        )
        return 0.0

    def _target(self, parameter: str, carrier: str, product: str) -> tuple[str, ...]:
        if parameter == "input":
            return (f"({self.carrier_units[self.carriers[carrier]]})/({product})",)
        if parameter == "capture_input":
            return (f"({self.carrier_units[self.carriers[carrier]]})/t",)
        emission = (f"t/({product})",)
        return {
            "capex": (f"USD/(({product})/yr)", "USD/vehicle", f"USD/({product})"),
            "fixed_opex": (f"USD/({product})", "USD/vehicle/yr", f"USD/({product})/yr"),
            "fixed_opex_share": ("1/yr", "1"),
            "variable_opex": (f"USD/({product})",),
            "direct_emissions": emission,
            "direct_ch4": emission,
            "direct_n2o": emission,
            "emission_change": emission,
            "lifetime": ("yr",),
            "latest_year": ("yr",),
            "capture_capex": ("USD/(t/yr)",),
            "capture_fixed_opex_share": ("1/yr", "1"),
            "minimum_site": ("t/yr",),
            "captured_biogenic": emission,
            "capture_rate": ("1",),
            "capture_reach": ("1",),
        }[parameter]


class _Part:
    """Parameters of one technology as written, in product units and dollars."""

    def __init__(self, inputs: FloatArray, capture_inputs: FloatArray) -> None:
        self.values: dict[str, float] = {}
        self.inputs = inputs
        self.capture_inputs = capture_inputs
        self.per_vehicle = False
        self.confidence: list[str] = []

    def get(self, name: str, default: float = 0.0) -> float:
        return self.values.get(name, default)


@dataclass(frozen=True)
class _Built:
    """A technology with its base added in."""

    capex: float
    capex_added: float
    lifetime: float
    base_capex: float
    base_lifetime: float
    fixed: float
    variable: float
    inputs: FloatArray
    direct: float
    direct_ch4: float
    direct_n2o: float
    captured: float
    confidence: str
    complete: bool

    @staticmethod
    def of(part: _Part, base: _Part | None, reader: _Reader) -> _Built:
        start = base.get("direct_emissions") if base else 0.0
        before = part.get("direct_emissions", start) + part.get("emission_change")
        captured = before * part.get("capture_reach", 1.0) * part.get("capture_rate")
        inputs = part.inputs + captured * part.capture_inputs
        burnt_for_capture = float(captured * part.capture_inputs @ reader.burnt)
        capture_capex = part.get("capture_capex") * captured
        added = part.get("capex") + capture_capex
        fixed = (
            part.get("fixed_opex")
            + part.get("capex") * part.get("fixed_opex_share")
            + capture_capex * part.get("capture_fixed_opex_share", part.get("fixed_opex_share"))
        )
        variable = part.get("variable_opex")
        words = list(part.confidence)
        base_capex = base_lifetime = 0.0
        if base:
            base_capex = base.get("capex")
            base_lifetime = base.get("lifetime", DEFAULT_LIFETIME)
            fixed += base.get("fixed_opex") + base_capex * base.get("fixed_opex_share")
            variable += base.get("variable_opex")
            inputs = inputs + base.inputs
            words += base.confidence
        return _Built(
            capex=base_capex + added,
            capex_added=added,
            lifetime=part.get("lifetime", base_lifetime or DEFAULT_LIFETIME),
            base_capex=base_capex,
            base_lifetime=base_lifetime,
            fixed=fixed,
            variable=variable,
            inputs=np.maximum(inputs, 0.0),
            direct=max(before - captured + burnt_for_capture, 0.0),
            direct_ch4=part.get("direct_ch4", base.get("direct_ch4") if base else 0.0),
            direct_n2o=part.get("direct_n2o", base.get("direct_n2o") if base else 0.0),
            captured=captured + part.get("captured_biogenic", base.get("captured_biogenic") if base else 0.0),
            confidence=max(words, key=CONFIDENCE_ORDER.index, default="assumed"),
            complete="direct_emissions" in part.values or base is not None,
        )

    def capital_charges(self, rate: float) -> tuple[float, float]:
        added = self.capex_added * float(capital_recovery_factor(rate, self.lifetime))
        if self.base_lifetime:
            return added + self.base_capex * float(capital_recovery_factor(rate, self.base_lifetime)), added
        return added, added


def _check_complete(names: NDArray[np.object_], built: list[_Built], faults: FaultList) -> None:
    for name, one in zip(names, built, strict=True):
        if not one.complete:
            faults.add(
                "technology_parameters.csv",
                what=f"technology {name} has no direct_emissions and is built on nothing",
                allowed="a row direct_emissions",
            )
        if one.lifetime <= 0:
            faults.add(
                "technology_parameters.csv", what=f"lifetime of {name}", found=one.lifetime, allowed="above 0"
            )
