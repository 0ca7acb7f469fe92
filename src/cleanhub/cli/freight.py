"""Commands on freight: roads, location models and charging sites."""

from __future__ import annotations

import typer

freight_app = typer.Typer(help="Road routes, location models and charging sites.", no_args_is_help=True)
