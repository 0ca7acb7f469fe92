"""What stands in the way: the expected decisions, what to unblock first, who must act, what does not fit."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.hub.schema import PROPOSED
from cleanhub.report import labels
from cleanhub.report.blocks import Head, Prose, Section, Table, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, percent, tonnes
from cleanhub.report.sections.common import plural
from cleanhub.report.sections.coordination import coordination
from cleanhub.report.sections.missing_links import barriers, entries, first_links, when
from cleanhub.report.sections.pipeline_years import BY, by_year, in_figures, stages

TITLE = "What stands in the way"
_KINDS = {
    "deadline_before_link": "A date comes before what it needs",
    "exclusive": "One excludes the other",
    "unmet_rule": "A rule that nobody here can meet",
}


def build(context: Context) -> Section:
    """The section; one line where the plan holds no simulation."""
    if not context.rows("pipeline_years") and not context.rows("links"):
        said = (
            "This plan lists no projects, so nothing stands in their way."
            if not context.rows("projects")
            else "This plan holds no simulation of its projects: plan again to see what stands in their way."
        )
        return Section("pipeline", TITLE, (said,), ())
    figure, table, uncounted = first_links(context)
    return Section(
        "pipeline",
        TITLE,
        tuple(_lead(context)),
        (
            figure,
            table,
            *barriers(context),
            uncounted,
            by_year(context),
            stages(context),
            in_figures(context),
            *coordination(context),
            _conflicts(context),
            _caveats(context),
        ),
    )


# ---------------------------------------------------------------- the headline


def live_projects(context: Context) -> list[Row]:
    """Projects whose decision is still to come; an umbrella over others of them counts with its parts."""
    rows = [row for row in context.rows("projects") if row["stage"] in PROPOSED]
    umbrellas = {str(row["part_of"]) for row in rows if row["part_of"]}
    return [row for row in rows if str(row["project_id"]) not in umbrellas]


def _lead(context: Context) -> list[Text]:
    live = live_projects(context)
    said: list[Text] = []
    if live and all(row["p_fid_2030"] is not None for row in live):
        cutting = [row for row in live if row["role"] == "abates"]
        said.append(
            Markup(
                "Of {} whose final investment decision (FID) is still to come, <b>{} are expected to decide "
                "by the end of {}</b>. {} of them {} tonnes of their own: they account for {} of that. The "
                "rest are programmes, charging sites, ports, suppliers and stores."
            ).format(
                plural(len(live), "live project"),
                number(_chances(live), 2),
                BY,
                len(cutting),
                "counts" if len(cutting) == 1 else "count",
                number(_chances(cutting), 2),
            )
        )
    said += _tonnes_lead(context)
    said += _first(context)
    said += _rates(context)
    return said


def _chances(rows: list[Row]) -> float:
    return sum(float(row["p_fid_2030"]) for row in rows)


def _tonnes_lead(context: Context) -> list[Text]:
    rows = {int(r["year"]): r for r in context.rows("pipeline_years") if r["metric"] == "co2e_t"}
    years = [year for year in dict.fromkeys((BY, context.target_year)) if year in rows]
    if not years:
        return []
    parts = [
        f"{tonnes(rows[year]['value'])} of CO\N{SUBSCRIPT TWO}e in {year} (P10 {tonnes(rows[year]['p10'])}, "
        f"median {tonnes(rows[year]['p50'])}, P90 {tonnes(rows[year]['p90'])})"
        for year in years
    ]
    text = (
        "What the listed projects are expected to cut or remove a year, with what runs already: "
        f"{'; '.join(parts)}."
    )
    last = rows[years[-1]]
    if float(last["value"] or 0.0) > 1.5 * float(last["p50"] or 0.0):
        text += (
            " The mean stands far above the median: a few large projects, each unlikely, carry it. Read it "
            "as a stake, not as a forecast."
        )
    return [text]


def _first(context: Context) -> list[Text]:
    """What blocks most, in one sentence."""
    found = entries(context)
    if not found:
        return []
    row = found[0].slowest
    return [
        Markup("What to unblock first: <b>{}</b>. {} expected to the end of {} wait for it. {}: {}.").format(
            found[0].name,
            tonnes(found[0].blocked),
            context.target_year,
            labels.actor(str(row["actor"])),
            labels.subscripts(str(row["action"])),
        )
    ]


def _rates(context: Context) -> list[Text]:
    known = {str(row["metric"]): row for row in context.rows("pipeline_backtest")}
    ever, hazard = known.get("fid_ever"), known.get("fid_hazard")
    if ever is None or hazard is None:
        return []
    share, rate = ever["published"], hazard["published"]
    if share is None or rate is None or not 0 < share <= 1:
        return []
    return [
        Markup(
            "Two published rates are used, and they are different quantities. {} is the share of announced "
            "projects that <b>ever</b> decide {}: the chances of all gates are shifted together until this "
            "hub\N{RIGHT SINGLE QUOTATION MARK}s projects, with all that is known of them removed, decide "
            "as often. {} is the <b>hazard</b>: decisions per project and year while it is live {}. "
            "With the first it sets how fast live projects are given up ({} a year)."
        ).format(
            percent(share),
            context.cite.cite(ever["source_id"]),
            percent(rate),
            context.cite.cite(hazard["source_id"]),
            percent(rate * (1 - share) / share),
        )
    ]


# ---------------------------------------------------------------- conflicts and caveats


def _deadline(value: object) -> str:
    """The last year in which a date is held: 2033.0 is the end of 2032."""
    if not isinstance(value, int | float):
        return MISSING
    return f"end of {int(value) - 1}" if float(value).is_integer() else str(int(value))


def _conflicts(context: Context) -> Table:
    order = list(_KINDS)
    rows = sorted(
        context.rows("conflicts"),
        key=lambda r: (
            order.index(r["kind"]) if r["kind"] in order else len(order),
            -float(r["p_missed"] or 0.0),
            -float(r["usd"] or 0.0),
            str(r["conflict_id"]),
        ),
    )
    out: tuple[tuple[Text, ...], ...] = tuple(
        (
            Markup("{}<br><small>{}</small>").format(
                labels.subscripts(context.named(str(row["description"]))),
                _KINDS.get(str(row["kind"])) or labels.words(str(row["kind"])),
            ),
            _deadline(row["deadline"]),
            when(row["expected"]),
            percent(row["p_missed"]),
            number(None if row["usd"] is None else row["usd"] / 1e6),
            number(None if row["co2e_t_per_year"] is None else row["co2e_t_per_year"] / 1e3),
            labels.words(str(row["confidence"])),
        )
        for row in rows
    )
    return Table(
        "Where policies do not fit each other, or a date",
        (
            Head("What does not fit", long=True),
            Head("Date of the policy", numeric=True),
            Head("Expected", numeric=True),
            Head("Missed", "chance", numeric=True),
            Head("At stake", "$ million", numeric=True),
            Head("Announced", "kt CO\N{SUBSCRIPT TWO}e/yr", numeric=True),
            Head("Confidence"),
        ),
        out,
        unit="in the heading; money over the life of the payments, undiscounted",
        year="in the column",
        source="this plan, table conflicts",
        note="Tonnes are those that the projects announce, not what is expected of them.",
        empty="No conflict was found.",
        id="policy-conflicts",
    )


def _caveats(context: Context) -> Prose:
    gates = [row for row in context.rows("gates") if row["status"] != "done"]
    weak = sum(row["confidence"] in ("assumed", "recalled") for row in gates)
    live = live_projects(context)
    valued = sum(row.get("p_from") == "valuation" for row in live)
    inferred = sum(row.get("stage_basis") == "inferred" for row in context.rows("projects"))
    points: list[Text] = []
    if gates:
        points.append(
            Markup(
                "<b>Assumed chances.</b> {} of {} open gates rest on a chance or a duration that was "
                "assumed or recalled. The gate rules say how gates relate to each other; only the share of "
                "projects that come through as a whole is a published rate."
            ).format(weak, len(gates))
        )
    if live:
        points.append(
            f"Financing is judged by the valuation of the project for {valued} of {len(live)} live "
            "projects, by a prior for the others. The strict chance lets no project decide whose value is "
            "below nothing in our valuation."
        )
    if inferred:
        points.append(
            f"{plural(inferred, 'project')} counted as shelved after years of silence; nobody has said so."
        )
    points += [
        "Whether one named project will decide: a chance is the share of such projects that come through.",
        "What an actor will do for a link it does not need itself, or what it costs politically.",
        "Projects that nobody has announced yet: later years hold only what is listed today.",
    ]
    return Prose((Markup("<b>How sure this is, and what it cannot tell you</b>"),), tuple(points))
