"""The command on a lender's portfolio: commitments together, in both views, against the hub's path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.output import JsonOption, out, print_json, records

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.planning.plan import Plan
    from cleanhub.planning.portfolio import Portfolio

_KINDS = {"sector": "sector", "technology": "technology", "policy": "paid by", "link": "waits for"}


def add_portfolio_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("portfolio")(portfolio_command)


def portfolio_command(
    holdings: Annotated[
        Path,
        typer.Argument(
            help="CSV of commitments: commitment_usd, and project_id (of the plan), case (a frozen case, "
            ".json) or both"
        ),
    ],
    plan: Annotated[Path, typer.Option("--plan", help="folder of a saved plan to see them against")],
    samples: Annotated[
        int, typer.Option("--samples", help="draws of each frozen case, for the chance of a loss", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="seed of the draws", min=0)] = 0,
    most: Annotated[int, typer.Option("--most", help="rows shown of each kind of concentration", min=1)] = 5,
    out_dir: Annotated[Path | None, typer.Option("--out", "-o", help="folder for the tables (CSV)")] = None,
    as_json: JsonOption = False,
) -> None:
    """See commitments together: both views, what many hang on, and the path of their sectors."""
    from cleanhub.cli.pathways import write_tables
    from cleanhub.hub.library import load_library
    from cleanhub.planning.holdings import read_holdings
    from cleanhub.planning.portfolio import build_portfolio
    from cleanhub.planning.store import load_plan

    library, against = load_library(), load_plan(plan)
    found = build_portfolio(against, read_holdings(holdings, against, library), library, samples, seed)
    if out_dir is not None:
        write_tables(found.tables, out_dir)
    if as_json:
        tables = {name: records(frame) for name, frame in found.tables.items()}
        print_json({"plan": found.plan_id, "totals": found.totals(), **tables})
        return
    for line in _lines(found, against, most):
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if out_dir is not None:
        out.print(f"\n{len(found.tables)} tables in {out_dir}", highlight=False, soft_wrap=True)


def _lines(found: Portfolio, plan: Plan, most: int) -> Iterator[str]:
    yield from _head(found, plan)
    yield from _exposure(found.tables["exposure"])
    yield from _views(found.tables["exposure"])
    yield from _concentration(found.tables["concentration"], most)
    yield from _path(found.tables["alignment"], found.tables["need"])
    yield from _tonnes(found)


def _head(found: Portfolio, plan: Plan) -> Iterator[str]:
    from cleanhub.planning.scorecard import ILLUSTRATIVE
    from cleanhub.report.numbers import money

    sums = {name: money(value) for name, value in found.totals().items() if name.endswith("_usd")}
    weak = "  ILLUSTRATIVE" if found.totals()["weak_share"] > ILLUSTRATIVE else ""
    yield f"PORTFOLIO  {len(found.tables['exposure'])} commitments, {sums['commitment_usd']}{weak}"
    day = plan.scenario.as_of
    yield f"  against plan {found.plan_id}: {plan.hub_title}, {plan.scenario.title}, as of {day}"
    yield (
        f"  expected to reach a decision: {sums['expected_usd']} of {sums['known_usd']} with a known chance; "
        f"{sums['past_decision_usd']} is past it"
    )
    yield f"  owners fall short of their return in the sponsor's P50: {sums['below_return_usd']}"
    yield (
        f"  debt service in the lender's P90: covered {sums['covered_usd']}, not covered "
        f"{sums['not_covered_usd']}, no debt is carried {sums['no_debt_usd']}"
    )
    yield f"  committed beyond the debt that the lender's P90 carries: {sums['above_debt_usd']}"
    missing = found.totals()["commitment_usd"] - found.totals()["valued_usd"]
    if missing > 0:
        yield f"  not valued: {money(missing)}"


def _exposure(table: pd.DataFrame) -> Iterator[str]:
    from cleanhub.report.numbers import money, percent, tonnes

    yield ""
    yield (
        f"{'EXPOSURE':<38}{'stage':<13}{'committed':>13}{'share':>7}{'by 2030':>9}{'ever':>7}"
        f"{'of capital':>11}{'CO2e/yr':>9}"
    )
    for row in records(table):
        yield (
            f"  {_called(row, 34):<36}{row['stage']:<13}{money(row['commitment_usd']):>13}"
            f"{percent(row['share']):>7}{percent(row['p_fid_2030']):>9}{percent(row['p_fid_ever']):>7}"
            f"{percent(row['attribution']):>11}{tonnes(row['financed_co2e_t_per_year']):>9}"
        )
    yield "  by 2030, ever: chance of an investment decision; CO2e/yr: its share of what is avoided"


def _views(table: pd.DataFrame) -> Iterator[str]:
    from cleanhub.report.numbers import money, number, percent

    yield ""
    yield f"{'VALUE OF EQUITY, DEBT SERVICE':<40}{'sponsor, P50':>34}{'lender, P90':>34}"
    yield f"{'':<40}{'NPV':>16}{'IRR':>7}{'price gap':>11}{'NPV':>16}{'cover':>7}{'price gap':>11}"
    for row in records(table):
        if row["sponsor_npv_usd"] is None:
            yield f"  {_called(row, 36):<38}{row['basis']}"
            continue
        yield (
            f"  {_called(row, 36):<38}{money(row['sponsor_npv_usd']):>16}{percent(row['sponsor_irr']):>7}"
            f"{number(row['sponsor_price_gap']):>11}{money(row['lender_npv_usd']):>16}"
            f"{_cover(row['lender_min_dscr']):>7}{number(row['lender_price_gap']):>11}"
        )
        if row["p_loss"] is not None:
            words = f"{percent(row['p_loss'])} that owners fall short"
            if row["p_not_covered"] is not None:
                words += f", {percent(row['p_not_covered'])} that debt service is not covered"
            yield f"    drawn: {words}"
    yield "  cover: least cash flow over debt service, none without debt; price gap: USD per unit of product"


def _cover(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}x"


def _called(row: dict[str, Any], width: int) -> str:
    text = f"{row['holding_id']} {row['name']}"
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _concentration(table: pd.DataFrame, most: int) -> Iterator[str]:
    from cleanhub.report.numbers import money, percent

    yield ""
    yield f"{'WHAT HANGS ON ONE THING':<45}{'committed':>13}{'share':>7}"
    for kind, title in _KINDS.items():
        rows = table[table["kind"] == kind]
        if kind == "link":
            rows = rows.sort_values("holdings", ascending=False, kind="stable")
        for place, row in enumerate(records(rows.head(most))):
            more = ""
            if row["paid_per_usd_of_capital"] is not None:
                until = f", if by {row['until']}" if row["until"] else ""
                more = f"  ${row['paid_per_usd_of_capital']:.2f} per $ of capital{until}"
            elif row["p_closes"] is not None:
                more = f"  {percent(row['p_closes'])} that it closes"
            item = row["item"] if len(row["item"]) <= 27 else f"{row['item'][:26]}…"
            yield (
                f"  {title if place == 0 else '':<16}{item:<27}{money(row['commitment_usd']):>13}"
                f"{percent(row['share']):>7}{more}"
            )
        if len(rows) > most:
            yield f"  {'':<16}and {len(rows) - most} more: --json or --out lists all"


def _path(alignment: pd.DataFrame, need: pd.DataFrame) -> Iterator[str]:
    from cleanhub.report.numbers import number

    yield ""
    yield "AGAINST THE PATH  scope 1 of a unit made with what is financed, and on the path"
    for sector in alignment["sector"].unique():
        for product, rows in alignment[alignment["sector"] == sector].groupby("product", sort=False):
            if product == "":
                yield f"  {sector}: no technology is financed whose product the path makes"
                continue
            steps = ", ".join(f"{number(row['path_intensity'])} in {row['year']}" for row in records(rows))
            financed, unit = number(rows["financed_intensity"].iloc[0]), rows["unit"].iloc[0]
            yield f"  {sector}: financed {financed} {unit}, {_verdict(rows)}"
            yield f"    path {steps}"
        yield from _needed(need[(need["sector"] == sector) & (need["plants_needed"] > 0)])


def _verdict(rows: pd.DataFrame) -> str:
    from cleanhub.report.numbers import money, number, percent

    first = rows.iloc[0]
    of_all = f" ({money(first['covered_usd'])} of {money(first['commitment_usd'])} counted)"
    counted = of_all if first["covered_usd"] < first["commitment_usd"] else ""
    late = rows[rows["aligned"] == "no"]
    if late.empty:
        return f"in none of these years above the path{counted}"
    row = late.iloc[0]
    share = f" ({percent(row['difference'] / row['path_intensity'])})" if row["path_intensity"] else ""
    return f"behind the path from {row['year']}, then by {number(row['difference'])}{share}{counted}"


def _needed(rows: pd.DataFrame) -> Iterator[str]:
    if rows.empty:
        return
    plants = ", ".join(f"{row['plants_needed']:.0f} by {row['year']}" for row in records(rows))
    yield f"    plants that the path changes or builds: {plants}"
    for title, name in (("all projects", "fid_expected"), ("those financed here", "financed_fid_expected")):
        yield f"    expected of {title}: {', '.join(f'{value:.2f}' for value in rows[name])}"


def _tonnes(found: Portfolio) -> Iterator[str]:
    from cleanhub.report.numbers import money, tonnes

    sums = found.totals()
    yield ""
    yield (
        f"TONNES AVOIDED  {tonnes(sums['financed_co2e_t_per_year'])} CO2e a year if all are built, "
        f"{tonnes(sums['expected_co2e_t_per_year'])} as expected"
    )
    yield f"  as projects state them, for {money(sums['tonnes_usd'])} of commitments by share of capital"
    yield "  (as PCAF does for project finance); set beside emissions, never against them"
