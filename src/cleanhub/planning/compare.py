"""What differs between two plans: inputs first, then outputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import DriverChoice, LimitChoice, PolicyChoice
from cleanhub.planning.plan import Plan
from cleanhub.planning.provenance import HEADLINES
from cleanhub.planning.store import load_plan

INPUT_COLUMNS = ["kind", "key", "a", "b"]
OUTPUT_COLUMNS = ["table", "key", "column", "a", "b", "difference"]
_RESULT_ROWS = (HEADLINES, "emissions")


@dataclass(frozen=True)
class Comparison:
    """Differences of plan B from plan A.

    ``inputs`` has the columns kind, key, a, b (texts); ``outputs`` table, key, column, a,
    b, difference (numbers); ``rows`` counts the differing rows of every table.
    """

    a: str
    b: str
    inputs: pd.DataFrame
    outputs: pd.DataFrame
    rows: dict[str, int]

    @property
    def same(self) -> bool:
        """Whether neither inputs nor outputs differ."""
        return self.inputs.empty and not any(self.rows.values())

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        clean = self.outputs.astype(object).where(self.outputs.notna(), None)
        return {
            "a": self.a,
            "b": self.b,
            "same": self.same,
            "inputs": self.inputs.to_dict("records"),
            "outputs": clean.to_dict("records"),
            "rows": self.rows,
        }


def compare(plan_a: Plan | str | Path, plan_b: Plan | str | Path) -> Comparison:
    """Compare two plans (or their folders): input differences, then output differences."""
    a = plan_a if isinstance(plan_a, Plan) else load_plan(plan_a)
    b = plan_b if isinstance(plan_b, Plan) else load_plan(plan_b)
    rows = {name: _differing_rows(a, b, name) for name in PLAN_TABLES if name != "provenance"}
    return Comparison(
        a=f"{a.hub_name} / {a.scenario.name}",
        b=f"{b.hub_name} / {b.scenario.name}",
        inputs=_inputs(a, b),
        outputs=pd.concat([_scorecard(a, b), _emissions(a, b)], ignore_index=True),
        rows={name: count for name, count in rows.items() if count},
    )


def _inputs(a: Plan, b: Plan) -> pd.DataFrame:
    rows = [
        *_differences("hub", {"name": a.hub_name}, {"name": b.hub_name}),
        *_differences("scenario", *_choices(a, b)),
        *_differences("seed", {"seed": a.seed}, {"seed": b.seed}),
        *_differences("version", a.versions, b.versions),
        *_differences("file", a.hashes, b.hashes),
        *_input_values(a, b),
        *_differences("project", _project_facts(a), _project_facts(b)),
    ]
    return pd.DataFrame(rows, columns=INPUT_COLUMNS)


def _choices(a: Plan, b: Plan) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both scenarios flat; what only one of them names is set beside the choice it departs from."""
    left, right = a.scenario_data(), b.scenario_data()
    for group, choice in (
        ("drivers", DriverChoice()),
        ("limits", LimitChoice()),
        ("policies", PolicyChoice()),
    ):
        usual = choice.model_dump(mode="json")
        names = dict.fromkeys([*left.get(group, {}), *right.get(group, {})])
        for data in (left, right):
            data[group] = {name: data.get(group, {}).get(name, usual) for name in names}
    return _flat(left), _flat(right)


def _input_values(a: Plan, b: Plan) -> list[tuple[str, str, str, str]]:
    def values(plan: Plan) -> dict[str, str]:
        frame = plan.table("provenance")
        frame = frame[~frame["table"].isin(_RESULT_ROWS)]
        return {
            f"{table}: {key}": _number(value, unit)
            for table, key, value, unit in zip(
                frame["table"], frame["key"], frame["value"], frame["unit"], strict=True
            )
        }

    return _differences("value", values(a), values(b))


def _project_facts(plan: Plan) -> dict[str, Any]:
    """Stage, first year and capital of every project, keyed ``project id: column``."""
    frame = plan.table("projects").set_index("project_id")
    return {
        f"{project}: {column}": None if pd.isna(value) or value == "" else value
        for column in ("stage", "role", "online_year", "capex_usd")
        for project, value in frame[column].items()
    }


def _differences(kind: str, a: dict[str, Any], b: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    keys = [*a, *(key for key in b if key not in a)]
    return [(kind, key, _text(a.get(key)), _text(b.get(key))) for key in keys if a.get(key) != b.get(key)]


def _flat(data: dict[str, Any], place: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in data.items():
        name = f"{place}.{key}" if place else key
        if isinstance(value, dict):
            flat.update(_flat(value, name))
        else:
            flat[name] = value
    return flat


def _text(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value) or "(none)"
    return str(value)


def _number(value: float | None, unit: str) -> str:
    return f"{value:.10g} {unit}".strip() if value is not None and not np.isnan(value) else "(none)"


def _scorecard(a: Plan, b: Plan) -> pd.DataFrame:
    left = a.scorecard.set_index("metric")["value"]
    right = b.scorecard.set_index("metric")["value"]
    return _changed("scorecard", "value", left, right)


def _emissions(a: Plan, b: Plan) -> pd.DataFrame:
    def totals(plan: Plan) -> pd.Series:
        rows = plan.table("emissions")
        rows = rows[(rows["scope"] == 1) & (rows["boundary"] == "included") & (rows["gas"] == "co2e")]
        rows = rows[rows["year"].astype(int) % 5 == 0]
        sums = rows.groupby(["sector", "year"])["value"].sum()
        sums.index = pd.Index([f"{sector}, {year}" for sector, year in sums.index])
        return sums

    return _changed("emissions", "value", totals(a), totals(b))


def _changed(table: str, column: str, left: pd.Series, right: pd.Series) -> pd.DataFrame:
    both = pd.concat([left.rename("a"), right.rename("b")], axis=1)
    scale = both.abs().max(axis=1)
    gap = (both["b"].fillna(0.0) - both["a"].fillna(0.0)).abs()
    rows = both[(gap > 1e-9 * scale) | (both["a"].isna() != both["b"].isna())]
    return pd.DataFrame(
        {
            "table": table,
            "key": rows.index.astype(str),
            "column": column,
            "a": rows["a"].to_numpy(float),
            "b": rows["b"].to_numpy(float),
            "difference": (rows["b"] - rows["a"]).to_numpy(float),
        },
        columns=OUTPUT_COLUMNS,
    )


def _differing_rows(a: Plan, b: Plan, name: str) -> int:
    left, right = a.tables.get(name), b.tables.get(name)
    if left is None or right is None:
        return sum(len(one) for one in (left, right) if one is not None)
    keys = list(PLAN_TABLES[name].key)
    merged = left.merge(right, on=keys, how="outer", suffixes=("_a", "_b"), indicator=True)
    differs = merged["_merge"] != "both"
    for column in left.columns:
        if column in keys:
            continue
        one, two = merged[f"{column}_a"], merged[f"{column}_b"]
        if pd.api.types.is_float_dtype(one) and pd.api.types.is_float_dtype(two):
            gap = (one - two).abs() > 1e-9 * pd.concat([one.abs(), two.abs()], axis=1).max(axis=1)
            differs |= gap | (one.isna() != two.isna())
        else:
            differs |= _plain(one) != _plain(two)
    return int(differs.sum())


def _plain(column: pd.Series) -> pd.Series:
    """The cells as objects, with one kind of nothing."""
    return column.astype(object).where(column.notna(), "")
