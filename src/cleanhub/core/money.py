"""Money between currencies and price years, from a versioned index table.

Foreign money is turned into US dollars of its own year at that year's exchange rate and
then moved to the price year with the US GDP deflator. Years beyond the index use its last
year; :meth:`PriceIndex.last_year` tells which that is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

CURRENCIES = ("USD", "EUR", "GBP", "CNY", "BRL", "SGD", "DKK")
_CURRENCY = re.compile(rf"\b([kMGT]?)({'|'.join(CURRENCIES)})\b")  # kUSD, MEUR: pint reads the prefix


def currency_of(unit: str) -> str | None:
    """The currency named in a unit string (``EUR/(t/yr)`` gives ``EUR``), or ``None``."""
    match = _CURRENCY.search(unit)
    return match.group(2) if match else None


def in_dollars(unit: str) -> str:
    """The same unit string with its currency replaced by USD."""
    return _CURRENCY.sub(r"\1USD", unit)


@dataclass(frozen=True)
class PriceIndex:
    """Deflator and exchange rates by year.

    ``frame`` has the columns series, year, value. The series ``deflator`` is a price
    index; series named like a currency hold units of that currency per US dollar.
    """

    frame: pd.DataFrame
    deflator: str = "usd_gdp_deflator"

    @cached_property
    def _all(self) -> dict[str, tuple[FloatArray, FloatArray]]:
        return {
            str(name): (rows["year"].to_numpy(float), rows["value"].to_numpy(float))
            for name, rows in self.frame.sort_values("year").groupby("series", sort=False)
        }

    def _series(self, name: str) -> tuple[FloatArray, FloatArray]:
        if name not in self._all:
            raise ValueError(f"the price index has no series {name}")
        return self._all[name]

    def last_year(self) -> int:
        """The last year of the deflator."""
        return int(self._series(self.deflator)[0][-1])

    def to_dollars(self, currency: str, year: int, price_year: int) -> float:
        """US dollars of ``price_year`` for one unit of ``currency`` of ``year``.

        Years outside the index use its nearest year.
        """
        rate = 1.0
        if currency != "USD":
            years, values = self._series(currency)
            rate = 1.0 / float(np.interp(year, years, values))
        years, values = self._series(self.deflator)
        return rate * float(np.interp(price_year, years, values) / np.interp(year, years, values))
