"""The declared layout of every CSV table of the library: what hubs share.

The tables of a hub package are declared in :mod:`cleanhub.hub.schema`, those of a plan in
:mod:`cleanhub.hub.plan_tables`.
"""

from __future__ import annotations

from dataclasses import replace

from cleanhub.core.tables import Column, Table
from cleanhub.hub import freight_schema, project_schema
from cleanhub.hub.columns import CURRENCY_YEAR, HIGH, LOW, TRACE, UNIT, VALUE
from cleanhub.hub.finance_library import (
    ARL_DIMENSIONS,
    ARL_LOOKUP,
    CAPITAL_FACTORS,
    CASE_DEFAULTS,
    DEPRECIATION,
    ESTIMATE_CLASSES,
    FID_CHECKLIST,
    PIONEER_COEFFICIENTS,
    READINESS_LEVELS,
    SUPPORT_TERMS,
)
from cleanhub.hub.pipeline_library import GATE_RULES, LINK_RULES, SUPPORT_INSTRUMENTS
from cleanhub.hub.schema import SOURCES

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
        Column(
            "upstream_emission_factor_t",
            "number",
            "emissions of making and bringing it, per unit: scope 3 (empty: not known)",
            "t CO2e per unit",
            blank=True,
            optional=True,
            minimum=0,
        ),
        Column(
            "supplied_by",
            "text",
            "product whose market supplies it: its use adds to that market's demand (empty: bought outside)",
            blank=True,
            optional=True,
            codes="product",
        ),
        *TRACE,
    ),
    key=("carrier",),
)

COMPONENTS = Table(
    "components",
    "What technologies of several sectors have in common and learn together (batteries, capture ...).",
    (
        Column("component", "text", "identifier"),
        Column("name", "text", "name in words"),
        LOW,
        Column(
            "value",
            "number",
            "learning rate: fall of cost with each doubling",
            unit="1",
            minimum=0,
            maximum=0.9,
        ),
        HIGH,
        Column("unit", "text", "unit that deployment is counted in", unit_column=True),
        Column(
            "least_cost_share",
            "number",
            "least share of today's cost it can fall to",
            "1",
            minimum=0,
            maximum=1,
        ),
        Column("base_year", "year", "year at whose deployment the capital costs of the library stand"),
        *TRACE,
    ),
    key=("component",),
)

COMPONENT_DEPLOYMENT = Table(
    "component_deployment",
    "Cumulative world deployment of the components, by year, inside and outside the seven sectors.",
    (
        Column("component", "text", "component", refers="components.component"),
        Column("part", "text", "inside or outside the seven sectors", codes="deployment_part"),
        Column("year", "year", "year"),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        *TRACE,
    ),
    key=("component", "part", "year"),
)

TECHNOLOGY_COMPONENTS = Table(
    "technology_components",
    "Which share of a technology's capital is a component, and how much of it a unit of capacity takes.",
    (
        Column("technology", "text", "technology", refers="technologies.technology"),
        Column("component", "text", "component", refers="components.component"),
        Column("capex_share", "number", "share of the technology's capital", "1", minimum=0, maximum=1),
        Column("amount", "number", "component per unit of yearly capacity, or per vehicle", minimum=0),
        UNIT,
        *TRACE,
    ),
    key=("technology", "component"),
)

BREAKTHROUGHS = Table(
    "breakthroughs",
    "Near-term breakthroughs and milestones of the sectors, as their programmes state them.",
    (
        Column("breakthrough", "text", "identifier"),
        Column("name", "text", "name in words"),
        Column("programme", "text", "who set it"),
        Column("sector", "text", "sector", codes="sector"),
        Column(
            "product", "text", "product it is about (empty: all of the sector)", blank=True, codes="product"
        ),
        Column("metric", "text", "what is measured", codes="breakthrough_metric"),
        Column(
            "classification",
            "text",
            "classes of technology that count, ;-separated (empty: see technology, carrier or component)",
            blank=True,
            codes="classification",
            listed=True,
        ),
        Column(
            "technology",
            "text",
            "technologies that count, ;-separated",
            blank=True,
            codes="technology",
            listed=True,
        ),
        Column(
            "carrier", "text", "carriers that count, ;-separated", blank=True, codes="carrier", listed=True
        ),
        Column(
            "component", "text", "component whose capacity counts", blank=True, refers="components.component"
        ),
        Column("year", "year", "year it is due"),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        *TRACE,
    ),
    key=("breakthrough",),
)

GWP = Table(
    "gwp",
    "Global warming potentials over 100 years by set: tonnes of CO2 equivalent per tonne of gas.",
    (
        Column("gwp_set", "text", "report of the Intergovernmental Panel on Climate Change"),
        Column("gas", "text", "gas", codes="gas"),
        Column("value", "number", "potential", "1", minimum=0),
        *TRACE,
    ),
    key=("gwp_set", "gas"),
)

ADOPTION_THRESHOLDS = Table(
    "adoption_thresholds",
    "Shares of new capacity or of sales at which a technology is taken to have tipped.",
    (
        Column("threshold", "text", "identifier"),
        Column("value", "number", "share of new capacity or of sales", "%", minimum=0, maximum=100),
        *TRACE,
    ),
    key=("threshold",),
)

HEATING_VALUES = Table(
    "heating_values",
    "Energy of the fuels that are counted by mass, lower heating value.",
    (
        Column("carrier", "text", "carrier", codes="carrier"),
        Column("value", "number", "energy per unit of the carrier", "GJ per unit", minimum=0),
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

POLICIES = Table(
    "policies",
    "Dated rules: what each pays or asks, to whom it applies, and its state in law.",
    (
        Column("policy", "text", "identifier"),
        Column("name", "text", "name in words"),
        Column("instrument", "text", "kind of rule", codes="policy_instrument"),
        Column("jurisdiction", "text", "where it applies, any of", codes="jurisdiction", listed=True),
        Column("rule", "text", "how its amount is computed", codes="policy_rule"),
        Column(
            "quantity",
            "text",
            "what it pays for, any of (empty: capital, or nothing by quantity)",
            blank=True,
            codes="policy_quantity",
            listed=True,
        ),
        Column("years_paid", "integer", "operating years paid (empty: no end)", "yr", True, minimum=1),
        Column("pays_from", "date", "no operating year before the year of this day is paid", blank=True),
        Column("pays_until", "date", "no operating year after the year of this day is paid", blank=True),
        Column("tax_character", "text", "how a payment is taxed", codes="tax_character"),
        Column("lag_years", "number", "years from earning to cash", "yr", minimum=0, maximum=10),
        Column("bankable", "yes_no", "yes: lenders count it"),
        Column("legal_status", "text", "state in law", codes="legal_status"),
        Column("status_date", "date", "day of that state"),
        Column("summary", "text", "what it does, as the end of a sentence that begins with its name"),
        *TRACE,
    ),
    key=("policy",),
)

POLICY_VALUES = Table(
    "policy_values",
    "Amounts, prices, standards and factors of the policies.",
    (
        Column("policy", "text", "policy", refers="policies.policy"),
        Column("item", "text", "what the value is", codes="policy_item"),
        Column(
            "selector",
            "text",
            "to whom it applies: tags joined by +, with ! for not; the row with most tags counts",
            blank=True,
        ),
        Column("tier_from", "number", "lower bound of its tier, which includes it", blank=True),
        Column("year", "year", "year (empty: every year); interpolated between, held beyond", blank=True),
        Column("in_service_from", "date", "applies to what is in service from this day on", blank=True),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        CURRENCY_YEAR,
        Column("indexed_from", "year", "base year of indexation by the deflator (empty: none)", blank=True),
        Column("index_lag", "integer", "years by which the index lags the payment", "yr", True, minimum=0),
        *TRACE,
    ),
    key=("policy", "item", "selector", "tier_from", "year", "in_service_from"),
)

POLICY_CONDITIONS = Table(
    "policy_conditions",
    "What a project must meet, and the words that say why it does not.",
    (
        Column("policy", "text", "policy", refers="policies.policy"),
        Column("condition", "text", "identifier"),
        Column("test", "text", "test", codes="policy_test"),
        Column("fact", "text", "fact, or quantities to add up, that it tests (empty: a date)", blank=True),
        Column("applies_to", "text", "tags of those it is asked of (empty: all)", blank=True),
        Column("either", "text", "group of which one condition is enough", blank=True),
        Column("value", "text", "date, number or codes; several apart by ;", blank=True),
        Column("unit", "text", "unit of a number", blank=True, unit_column=True),
        Column("words", "text", "the reason when it is not met; {found} and {allowed} are filled in"),
        *TRACE,
    ),
    key=("condition",),
)

POLICY_EXCLUSIONS = Table(
    "policy_exclusions",
    "Which policies exclude each other, both ways.",
    (
        Column("exclusion", "text", "identifier of the rule"),
        Column("policy", "text", "one policy", refers="policies.policy"),
        Column("excludes", "text", "the other", refers="policies.policy"),
        Column("scope", "text", "of what they exclude each other"),
        *TRACE,
    ),
    key=("exclusion",),
)

POLICY_SETTINGS = Table(
    "policy_settings",
    "Figures that answers need and no law gives.",
    (
        Column("setting", "text", "setting", codes="policy_setting"),
        VALUE,
        UNIT,
        *TRACE,
    ),
    key=("setting",),
)

PUBLISHED_FIGURES = Table(
    "published_figures",
    "Figures that others publish, laid beside ours: demand and budgets that ours must equal, results of "
    "other models, goals. A figure without a metric is not measured, and says why.",
    (
        Column("figure", "text", "identifier"),
        Column("title", "text", "what is stated, in words"),
        Column("sector", "text", "sector", codes="sector"),
        Column("hub", "text", "bundled hub that it is measured on (empty: not measured)", blank=True),
        Column("scenario", "text", "scenario that it is measured on (empty: not measured)", blank=True),
        Column(
            "metric",
            "text",
            "what is measured (empty: nothing here measures it)",
            blank=True,
            codes="published_metric",
        ),
        Column("product", "text", "product that counts (empty: all)", blank=True, codes="product"),
        Column(
            "technology",
            "text",
            "technologies that count, ;-separated (empty: all)",
            blank=True,
            codes="technology",
            listed=True,
        ),
        Column(
            "classification",
            "text",
            "classes of technology that count, ;-separated (empty: all)",
            blank=True,
            codes="classification",
            listed=True,
        ),
        Column(
            "carrier", "text", "carriers that count, ;-separated", blank=True, codes="carrier", listed=True
        ),
        Column("region", "text", "regions that count, ;-separated (empty: all)", blank=True),
        Column(
            "component", "text", "component whose figure it is", blank=True, refers="components.component"
        ),
        Column("asset_id", "text", "assets that count, ;-separated (empty: all)", blank=True),
        Column("year", "year", "year it stands for, or the last one of a period", blank=True),
        Column("base_year", "year", "year it is compared with, or the first one of a period", blank=True),
        LOW,
        Column("value", "number", "published value (empty: a range alone)", blank=True),
        HIGH,
        UNIT,
        Column("exact", "yes_no", "yes: a source that ours must equal; no: another model's result or a goal"),
        Column("why", "text", "why ours should agree or may differ, or why it is not measured"),
        *TRACE,
    ),
    key=("figure",),
)

FREIGHT_PARAMETERS = replace(freight_schema.FREIGHT_PARAMETERS, optional=False)
PIPELINE_PARAMETERS = replace(project_schema.PIPELINE_PARAMETERS, optional=False)
COMMITMENTS = replace(project_schema.COMMITMENTS, optional=False)
OFFTAKERS = replace(project_schema.OFFTAKERS, optional=False)

GRID_TIERS = Table(
    "grid_tiers",
    "Works by which a substation or its feeders can serve more, in order of size.",
    (
        Column("tier", "text", "name of the works", codes="grid_tier"),
        Column("order", "integer", "place in the order in which they are done", minimum=1),
        Column("kw", "number", "load it adds", "kW", minimum=0),
        Column("cost_low", "number", "low end of its cost", "USD", minimum=0),
        Column("cost", "number", "cost", "USD", minimum=0),
        Column("cost_high", "number", "high end of its cost", "USD", minimum=0),
        Column("currency_year", "year", "price year of the cost"),
        Column("lead_low", "number", "shortest lead time", "yr", minimum=0),
        Column("lead", "number", "expected lead time", "yr", minimum=0),
        Column("lead_high", "number", "longest lead time", "yr", minimum=0),
        Column("lead_statistic", "text", "what the published lead times are: target, mean, maximum, range"),
        *TRACE,
    ),
    key=("tier",),
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
        GWP,
        COMPONENTS,
        COMPONENT_DEPLOYMENT,
        TECHNOLOGY_COMPONENTS,
        BREAKTHROUGHS,
        ADOPTION_THRESHOLDS,
        HEATING_VALUES,
        PRICE_INDEX,
        DEPRECIATION,
        POLICIES,
        POLICY_VALUES,
        POLICY_CONDITIONS,
        POLICY_EXCLUSIONS,
        POLICY_SETTINGS,
        ESTIMATE_CLASSES,
        CAPITAL_FACTORS,
        PIONEER_COEFFICIENTS,
        READINESS_LEVELS,
        ARL_DIMENSIONS,
        ARL_LOOKUP,
        FID_CHECKLIST,
        CASE_DEFAULTS,
        SUPPORT_TERMS,
        PUBLISHED_FIGURES,
        FREIGHT_PARAMETERS,
        GRID_TIERS,
        PIPELINE_PARAMETERS,
        COMMITMENTS,
        OFFTAKERS,
        GATE_RULES,
        LINK_RULES,
        SUPPORT_INSTRUMENTS,
    )
}
