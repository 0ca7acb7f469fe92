"""The declared layout of every CSV table of a hub package.

One :class:`~cleanhub.core.tables.Table` per file. ``hub check``, ``load_hub``,
``hub new``, ``datapackage.json`` and the generated docs all read these declarations; a
column exists nowhere else. Those of projects and of freight are in
:mod:`cleanhub.hub.project_schema` and :mod:`cleanhub.hub.freight_schema`, the tables of a
*plan* in :mod:`cleanhub.hub.plan_tables`.
"""

from __future__ import annotations

from cleanhub.core.tables import Column, Table
from cleanhub.hub.columns import (
    ASSET_ID,
    CONFIDENCE,
    CURRENCY_YEAR,
    HIGH,
    LAT,
    LON,
    LOW,
    NOTE,
    REGION,
    SOURCE,
    TRACE,
    UNIT,
    VALUE,
)
from cleanhub.hub.freight_schema import (
    COMMUNITY_AREAS,
    FREIGHT_PARAMETERS,
    FREIGHT_PLACES,
    GRID_HEADROOM,
    INFRASTRUCTURE,
    PORT_THROUGHPUT,
    TARIFFS,
    TRUCK_REGISTRY,
    WAREHOUSE_CLUSTERS,
)
from cleanhub.hub.project_schema import COMMITMENTS, GATES_BEGUN, OFFTAKERS, PIPELINE_PARAMETERS, PROJECTS


def _reach(name: str, description: str) -> Column:
    return Column(name, "number", description, "1", blank=True, optional=True, minimum=0, maximum=1)


SOURCES = Table(
    "sources",
    "Where numbers came from. Every row of every other table names one of these.",
    (
        Column("source_id", "text", "short name, used in other tables"),
        Column("title", "text", "title of the primary publication"),
        Column("publisher", "text", "who published it"),
        Column("year", "year", "year of publication or of the data", blank=True),
        Column("licence", "text", "terms of the primary"),
        Column("address", "text", "where it is published", blank=True),
        Column(
            "read_through_copyleft",
            "yes_no",
            "yes: single figures were read through a copyleft repository (at most 20 rows a table)",
        ),
        NOTE,
    ),
    key=("source_id",),
)

FACILITIES = Table(
    "facilities",
    "Sites: plants and other point emitters, one row each.",
    (
        Column("asset_id", "text", "identifier of the site, used in every other table"),
        Column("name", "text", "name of the site"),
        LAT,
        LON,
        Column("sector", "text", "sector", codes="sector"),
        Column("inventory_sector", "text", "top-level inventory sector that holds its tonnes"),
        Column("city", "text", "town", blank=True),
        Column("county", "text", "county", blank=True),
        Column("tract", "text", "nearest census tract centroid", blank=True),
        Column("naics", "text", "NAICS code as reported", blank=True),
        Column("product", "text", "main product", blank=True, codes="product"),
        Column(
            "technology",
            "text",
            "technology in use (empty: the sector's incumbent, or none in the library)",
            blank=True,
            refers="technologies.technology",
        ),
        Column("capacity", "number", "yearly capacity of the product", blank=True, minimum=0),
        Column("capacity_unit", "text", "unit of capacity", blank=True, unit_column=True),
        Column("opened_year", "year", "first year of operation", blank=True),
        Column("closed_year", "year", "last year of operation, when announced", blank=True),
        Column(
            "reinvestment_year",
            "year",
            "a year in which the main equipment falls due (empty: spread by rule, assumed)",
            blank=True,
        ),
        *TRACE,
    ),
    key=("asset_id",),
)

FACILITY_EMISSIONS = Table(
    "facility_emissions",
    "Reported yearly emissions of the sites, under the hub's GWP set, without biogenic CO2.",
    (
        ASSET_ID,
        Column("year", "year", "reporting year"),
        Column("co2e_t", "number", "direct emissions", unit="t CO2e", minimum=0),
        Column("co2_t", "number", "of which CO2", unit="t", blank=True, minimum=0),
        Column("biogenic_co2_t", "number", "biogenic CO2, outside co2e_t", unit="t", blank=True, minimum=0),
        Column(
            "process_co2e_t",
            "number",
            "of which reported under process subparts",
            unit="t CO2e",
            blank=True,
            minimum=0,
        ),
        *TRACE,
    ),
)

INVENTORY = Table(
    "inventory",
    "The published greenhouse-gas inventory by year, sector, category and gas.",
    (
        Column("year", "year", "inventory year"),
        Column("inventory_sector", "text", "top-level sector of the inventory, as published"),
        Column("sector", "text", "sector", codes="sector"),
        Column("category", "text", "category of the inventory, shortened"),
        Column("gas", "text", "gas", codes="gas"),
        Column("boundary", "text", "included, excluded or biogenic", codes="boundary"),
        Column("co2e_t", "number", "emissions under the hub's GWP set", unit="t CO2e"),
        SOURCE,
        CONFIDENCE,
    ),
    key=("year", "inventory_sector", "sector", "category", "gas", "boundary"),
)

BRANCHES = Table(
    "branches",
    "One row per sector within a top-level inventory sector: what moves its rest.",
    (
        Column("inventory_sector", "text", "top-level sector of the inventory"),
        Column("sector", "text", "sector", codes="sector"),
        Column("hub_scope", "yes_no", "yes: the hub's programme covers it"),
        Column(
            "driver",
            "text",
            "index that moves its activity after the last inventory year (empty: constant, assumed)",
            blank=True,
            refers="drivers.driver",
            loose=True,
        ),
        *TRACE,
    ),
    key=("inventory_sector", "sector"),
)

COHORTS = Table(
    "cohorts",
    "Vehicles, vessels and aircraft counted by class. Their tonnes are a share of an inventory category.",
    (
        Column("asset_id", "text", "identifier of the cohort class"),
        Column("name", "text", "name of the class"),
        Column("sector", "text", "sector", codes="sector"),
        REGION,
        Column("inventory_sector", "text", "top-level inventory sector that holds its tonnes"),
        Column("category", "text", "inventory category that holds its tonnes"),
        Column("category_share", "number", "share of that category", unit="1", minimum=0, maximum=1),
        Column("technology", "text", "technology in use", blank=True, refers="technologies.technology"),
        Column("vehicles", "number", "vehicles in the base year", blank=True, minimum=0),
        Column(
            "activity",
            "number",
            "yearly activity of the whole class in the base year",
            blank=True,
            minimum=0,
        ),
        Column("activity_unit", "text", "unit of activity", blank=True, unit_column=True),
        Column("base_year", "year", "year of vehicles and activity", blank=True),
        Column("survival_median", "number", "age at which half have left", "yr", True, minimum=1, maximum=40),
        Column("survival_shape", "number", "Weibull shape of survival", "1", True, minimum=0.5, maximum=20),
        Column(
            "mileage_decline",
            "number",
            "yearly decline of activity with age",
            unit="1/yr",
            blank=True,
            minimum=0,
            maximum=0.5,
        ),
        Column(
            "zero_emission_sales_driver",
            "text",
            "least share of new vehicles without tailpipe emissions, where a scenario enforces it",
            blank=True,
            optional=True,
            refers="drivers.driver",
            loose=True,
        ),
        Column(
            "duty_cycle",
            "text",
            "what its vehicles do: drayage is served by the sites of freight (empty: not described)",
            blank=True,
            optional=True,
            codes="duty_cycle",
        ),
        *TRACE,
    ),
    key=("asset_id",),
    optional=True,
)

DRIVERS = Table(
    "drivers",
    "Outside values by year: activity, prices, emission factors, credits. Years between are interpolated.",
    (
        Column("driver", "text", "name of the driver"),
        Column("kind", "text", "what it is", codes="driver_kind"),
        REGION,
        Column("year", "year", "year"),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        CURRENCY_YEAR,
        *TRACE,
    ),
    key=("driver", "region", "year"),
)

PRICES = Table(
    "prices",
    "Observed prices by period.",
    (
        Column("series", "text", "name of the series"),
        Column("period", "text", "year, or year-month, or as published"),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        CURRENCY_YEAR,
        *TRACE,
    ),
    key=("series", "period"),
    optional=True,
)

CREDITS = Table(
    "credits",
    "Dated credits and payments that a scenario may switch on, each with the amounts of a policy or of a "
    "price driver.",
    (
        Column("credit", "text", "identifier, named in scenarios"),
        Column("name", "text", "name in words"),
        Column(
            "policy",
            "text",
            "policy of the library, or of the hub's folder policies, that sets who is paid, how much and "
            "until when (empty: the driver does)",
            blank=True,
            optional=True,
        ),
        Column(
            "facts",
            "text",
            "what whoever takes the credit is assumed to state to the policy: name=value, ;-separated; a "
            "quantity that the policy pays for, with its yearly amount, is one; =value@driver is the value "
            "in the scenario's as_of year, moving with the driver",
            blank=True,
            optional=True,
        ),
        Column(
            "driver",
            "text",
            "price driver, by year of the decision (empty: the policy sets the amount)",
            blank=True,
            refers="drivers.driver",
            loose=True,
        ),
        Column("basis", "text", "what is paid for", codes="credit_basis"),
        Column("sector", "text", "sector it is limited to (empty: any)", blank=True, codes="sector"),
        Column(
            "technology",
            "text",
            "technologies it is limited to, ;-separated (empty: any with the basis)",
            blank=True,
            codes="technology",
            listed=True,
        ),
        Column(
            "years_paid",
            "number",
            "years it is paid at most (empty: as the policy says)",
            unit="yr",
            blank=True,
            minimum=0,
            maximum=60,
        ),
        _reach("reach_low", "low end of the reach (empty: the reach)"),
        _reach("reach", "share of those who could take it that it reaches (empty: all)"),
        _reach("reach_high", "high end of the reach (empty: the reach)"),
        Column(
            "excludes",
            "text",
            "credit that cannot be taken with it (of two with a policy, the policies say so)",
            blank=True,
        ),
        *TRACE,
    ),
    key=("credit",),
    optional=True,
)

LIMITS = Table(
    "limits",
    "Limits that the path must keep, by year. Years between are interpolated.",
    (
        Column("limit", "text", "name of the limit"),
        Column("quantity", "text", "what is limited", codes="limit_quantity"),
        Column(
            "sector",
            "text",
            "sector it is limited to (empty: all)",
            blank=True,
            optional=True,
            codes="sector",
        ),
        Column(
            "product",
            "text",
            "product it is limited to (empty: all)",
            blank=True,
            optional=True,
            codes="product",
        ),
        Column(
            "technology",
            "text",
            "technologies it is limited to, ;-separated (empty: all)",
            blank=True,
            optional=True,
            codes="technology",
            listed=True,
        ),
        Column(
            "carrier",
            "text",
            "carrier it counts, where it limits the use of one",
            blank=True,
            optional=True,
            codes="carrier",
        ),
        REGION,
        Column(
            "period",
            "text",
            "annual (empty) or cumulative: from the row's first year to each year",
            blank=True,
            optional=True,
            codes="limit_period",
        ),
        Column(
            "kind",
            "text",
            "cap (empty): at most; floor: at least",
            blank=True,
            optional=True,
            codes="limit_kind",
        ),
        Column(
            "hard",
            "yes_no",
            "yes (empty): what breaks it is refused; no: it may be broken, and the plan says by how much",
            blank=True,
            optional=True,
        ),
        Column("year", "year", "year"),
        Column("low", "number", "low end", blank=True, minimum=0),
        Column("value", "number", "limit", minimum=0),
        Column("high", "number", "high end", blank=True, minimum=0),
        UNIT,
        *TRACE,
    ),
    key=("limit", "year"),
    optional=True,
)

MARKETS = Table(
    "markets",
    "Products whose demand the hub's plants meet together: plants are added, dispatched and retired for it. "
    "Sites outside any market follow the driver of their branch.",
    (
        Column("market", "text", "identifier"),
        Column("sector", "text", "sector", codes="sector"),
        Column("product", "text", "product", codes="product"),
        Column("region", "text", "region (empty: the whole hub)", blank=True, optional=True),
        Column("inventory_sector", "text", "top-level inventory sector that holds its tonnes"),
        Column(
            "demand_driver",
            "text",
            "driver with the yearly demand in units of the product, of the market's region if it has rows",
            refers="drivers.driver",
            loose=True,
        ),
        Column("plant_capacity", "number", "yearly capacity of a typical new plant", minimum=0),
        Column("unit", "text", "unit of the plant's capacity", unit_column=True),
        Column(
            "utilisation_low", "number", "least share of capacity a plant runs at", "1", minimum=0, maximum=1
        ),
        Column("utilisation_high", "number", "most it can run at", "1", minimum=0.05, maximum=1),
        Column("new_plants", "yes_no", "yes: new plants may be built for it"),
        *TRACE,
    ),
    key=("market",),
    optional=True,
)

STACKS = Table(
    "stacks",
    "Plants of a market known only as a whole, by technology: they stand as representative plants.",
    (
        Column("market", "text", "market", refers="markets.market"),
        Column("technology", "text", "technology in use", refers="technologies.technology"),
        Column("capacity", "number", "yearly capacity of all plants", minimum=0),
        Column("unit", "text", "unit of capacity", unit_column=True),
        Column(
            "plants",
            "integer",
            "representative plants (empty: capacity over the market's plant_capacity, rounded up)",
            blank=True,
            optional=True,
            minimum=1,
            maximum=100_000,
        ),
        Column("oldest_year", "year", "last investment year of the plant that is due first"),
        Column(
            "newest_year",
            "year",
            "last investment year of the plant that is due last; the others lie between",
        ),
        *TRACE,
    ),
    key=("market", "technology"),
    optional=True,
)

TARGETS = Table(
    "targets",
    "Targets and milestones that the plan is scored against.",
    (
        Column("target", "text", "identifier"),
        Column("name", "text", "name in words"),
        Column("metric", "text", "what is measured", codes="target_metric"),
        Column("sector", "text", "sector it is limited to (empty: all)", blank=True, codes="sector"),
        Column(
            "cohort",
            "text",
            "cohort classes it is limited to, ;-separated (empty: all)",
            blank=True,
            optional=True,
        ),
        Column("year", "year", "year it is due"),
        Column("value", "number", "target value"),
        UNIT,
        Column("base_year", "year", "year it is measured against", blank=True),
        *TRACE,
    ),
    key=("target",),
    optional=True,
)

PROPOSED = ("concept", "announced", "pre_feed", "feed")
"""Stages before the final investment decision."""
PAST_FID = ("fid", "construction", "operating")
"""Stages past the final investment decision."""
ENDED = ("shelved", "cancelled", "closed")
"""Stages of projects that have ended, or rest without a date."""

PROGRAMME_FACTS = Table(
    "programme_facts",
    "What the hub's programme says of itself, to compare with and never to tune to.",
    (
        Column("fact", "text", "identifier"),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        Column("statement", "text", "what was said, in short", blank=True),
        *TRACE,
    ),
    key=("fact",),
    optional=True,
)

TRACTS = Table(
    "tracts",
    "Census tracts with people and burdens (screening scores).",
    (
        Column("tract", "text", "census tract code"),
        Column("county", "text", "county"),
        Column("place", "text", "nearest place", blank=True),
        LAT,
        LON,
        Column("population", "number", "people", minimum=0),
        Column("disadvantaged", "yes_no", "designated as a disadvantaged community"),
        Column("designation", "text", "ground of the designation", blank=True),
        Column(
            "burden_percentile", "number", "screening score, percentile", "%", True, minimum=0, maximum=100
        ),
        Column("pm25_ugm3", "number", "yearly mean PM2.5", "ug/m3", True, minimum=0),
        Column("diesel_pm_t", "number", "diesel PM emitted in and near the tract", "t/yr", True, minimum=0),
        Column("asthma_ed_per_10k", "number", "asthma emergency visits", "1/10000", True, minimum=0),
        Column(
            "poverty_percent",
            "number",
            "people below twice the poverty line",
            "%",
            True,
            minimum=0,
            maximum=100,
        ),
        SOURCE,
        CONFIDENCE,
    ),
    key=("tract",),
    optional=True,
)

COUNTIES = Table(
    "counties",
    "Counties of the hub; shapes are in counties.geojson.",
    (
        Column("county", "text", "name"),
        Column("fips", "text", "code", blank=True),
        Column("population", "number", "people", blank=True, minimum=0),
        Column("population_year", "year", "year of the population", blank=True),
        *TRACE,
    ),
    key=("county",),
    optional=True,
)

PACKAGE_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SOURCES,
        FACILITIES,
        FACILITY_EMISSIONS,
        INVENTORY,
        BRANCHES,
        COHORTS,
        DRIVERS,
        CREDITS,
        LIMITS,
        MARKETS,
        STACKS,
        TARGETS,
        PRICES,
        TARIFFS,
        PROJECTS,
        GATES_BEGUN,
        PIPELINE_PARAMETERS,
        COMMITMENTS,
        OFFTAKERS,
        PROGRAMME_FACTS,
        INFRASTRUCTURE,
        PORT_THROUGHPUT,
        WAREHOUSE_CLUSTERS,
        FREIGHT_PARAMETERS,
        FREIGHT_PLACES,
        TRUCK_REGISTRY,
        GRID_HEADROOM,
        COMMUNITY_AREAS,
        TRACTS,
        COUNTIES,
    )
}
