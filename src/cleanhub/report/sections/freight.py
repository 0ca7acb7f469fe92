"""Trucks and chargers: what share can go electric, what binds, where the sites are, what is assumed.

The figures of sites stand in :mod:`.freight_sites`, those of the grid in :mod:`.freight_grid`, the map
in :mod:`cleanhub.report.freight_map`; the investment blueprint shows the same blocks on paper.
"""

from __future__ import annotations

from collections import Counter

from markupsafe import Markup

from cleanhub.planning.scorecard import WEAK
from cleanhub.report import charging, freight_charts, freight_map, labels, palette, svg
from cleanhub.report.blocks import Block, Figure, Head, Key, Prose, Section, Table, Text
from cleanhub.report.context import Context, Row, once
from cleanhub.report.freight_charts import ShareColumn
from cleanhub.report.numbers import MISSING, count, number, percent
from cleanhub.report.sections import freight_grid, freight_sites
from cleanhub.report.sections.common import pair, plural, span
from cleanhub.report.sections.scorecard import BADGE

_, _ORANGE, _GREEN, _VERMILLION, _SKY, _PURPLE, _YELLOW = palette.CATEGORIES
BOUNDS: tuple[tuple[str, palette.Colour, str], ...] = (
    ("nothing", _GREEN, "all that is wanted is served"),
    ("range", _PURPLE, "truck-days too long for the batteries of the year"),
    ("plugs", _SKY, "sites cannot hold more plugs, or cannot be built yet"),
    ("grid", _VERMILLION, "substations have no room until works are ready"),
    ("cost", _YELLOW, "charging would cost more than it may"),
    ("several", _ORANGE, "no single bound: more is served only when several are lifted"),
)
"""What may bind, its colour, and what it means."""

_COLOUR = {word: colour for word, colour, _ in BOUNDS}
_LIFTED = (
    ("without_range", "If no day were too long"),
    ("without_plugs", "If sites could hold any plugs at once"),
    ("without_grid", "If the grid had room at once"),
    ("without_cost", "Whatever it costs"),
)


def build(context: Context) -> Section | None:
    """The section; ``None`` where the plan says nothing of charging."""
    if not charging.has_charging(context):
        return None
    blocks: list[Block] = [
        share_figure(context),
        lifted_table(context),
        freight_map.figure(context),
        *freight_sites.blocks(context),
        *freight_grid.blocks(context),
        assumptions(context),
    ]
    return Section("freight", "Trucks that can charge, and where", lead(context), tuple(blocks))


def lead(context: Context) -> tuple[Text, ...]:
    """The answer in two or three sentences, with the word *illustrative* where it is due."""
    said: list[Text] = []
    rows = charging.year_rows(context)
    if rows:
        said.append(f"{_served(rows[0])}; {_served(rows[-1], brief=True)}. {binding_sentence(rows)}")
    planned = charging.planned_sites(context)
    if planned:
        power = sum(site.megawatts for site in planned)
        years = sorted({int(site.row["year_energised"]) for site in planned})
        said.append(
            f"The plan opens {plural(len(planned), 'charging site')} with {number(power)} MW of plugs, "
            f"{span(years)}. A truck-day is one truck's work on one working day."
        )
    weak = illustrative(context)
    if weak:
        said.append(weak)
    return tuple(said)


def _served(row: Row, brief: bool = False) -> str:
    share = percent(charging.share_of(row, "served") / 100)
    served, trucks = count(row["served"]), count(row["trucks"])
    if brief:
        return f"in {row['year']}, {served} of {trucks} ({share})"
    return f"In {row['year']}, {served} of {trucks} drayage truck-days run on chargers ({share})"


def binding_sentence(rows: list[Row]) -> str:
    """What binds in which years, in words, the most frequent first."""
    found = Counter(str(row["binds"]) for row in rows)
    bound = sorted((word for word in found if word != "nothing"), key=lambda word: (-found[word], word))
    if not bound:
        return "Nothing binds: all drayage could be charged in every year, if all wanted it."
    parts = []
    for word in bound:
        years = [int(row["year"]) for row in rows if row["binds"] == word]
        parts.append(f"{word} in {_listed(years)}")
    return f"What would keep more from it: {'; '.join(parts)}."


def _listed(years: list[int]) -> str:
    if len(years) > 3:
        return f"{len(years)} years between {years[0]} and {years[-1]}"
    return ", ".join(str(year) for year in years)


def illustrative(context: Context) -> Markup | None:
    """The badge and its reason, where more than the threshold of the sites' power rests on weak inputs."""
    share = charging.weak_share(context.rows("chargers"), "kw", "confidence")
    if not charging.is_illustrative(share):
        return None
    return Markup(
        "{} {} of the power of the sites rests on inputs that were recalled from memory or assumed: read "
        "places, megawatts and years as an order of magnitude, and see what is assumed below."
    ).format(BADGE, percent(share))


@once
def share_figure(context: Context) -> Figure:
    """Truck-days served, wanted and possible by year, as shares of all, with what binds."""
    title = "What share of drayage can go electric, and what binds"
    rows = charging.year_rows(context)
    if not rows:
        return Figure("fig-charging-share", title, Markup(""), empty="No truck-days in this plan.")
    columns = [
        ShareColumn(
            int(row["year"]),
            charging.share_of(row, "served"),
            charging.share_of(row, "wanted"),
            charging.share_of(row, "most") if row["most"] is not None else None,
            str(row["binds"]),
            _COLOUR.get(str(row["binds"]), palette.INCUMBENT).css,
        )
        for row in rows
    ]
    years = [column.year for column in columns]
    first, last = columns[0], columns[-1]
    description = (
        f"Columns by year, {span(years)}, in percent of all truck-days. Served: {number(first.served)} % in "
        f"{first.year} and {number(last.served)} % in {last.year}, when {number(last.wanted)} % are wanted. "
        f"{binding_sentence(rows)}"
    )

    def draw(width: int, identifier: str) -> Markup:
        return freight_charts.share_columns(width, identifier, title, description, columns)

    return Figure(
        "fig-charging-share",
        title,
        *pair(draw, "fig-charging-share"),
        legend=_share_legend({str(row["binds"]) for row in rows}, any(c.most is not None for c in columns)),
        unit="% of the truck-days of a working day",
        year=f"{span(years)}, years decided",
        source="this plan, table truck_charging",
        note=_share_note(any(column.most is not None for column in columns)),
        data=_share_data(rows),
    )


def _share_note(most: bool) -> str:
    bar = "Heavy bar: what could be charged if all wanted it. " if most else ""
    return (
        f"Filled: truck-days that can be charged. Framed: what buyers want, chargers aside. {bar}Under each "
        "year stands what binds, or its first letter."
    )


def _share_legend(present: set[str], most: bool) -> tuple[Key, ...]:
    keys = [
        Key(f"Served; {word} binds: {meaning}", colour.css)
        for word, colour, meaning in BOUNDS
        if word in present
    ]
    keys.append(Key("Wanted", "none"))
    return (*keys, Key("Could be served at most", svg.INK, "line")) if most else tuple(keys)


def _share_data(rows: list[Row]) -> Table:
    heads = ("Truck-days", "Wanted", "Served", "At most")
    columns = ("trucks", "wanted", "served", "most")
    out: list[tuple[Text, ...]] = [
        (
            str(row["year"]),
            *(count(row[name]) for name in columns),
            f"{number(charging.share_of(row, 'served'))} %",
            str(row["binds"]),
            number(row["usd_per_kwh"]),
            number(float(row["peak_kw"]) / 1e3),
            percent(row["residual"]),
        )
        for row in rows
    ]
    head = (
        Head("Year", numeric=True),
        *(Head(label, "per day", numeric=True) for label in heads),
        Head("Share served", numeric=True),
        Head("Binds"),
        Head("Mean cost", "$/kWh", numeric=True),
        Head("Peak of all sites", "MW", numeric=True),
        Head("Trucks and chargers differ by", numeric=True),
    )
    return Table("Truck-days by year", head, tuple(out), unit="in the heading")


@once
def lifted_table(context: Context) -> Table:
    """What lifting each bound alone would add, year by year."""
    rows = charging.year_rows(context)
    out: list[tuple[Text, ...]] = []
    for row in rows:
        cells = [_gain(row, column) for column, _ in _LIFTED]
        most = MISSING if row["most"] is None else count(row["most"])
        out.append((str(row["year"]), count(row["served"]), most, str(row["binds"]), *cells))
    return Table(
        "What lifting each bound alone would add",
        (
            Head("Year", numeric=True),
            Head("Served", "truck-days", numeric=True),
            Head("If all wanted it", "truck-days", numeric=True),
            Head("Binds then"),
            *(Head(label, "more truck-days", numeric=True) for _, label in _LIFTED),
        ),
        tuple(out),
        unit="truck-days on a working day",
        year="in the column",
        source="this plan, table truck_charging",
        note="What could be charged if all wanted it, each year taken alone, and how much more with one "
        "bound lifted and the others left: the columns must not be added.",
        empty="No truck-days in this plan.",
    )


def _gain(row: Row, column: str) -> str:
    if row[column] is None:
        return MISSING
    base = row["served"] if row["most"] is None else row["most"]
    return count(max(float(row[column]) - float(base or 0.0), 0.0))


@once
def assumptions(context: Context) -> Prose:
    """What the numbers of this section rest on, and what they cannot tell."""
    points: list[Text] = [
        (
            "Truck-days are made from container throughput, a trip model and the places of terminals and "
            "warehouses. They are no count of trucks; a trip table of one's own takes their place."
        ),
        (
            "Sites are candidates found by rule. No owner has been asked, and no parcel, lease or permit "
            "has been looked at."
        ),
        *_headroom_points(context),
        (
            "What a substation can serve is compared with the load of charging alone, hour by hour; growth "
            "of other loads and faults of the network are not studied. Only the utility's study says what "
            "is possible."
        ),
        *_confidence_points(context),
    ]
    rows = [row for row in charging.year_rows(context) if row["residual"] is not None]
    worst = max((float(row["residual"]) for row in rows), default=0.0)
    if worst > 0:
        points.append(
            "Trucks bought and chargers built are settled in turns; they still differ by at most "
            f"{percent(worst)}."
        )
    geometry = charging.attribution(context)
    if geometry:
        points.append(
            f"Geometry: {geometry}. It stays under that licence in every table and file of this plan."
        )
    return Prose((Markup("<b>What this rests on, and what it cannot tell</b>"),), tuple(points))


def _headroom_points(context: Context) -> list[Text]:
    rows = charging.works(context)
    found = {str(row["substation"]): str(row["headroom_confidence"]) for row in rows}
    if not found:
        return []
    parts = [f"{labels.words(one).lower()} {n}" for one, n in sorted(Counter(found.values()).items())]
    weak = sum(one in WEAK for one in found.values())
    text = f"Headroom of the {plural(len(found), 'substation')} with works: {', '.join(parts)}."
    if weak:
        text += (
            " Where it is assumed it follows from the voltage alone and can be far off; the utility's own "
            "figure, put into the hub's table grid_headroom, takes its place."
        )
    return [text]


def _confidence_points(context: Context) -> list[Text]:
    planned = [site.row for site in charging.planned_sites(context)]
    known = [float(row["survival"]) for row in planned if row["survival"] is not None]
    if not known:
        return []
    firm = sum(value >= 0.5 for value in known)
    return [
        (
            f"{firm} of {plural(len(known), 'planned site')} are chosen in at least half of the tests that "
            "change headroom and demand; the others depend on which of them is right."
        )
    ]
