"""All plan tables of a path at once."""

from __future__ import annotations

import pandas as pd

from cleanhub.pathways import accounts, emissions, results
from cleanhub.pathways.abatement import abatement_cost_table
from cleanhub.pathways.assemble import Pathway
from cleanhub.pathways.tipping import tipping_points_table


def path_tables(pathway: Pathway) -> dict[str, pd.DataFrame]:
    """The plan tables that this room makes, by name; see :mod:`cleanhub.hub.plan_tables`."""
    return {
        "emissions": emissions.emissions_table(pathway),
        "assets": results.assets_table(pathway),
        "switches": results.switches_table(pathway),
        "energy": accounts.energy_table(pathway),
        "production": results.production_table(pathway),
        "balances": accounts.balances_table(pathway),
        "stranded": results.stranded_table(pathway),
        "costs": accounts.costs_table(pathway),
        "limits": accounts.limits_table(pathway),
        "tipping_points": tipping_points_table(pathway),
        "abatement_cost": abatement_cost_table(pathway),
        "truck_fleet": results.truck_fleet_table(pathway),
        "sectors": results.sectors_table(pathway),
    }
