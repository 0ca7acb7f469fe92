"""Commands on freight: roads, location models and charging sites."""

from __future__ import annotations

import typer

from cleanhub.cli.freight_cost import add_cost_command
from cleanhub.cli.freight_locate import add_locate_command
from cleanhub.cli.freight_route import add_route_command
from cleanhub.cli.freight_site import add_site_command
from cleanhub.cli.freight_trips import add_trips_command

freight_app = typer.Typer(help="Road routes, location models and charging sites.", no_args_is_help=True)
add_cost_command(freight_app)
add_locate_command(freight_app)
add_route_command(freight_app)
add_site_command(freight_app)
add_trips_command(freight_app)
