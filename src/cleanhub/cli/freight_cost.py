"""The command that says what a new truck costs its owner a mile, by technology and item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanhub.cli.output import JsonOption, ScenarioOption, print_json, say
from cleanhub.core.errors import FaultList

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.hub.package import Hub
    from cleanhub.hub.scenario import Scenario

SAID = {
    "capital": "capital",
    "vouchers": "vouchers",
    "fixed": "insurance, fees",
    "upkeep": "upkeep",
    "energy": "energy",
    "carbon": "carbon price",
    "credits": "fuel credits",
    "waiting": "waiting at chargers",
    "port_rate": "ports' rate on diesel",
    "total": "total",
}
"""How the items read."""


def add_cost_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("cost")(cost_command)


def cost_command(
    hub: Annotated[str, typer.Argument(help="a hub's name or folder")] = "california",
    *,
    scenario: ScenarioOption = None,
    year: Annotated[
        int | None, typer.Option("--year", help="year of purchase (default: of the as-of date)")
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            "--price", help="price of power at the plug, USD/kWh (default: the hub's own price of power)"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Cost of owning a new drayage truck, USD a mile by technology and item: what a fleet compares."""
    from cleanhub.planning.register_projects import loaded_hub

    region, chosen = loaded_hub(hub, scenario)
    bought = chosen.as_of.year if year is None else year
    faults = FaultList()
    if not chosen.as_of.year <= bought <= chosen.end_year:
        allowed = f"{chosen.as_of.year} to {chosen.end_year}"
        faults.add("--year", what="no year of the scenario", found=bought, allowed=allowed)
    if price is not None and not 0 <= price <= 10:
        faults.add("--price", what="no price of power", found=price, allowed="0 to 10 USD/kWh")
    faults.raise_if_any("freight cost")
    frame = _costs(region, chosen, bought, price)
    if as_json:
        print_json(frame.to_dict("records"))
        return
    _show(frame, region, chosen, bought, price)


def _costs(hub: Hub, scenario: Scenario, year: int, price: float | None) -> pd.DataFrame:
    """The table of costs with what drayage pays beyond the library's rows."""
    import numpy as np

    from cleanhub.core.errors import InputError
    from cleanhub.finance.truck_ownership import TruckTerms, truck_cost_table
    from cleanhub.freight.figures import Figures
    from cleanhub.freight.fleet import drayage_cohort, truck_terms

    cohort = drayage_cohort(hub)
    if not cohort:
        faults = FaultList()
        faults.add(
            "cohorts.csv", None, "duty_cycle", what="no drayage trucks", allowed="a cohort with drayage"
        )
        raise InputError("freight cost", faults.faults)
    years = np.array([year])
    first = truck_cost_table(hub, scenario, price, TruckTerms(), cohort, years)
    battery = _battery(hub, first["technology"].unique().tolist())
    if not battery:
        return first
    terms = truck_terms(Figures(hub, price_year=scenario.price_year), battery)
    return truck_cost_table(hub, scenario, price, terms, cohort, years)


def _battery(hub: Hub, technologies: list[str]) -> str:
    """The technology that runs on power; empty when none does."""
    rows = hub.library.tables["technology_parameters"]
    powered = set(rows.loc[rows["carrier"] == "electricity", "technology"])
    return next((name for name in technologies if name in powered), "")


def _show(frame: pd.DataFrame, hub: Hub, scenario: Scenario, year: int, price: float | None) -> None:
    names = hub.library.tables["technologies"].set_index("technology")["name"]
    wide = frame.pivot_table(index="item", columns="technology", values="usd_per_mile")
    wide = wide.reindex(
        index=[item for item in SAID if item in wide.index], columns=frame["technology"].unique()
    )
    say(f"A new drayage truck bought in {year}: {scenario.title}, {hub.title}")
    power = f"{price:g} USD/kWh at the plug" if price is not None else "the hub's own price of power"
    say(f"USD of {scenario.price_year} a mile over its life; {power}")
    say("")
    room = max(len(said) for said in SAID.values()) + 2
    heads = [str(names.get(name, name)) for name in wide.columns]
    widths = [max(len(head), 8) + 3 for head in heads]
    say(" " * room + "".join(head.rjust(wide_) for head, wide_ in zip(heads, widths, strict=True)))
    for item, row in wide.iterrows():
        cells = "".join(f"{value:.2f}".rjust(wide_) for value, wide_ in zip(row, widths, strict=True))
        say(SAID[str(item)].ljust(room) + cells)
    say("")
    say("Illustrative: prices, use and waiting are rows of freight_parameters, most of them recalled.")
