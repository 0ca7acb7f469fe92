"""The layout of a hub package's tables about freight: places, tariffs, figures, trucks, grid, communities."""

from __future__ import annotations

from cleanhub.core.tables import Column, Table
from cleanhub.hub.columns import (
    COORD_PRECISION,
    CURRENCY_YEAR,
    HIGH,
    LAT,
    LON,
    LOW,
    TRACE,
    UNIT,
    VALUE,
    parameters_table,
)

INFRASTRUCTURE = Table(
    "infrastructure",
    "Ports, terminals, airports, rail yards, substations, CO2 stores, hydrogen lines, depots.",
    (
        Column("infrastructure_id", "text", "identifier"),
        Column("kind", "text", "kind", codes="infrastructure_kind"),
        Column("name", "text", "name"),
        Column("operator", "text", "operator", blank=True),
        Column("city", "text", "town", blank=True),
        Column("county", "text", "county", blank=True),
        LAT,
        LON,
        COORD_PRECISION,
        Column("part_of", "text", "what it is part of", blank=True),
        Column("value", "number", "main figure (capacity, voltage, power)", blank=True, minimum=0),
        Column("unit", "text", "unit of the value", blank=True, unit_column=True),
        Column("value_year", "year", "year of the value", blank=True),
        Column("plugs", "number", "vehicles that can charge at once", blank=True, minimum=0),
        Column("status", "text", "status", blank=True),
        *TRACE,
    ),
    key=("infrastructure_id",),
    optional=True,
)

PORT_THROUGHPUT = Table(
    "port_throughput",
    "Container throughput by port, measure and year.",
    (
        Column("port", "text", "port"),
        Column("measure", "text", "what is counted"),
        Column("year", "year", "year"),
        Column("teu", "number", "throughput", unit="TEU", minimum=0),
        *TRACE,
    ),
    key=("port", "measure", "year"),
    optional=True,
)

WAREHOUSE_CLUSTERS = Table(
    "warehouse_clusters",
    "Warehouse clusters that trucks serve.",
    (
        Column("cluster", "text", "name"),
        Column("county", "text", "county", blank=True),
        LAT,
        LON,
        Column("establishments", "number", "warehouse establishments", blank=True, minimum=0),
        Column("general", "number", "of which general warehousing", blank=True, minimum=0),
        Column("cold", "number", "of which cold stores", blank=True, minimum=0),
        Column("planned_m2", "number", "floor area planned", "m2", True, minimum=0),
        Column("share", "number", "share of the region's warehousing", "1", True, minimum=0, maximum=1),
        *TRACE,
    ),
    key=("cluster", "county"),
    optional=True,
)

TARIFFS = Table(
    "tariffs",
    "Electricity tariffs by season, period and component.",
    (
        Column("utility", "text", "utility"),
        Column("schedule", "text", "name of the tariff"),
        Column("season", "text", "season", blank=True),
        Column("period", "text", "period", blank=True),
        Column("days", "text", "days", blank=True),
        Column("hours", "text", "hours", blank=True),
        Column("component", "text", "energy, demand, customer ..."),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        CURRENCY_YEAR,
        Column("effective", "text", "from when", blank=True),
        *TRACE,
    ),
    optional=True,
)

FREIGHT_PARAMETERS = parameters_table(
    "freight_parameters",
    "Figures of trucks, trips, chargers and grid. A hub's row takes the place of the library's.",
    codes="freight_parameter",
    items="a band, a load, a kind of site",
)

FREIGHT_PLACES = Table(
    "freight_places",
    "Places of freight beyond terminals, rail yards and clusters: gateways, truck stops, port land.",
    (
        Column("place_id", "text", "identifier"),
        Column("name", "text", "name"),
        Column("kind", "text", "kind", codes="freight_place_kind"),
        LAT,
        LON,
        Column("weight", "number", "size among places of its kind", "1", blank=True, minimum=0),
        *TRACE,
    ),
    key=("place_id",),
    optional=True,
)

TRUCK_REGISTRY = Table(
    "truck_registry",
    "Trucks of a cohort by model year, and firms by the number of their trucks, as shares.",
    (
        Column("asset_id", "text", "cohort meant", refers="cohorts.asset_id"),
        Column("counts", "text", "trucks by model year, or firms by trucks", codes="registry_count"),
        Column("first", "integer", "first model year or number of trucks of the class", minimum=0),
        Column("last", "integer", "last model year or number of trucks of the class", minimum=0),
        Column("share", "number", "share of all", "1", minimum=0, maximum=1),
        *TRACE,
    ),
    key=("asset_id", "counts", "first"),
    optional=True,
)

GRID_HEADROOM = Table(
    "grid_headroom",
    "What substations can serve beyond today's load. Without a row it is assumed by voltage.",
    (
        Column(
            "infrastructure_id", "text", "substation", refers="infrastructure.infrastructure_id", loose=True
        ),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        Column("value_year", "year", "year of the figure", blank=True),
        *TRACE,
    ),
    key=("infrastructure_id",),
    optional=True,
)

COMMUNITY_AREAS = Table(
    "community_areas",
    "Areas where people ask for chargers first, or for none, and who asked.",
    (
        Column("area_id", "text", "identifier"),
        Column("name", "text", "name"),
        Column("kind", "text", "priority or no_go", codes="community_area_kind"),
        LAT,
        LON,
        Column("radius_km", "number", "radius around the point", "km", minimum=0, maximum=100),
        Column("asked_by", "text", "who asked"),
        Column("asked_on", "date", "when", blank=True),
        *TRACE,
    ),
    key=("area_id",),
    optional=True,
)
