"""One project of a simulated pipeline as its developer reads it: chances, gates, shared links, dates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from cleanhub.cli.output import records
from cleanhub.core.errors import FaultList

if TYPE_CHECKING:
    import pandas as pd

_GATES = ["gate", "status", "p_pass", "p10", "p50", "p90", "actor", "action"]
_LINKS = ["link_id", "kind", "description", "actor", "action", "p_closes", "p50"]
_DATES = ["link_id", "actor", "action", "decide_by", "expected", "late_years", "because"]


def known_project(projects: pd.DataFrame, project: str) -> None:
    """Raise :class:`~cleanhub.core.errors.InputError` unless the hub's ``projects`` hold the project."""
    if project not in set(projects["project_id"]):
        faults = FaultList()
        known = ", ".join(projects["project_id"].tail(12))
        faults.add("--project", what="no such project", found=project, allowed=f"one such as {known}")
        faults.raise_if_any("pipeline")


def project_view(tables: dict[str, pd.DataFrame], project: str) -> dict[str, Any]:
    """What a simulation says of one project: its row, gates (least likely first), links, dates, conflicts."""
    links, dates = tables["links"], tables["coordination"]
    gates = tables["gates"].query("project_id == @project").sort_values("p_pass", kind="stable")
    shared = links[_among(links, project) & (links["kind"] != "gate")]
    wanted = dates[_among(dates, project) & dates["late_years"].notna()]
    conflicts = tables["conflicts"]
    return {
        "project": records(tables["projects"].query("project_id == @project"))[0],
        "gates": records(gates[_GATES]),
        "shared_links": records(shared[_LINKS]),
        "dates": records(wanted.sort_values("late_years", ascending=False, kind="stable")[_DATES]),
        "conflicts": records(conflicts.loc[_among(conflicts, project), ["kind", "policy", "description"]]),
    }


def _among(table: pd.DataFrame, project: str) -> pd.Series[bool]:
    """Rows that name the project among their ``projects``."""
    return table["projects"].str.split(";").map(lambda named: project in named).astype(bool)


def project_lines(view: dict[str, Any]) -> Iterator[str]:
    """The same in lines of at most 108 signs; sentences may run on."""
    head = view["project"]
    yield f"{head['project_id']}  {head['name']} ({head['sector']}, stage {head['stage']})"
    yield (
        f"investment decision by 2030: {head['p_fid_2030']:.1%}; by the plan's last year: "
        f"{head['p_fid_ever']:.1%}; by 2030 if no value may be negative: {head['p_fid_strict']:.1%}"
    )
    years = _year(head["fid_p50"]), _year(head["online_p50"])
    yield f"in the draws in which it decides: decision in {years[0]}, in service in {years[1]} (medians)"
    if view["gates"]:
        yield "\nGates, least likely first    chance  likely by  who, and what they would do"
    for row in view["gates"]:
        if row["status"] == "done":
            yield f"{row['gate']:<29}  done"
            continue
        chance, by = f"{row['p_pass']:.0%}", _year(row["p50"])
        yield f"{row['gate']:<29}{chance:>6}  {by:<9}  {row['actor']}: {row['action']}"
    if view["shared_links"]:
        yield "\nIt waits for, with others    chance  likely by  who, and what they would do"
    for row in view["shared_links"]:
        yield f"{row['description']}"
        yield f"{'':<29}{row['p_closes']:>6.0%}  {_year(row['p50']):<9}  {row['actor']}: {row['action']}"
    if view["dates"]:
        yield "\nDecide by, to keep the year of service"
    for row in view["dates"]:
        late = row["late_years"]
        verdict = f"{late:.1f} years late" if late > 0 else f"{-late:.1f} years to spare"
        kind, _, rest = row["link_id"].partition(":")
        other = rest.partition(":")[0]
        whose = f" (of {other})" if kind == "gate" and other != head["project_id"] else ""
        yield f"{_year(row['decide_by']):<6}{row['actor']:<16}{verdict:<21}{row['action']}{whose}"
    if view["conflicts"]:
        yield "\nRules that do not fit"
    for row in view["conflicts"]:
        yield f"{row['policy']}: {row['description']}"


def _year(value: float | None) -> str:
    return "none" if value is None else f"{value:.0f}"
