"""Projects: the pipeline by sector and stage, every project, and the plants the path needs."""

from __future__ import annotations

from markupsafe import Markup

from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Figure, Head, Key, Section, Table, Text
from cleanhub.report.charts import Bar
from cleanhub.report.context import Context, Row
from cleanhub.report.numbers import MISSING, number, scale_for
from cleanhub.report.sections.common import pair, plural
from cleanhub.report.sections.project_table import project_table, stage_rank


def build(context: Context) -> Section:
    """Pipeline bars, project need, the table of all projects, and programme facts."""
    rows = context.rows("projects")
    lead: list[Text] = []
    if rows:
        ended = sum(row["stage"] in ("shelved", "cancelled", "closed") for row in rows)
        tonnage = sum(row["role"] == "abates" for row in rows)
        lead.append(
            f"{plural(len(rows), 'announced project')}, {ended} of them ended or paused. Only the "
            f"{tonnage} with the role \N{LEFT DOUBLE QUOTATION MARK}abates\N{RIGHT DOUBLE QUOTATION MARK} "
            "carry tonnes; stores, suppliers and enabling infrastructure make those tonnes possible "
            "and are not counted twice."
        )
    return Section(
        "projects",
        "Projects",
        tuple(lead),
        (_pipeline(rows), _need(context), project_table(context, rows), _facts(context)),
    )


def _pipeline(rows: list[Row]) -> Figure:
    title = "Projects by sector and stage"
    if not rows:
        return Figure("fig-projects", title, Markup(""), empty="No projects in this plan.")
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        stages = found.setdefault(str(row["sector"]), {})
        stages[str(row["stage"])] = stages.get(str(row["stage"]), 0) + 1
    order = sorted(found, key=lambda s: (-sum(found[s].values()), s))
    used = sorted({s for stages in found.values() for s in stages}, key=lambda s: (stage_rank(s), s))
    bars = [
        Bar(
            labels.sector(sector),
            str(sum(found[sector].values())),
            tuple(
                (
                    float(found[sector].get(stage, 0)),
                    palette.stage_colour(stage).css,
                    "hatch" if stage in ("shelved", "cancelled", "closed") else "",
                )
                for stage in used
            ),
        )
        for sector in order
    ]
    description = "Projects: " + ", ".join(f"{b.label} {b.shown}" for b in bars) + "."

    def draw(width: int, identifier: str) -> Markup:
        return charts.horizontal_bars(width, identifier, title, description, bars)

    wide, narrow = pair(draw, "fig-projects")
    keys = tuple(
        Key(
            labels.stage(stage),
            palette.stage_colour(stage).css,
            "hatch" if stage in ("shelved", "cancelled", "closed") else "box",
        )
        for stage in used
    )
    head = (Head("Sector"), *(Head(labels.stage(s), numeric=True) for s in used), Head("Sum", numeric=True))
    cells = tuple(
        (
            labels.sector(sector),
            *(str(found[sector].get(stage, 0)) for stage in used),
            str(sum(found[sector].values())),
        )
        for sector in order
    )
    return Figure(
        "fig-projects",
        title,
        wide,
        narrow,
        legend=keys,
        unit="number of projects",
        year="stage as last published",
        source="this plan, table projects",
        data=Table(title, head, cells, unit="number of projects"),
    )


def _need(context: Context) -> Table:
    rows = context.rows("project_need")
    years = sorted({int(row["year"]) for row in rows})
    by_key = {(str(row["sector"]), str(row["unit"]), int(row["year"])): row for row in rows}
    wanted = {(str(r["sector"]), str(r["unit"])) for r in rows if r["plants_needed"] or r["fid_expected"]}
    last = years[-1] if years else 0
    out: list[tuple[Text, ...]] = []
    for sector, counted_in in sorted(wanted):
        end = by_key.get((sector, counted_in, last), {})
        cells = []
        for when in years:
            row = by_key.get((sector, counted_in, when), {})
            cells.append(f"{number(row.get('plants_needed'))} / {number(row.get('fid_expected'))}")
        capital = end.get("capital_gap_usd")
        out.append(
            (
                labels.sector(sector) + ("" if counted_in == "plants" else f", {counted_in}"),
                *cells,
                number(end.get("gap")),
                number(None if capital is None else capital / 1e9),
            )
        )
    counted = sorted({str(row["source"]) for row in rows})
    return Table(
        "Plants and vehicles that the path needs, against the pipeline",
        (
            Head("Sector"),
            *(Head(str(when), "needed / expected", numeric=True) for when in years),
            Head(f"Gap in {last}", "plants or vehicles", numeric=True),
            Head("Capital of the gap", "$ billion", numeric=True),
        ),
        tuple(out),
        unit=f"needed on the path by then / projects past or expected to pass FID; money in "
        f"{context.money_unit}",
        year="in the heading",
        source="; ".join(counted),
        note="Sectors where neither a plant is needed nor a project expected are left out. A surplus "
        "in one sector does not fill the gap of another.",
        id="project-need",
    )


def _facts(context: Context) -> Table:
    out: list[tuple[Text, ...]] = []
    for row in context.package("programme_facts"):
        scale = scale_for([row["value"], row["low"], row["high"]], str(row["unit"]))
        low, high = scale.show(row["low"]), scale.show(row["high"])
        spread = "" if MISSING in (low, high) else f" ({low} to {high})"
        said = str(row["statement"] or row.get("note") or labels.words(str(row["fact"])))
        out.append(
            (
                Markup("{}<br><small>{}</small>").format(said, row["fact"]),
                scale.show(row["value"]) + spread,
                scale.long_unit,
                labels.words(str(row["confidence"])),
                context.cite.cite(row["source_id"]),
            )
        )
    return Table(
        "What the programme says of itself",
        (
            Head("Statement and its id", long=True),
            Head("Value", numeric=True),
            Head("Unit"),
            Head("Confidence"),
            Head("Source"),
        ),
        tuple(out),
        unit="in the column; money as published, in the price year of the source",
        year="of the source",
        source="in the column",
        note="These figures stand beside the project list to compare with. The list is compiled "
        "project by project from public sources; neither is tuned to the other, so their counts "
        "differ.",
        empty="The package of this hub holds no programme facts.",
    )
