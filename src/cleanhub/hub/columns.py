"""Columns and layouts that declared tables share: those of a hub package, of the library, of a plan."""

from __future__ import annotations

from cleanhub.core.tables import Column, Table

SOURCE = Column("source_id", "text", "where the row came from", refers="sources.source_id")
CONFIDENCE = Column("confidence", "text", "seen, derived, recalled or assumed", codes="confidence")
NOTE = Column("note", "text", "what a reader must know", blank=True, optional=True)
TRACE = (SOURCE, CONFIDENCE, NOTE)

LAT = Column("lat", "number", "latitude, WGS 84", unit="degree", minimum=-90, maximum=90)
LON = Column("lon", "number", "longitude, WGS 84", unit="degree", minimum=-180, maximum=180)
LAT_BLANK = Column("lat", "number", "latitude, WGS 84", "degree", True, minimum=-90, maximum=90)
LON_BLANK = Column("lon", "number", "longitude, WGS 84", "degree", True, minimum=-180, maximum=180)
COORD_PRECISION = Column(
    "coord_precision", "text", "how exact the place is", blank=True, codes="coord_precision"
)
ASSET_ID = Column(
    "asset_id",
    "text",
    "the site meant, may be empty",
    blank=True,
    refers="facilities.asset_id",
    loose=True,
)
LOW = Column("low", "number", "low end of the range", blank=True)
VALUE = Column("value", "number", "central value")
HIGH = Column("high", "number", "high end of the range", blank=True)
UNIT = Column("unit", "text", "unit of the value", unit_column=True)
CURRENCY_YEAR = Column(
    "currency_year", "year", "price year of money (empty: not money)", blank=True, optional=True
)
YEAR = Column("year", "year", "calendar year")
RESULT_UNIT = Column("unit", "text", "unit of the value")
"""The unit of a computed value: built from units of the library, so never looked up."""
REGION = Column(
    "region",
    "text",
    "region of the hub it holds for (empty: all of it)",
    blank=True,
    optional=True,
    refers="markets.region",
)


def parameters_table(name: str, about: str, codes: str, items: str) -> Table:
    """A table of figures by parameter, a code of the list ``codes``, and by item, such as ``items``."""
    return Table(
        name,
        about,
        (
            Column("parameter", "text", "what it is", codes=codes),
            Column("item", "text", f"of what: {items} ... (empty: of all)", blank=True),
            LOW,
            VALUE,
            HIGH,
            UNIT,
            CURRENCY_YEAR,
            *TRACE,
        ),
        key=("parameter", "item"),
        optional=True,
    )
