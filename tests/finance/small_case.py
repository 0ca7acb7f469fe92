"""A small project case to change from: every number round, so that results can be worked out by hand."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from typing import Any

from cleanhub.core.yaml_file import merged_mapping
from cleanhub.finance.cases import LoadedCase, case_of
from cleanhub.hub.library import Library

# 10,000 t a year for 100 MUSD, no inflation, no tax law, no reserves, no debt: changes switch things on.
SMALL: dict[str, Any] = {
    "name": "small",
    "title": "A small plant",
    "price_year": 2024,
    "inflation": 0.0,
    "project": {"sector": "hydrogen", "in_service": dt.date(2030, 1, 1)},
    "production": {
        "product": "hydrogen",
        "unit": "t",
        "capacity": 10_000.0,
        "utilisation": 1.0,
        "life": 10,
    },
    "capital": {"cost": {"value": 100.0, "unit": "MUSD"}, "spending": [1.0]},
    "costs": {"operation": {"fixed": 5e6}},
    "revenue": {"offtake": {"price": {"value": 3_000.0, "unit": "USD/t"}, "contracted": True}},
    "reserves": {"debt_service_months": 0.0},
    "debt": {"kind": "none"},
    "returns": {"equity": 0.1, "project": 0.1},
}


def small_data(changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The small case as plain data with ``changes`` laid on it, mapping by mapping."""
    return merged_mapping(copy.deepcopy(SMALL), dict(changes or {}))


def small_case(library: Library, changes: Mapping[str, Any] | None = None) -> LoadedCase:
    """The small case, read, with ``changes`` laid on it."""
    return case_of(small_data(changes), library)
