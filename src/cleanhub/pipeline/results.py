"""Plan tables of a simulation: gates, stages by year, what the pipeline brings, chances of projects.

Calendar years here are years with decimals (the as_of date plus years after it); what holds *at the
end of a year* holds at the first moment of the next. No subtotal stands in any table. What a project is
an umbrella over counts with its parts: it has no tonnes, and only the capital that its parts do not have.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cleanhub.core.tables import conform
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.pipeline.draws import World
from cleanhub.pipeline.evaluate import Times, years_in_service
from cleanhub.pipeline.order import FINANCE
from cleanhub.pipeline.problem import GATE, STAGE, FloatArray, IntArray, Projects
from cleanhub.pipeline.simulate import Run

STAGES = (
    "concept",
    "announced",
    "pre_feed",
    "feed",
    "fid",
    "construction",
    "operating",
    "shelved",
    "cancelled",
    "closed",
)
"""Stages in the order in which projects come to them."""
FID_YEAR = 2030
"""Year to whose end ``p_fid_2030`` counts."""
_PERCENTS = (10, 50, 90)


# ---------------------------------------------------------------- gates


def gates_table(run: Run) -> pd.DataFrame:
    """Plan table ``gates``: every gate of every project that has not ended.

    A gate counts as closing if it closes before its project is given up. ``p_last`` leaves ``finance``
    out where the project has other open gates: finance waits for all others and would always be last.
    """
    graph, projects, setting = run.world.graph, run.world.projects, run.world.setting
    gates = np.flatnonzero((graph.kind == GATE) & (graph.project >= 0))
    end = setting.last_year + 1 - setting.as_of
    last = _share_last(run.world, run.times, gates)
    rows = []
    for node in gates:
        project = graph.project[node]
        time = run.times.time[node]
        comes = time < run.world.given_up[project]
        points = setting.as_of + _percentiles(time[comes & (time <= end)])
        done = bool(graph.done[node])
        rows.append(
            {
                "project_id": projects.id[project],
                "gate": graph.gate[node],
                "status": "done" if done else "open",
                **dict(zip(("p10", "p50", "p90"), [np.nan] * 3 if done else points, strict=True)),
                "p_pass": 1.0 if done else float((comes & (time <= end)).mean()),
                "p_last": last.get(int(node), np.nan),
                "what": graph.what[node],
                "actor": graph.actor[node],
                "action": graph.action[node],
                "barrier": graph.barrier[node],
                "rule": graph.rule[node],
                "confidence": graph.confidence[node],
            }
        )
    table = PLAN_TABLES["gates"]
    return conform(pd.DataFrame(rows, columns=table.names), table)


def _share_last(world: World, times: Times, gates: IntArray) -> dict[int, float]:
    """Share of a project's decisions for which each open gate closes last, by node."""
    graph, found = world.graph, dict[int, float]()
    for project in np.unique(graph.project[gates]):
        own = gates[(graph.project[gates] == project) & ~graph.done[gates]]
        others = own[graph.gate[own] != FINANCE]
        own = others if len(others) else own
        decided = np.isfinite(times.decided[project])
        if not len(own) or not decided.any():
            continue
        latest = np.argmax(times.time[own][:, decided], axis=0)
        shares = np.bincount(latest, minlength=len(own)) / decided.sum()
        found.update(zip(map(int, own), map(float, shares), strict=True))
    return found


# ---------------------------------------------------------------- stages


def stage_years_table(run: Run) -> pd.DataFrame:
    """Plan table ``stage_years``: chance of each stage at the end of each year from that of ``as_of``.

    A live project is in the later of its present stage and the last one whose work has begun; in ``fid``
    at the end of the year of its decision, in ``construction`` after it, ``shelved`` once given up,
    ``cancelled`` when what is never finished was due, ``closed`` after its life. Stages that no draw is in
    are left out.
    """
    setting, projects = run.world.setting, run.world.projects
    years = np.arange(setting.base, setting.last_year + 1)
    frames = []
    for project in range(len(projects)):
        codes = stage_codes(run.world, run.times, project, years)
        for year, row in zip(years, codes, strict=True):
            shares = np.bincount(row, minlength=len(STAGES)) / run.world.draws
            frames += [
                (projects.id[project], year, STAGES[code], shares[code]) for code in np.flatnonzero(shares)
            ]
    table = PLAN_TABLES["stage_years"]
    return conform(pd.DataFrame(frames, columns=table.names), table)


def stage_codes(world: World, times: Times, project: int, years: IntArray) -> IntArray:
    """Stage of one project at the end of each year, (Y, D), as positions in :data:`STAGES`."""
    projects, setting = world.projects, world.setting
    now = STAGES.index(str(projects.stage[project]))
    codes = np.full((len(years), world.draws), now)
    if projects.ended[project]:
        return codes
    end = (years + 1 - setting.as_of)[:, None]
    service = times.in_service[project]
    if projects.live[project]:
        for stage, begun in _begins(world, times, project).items():
            codes[end >= begun] = max(now, STAGES.index(stage))
        if project not in world.order.first_of:
            codes[end >= world.given_up[project]] = STAGES.index("shelved")
    decided = times.decided[project]
    if projects.live[project]:
        codes[end >= decided] = STAGES.index("fid")
    if projects.live[project] or projects.stage[project] == "fid":
        codes[end >= decided + 1.0] = STAGES.index("construction")
    codes[end >= _due(world, times, project)] = STAGES.index("cancelled")
    codes[end >= service] = STAGES.index("operating")
    life = projects.life[project]
    codes[end >= service + (np.inf if np.isnan(life) else max(life, 0.0))] = STAGES.index("closed")
    return codes


def _begins(world: World, times: Times, project: int) -> dict[str, FloatArray]:
    """When work on each open stage of engineering begins, (D,) by stage, in order."""
    graph, found = world.graph, dict[str, FloatArray]()
    for node in np.flatnonzero((graph.kind == STAGE) & (graph.project == project) & ~graph.done):
        found[str(graph.id[node]).rsplit(":", 1)[1]] = times.time[node] - world.years[node]
    return {stage: found[stage] for stage in STAGES if stage in found}


def _due(world: World, times: Times, project: int) -> FloatArray:
    """When a decided project that is never finished was due, (D,); infinity for all others."""
    node = world.projects.service[project]
    if node < 0 or project in world.order.first_of:
        return np.full(world.draws, np.inf)
    failed = ~world.closes[node]
    return np.where(failed, times.decided[project] + world.years[node], np.inf)


# ---------------------------------------------------------------- what the pipeline brings


def pipeline_years_table(run: Run) -> pd.DataFrame:
    """Plan table ``pipeline_years``: mean and percentiles of the draws by year.

    ``decisions`` are those to come; ``in_service`` the projects that operate at the end of the year,
    those of today with them; ``co2e_t`` the tonnes that projects in service cut in the year. Capital,
    public money and job-years count in the year of the decision, at the capital drawn; projects past it
    have spent theirs. Capital that nobody published counts as the public money awarded; private is the
    rest.
    """
    setting = run.world.setting
    years = np.arange(setting.base, setting.last_year + 1)
    metrics = {**_decisions(run, years), **_service(run, years)}
    frames = []
    for metric, (values, unit) in metrics.items():
        p10, p50, p90 = np.percentile(values, _PERCENTS, axis=1)
        frames.append(
            pd.DataFrame(
                {
                    "year": years,
                    "metric": metric,
                    "value": values.mean(axis=1),
                    "p10": p10,
                    "p50": p50,
                    "p90": p90,
                    "unit": unit,
                }
            )
        )
    return conform(pd.concat(frames), PLAN_TABLES["pipeline_years"])


def _decisions(run: Run, years: IntArray) -> dict[str, tuple[FloatArray, str]]:
    """What comes with decisions, by year and draw, (Y, D) each, with its unit."""
    world, projects = run.world, run.world.projects
    capital, public = money(projects, world.capital)
    counted = np.ones((len(projects), 1))
    counted[list(world.order.first_of)] = 0.0
    jobs = job_years_per_dollar(run)

    def by_year(weights: FloatArray) -> FloatArray:
        return _in_year_of(run, weights * np.ones((1, world.draws)), years)

    spent, paid = by_year(capital), by_year(public)
    return {
        "decisions": (by_year(counted), "project"),
        "capital_usd": (spent, "USD"),
        "public_usd": (paid, "USD"),
        "private_usd": (spent - paid, "USD"),
        "job_years": (spent * jobs, "job-year"),
    }


def _in_year_of(run: Run, weights: FloatArray, years: IntArray) -> FloatArray:
    """Sum of weights (P, D) of live projects over those that decide in each year, (Y, D)."""
    live = run.world.projects.live
    decided, weights = run.times.decided[live], weights[live]
    found = np.zeros((len(years), run.world.draws))
    comes = decided < years[-1] + 1 - run.world.setting.as_of
    project, draw = np.nonzero(comes)
    year = np.floor(run.world.setting.as_of + decided[project, draw]).astype(int) - int(years[0])
    np.add.at(found, (np.maximum(year, 0), draw), weights[project, draw])
    return found


def money(projects: Projects, growth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Capital and public money that projects carry themselves, (P, D) and (P, 1) [USD].

    ``growth`` (P, D) is final over estimated capital. An umbrella carries what its parts do not. Where no
    capital is known, or less than the public money, capital is the public money.
    """
    capital, public = (_without_parts(projects, values) for values in (projects.capital, projects.public))
    return np.maximum(capital[:, None] * growth, public[:, None]), public[:, None]


def _without_parts(projects: Projects, values: FloatArray) -> FloatArray:
    known = np.nan_to_num(values)
    parts = np.zeros_like(known)
    inside = projects.umbrella >= 0
    np.add.at(parts, projects.umbrella[inside], known[inside])
    return np.asarray(np.maximum(known - parts, 0.0))


def job_years_per_dollar(run: Run) -> float:
    """Job-years for each dollar of the plan's price year that is spent on building [1/USD]."""
    rows = run.parameters
    found = rows.value("job_years_per_musd")
    year = pd.to_numeric(rows.rows["currency_year"]).get(("job_years_per_musd", ""))
    then = rows.price_year if year is None or pd.isna(year) else int(year)
    return found / (1e6 * rows.index.to_dollars("USD", then, rows.price_year))


def _service(run: Run, years: IntArray) -> dict[str, tuple[FloatArray, str]]:
    world = run.world
    everyone = np.arange(len(world.projects))
    counted = np.ones(len(everyone))
    counted[list(world.order.first_of)] = 0.0
    tonnes = world.own_tonnes
    operating, cut = np.zeros((2, len(years), world.draws))
    for row, year in enumerate(years):
        start, end = year - world.setting.as_of, year + 1 - world.setting.as_of
        part = years_in_service(world.projects, everyone, run.times.in_service, max(start, 0.0), end)
        cut[row] = tonnes @ part
        operating[row] = counted @ _operates(world.projects, run.times.in_service, end)
    return {"in_service": (operating, "project"), "co2e_t": (cut, "t CO2e")}


def _operates(projects: Projects, in_service: FloatArray, at: float) -> FloatArray:
    life = np.where(np.isnan(projects.life), np.inf, projects.life)[:, None]
    with np.errstate(invalid="ignore"):
        return np.asarray((in_service <= at) & (at < in_service + life), dtype=float)


# ---------------------------------------------------------------- columns of projects


def project_columns(run: Run) -> pd.DataFrame:
    """Columns of plan table ``projects`` that the simulation fills, one row a project in the hub's order.

    ``p_fid_2030`` is 1 past the decision, 0 for what has ended, and for a programme with parts the chance
    that any of them decides. Percentiles are of the draws that decide (or come into service) within the plan,
    as calendar years; blank where none does and for decisions already taken.
    """
    world, times, projects = run.world, run.times, run.world.projects
    setting = world.setting
    end = setting.last_year + 1 - setting.as_of
    to_2030 = min(FID_YEAR + 1 - setting.as_of, end)
    live = projects.live
    points = np.full((len(projects), 3), np.nan)
    online = np.full(len(projects), np.nan)
    for project in range(len(projects)):
        decided, service = times.decided[project], times.in_service[project]
        if live[project]:
            points[project] = setting.as_of + _percentiles(decided[decided <= end])
        if not projects.ended[project]:
            online[project] = setting.as_of + _percentiles(service[service <= end])[1]
    return pd.DataFrame(
        {
            "project_id": projects.id,
            "stage": projects.stage,
            "stage_basis": projects.stage_basis,
            "p_fid_2030": (times.decided <= to_2030).mean(axis=1),
            "p_fid_ever": (times.decided <= end).mean(axis=1),
            "p_fid_strict": (run.strict.decided <= to_2030).mean(axis=1),
            "fid_p10": points[:, 0],
            "fid_p50": points[:, 1],
            "fid_p90": points[:, 2],
            "online_p50": online,
            "p_from": _rests_on(world),
        }
    )


def _rests_on(world: World) -> list[str]:
    """Whether the chance of financing rests on a valuation, a prior, or on the stage alone."""
    projects = world.projects
    known = world.finance.known if world.finance is not None else np.zeros(len(projects), dtype=bool)
    found = np.where(projects.live, np.where(known, "valuation", "prior"), "stage").astype(object)
    return [str(one) for one in found]


def _percentiles(values: FloatArray) -> FloatArray:
    return np.percentile(values, _PERCENTS) if len(values) else np.full(3, np.nan)
