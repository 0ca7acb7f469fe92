"""Colours: one per sector group, used by every figure and the map alike.

Sector groups use Paul Tol's *muted* scheme, other categories the Okabe-Ito scheme; both
keep apart under the common kinds of colour blindness. Stages are one hue from light to
strong, since they are an order. Every colour has a light and a dark form and reaches the
page as a CSS variable with the light form as fallback, so a figure copied out of the
report keeps its colours.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A named colour, with the value for light and for dark paper."""

    name: str
    light: str
    dark: str

    @property
    def css(self) -> str:
        """The colour as a CSS value."""
        return f"var(--c-{self.name},{self.light})"


@dataclass(frozen=True)
class Group:
    """Sectors that share a colour."""

    key: str
    label: str
    colour: Colour
    sectors: tuple[str, ...]


def _group(key: str, label: str, light: str, dark: str, sectors: str) -> Group:
    return Group(key, label, Colour(key, light, dark), tuple(sectors.split()))


GROUPS: tuple[Group, ...] = (
    _group("power", "Power", "#332288", "#9a92ee", "power power_imports"),
    _group("refining", "Refining and fuels", "#CC6677", "#e08a98", "refining fuels"),
    _group("oilgas", "Oil and gas", "#882255", "#c9629a", "oil_gas"),
    _group("minerals", "Cement, glass, minerals", "#DDCC77", "#e3d48b", "cement lime glass minerals"),
    _group("chemicals", "Hydrogen and chemicals", "#AA4499", "#d184c5", "hydrogen chemicals"),
    _group(
        "industry",
        "Metals, food, other industry",
        "#999933",
        "#b9b95a",
        "steel aluminium food pulp_paper electronics other_industry institution",
    ),
    _group("freight", "Trucks, rail, ports", "#44AA99", "#5cc4b3", "trucking rail ports"),
    _group("seaair", "Ships and aircraft", "#88CCEE", "#88CCEE", "shipping aviation"),
    _group(
        "cars",
        "Cars and other transport",
        "#117733",
        "#4fb36f",
        "light_vehicles transport_other military",
    ),
    _group(
        "land",
        "Buildings, farms, waste",
        "#a8a29a",
        "#8f8a83",
        "buildings agriculture waste",
    ),
    _group("carbon", "CO\N{SUBSCRIPT TWO} storage and removal", "#3d3d3d", "#d8d8d8", "co2_storage cdr"),
    _group("other", "Other", "#c4b5a5", "#85796c", "cross_sector"),
)
"""Sector groups in stacking order; a sector that is in none belongs to the last."""

_BY_SECTOR = {sector: group for group in GROUPS for sector in group.sectors}

STAGES: tuple[tuple[str, Colour], ...] = (
    ("concept", Colour("stage-concept", "#dbe6f2", "#2f4560")),
    ("announced", Colour("stage-announced", "#b9cfe6", "#3a5a80")),
    ("pre_feed", Colour("stage-pre-feed", "#8fb4d9", "#4872a1")),
    ("feed", Colour("stage-feed", "#5f92c6", "#5d8dc2")),
    ("fid", Colour("stage-fid", "#3570ab", "#7fabdb")),
    ("construction", Colour("stage-construction", "#1c4f86", "#a6c8ee")),
    ("operating", Colour("stage-operating", "#0b2c57", "#d9eaff")),
    ("shelved", Colour("stage-shelved", "#d8cbb6", "#6b6255")),
    ("cancelled", Colour("stage-cancelled", "#b3a48d", "#584f43")),
    ("closed", Colour("stage-closed", "#8c7f6c", "#463f36")),
)
"""Stages in order, then the ends."""

_STAGE = dict(STAGES)

CATEGORIES: tuple[Colour, ...] = (
    Colour("blue", "#0072B2", "#4aa3da"),
    Colour("orange", "#E69F00", "#f0b43c"),
    Colour("green", "#009E73", "#2fc298"),
    Colour("vermillion", "#D55E00", "#f0823a"),
    Colour("sky", "#56B4E9", "#7cc8f4"),
    Colour("purple", "#CC79A7", "#dd9bc0"),
    Colour("yellow", "#E4D532", "#F0E442"),
)
"""Colours for technologies, carriers and cost items, in order of use."""

ELECTRIC: tuple[Colour, ...] = (
    Colour("electric-0", "#a5a19a", "#7d7973"),
    Colour("electric-1", "#8aa9c7", "#6f8aa6"),
    Colour("electric-2", "#5a93c8", "#7fabdb"),
    Colour("electric-3", "#2a6bac", "#a6c8ee"),
    Colour("electric-4", "#0b3a78", "#dcebff"),
)
"""Share of battery-electric trucks in five equal classes: from the grey of what was there to strong blue."""

PHASES: tuple[Colour, ...] = (
    Colour("phase-1", "#a63603", "#ff9a5c"),
    Colour("phase-2", "#e6700f", "#e0782f"),
    Colour("phase-3", "#f5b565", "#b9793a"),
)
"""Phases of building in order, the first strongest."""

INCUMBENT = Colour("incumbent", "#9a9a9a", "#777777")
"""What was there at the start: grey, so that change stands out."""

REST = Colour("rest", "#e4e2de", "#3a3a38")
"""What the hub does not cover."""

ALARM = Colour("alarm", "#b3261e", "#ff8a80")
"""A limit broken, a target missed."""


def group_of(sector: str) -> Group:
    """The group of ``sector``; a sector of the hub's own belongs to *Other*."""
    return _BY_SECTOR.get(sector, GROUPS[-1])


def stage_colour(stage: str) -> Colour:
    """The colour of a project stage."""
    return _STAGE.get(stage, INCUMBENT)


def category_colours(names: list[str], incumbent: str = "") -> dict[str, Colour]:
    """A colour for each of ``names`` in order; ``incumbent`` gets grey."""
    others = [name for name in names if name != incumbent]
    chosen = {name: CATEGORIES[i % len(CATEGORIES)] for i, name in enumerate(others)}
    if incumbent in names:
        chosen[incumbent] = INCUMBENT
    return chosen


def css_variables(dark: bool) -> str:
    """Every colour as CSS custom properties, for light or dark paper."""
    colours = [group.colour for group in GROUPS]
    colours += [colour for _, colour in STAGES]
    colours += [*ELECTRIC, *PHASES, *CATEGORIES, INCUMBENT, REST, ALARM]
    return "".join(f"--c-{c.name}:{c.dark if dark else c.light};" for c in colours)
