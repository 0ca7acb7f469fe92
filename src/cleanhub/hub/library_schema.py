"""The declared layout of every CSV table of the library: what hubs share.

The tables of a hub package are declared in :mod:`cleanhub.hub.schema`, those of a plan in
:mod:`cleanhub.hub.plan_tables`.
"""

from __future__ import annotations

from cleanhub.core.tables import Column, Table
from cleanhub.hub.schema import CURRENCY_YEAR, HIGH, LOW, SOURCES, TRACE, UNIT, VALUE

CODELISTS = Table(
    "codelists",
    "The vocabularies. A word that is not here is an error.",
    (
        Column("list", "text", "name of the codelist"),
        Column("code", "text", "code"),
        Column("meaning", "text", "meaning"),
    ),
    key=("list", "code"),
)

TECHNOLOGIES = Table(
    "technologies",
    "Ways to make a product or service.",
    (
        Column("technology", "text", "identifier"),
        Column("name", "text", "name in words"),
        Column("sector", "text", "sector", codes="sector"),
        Column("product", "text", "product", codes="product"),
        Column("product_unit", "text", "unit of the product", unit_column=True),
        Column("classification", "text", "initial, transition or end_state", codes="classification"),
        Column(
            "built_on",
            "text",
            "technology whose parameters it adds to (capture on a kiln)",
            blank=True,
            refers="technologies.technology",
        ),
        Column("default_for_sector", "yes_no", "yes: sites of the sector use it unless they say otherwise"),
        Column("earliest_year", "year", "first year it can be chosen"),
        Column(
            "investment_cycle", "number", "years between investment decisions", "yr", minimum=1, maximum=60
        ),
        Column("trl", "number", "technology readiness level", "1", True, minimum=1, maximum=9),
        *TRACE,
    ),
    key=("technology",),
)

TECHNOLOGY_PARAMETERS = Table(
    "technology_parameters",
    "Costs, inputs and emissions of the technologies, each with range and source.",
    (
        Column("technology", "text", "technology", refers="technologies.technology"),
        Column("parameter", "text", "parameter", codes="parameter"),
        Column("carrier", "text", "carrier of an input", blank=True, codes="carrier"),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        CURRENCY_YEAR,
        *TRACE,
    ),
    key=("technology", "parameter", "carrier"),
)

SWITCHES = Table(
    "switches",
    "Which technology may become which.",
    (
        Column("from_technology", "text", "technology before", refers="technologies.technology"),
        Column("to_technology", "text", "technology after", refers="technologies.technology"),
        Column("kind", "text", "retrofit or rebuild", codes="switch_kind"),
        *TRACE,
    ),
    key=("from_technology", "to_technology"),
)

CARRIERS = Table(
    "carriers",
    "Energy carriers and feedstocks with their direct emission factors.",
    (
        Column("carrier", "text", "carrier", codes="carrier"),
        Column("name", "text", "name in words"),
        Column("unit", "text", "unit it is counted in", unit_column=True),
        Column("price_driver", "text", "driver that prices it"),
        Column(
            "emission_factor_t",
            "number",
            "direct fossil CO2 when burnt, per unit",
            unit="t CO2 per unit",
            minimum=0,
        ),
        *TRACE,
    ),
    key=("carrier",),
)

PRICE_INDEX = Table(
    "price_index",
    "Price indices and exchange rates by year.",
    (
        Column("series", "text", "deflator or currency", codes="price_series"),
        Column("year", "year", "year"),
        Column("value", "number", "index, or units of the currency per USD", minimum=0),
        UNIT,
        *TRACE,
    ),
    key=("series", "year"),
)

DEPRECIATION = Table(
    "depreciation",
    "Tax depreciation: share of capital written off in each year of a recovery class.",
    (
        Column("recovery_years", "integer", "recovery class", unit="yr", minimum=1, maximum=50),
        Column("year", "integer", "year of operation", minimum=1, maximum=60),
        Column("share", "number", "share written off", unit="1", minimum=0, maximum=1),
        *TRACE,
    ),
    key=("recovery_years", "year"),
)

LIBRARY_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SOURCES,
        CODELISTS,
        TECHNOLOGIES,
        TECHNOLOGY_PARAMETERS,
        SWITCHES,
        CARRIERS,
        PRICE_INDEX,
        DEPRECIATION,
    )
}
