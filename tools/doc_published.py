"""Published figures beside ours, as Markdown for the page on validation.

The figures and the reasons are rows of the library, ours is measured on the bundled paths
when the docs are made: see :mod:`cleanhub.planning.published`.
"""

from __future__ import annotations

from functools import cache

import pandas as pd

from cleanhub.hub.datadoc import markdown_table
from cleanhub.planning.published import NOT_MEASURED, compare_published, shown

GAPS = ["figure", "published", "why it is not measured", "source"]


@cache
def compared() -> pd.DataFrame:
    """Every figure beside ours; four paths are run for it."""
    return compare_published()


def published_counts() -> str:
    """How many figures are inside, outside and not measured, by sector."""
    counts = pd.crosstab(compared()["sector"], compared()["inside"])
    counts = counts.reindex(columns=["yes", "no", NOT_MEASURED], fill_value=0)
    rows = [(_title(sector), *(str(n) for n in row)) for sector, row in counts.iterrows()]
    rows.append(("**all**", *(str(n) for n in counts.sum())))
    return markdown_table(["sector", "inside", "outside", "not measured"], rows)


def published_gaps() -> str:
    """One table of what is published and not measured, with the reason."""
    frame = compared()
    gaps = shown(frame[frame["inside"] == NOT_MEASURED])
    gaps["published"] = (gaps["published"] + " " + gaps["unit"]).str.strip()
    return markdown_table(GAPS, gaps[["figure", "published", "why", "source"]].to_numpy().tolist())


def _title(sector: object) -> str:
    return str(sector).replace("_", " ").capitalize()
