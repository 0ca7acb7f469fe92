"""The parts a report is made of: sections holding tables, figures and cards.

Sections build these plain records; the templates turn them into HTML. Text is ``str``
(escaped by the template) or ``Markup`` (made by this room from escaped parts).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup

Text = str | Markup


@dataclass(frozen=True)
class Head:
    """One column of a table: label, unit under it, whether it holds numbers or long text."""

    label: str
    unit: str = ""
    numeric: bool = False
    long: bool = False

    @property
    def style(self) -> str:
        """The CSS class of its cells."""
        return "n" if self.numeric else "l" if self.long else ""


@dataclass(frozen=True)
class Table:
    """A table with its unit, year and source line; ``empty`` is said when it has no rows."""

    title: str
    head: tuple[Head, ...]
    rows: tuple[tuple[Text, ...], ...]
    unit: Text = ""
    year: Text = ""
    source: Text = ""
    note: Text = ""
    empty: str = "None in this plan."
    id: str = ""
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Key:
    """One entry of a legend."""

    label: Text
    colour: str
    shape: str = "box"


@dataclass(frozen=True)
class Figure:
    """A figure: a wide and a narrow drawing (or one for both), its legend and its data."""

    id: str
    title: str
    wide: Markup
    narrow: Markup | None = None
    legend: tuple[Key, ...] = ()
    unit: Text = ""
    year: Text = ""
    source: Text = ""
    note: Text = ""
    data: Table | None = None
    empty: str = ""
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class Grid:
    """Small figures of one kind, side by side."""

    title: str
    figures: tuple[Figure, ...]
    note: Text = ""
    empty: str = ""
    kind: str = field(default="grid", init=False)


@dataclass(frozen=True)
class Card:
    """One headline of the scorecard."""

    title: str
    value: str
    unit: str
    when: str
    spread: str
    target: str
    met: str
    illustrative: bool
    recalled: str
    source: Text
    note: str


@dataclass(frozen=True)
class Cards:
    """The headlines; the first is the lead."""

    cards: tuple[Card, ...]
    empty: str = "None in this plan."
    kind: str = field(default="cards", init=False)


@dataclass(frozen=True)
class Prose:
    """Paragraphs, then points."""

    paragraphs: tuple[Text, ...] = ()
    points: tuple[Text, ...] = ()
    kind: str = field(default="prose", init=False)


@dataclass(frozen=True)
class MapBlock:
    """The map: drawing, symbol legend and the layers and sectors that can be switched."""

    svg: Markup
    layers: tuple[tuple[str, str, Markup], ...]
    sectors: tuple[tuple[str, str], ...]
    sizes: Markup
    stages: tuple[Key, ...]
    groups: tuple[Key, ...]
    unit: Text
    year: Text
    source: Text
    empty: str = ""
    kind: str = field(default="map", init=False)


Block = Table | Figure | Grid | Cards | Prose | MapBlock


@dataclass(frozen=True)
class Section:
    """One numbered section."""

    id: str
    title: str
    lead: tuple[Text, ...]
    blocks: tuple[Block, ...]
