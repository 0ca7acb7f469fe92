"""Figures of one room by name: the hub's own where it has them, else the library's."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from cleanhub.core.errors import Fault, InputError
from cleanhub.core.money import currency_of, in_dollars
from cleanhub.core.units import factor
from cleanhub.hub.package import Hub

End = Literal["low", "value", "high"]


class Parameters:
    """Rows of a table of parameters of a hub and of the library, converted to the unit asked for.

    ``table`` names the table, which both have in the same layout (``freight_parameters``,
    ``pipeline_parameters``).
    ``end`` picks the central value or an end of the range (the value where a row has no range).
    ``price_year`` is that of money. ``rows`` holds every row in use, the hub's in place of the
    library's, for provenance.
    """

    def __init__(self, hub: Hub, table: str, end: End = "value", price_year: int = 2024) -> None:
        keys = ["parameter", "item"]
        self.table = table
        own, shared = hub.tables[table], hub.library.tables[table]
        both = pd.concat([own.assign(file=f"{table}.csv"), shared.assign(file="library")])
        self.rows = both.drop_duplicates(keys).set_index(keys).sort_index()
        self.end = end
        self.price_year = price_year
        self.index = hub.library.price_index
        self._rows = dict(zip(self.rows.index, self.rows.to_dict("records"), strict=True))

    def has(self, parameter: str, item: str = "") -> bool:
        """Whether there is such a row."""
        return (parameter, item) in self._rows

    def value(self, parameter: str, item: str = "", unit: str = "1", which: End | None = None) -> float:
        """One figure in ``unit``; ``which`` asks for another end than the usual one.

        Raises ``InputError`` naming the row that is missing.
        """
        if (parameter, item) not in self._rows:
            what = f"no row {parameter}, {item or 'all'}"
            raise InputError(
                self.table.split("_")[0], [Fault(f"{self.table}.csv", None, "parameter", what=what)]
            )
        row = self._rows[parameter, item]
        end = row[which or self.end]
        number = float(row["value"] if pd.isna(end) else end)
        given, currency = str(row["unit"]), currency_of(str(row["unit"]))
        if currency:
            year = int(row["currency_year"]) if pd.notna(row["currency_year"]) else self.price_year
            number *= self.index.to_dollars(currency, year, self.price_year)
            given = in_dollars(given)
        return number * factor(given, unit)

    def items(self, parameter: str, unit: str = "1") -> dict[str, float]:
        """All items of a parameter in ``unit``, in the order of their names."""
        return {
            item: self.value(parameter, item, unit) for name, item in sorted(self._rows) if name == parameter
        }
