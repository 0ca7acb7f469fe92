"""The command that shows a plan in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cleanhub.cli.output import out, print_json


def add_serve_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command()(serve)


def serve(
    plan: Annotated[Path, typer.Argument(help="plan folder")] = Path("plans/california"),
    port: Annotated[int, typer.Option(help="port to listen on; 0 takes a free one", min=0, max=65535)] = 8050,
    host: Annotated[str, typer.Option(help="address to listen on: of this machine only")] = "127.0.0.1",
    hub: Annotated[
        str | None,
        typer.Option(help="the hub that the plan was made of, if it is none of the bundled (name or folder)"),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="print where it listens as JSON, then serve as without it")
    ] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="open a browser on the first page")] = False,
) -> None:
    """Show a plan as pages on this machine, read-only, until Ctrl+C."""
    from cleanhub.web.server import address_of, check_folder, check_host, listening_socket, run_server
    from cleanhub.web.view import open_plan

    check_host(host)
    check_folder(plan)
    view = open_plan(plan, hub)
    if view.remark and not as_json:
        out.print(f"note: {view.remark}", highlight=False, markup=False)
    with listening_socket(host, port) as listening:
        address = address_of(listening)
        if as_json:
            told = {"address": address, "hub": view.plan.hub_title, "plan": str(plan), "note": view.remark}
            print_json(told)
            sys.stdout.flush()  # whoever waits for it reads a pipe, and nothing more is printed
        else:
            out.print(f"{view.plan.hub_title}: {address} (Ctrl+C ends)", highlight=False, soft_wrap=True)
        if open_browser:
            import webbrowser

            webbrowser.open(address)
        run_server(view, listening)
