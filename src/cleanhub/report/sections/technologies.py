"""Technologies of each sector over time: the roadmap as small stacked areas."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cleanhub.planning.roadmap import roadmap
from cleanhub.report import charts, labels, palette
from cleanhub.report.blocks import Figure, Grid
from cleanhub.report.charts import Series
from cleanhub.report.context import Context, as_rows, once
from cleanhub.report.numbers import number, pretty_unit, scale_for
from cleanhub.report.sections.common import span, stack_figure

SHOWN = 7
PANEL = 360
CONVENTIONAL = "initial"
LEAST = 0.002
"""Share of a panel's largest year below which a technology is part of the others."""


@dataclass(frozen=True)
class Layer:
    """One layer of a panel: its name, values by year, and whether it is conventional."""

    label: str
    values: tuple[float, ...]
    conventional: bool


def grid(context: Context) -> Grid:
    """One panel for each sector and product, in units of the product, all regions together."""
    table = context.plan.tables.get("production")
    wide = roadmap({"production": table}) if table is not None else pd.DataFrame()
    figures, still = [], []
    if not wide.empty:
        for (sector, product), rows in wide.groupby(level=["sector", "product"], sort=True):
            if len(rows) > 1:
                figures.append(_panel(context, str(sector), str(product), rows))
            else:
                still.append(_title(str(sector), str(product)))
    note = (
        "Grey is what counts as conventional in the library, at the bottom of each stack. Where vehicles "
        "have many technologies they are grouped by the energy they run on. Only what has a technology "
        "in the library is counted."
    )
    if still:
        note += f" One technology from first to last year, so not drawn: {'; '.join(still)}."
    return Grid(
        "Technologies by sector over time",
        tuple(figures),
        note=note,
        empty="No sector of this plan changes its mix of technologies.",
    )


def _title(sector: str, product: str) -> str:
    name = labels.sector(sector)
    return name if product in (sector, "distance") else f"{name}: {labels.words(product).lower()}"


def _panel(context: Context, sector: str, product: str, rows: pd.DataFrame) -> Figure:
    years = [int(year) for year in rows.columns]
    unit = str(rows.index.get_level_values("unit")[0])
    layers = _folded(_layers(context, rows))
    divisor, shown_unit = product_scale(
        max(map(sum, zip(*(one.values for one in layers), strict=True))), unit
    )
    fills = _fills(layers)
    series = [
        Series(one.label, tuple(value / divisor for value in one.values), fill)
        for one, fill in zip(layers, fills, strict=True)
    ]
    identifier = f"fig-mix-{_slug(sector)}-{_slug(product)}"
    title = _title(sector, product)
    last = ", ".join(f"{s.label} {number(s.values[-1])}" for s in series if s.values[-1])
    drawing = charts.stacked_areas(
        PANEL,
        identifier,
        title,
        f"{shown_unit} by technology, {span(years)}. In {years[-1]}: {last or 'nothing is made'}.",
        years,
        series,
        height=220,
    )
    return stack_figure(
        identifier,
        title,
        (drawing, None),
        years,
        series,
        table="production",
        unit=shown_unit,
        year=f"{span(years)}; projected after {context.base_year}",
        data=(f"{title}, by technology", ""),
    )


def _slug(code: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in code)


def product_scale(top: float, unit: str) -> tuple[float, str]:
    """What to divide amounts of ``unit`` by so that ``top`` reads well, and the unit then."""
    if unit.startswith("t/") or unit == "t":
        scale = scale_for([top], unit)
        return scale.divisor, scale.unit
    for step, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if top >= step * 0.9995:
            return step, f"{word} {pretty_unit(unit)}"
    return 1.0, pretty_unit(unit)


def _layers(context: Context, rows: pd.DataFrame) -> list[Layer]:
    names = [str(name) for name in rows.index.get_level_values("technology")]
    classes = classifications(context)
    if len(names) > SHOWN:
        fuels = main_carriers(context)
        vehicles = vehicle_technologies(context)
        if all(name in fuels and name in vehicles for name in names):
            grouped = rows.groupby([fuels[name] for name in names], sort=True).sum()
            usual = {fuels[name] for name in names if classes.get(name) == CONVENTIONAL}
            order = sorted(grouped.index, key=lambda one: (one not in usual, one))
            return [
                Layer(labels.words(str(one)), tuple(grouped.loc[one].to_numpy(float)), one in usual)
                for one in order
            ]
    values = rows.to_numpy(float)
    return [
        Layer(context.technology(name), tuple(values[i]), classes.get(name, "") == CONVENTIONAL)
        for i, name in enumerate(names)
    ]


def _folded(layers: list[Layer]) -> list[Layer]:
    """At most ``SHOWN`` layers: conventional ones first, the smallest of the rest as Other."""
    whole = max((sum(column) for column in zip(*(one.values for one in layers), strict=True)), default=0.0)
    small = [one for one in layers if max(one.values) < LEAST * whole]
    kept = [one for one in layers if one not in small] or layers
    usual = [one for one in kept if one.conventional]
    others = [one for one in kept if not one.conventional]
    if len(usual) > 2 or (len(kept) > SHOWN and len(usual) > 1):
        usual = [_sum("Conventional", usual, True)]
    room = SHOWN - len(usual)
    if len(others) > room:
        ranked = sorted(others, key=lambda one: -sum(one.values))
        small += ranked[room - 1 :]
        others = [one for one in others if one in ranked[: room - 1]]
    rest = [_sum("Other", small, False)] if small and kept is not layers else []
    return [*usual, *others, *rest]


def _sum(label: str, layers: list[Layer], conventional: bool) -> Layer:
    return Layer(label, tuple(map(sum, zip(*(one.values for one in layers), strict=True))), conventional)


def _fills(layers: list[Layer]) -> list[str]:
    greys = [palette.INCUMBENT.css, "var(--c-land,#c9c6c1)"]
    out, used, usual = [], 0, 0
    for one in layers:
        if one.conventional:
            out.append(greys[usual % 2])
            usual += 1
        elif one.label == "Other":
            out.append(palette.REST.css)
        else:
            out.append(palette.CATEGORIES[used % len(palette.CATEGORIES)].css)
            used += 1
    return out


# ---------------------------------------------------------------- what the library says of technologies


def _library(context: Context, table: str) -> list[dict[str, object]]:
    tables = getattr(getattr(context.hub, "library", None), "tables", {})
    return as_rows(tables.get(table))


@once
def classifications(context: Context) -> dict[str, str]:
    """Class of each technology; empty when the hub carries no library."""
    return {str(row["technology"]): str(row["classification"]) for row in _library(context, "technologies")}


@once
def main_carriers(context: Context) -> dict[str, str]:
    """Carrier that each technology uses most of in energy, by name."""
    units = {str(row["carrier"]): str(row["unit"]) for row in _library(context, "carriers")}
    heating = {str(row["carrier"]): float(str(row["value"])) for row in _library(context, "heating_values")}
    energy = {"GJ": 1.0, "MWh": 3.6}
    best: dict[str, tuple[float, str]] = {}
    for row in _library(context, "technology_parameters"):
        if row["parameter"] != "input" or row["value"] is None:
            continue
        carrier, unit = str(row["carrier"]), str(row["unit"]).split("/")[0]
        each = energy.get(unit) or heating.get(carrier, 1.0) or energy.get(units.get(carrier, ""), 1.0)
        amount = float(str(row["value"])) * each
        name = str(row["technology"])
        if amount > best.get(name, (0.0, ""))[0]:
            best[name] = (amount, carrier)
    return {name: carrier for name, (_, carrier) in best.items()}


@once
def vehicle_technologies(context: Context) -> frozenset[str]:
    """Technologies whose capital is per vehicle."""
    return frozenset(
        str(row["technology"])
        for row in _library(context, "technology_parameters")
        if row["parameter"] == "capex" and str(row["unit"]).endswith("/vehicle")
    )
