"""Helpers that several sections share: paired drawings, year tables, sums."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from markupsafe import Markup

from cleanhub.report.blocks import Figure, Head, Key, Table, Text
from cleanhub.report.charts import NARROW, WIDE, Series
from cleanhub.report.context import Row
from cleanhub.report.numbers import number


def pair(draw: Callable[[int, str], Markup], identifier: str) -> tuple[Markup, Markup]:
    """A wide and a narrow drawing by ``draw(width, id)``."""
    return draw(WIDE, f"{identifier}-w"), draw(NARROW, f"{identifier}-n")


def inside(name: str) -> str:
    """A name as it stands inside a sentence; one that begins with CO2 stays as it is."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def sums(rows: Iterable[Row], keys: Sequence[str], value: str) -> dict[tuple[object, ...], float]:
    """Sum of ``value`` by the tuple of ``keys``; missing values count as nothing."""
    found: dict[tuple[object, ...], float] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        found[key] = found.get(key, 0.0) + float(row[value] or 0.0)
    return found


def stack_figure(
    identifier: str,
    title: str,
    drawings: tuple[Markup, Markup | None],
    years: Sequence[int],
    series: Sequence[Series],
    *,
    table: str,
    unit: str,
    year: str = "",
    note: str = "",
    data: tuple[str, str] = ("", ""),
) -> Figure:
    """A stack over years as a figure: its drawings, a legend from the top down, and its data.

    ``table`` is the plan table it is read from; ``year`` falls back to the span of the
    years, ``data`` (title and unit of the data) to ``title`` and ``unit`` where it is empty.
    """
    return Figure(
        identifier,
        title,
        *drawings,
        legend=tuple(Key(layer.label, layer.fill) for layer in reversed(series)),
        unit=unit,
        year=year or span(years),
        source=f"this plan, table {table}",
        note=note,
        data=year_table(data[0] or title, years, series, data[1] or unit),
    )


def year_table(title: str, years: Sequence[int], series: Sequence[Series], unit: str) -> Table:
    """The data of a stack as a table: one row a year, one column a series, and their sum."""
    head = [Head("Year", numeric=True), *(Head(s.label, numeric=True) for s in series)]
    if len(series) > 1:
        head.append(Head("Sum", numeric=True))
    rows: list[tuple[Text, ...]] = []
    for i, year in enumerate(years):
        cells = [number(layer.values[i]) for layer in series]
        if len(series) > 1:
            cells.append(number(sum(layer.values[i] for layer in series)))
        rows.append((str(year), *cells))
    return Table(title, tuple(head), tuple(rows), unit=unit)


def span(years: Sequence[int]) -> str:
    """``2022`` or ``2023 to 2045``."""
    if not years:
        return ""
    return str(years[0]) if years[0] == years[-1] else f"{years[0]} to {years[-1]}"


def plural(n: int, one: str, many: str = "") -> str:
    """``1 site``, ``2 sites``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
