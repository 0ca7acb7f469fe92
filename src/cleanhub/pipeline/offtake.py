"""Buyers, and the projects whose offtake gate they could close: the plan table ``offtake``.

Buyers are rows of the library's table ``offtakers`` and of the hub's, which take the library's place.
A row that names a project and binds has closed that project's gate (:func:`offtake_done`). Every
other row is set beside the live projects that sell its product: how much of the output it would take,
whether it still buys when the project can deliver, and whether the premium it pays covers the
price gap of the project in table ``valuations``. Nothing here moves a probability.

What a project sells is the product of its technology in the library, else what its capacity counts.
CO2 is sold by projects of removal alone: elsewhere it is what a plant captures or a store takes in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd

from cleanhub.core.errors import FaultList
from cleanhub.core.money import currency_of, in_dollars
from cleanhub.core.tables import conform
from cleanhub.core.units import factor
from cleanhub.finance.cases import archetype_states, load_archetype
from cleanhub.hub.library import Library
from cleanhub.hub.package import Hub
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.rows_in_force import rows_in_force
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PAST_FID, PROPOSED
from cleanhub.hub.series import weakest

OFFTAKE = "offtake"
"""The gate that buyers close."""
SPONSOR = "sponsor_p50"
REMOVAL_SECTOR = "cdr"
CO2 = "co2"
PART_OF_OUTPUT = {"jet_fuel": "saf"}
"""Products that plants make beside others: the by-product of an archetype (codelist policy_quantity)."""


@dataclass(frozen=True)
class Offer:
    """What a project would sell of a product.

    ``output`` in ``unit`` at full capacity, NaN where it is not published; ``part`` is the share of the
    project's output that is this product [1]; ``gap`` the price gap in ``gap_unit`` per unit of all
    output, NaN where the project has no value; ``online`` the year it could deliver from, NaN if unknown.
    """

    project_id: str
    product: str
    output: float
    unit: str
    part: float
    gap: float
    gap_unit: str
    online: float
    confidence: str


def check_offtakers(hub: Hub) -> None:
    """Raise :class:`~cleanhub.core.errors.InputError` with every buyer that cannot be read as it stands."""
    faults = FaultList()
    for _, row in rows_in_force(hub, "offtakers", "offtaker_id").iterrows():
        file, line = str(row["file"]), int(row["line"])
        if row["binding"] and not row["project_id"]:
            faults.add(
                file, line, "project_id", what="a contract that binds names its project", found="empty"
            )
        if pd.notna(row["premium"]) and not row["premium_unit"]:
            faults.add(file, line, "premium_unit", what="missing unit of the premium", allowed="as USD/t")
        ends = row[["premium_low", "premium", "premium_high"]].astype(float).dropna()
        if not ends.is_monotonic_increasing:
            found = ", ".join(f"{one:g}" for one in ends)
            faults.add(
                file, line, "premium", what="range does not hold its value", found=found,
                allowed="premium_low <= premium <= premium_high",
            )  # fmt: skip
        if row[["first_year", "last_year"]].notna().all() and row["last_year"] < row["first_year"]:
            faults.add(
                file, line, "last_year", what="ends before it begins", found=row["last_year"],
                allowed=f"{row['first_year']} or later",
            )  # fmt: skip
        if float(row["value"]) < 0:
            faults.add(file, line, "value", what="negative volume", found=row["value"], allowed="0 or more")
    faults.raise_if_any("offtakers")


def offtake_done(hub: Hub) -> frozenset[str]:
    """Projects of the hub whose offtake gate a contract that binds has closed: evidence for the gates."""
    rows = rows_in_force(hub, "offtakers", "offtaker_id")
    bound = set(rows.loc[rows["binding"].astype(bool), "project_id"])
    return frozenset(bound & set(hub.tables["projects"]["project_id"]))


def offtake_table(
    hub: Hub,
    scenario: Scenario,
    valuations: pd.DataFrame,
    online: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Plan table ``offtake``: each buyer with the projects it could close, or none.

    Parameters
    ----------
    hub, scenario
        The hub and the scenario of the plan; premiums are put in the scenario's price year.
    valuations
        Plan table of that name: price gaps, and archetypes that say which part of the output is a
        product.
    online
        Calendar year from which each project can deliver, as simulated; the published one, not before
        the as-of date, where it is not given.

    Statuses, first that holds: ``bound`` (contract), ``too_late`` (it stops buying before the project can
    deliver), ``too_little`` (it buys less than the whole output), ``match``. A buyer without a
    project has one row, ``no_project``. ``needed_premium`` is the price gap per unit of the
    product, as if this product alone had to carry it.

    Raises
    ------
    InputError
        Buyers that cannot be read; all are listed.
    """
    check_offtakers(hub)
    offers = offers_of(hub, scenario, valuations, online or {})
    rows: list[dict[str, object]] = []
    for _, buyer in rows_in_force(hub, "offtakers", "offtaker_id").iterrows():
        found = [offer for offer in offers if _fits(buyer, offer, hub)]
        rows += [_row(buyer, offer, hub, scenario) for offer in found] or [_no_project(buyer, hub)]
    frame = pd.DataFrame(rows, columns=PLAN_TABLES["offtake"].names)
    return conform(frame, PLAN_TABLES["offtake"])


# ---------------------------------------------------------------- what projects sell


def offers_of(
    hub: Hub, scenario: Scenario, valuations: pd.DataFrame, online: Mapping[str, float]
) -> list[Offer]:
    """What every project but programmes would sell: its product, and parts of it with buyers of their own."""
    products = hub.library.tables["technologies"].set_index("technology")["product"]
    sponsor = {str(row["project_id"]): row for _, row in valuations.iterrows() if row["case"] == SPONSOR}
    table = hub.tables["projects"]
    parts_of = cache(partial(_parts_of, library=hub.library))
    offers = []
    for _, row in table[table["role"] != "programme"].iterrows():
        name, counted = str(row["project_id"]), str(row["capacity_of"])
        product = str(products.get(row["technology"], "")) or counted
        if not product or (product == CO2 and row["sector"] != REMOVAL_SECTOR):
            continue
        known = counted == product and pd.notna(row["capacity"])
        worth = sponsor.get(name)
        offer = Offer(
            project_id=name,
            product=product,
            output=float(row["capacity"]) if known else np.nan,
            unit=str(row["capacity_unit"]) if known else "",
            part=1.0,
            gap=float(worth["price_gap"]) if worth is not None else np.nan,
            gap_unit=str(worth["unit"]) if worth is not None else "",
            online=_online(row, scenario, online),
            confidence=str(row["confidence"]),
        )
        offers.append(offer)
        if worth is not None and worth["archetype"]:
            offers += [_part(offer, *part) for part in parts_of(str(worth["archetype"]))]
    return offers


def _online(row: pd.Series, scenario: Scenario, online: Mapping[str, float]) -> float:
    simulated = online.get(str(row["project_id"]), np.nan)
    if np.isfinite(simulated):
        return float(simulated)
    published = float(row["online_year"]) if pd.notna(row["online_year"]) else np.nan
    return max(published, float(scenario.as_of.year)) if np.isfinite(published) else np.nan


def _parts_of(archetype: str, library: Library) -> list[tuple[str, float, str]]:
    """Products that are a part of the output of an archetype: which, its share [1], and its confidence."""
    paths = {product: f"production.by_products.{code}" for product, code in PART_OF_OUTPUT.items()}
    stated = {product: path for product, path in paths.items() if archetype_states(archetype, path)}
    if not stated:
        return []
    figures = load_archetype(archetype, library).figures
    found = ((product, figures[path]) for product, path in stated.items())
    return [(product, float(one.value), one.figure.confidence) for product, one in found if one.value > 0]


def _part(offer: Offer, product: str, share: float, confidence: str) -> Offer:
    """The same output by a product that is a part of it."""
    output, both = offer.output * share, weakest([offer.confidence, confidence])
    return replace(offer, product=product, output=output, part=share, confidence=both)


def _fits(buyer: pd.Series, offer: Offer, hub: Hub) -> bool:
    """Whether a buyer is set beside an offer: it signed with the project, or would with any live one."""
    if buyer["product"] != offer.product or buyer["project_id"] not in ("", offer.project_id):
        return False
    return bool(buyer["binding"]) or _stage(offer.project_id, hub) in PROPOSED


def _stage(project_id: str, hub: Hub) -> str:
    """The stage of a project of the hub, empty for one that it does not have."""
    table = hub.tables["projects"]
    return str(next(iter(table.loc[table["project_id"] == project_id, "stage"]), ""))


# ---------------------------------------------------------------- one row


def _row(buyer: pd.Series, offer: Offer, hub: Hub, scenario: Scenario) -> dict[str, object]:
    unit, volume = str(buyer["unit"]), float(buyer["value"])
    output = _converted(offer.output, offer.unit, unit)
    share = min(volume / output, 1.0) if output > 0 else np.nan
    premium, needed, premium_unit = _premiums(buyer, offer, hub, scenario)
    covers = bool(premium >= needed) if np.isfinite(premium) and np.isfinite(needed) else pd.NA
    status, why = _status(buyer, offer, share, hub)
    return {
        **_about(buyer),
        "project_id": offer.project_id,
        "status": status,
        "output": output,
        "share_of_output": share,
        "premium": premium,
        "needed_premium": needed,
        "premium_unit": premium_unit,
        "covers": covers,
        "because": "; ".join([why, *_words(buyer, offer, output, covers)]),
        "confidence": weakest([str(buyer["confidence"]), offer.confidence]),
    }


def _about(buyer: pd.Series) -> dict[str, object]:
    return {
        "offtaker_id": buyer["offtaker_id"],
        "name": buyer["name"],
        "kind": buyer["kind"],
        "product": buyer["product"],
        "volume": float(buyer["value"]),
        "unit": buyer["unit"],
    }


def _converted(value: float, unit: str, target: str) -> float:
    """``value`` in another unit; NaN where the two are not of one kind."""
    if not unit or not np.isfinite(value):
        return float("nan")
    try:
        return value * factor(unit, target)
    except ValueError:
        return float("nan")


def _premiums(buyer: pd.Series, offer: Offer, hub: Hub, scenario: Scenario) -> tuple[float, float, str]:
    """Premium paid, premium needed, both in dollars of the price year; and their unit."""
    given = str(buyer["premium_unit"])
    unit = in_dollars(given) if given else offer.gap_unit
    needed = _converted(offer.gap / offer.part, offer.gap_unit, unit) if unit else np.nan
    if not given or pd.isna(buyer["premium"]):
        return np.nan, needed, unit
    year = int(buyer["currency_year"]) if pd.notna(buyer["currency_year"]) else scenario.price_year
    rate = hub.library.price_index.to_dollars(currency_of(given) or "USD", year, scenario.price_year)
    return float(buyer["premium"]) * rate, needed, unit


def _status(buyer: pd.Series, offer: Offer, share: float, hub: Hub) -> tuple[str, str]:
    if buyer["binding"]:
        stage = _stage(offer.project_id, hub)
        ended = stage not in PROPOSED and stage not in PAST_FID
        return "bound", "a contract that binds" + (" with a project that has ended" if ended else "")
    last = buyer["last_year"]
    if pd.notna(last) and np.isfinite(offer.online) and float(last) < np.floor(offer.online):
        return "too_late", f"it buys to {int(last)}, the project can deliver from {int(offer.online)}"
    if np.isfinite(share) and share < 1.0:
        return "too_little", f"it would take {share:.0%} of the output"
    if np.isnan(share):
        return "match", "it buys the product; the output is not published in its measure"
    return "match", "it would take the whole output"


def _words(buyer: pd.Series, offer: Offer, output: float, covers: object) -> list[str]:
    words = []
    if buyer["project_id"] and not buyer["binding"]:
        words.append("a letter that does not bind")
    if offer.part < 1.0 and np.isfinite(output):
        words.append(f"{offer.part:.0%} of what the plant makes is {offer.product}, by its archetype")
    if covers is not pd.NA:
        words.append("the premium covers the price gap" if covers else "the premium does not cover the gap")
    if buyer["note"]:
        words.append(str(buyer["note"]))
    return words


def _no_project(buyer: pd.Series, hub: Hub) -> dict[str, object]:
    """The row of a buyer that no project of the hub serves."""
    named = str(buyer["project_id"])
    stage = _stage(named, hub)
    if not named:
        why = "no live project of the hub sells it"
    elif not stage:
        why = f"the hub has no project {named}"
    elif stage in PROPOSED or buyer["binding"]:
        why = f"project {named} sells another product"
    else:
        why = f"project {named} is {'past its decision' if stage in PAST_FID else 'ended'}"
    given = str(buyer["premium_unit"])
    return {
        **_about(buyer),
        "project_id": "",
        "status": "no_project",
        "output": np.nan,
        "share_of_output": np.nan,
        "premium": np.nan if pd.isna(buyer["premium"]) else float(buyer["premium"]),
        "needed_premium": np.nan,
        "premium_unit": given,
        "covers": pd.NA,
        "because": "; ".join([why, *([str(buyer["note"])] if buyer["note"] else [])]),
        "confidence": str(buyer["confidence"]),
    }
