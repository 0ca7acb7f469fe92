"""The command ``freight site``: where to put chargers, when, and what they need of the grid."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from cleanhub.cli.output import HubArgument, JsonOption, ScenarioOption, out, print_frame, print_json, records
from cleanhub.core.errors import FaultList

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.planning.siting import Sited

_OBJECTIVES = ("cost", "electric_miles", "co2e", "diesel_pm_exposure")
_ROBUST = ("", "regret", "cvar")
_FIRST = 12


def add_site_command(app: typer.Typer) -> None:
    """Add ``site`` to ``app``."""
    app.command("site")(site)


def site(
    hub: HubArgument,
    scenario: ScenarioOption = None,
    first: Annotated[int, typer.Option("--from", help="first year decided", min=2000, max=2100)] = 2025,
    last: Annotated[int, typer.Option("--to", help="last year decided", min=2000, max=2100)] = 2035,
    wanted: Annotated[
        float | None,
        typer.Option(
            help="share of drayage that shall be electric in the last year (default: what buyers want)",
            min=0,
            max=1,
        ),
    ] = None,
    objective: Annotated[
        str | None, typer.Option(help=f"in place of the scenario's: {', '.join(_OBJECTIVES)}")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="most capital for sites, plugs and grid together [USD]", min=0)
    ] = None,
    equity: Annotated[
        float | None,
        typer.Option(help="least share of the energy charged at sites of disadvantaged tracts", min=0, max=1),
    ] = None,
    gap: Annotated[float, typer.Option(help="relative gap at which the search ends", min=0, max=1)] = 0.01,
    seconds: Annotated[
        float | None, typer.Option(help="time after which the search ends, whatever the gap", min=1)
    ] = None,
    survival: Annotated[
        bool,
        typer.Option("--survival", help="choose again with half and one and a half of headroom and demand"),
    ] = False,
    robust: Annotated[
        str, typer.Option(help="one choice for many cases of headroom and demand: regret or cvar")
    ] = "",
    ways: Annotated[
        bool,
        typer.Option(
            "--ways", help="compare charging at once with the best hours: bill, peak, CO2 in the last year"
        ),
    ] = False,
    panels: Annotated[
        float | None,
        typer.Option(help="as --ways, and with panels, a site at most [kW]", min=0, max=1e6),
    ] = None,
    storage: Annotated[
        float | None,
        typer.Option(help="as --ways, and with storage, a site at most [kWh]", min=0, max=1e6),
    ] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", "-o", help="folder for the tables (CSV)")] = None,
    seed: Annotated[int, typer.Option(help="seed of every draw", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Site chargers for the drayage of a hub year by year: sites, plugs, grid works, what binds."""
    from cleanhub.cli.pathways import write_tables
    from cleanhub.planning.charging_ways import OwnPower
    from cleanhub.planning.register_projects import loaded_hub
    from cleanhub.planning.siting import SitingChoice, site_chargers

    _check(objective, robust, first, last)
    loaded, chosen = loaded_hub(hub, scenario)
    _check_years(first, last, loaded.base_year, chosen.end_year)
    update = {"objective": objective, "budget_usd": budget, "equity_share": equity}
    freight = chosen.freight.model_copy(update={k: v for k, v in update.items() if v is not None})
    chosen = chosen.model_copy(update={"freight": freight})
    measure = cast(Literal["", "regret", "cvar"], robust)
    own = None if panels is None and storage is None else OwnPower(panels or 0.0, storage or 0.0)
    choice = SitingChoice(
        first,
        last,
        wanted,
        gap=gap,
        seconds=seconds,
        survival=survival,
        robust=measure,
        ways=ways,
        own_power=own,
    )
    sited = site_chargers(loaded, chosen, choice, seed)
    summary = _summary(sited)
    if out_dir is not None:
        tables = {**sited.tables, "community": sited.community}
        if sited.ways is not None:
            tables["charging_ways"] = sited.ways
        write_tables(tables, out_dir)
        summary["files"] = [str(out_dir / f"{name}.csv") for name in tables]
    if as_json:
        print_json({**summary, "sites": records(sited.tables["chargers"])})
        return
    _print(sited, summary)
    if out_dir is not None:
        out.print(f"\n{len(summary['files'])} tables in {out_dir}", highlight=False, soft_wrap=True)


def _check(objective: str | None, robust: str, first: int, last: int) -> None:
    faults = FaultList()
    if objective not in (None, *_OBJECTIVES):
        faults.add("--objective", what="no such objective", found=objective, allowed=", ".join(_OBJECTIVES))
    if robust not in _ROBUST:
        faults.add("--robust", what="no such measure", found=robust, allowed=", ".join(_ROBUST[1:]))
    if last < first:
        faults.add("--to", what="before --from", found=last, allowed=f"{first} or later")
    faults.raise_if_any("freight site")


def _check_years(first: int, last: int, base: int, end: int) -> None:
    faults = FaultList()
    if last > end or first < base:
        found, allowed = f"{first} to {last}", f"{base} to {end}"
        faults.add("--from, --to", what="outside of the scenario", found=found, allowed=allowed)
    faults.raise_if_any("freight site")


def _summary(sited: Sited) -> dict[str, Any]:
    plan = sited.plan
    new = int((plan.opened > 0).sum())
    summary: dict[str, Any] = {
        "hub": sited.case.hub.name,
        "scenario": sited.case.scenario.name,
        "objective": plan.problem.objective,
        "value": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
        "status": plan.status,
        "candidates": len(plan.problem.sites.name),
        "trucks": sited.case.fleet_size,
        "truck_days": float(plan.problem.trucks[:, -1].sum()),
        "sites_opened": new,
        "capital_usd": float(plan.capex_usd.sum()),
        "grid_usd": float(plan.grid_usd.sum()),
        "years": records(sited.tables["truck_charging"]),
        "notes": [*sited.case.notes, *plan.notes],
        "community": records(sited.community),
    }
    if sited.ways is not None:
        summary["ways"] = records(sited.ways)
    if sited.survival is not None:
        found = sited.survival
        summary["survival"] = {
            "share": found.share,
            "by_case": dict(zip(found.case, found.share_by_case.tolist(), strict=True)),
            "top": found.top,
            "top_share": found.top_share,
            "order": dict(zip(found.case, found.order.tolist(), strict=True)),
        }
    if sited.robust is not None:
        best = sited.robust
        summary["robust"] = {
            "value": best.value,
            "bound": best.bound,
            "gap": best.gap,
            "regret": best.regret.tolist(),
            "status": best.status,
            "sites": [str(name) for name in best.plans[0].problem.sites.name[best.plans[0].opened > 0]],
        }
    return summary


def _print(sited: Sited, summary: dict[str, Any]) -> None:
    case, plan = sited.case, sited.plan
    title = (
        f"{case.hub.title}: chargers for drayage ({case.scenario.title}, objective {plan.problem.objective})"
    )
    out.print(title, style="bold", highlight=False, markup=False, soft_wrap=True)
    out.print(
        f"{summary['candidates']} candidate sites, {len(plan.problem.kwh)} groups of truck-days, "
        f"{summary['truck_days']:,.0f} truck-days a day in {int(plan.problem.years[-1])}; "
        f"gap {plan.gap:.2%} ({plan.status})",
        highlight=False,
        soft_wrap=True,
    )
    years = sited.tables["truck_charging"]
    shown = ["year", "trucks", "wanted", "served", "most", "binds", "usd_per_kwh", "peak_kw"]
    print_frame("Truck-days on a working day", _whole(years[shown]), 40)
    chargers = sited.tables["chargers"]
    columns = ["name", "kind", "year_energised", "plugs", "kw", "utilisation", "grid_tier", "usd_per_kwh"]
    if sited.survival is not None:
        columns.append("survival")
    planned = chargers[chargers["status"] == "planned"]
    print_frame("Sites to open, the first first", _whole(planned[columns]), _FIRST)
    works = sited.tables["grid_upgrades"]
    print_frame(
        "Works for the utility", _whole(works[["name", "tier", "kw", "cost_usd", "start", "ready"]]), 40
    )
    if sited.survival is not None:
        found = sited.survival
        out.print(
            f"\n{found.share:.0%} of the sites chosen are chosen in every test of headroom and demand "
            f"(half and one and a half); {found.top_share:.0%} of the first {found.top} stay among the first",
            highlight=False,
            soft_wrap=True,
        )
    if sited.robust is not None:
        out.print(
            f"one choice for all cases: {summary['robust']['status']}, gap {sited.robust.gap:.2%}",
            highlight=False,
        )
    if sited.ways is not None:
        _print_ways(sited.ways, int(plan.problem.years[-1]))
    print_frame("What people asked", sited.community, 40)
    for note in summary["notes"]:
        out.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    out.print(case.network.attribution, style="dim", highlight=False, markup=False, soft_wrap=True)


def _print_ways(ways: pd.DataFrame, year: int) -> None:
    """Ways to charge, in the units people say."""
    shown = ways[["way"]].assign(
        **{
            "USD M/yr": (ways["usd_per_year"] / 1e6).round(1),
            "USD/kWh": ways["usd_per_kwh"].round(3),
            "peak MW": (ways["peak_kw"] / 1e3).round(1),
            "beyond grid MW": (ways["over_room_kw"] / 1e3).round(1),
            "not served MWh/yr": (ways["unserved_kwh_per_year"] / 1e3).round(1),
            "CO2 kt/yr": (ways["co2_t_per_year"] / 1e3).round(2),
            "panels MW": (ways["panels_kw"] / 1e3).round(1),
            "storage MWh": (ways["storage_kwh"] / 1e3).round(1),
        }
    )
    print_frame(f"Ways to charge in {year}, capital of the sites aside", shown, len(shown))


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """Large numbers without decimals, small ones with three."""
    out_frame = frame.copy()
    for name in out_frame.columns:
        if str(out_frame[name].dtype).startswith("float"):
            large = out_frame[name].abs().max() >= 100
            out_frame[name] = out_frame[name].round(0 if large else 3)
    return out_frame
