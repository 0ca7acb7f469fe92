"""Plan folders: written whole or not at all, read back as they were."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.parquet import read_parquet, write_parquet
from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.planning.plan import Plan

FORMAT = 1
OWN = {
    "plan.json",
    "run.json",
    "report.html",
    "blueprint.html",
    "grid_works.csv",
    "ATTRIBUTION.txt",
    "tables",
}


def save_plan(plan: Plan, folder: Path) -> Path:
    """Write ``plan`` to ``folder`` through a staging folder beside it."""
    with staged(folder) as staging:
        write_plan(plan, staging)
    return folder


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A staging folder that takes the place of ``folder`` when the block ends well.

    An older plan in ``folder`` is replaced; anything else there refuses. When the block
    fails, ``folder`` stays as it was and the staging folder is removed.
    """
    if folder.exists():
        foreign = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else [folder.name]
        foreign = [name for name in foreign if name not in OWN]
        if not folder.is_dir() or foreign:
            raise RunError(
                f"{folder} holds something else than a plan ({', '.join(foreign[:5])}); "
                "name another folder or move it away"
            )
    staging = folder.with_name(f".{folder.name}.{os.getpid()}.writing")
    before = folder.with_name(f".{folder.name}.{os.getpid()}.before")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        yield staging
        if folder.exists():
            folder.rename(before)
        staging.rename(folder)
    except OSError as error:
        if before.exists() and not folder.exists():
            before.rename(folder)
        raise RunError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if folder.exists():
            shutil.rmtree(before, ignore_errors=True)


def write_plan(plan: Plan, folder: Path) -> None:
    """Write plan.json, run.json and tables into an existing, empty folder."""
    (folder / "tables").mkdir()
    for name, frame in plan.tables.items():
        write_parquet(frame, folder / "tables" / f"{name}.parquet")
    head = {
        "format": FORMAT,
        "id": plan.id,
        "hub": {"name": plan.hub_name, "title": plan.hub_title},
        "scenario": plan.scenario_data(),
        "as_of": plan.scenario.as_of.isoformat(),
        "seed": plan.seed,
        "versions": plan.versions,
        "hashes": plan.hashes,
        "tables": {name: len(frame) for name, frame in plan.tables.items()},
        "pending": plan.pending,
        "notes": plan.notes,
    }
    _write_json(folder / "plan.json", head)
    _write_json(folder / "run.json", {"steps": plan.timings})


def load_plan(folder: str | Path) -> Plan:
    """Read a plan folder. Its ``hub`` is ``None``: the folder holds results, not the hub.

    Raises :class:`~cleanhub.core.errors.InputError` when it is no plan folder or a table is
    missing or not as declared.
    """
    folder = Path(folder)
    faults = FaultList()
    try:
        head: dict[str, Any] = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        if head.get("format") != FORMAT:
            raise ValueError(f"format {head.get('format')}")
        scenario = Scenario.model_validate(_lists_to_tuples(head["scenario"]), strict=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        faults.add(
            f"{folder}/plan.json",
            what="not a plan of this version",
            found=error,
            allowed=f"plan format {FORMAT}",
        )
        raise InputError(f"{folder} is not a plan folder", faults.faults) from error
    tables = {}
    for name, rows in head["tables"].items():
        path = folder / "tables" / f"{name}.parquet"
        try:
            frame = conform(read_parquet(path), PLAN_TABLES[name])
            if len(frame) != rows:
                raise ValueError(f"{len(frame)} rows")
            tables[name] = frame
        except Exception as error:  # duckdb raises many kinds for a broken file
            faults.add(
                f"tables/{name}.parquet",
                what="cannot be read",
                found=str(error).split("\n")[0],
                allowed=f"{rows} rows as declared",
            )
    faults.raise_if_any(f"plan {folder}")
    run = folder / "run.json"
    timings = json.loads(run.read_text(encoding="utf-8"))["steps"] if run.is_file() else {}
    return Plan(
        scenario=scenario,
        seed=int(head["seed"]),
        tables=tables,
        hub_name=head["hub"]["name"],
        hub_title=head["hub"]["title"],
        hashes=head["hashes"],
        versions=head["versions"],
        pending=head["pending"],
        notes=head["notes"],
        timings=timings,
    )


def _lists_to_tuples(scenario: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in scenario.items()}


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False, sort_keys=False) + "\n", encoding="utf-8")
