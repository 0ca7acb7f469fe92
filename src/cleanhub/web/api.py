"""The read-only JSON under ``/api``: the plan, its tables, one project."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.web.frames import as_json, columns_of, records
from cleanhub.web.payload import JSON, Cache, answer, pack
from cleanhub.web.view import PlanView

OF_A_PROJECT = ("gates", "stage_years", "valuations", "policy_answers", "offtake")
READ = ["GET", "HEAD"]


class RefusedError(Exception):
    """A request that cannot be met: status, what to say, and the faults of single fields."""

    def __init__(self, status: int, said: str, faults: list[dict[str, Any]] | None = None) -> None:
        self.status = status
        self.said = said
        self.faults = faults or []
        super().__init__(said)


class NoQuery(BaseModel):
    """A request that takes no query: any key is refused."""

    model_config = ConfigDict(extra="forbid")


class TableQuery(BaseModel):
    """Which rows of a table: those of a year, and at most so many."""

    model_config = ConfigDict(extra="forbid")

    year: Annotated[int | None, Field(ge=1900, le=2100, description="only rows of this year")] = None
    limit: Annotated[int | None, Field(ge=1, le=1_000_000, description="at most so many rows")] = None


def api_router(view: PlanView, cache: Cache) -> APIRouter:
    """The routes under ``/api`` for one plan."""
    router = APIRouter(prefix="/api")

    @router.api_route("/plan", methods=READ)
    def plan(request: Request, query: Annotated[NoQuery, Query()]) -> Response:
        """Hub, scenario, date, seed, versions, hashes, tables and what is pending."""
        return answer(request, cache.get("api/plan", lambda: pack(as_json(_head(view)), JSON)))

    @router.api_route("/tables", methods=READ)
    def tables(request: Request, query: Annotated[NoQuery, Query()]) -> Response:
        """Every table of the plan with its columns and number of rows."""
        return answer(request, cache.get("api/tables", lambda: pack(as_json(_tables(view)), JSON)))

    @router.api_route("/tables/{name}", methods=READ)
    def table(request: Request, name: str, query: Annotated[TableQuery, Query()]) -> Response:
        """Rows of one table."""
        _check(view, name, query)
        key = f"api/tables/{name}?{query.year}&{query.limit}"
        return answer(request, cache.get(key, lambda: pack(as_json(_table(view, name, query)), JSON)))

    @router.api_route("/projects/{project}", methods=READ)
    def project(request: Request, project: str, query: Annotated[NoQuery, Query()]) -> Response:
        """One project with all that the plan's tables say of it."""
        if project not in view.project_names:
            raise RefusedError(404, f"There is no project {project} in this plan.")
        key = f"api/projects/{project}"
        return answer(request, cache.get(key, lambda: pack(as_json(_project(view, project)), JSON)))

    return router


def _head(view: PlanView) -> dict[str, Any]:
    plan = view.plan
    return {
        "id": plan.id,
        "hub": {"name": plan.hub_name, "title": plan.hub_title, "at_hand": view.hub is not None},
        "scenario": plan.scenario_data(),
        "as_of": plan.scenario.as_of.isoformat(),
        "seed": plan.seed,
        "versions": plan.versions,
        "hashes": plan.hashes,
        "tables": {name: len(frame) for name, frame in plan.tables.items()},
        "pending": plan.pending,
        "notes": plan.notes,
    }


def _tables(view: PlanView) -> dict[str, Any]:
    return {
        "tables": [
            {
                "name": name,
                "description": table.description,
                "rows": len(view.plan.tables[name]),
                "key": list(table.key),
                "columns": columns_of(table),
            }
            for name, table in view.declared.items()
        ],
        "not_in_this_plan": [name for name in PLAN_TABLES if not view.has(name)],
        "pending": view.plan.pending,
    }


def _check(view: PlanView, name: str, query: TableQuery) -> None:
    if not view.has(name):
        raise RefusedError(404, view.absence(name))
    if query.year is not None and "year" not in PLAN_TABLES[name].names:
        fault = {"field": "query.year", "what": f"table {name} has no years", "found": str(query.year)}
        raise RefusedError(422, "The query has faults.", [fault])


def _table(view: PlanView, name: str, query: TableQuery) -> dict[str, Any]:
    frame = view.plan.tables[name]
    if query.year is not None:
        frame = frame[(frame["year"] == query.year).fillna(False).astype(bool)]
    total = len(frame)
    if query.limit is not None:
        frame = frame.head(query.limit)
    return {
        "name": name,
        "columns": columns_of(PLAN_TABLES[name]),
        "year": query.year,
        "rows_in_all": total,
        "rows": records(frame),
    }


def _project(view: PlanView, project: str) -> dict[str, Any]:
    tables = view.plan.tables
    found: dict[str, Any] = {
        "project": records(tables["projects"].loc[tables["projects"]["project_id"] == project])[0]
    }
    for name in OF_A_PROJECT:
        if name in tables:
            found[name] = records(tables[name].loc[tables[name]["project_id"] == project])
    for name in ("links", "conflicts", "coordination"):
        if name in tables:
            named = [project in str(cell).split(";") for cell in tables[name]["projects"]]
            found[name] = records(tables[name].loc[named])
    return found
