"""The declared layout of every table of a plan.

The names and columns are a contract that users and other rooms rely on. A room builds
frames; :func:`cleanhub.core.tables.conform` holds them to these declarations before they
are kept. Tables named in :data:`PENDING` are part of the design and not built yet; a plan
lists them as pending and never fakes them.
"""

from __future__ import annotations

from cleanhub.core.tables import Column, Table
from cleanhub.hub.charging_tables import (
    CHARGERS,
    CHARGING_CAPITAL,
    GRID_UPGRADES,
    ROAD_FLOW,
    SITE_LOAD,
    SITE_USE,
    TRUCK_CHARGING,
)
from cleanhub.hub.columns import RESULT_UNIT, YEAR
from cleanhub.hub.pipeline_tables import PIPELINE_TABLES

SECTOR = Column("sector", "text", "sector", codes="sector")
VALUE = Column("value", "number", "value")

SCORECARD = Table(
    "scorecard",
    "The headlines of the plan, in reading order.",
    (
        Column("order", "integer", "reading order", minimum=0),
        Column("metric", "text", "identifier of the headline"),
        Column("title", "text", "the headline in words"),
        Column("year", "year", "year it stands for", blank=True),
        Column("value", "number", "value", blank=True),
        Column("low", "number", "value with the low ends of the drivers", blank=True),
        Column("high", "number", "value with the high ends of the drivers", blank=True),
        RESULT_UNIT,
        Column("target", "number", "target for the same metric", blank=True),
        Column("met", "text", "yes, no or empty", blank=True),
        Column(
            "recalled_share",
            "number",
            "share resting on recalled or assumed inputs",
            "1",
            True,
            minimum=0,
            maximum=1,
        ),
        Column("illustrative", "yes_no", "yes where recalled_share is above 0.3"),
        Column("source", "text", "source ids, ;-separated"),
        Column("note", "text", "what a reader must know", blank=True),
    ),
    key=("order",),
)

EMISSIONS = Table(
    "emissions",
    "Emissions by year. No subtotal rows: scope 1 + included + co2e of a past year sums to the inventory.",
    (
        YEAR,
        Column("inventory_sector", "text", "top-level inventory sector"),
        SECTOR,
        Column("asset_kind", "text", "site, cohort or rest", codes="asset_kind"),
        Column("scope", "integer", "1, 2 or 3; never added to each other", minimum=1, maximum=3),
        Column("gas", "text", "gas", codes="gas"),
        Column("boundary", "text", "included, excluded or biogenic", codes="boundary"),
        VALUE,
        RESULT_UNIT,
        Column("gwp", "text", "GWP set of CO2-equivalent values"),
        Column("hub_scope", "yes_no", "yes: the hub's programme covers it"),
        Column("status", "text", "history or projected", codes="status"),
        Column("confidence", "text", "weakest confidence among its inputs", codes="confidence"),
    ),
    key=("year", "inventory_sector", "sector", "asset_kind", "scope", "gas", "boundary"),
)

ASSETS = Table(
    "assets",
    "Every site and cohort class by year: what it runs, makes and emits.",
    (
        Column("asset_id", "text", "site or cohort class"),
        YEAR,
        SECTOR,
        Column("asset_kind", "text", "site or cohort", codes="asset_kind"),
        Column("technology", "text", "technology in use (empty: none in the library)", blank=True),
        Column("capacity", "number", "yearly capacity", blank=True, minimum=0),
        Column("production", "number", "yearly production", blank=True, minimum=0),
        Column("unit", "text", "unit of capacity and production", blank=True),
        Column("co2e_t", "number", "scope 1 emissions", unit="t CO2e", minimum=0),
        Column("captured_t", "number", "CO2 captured for storage", unit="t CO2", minimum=0),
    ),
    key=("asset_id", "year", "technology"),
)

SWITCHES = Table(
    "switches",
    "Changes of technology, and closures.",
    (
        YEAR,
        Column("asset_id", "text", "site or cohort class"),
        SECTOR,
        Column("from_technology", "text", "technology before (empty: a new plant)", blank=True),
        Column("to_technology", "text", "technology after (empty: closed or retired)", blank=True),
        Column(
            "kind",
            "text",
            "retrofit, rebuild, new, committed, purchase, project, retired or closure",
        ),
        Column("capex_usd", "number", "capital spent", unit="USD"),
        Column(
            "abated_t_per_year", "number", "scope 1 emissions cut each year", unit="t CO2e/yr", blank=True
        ),
        Column("saving_usd_per_unit", "number", "levelised saving against keeping on", blank=True),
        Column("unit", "text", "unit of the product", blank=True),
    ),
    key=("year", "asset_id", "to_technology"),
)

ENERGY = Table(
    "energy",
    "Energy used by the assets whose technology is in the library.",
    (YEAR, SECTOR, Column("carrier", "text", "carrier", codes="carrier"), VALUE, RESULT_UNIT),
    key=("year", "sector", "carrier"),
)

PRODUCTION = Table(
    "production",
    "What each technology makes: the technology roadmap. Vehicles count as plants.",
    (
        YEAR,
        SECTOR,
        Column("product", "text", "product", codes="product"),
        Column("region", "text", "region (empty: the whole hub)", blank=True),
        Column("technology", "text", "technology"),
        Column("production", "number", "yearly production, or activity of vehicles", minimum=0),
        Column("capacity", "number", "yearly capacity (vehicles: empty)", blank=True, minimum=0),
        Column("plants", "number", "plants, or vehicles", minimum=0),
        RESULT_UNIT,
    ),
    key=("year", "sector", "product", "region", "technology"),
)

BALANCES = Table(
    "balances",
    "Carriers that sectors share: used, made by the hub's own plants, bought outside; CO2 for storage.",
    (
        YEAR,
        Column("carrier", "text", "carrier, or co2_for_storage"),
        Column("item", "text", "use, own supply or bought"),
        VALUE,
        RESULT_UNIT,
    ),
    key=("year", "carrier", "item"),
)

STRANDED = Table(
    "stranded",
    "Capital given up before its lifetime was over, written off in a straight line.",
    (
        YEAR,
        SECTOR,
        Column("technology", "text", "technology given up"),
        Column("why", "text", "retired early or replaced early"),
        Column("plants", "number", "plants", minimum=0),
        Column("capital_usd", "number", "capital not yet written off", unit="USD", minimum=0),
    ),
    key=("year", "sector", "technology", "why"),
)

COSTS = Table(
    "costs",
    "Yearly spending of the assets whose technology is in the library. Payments received are negative.",
    (
        YEAR,
        SECTOR,
        Column("item", "text", "what is paid", codes="cost_item"),
        Column("value_usd", "number", "spending", unit="USD"),
    ),
    key=("year", "sector", "item"),
)

LIMITS = Table(
    "limits",
    "Every limit by year: what it allows, what was used, and what it is worth.",
    (
        Column("limit", "text", "limit"),
        Column("kind", "text", "cap: at most; floor: at least", codes="limit_kind"),
        YEAR,
        Column("value", "number", "what is allowed", blank=True),
        Column("used", "number", "what was used"),
        Column("slack", "number", "value less used, when positive", blank=True),
        Column("violation", "number", "used less value, when positive", minimum=0),
        Column(
            "shadow_price",
            "number",
            "saving per unit of the best choice it refused that year (0: it refused none)",
            minimum=0,
        ),
        Column(
            "marginal_value",
            "number",
            "what one unit more would save on the path of least cost with all years known ahead [USD]",
            blank=True,
        ),
        RESULT_UNIT,
    ),
    key=("limit", "year"),
)

BUDGETS = Table(
    "budgets",
    "Cumulative emissions against the sector's budget.",
    (
        SECTOR,
        Column("budget", "number", "budget", minimum=0),
        Column("used", "number", "emitted on the path", minimum=0),
        RESULT_UNIT,
        Column("first_year", "year", "first year counted"),
        Column("last_year", "year", "last year counted"),
        Column("over_from", "year", "year in which it is used up (empty: it lasts)", blank=True),
        Column("source", "text", "how the budget was made"),
        Column("confidence", "text", "confidence of the budget", codes="confidence"),
    ),
    key=("sector",),
)

TIPPING_POINTS = Table(
    "tipping_points",
    "When cleaner technologies cost no more than the incumbent, when they take hold, and which milestones "
    "the path meets.",
    (
        SECTOR,
        Column("product", "text", "product (empty: all of the sector)", codes="product", blank=True),
        Column("region", "text", "region (empty: the whole hub)", blank=True),
        Column("technology", "text", "technology (empty: all cleaner ones together)", blank=True),
        Column("against", "text", "incumbent it is compared with (empty: none)", blank=True),
        Column("kind", "text", "cost_parity, retrofit_parity, adoption or milestone", codes="tipping_kind"),
        Column("milestone", "text", "breakthrough of the library", blank=True),
        Column("year", "year", "year in which it tips (empty: not on this path)", blank=True),
        Column("due", "year", "year in which a milestone is due", blank=True),
        Column("met", "text", "whether a milestone is met in its year: yes, no or empty", blank=True),
        Column("lasts", "text", "whether it lasts to the end of the path: yes, no or empty", blank=True),
        Column(
            "value",
            "number",
            "cost in that year (in the last year when it never tips), share, or what a milestone measures in "
            "its year",
            blank=True,
        ),
        RESULT_UNIT,
        Column("threshold", "number", "cost of the incumbent, threshold or milestone", blank=True),
        Column("source", "text", "source ids, ;-separated"),
        Column("confidence", "text", "weakest confidence of what it rests on", codes="confidence"),
        Column("note", "text", "what a reader must know", blank=True),
    ),
    key=("sector", "product", "region", "kind", "technology", "against", "milestone", "threshold"),
)

ABATEMENT_COST = Table(
    "abatement_cost",
    "What each measure cuts against the path on which no technology changes, and what that costs. A measure "
    "is a technology in a sector and region. The cuts of a year sum to the difference between the two paths.",
    (
        Column("measure", "text", "technology, sector and region"),
        YEAR,
        SECTOR,
        Column("region", "text", "region (empty: the whole hub)", blank=True),
        Column("technology", "text", "technology (empty: more or less is made)", blank=True),
        Column("co2e_t", "number", "scope 1 emissions cut in the year", unit="t CO2e/yr"),
        Column(
            "usd_per_t",
            "number",
            "levelised cost per tonne cut, without carbon price and without credits",
            "USD/t CO2e",
            blank=True,
        ),
        Column(
            "usd_per_t_with_policy",
            "number",
            "the same as owners see it: with carbon price and credits",
            "USD/t CO2e",
            blank=True,
        ),
        Column(
            "cumulative_t",
            "number",
            "cut of the year by this and all cheaper measures",
            unit="t CO2e/yr",
            blank=True,
        ),
        Column("note", "text", "what a reader must know", blank=True),
    ),
    key=("measure", "year"),
)

TRUCK_FLEET = Table(
    "truck_fleet",
    "Trucks by class and powertrain.",
    (
        YEAR,
        Column("class", "text", "cohort class"),
        Column("powertrain", "text", "technology"),
        Column("trucks", "number", "trucks on the road", minimum=0),
        Column("purchases", "number", "trucks bought in the year", minimum=0),
        Column("tco_usd_per_mile", "number", "total cost of ownership of a new truck", "USD/mi"),
    ),
    key=("year", "class", "powertrain"),
)

PROJECTS = Table(
    "projects",
    "Announced projects.",
    (
        Column("project_id", "text", "project"),
        Column("name", "text", "name"),
        SECTOR,
        Column("stage", "text", "stage", codes="stage"),
        Column("role", "text", "role", codes="role"),
        Column("part_of", "text", "umbrella project", blank=True),
        Column("asset_id", "text", "site it changes", blank=True),
        Column("stage_basis", "text", "asserted, or inferred after years of silence"),
        Column(
            "p_fid_2030",
            "number",
            "chance of a final investment decision by the end of 2030 (1: taken; 0: ended, shelved)",
            "1",
            minimum=0,
            maximum=1,
        ),
        Column("p_fid_ever", "number", "chance of one by the plan's last year", "1", minimum=0, maximum=1),
        Column(
            "p_fid_strict",
            "number",
            "the same as p_fid_2030, if no project may decide whose value is below nothing in our valuation",
            "1",
            minimum=0,
            maximum=1,
        ),
        Column("fid_p10", "number", "year of decision, quickest tenth of those that decide", blank=True),
        Column("fid_p50", "number", "median year of decision", blank=True),
        Column("fid_p90", "number", "year of decision, slowest tenth", blank=True),
        Column("online_p50", "number", "median year of entry into service", blank=True),
        Column("p_from", "text", "what the chance of financing rests on: valuation, prior or the stage"),
        Column("online_year", "year", "as announced", blank=True),
        Column("capex_usd", "number", "capital in the scenario's price year", unit="USD", blank=True),
        Column("public_funding_usd", "number", "public money awarded, as published", unit="USD", blank=True),
        Column(
            "co2e_t_per_year",
            "number",
            "expected cut; only projects with the role abates carry tonnes",
            unit="t CO2e/yr",
            blank=True,
        ),
        Column("confidence", "text", "confidence of the row", codes="confidence"),
        Column("source_id", "text", "source"),
    ),
    key=("project_id",),
)

VALUATIONS = Table(
    "valuations",
    "What each project is worth to its sponsor and to a lender, or why that cannot be said.",
    (
        Column("project_id", "text", "project"),
        Column("case", "text", "sponsor_p50, lender_p90, or none where it is not valuable"),
        Column(
            "levelised_cost",
            "number",
            "real levelised cost per unit of product, before tax, support and by-products",
            blank=True,
        ),
        Column("unit", "text", "unit of costs and prices per unit of product", blank=True),
        Column(
            "price_at_return",
            "number",
            "flat real price of the product at which equity earns its required return after tax",
            blank=True,
        ),
        Column("price_gap", "number", "price at return less the conventional product's price", blank=True),
        Column("price_gap_before_policy", "number", "the same without any policy", blank=True),
        Column("abatement_cost", "number", "levelised cost per tonne cut", "USD/t CO2e", True),
        Column("co2e_t_per_year", "number", "tonnes cut each year", "t CO2e/yr", True),
        Column("capital_usd", "number", "capital in money of the years it is spent in", "USD", True),
        Column("npv_usd", "number", "net present value of equity at its required return", "USD", True),
        Column("irr", "number", "internal rate of return of equity, nominal, after tax", "1", True),
        Column("debt_usd", "number", "senior debt when service begins", "USD", True),
        Column("min_dscr", "number", "least debt service cover ratio (empty: no debt)", "1", True),
        Column("status", "text", "valued, or not valuable, because ..."),
        Column("archetype", "text", "archetype that fills what the project does not state", blank=True),
        Column("archetype_fields", "text", "fields filled from the archetype, ;-separated", blank=True),
        Column("confidence", "text", "weakest confidence among its inputs", codes="confidence", blank=True),
    ),
    key=("project_id", "case"),
)

POLICY_ANSWERS = Table(
    "policy_answers",
    "What each policy says to each project that has a case: pays, requires, or no, because ...",
    (
        Column("project_id", "text", "project"),
        Column("policy", "text", "policy of the library or of the hub"),
        Column("answer", "text", "pays, requires or no"),
        Column("because", "text", "the reason in words"),
        Column("rule", "text", "conditions or exclusions that decided, ;-separated", blank=True),
        Column("until", "text", "last day on which it stays a yes", blank=True),
        Column("becomes", "text", "day from which a no would become a yes", blank=True),
        Column("year", "year", "calendar year of the payment (empty: it pays nothing)", blank=True),
        Column("usd", "number", "paid in that year before any transfer discount, nominal", "USD", True),
        Column("version", "text", "short hash of the policy's rows"),
        Column("confidence", "text", "weakest confidence among its rows", codes="confidence"),
    ),
    key=("project_id", "policy", "year"),
)

POLICY_WEDGE = Table(
    "policy_wedge",
    "What each policy pays for among projects past their investment decision, by year. A tonne counts for "
    "every policy that pays it: policies must not be added.",
    (
        Column("policy", "text", "policy"),
        Column("year", "year", "year"),
        Column("co2e_t", "number", "tonnes cut by the projects it pays", "t CO2e/yr"),
        Column("public_cost_usd", "number", "paid by the public, nominal", "USD"),
        Column("paid_usd", "number", "paid by anyone, nominal", "USD"),
    ),
    key=("policy", "year"),
)

PROJECT_NEED = Table(
    "project_need",
    "Plants that the path needs, against the pipeline.",
    (
        SECTOR,
        YEAR,
        Column("unit", "text", "plants or vehicles"),
        Column(
            "plants_needed",
            "number",
            "plants the path has changed or newly built by then, or cleaner vehicles bought",
            minimum=0,
        ),
        Column("fid_expected", "number", "projects past or expected to pass FID by then", minimum=0),
        Column("gap", "number", "plants_needed less fid_expected, not below 0", minimum=0),
        Column("capital_gap_usd", "number", "capital of the missing plants", unit="USD", minimum=0),
        Column("source", "text", "how it was counted"),
    ),
    key=("sector", "year", "unit"),
)

MILESTONES = Table(
    "milestones",
    "Targets and milestones, and where the path stands.",
    (
        Column("milestone", "text", "target"),
        Column("name", "text", "name in words"),
        YEAR,
        Column("value", "number", "value on the path (empty: cannot be measured yet)", blank=True),
        Column("target", "number", "target value"),
        RESULT_UNIT,
        Column("met", "text", "yes, no or empty", blank=True),
        Column("source", "text", "source id"),
        Column("confidence", "text", "confidence of the target", codes="confidence"),
        Column("note", "text", "what a reader must know", blank=True),
    ),
    key=("milestone",),
)

SECTORS = Table(
    "sectors",
    "What the library can offer each sector, and what it cannot.",
    (
        SECTOR,
        Column("sites", "integer", "sites emitting in the base year", minimum=0),
        Column("site_co2e_t", "number", "tonnes of its sites in the base year", unit="t CO2e"),
        Column("covered_co2e_t", "number", "of which at sites with a costed option", unit="t CO2e"),
        Column("options", "integer", "costed options in the library", minimum=0),
        Column("note", "text", "no option in the library, or empty", blank=True),
    ),
    key=("sector",),
)

PROVENANCE = Table(
    "provenance",
    "For every number shown, the inputs it rests on.",
    (
        Column("table", "text", "table of the number or input"),
        Column("key", "text", "key of the row"),
        Column("value", "number", "value of the input", blank=True),
        Column("unit", "text", "unit of the value", blank=True),
        Column("source_id", "text", "source"),
        Column("confidence", "text", "confidence", codes="confidence"),
        Column("licence", "text", "licence of the source"),
    ),
    key=("table", "key", "source_id"),
)

PLAN_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SCORECARD,
        EMISSIONS,
        ASSETS,
        SWITCHES,
        ENERGY,
        PRODUCTION,
        BALANCES,
        STRANDED,
        COSTS,
        LIMITS,
        BUDGETS,
        TIPPING_POINTS,
        ABATEMENT_COST,
        TRUCK_FLEET,
        TRUCK_CHARGING,
        CHARGERS,
        CHARGING_CAPITAL,
        ROAD_FLOW,
        SITE_LOAD,
        SITE_USE,
        GRID_UPGRADES,
        SECTORS,
        PROJECTS,
        VALUATIONS,
        POLICY_ANSWERS,
        POLICY_WEDGE,
        PROJECT_NEED,
        MILESTONES,
        *PIPELINE_TABLES.values(),
        PROVENANCE,
    )
}

PENDING: dict[str, str] = {
    "corridors": "shipping",
    "port_inventory": "ports",
    "aviation": "aviation",
    "measures": "ports",
    "exposure": "benefits",
    "jobs": "benefits",
}
"""Tables of the design that are not built yet, and the room that will build each."""
