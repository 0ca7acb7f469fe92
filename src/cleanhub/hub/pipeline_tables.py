"""Layout of the plan tables about its pipeline: gates, links, stages by year, conflicts, promises, buyers."""

from __future__ import annotations

from cleanhub.core.tables import Column, Table
from cleanhub.hub.columns import RESULT_UNIT, YEAR

ORDER = Column("order", "integer", "place in the table", minimum=0)
PROJECT = Column("project_id", "text", "project")
CONFIDENCE = Column("confidence", "text", "weakest confidence of what it rests on", codes="confidence")
ACTOR = Column("actor", "text", "who can close it", codes="actor")
BARRIER = Column("barrier", "text", "which of the barriers it counts as", codes="barrier")


def _share(name: str, description: str, blank: bool = False) -> Column:
    return Column(name, "number", description, "1", blank, minimum=0, maximum=1)


def _when(name: str, description: str) -> Column:
    return Column(name, "number", description, "calendar year with decimals", blank=True)


GATES = Table(
    "gates",
    "Every gate of every project that still has one, with the years in which it closes.",
    (
        PROJECT,
        Column("gate", "text", "gate", codes="gate"),
        Column("status", "text", "done or open"),
        _when("p10", "year by which it has closed in the quickest tenth of draws in which it closes"),
        _when("p50", "median of the same"),
        _when("p90", "year by which it has closed in all but the slowest tenth"),
        _share("p_pass", "chance that it closes by the plan's last year, before its project is given up"),
        _share("p_last", "share of decisions for which it is the last gate to close", blank=True),
        Column("what", "text", "what it is here, in words"),
        ACTOR,
        Column("action", "text", "what they would do"),
        BARRIER,
        Column(
            "rule",
            "text",
            "rule of the library that asks for it (empty: passed, though none does)",
            blank=True,
        ),
        CONFIDENCE,
    ),
    key=("project_id", "gate"),
)

LINKS = Table(
    "links",
    "What to unblock first: every open link, by the tonnes that wait for it.",
    (
        ORDER,
        Column("link_id", "text", "identifier"),
        Column("kind", "text", "kind", codes="link_kind"),
        Column("description", "text", "in words"),
        ACTOR,
        Column("action", "text", "what they would do"),
        BARRIER,
        Column("project_id", "text", "project whose gate it is (empty: shared)", blank=True),
        _share("p_closes", "chance that it closes by the plan's last year, before its project is given up"),
        _when("p50", "median year in which it closes, where it does"),
        Column(
            "blocked_co2e_t",
            "number",
            "expected tonnes to the target year lost if it never closes, all else as simulated, undiscounted",
            "t CO2e",
        ),
        Column(
            "per_year_of_delay_t", "number", "expected tonnes lost if it takes a year longer", "t CO2e/yr"
        ),
        Column(
            "shapley_share", "number", "its part of all expected tonnes when what is common is shared", "1"
        ),
        Column("shapley_co2e_t", "number", "the same in tonnes", "t CO2e"),
        Column("projects_blocked", "integer", "projects that cannot decide without it", minimum=0),
        Column("projects", "text", "which, ;-separated", blank=True),
        Column("cost_usd", "number", "capital of the shared link, where it is known", "USD", blank=True),
        CONFIDENCE,
    ),
    key=("order",),
)

STAGE_YEARS = Table(
    "stage_years",
    "Chance that a project is in a stage at the end of a year.",
    (
        PROJECT,
        YEAR,
        Column("stage", "text", "stage", codes="stage"),
        _share("probability", "share of draws"),
    ),
    key=("project_id", "year", "stage"),
)

PIPELINE_YEARS = Table(
    "pipeline_years",
    "What the pipeline brings by year: decisions, plants, tonnes, capital, jobs.",
    (
        YEAR,
        Column(
            "metric", "text", "decisions, in_service, co2e_t, capital_usd, public_usd, private_usd, job_years"
        ),
        Column("value", "number", "mean of the draws"),
        Column("p10", "number", "tenth percentile"),
        Column("p50", "number", "median"),
        Column("p90", "number", "ninetieth percentile"),
        RESULT_UNIT,
    ),
    key=("year", "metric"),
)

COORDINATION = Table(
    "coordination",
    "Who must decide what by when, so that those who wait keep their dates.",
    (
        ORDER,
        ACTOR,
        Column("link_id", "text", "link"),
        Column("action", "text", "what they would do"),
        Column("projects", "text", "projects that wait, ;-separated", blank=True),
        _when("decide_by", "when work on it must begin for the dates of those who wait to hold"),
        _when("needed_by", "when it must be closed for the same"),
        _when("expected", "median year in which it closes, where it does"),
        Column("late_years", "number", "expected less needed (negative: time to spare)", "yr", blank=True),
        Column("fits", "yes_no", "no: the dates do not fit", blank=True),
        Column("because", "text", "whose date it is, or why it cannot be kept"),
        Column("blocked_co2e_t", "number", "as in links", "t CO2e"),
    ),
    key=("order",),
)

CONFLICTS = Table(
    "conflicts",
    "Where the signals of policy do not fit each other, or a date cannot be met.",
    (
        Column("conflict_id", "text", "identifier"),
        Column("kind", "text", "deadline_before_link, exclusive or unmet_rule"),
        Column("policy", "text", "policy"),
        Column("other", "text", "the other policy, or the gate that comes too late", blank=True),
        Column("projects", "text", "projects it concerns, ;-separated (empty: none is left)", blank=True),
        _when("deadline", "date of the policy"),
        _when("expected", "when what it needs can be there"),
        Column("late_years", "number", "expected less deadline", "yr", blank=True),
        _share("p_missed", "chance that the date is missed", blank=True),
        Column(
            "usd", "number", "what hangs on it: payments over their life, undiscounted", "USD", blank=True
        ),
        Column("co2e_t_per_year", "number", "tonnes a year of those projects", "t CO2e/yr", blank=True),
        Column("description", "text", "in words"),
        CONFIDENCE,
    ),
    key=("conflict_id",),
)

COMMITMENTS_GAP = Table(
    "commitments",
    "Who promised what by when, against the path.",
    (
        Column("commitment_id", "text", "identifier"),
        Column("actor", "text", "who promised"),
        Column("platform", "text", "platform", blank=True),
        Column("sector", "text", "sector", blank=True),
        Column("metric", "text", "what", codes="commitment_metric"),
        YEAR,
        Column("target", "number", "promised"),
        Column("pathway", "number", "what the path reaches in the hub", blank=True),
        Column(
            "gap", "number", "promised less reached, where they can be compared (positive: short)", blank=True
        ),
        Column(
            "share_of_target", "number", "reached over promised, where it is a part of it", "1", blank=True
        ),
        RESULT_UNIT,
        Column("how", "text", "how they are compared, or why they cannot be"),
        CONFIDENCE,
        Column("source_id", "text", "source"),
    ),
    key=("commitment_id",),
)

OFFTAKE = Table(
    "offtake",
    "Buyers, and the projects whose offtake gate they could close.",
    (
        Column("offtaker_id", "text", "buyer"),
        Column("project_id", "text", "project (empty: none makes the product)", blank=True),
        Column("name", "text", "name of the buyer"),
        Column("kind", "text", "kind of buyer", codes="offtaker_kind"),
        Column("product", "text", "product", codes="product"),
        Column("status", "text", "bound, match, too_little, too_late or no_project"),
        Column("volume", "number", "what it would buy a year", blank=True),
        Column("output", "number", "what the project would make a year", blank=True),
        RESULT_UNIT,
        _share("share_of_output", "part of the output that it would take", blank=True),
        Column("premium", "number", "premium it pays", blank=True),
        Column("needed_premium", "number", "price gap of the project (see valuations)", blank=True),
        Column("premium_unit", "text", "unit of both", blank=True),
        Column("covers", "yes_no", "yes: the premium covers the gap", blank=True),
        Column("because", "text", "in words"),
        CONFIDENCE,
    ),
    key=("offtaker_id", "project_id"),
)

PIPELINE_BACKTEST = Table(
    "pipeline_backtest",
    "Counts that the published tracker had, and what the hazard of decisions gives from its first count.",
    (
        Column("population", "text", "what is counted"),
        Column("metric", "text", "which count or rate"),
        Column("date", "date", "date of the count"),
        Column("ours", "number", "mean of the draws"),
        Column("low", "number", "5th percentile"),
        Column("high", "number", "95th percentile"),
        Column("published", "number", "published"),
        RESULT_UNIT,
        Column("how", "text", "what is given and what is found"),
        Column("source_id", "text", "source"),
        CONFIDENCE,
    ),
    key=("population", "metric", "date"),
)

PIPELINE_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        GATES,
        LINKS,
        STAGE_YEARS,
        PIPELINE_YEARS,
        COORDINATION,
        CONFLICTS,
        COMMITMENTS_GAP,
        OFFTAKE,
        PIPELINE_BACKTEST,
    )
}
"""What the pipeline adds to a plan, by name."""
