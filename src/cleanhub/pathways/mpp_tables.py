"""Input tables of the Mission Possible Partnership's shared solver as arrays with integer codes.

:func:`build_tables` takes the checked frames of :mod:`cleanhub.hub.mpp_import`; nothing here decides.
Capacity and production are in Mt a year, costs in USD per t, emission factors in t per t, electrolysers
in GW.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.finance.levelised import carbon_cost_additions, carbon_cost_path
from cleanhub.hub.mpp_settings import CLASSES, NOTHING, SWITCH_KINDS, MppSettings

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

GREENFIELD, DECOMMISSION, RENOVATION, NEWBUILD = range(4)
INITIAL, TRANSITION, END_STATE = range(3)
HOURS = 8760.0


@dataclass(frozen=True)
class SwitchTable:
    """Switches in columns, one entry per row of ``technology_transitions``; codes of ``MppTables``.

    ``origin`` and ``destination`` are technologies; one past the last stands for nothing (a new
    plant's origin, a closed plant's destination). ``year`` counts from the first year.
    """

    kind: IntArray
    product: IntArray
    region: IntArray
    origin: IntArray
    destination: IntArray
    year: IntArray
    lcox: FloatArray
    tco: FloatArray

    def __len__(self) -> int:
        return len(self.kind)

    def take(self, rows: NDArray[np.generic]) -> SwitchTable:
        """The chosen rows (positions or a mask)."""
        return SwitchTable(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class MppTables:
    """Input tables as arrays over product (P), region (R), technology (T) and year (Y).

    Attributes
    ----------
    factors
        Emissions of each kind [t per t], shape (kinds, P, R, T + 1, Y); the last technology is none.
    classification, maturity
        Class (-1: none) and first year [year], shape (P, R, T + 1, Y).
    newbuild_lcox, dispatch_cost
        Cost of a new plant [USD/t] and what dispatch sorts by, shape (P, R, T, Y); not built: inf.
    demand
        Demand by product, region and year [Mt], and of the world, shapes (P, R, Y) and (P, Y).
    electrolyser_gw
        Electrolyser power per unit of capacity [GW per Mt/yr], shape (P, R, T, Y).
    annual_limits
        Limits by year: CO2 stored more [Mt], electrolysers added [GW], carbon budget [Gt].
    """

    products: tuple[str, ...]
    regions: tuple[str, ...]
    technologies: tuple[str, ...]
    years: IntArray
    emission_kinds: tuple[str, ...]
    factors: FloatArray
    classification: IntArray
    maturity: IntArray
    newbuild_lcox: FloatArray
    dispatch_cost: FloatArray
    demand: FloatArray
    world_demand: FloatArray
    switches: SwitchTable
    electrolyser_gw: FloatArray
    annual_limits: dict[str, FloatArray]
    initial_stack: pd.DataFrame
    pipeline: dict[tuple[int, int], list[tuple[int, int, float]]]

    def factor(self, kind: str) -> FloatArray:
        """Emission factors of one kind, shape (P, R, T + 1, Y); zero where the inputs have none."""
        if kind not in self.emission_kinds:
            return np.zeros(self.factors.shape[1:])
        found: FloatArray = self.factors[self.emission_kinds.index(kind)]
        return found

    def named(self, switches: SwitchTable) -> pd.DataFrame:
        """Switches by name; the technology that is none is an empty word."""
        technologies = np.array([*self.technologies, ""], dtype=object)
        return pd.DataFrame(
            {
                "product": np.array(self.products, dtype=object)[switches.product],
                "technology_origin": technologies[switches.origin],
                "technology_destination": technologies[switches.destination],
                "year": self.years[switches.year],
                "region": np.array(self.regions, dtype=object)[switches.region],
                "switch_type": np.array(SWITCH_KINDS, dtype=object)[switches.kind],
            }
        )

    def co2(self, kinds: Iterable[str]) -> FloatArray:
        """Sum of the emission factors of several kinds, shape (P, R, T + 1, Y)."""
        return np.asarray(np.sum([self.factor(kind) for kind in kinds], axis=0), dtype=float)


def codes_of(column: pd.Series, words: tuple[str, ...]) -> IntArray:
    """Position of each entry of ``column`` in ``words``; -1 if it is not there."""
    codes, unique = pd.factorize(column)
    found = pd.Index(words, dtype=object).get_indexer(pd.Index(unique, dtype=object))
    return np.append(found, -1)[codes].astype(np.int64)


def build_tables(frames: Mapping[str, pd.DataFrame], settings: MppSettings) -> MppTables:
    """Turn checked input frames (see :mod:`cleanhub.hub.mpp_import`) into arrays."""
    switches, stack = frames["technology_transitions"], frames["initial_asset_stack"]
    characteristics = frames["technology_characteristics"]
    products = tuple(settings.products)
    regions = tuple(sorted({*switches["region"].unique(), *stack["region"].unique()}))
    named = {*switches["technology_destination"].unique(), *switches["technology_origin"].unique()}
    technologies = tuple(sorted((named | set(stack["technology"].unique())) - set(NOTHING)))
    years = np.array(settings.years, dtype=np.int64)
    words = (products, regions, technologies)
    shape = (len(products), len(regions), len(technologies), len(years))
    kinds = tuple(name for name in frames["emissions"].columns if _is_emission(name))
    factors = np.zeros((len(kinds), shape[0], shape[1], shape[2] + 1, shape[3]))
    place, rows = _places(frames["emissions"], words, years)
    for number, name in enumerate(kinds):
        factors[number][place] = np.nan_to_num(frames["emissions"][name].to_numpy(float)[rows])
    place, rows = _places(characteristics, words, years)
    classification = np.full((shape[0], shape[1], shape[2] + 1, shape[3]), -1, dtype=np.int64)
    classification[place] = codes_of(characteristics["technology_classification"], CLASSES)[rows]
    maturity = np.zeros(classification.shape, dtype=np.int64)
    maturity[place] = characteristics["expected_maturity"].to_numpy(np.int64)[rows]
    table = _switch_table(switches, words, years)
    lcox, cost = np.full(shape, np.inf), np.full(shape, np.inf)
    raw = switches[switches["switch_type"] == SWITCH_KINDS[GREENFIELD]]
    place, rows = _places(raw.rename(columns={"technology_destination": "technology"}), words, years)
    lcox[place] = raw["lcox"].to_numpy(float)[rows]
    cost[place] = raw[settings.dispatch.cost].to_numpy(float)[rows]
    demand, world = _demand(frames["demand"], products, regions, years)
    tables = MppTables(
        *(products, regions, technologies, years, kinds, factors, classification, maturity, lcox, cost),
        *(demand, world, table, _electrolyser_gw(frames, settings, words, years)),
        annual_limits={
            "co2_storage": _by_year(frames.get("co2_storage_constraint"), "value", years),
            "electrolysers": _by_year(
                frames.get("electrolysis_capacity_addition_constraint"), "value", years
            ),
            "carbon_budget": _by_year(frames.get("carbon_budget"), "annual_limit", years),
        },
        initial_stack=stack[stack["product"].isin(products)],
        pipeline=_pipeline(frames.get("project_pipeline"), words, years),
    )
    return _with_carbon_cost(tables, characteristics, settings)


def _is_emission(name: str) -> bool:
    gas, _, rest = name.partition("_scope")
    return gas in ("co2", "n2o", "ch4") and "pre_" not in rest


def _places(
    frame: pd.DataFrame, words: tuple[tuple[str, ...], ...], years: IntArray
) -> tuple[tuple[IntArray, ...], IntArray]:
    """Where each row of ``frame`` belongs in a (P, R, T, Y) array, and the rows that have a place."""
    product = codes_of(frame["product"], words[0])
    region = codes_of(frame["region"], words[1])
    technology = codes_of(frame["technology"], words[2])
    year = frame["year"].to_numpy(np.int64) - years[0]
    fits = (product >= 0) & (region >= 0) & (technology >= 0) & (year >= 0) & (year < len(years))
    rows = np.flatnonzero(fits)
    return (product[rows], region[rows], technology[rows], year[rows]), rows


def _switch_table(frame: pd.DataFrame, words: tuple[tuple[str, ...], ...], years: IntArray) -> SwitchTable:
    products, regions, technologies = words
    nothing = len(technologies)
    origin = codes_of(frame["technology_origin"], technologies)
    destination = codes_of(frame["technology_destination"], technologies)
    table = SwitchTable(
        codes_of(frame["switch_type"], SWITCH_KINDS),
        codes_of(frame["product"], products),
        codes_of(frame["region"], regions),
        np.where(origin < 0, nothing, origin),
        np.where(destination < 0, nothing, destination),
        frame["year"].to_numpy(np.int64) - years[0],
        frame["lcox"].to_numpy(float),
        frame["tco"].to_numpy(float),
    )
    return table.take(
        (table.kind >= 0) & (table.product >= 0) & (table.year >= 0) & (table.year < len(years))
    )


def _demand(
    frame: pd.DataFrame, products: tuple[str, ...], regions: tuple[str, ...], years: IntArray
) -> tuple[FloatArray, FloatArray]:
    names = (*regions, "Global")
    filled = np.zeros((len(products), len(names), len(years)))
    product, region = codes_of(frame["product"], products), codes_of(frame["region"], names)
    year = frame["year"].to_numpy(np.int64) - years[0]
    fits = (product >= 0) & (region >= 0) & (year >= 0) & (year < len(years))
    filled[product[fits], region[fits], year[fits]] = frame["value"].to_numpy(float)[fits]
    return filled[:, :-1], filled[:, -1]


def _by_year(frame: pd.DataFrame | None, column: str, years: IntArray) -> FloatArray:
    """A yearly limit; infinite where the inputs give none."""
    values = np.full(len(years), np.inf)
    if frame is not None:
        year = frame["year"].to_numpy(np.int64) - years[0]
        fits = (year >= 0) & (year < len(years))
        values[year[fits]] = frame[column].to_numpy(float)[fits]
    return values


def _electrolyser_gw(
    frames: Mapping[str, pd.DataFrame],
    settings: MppSettings,
    words: tuple[tuple[str, ...], ...],
    years: IntArray,
) -> FloatArray:
    """GW of electrolysers behind a unit of capacity at the utilisation of a new plant [GW per Mt/yr]."""
    shape = (len(words[0]), len(words[1]), len(words[2]), len(years))
    if "electrolyser_cfs" not in frames:
        return np.zeros(shape)
    found = {}
    for name, column in (("cfs", "capacity_factor"), ("proportions", "hydrogen_proportion")):
        frame = frames[f"electrolyser_{name}"]
        place, rows = _places(frame.rename(columns={"technology_destination": "technology"}), words, years)
        found[name] = np.full(shape, np.nan)
        found[name][place] = frame[f"electrolyser_{column}"].to_numpy(float)[rows]
    frame = frames["electrolyser_efficiencies"].assign(technology=words[2][0])
    place, rows = _places(frame, words, years)
    kwh = np.full(shape, np.nan)
    kwh[place] = frame["electrolyser_efficiency"].to_numpy(float)[rows]
    ratio = np.array([settings.products[name].base_product_ratio for name in words[0]])
    hydrogen = settings.new_plant_utilisation * settings.hydrogen_per_base_product * ratio
    power = hydrogen[:, None, None, None] * found["proportions"] * kwh[:, :, :1] / (HOURS * found["cfs"])
    return np.asarray(np.nan_to_num(power), dtype=float)  # Mt of hydrogen x kWh per t / h = GW


def _pipeline(
    frame: pd.DataFrame | None, words: tuple[tuple[str, ...], ...], years: IntArray
) -> dict[tuple[int, int], list[tuple[int, int, float]]]:
    """Announced plants by product and year: region, technology, capacity [Mt/yr].

    Of several technologies in one region and year only the last in the file is built (a defect kept).
    """
    plants: dict[tuple[int, int], dict[int, tuple[int, float]]] = {}
    if frame is None:
        return {}
    for column in (name for name in frame.columns if str(name).isdigit()):
        year = int(str(column)) - int(years[0])
        for product, region, technology, capacity in zip(
            codes_of(frame["product"], words[0]),
            codes_of(frame["region"], words[1]),
            codes_of(frame["technology"], words[2]),
            frame[column].to_numpy(float),
            strict=True,
        ):
            if capacity > 0 and min(product, region, technology) >= 0:
                plants.setdefault((int(product), year), {})[int(region)] = (int(technology), float(capacity))
    return {key: [(region, *plant) for region, plant in rows.items()] for key, rows in plants.items()}


def _with_carbon_cost(tables: MppTables, characteristics: pd.DataFrame, settings: MppSettings) -> MppTables:
    """Costs of switches with the carbon cost of their destination; what dispatch sorts by stays."""
    if settings.carbon_cost.final == 0:
        return tables
    switches, used = tables.switches, characteristics.drop_duplicates("product")
    cost = settings.carbon_cost
    price = carbon_cost_path(tables.years, cost.start_year, cost.end_year, cost.final)
    emitted = tables.co2(("co2_scope1", "co2_scope2", "co2_scope3_upstream"))
    rate, life = float(used["wacc"].iloc[0]), int(used["technology_lifetime"].iloc[0])
    lcox, tco = carbon_cost_additions(emitted, price, rate, life, settings.new_plant_utilisation)
    place = (switches.product, switches.region, switches.destination, switches.year)
    dearer = {**vars(switches), "lcox": switches.lcox + lcox[place], "tco": switches.tco + tco[place]}
    newbuild = tables.newbuild_lcox + lcox[:, :, :-1]
    return MppTables(**{**vars(tables), "switches": SwitchTable(**dearer), "newbuild_lcox": newbuild})
