"""The command that chooses what to support within slots and money."""

from __future__ import annotations

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
    say,
)

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.pipeline.support import SupportPlan

_MOST = 100


def add_support_command(app: typer.Typer) -> None:
    """Add ``support`` to ``app``."""
    app.command("support")(pipeline_support)


def pipeline_support(
    hub: HubArgument = "california",
    scenario: ScenarioOption = None,
    slots: Annotated[
        int, typer.Option(help="projects and shared links the programme's staff can take on", min=0)
    ] = 10,
    budget: Annotated[
        float,
        typer.Option(help="money of the programme and of foundations, USD of the scenario's year", min=0),
    ] = 50e6,
    public: Annotated[
        float | None,
        typer.Option(help="public money, USD (default: it is taken from the budget too)", min=0),
    ] = None,
    by: Annotated[
        int | None, typer.Option(help="count tonnes to the end of this year (default: the target year)")
    ] = None,
    instruments: Annotated[
        str | None, typer.Option(help="only these instruments, with commas between (default: all)")
    ] = None,
    uplift: Annotated[
        float | None,
        typer.Option(
            help="share of the odds of support that support caused (default: half of the odds ratio)",
            min=0.0,
            max=1.0,
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="number of draws", min=1, max=100_000)] = 1_000,
    seed: Annotated[int, typer.Option(help="seed of every draw", min=0)] = 0,
    register: Annotated[
        str | None,
        typer.Option(
            "--register", help="take the projects from this register (a file or URL), not the package"
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option("--as", help="of the register, what this login may see (default: all, as its owner)"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose which projects and shared links to support, and how, so that the most tonnes come by a year.

    What is chosen is best within the bound shown, for values simulated with and without support on the same
    draws. What it adds if support causes nothing stands beside.
    """
    from cleanhub.pipeline.support import Limits, caveat, plan_support
    from cleanhub.pipeline.support_instruments import read_instruments, read_uplift
    from cleanhub.planning.pipeline import run_pipeline, valued_projects
    from cleanhub.planning.register_projects import loaded_hub

    loaded, chosen = loaded_hub(hub, scenario, register, user)
    only = [name.strip() for name in instruments.split(",") if name.strip()] if instruments else None
    offered = read_instruments(loaded, chosen, only)
    run = run_pipeline(loaded, chosen, valued_projects(loaded, chosen), draws, seed)
    points = read_uplift(run.parameters)
    found = plan_support(run, offered, points, Limits(slots, budget, public), uplift, by)
    said = caveat(run, offered, points, found.share)
    if as_json:
        print_json({"hub": loaded.name, "scenario": chosen.name, **support_summary(found), "caveat": said})
        return
    out.print(f"{loaded.title}: {chosen.title}", style="bold", highlight=False, markup=False)
    _show(found, said)


def support_summary(found: SupportPlan) -> dict[str, Any]:
    """A choice of support as plain data: what is chosen, totals, what holds at other shares."""
    packages = [found.offers.packages[place] for place in found.choice.picked]
    paid: dict[str, float] = {}
    for one in packages:
        for payer, usd in one.paid.items():
            paid[payer] = paid.get(payer, 0.0) + usd
    return {
        "by": found.by,
        "slots": found.limits.slots,
        "budget_usd": found.limits.budget,
        "public_usd": found.limits.public,
        "uplift": found.share,
        "draws": found.draws,
        "seed": found.seed,
        "candidates": len(found.offers.candidates),
        "packages": len(found.offers.packages),
        "chosen": records(found.chosen),
        "slots_used": sum(one.slot for one in packages),
        "cost_usd": sum(one.cost[1] for one in packages),
        "cost_low_usd": sum(one.cost[0] for one in packages),
        "cost_high_usd": sum(one.cost[2] for one in packages),
        "paid_usd": dict(sorted(paid.items())),
        "without_support_co2e_t": found.base,
        "stated_co2e_t": found.choice.value,
        "bound_co2e_t": found.choice.bound,
        "gap": found.choice.gap,
        "status": found.choice.status,
        "simulated_co2e_t": found.simulated.value,
        "simulated_error_t": found.simulated.error,
        "fresh_co2e_t": found.fresh.value,
        "fresh_error_t": found.fresh.error,
        "drawn_uplift_co2e_t": found.drawn.value,
        "zero_uplift_co2e_t": found.at_zero,
        "uplifts": records(found.uplifts),
        "notes": list(found.notes),
    }


def _show(found: SupportPlan, said: str) -> None:
    total = support_summary(found)
    limits = found.limits
    money = f"${limits.budget / 1e6:,.1f} million"
    if limits.public is not None:
        money += f" and ${limits.public / 1e6:,.1f} million of public money"
    say(
        f"{limits.slots} slots, {money}; {total['packages']} packages for {total['candidates']} projects and "
        f"shared links; tonnes to the end of {found.by}; {found.draws:,} draws"
    )
    if found.chosen.empty:
        say("nothing to support: no package within slots and money adds any tonnes")
    for place, row in enumerate(records(found.chosen), start=1):
        _show_one(place, row)
    if not found.chosen.empty:
        closing = f"chance that a project decides, or a shared link closes, by the end of {found.by}"
        out.print(f"({closing}, without and with all of this support)", style="dim", highlight=False)
    payers = ", ".join(f"{payer} ${usd / 1e6:,.1f} million" for payer, usd in total["paid_usd"].items())
    low, high = total["cost_low_usd"] / 1e6, total["cost_high_usd"] / 1e6
    say(f"\nslots used: {total['slots_used']} of {limits.slots}")
    say(f"cost: ${total['cost_usd'] / 1e6:,.1f} million ({low:,.1f} to {high:,.1f}): {payers or 'none'}")
    say(f"without support: {_mt(found.base)}")
    say(
        f"support adds, as chosen: {_mt(found.choice.value)}; no choice can add more than "
        f"{_mt(found.choice.bound)} (gap {found.choice.gap:.1e}, {found.choice.status})"
    )
    say(
        f"the whole set simulated: {_mt(found.simulated.value)} (standard error "
        f"{_mt(found.simulated.error)}); on fresh draws: {_mt(found.fresh.value)} "
        f"({_mt(found.fresh.error)}). Quote the last: a set looks best on the draws it was chosen on"
    )
    say(f"if support causes nothing (uplift 0), the same set adds {_mt(found.at_zero)}")
    say(f"if the share that it causes is anywhere between its ends, {_mt(found.drawn.value)}")
    print_frame("At other shares of the odds taken as caused", _shares(found.uplifts), _MOST)
    for note in found.notes:
        out.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)
    out.print(f"\n{said}", highlight=False, markup=False, soft_wrap=True)


def _mt(tonnes: float) -> str:
    return f"{tonnes / 1e6:,.2f} Mt"


def _show_one(place: int, row: dict[str, Any]) -> None:
    """One choice on two lines."""
    out.print()
    say(f"{place}. {row['name']} ({row['id']}): {row['instruments'].replace('_', ' ').replace(';', ', ')}")
    paid = ", ".join(
        f"{payer} {float(usd) / 1e6:,.1f}"
        for payer, usd in (part.rsplit(" ", 1) for part in row["paid_by"].split(";"))
    )
    say(
        f"   ${row['cost_usd'] / 1e6:,.1f} million ({paid}); adds {_mt(row['alone_co2e_t'])} alone, "
        f"{_mt(row['last_co2e_t'])} on top of the others; chance {row['p_before']:.0%}, "
        f"then {row['p_after']:.0%}"
    )


def _shares(uplifts: pd.DataFrame) -> pd.DataFrame:
    shown = uplifts[["uplift"]].copy()
    shown["this set adds, Mt"] = uplifts["chosen_co2e_t"] / 1e6
    shown["the best set there, Mt"] = uplifts["best_co2e_t"] / 1e6
    shown["in both"] = uplifts["in_common"]
    shown["in the best set"] = uplifts["packages"]
    return shown
