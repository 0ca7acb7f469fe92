"""Commands on pathways: run the technology transition of a hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.output import (
    HubArgument,
    JsonOption,
    ScenarioOption,
    out,
    print_frame,
    print_json,
    records,
    write_csv,
)
from cleanhub.core.errors import FaultList, InputError

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.pathways.assemble import Pathway
    from cleanhub.pathways.mpp_faithful import MppResult

_RULES = ("least_cost", "lowest_emissions", "mpp", "optimal")
_SHOWN = (2020, 2030, 2040, 2050)


def add_pathways_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("pathways")(run_pathways)


def run_pathways(
    hub: HubArgument,
    scenario: ScenarioOption = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="decision rule in place of the scenario's: least_cost, lowest_emissions, mpp, optimal"
        ),
    ] = None,
    faithful: Annotated[
        bool, typer.Option("--faithful", help="repeat the imported solver with its own rules and defects")
    ] = False,
    pathway: Annotated[
        str, typer.Option(help="with --faithful: pathway of the imported solver: bau, lc, fa, cc")
    ] = "bau",
    seed: Annotated[int, typer.Option(help="seed of every draw", min=0)] = 0,
    out_dir: Annotated[Path | None, typer.Option("--out", "-o", help="folder for the tables (CSV)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a hub's technology transition alone, without projects, finance and report."""
    if faithful:
        _check_faithful(rule, scenario, out_dir)
        assert out_dir is not None
        _run_faithful(hub, pathway, seed, out_dir, as_json)
    else:
        _run_hub(hub, scenario, rule, seed, out_dir, as_json)


def _check_faithful(rule: str | None, scenario: str | None, out_dir: Path | None) -> None:
    faults = FaultList()
    if rule not in (None, "mpp"):
        faults.add("--rule", what="no such rule with --faithful", found=rule, allowed="mpp")
    if scenario is not None:
        faults.add("--scenario", what="no scenario with --faithful", found=scenario, allowed="--pathway")
    if out_dir is None:
        faults.add("--out", what="missing option", allowed="a folder for the tables")
    faults.raise_if_any("pathways")


def _run_hub(
    hub: str, scenario: str | None, rule: str | None, seed: int, out_dir: Path | None, as_json: bool
) -> None:
    from cleanhub.hub.package import load_hub
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.pathways.engine import run_pathway
    from cleanhub.pathways.tables import path_tables

    loaded = load_hub(hub)
    chosen = load_scenario(scenario or str(loaded.meta.get("default_scenario", "baseline")), loaded)
    if rule is not None:
        if rule not in _RULES:
            faults = FaultList()
            faults.add("--rule", what="no such rule", found=rule, allowed=", ".join(_RULES))
            raise InputError("pathways", faults.faults)
        chosen = chosen.model_copy(update={"decision": chosen.decision.model_copy(update={"rule": rule})})
    path = run_pathway(loaded, chosen, seed=seed)
    tables = path_tables(path)
    summary = _summary(path, tables)
    if out_dir is not None:
        write_tables(tables, out_dir)
        summary["files"] = [str(out_dir / f"{name}.csv") for name in tables]
    if as_json:
        print_json(summary)
        return
    _print_summary(path, tables, summary)
    if out_dir is not None:
        out.print(f"\n{len(tables)} tables in {out_dir}", highlight=False, soft_wrap=True)


def write_tables(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """One CSV file for each table, each whole or not at all."""
    for name, frame in tables.items():
        write_csv(frame, folder / f"{name}.csv")


def _summary(path: Pathway, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    limits = tables["limits"]
    missed = limits[limits["violation"] > 0].groupby("limit")["year"].agg(["min", "count"])
    years = _years_shown(path)
    summary: dict[str, Any] = {
        "hub": path.hub.name,
        "scenario": path.scenario.name,
        "rule": path.scenario.decision.rule,
        "seed": path.problem.rule.seed,
        "emissions_mt": {
            int(year): float(value) for year, value in _scope_1(tables["emissions"]).items() if year in years
        },
        "roadmap": records(_wide(tables["production"], years)),
        "missed": {
            str(name): {"first_year": int(row["min"]), "years": int(row["count"])}
            for name, row in missed.iterrows()
        },
        "stranded_usd": float(tables["stranded"]["capital_usd"].sum()),
    }
    if path.optimum is not None:
        optimum = path.optimum
        summary["optimum"] = {
            "objective_usd": optimum.objective,
            "bound_usd": optimum.bound,
            "gap": optimum.gap,
            "status": optimum.status,
        }
    return summary


def _scope_1(emissions: pd.DataFrame) -> pd.Series:
    rows = emissions[(emissions["scope"] == 1) & (emissions["boundary"] == "included")]
    return rows[rows["gas"] == "co2e"].groupby("year")["value"].sum() / 1e6


def _years_shown(path: Pathway) -> list[int]:
    first, last = int(path.years[0]), int(path.years[-1])
    return sorted({first, *(year for year in (2030, 2035, 2040, 2045) if first < year < last), last})


def _wide(frame: pd.DataFrame, years: list[int]) -> pd.DataFrame:
    """Production by technology, one column for each year shown."""
    keys = ["technology", "unit"]
    shown = frame[frame["year"].isin(years)]
    wide = shown.pivot_table(index=keys, columns="year", values="production", aggfunc="sum")
    wide = wide.reindex(columns=years).fillna(0.0)
    wide.columns = [str(year) for year in wide.columns]
    return wide.reset_index()


_WORDS = ((1e9, "bn "), (1e6, "M "), (1e3, "k "), (0.0, ""))


def _readable(wide: pd.DataFrame) -> pd.DataFrame:
    """One line for each technology, in thousands, millions or billions of its unit."""
    import pandas as pd

    years = list(wide.columns[2:])
    rows = []
    for _, row in wide.iterrows():
        values = [float(row[year]) for year in years]
        size, word = next((size, word) for size, word in _WORDS if max(values) >= size)
        shown = [f"{value / (size or 1.0):,.3g}" if value else "-" for value in values]
        rows.append((row["technology"], f"{word}{row['unit']}", *shown))
    return pd.DataFrame(rows, columns=["technology", "unit", *years])


def _print_summary(path: Pathway, tables: dict[str, pd.DataFrame], summary: dict[str, Any]) -> None:
    title = f"{path.hub.title}: {path.scenario.title} (rule {summary['rule']})"
    out.print(title, style="bold", highlight=False, markup=False, soft_wrap=True)
    tonnes = ", ".join(f"{year} {value:,.0f}" for year, value in summary["emissions_mt"].items())
    out.print(f"scope 1, all of the inventory [Mt CO2e/yr]: {tonnes}", highlight=False, markup=False)
    print_frame("Made by technology", _readable(_wide(tables["production"], _years_shown(path))), 150)
    if summary["missed"]:
        import pandas as pd

        missed = pd.DataFrame(
            [(name, one["first_year"], one["years"]) for name, one in summary["missed"].items()],
            columns=["limit or demand not met", "first year", "years"],
        )
        print_frame("Not met", missed, 20)
    if "optimum" in summary:
        best = summary["optimum"]
        out.print(
            f"system cost {best['objective_usd'] / 1e9:,.2f} billion USD, no path below "
            f"{best['bound_usd'] / 1e9:,.2f}; gap {best['gap']:.2%}, {best['status']}",
            highlight=False,
        )
    out.print(f"capital stranded: {summary['stranded_usd'] / 1e9:,.2f} billion USD", highlight=False)


def _run_faithful(hub: str, pathway: str, seed: int, out_dir: Path, as_json: bool) -> None:
    from cleanhub.hub.mpp_import import read_imported
    from cleanhub.hub.package import find_hub
    from cleanhub.pathways.mpp_faithful import run_faithful, write_result
    from cleanhub.pathways.mpp_tables import build_tables

    solver = read_imported(find_hub(hub))
    tables = build_tables(solver.frames, solver.settings)
    result = run_faithful(tables, solver.settings, pathway, seed)
    files = write_result(result, out_dir)
    summary: dict[str, Any] = {
        "hub": hub,
        "rule": "mpp, faithful",
        "sector": solver.settings.sector,
        "pathway": pathway,
        "seed": seed,
        "files": [str(path) for path in files],
        "decisions": result.transitions.groupby("type").size().to_dict(),
        "unmet_demand_Mt": float(result.shortfalls["shortfall_Mt"].sum()),
        "notes": list(solver.notes),
    }
    if as_json:
        print_json({**summary, "mix": _mix(result).to_dict("records")})
        return
    for note in solver.notes:
        out.print(f"note: {note}", highlight=False, markup=False, soft_wrap=True)
    print_frame(f"{solver.settings.sector} {pathway}, seed {seed}: Mt a year", _mix(result), 60)
    decisions = ", ".join(f"{kind} {count}" for kind, count in summary["decisions"].items())
    out.print(f"\ndecisions: {decisions or 'none'}", highlight=False)
    if len(result.shortfalls):
        years = sorted(set(result.shortfalls["year"]))
        out.print(f"demand is not met in {len(years)} years, first in {years[0]}", highlight=False)
    out.print(
        f"tables in {out_dir}: {', '.join(path.name for path in files)}", highlight=False, soft_wrap=True
    )


def _mix(result: MppResult) -> Any:
    """Production by product and technology in the years shown."""
    mix = result.mix[result.mix["year"].isin(_SHOWN)]
    wide = mix.pivot_table(
        index=["product", "technology"], columns="year", values="annual_production_volume_Mt", aggfunc="sum"
    )
    wide = wide.reindex(columns=list(_SHOWN)).fillna(0.0)
    wide.columns = [str(year) for year in wide.columns]
    return wide.reset_index()
