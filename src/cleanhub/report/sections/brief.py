"""The plan in brief: one page of sentences for a reader who reads no further.

Every figure is one of the scorecard, the links, the coordination or the conflicts; nothing is reckoned here
but what a target is missed by. Headlines that rest mainly on recalled or assumed inputs are rounded.
"""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup

from cleanhub.report import labels
from cleanhub.report.blocks import Prose, Section, Text
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import is_missing, number, scale_for, tonnes
from cleanhub.report.sections.common import inside, plural
from cleanhub.report.sections.missing_links import entries

_FIRST = 3
"""Entries that are named of what to unblock, and of who must decide."""
_ROUNDED = 2
"""Significant digits of expected decisions and tonnes."""


def build(context: Context) -> Section | None:
    """Sentences in the order of the report; ``None`` for a plan without headlines."""
    if not context.rows("scorecard"):
        return None
    headlines = _Headlines(context)
    parts: tuple[Callable[[], Text], ...] = (
        headlines.standing,
        headlines.targets,
        headlines.changes,
        headlines.projects,
        lambda: _unblock(context),
        lambda: _decide(context),
        lambda: _conflicts(context),
        headlines.charging,
        headlines.money,
        headlines.trust,
    )
    points = tuple(text for part in parts if (text := part()))
    return Section("brief", "In brief", (), (Prose(points=points),))


class _Headlines:
    """The headlines of the scorecard by metric, as parts of sentences."""

    def __init__(self, context: Context) -> None:
        self.rows = {str(row["metric"]): row for row in context.rows("scorecard")}
        self.context = context

    def said(self, metric: str) -> str:
        """A headline with its unit, empty where the plan has none."""
        row = self.rows.get(metric)
        return "" if row is None or is_missing(row["value"]) else _full(row, row["value"])

    def standing(self) -> Text:
        """Where the hub stands in the base year."""
        year = self.context.base_year
        ours, all_of = self.said(f"hub_emissions_{year}"), self.said(f"state_emissions_{year}")
        share = self.said("hub_share")
        if not ours:
            return ""
        part = f", {share} of the {all_of} of the whole inventory" if share and all_of else ""
        return Markup("<b>Today.</b> In {} what the hub covers emitted {}{}.").format(year, ours, part)

    def targets(self) -> Text:
        """Each year with a target: what is emitted, the target, and by how much it is missed."""
        found = []
        for metric, row in self.rows.items():
            if not metric.startswith("hub_emissions_") or is_missing(row["target"]):
                continue
            value, target = float(row["value"]), float(row["target"])
            over = f"missed by {_bare(row, value - target)}" if value > target else "met"
            goal = _bare(row, target)
            found.append(f"{_full(row, value)} in {int(row['year'])} (target {goal}, {over})")
        if not found:
            return ""
        name = self.context.plan.scenario.title
        return Markup("<b>The path.</b> Under <i>{}</i> it emits {}.").format(name, "; ".join(found))

    def changes(self) -> Text:
        """Plants that change and trucks that are bought."""
        plants, sales = self.said("plants_changed"), self.said("zero_emission_sales_share")
        parts = [f"{plants} change their technology or close"] if plants else []
        if sales:
            year = int(self.rows["zero_emission_sales_share"]["year"])
            parts.append(f"{sales} of the trucks bought in {year} run without diesel")
        return Markup("<b>What changes.</b> {}.").format(_sentence(parts)) if parts else ""

    def projects(self) -> Text:
        """What the listed projects bring, and what the path wants beyond them."""
        listed, past = self.said("projects_listed"), self.said("projects_past_fid")
        expected, need = self.rows.get("decisions_expected"), self.said("project_need")
        if not listed:
            return ""
        parts = [f"{listed} are listed, {past.split()[0] if past else 'none'} past their investment decision"]
        if expected is not None and not is_missing(expected["value"]):
            until = int(expected["year"])
            parts.append(
                f"of the others {number(expected['value'], _ROUNDED)} are expected to decide by {until}"
            )
        if need:
            parts.append(f"the path wants {need} more than they bring")
        return Markup("<b>Projects.</b> {}.").format(_sentence(parts, "; "))

    def charging(self) -> Text:
        """Charging sites, their load and their cost."""
        sites, peak, cost = (self.said(f"charging_{name}") for name in ("sites", "peak", "capital"))
        if not sites:
            return ""
        year = int(self.rows["charging_sites"]["year"])
        parts = [f"{sites} to {year}"]
        parts += [f"{peak} at the peak"] if peak else []
        parts += [f"{cost} with their grid works"] if cost else []
        return Markup("<b>Truck charging.</b> {}.").format(_sentence(parts))

    def money(self) -> Text:
        """Capital spent and credits received."""
        spent, received = self.said("capital_spent"), self.said("credits_received")
        if not spent:
            return ""
        paid = f", and {received} come in from credits and vouchers" if received else ""
        return Markup("<b>Money.</b> {} go into plants and trucks{}.").format(spent, paid)

    def trust(self) -> Text:
        """How many headlines are illustrative, and where the limits stand."""
        weak = sum(bool(row["illustrative"]) for row in self.rows.values())
        how = f"{weak} of {len(self.rows)} headlines rest mainly on recalled or assumed inputs"
        return Markup(
            '<b>How far to trust it.</b> {}: orders of magnitude, no forecast. <a href="#method">What this '
            "model cannot tell you</a> comes with the method."
        ).format(how)


def _unblock(context: Context) -> Text:
    found = entries(context)[:_FIRST]
    if not found:
        return ""
    said = [Markup("{} ({})").format(one.name, tonnes(one.blocked, _ROUNDED)) for one in found]
    text = "<b>What to unblock first</b>, with the tonnes expected to wait for it: {}."
    return Markup(text + ' <a href="#pipeline">All links</a>').format(Markup("; ").join(said))


def _decide(context: Context) -> Text:
    rows = context.rows("coordination")
    late = [row for row in rows if row["fits"] is not None and not row["fits"]]
    if not late:
        return ""
    weight: dict[str, float] = {}
    for row in late:
        weight[str(row["actor"])] = max(
            weight.get(str(row["actor"]), 0.0), float(row["blocked_co2e_t"] or 0.0)
        )
    first = sorted(weight, key=lambda actor: (-weight[actor], actor))[:_FIRST]
    return Markup(
        "<b>Who must move.</b> {} no longer fit the dates that were announced; most tonnes wait for: {}."
    ).format(plural(len(late), "decision"), ", ".join(inside(labels.actor(actor)) for actor in first))


def _conflicts(context: Context) -> Text:
    rows = context.rows("conflicts")
    if not rows:
        return ""
    late = [row for row in rows if row["kind"] == "deadline_before_link"]
    tail = f"; in {len(late)} of them a credit or programme may end before the link comes" if late else ""
    return Markup("<b>Policy.</b> {} of policy signals{}.").format(plural(len(rows), "conflict"), tail)


def _full(row: Row, value: float) -> str:
    """``value`` on the scale of a headline with its unit, rounded where it is illustrative."""
    return scale_for([row["value"], row["target"]], str(row["unit"])).full(_rounded(row, value))


def _bare(row: Row, value: float) -> str:
    """The same without its unit."""
    return scale_for([row["value"], row["target"]], str(row["unit"])).show(_rounded(row, value))


def _rounded(row: Row, value: float) -> float:
    if is_missing(value) or not row["illustrative"]:
        return value
    divisor = scale_for([row["value"], row["target"]], str(row["unit"])).divisor
    shown = value / divisor
    return (float(round(shown)) if abs(shown) >= 10 else float(f"{shown:.1e}")) * divisor


def _sentence(parts: list[str], between: str = ", ") -> str:
    text = between.join(parts)
    return text[:1].upper() + text[1:]
