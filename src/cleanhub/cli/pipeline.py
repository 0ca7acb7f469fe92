"""Commands on the pipeline: simulate projects, what to unblock first, conflicts of policies, buyers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from cleanhub.cli.output import (
    GroupWithDefault,
    JsonOption,
    ScenarioOption,
    out,
    print_frame,
    print_json,
    records,
)
from cleanhub.cli.pipeline_project import known_project, project_lines, project_view
from cleanhub.cli.pipeline_support import add_support_command
from cleanhub.core.errors import FaultList

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.hub.package import Hub
    from cleanhub.hub.scenario import Scenario
    from cleanhub.pipeline.simulate import Run

_HURDLES = ("revealed", "strict")
_RUN = "run"


class _HubOrCommand(GroupWithDefault):
    """A group whose first word may be a hub."""

    default = _RUN


pipeline_app = typer.Typer(
    cls=_HubOrCommand,
    help="Projects on their way to a decision: what comes through, and which link stands in the way. "
    "`pipeline HUB` is `pipeline run HUB`.",
    no_args_is_help=True,
)
add_support_command(pipeline_app)

Hub_ = Annotated[str, typer.Argument(help="a bundled hub's name, or the folder of a hub package")]
Draws_ = Annotated[int, typer.Option(help="number of draws", min=1, max=1_000_000)]
Seed_ = Annotated[int, typer.Option(help="seed of every draw", min=0)]
Register_ = Annotated[
    str | None,
    typer.Option("--register", help="take the projects from this register (a file or URL), not the package"),
]

User_ = Annotated[
    str | None,
    typer.Option("--as", help="of the register, what this login may see (default: all, as its owner)"),
]


@pipeline_app.command(_RUN)
def pipeline_run(
    hub: Hub_ = "california",
    scenario: ScenarioOption = None,
    draws: Draws_ = 10_000,
    seed: Seed_ = 0,
    hurdle: Annotated[
        str,
        typer.Option(
            help="what the finance gate asks of a valued project: revealed (at least what sponsors of built "
            "projects accepted) or strict (a value that is not negative)"
        ),
    ] = "revealed",
    without_evidence: Annotated[
        bool,
        typer.Option(
            "--without-evidence", help="forget stages, gates and values: shows the base rates calibrated to"
        ),
    ] = False,
    most: Annotated[int, typer.Option("--most", help="rows shown of each table", min=1)] = 15,
    project: Annotated[
        str | None, typer.Option("--project", help="show this project alone: its gates, links and dates")
    ] = None,
    register: Register_ = None,
    user: User_ = None,
    out_dir: Annotated[Path | None, typer.Option("--out", "-o", help="folder for the tables (CSV)")] = None,
    as_json: JsonOption = False,
) -> None:
    """Simulate the projects of a hub gate by gate: decisions by 2030, and what to unblock first."""
    from cleanhub.cli.pathways import write_tables
    from cleanhub.planning.pipeline import run_pipeline, simulated_tables, valued_projects
    from cleanhub.planning.projects import projects_table
    from cleanhub.planning.register_projects import loaded_hub

    faults = FaultList()
    if hurdle not in _HURDLES:
        faults.add("--hurdle", what="no such hurdle", found=hurdle, allowed=", ".join(_HURDLES))
    faults.raise_if_any("pipeline")
    loaded, chosen = loaded_hub(hub, scenario, register, user)
    if project is not None:
        known_project(loaded.tables["projects"], project)
    valued = valued_projects(loaded, chosen)
    asked = cast(Literal["revealed", "strict"], hurdle)
    run = run_pipeline(loaded, chosen, valued, draws, seed, asked, without_evidence)
    tables = {"projects": projects_table(loaded, chosen, run), **simulated_tables(run, chosen, valued)}
    summary = _summary(loaded, chosen, run, tables)
    if out_dir is not None:
        write_tables(tables, out_dir)
        summary["files"] = [str(out_dir / f"{name}.csv") for name in tables]
    if project is not None:
        view = project_view(tables, project)
        if as_json:
            print_json(view)
            return
        for line in project_lines(view):
            out.print(line, highlight=False, markup=False, soft_wrap=True)
        return
    if as_json:
        for name in ("projects", "links"):
            summary[name] = records(tables[name])
        print_json(summary)
        return
    _show(loaded, chosen, summary, tables, most, without_evidence)
    if out_dir is not None:
        out.print(f"\n{len(tables)} tables in {out_dir}", highlight=False, soft_wrap=True)


def _summary(hub: Hub, scenario: Scenario, run: Run, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    import numpy as np

    from cleanhub.pipeline.barriers import count_barriers

    projects, setting = run.world.projects, run.world.setting
    table = tables["projects"]
    own = projects.live & (projects.role != "programme")
    by_year = tables["pipeline_years"]
    taken = np.isfinite(run.times.decided[own])
    decided, share = float(taken.sum()), float(taken.mean()) if own.any() else None
    live_years = float(np.minimum(run.times.decided, run.world.given_up)[own].sum())

    def at(metric: str, year: int) -> dict[str, float] | None:
        rows = by_year[(by_year["metric"] == metric) & (by_year["year"] == year)]
        if rows.empty:
            return None
        first = rows.iloc[0]
        return {"mean": float(first["value"]), "p10": float(first["p10"]), "p90": float(first["p90"])}

    return {
        "hub": hub.name,
        "scenario": scenario.name,
        "draws": run.world.draws,
        "seed": run.world.seed,
        "hurdle": run.hurdle,
        "projects": len(projects),
        "live": int(own.sum()),
        "programmes": int((projects.live & ~own).sum()),
        "past_fid": int(projects.past_fid.sum()),
        "ended": int(projects.ended.sum()),
        "expected_fid_2030": float(table.loc[own, "p_fid_2030"].sum()),
        "expected_fid_2030_strict": float(table.loc[own, "p_fid_strict"].sum()),
        "mean_p_fid_ever": float(table.loc[own, "p_fid_ever"].mean()) if own.any() else None,
        "share_that_decides": share,
        "decisions_per_live_year": decided / live_years if live_years > 0 else None,
        "base_rates": {
            "share_that_ever_decides": setting.ever,
            "decisions_per_live_project_year": setting.hazard,
            "given_up_per_year": setting.drop_hazard,
            "reached_without_evidence": _known(run.calibration.reached),
            "hazard_without_evidence": _known(run.calibration.hazard),
        },
        "tonnes_in": {
            str(year): at("co2e_t", year) for year in (2030, 2035, setting.target_year) if at("co2e_t", year)
        },
        "barriers": records(count_barriers(tables["links"])),
        "notes": list(run.notes),
    }


def _show(
    hub: Hub,
    scenario: Scenario,
    summary: dict[str, Any],
    tables: dict[str, pd.DataFrame],
    most: int,
    without_evidence: bool,
) -> None:
    out.print(
        f"[bold]{hub.title}[/bold]: {scenario.title} (as of {scenario.as_of}, {summary['draws']:,} draws)",
        highlight=False,
    )
    if not summary["projects"]:
        out.print("the hub lists no projects: nothing to decide, nothing to unblock")
        return
    rates = summary["base_rates"]
    out.print(
        f"{summary['projects']} projects: {summary['past_fid']} past their decision, "
        f"{summary['ended']} ended, {summary['live']} to decide, {summary['programmes']} programmes\n"
        f"decisions expected by the end of 2030 among those to decide: {summary['expected_fid_2030']:.1f}; "
        f"if a value below nothing forbids one: {summary['expected_fid_2030_strict']:.1f}\n"
        f"base rates it is calibrated to: {rates['share_that_ever_decides']:.0%} of proposed projects ever "
        f"decide; {rates['decisions_per_live_project_year']:.1%} of those live decide in a year. These are "
        f"different quantities; together they mean that {rates['given_up_per_year']:.0%} a year are given up",
        highlight=False,
    )
    if without_evidence:
        out.print(
            f"reached here without evidence: {summary['share_that_decides']:.1%} of {summary['live']} "
            f"projects decide, {summary['decisions_per_live_year']:.2%} of those live in a year",
            highlight=False,
        )
    for year, tonnes in summary["tonnes_in"].items():
        out.print(
            f"tonnes cut in {year}: {tonnes['mean'] / 1e6:.2f} Mt expected "
            f"({tonnes['p10'] / 1e6:.2f} to {tonnes['p90'] / 1e6:.2f})",
            highlight=False,
        )
    print_frame("Projects and programmes still to decide", _to_decide(tables["projects"]), most)
    print_frame("What to unblock first", _to_unblock(tables["links"], tables["projects"]), most)
    barriers = [
        {
            "barrier": str(row["barrier"]).replace("_", " "),
            "open gates": str(row["open_gates"]),
            "shared links": str(row["shared_links"]),
            "share of tonnes": f"{row['shapley_share']:.0%}",
        }
        for row in summary["barriers"]
    ]
    print_frame("Barriers, and their share of the tonnes that wait", _frame(barriers), most)
    for note in summary["notes"]:
        out.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)


def _to_decide(projects: pd.DataFrame) -> pd.DataFrame:
    live = projects[(projects["p_fid_ever"] > 0) & (projects["p_fid_2030"] < 1)]
    rows = live.sort_values(["p_fid_2030", "p_fid_ever"], ascending=False, kind="stable")
    return _frame(
        [
            {
                "project": row["project_id"],
                "name": _short(row["name"], 32),
                "by 2030": f"{row['p_fid_2030']:.0%}",
                "strict": f"{row['p_fid_strict']:.0%}",
                "ever": f"{row['p_fid_ever']:.0%}",
                "decision": "" if row["fid_p50"] is None else f"{row['fid_p50']:.0f}",
            }
            for row in records(rows)
        ]
    )


def _to_unblock(links: pd.DataFrame, projects: pd.DataFrame) -> pd.DataFrame:
    """Links by the tonnes that wait; those of one project in one row, with who can close the most urgent."""
    from cleanhub.pipeline.barriers import bundles

    names = dict(zip(projects["project_id"], projects["name"], strict=True))
    rows = []
    for one in bundles(records(links)):
        first, own = one.links[0], one.project_id
        words = f"{len(one.links)} open links of {own} {names[own]}" if own else str(first["description"])
        rows.append(
            {
                "what": _short(words, 36),
                "Mt CO2e": _mt(one.blocked),
                "kt per year late": f"{first['per_year_of_delay_t'] / 1e3:.0f}",
                "who": str(first["actor"]),
            }
        )
    return _frame(rows)


def _known(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _mt(tonnes: float) -> str:
    return f"{tonnes / 1e6:.2f}"


def _short(text: object, most: int) -> str:
    words = str(text)
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


@pipeline_app.command("conflicts")
def pipeline_conflicts(
    hub: Hub_ = "california",
    scenario: ScenarioOption = None,
    draws: Draws_ = 1_000,
    seed: Seed_ = 0,
    register: Register_ = None,
    user: User_ = None,
    as_json: JsonOption = False,
) -> None:
    """List where the signals of policy do not fit: dates that cannot be met, rules that exclude others."""
    from cleanhub.pipeline.conflicts import conflicts_table
    from cleanhub.planning.pipeline import run_pipeline, valued_projects
    from cleanhub.planning.register_projects import loaded_hub

    loaded, chosen = loaded_hub(hub, scenario, register, user)
    valued = valued_projects(loaded, chosen)
    run = run_pipeline(loaded, chosen, valued, draws, seed)
    found = conflicts_table(valued.projects, valued.book, chosen.as_of, run.simulation)
    if as_json:
        print_json({"hub": loaded.name, "scenario": chosen.name, "conflicts": records(found)})
        return
    out.print(f"{loaded.title}: {chosen.title}", style="bold", highlight=False, markup=False)
    if found.empty:
        out.print("no conflict of policies is found", highlight=False)
    for kind, rows in found.groupby("kind", sort=True):
        out.print(f"\n{str(kind).replace('_', ' ')}: {len(rows)}", style="bold", highlight=False)
        for text in rows["description"]:
            out.print(f"- {text}", highlight=False, markup=False, soft_wrap=True)


@pipeline_app.command("offtake")
def pipeline_offtake(
    hub: Hub_ = "california", scenario: ScenarioOption = None, as_json: JsonOption = False
) -> None:
    """Match buyers to the projects whose offtake gate they could close."""
    from cleanhub.finance.valuations import valuations_table
    from cleanhub.pipeline.offtake import offtake_table
    from cleanhub.planning.pipeline import valued_projects
    from cleanhub.planning.register_projects import loaded_hub

    loaded, chosen = loaded_hub(hub, scenario)
    found = offtake_table(loaded, chosen, valuations_table(valued_projects(loaded, chosen).projects))
    if as_json:
        print_json({"hub": loaded.name, "scenario": chosen.name, "offtake": records(found)})
        return
    columns = [
        "name",
        "product",
        "project_id",
        "status",
        "volume",
        "unit",
        "premium",
        "needed_premium",
        "covers",
    ]
    out.print(f"{loaded.title}: {chosen.title}", style="bold", highlight=False, markup=False)
    print_frame("Buyers and projects", found[columns], 100)
