"""How the plan was made, and what this model cannot tell."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.report.blocks import Head, Prose, Section, Table, Text
from cleanhub.report.context import Context

_METHOD = (
    (
        "The path starts from the published inventory. Sites keep their reported tonnes, cohorts take "
        "their share of an inventory category, and what remains of each inventory sector is kept as "
        "its rest and moved by a stated driver, never scaled into the sites."
    ),
    (
        "Year by year, each site whose main equipment falls due compares its technology with the "
        "changes the library allows, under the prices, payments and limits of the scenario. Wishes "
        "are granted in order of the saving until a limit refuses. Truck buyers choose by total cost "
        "of ownership, with a spread. Ranges come from running the path again with the drivers at "
        "their low and high ends. This is a first, simple year loop: one decision rule, and no "
        "feedback of demand on prices."
    ),
    (
        "Scope 1 emissions inside the inventory boundary are what is added up. Scope 2 and 3, biogenic "
        "CO\N{SUBSCRIPT TWO} and excluded sources are kept apart and never added to them."
    ),
)
_NO_SITING = "Where chargers, lines or plants should be built: there is no siting yet."
_SITING = (
    "Whether a charging site can be had: sites are candidates found by rule, on headroom that is "
    "assumed where no utility has stated it for its substation. Lines and plants are not sited."
)
_CANNOT = (
    "Who breathes better: there is no air quality, health, jobs or equity result yet.",
    (
        "How likely a project is to be decided: there are no stage-gate probabilities yet; stages are "
        "shown as published."
    ),
    (
        "Whether a project can be financed: levelised costs are first estimates, without debt, tax or "
        "the sponsor's and lender's cases."
    ),
    "What a single site will do: a path is a consistent story under stated drivers, not a forecast.",
)


def build(context: Context) -> Section:
    """Method, limits of the method, notes of the run, and pending tables."""
    plan = context.plan
    cannot = Prose(
        (Markup("<b>What this model cannot tell you</b>"),),
        (_SITING if context.rows("chargers") else _NO_SITING, *_CANNOT),
    )
    notes = tuple(str(note) for note in plan.notes)
    blocks = [Prose(_METHOD), cannot]
    if notes:
        blocks.append(Prose((Markup("<b>Notes of this run</b>"),), notes))
    return Section(
        "method",
        "Method, and what this model cannot tell you",
        (),
        (*blocks, _pending(context), _tables(context)),
    )


def _pending(context: Context) -> Table:
    rows: tuple[tuple[Text, ...], ...] = tuple(
        (name, room) for name, room in sorted(context.plan.pending.items())
    )
    return Table(
        "Pending: part of the design, not built yet",
        (Head("Table"), Head("Room that will build it")),
        rows,
        note="A plan never fakes a table it cannot compute.",
        empty="Nothing is pending.",
    )


def _tables(context: Context) -> Table:
    rows: list[tuple[Text, ...]] = []
    for name, table in PLAN_TABLES.items():
        frame = context.plan.tables.get(name)
        size = f"{len(frame):,}" if frame is not None else "absent"
        rows.append((name, size, table.description))
    return Table(
        "Tables of this plan",
        (Head("Table"), Head("Rows", numeric=True), Head("What it holds")),
        tuple(rows),
    )
