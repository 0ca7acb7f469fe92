"""Where every number of a plan came from: the inputs it used and the headlines they carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import conform
from cleanhub.freight.figures import Figures
from cleanhub.hub.credits import credit_facts
from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import Parameters
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.rows_in_force import rows_in_force
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.series import confidence_ranks, confidence_words
from cleanhub.planning.commitments import commitment_rows
from cleanhub.planning.register_projects import register_hashes
from cleanhub.policy.book import book_tables

COLUMNS = ["table", "key", "value", "unit", "source_id", "confidence"]
RANGED = [*COLUMNS, "low", "high", "note"]
_NUMBERS = ("value", "low", "high")
Rows = dict[str, NDArray[Any]]
"""Columns :data:`RANGED` of a few rows."""
HEADLINES = "scorecard"
_ENDS = {"value": ("low", "high"), "p_pass": ("p_low", "p_high")}
"""Columns of the range of a column; that of any other is called after it: cost_low, cost_high."""


def source_groups(hub: Hub) -> dict[str, str]:
    """Source ids behind each group of inputs, ;-separated, the most used first."""
    frames = {
        **hub.tables,
        "gate_rules": hub.library.tables["gate_rules"],
        "pipeline_parameters": Parameters(hub, "pipeline_parameters").rows,
        "library": hub.library.tables["technology_parameters"],
        "facilities": hub.tables["facility_emissions"],
        "policies": _behind_credits(hub)["policy_values"],
    }
    return {
        name: _most_used(frame)
        for name, frame in frames.items()
        if "source_id" in frame.columns and len(frame)
    }


def _most_used(frame: pd.DataFrame) -> str:
    """The six sources that most rows name, ;-separated."""
    codes, names = pd.factorize(frame["source_id"].to_numpy(object))
    counts = dict(zip(names, np.bincount(codes[codes >= 0], minlength=len(names)), strict=True))
    return ";".join(sorted(names, key=lambda one: (-int(counts[one]), str(one)))[:6])


def provenance_table(
    hub: Hub, scenario: Scenario, scorecard: pd.DataFrame, emissions: pd.DataFrame
) -> pd.DataFrame:
    """Plan table ``provenance``.

    Inputs are keyed by what identifies them (``driver@year``, ``technology/parameter``,
    project id, site id ...); headlines repeat under each of their sources. The key of an
    ``emissions`` row is ``inventory_sector/sector/asset_kind``.
    """
    sources = hub.sources()
    parts = [
        _inputs(hub),
        _headline_rows(set(sources["source_id"]), scorecard),
        _emission_rows(hub, emissions),
    ]
    rows = {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS}
    place = np.zeros(len(rows["key"]), dtype=np.int64)
    for name in ("table", "key", "source_id"):
        codes, distinct = pd.factorize(rows[name])
        place = place * max(len(distinct), 1) + codes
    _, first, at = np.unique(place, return_index=True, return_inverse=True)
    grouped = pd.DataFrame({"value": rows["value"], "unit": rows["unit"]}).groupby(at)
    rank = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(rank, at, confidence_ranks(rows["confidence"]))
    licence = dict(zip(sources["source_id"], sources["licence"], strict=True))
    source = rows["source_id"][first]
    frame = pd.DataFrame(
        {
            **{name: rows[name][first] for name in ("table", "key", "source_id")},
            "value": grouped["value"].first().to_numpy(),
            "unit": grouped["unit"].first().to_numpy(),
            "confidence": confidence_words(rank),
            "licence": [licence.get(name) or "not stated" for name in source],
        }
    )
    return conform(frame, PLAN_TABLES["provenance"])


def inputs_table(hub: Hub) -> pd.DataFrame:
    """Every input of a plan of ``hub`` with its range and note: the columns :data:`RANGED`.

    ``low``, ``high`` are in ``unit``, NaN where a row has no range; keys are those of ``provenance``.
    """
    return pd.DataFrame(_inputs(hub))


def _inputs(hub: Hub) -> Rows:
    parts = [
        *_hub_inputs(hub),
        *_library_inputs(hub),
        *_freight_inputs(hub),
        *_pipeline_inputs(hub),
        *_policy_inputs(hub),
        *_register_inputs(hub),
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in RANGED}


def _of(rows: list[tuple[object, ...]]) -> Rows:
    """Rows of :data:`COLUMNS` in columns, without range and note."""
    cells: list[Any] = list(zip(*rows, strict=True)) or [()] * len(COLUMNS)
    given = dict(zip(COLUMNS, cells, strict=True))
    found = {name: np.array(given.get(name, [np.nan] * len(rows)), dtype=object) for name in RANGED}
    return {name: cells.astype(float) if name in _NUMBERS else cells for name, cells in found.items()}


def _rows(
    table: str, frame: pd.DataFrame, key: pd.Series, value: pd.Series | float, unit: pd.Series | str
) -> Rows:
    column = value.name if isinstance(value, pd.Series) else ""
    low, high = _ENDS.get(str(column), (f"{column}_low", f"{column}_high"))
    given: dict[str, object] = {
        "table": table,
        "key": key.astype(str),
        "value": value,
        "unit": unit,
        "source_id": frame["source_id"],
        "confidence": frame["confidence"],
        "low": frame[low] if low in frame.columns else np.nan,
        "high": frame[high] if high in frame.columns else np.nan,
        "note": frame["note"] if "note" in frame.columns else "",
    }
    return _columns(given, len(frame))


def _columns(given: Mapping[str, object], size: int) -> Rows:
    """Columns of :data:`RANGED` as arrays of ``size``; a single value holds for all rows."""
    return {name: _array(given[name], size, float if name in _NUMBERS else object) for name in RANGED}


def _array(cells: object, size: int, kind: type) -> NDArray[Any]:
    if isinstance(cells, pd.Series):
        return cells.to_numpy(kind, na_value=np.nan) if kind is float else cells.to_numpy(kind)
    return np.full(size, cells, dtype=kind)


def _hub_inputs(hub: Hub) -> list[Rows]:
    tables = hub.tables
    drivers, limits, targets = tables["drivers"], tables["limits"], tables["targets"]
    credits, projects, cohorts = tables["credits"], tables["projects"], tables["cohorts"]
    sites = tables["facility_emissions"]
    sites = sites[sites["asset_id"] != ""]
    last = sites[sites["year"] == sites["year"].max()] if len(sites) else sites
    inventory = tables["inventory"]
    base = inventory[(inventory["year"] == hub.base_year) & (inventory["boundary"] == "included")]
    by_line = base.groupby(["inventory_sector", "sector", "source_id", "confidence"])
    lines = by_line["co2e_t"].sum().reset_index()
    facts = tables["programme_facts"]
    return [
        _rows(
            "drivers",
            drivers,
            drivers["driver"] + "@" + drivers["year"].astype(str),
            drivers["value"],
            drivers["unit"],
        ),
        _rows(
            "limits",
            limits,
            limits["limit"] + "@" + limits["year"].astype(str),
            limits["value"],
            limits["unit"],
        ),
        _rows("targets", targets, targets["target"], targets["value"], targets["unit"]),
        _rows("credits", credits, credits["credit"], credits["years_paid"], "yr"),
        _rows("credits", credits, credits["credit"] + "/reach", credits["reach"].fillna(1.0), "1"),
        _rows("projects", projects, projects["project_id"], projects["co2e_t_per_year"], "t CO2e/yr"),
        _rows("cohorts", cohorts, cohorts["asset_id"], cohorts["category_share"], "1"),
        _rows(
            "facility_emissions",
            last,
            last["asset_id"] + "@" + last["year"].astype(str),
            last["co2e_t"],
            "t CO2e/yr",
        ),
        _rows(
            "inventory",
            lines,
            lines["inventory_sector"] + "/" + lines["sector"] + f"@{hub.base_year}",
            lines["co2e_t"],
            "t CO2e/yr",
        ),
        _rows("programme_facts", facts, facts["fact"], facts["value"], facts["unit"]),
    ]


def _freight_inputs(hub: Hub) -> list[Rows]:
    """Figures, places and works behind charging, where the hub has drayage."""
    if not (hub.tables["cohorts"]["duty_cycle"] == "drayage").any():
        return []
    figures = Figures(hub).rows.reset_index()
    tiers, clusters = hub.library.tables["grid_tiers"], hub.tables["warehouse_clusters"]
    places = hub.tables["infrastructure"]
    places = places[places["kind"].isin(["terminal", "rail_yard", "substation", "depot"])]
    headroom, traffic = hub.tables["grid_headroom"], hub.tables["port_throughput"]
    item = np.where(figures["item"] != "", "/" + figures["item"], "")
    port = traffic["port"] + "/" + traffic["measure"] + "@" + traffic["year"].astype(str)
    return [
        _rows("freight_parameters", figures, figures["parameter"] + item, figures["value"], figures["unit"]),
        _rows("grid_tiers", tiers, tiers["tier"], tiers["cost"], "USD"),
        _rows("warehouse_clusters", clusters, clusters["cluster"], clusters["share"], "1"),
        _rows("infrastructure", places, places["infrastructure_id"], places["value"], places["unit"]),
        _rows("grid_headroom", headroom, headroom["infrastructure_id"], headroom["value"], headroom["unit"]),
        _rows("port_throughput", traffic, port, traffic["teu"], "TEU"),
    ]


def _pipeline_inputs(hub: Hub) -> list[Rows]:
    """Figures and rules behind gates and links, promises and buyers."""
    rows = Parameters(hub, "pipeline_parameters").rows.reset_index()
    item = np.where(rows["item"] != "", "/" + rows["item"], "")
    found = [_rows("pipeline_parameters", rows, rows["parameter"] + item, rows["value"], rows["unit"])]
    for name in ("gate_rules", "link_rules"):
        rules = hub.library.tables[name]
        for column, unit in (("p_pass", "1"), ("years", "yr")):
            known = rules[rules[column].notna()]
            found.append(_rows(name, known, known["rule"] + "/" + column, known[column], unit))
    promises, buyers = commitment_rows(hub), rows_in_force(hub, "offtakers", "offtaker_id")
    found.append(
        _rows("commitments", promises, promises["commitment_id"], promises["value"], promises["unit"])
    )
    found.append(_rows("offtakers", buyers, buyers["offtaker_id"], buyers["value"], buyers["unit"]))
    return found


def _library_inputs(hub: Hub) -> list[Rows]:
    library = hub.library.tables
    parameters, carriers, index = (
        library["technology_parameters"],
        library["carriers"],
        library["price_index"],
    )
    carrier = np.where(parameters["carrier"] != "", "/" + parameters["carrier"], "")
    key = parameters["technology"] + "/" + parameters["parameter"] + carrier
    return [
        _rows("technology_parameters", parameters, key, parameters["value"], parameters["unit"]),
        _rows("carriers", carriers, carriers["carrier"], carriers["emission_factor_t"], "t CO2 per unit"),
        _rows(
            "price_index",
            index,
            index["series"] + "@" + index["year"].astype(str),
            index["value"],
            index["unit"],
        ),
    ]


def _policy_inputs(hub: Hub) -> list[Rows]:
    """What stands behind the credits that a policy sets: their facts and the policy's own rows."""
    credits = hub.tables["credits"]
    credits = credits[credits["policy"] != ""]
    if credits.empty:
        return []
    tables = _behind_credits(hub)
    policies, values, conditions = (
        tables[name] for name in ("policies", "policy_values", "policy_conditions")
    )
    key = values["policy"] + "/" + values["item"]
    for name, before in (("selector", "/"), ("tier_from", "/from "), ("year", "@"), ("in_service_from", "/")):
        words = [f"{before}{cell}" if pd.notna(cell) and cell != "" else "" for cell in values[name]]
        key = key + np.array(words, dtype=object)
    limits = pd.to_numeric(conditions["value"], errors="coerce")
    settings = tables["policy_settings"]
    return [
        _credit_facts(hub, credits),
        _rows("policies", policies, policies["policy"], policies["years_paid"].astype(float), "yr"),
        _rows("policy_values", values, key, values["value"], values["unit"]),
        _rows(
            "policy_conditions",
            conditions,
            conditions["policy"] + "/" + conditions["condition"],
            limits,
            conditions["unit"],
        ),
        _rows("policy_settings", settings, settings["setting"], settings["value"], settings["unit"]),
    ]


def _register_inputs(hub: Hub) -> list[Rows]:
    """The register that the projects were read from: how many events it had, under the hash of all of it."""
    read = register_hashes(hub)
    if not read:
        return []
    from cleanhub.register.hub_projects import REGISTER_SOURCE  # with it comes the database

    row = ("register", read["register/hash"], float(read["register/events"]), "1", REGISTER_SOURCE, "derived")
    return [_of([row])]


def _behind_credits(hub: Hub) -> dict[str, pd.DataFrame]:
    """The policy frames, cut down to the policies that the hub's credits name."""
    named = hub.tables["credits"]["policy"]
    return {
        name: frame[frame["policy"].isin(named)] if "policy" in frame.columns else frame
        for name, frame in book_tables(hub.library, hub).items()
    }


def _credit_facts(hub: Hub, credits: pd.DataFrame) -> Rows:
    """One row for each fact that a credit states: numbers as they are, yes as 1 and no as 0."""
    rows: list[tuple[object, ...]] = []
    for row in credits.to_dict("records"):
        for fact in credit_facts(str(row["facts"]), None, hub.library, FaultList()):
            codelist = "policy_quantity" if fact.is_quantity else "policy_fact"
            meaning = hub.library.meaning(codelist, fact.name)
            value = float(fact.value) if isinstance(fact.value, bool | float) else np.nan
            unit = meaning.rsplit("[", 1)[-1].rstrip("]") if "[" in meaning else ""
            name = f"{row['credit']}/{fact.name}"
            rows.append(("credits", name, value, unit, row["source_id"], row["confidence"]))
    return _of(rows)


def _headline_rows(known: set[str], scorecard: pd.DataFrame) -> Rows:
    rows: list[tuple[object, ...]] = []
    for line in scorecard.to_dict("records"):
        words = "assumed" if float(line["recalled_share"]) > 0 else "derived"
        rows += [
            (HEADLINES, line["metric"], line["value"], line["unit"], source, words)
            for source in str(line["source"]).split(";")
            if source in known
        ]
    return _of(rows)


def _emission_rows(hub: Hub, emissions: pd.DataFrame) -> Rows:
    facilities, inventory, cohorts = (
        _most_used(hub.tables[name]) for name in ("facility_emissions", "inventory", "cohorts")
    )
    behind = {
        "site": facilities,
        "cohort": ";".join(filter(None, [inventory, cohorts])),
        "rest": ";".join(filter(None, [inventory, facilities])),
    }
    base = emissions[(emissions["year"] == hub.base_year).to_numpy(bool)]
    base = base[(base["scope"] == 1) & (base["gas"] == "co2e") & (base["boundary"] == "included")]
    rows: list[tuple[object, ...]] = []
    for row in base.to_dict("records"):
        key = f"{row['inventory_sector']}/{row['sector']}/{row['asset_kind']}@{hub.base_year}"
        rows += [
            ("emissions", key, row["value"], row["unit"], source, row["confidence"])
            for source in dict.fromkeys(behind[row["asset_kind"]].split(";"))
            if source
        ]
    return _of(rows)
