"""What binds: limits by year with their worth, and sector budgets."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Figure, Grid, Head, Key, Section, Table, Text
from cleanhub.report.charts import Bar
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, percent, pretty_unit, scale_for
from cleanhub.report.sections.common import pair, span

PANELS = 12
_COLOURS = (palette.CATEGORIES[0].css, palette.CATEGORIES[3].css)


def build(context: Context) -> Section:
    """Limit panels, the table of what binds, and budgets."""
    rows = context.rows("limits")
    broken = sorted({str(r["limit"]) for r in rows if float(r["violation"] or 0.0) > 0})
    lead: list[Text] = []
    if rows:
        names = sorted({str(r["limit"]) for r in rows})
        lead.append(f"{len(names)} limits hold this path.")
        if broken:
            named = ", ".join(labels.words(name) for name in broken)
            lead.append(f"Broken in at least one year: {named}.")
        else:
            lead.append("None is broken in any year.")
    return Section(
        "limits",
        "What binds",
        tuple(lead),
        (_panels(rows), _table(rows), _budgets(context)),
    )


def _by_limit(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda r: (str(r["limit"]), r["year"])):
        found.setdefault(str(row["limit"]), []).append(row)
    return found


def _panels(rows: list[Row]) -> Grid:
    grouped = _by_limit(rows)
    ranked = sorted(grouped, key=lambda n: (-_tightness(grouped[n]), n))
    figures = tuple(_panel(i, name, grouped[name]) for i, name in enumerate(ranked[:PANELS]))
    more = len(ranked) - PANELS
    note = "The line is what is allowed, columns are what is used; hatched: the limit is broken."
    if more > 0:
        note += f" {more} more limits stand in the table only."
    return Grid("Limits by year", figures, note=note, empty="No limits in this plan.")


def _tightness(rows: list[Row]) -> float:
    if any(float(r["violation"] or 0.0) > 0 for r in rows):
        return 10.0
    if any(float(r["shadow_price"] or 0.0) > 0 for r in rows):
        return 5.0
    return max((r["used"] / r["value"] for r in rows if r["value"] and r["used"]), default=0.0)


def _panel(index: int, name: str, rows: list[Row]) -> Figure:
    values = [v for r in rows for v in (r["value"], r["used"])]
    unit = str(rows[0]["unit"])
    scale = scale_for(values, unit)

    def scaled(value: float | None) -> float | None:
        return None if value is None else float(value) / scale.divisor

    years = [int(r["year"]) for r in rows]
    allowed = [scaled(r["value"]) for r in rows]
    used = [scaled(r["used"]) or 0.0 for r in rows]
    over = [scaled(r["violation"]) or 0.0 for r in rows]
    shown_unit = scale.long_unit
    title = labels.words(name)
    broken = [str(y) for y, o in zip(years, over, strict=True) if o > 0]
    description = f"Used and allowed, {span(years)}. Used {scale.full(rows[-1]['used'])} in {years[-1]}. " + (
        f"Broken in {', '.join(broken)}." if broken else "Never broken."
    )
    identifier = f"fig-limit-{index}"
    drawing = charts.limit_panel(
        300, identifier, title, description, years, allowed, used, over, _COLOURS, height=180
    )
    data = Table(
        title,
        (
            Head("Year", numeric=True),
            Head("Allowed", numeric=True),
            Head("Used", numeric=True),
            Head("Violation", numeric=True),
            Head("Shadow price", f"$ per {pretty_unit(unit)}", numeric=True),
        ),
        tuple(
            (str(y), number(a), number(u), number(o), number(r["shadow_price"]))
            for y, a, u, o, r in zip(years, allowed, used, over, rows, strict=True)
        ),
        unit=shown_unit,
    )
    return Figure(
        identifier,
        title,
        drawing,
        unit=shown_unit or "1",
        year=span(years),
        source="this plan, table limits",
        data=data,
    )


def _table(rows: list[Row]) -> Table:
    out: list[tuple[Text, ...]] = []
    for name, own in _by_limit(rows).items():
        unit = str(own[0]["unit"])
        scale = scale_for([v for r in own for v in (r["value"], r["used"])], unit)
        uses = [(r["used"] / r["value"], r) for r in own if r["value"]]
        peak = max(uses, key=lambda pair: (pair[0], -pair[1]["year"]), default=None)
        worst = max(own, key=lambda r: (float(r["violation"] or 0.0), -r["year"]))
        dear = max(own, key=lambda r: (float(r["shadow_price"] or 0.0), -r["year"]))
        refused = [int(r["year"]) for r in own if float(r["shadow_price"] or 0.0) > 0]
        out.append(
            (
                labels.words(name),
                f"{percent(peak[0])} in {peak[1]['year']}" if peak else MISSING,
                f"{scale.full(worst['violation'])} in {worst['year']}"
                if float(worst["violation"] or 0.0) > 0
                else "none",
                f"{number(dear['shadow_price'])} in {dear['year']}" if refused else "0",
                f"{len(refused)} ({span(refused)})" if refused else "0",
                pretty_unit(unit) or "1",
            )
        )
    return Table(
        "Limits: how close, how far over, and what one more unit would be worth",
        (
            Head("Limit"),
            Head("Highest use"),
            Head("Largest violation"),
            Head("Highest shadow price", "$ per unit of the limit"),
            Head("Years in which it refused a choice"),
            Head("Unit of the limit"),
        ),
        tuple(out),
        unit="in the columns; shadow price: saving per unit of the best choice refused that year",
        year="in the columns",
        source="this plan, table limits",
        note="Of a least share (a sales mandate), use above 100\N{NO-BREAK SPACE}% is more than the "
        "rule asks for.",
        empty="No limits in this plan.",
    )


def _budgets(context: Context) -> Figure:
    title = "Cumulative emissions against the sector budgets"
    rows = sorted(
        context.rows("budgets"),
        key=lambda r: (-float(r["budget"] or 0.0), str(r["sector"])),
    )
    if not rows:
        return Figure("fig-budgets", title, Markup(""), empty="No budgets in this plan.")
    scale = scale_for([v for r in rows for v in (r["budget"], r["used"])], str(rows[0]["unit"]))
    bars, cells = [], []
    for row in rows:
        used, budget = float(row["used"] or 0.0), float(row["budget"] or 0.0)
        fill = palette.group_of(str(row["sector"])).colour.css
        over = used > budget
        inside = (min(used, budget) / scale.divisor, fill, "")
        outside = (max(used - budget, 0.0) / scale.divisor, palette.ALARM.css, "")
        share = percent(used / budget) if budget else "no budget"
        name = labels.sector(str(row["sector"]))
        bars.append(Bar(name, share, (inside, outside), mark=budget / scale.divisor))
        cells.append(
            (
                name,
                scale.show(budget),
                scale.show(used),
                share + (" (over)" if over else ""),
                f"{row['first_year']} to {row['last_year']}",
                str(row["source"]),
                labels.words(str(row["confidence"])),
            )
        )

    def draw(width: int, identifier: str) -> Markup:
        description = "Share of the budget used: " + ", ".join(f"{b.label} {b.shown}" for b in bars)
        return charts.horizontal_bars(width, identifier, title, description + ".", bars)

    wide, narrow = pair(draw, "fig-budgets")
    firsts = [int(r["first_year"]) for r in rows]
    lasts = [int(r["last_year"]) for r in rows]
    return Figure(
        "fig-budgets",
        title,
        wide,
        narrow,
        legend=(
            Key("Emitted within the budget (colour of the sector group)", palette.INCUMBENT.css),
            Key("Emitted beyond the budget", palette.ALARM.css),
            Key("Budget", "var(--ink,#1b1b1b)", "line"),
        ),
        unit=f"{scale.unit}, GWP set {context.gwp}; percent: share of the budget used",
        year=f"{min(firsts)} to {max(lasts)}, summed",
        source="this plan, table budgets; how each was made is in the data below",
        data=Table(
            title,
            (
                Head("Sector"),
                Head("Budget", scale.unit, numeric=True),
                Head("Used", scale.unit, numeric=True),
                Head("Share", numeric=True),
                Head("Years"),
                Head("How it was made"),
                Head("Confidence"),
            ),
            tuple(cells),
        ),
    )
