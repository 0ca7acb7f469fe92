"""The command that compares two plans, and tells which input moved a headline."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cleanhub.cli.output import JsonOption, out, print_frame, print_json, progress_bar

if TYPE_CHECKING:
    import pandas as pd

    from cleanhub.planning.attribution import Attribution
    from cleanhub.planning.plan import Plan


def compare(
    a: Annotated[Path, typer.Argument(help="folder of plan A")],
    b: Annotated[Path, typer.Argument(help="folder of plan B")],
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="HEADLINE",
            help="share this headline's difference out among the inputs that differ: hub_emissions_2045, "
            'capital_spent ... of the scorecard, or "SECTOR, YEAR" for the tonnes of a sector',
        ),
    ] = None,
    hub_a: Annotated[
        str | None, typer.Option(help="with --explain: folder of plan A's hub, where it is not bundled")
    ] = None,
    hub_b: Annotated[
        str | None, typer.Option(help="with --explain: folder of plan B's hub, where it is not bundled")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two plans: which inputs differ, then which outputs, or which input moved one of them."""
    from cleanhub.planning.compare import compare as make_comparison

    if explain is not None:
        _explain(a, b, explain, (hub_a, hub_b), as_json)
        return
    found = make_comparison(a, b)
    if as_json:
        print_json(found.as_dict())
        return
    out.print(f"A: {found.a}\nB: {found.b}", highlight=False)
    if found.same:
        out.print("no difference")
        return
    print_frame("Inputs that differ", found.inputs, 40)
    print_frame("Headlines and emissions that differ", found.outputs, 60)
    out.print(
        "rows that differ: " + (", ".join(f"{name} {count}" for name, count in found.rows.items()) or "none"),
        highlight=False,
    )
    if len(found.inputs) > 1 and len(found.outputs):
        out.print(
            "which of these inputs moved a headline: cleanhub compare A B --explain "
            f"{_example(found.outputs['key'])}",
            style="dim",
            highlight=False,
        )


def _example(keys: pd.Series) -> str:
    """A headline that differs and can be explained."""
    from cleanhub.planning.measured_path import of_the_path

    return next((str(key) for key in keys if of_the_path(str(key))), "hub_emissions_2045")


def _explain(a: Path, b: Path, metric: str, hubs: tuple[str | None, str | None], as_json: bool) -> None:
    from cleanhub.planning.attribution import attribute
    from cleanhub.planning.reopen import hub_behind
    from cleanhub.planning.store import load_plan

    plans = [load_plan(folder) for folder in (a, b)]
    sides = [
        (hub_behind(plan, folder), plan.scenario, plan.seed) for plan, folder in zip(plans, hubs, strict=True)
    ]
    with progress_bar(as_json) as bar:
        task = bar.add_task("walking paths", total=1.0)
        found = attribute(sides[0], sides[1], metric, lambda share: bar.update(task, completed=share))
    if as_json:
        print_json({"a": _name(plans[0]), "b": _name(plans[1]), **found.as_dict()})
        return
    out.print(f"A: {_name(plans[0])}\nB: {_name(plans[1])}\n", highlight=False)
    _show(found, plans[0].scorecard)


def _name(plan: Plan) -> str:
    return f"{plan.hub_name} / {plan.scenario.name}"


def _show(found: Attribution, scorecard: pd.DataFrame) -> None:
    from cleanhub.report.numbers import scale_for

    row = scorecard[scorecard["metric"] == found.metric]
    title = f"Emissions of {found.metric}" if row.empty else str(row["title"].iloc[0])
    year = "".join(f", {int(one)}" for one in row["year"].dropna())
    scale = scale_for([found.a, found.b], "t CO2e/yr" if row.empty else str(row["unit"].iloc[0]))
    out.print(f"[bold]{title}{year}[/bold]", highlight=False)
    out.print(
        f"A {scale.full(found.a)}, B {scale.full(found.b)}: {scale.full(found.difference)}\n", highlight=False
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Input", overflow="fold")
    table.add_column("A", overflow="fold")
    table.add_column("B", overflow="fold")
    for name in ("alone", "last", "part", "share"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found.inputs.to_dict("records"):
        numbers = [scale.show(one[name]) for name in ("alone", "last", "part")]
        table.add_row(
            escape(one["input"]), escape(one["a"]), escape(one["b"]), *numbers, _percent(one["share"])
        )
    together = found.rest / found.difference if found.difference else float("nan")
    table.add_row("(three or more together)", "", "", "", "", scale.show(found.rest), _percent(together))
    out.print(table, highlight=False)
    if len(found.inputs) and found.difference:
        first = found.inputs.iloc[0]
        out.print(f"\nmoved most by {first['input']}: {_percent(first['share'])} of it", highlight=False)
    out.print(
        "\nalone: only this input changed to B's; last: changed when all others are B's already; "
        "part: their mean. Central values of the path, with the chargers that freight sites in each plan.",
        style="dim",
        highlight=False,
    )


def _percent(share: float) -> str:
    """A share in whole percent; nothing where there is no difference to share."""
    return "" if math.isnan(share) else f"{share:.0%}"
