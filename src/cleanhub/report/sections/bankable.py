"""Bankable: what each project's product must earn, who closes the gap, and what policies answer."""

from __future__ import annotations

from collections import Counter, defaultdict

from markupsafe import Markup

from cleanhub.report import labels
from cleanhub.report.blocks import Head, Prose, Section, Table, Text
from cleanhub.report.context import Context, Row, as_rows
from cleanhub.report.numbers import MISSING, number, pretty_unit
from cleanhub.report.sections.common import plural

SPONSOR, LENDER = "sponsor_p50", "lender_p90"


def build(context: Context) -> Section:
    """Both views of every valued project, why others have none, and the policies' answers."""
    rows = context.rows("valuations")
    valued = {str(r["project_id"]): r for r in rows if r["case"] == SPONSOR}
    lenders = {str(r["project_id"]): r for r in rows if r["case"] == LENDER}
    names = {str(r["project_id"]): str(r["name"]) for r in context.rows("projects")}
    lead: list[Text] = []
    if rows:
        closed = sum(r["npv_usd"] is not None and r["npv_usd"] >= 0 for r in valued.values())
        lead.append(
            f"{plural(len(valued), 'project')} can be valued from what is published; "
            f"{closed} of them earn what owners ask under the policies of this scenario. "
            "Where a project states no figure of its own, an archetype fills it: most figures here are "
            "the archetype\N{RIGHT SINGLE QUOTATION MARK}s, so read them as what such a project needs, "
            "not as the developer\N{RIGHT SINGLE QUOTATION MARK}s books."
        )
    return Section(
        "bankable",
        "What it takes to bank the projects",
        tuple(lead),
        (
            _values(context, valued, lenders, names),
            _without(rows, names),
            _answers(context),
            _how(context),
        ),
    )


def _money(value: object, unit: str) -> str:
    if not isinstance(value, int | float):
        return MISSING
    per = pretty_unit(unit).replace("USD/", "", 1)
    sign = "\N{MINUS SIGN}" if value < 0 else ""
    return f"{sign}${number(abs(float(value)))}/{per}"


def _millions(value: object) -> str:
    return number(float(value) / 1e6) if isinstance(value, int | float) else MISSING


def _values(
    context: Context, valued: dict[str, Row], lenders: dict[str, Row], names: dict[str, str]
) -> Table:
    out: list[tuple[Text, ...]] = []
    order = sorted(valued, key=lambda key: (str(valued[key]["archetype"]), key))
    for key in order:
        row, lender = valued[key], lenders.get(key, {})
        unit = str(row["unit"] or "")
        irr = row["irr"]
        filled = len([part for part in str(row["archetype_fields"] or "").split(";") if part])
        out.append(
            (
                Markup("{}<br><small>{} fields from archetype {}; {}</small>").format(
                    names.get(key, key), filled, labels.words(str(row["archetype"])), row["confidence"]
                ),
                _millions(row["capital_usd"]),
                _money(row["price_at_return"], unit),
                _money(row["price_gap_before_policy"], unit),
                _money(row["price_gap"], unit),
                _millions(row["npv_usd"]),
                f"{100 * float(irr):.1f}" if irr is not None else MISSING,
                _millions(lender.get("debt_usd")),
                number(lender.get("min_dscr")),
                _money(row["abatement_cost"], "USD/t") if row["abatement_cost"] is not None else MISSING,
            )
        )
    return Table(
        "Projects in the sponsor's view (P50), with the debt of the lender's (P90)",
        (
            Head("Project"),
            Head("Capital", "$ million, as spent", numeric=True),
            Head("Price it needs", "real, after tax and policies", numeric=True),
            Head("Gap before policies", "to the usual product", numeric=True),
            Head("Gap after", numeric=True),
            Head("NPV of equity", "$ million", numeric=True),
            Head("IRR", "%", numeric=True),
            Head("Debt lent", "$ million", numeric=True),
            Head("Least DSCR", "lender's view", numeric=True),
            Head("Cost of a tonne", numeric=True),
        ),
        tuple(out),
        unit=f"in the heading; prices in {context.money_unit}, NPV and capital in money of the day",
        year="over each project's life, from its first year of construction",
        source="this plan, table valuations",
        note=f"{MISSING}: no usual price to compare with, no debt that lenders would give, or no return at "
        "all. cleanhub finance PROJECT prints the term sheet of one project.",
        empty="No project of this plan can be valued.",
        id="project-values",
    )


def _without(rows: list[Row], names: dict[str, str]) -> Table:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        status = str(row["status"])
        if status != "valued":
            reason = status.removeprefix("not valuable, because ")
            reasons.setdefault(reason.split(" (")[0], []).append(names.get(str(row["project_id"]), ""))
    ranked = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    return Table(
        "Projects that cannot be valued, and why",
        (Head("Because"), Head("Projects", numeric=True), Head("Which", long=True)),
        tuple((reason, str(len(which)), "; ".join(sorted(which))) for reason, which in ranked),
        unit="number of projects",
        source="this plan, table valuations",
        empty="Every project of this plan is valued.",
    )


def _answers(context: Context) -> Table:
    library = getattr(context.hub, "library", None)
    tables = getattr(library, "tables", {})
    policies = {str(r["policy"]): r for r in as_rows(tables.get("policies"))}
    found: dict[str, dict[str, set[str]]] = {}
    paid: defaultdict[str, float] = defaultdict(float)
    reasons: dict[str, Counter[str]] = {}
    for row in context.rows("policy_answers"):
        policy, project = str(row["policy"]), str(row["project_id"])
        found.setdefault(policy, {}).setdefault(str(row["answer"]), set()).add(project)
        if row["usd"]:
            paid[policy] += float(row["usd"])
        if row["answer"] == "no":
            reasons.setdefault(policy, Counter())[str(row["because"])] += 1
    order = sorted(found, key=lambda p: (-paid[p], -len(found[p].get("requires", ())), p))
    out: list[tuple[Text, ...]] = []
    for policy in order:
        known = policies.get(policy, {})
        common = reasons.get(policy, Counter()).most_common(1)
        out.append(
            (
                str(known.get("name") or policy),
                labels.words(str(known.get("legal_status") or "")),
                str(len(found[policy].get("pays", ()))),
                _millions(paid[policy]) if paid[policy] else MISSING,
                str(len(found[policy].get("requires", ()))),
                str(len(found[policy].get("no", ()))),
                common[0][0][:1].upper() + common[0][0][1:] if common else "",
                context.cite.cite(str(known.get("source_id") or "")) if known else "",
            )
        )
    return Table(
        "What the policies answer to these projects",
        (
            Head("Policy"),
            Head("Status"),
            Head("Pays", "projects", numeric=True),
            Head("In all", "$ million, nominal", numeric=True),
            Head("Requires", "projects", numeric=True),
            Head("No", "projects", numeric=True),
            Head("Most common reason for no", long=True),
            Head("Source"),
        ),
        tuple(out),
        unit=f"in the heading; sums to {context.end_year}, as if every project that is valued were built",
        source="this plan, table policy_answers",
        note="A fact that a project does not publish counts as no. cleanhub policy apply PROJECT gives every "
        "answer to one project, with the date on which it changes.",
        empty="No policy was asked.",
        id="policy-answers",
    )


def _how(context: Context) -> Prose:
    return Prose(
        points=(
            (
                "The lender counts contracted sales and credits that a law fixes, takes output and cost at "
                "the bad end of their ranges, and lends what that cash flow carries. The sponsor has the "
                "central figures and repays that debt."
            ),
            (
                "The price it needs is the flat real price at which equity earns its required return after "
                "tax, with the policies that say yes. The gap is that price less that of the usual product."
            ),
            "Market credits (LCFS, allowances) are valued at a price path, not at a promise.",
        )
    )
