"""What this model cannot tell you: one list for the report, the pages and whoever quotes a number.

Each limit is a question that a user asks, why the plan does not answer it, and, where the plan holds the
figure, how far it falls short. The list follows the plan: what a plan does not hold is said to be missing,
and what cleanhub does not make yet is named. ``docs/limits.md`` says the same at more length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from markupsafe import Markup

from cleanhub.planning.scorecard import ILLUSTRATIVE, WEAK
from cleanhub.report import charging
from cleanhub.report.blocks import Head, Prose, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, is_missing, number, percent, scale_for
from cleanhub.report.sections.common import plural

TITLE = "What this model cannot tell you"


@dataclass(frozen=True)
class Limit:
    """A question that a plan does not answer, and why not, in whole sentences."""

    question: str
    why: str


def limits(context: Context) -> tuple[Limit, ...]:
    """The limits of a plan, the widest first."""
    made: tuple[Callable[[Context], Limit], ...] = (
        _future,
        _certainty,
        _project,
        _finance,
        _charger,
        _today,
        _neighbourhood,
        _law,
        _absent,
    )
    return tuple(make(context) for make in made)


def limits_block(context: Context) -> Prose:
    """The limits as points, the question in bold."""
    points = (Markup("<b>{}</b> {}").format(one.question, one.why) for one in limits(context))
    return Prose((Markup("<b>{}</b>").format(TITLE),), tuple(points))


def headlines_block(context: Context) -> Table:
    """Every headline with its range and the share of it that rests on recalled or assumed inputs."""
    rows: list[tuple[Text, ...]] = []
    for row in sorted(context.rows("scorecard"), key=lambda one: int(one["order"])):
        scale = scale_for([row["value"]], "USD" if str(row["unit"]).startswith("USD") else str(row["unit"]))
        ends = [row["low"], row["high"]]
        rows.append(
            (
                str(row["title"]),
                MISSING if is_missing(row["year"]) else str(int(row["year"])),
                scale.full(row["value"]),
                MISSING if any(map(is_missing, ends)) else " to ".join(scale.show(end) for end in ends),
                percent(row["recalled_share"]),
                "illustrative" if row["illustrative"] else "",
            )
        )
    return Table(
        "What each headline rests on",
        (
            Head("Headline", long=True),
            Head("Year", numeric=True),
            Head("Value", numeric=True),
            Head("Range", "low to high drivers", numeric=True),
            Head("Recalled or assumed", "share of its inputs", numeric=True),
            Head("Marked"),
        ),
        tuple(rows),
        unit="in the column",
        year="in the column",
        source="this plan, tables scorecard and provenance",
        note="The share weighs each input by what it contributes. The range moves the drivers alone: costs "
        "and limits of technologies stay at their central values in it; where it is missing, none was made.",
        empty="This plan has no headlines.",
        id="headline-shares",
    )


def _weak(rows: Iterable[Row]) -> tuple[int, int]:
    """How many of the rows are recalled or assumed, and how many there are."""
    held = [str(row["confidence"]) in WEAK for row in rows]
    return sum(held), len(held)


def _future(context: Context) -> Limit:
    rows = context.rows("scorecard")
    weak = sum(bool(row["illustrative"]) for row in rows)
    held = (
        f" {weak} of {plural(len(rows), 'headline')} rest by more than {percent(ILLUSTRATIVE)} on numbers "
        "that were recalled from memory or assumed, and wear the word illustrative."
        if weak
        else ""
    )
    return Limit(
        "What will happen?",
        "A path is a consistent story under stated prices, rules and limits: it shows what follows from them "
        f"and is no forecast.{held}",
    )


def _certainty(context: Context) -> Limit:
    rows = [row for row in context.rows("scorecard") if row["illustrative"]]
    bare = sum(is_missing(row["low"]) for row in rows)
    without = f" {bare} of the {len(rows)} illustrative headlines have no range at all." if bare else ""
    return Limit(
        "How sure is a number?",
        "A range is what the low and the high ends of all drivers together give. It is no interval of "
        f"confidence, and no chance belongs to it.{without}",
    )


def _project(context: Context) -> Limit:
    question = "Will this one project be built, and when?"
    gates = [row for row in context.rows("gates") if str(row["status"]) == "open"]
    if not gates:
        return Limit(
            question, "There are no stage-gate probabilities in this plan; stages are shown as published."
        )
    weak, every = _weak(gates)
    tested = [row for row in context.rows("pipeline_backtest") if _is_test(row)]
    outside = sum(not row["low"] <= row["published"] <= row["high"] for row in tested)
    missed = (
        f" Of {plural(len(tested), 'published count')} that the rates were set against, {outside} "
        f"{'lies' if outside == 1 else 'lie'} outside our range."
        if tested
        else ""
    )
    return Limit(
        question,
        "A chance is the share of such projects that come through, not what its owners know: "
        f"{weak} of {plural(every, 'open gate')} rest on a chance or a duration that was assumed or recalled."
        f"{missed}{_two_hurdles(context)} A rank of links says more than any single chance.",
    )


def _two_hurdles(context: Context) -> str:
    """How much the expected decisions hang on what a value below nothing means."""
    rows = [row for row in context.rows("scorecard") if str(row["metric"]) == "decisions_expected"]
    if not rows or is_missing(rows[0]["value"]):
        return ""
    expected = f"{number(rows[0]['value'], 2)} decisions are expected to the end of {int(rows[0]['year'])}"
    return f" All in all {expected}, {rows[0]['note']}."


def _is_test(row: Row) -> bool:
    return not is_missing(row["published"]) and row["low"] != row["high"]


def _finance(context: Context) -> Limit:
    question = "Will lenders finance it?"
    valued = [row for row in context.rows("valuations") if str(row["case"]) == "lender_p90"]
    if not valued:
        return Limit(
            question,
            "Levelised costs are first estimates, without debt, tax or the views of sponsor and lender.",
        )
    projects = len(context.rows("projects"))
    weak, _ = _weak(valued)
    return Limit(
        question,
        f"{len(valued)} of {plural(projects, 'project')} can be valued, {weak} of them on figures of an "
        "archetype in place of the developer's books. A term sheet for lenders needs your own figures.",
    )


def _charger(context: Context) -> Limit:
    question = "Is there room for chargers at this substation, and can the site be had?"
    if not context.rows("chargers"):
        return Limit(question, "There is no siting yet in this plan: nothing says where chargers belong.")
    works = charging.works(context)
    weak = sum(str(row["headroom_confidence"]) in WEAK for row in works)
    room = (
        f" At {weak} of {plural(len(works), 'piece')} of works the room is assumed by voltage."
        if works
        else ""
    )
    return Limit(
        question,
        "Sites are candidates found by rule: no owner, parcel or permit has been looked at, and only the "
        f"utility's own study says what a substation can take.{room}",
    )


def _today(context: Context) -> Limit:
    base = context.base_year
    fleet = [row for row in context.rows("truck_fleet") if int(row["year"]) == base and row["trucks"]]
    clean = [
        row for row in fleet if "battery" in str(row["powertrain"]) or "fuel_cell" in str(row["powertrain"])
    ]
    trucks = (
        f" It starts in {base} without a single battery truck: the first years lag behind what drives today."
        if fleet and not clean
        else ""
    )
    return Limit(
        "What stands today?",
        f"The path starts from the inventory of {base}. What was built, closed or bought since is in it only "
        f"where a source of the hub says so.{trucks}",
    )


def _neighbourhood(context: Context) -> Limit:
    pending = {"exposure", "jobs"} & set(context.plan.pending)
    missing = " Air quality, health and jobs are not yet in cleanhub." if pending else ""
    return Limit(
        "What does it mean for my street, my health, my job?",
        "Nothing here is finer than a plant, a charging site, a piece of road or a county, and nothing is "
        f"said of what people breathe.{missing}",
    )


def _law(context: Context) -> Limit:
    return Limit(
        "What will courts, agencies and legislatures decide?",
        f"Rules are those known on {context.plan.scenario.as_of.isoformat()}, as the scenario chooses them. "
        "Another choice is another scenario: compare the two plans.",
    )


def _absent(context: Context) -> Limit:
    pending = sorted(context.plan.pending)
    return Limit(
        "What is left out?",
        f"Not yet in cleanhub: {', '.join(name.replace('_', ' ') for name in pending)}."
        if pending
        else "Nothing of the design is pending; what a hub's data leave out stands in its notes.",
    )
