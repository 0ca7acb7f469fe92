"""The technology roadmap: what each technology makes, year by year, in units of the product."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

KEYS = ("sector", "product", "region", "technology", "unit")


def roadmap(
    tables: Mapping[str, pd.DataFrame],
    sector: str = "",
    by_region: bool = False,
    years: list[int] | None = None,
) -> pd.DataFrame:
    """Production of each technology by year, one row a technology.

    Parameters
    ----------
    tables
        Plan tables by name; ``production`` is read.
    sector
        Only this sector (empty: all).
    by_region
        Keep the regions apart; else their production is summed.
    years
        Years to show (none given: all of them).

    Returns
    -------
    pandas.DataFrame
        Index sector, product, (region,) technology and unit, ordered by sector, product,
        region and first year of use; one column a year, in ascending order. A technology
        that makes nothing in any year has no row; an empty table gives an empty frame.
    """
    keys = [key for key in KEYS if by_region or key != "region"]
    rows = tables["production"]
    rows = rows[rows["production"] > 0]
    if sector:
        rows = rows[rows["sector"] == sector]
    if rows.empty:
        return pd.DataFrame(index=pd.MultiIndex.from_tuples([], names=keys))
    wide = rows.pivot_table(index=keys, columns="year", values="production", aggfunc="sum", fill_value=0.0)
    wide.columns = pd.Index([int(year) for year in wide.columns], name="year")
    starts = (wide > 0).to_numpy().argmax(axis=1)
    order = wide.assign(_start=starts).reset_index()
    front = [key for key in keys if key not in ("technology", "unit")]
    order = order.sort_values([*front, "_start", "technology"], kind="stable")
    wide = wide.loc[pd.MultiIndex.from_frame(order[keys])]
    return wide if years is None else wide[[year for year in years if year in wide.columns]]
