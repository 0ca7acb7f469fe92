"""The investment blueprint: a few printable pages for a port, its utility and its neighbours.

It stands beside the report, reads the same plan tables and shows the same blocks, on pages that can be
handed over one by one. :mod:`cleanhub.report.utility_table` makes the page for the utility as CSV. No
other source is cited here than the plan's tables: their sources stand in ``report.html``.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from cleanhub.report import charging, freight_map, palette, utility_table
from cleanhub.report.blocks import Block, Card, Cards, Prose, Section
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import count, money, number, percent
from cleanhub.report.page import own_file, page
from cleanhub.report.sections import freight, freight_community, freight_grid, freight_sites
from cleanhub.report.sections.common import plural

FILE = "blueprint.html"
LICENCE_FILE = "ATTRIBUTION.txt"
SITES_ON_PAPER = 30
SUBSTATIONS_ON_PAPER = 14


def write_blueprint(context: Context, folder: Path) -> tuple[Path, ...]:
    """Write the blueprint, the utility's table and the attribution into ``folder``; return the paths.

    Nothing is written for a plan without charging sites; the attribution is written whenever the plan
    holds road geometry. Raises ``OSError`` when the folder cannot be written.
    """
    texts: dict[str, str] = {}
    if context.rows("chargers"):
        texts = {FILE: render_blueprint(context), utility_table.FILE: utility_table.utility_csv(context)}
    words = charging.attribution(context)
    if words:
        texts[LICENCE_FILE] = _attribution_text(words)
    written = []
    for name, text in texts.items():
        target, partial = folder / name, folder / f".{name}.partial"
        partial.write_bytes(text.encode("utf-8"))
        partial.replace(target)
        written.append(target)
    return tuple(written)


def _attribution_text(words: str) -> str:
    return (
        f"Road geometry in this folder: {words}.\n"
        "Where it stands: report.html, blueprint.html, tables/road_flow (column licence), and the places of "
        "charging sites in tables/chargers where a site lies at a node of the road network.\n"
        "Whoever passes these files or parts of them on keeps this attribution; a database made from the "
        "geometry stays under the same licence.\n"
        "OpenStreetMap: https://www.openstreetmap.org/copyright\n"
        "Open Database License 1.0: https://opendatacommons.org/licenses/odbl/1-0/\n"
    )


def render_blueprint(context: Context) -> str:
    """The blueprint as one HTML document of five printed pages or a few more."""
    return page(
        "blueprint.html.j2",
        plan=context.plan,
        hub=context.hub,
        scenario=context.plan.scenario,
        as_of=context.plan.scenario.as_of.isoformat(),
        context=context,
        pages=pages(context),
        attribution=charging.attribution(context),
        style=own_file("report.css") + own_file("blueprint.css"),
        light=Markup(palette.css_variables(dark=False)),
    )


def pages(context: Context) -> tuple[Section, ...]:
    """The pages in order: summary, sites, capital, grid works, people and limits."""
    return (
        _page(
            "summary",
            "Summary",
            freight.lead(context),
            Cards(summary_cards(context)),
            freight.share_figure(context),
            freight_sites.phase_table(context),
        ),
        _page(
            "sites",
            "Sites by phase",
            (),
            freight_map.figure(context),
            freight_sites.site_table(context, SITES_ON_PAPER),
        ),
        _page(
            "capital",
            "Capital by year and payer",
            (),
            freight_sites.capital_figure(context),
            freight_sites.capital_table(context),
            freight.lifted_table(context),
        ),
        _page(
            "works",
            "Grid works to hand to the utility",
            (_utility_lead(context),),
            freight_grid.works_table(context),
            freight_grid.load_table(context, SUBSTATIONS_ON_PAPER),
            freight_grid.load_grid(context, 3),
        ),
        _page(
            "people",
            "What people asked for, and what this cannot tell",
            (),
            *freight_community.blocks(context),
            _method(),
            freight.assumptions(context),
        ),
    )


def _page(identifier: str, title: str, lead: tuple[str | Markup, ...], *blocks: Block) -> Section:
    return Section(identifier, title, lead, blocks)


def _utility_lead(context: Context) -> str:
    if not charging.works(context):
        return "Every substation has room for what the plan puts on it: no works are needed."
    return (
        "These are requests for study, not orders: each row names a substation, what charging adds there "
        f"and when it must be ready. {utility_table.FILE} beside this page holds them with the load of every "
        "substation by year and hour: mail it."
    )


def _method() -> Prose:
    return Prose(
        (
            Markup("<b>How it was made</b>"),
            (
                "Container moves are spread over terminals, rail yards, warehouses and gateways, chained "
                "into truck-days and driven on the road network. What a truck-day takes in energy decides "
                "where and when it must charge. One optimisation chooses sites, plugs and grid works year by "
                "year, within headroom and lead times of substations; how many trucks want to be electric "
                "comes from their cost."
            ),
        )
    )


# ---------------------------------------------------------------- summary


def summary_cards(context: Context) -> tuple[Card, ...]:
    """Sites, power, capital, trucks served, and works of the grid, as cards."""
    sites = [site.row for site in charging.planned_sites(context)]
    rows = charging.year_rows(context)
    weak = charging.weak_share(context.rows("chargers"), "kw", "confidence")
    power = sum(float(row["kw"] or 0.0) for row in sites) / 1e3
    capital = sum(float(row["value_usd"] or 0.0) for row in context.rows("charging_capital"))
    payers = {str(row["payer"]) for row in context.rows("charging_capital") if row["value_usd"]}
    works = charging.works(context)
    cards = [
        _card("Charging sites", count(len(sites)), "planned", _open_note(context), "chargers", weak),
        _card("Power of the plugs", number(power), "MW", _plugs_note(sites), "chargers", weak),
        _card(
            "Capital",
            money(capital),
            context.money_unit,
            f"{count(len(payers))} kinds of payer; trucks not counted",
            "charging_capital",
            weak,
        ),
    ]
    if rows:
        cards.append(_served_card(rows, weak))
    headroom = charging.weak_share(works, "kw", "headroom_confidence")
    if works:
        added = sum(float(row["kw"] or 0.0) for row in works) / 1e3
        first = min(int(row["start"]) for row in works)
        places = plural(len({str(row["substation"]) for row in works}), "substation")
        note = f"at {places}; first start {first}"
        cards.append(_card("Grid works", number(added), "MW", note, "grid_upgrades", headroom))
    return tuple(cards)


def _open_note(context: Context) -> str:
    opened = [site for site in charging.sites(context) if not site.phase.number]
    return f"{count(len(opened))} more stand already" if opened else ""


def _plugs_note(sites: list[Row]) -> str:
    return f"{count(sum(float(row['plugs'] or 0.0) for row in sites))} plugs in the last year decided"


def _served_card(rows: list[Row], weak: float) -> Card:
    last = rows[-1]
    by_year = "; ".join(
        f"{row['year']}: {count(row['served'])}"
        for row in (rows[i] for i in charging.chosen_years(range(len(rows)), 4))
    )
    return _card(
        "Truck-days served",
        percent(charging.share_of(last, "served") / 100),
        f"of {count(last['trucks'])}",
        f"on a working day. {by_year}",
        "truck_charging",
        weak,
        str(last["year"]),
    )


def _card(title: str, value: str, unit: str, note: str, table: str, weak: float, when: str = "") -> Card:
    return Card(
        title=title,
        value=value,
        unit=unit,
        when=when,
        spread="",
        target="",
        met="",
        illustrative=charging.is_illustrative(weak),
        recalled=percent(weak),
        source=f"this plan, table {table}",
        note=note,
    )
