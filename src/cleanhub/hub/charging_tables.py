"""Layout of the plan tables that freight fills: chargers, roads, loads, works on the grid, what they cost."""

from __future__ import annotations

from cleanhub.core.tables import Column, Table
from cleanhub.hub.columns import LAT, LON, YEAR

CHARGERS = Table(
    "chargers",
    "Charging sites: what stands, what opens, when, on which substation, and how well it is used.",
    (
        Column("site_id", "text", "site"),
        Column("name", "text", "name"),
        LAT,
        LON,
        Column("kind", "text", "kind of site", codes="charging_site_kind"),
        Column("status", "text", "open or planned", codes="charging_site_status"),
        Column("year_energised", "year", "year in which its first plugs serve"),
        Column("plugs", "number", "plugs in its last year", minimum=0),
        Column("kw", "number", "power of the plugs together", "kW", minimum=0),
        Column("kwh_per_day", "number", "energy on a working day of its last year", "kWh/d", minimum=0),
        Column(
            "utilisation", "number", "that energy over what its plugs could give in a day", "1", minimum=0
        ),
        Column("substation", "text", "substation it hangs on"),
        Column("grid_tier", "text", "largest works at its substation by then (empty: none)", blank=True),
        Column("capex_usd", "number", "capital of site and new plugs", "USD", minimum=0),
        Column(
            "usd_per_kwh", "number", "what a kWh costs there, capital included", "USD/kWh", True, minimum=0
        ),
        Column("disadvantaged", "yes_no", "yes: in or near a disadvantaged tract"),
        Column(
            "survival",
            "number",
            "share of the tests of headroom and demand that choose it",
            "1",
            True,
            minimum=0,
            maximum=1,
        ),
        Column("asked_by", "text", "who asked for chargers here", blank=True),
        Column("confidence", "text", "weakest confidence among its inputs", codes="confidence"),
    ),
    key=("site_id",),
)

ROAD_FLOW = Table(
    "road_flow",
    "Trucks on the roads of a working day, both directions of an arc apart.",
    (
        Column("arc_id", "integer", "arc of the road network", minimum=0),
        Column("from_lat", "number", "latitude of its start", "degree"),
        Column("from_lon", "number", "longitude of its start", "degree"),
        Column("to_lat", "number", "latitude of its end", "degree"),
        Column("to_lon", "number", "longitude of its end", "degree"),
        Column("trucks_per_day", "number", "trucks on a working day", "1/d", minimum=0),
        Column(
            "ze_trucks_per_day",
            "number",
            "of which battery-electric in the last year decided",
            "1/d",
            minimum=0,
        ),
        Column("licence", "text", "licence of the geometry"),
    ),
    key=("arc_id",),
)

SITE_LOAD = Table(
    "site_load",
    "Load of charging by substation, year and hour of a working day.",
    (
        Column("substation", "text", "substation"),
        YEAR,
        Column("hour", "integer", "hour of the day, local time", minimum=0, maximum=23),
        Column("kw", "number", "load", "kW", minimum=0),
    ),
    key=("substation", "year", "hour"),
)

SITE_USE = Table(
    "site_use",
    "Use of each charging site by hour of a working day in the last year decided.",
    (
        Column("site_id", "text", "site"),
        YEAR,
        Column("hour", "integer", "hour of the day, local time", minimum=0, maximum=23),
        Column("kw", "number", "load", "kW", minimum=0),
        Column("utilisation", "number", "share of its plugs' power", "1", minimum=0),
    ),
    key=("site_id", "year", "hour"),
)

GRID_UPGRADES = Table(
    "grid_upgrades",
    "Works at substations: what to hand to the utility.",
    (
        Column("substation", "text", "substation"),
        Column("name", "text", "its name"),
        Column("utility", "text", "who runs it", blank=True),
        Column("tier", "text", "works", codes="grid_tier"),
        Column("kw", "number", "load they add", "kW", minimum=0),
        Column("cost_usd", "number", "cost", "USD", minimum=0),
        Column("start", "year", "year in which they must begin"),
        Column("ready", "year", "year from which they serve"),
        Column("headroom_kw", "number", "what the substation can serve without them", "kW", minimum=0),
        Column("headroom_confidence", "text", "confidence of that", codes="confidence"),
    ),
    key=("substation", "tier"),
)

TRUCK_CHARGING = Table(
    "truck_charging",
    "What share of drayage can be charged in each year, and what binds.",
    (
        YEAR,
        Column("trucks", "number", "truck-days on a working day", "1/d", minimum=0),
        Column("wanted", "number", "of which buyers want battery-electric, chargers aside", "1/d", minimum=0),
        Column("served", "number", "of which can be charged", "1/d", minimum=0),
        Column("most", "number", "what could be charged if all wanted it", "1/d", True, minimum=0),
        Column(
            "binds", "text", "what keeps more from being charged, if all wanted it", codes="charging_bound"
        ),
        Column("without_range", "number", "most if no truck-day were too long", "1/d", True, minimum=0),
        Column(
            "without_plugs", "number", "most if sites could hold any plugs at once", "1/d", True, minimum=0
        ),
        Column("without_grid", "number", "most if the grid had room at once", "1/d", True, minimum=0),
        Column("without_cost", "number", "most whatever it costs", "1/d", True, minimum=0),
        Column(
            "usd_per_kwh",
            "number",
            "mean cost of a kWh charged, capital included",
            "USD/kWh",
            True,
            minimum=0,
        ),
        Column("peak_kw", "number", "largest load of all substations together", "kW", minimum=0),
        Column("residual", "number", "what trucks and chargers still disagree by", "1", minimum=0),
    ),
    key=("year",),
)

CHARGING_CAPITAL = Table(
    "charging_capital",
    "Capital of charging sites and their grid by year and payer.",
    (
        YEAR,
        Column("item", "text", "sites, plugs or grid", codes="charging_capital_item"),
        Column("payer", "text", "who pays", codes="charging_payer"),
        Column("value_usd", "number", "capital", "USD", minimum=0),
    ),
    key=("year", "item", "payer"),
)
