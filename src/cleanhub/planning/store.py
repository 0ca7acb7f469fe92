"""Plan folders: written whole or not at all, read back as they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.json_file import parse_json
from cleanhub.core.parquet import read_parquet, write_parquets
from cleanhub.core.tables import conform
from cleanhub.core.whole_folder import whole_folder
from cleanhub.core.yaml_file import fault_kind
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.planning.plan import Plan

FORMAT = 1
_ATTEMPTS = 100  # of reading a plan that others replace meanwhile
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
    """An empty folder that takes the place of ``folder`` when the block ends well (:func:`whole_folder`).

    An older plan in ``folder`` is replaced; anything else there refuses, before the block begins.
    """
    if folder.exists():
        foreign = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else [folder.name]
        foreign = [name for name in foreign if name not in OWN]
        if not folder.is_dir() or foreign:
            raise RunError(
                f"{folder} holds something else than a plan ({', '.join(foreign[:5])}); "
                "name another folder or move it away"
            )
    with whole_folder(folder) as growing:
        yield growing


def write_plan(plan: Plan, folder: Path) -> None:
    """Write plan.json, run.json and tables into an existing, empty folder."""
    write_tables(plan, folder)
    write_heads(plan, folder)


def write_tables(plan: Plan, folder: Path) -> None:
    """Write the tables of ``plan`` into an existing folder."""
    (folder / "tables").mkdir(exist_ok=True)
    write_parquets({folder / "tables" / f"{name}.parquet": frame for name, frame in plan.tables.items()})


def write_heads(plan: Plan, folder: Path) -> None:
    """Write plan.json and run.json into an existing folder: what was planned, and how."""
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
    _write_json(folder / "run.json", {"steps": plan.timings, "remembered": plan.recalled})


def load_plan(folder: str | Path) -> Plan:
    """Read a plan folder. Its ``hub`` is ``None``: the folder holds results, not the hub.

    Raises :class:`~cleanhub.core.errors.InputError` when it is no plan folder or a table is
    missing or not as declared.
    """
    folder = Path(folder)
    for _ in range(_ATTEMPTS):
        stamp = _stamp(folder)
        try:
            plan = _load(folder)
        except InputError:
            if _stamp(folder) == stamp:
                raise
        else:
            if _stamp(folder) == stamp:
                return plan
    raise RunError(f"{folder} is replaced again and again while it is read")


def _stamp(folder: Path) -> tuple[int, int] | None:
    """What tells one plan in a folder from the next; another may take its place while it is read."""
    try:
        about = (folder / "plan.json").stat()
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns


def _load(folder: Path) -> Plan:
    faults = FaultList()
    head, scenario = _read_head(folder, faults)
    run = _read_run(folder / "run.json", faults)
    tables = {}
    for name, rows in (head.tables if head else {}).items():
        path = folder / "tables" / f"{name}.parquet"
        try:
            declared = PLAN_TABLES[name]
            frame = conform(read_parquet(path), declared)
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
    faults.raise_if_any(f"plan {folder}" if head else f"{folder} is not a plan folder")
    assert head is not None
    assert scenario is not None
    return Plan(
        scenario=scenario,
        seed=head.seed,
        tables=tables,
        hub_name=head.hub.name,
        hub_title=head.hub.title,
        hashes=head.hashes,
        versions=head.versions,
        pending=head.pending,
        notes=head.notes,
        timings=run.steps,
        recalled=run.remembered,
    )


class _HubOfPlan(BaseModel):
    name: str
    title: str


class _Head(BaseModel):
    """What plan.json says, but for the scenario."""

    model_config = ConfigDict(strict=True)

    format: Literal[1]
    hub: _HubOfPlan
    seed: int
    versions: dict[str, str]
    hashes: dict[str, str]
    tables: dict[str, int]
    pending: dict[str, str]
    notes: list[str]

    @field_validator("versions")
    @classmethod
    def _names_its_maker(cls, versions: dict[str, str]) -> dict[str, str]:
        if "cleanhub" not in versions:
            raise ValueError("the version of cleanhub is missing")
        return versions


class _Run(BaseModel):
    """What run.json says: time of each step, and steps that an earlier plan had computed."""

    steps: dict[str, dict[str, float]] = {}
    remembered: list[str] = []


def _read_head(folder: Path, faults: FaultList) -> tuple[_Head | None, Scenario | None]:
    file = f"{folder}/plan.json"
    try:
        data = parse_json((folder / "plan.json").read_text(encoding="utf-8"))
        head = _Head.model_validate(data)
        return head, Scenario.model_validate(_lists_to_tuples(data["scenario"]), strict=False)
    except ValidationError as error:
        for item in error.errors():
            column = ".".join(str(part) for part in item["loc"])
            found = "" if item["type"] == "missing" else item["input"]
            what = f"not a plan of this version: {fault_kind(item['type'])}"
            faults.add(file, None, column, what=what, found=found, allowed=f"plan format {FORMAT}")
    except (FileNotFoundError, NotADirectoryError):
        faults.add(file, what="missing file", allowed="a folder that cleanhub plan --out has written")
    except (OSError, ValueError, KeyError, AttributeError) as error:
        allowed = f"plan format {FORMAT}"
        faults.add(file, what="not a plan of this version", found=error, allowed=allowed)
    return None, None


def _read_run(path: Path, faults: FaultList) -> _Run:
    if not path.is_file():
        return _Run()
    try:
        return _Run.model_validate(parse_json(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        faults.add("run.json", what="cannot be read", allowed="as it was written, or none")
        return _Run()


def _lists_to_tuples(scenario: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in scenario.items()}


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False, sort_keys=False) + "\n", encoding="utf-8")
