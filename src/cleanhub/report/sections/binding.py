"""What binds: limits by year with their worth, unmet demand, and sector budgets."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette, pathway_charts
from cleanhub.report.blocks import Figure, Grid, Head, Key, Prose, Section, Table, Text
from cleanhub.report.charts import Bar
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, percent, pretty_unit, scale_for
from cleanhub.report.pathway_charts import Cell, RowName
from cleanhub.report.sections.common import pair, plural, span

PANELS = 12
DECLARED = "limit "
"""How the source of a budget begins that a limit of the hub declares."""
DEMAND, SITES = "demand: ", "site capacity: "
"""How rows begin that stand for a market's demand and for what sites can make."""
_COLOURS = (palette.CATEGORIES[0].css, palette.CATEGORIES[3].css)


def build(context: Context) -> Section:
    """Limits by year, the table of what binds, unmet demand, and budgets."""
    everything = context.rows("limits")
    rows = [row for row in everything if not str(row["limit"]).startswith((DEMAND, SITES))]
    broken = sorted({str(r["limit"]) for r in rows if _over(r)})
    lead: list[Text] = []
    if rows:
        names = sorted({str(r["limit"]) for r in rows})
        lead.append(f"{plural(len(names), 'limit holds', 'limits hold')} this path.")
        if broken:
            named = ", ".join(labels.words(name) for name in broken)
            lead.append(f"Broken in at least one year: {named}.")
        else:
            lead.append("None is broken in any year.")
    return Section(
        "limits",
        "What binds",
        tuple(lead),
        (
            _strips(rows),
            _panels([row for row in rows if str(row["limit"]) not in _budget_limits(context)]),
            _table(rows),
            _unmet(context, everything),
            _budgets(context),
            _budget_years(context),
        ),
    )


def _budget_limits(context: Context) -> set[str]:
    """Limits that table ``budgets`` shows too, so that they are drawn once."""
    sources = [str(row["source"]) for row in context.rows("budgets")]
    return {text.split(" ")[1] for text in sources if text.startswith(DECLARED)}


def _over(row: Row) -> bool:
    return float(row["violation"] or 0.0) > 0


def _refuses(row: Row) -> bool:
    return float(row["shadow_price"] or 0.0) > 0


def _strips(rows: list[Row]) -> Figure:
    """One strip a limit: how much of it is used in each year, where it refuses and where it is broken."""
    title = "Limits that bind, by year"
    grouped = _by_limit(rows)
    if not grouped:
        return Figure("fig-binding", title, Markup(""), empty="No limits in this plan.")
    names = sorted(grouped, key=lambda n: (-_tightness(grouped[n]), n))
    years = sorted({int(row["year"]) for row in rows})
    cells: dict[tuple[int, int], Cell] = {}
    for i, name in enumerate(names):
        for row in grouped[name]:
            share = float(row["used"]) / float(row["value"]) if row["value"] else 0.0
            about = (
                f"{labels.words(name)}, {row['year']}: used {number(row['used'])} of {number(row['value'])}"
            )
            about += f" {row['unit']}"
            if _refuses(row):
                about += f"; one more would be worth ${number(row['shadow_price'])}"
            fill, strength = _COLOURS[0], min(max(share, 0.0), 1.0) * 0.5
            if _over(row):
                fill, strength = _COLOURS[1], 0.85
            elif _refuses(row):
                strength = 1.0
            cells[i, years.index(int(row["year"]))] = Cell("", strength, _over(row), about, fill)
    columns = [str(y) if y % 5 == 0 else "" for y in years]
    binding = [n for n in names if any(_refuses(r) for r in grouped[n])]
    description = f"{len(names)} limits over {span(years)}; {len(binding)} refuse a choice in some year."

    def draw(width: int, identifier: str) -> Markup:
        return pathway_charts.heat_map(
            width,
            identifier,
            title,
            description,
            [RowName(labels.words(name)) for name in names],
            columns,
            cells,
            _COLOURS[0],
            upright=True,
        )

    wide, narrow = pair(draw, "fig-binding")
    return Figure(
        "fig-binding",
        title,
        wide,
        narrow,
        legend=(
            Key("Refuses a choice: one more unit would save money", _COLOURS[0]),
            Key("In use, darker the nearer to the limit", _COLOURS[0], "light"),
            Key("Broken", _COLOURS[1], "hatch"),
        ),
        unit="share of the limit that is used",
        year=span(years),
        source="this plan, table limits",
        data=_binding_data(grouped, binding),
    )


def _binding_data(grouped: dict[str, list[Row]], binding: list[str]) -> Table:
    out: list[tuple[Text, ...]] = []
    for name in sorted({*binding, *(n for n, own in grouped.items() if any(_over(r) for r in own))}):
        for row in grouped[name]:
            if _refuses(row) or _over(row):
                scale = scale_for([row["value"], row["used"]], str(row["unit"]))
                out.append(
                    (
                        labels.words(name),
                        str(row["year"]),
                        scale.full(row["value"]),
                        scale.full(row["used"]),
                        scale.full(row["violation"]) if _over(row) else "none",
                        f"{number(row['shadow_price'])} per {pretty_unit(str(row['unit'])) or 'unit'}",
                    )
                )
    return Table(
        "Years in which a limit binds",
        (
            Head("Limit"),
            Head("Year", numeric=True),
            Head("Allowed", numeric=True),
            Head("Used", numeric=True),
            Head("Violation", numeric=True),
            Head("Shadow price", "$", numeric=True),
        ),
        tuple(out),
        empty="No limit binds in any year.",
    )


def _unmet(context: Context, rows: list[Row]) -> Prose:
    """Demand that no plant meets, and what sites cannot make, in words."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if str(row["limit"]).startswith((DEMAND, SITES)) and _over(row):
            found.setdefault(str(row["limit"]), []).append(row)
    if not found:
        return Prose(("Every market of this plan meets its demand in every year.",))
    points: list[Text] = []
    for name, own in sorted(found.items(), key=lambda item: (-_worst_share(item[1]), item[0])):
        worst = max(own, key=lambda r: (_share_over(r), -int(r["year"])))
        scale = scale_for([worst["violation"]], str(worst["unit"]).split(" at ")[0])
        what, _, which = name.partition(": ")
        years = [int(row["year"]) for row in own]
        verb = "is not met" if what == "demand" else "is passed: the rest is made elsewhere"
        when = f"{plural(len(years), 'year')} ({span(sorted(years))})"
        most = f"{scale.full(worst['violation'])} ({percent(_share_over(worst))}) in {worst['year']}"
        points.append(f"{labels.words(which)}: {what} {verb} in {when}, at most by {most}.")
    shown = points[:PANELS]
    if len(points) > PANELS:
        shown.append(f"{len(points) - PANELS} more in table limits.")
    return Prose(("Demand that the plants of this plan do not meet:",), tuple(shown))


def _share_over(row: Row) -> float:
    return float(row["violation"] or 0.0) / float(row["value"]) if row["value"] else 0.0


def _worst_share(rows: list[Row]) -> float:
    return max(_share_over(row) for row in rows)


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
                f"{number(dear['shadow_price'])} per {pretty_unit(unit) or 'unit'} in {dear['year']}"
                if refused
                else "0",
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
            Head("Highest shadow price", "$"),
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
                str(row["over_from"] or MISSING),
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
                Head("Used up in", numeric=True),
                Head("Years"),
                Head("How it was made"),
                Head("Confidence"),
            ),
            tuple(cells),
        ),
    )


def _budget_years(context: Context) -> Grid:
    """Emissions added up year by year against each sector's budget."""
    figures = []
    for row in sorted(context.rows("budgets"), key=lambda r: str(r["sector"])):
        budget, first, last = float(row["budget"] or 0.0), int(row["first_year"]), int(row["last_year"])
        by_year = _sector_tonnes(context, row)
        years = list(range(first, last + 1))
        total, so_far = 0.0, []
        for when in years:
            total += by_year.get(when, 0.0)
            so_far.append(total)
        if total > 0 and len(years) > 1:
            figures.append(_budget_panel(context, row, years, so_far, budget))
    return Grid(
        "Emissions against budget",
        tuple(figures),
        note="Columns: emitted since the first year; the line is the budget; hatched: beyond it.",
        empty="No budgets in this plan.",
    )


def _sector_tonnes(context: Context, budget: Row) -> dict[int, float]:
    """Tonnes that count against a budget by year: of plants and vehicles where a limit declares it."""
    declared = str(budget["source"]).startswith(DECLARED)
    found: dict[int, float] = {}
    for row in context.scope_1:
        counts = row["asset_kind"] != "rest" if declared else row["hub_scope"]
        if row["sector"] == budget["sector"] and counts:
            found[int(row["year"])] = found.get(int(row["year"]), 0.0) + float(row["tonnes"])
    return found


def _budget_panel(context: Context, row: Row, years: list[int], so_far: list[float], budget: float) -> Figure:
    top = max(*so_far, budget)
    step, unit = next(
        (s, u) for s, u in ((1e9, "Gt"), (1e6, "Mt"), (1e3, "kt"), (1.0, "t")) if top >= s or s == 1.0
    )
    used = [value / step for value in so_far]
    over = [max(value - budget, 0.0) / step for value in so_far]
    allowed = [budget / step] * len(years)
    title = labels.sector(str(row["sector"]))
    ends = f"used up in {row['over_from']}" if row["over_from"] else f"lasts beyond {years[-1]}"
    description = (
        f"{number(used[-1])} {unit} emitted by {years[-1]} of {number(budget / step)} {unit}: {ends}."
    )
    identifier = f"fig-budget-{''.join(c if c.isalnum() else '-' for c in str(row['sector']))}"
    drawing = charts.limit_panel(
        300, identifier, title, description, years, allowed, used, over, _COLOURS, height=180
    )
    cells = tuple(
        (str(y), number(u), number(budget / step), number(o))
        for y, u, o in zip(years, used, over, strict=True)
    )
    head = (
        Head("Year", numeric=True),
        Head("Emitted so far", numeric=True),
        Head("Budget", numeric=True),
        Head("Beyond", numeric=True),
    )
    full = f"{unit} CO\N{SUBSCRIPT TWO}e, GWP set {context.gwp}"
    return Figure(
        identifier,
        title,
        drawing,
        unit=full,
        year=span(years),
        source="this plan, tables emissions and budgets",
        note=f"The budget is {ends}." if row["over_from"] else f"The budget {ends}.",
        data=Table(title, head, cells, unit=full),
    )
