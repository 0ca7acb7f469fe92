"""Small random siting problems, a plain reading of every rule, and the best plan by trying all openings."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from scipy.optimize import linprog

from cleanhub.freight.problem import HOME, PUBLIC, Grid, Sites, SitingPlan, SitingProblem
from cleanhub.freight.siting import programme_of
from cleanhub.freight.siting_solver import Programme


def small_case(
    seed: int, groups: int = 4, sites: int = 3, stations: int = 2, tiers: int = 1, years: int = 2, **other
) -> SitingProblem:
    """A problem in which openings, plugs, grid and range all matter."""
    rng = np.random.default_rng(seed)
    when = 2026 + 2 * np.arange(years)
    names = [
        np.array([f"{word}{i}" for i in range(n)], dtype=object)
        for word, n in (("s", sites), ("u", stations))
    ]
    kwh = rng.uniform(150, 500, groups)
    group, site = (a.ravel() for a in np.meshgrid(np.arange(groups), np.arange(sites), indexing="ij"))
    keep = rng.random(len(group)) < 0.8
    group, site = group[keep], site[keep]
    kw = rng.choice([150.0, 350.0], sites)
    trucks = rng.uniform(10, 60, groups)[:, None] * np.linspace(0.7, 1.0, years)
    stands = rng.random(sites) < 0.25
    blank = np.full(sites, "", dtype=object)
    problem = SitingProblem(
        years=when,
        span=np.full(years, 2.0),
        trucks=trucks,
        wanted=trucks.sum(axis=0) * np.linspace(0.4, 0.95, years),
        kwh=kwh,
        km=kwh / rng.uniform(1.1, 1.4, groups),
        co2e_t=kwh * rng.uniform(0.7, 1.3, groups) * 1e-3,
        pm_people=kwh * rng.lognormal(0, 1, groups),
        battery_kwh=np.linspace(200.0, 300.0, years),
        pair_group=group,
        pair_site=site,
        pair_kind=np.where(rng.random(len(group)) < 0.4, HOME, PUBLIC),
        pair_extra_kwh=np.where(rng.random(len(group)) < 0.5, 0.0, rng.uniform(0, 60, len(group))),
        sites=Sites(
            name=names[0],
            title=names[0],
            kind=blank,
            lat=np.zeros(sites),
            lon=np.zeros(sites),
            substation=rng.integers(0, stations, sites),
            plug_kw=kw,
            plugs_most=rng.integers(4, 14, sites).astype(float),
            kwh_per_plug=kw * rng.uniform(5, 9, sites),
            least_use=rng.choice([0.0, 0.4, 0.7], sites),
            open_plugs=np.where(stands, 2.0, 0.0),
            open_year=np.where(stands, when[0], 0),
            earliest=when[rng.integers(0, min(2, years), sites)],
            fixed_usd=rng.uniform(0.3e6, 3e6, sites),
            usd_per_plug=rng.uniform(60e3, 200e3, sites),
            usd_per_kwh=rng.uniform(0.2, 0.5, sites),
            yearly_share=rng.choice([0.0, 0.03], sites),
            forbidden=rng.random(sites) < 0.1,
            priority=rng.choice([1.0, 1.2], sites),
            asked_by=blank,
            disadvantaged=rng.random(sites) < 0.5,
        ),
        grid=Grid(
            name=names[1],
            title=names[1],
            lat=np.zeros(stations),
            lon=np.zeros(stations),
            headroom_kw=rng.uniform(200, 1500, stations),
            headroom_confidence=np.full(stations, "assumed", dtype=object),
            tier=np.array([f"t{k}" for k in range(tiers)], dtype=object),
            tier_kw=rng.uniform(500, 3000, (stations, tiers)),
            tier_usd=rng.uniform(0.5e6, 4e6, (stations, tiers)),
            tier_ready=when[rng.integers(0, years, (stations, tiers))],
            coincidence=0.9,
        ),
        budget_usd=np.full(years, np.inf),
    )
    return replace(problem, **other)


def breaches(plan: SitingPlan, tolerance: float = 1e-5) -> list[str]:  # noqa: PLR0912
    """Every rule that ``plan`` breaks, read from the problem by plain loops."""
    problem = plan.problem
    sites, grid, out = problem.sites, problem.grid, []
    served = np.zeros_like(problem.trucks)
    home = np.zeros_like(problem.trucks)
    spent = 0.0
    before = np.zeros(len(sites.name))
    for t, year in enumerate(problem.years):
        energy = np.zeros(len(sites.name))
        for j, (g, s, kind) in enumerate(
            zip(problem.pair_group, problem.pair_site, problem.pair_kind, strict=True)
        ):
            each = problem.kwh[g] + problem.pair_extra_kwh[j]
            if plan.delivered[j, t] <= 0:
                continue
            served[g, t] += plan.delivered[j, t] / each
            home[g, t] += plan.delivered[j, t] / each * (kind == HOME)
            energy[s] += plan.delivered[j, t]
            if sites.usd_per_kwh[s] * each > problem.worth_usd_per_kwh * problem.kwh[g] * (1 + 1e-9):
                out.append(f"{year}: pair {j} costs more than it is worth")
        for g in range(len(problem.kwh)):
            small = tolerance * max(problem.trucks[g, t], 1)
            if served[g, t] > problem.trucks[g, t] + small:
                out.append(f"{year}: group {g} has fewer trucks")
            if served[g, t] > small and problem.kwh[g] > problem.batteries_most * problem.battery_kwh[t]:
                out.append(f"{year}: group {g} is out of range")
            if home[g, t] > min(1.0, problem.battery_kwh[t] / problem.kwh[g]) * served[g, t] + small:
                out.append(f"{year}: group {g} charges more than a battery at home")
        if served[:, t].sum() > problem.wanted[t] * (1 + tolerance):
            out.append(f"{year}: more than wanted")
        if not np.allclose(served[:, t], plan.served[:, t], atol=1e-6):
            out.append(f"{year}: served does not follow from what is delivered")
        stand = np.where(year >= sites.open_year, sites.open_plugs, 0.0)
        new = plan.plugs[:, t] - stand
        for s, name in enumerate(sites.name):
            if energy[s] > plan.plugs[s, t] * sites.kwh_per_plug[s] * (1 + tolerance) + tolerance:
                out.append(f"{year}: {name} delivers more than its plugs can")
            if new[s] < before[s] - tolerance:
                out.append(f"{year}: {name} loses plugs")
            if new[s] > tolerance and (sites.forbidden[s] or year < sites.earliest[s]):
                out.append(f"{year}: {name} may not grow")
            if new[s] > tolerance and stand[s] + new[s] > sites.plugs_most[s] + tolerance:
                out.append(f"{year}: {name} has too many plugs")
            least = sites.least_use[s] * sites.kwh_per_plug[s] * before[s]
            if energy[s] < least * (1 - tolerance) - tolerance:
                out.append(f"{year}: {name} is hardly used")
            if (new[s] > tolerance) != (0 < plan.opened[s] <= year):
                out.append(f"{year}: {name} opened in another year")
        for u, name in enumerate(grid.name):
            load = grid.coincidence * float((sites.plug_kw * new)[sites.substation == u].sum())
            serves = [0 < y <= year for y in plan.tiers[u]]
            if any(b and not a for a, b in itertools.pairwise(serves)):
                out.append(f"{year}: tiers of {name} out of order")
            if any(s and year < r for s, r in zip(serves, grid.tier_ready[u], strict=True)):
                out.append(f"{year}: a tier of {name} serves before it is ready")
            bears = grid.headroom_kw[u] + sum(kw for kw, s in zip(grid.tier_kw[u], serves, strict=True) if s)
            if load > bears * (1 + tolerance):
                out.append(f"{year}: {name} is overloaded")
        spent += plan.capex_usd[t] + plan.grid_usd[t]
        if spent > problem.budget_usd[t] + 1.0:
            out.append(f"{year}: over budget")
        if energy.sum() and energy[sites.disadvantaged].sum() < energy.sum() * (
            problem.equity_share - tolerance
        ):
            out.append(f"{year}: equity share missed")
        before = new
    return out


def worth_of(plan: SitingPlan) -> float:
    """The objective ``cost`` of ``plan`` from its own numbers [USD]."""
    problem, sites = plan.problem, plan.problem.sites

    def annuity(life: float) -> float:
        rate = problem.discount_rate
        return rate / (1 - (1 + rate) ** -life) if rate else 1 / life

    total = 0.0
    for t, year in enumerate(problem.years):
        weight = problem.span[t] / (1 + problem.discount_rate) ** (year - problem.years[0])
        for j, (g, s) in enumerate(zip(problem.pair_group, problem.pair_site, strict=True)):
            each = problem.kwh[g] + problem.pair_extra_kwh[j]
            net = problem.worth_usd_per_kwh * problem.kwh[g] - sites.usd_per_kwh[s] * each
            trucks = plan.delivered[j, t] / each
            total += weight * problem.working_days * trucks * net * (sites.priority[s] if net > 0 else 1.0)
        for s in range(len(sites.name)):
            new = plan.plugs[s, t] - (sites.open_plugs[s] if year >= sites.open_year[s] else 0.0)
            opened = sites.open_plugs[s] == 0 and 0 < plan.opened[s] <= year
            capital = sites.usd_per_plug[s] * new + sites.fixed_usd[s] * opened
            total -= weight * capital * (annuity(problem.plug_life) + sites.yearly_share[s])
        serves = (plan.tiers > 0) & (plan.tiers <= year)
        total -= weight * float((problem.grid.tier_usd * serves).sum()) * annuity(problem.grid_life)
    return total


def best_by_trying(problem: SitingProblem, whole: bool = False) -> float:
    """The largest ``cost`` objective over all openings and tiers, one programme for each [USD]."""
    sites, grid, years = problem.sites, problem.grid, problem.years
    count, never = len(years), len(years)
    starts = [
        [
            t
            for t in range(count + 1)
            if t == never or (years[t] >= sites.earliest[s] and not sites.forbidden[s])
        ]
        if not sites.open_plugs[s]
        else [0]
        for s in range(len(sites.name))
    ]
    upgrades = []
    for u in range(len(grid.name)):
        runs = itertools.product(range(count + 1), repeat=len(grid.tier))
        ready = grid.tier_ready[u]
        upgrades.append(
            [
                run
                for run in runs
                if all(a <= b for a, b in itertools.pairwise(run))
                and all(t == never or years[t] >= r for t, r in zip(run, ready, strict=True))
            ]
        )
    lp = PlainLP(problem, whole)
    best = -np.inf
    for opened in itertools.product(*starts):
        for tiers in itertools.product(*upgrades):
            best = max(best, lp.value(opened, tiers))
    return best


class PlainLP:
    """Plugs and energy for given openings; columns are (pair, year), then (site, year)."""

    def __init__(self, problem: SitingProblem, whole: bool) -> None:
        self.problem, self.whole = problem, whole
        self.pairs, self.count = len(problem.pair_group), len(problem.years)
        self.sites = len(problem.sites.name)
        self.weight = problem.span / (1 + problem.discount_rate) ** (problem.years - problem.years[0])
        rate = problem.discount_rate
        self.crf = [rate / (1 - (1 + rate) ** -life) for life in (problem.plug_life, problem.grid_life)]
        self.build()

    def y(self, j: int, t: int) -> int:
        return j * self.count + t

    def p(self, s: int, t: int) -> int:
        return self.pairs * self.count + s * self.count + t

    def row(self, entries: dict[int, float], most: float) -> None:
        line = np.zeros((self.pairs + self.sites) * self.count)
        for column, value in entries.items():
            line[column] += value
        self.lines.append(line)
        self.most.append(most)

    def build(self) -> None:
        pr, st = self.problem, self.problem.sites
        self.lines: list[np.ndarray] = []
        self.most: list[float] = []
        self.gain = np.zeros((self.pairs + self.sites) * self.count)
        self.upper = np.full(len(self.gain), np.inf)
        each = pr.kwh[pr.pair_group] + pr.pair_extra_kwh
        for t, year in enumerate(pr.years):
            for j, (g, s) in enumerate(zip(pr.pair_group, pr.pair_site, strict=True)):
                net = pr.worth_usd_per_kwh * pr.kwh[g] - st.usd_per_kwh[s] * each[j]
                bonus = st.priority[s] if net > 0 else 1.0
                self.gain[self.y(j, t)] = self.weight[t] * pr.working_days * net * bonus
                if net < 0 or pr.kwh[g] > pr.batteries_most * pr.battery_kwh[t]:
                    self.upper[self.y(j, t)] = 0.0
            for g in range(len(pr.kwh)):
                mine = [j for j in range(self.pairs) if pr.pair_group[j] == g]
                self.row({self.y(j, t): 1.0 for j in mine}, pr.trucks[g, t])
                share = min(1.0, pr.battery_kwh[t] / pr.kwh[g])
                self.row({self.y(j, t): float(pr.pair_kind[j] == HOME) - share for j in mine}, 0.0)
            self.row({self.y(j, t): 1.0 for j in range(self.pairs)}, pr.wanted[t])
            for s in range(self.sites):
                mine = {self.y(j, t): each[j] for j in range(self.pairs) if pr.pair_site[j] == s}
                stand = st.open_plugs[s] if year >= st.open_year[s] else 0.0
                self.row({**mine, self.p(s, t): -st.kwh_per_plug[s]}, stand * st.kwh_per_plug[s])
                if t:
                    least = st.least_use[s] * st.kwh_per_plug[s]
                    self.row({**{c: -v for c, v in mine.items()}, self.p(s, t - 1): least}, 0.0)
                    self.row({self.p(s, t - 1): 1.0, self.p(s, t): -1.0}, 0.0)
                self.gain[self.p(s, t)] = (
                    -self.weight[t] * st.usd_per_plug[s] * (self.crf[0] + st.yearly_share[s])
                )
            share = pr.equity_share
            self.row(
                {
                    self.y(j, t): each[j] * (share - st.disadvantaged[pr.pair_site[j]])
                    for j in range(self.pairs)
                },
                0.0,
            )

    def value(
        self, opened: tuple[int, ...], tiers: tuple[tuple[int, ...], ...], plugs: np.ndarray | None = None
    ) -> float:
        """The objective with these first years (positions) of sites and tiers, new ``plugs`` if given."""
        pr, st, grid = self.problem, self.problem.sites, self.problem.grid
        lines, most, upper = list(self.lines), list(self.most), self.upper.copy()
        paid = 0.0
        for t, year in enumerate(pr.years):
            capital = 0.0
            for s in range(self.sites):
                free = t >= opened[s] and year >= st.earliest[s] and not st.forbidden[s]
                upper[self.p(s, t)] = max(st.plugs_most[s] - st.open_plugs[s], 0) if free else 0.0
                if not st.open_plugs[s] and t >= opened[s]:
                    capital += st.fixed_usd[s]
                    paid += self.weight[t] * st.fixed_usd[s] * (self.crf[0] + st.yearly_share[s])
            for u in range(len(grid.name)):
                serves = np.array([t >= start for start in tiers[u]])
                line = np.zeros(len(self.gain))
                for s in np.flatnonzero(st.substation == u):
                    line[self.p(s, t)] = grid.coincidence * st.plug_kw[s]
                lines.append(line)
                most.append(grid.headroom_kw[u] + float(grid.tier_kw[u] @ serves))
                capital += float(grid.tier_usd[u] @ serves)
                paid += self.weight[t] * float(grid.tier_usd[u] @ serves) * self.crf[1]
            if np.isfinite(pr.budget_usd[t]):
                line = np.zeros(len(self.gain))
                for s in range(self.sites):
                    line[self.p(s, t)] = st.usd_per_plug[s]
                lines.append(line)
                most.append(pr.budget_usd[t] - capital)
        whole = np.zeros(len(upper))
        whole[self.pairs * self.count :] = self.whole
        lower = np.zeros(len(upper))
        if plugs is not None:
            lower[self.pairs * self.count :] = plugs.ravel()
            if (lower > upper).any():
                return -np.inf
            upper[self.pairs * self.count :] = plugs.ravel()
        box = list(zip(lower, upper, strict=True))
        found = linprog(-self.gain, np.array(lines), np.array(most), bounds=box, integrality=whole)
        return -found.fun - paid if found.status == 0 else -np.inf


def one_site(**other) -> SitingProblem:
    """Ten truck-days of 300 kWh, one site, one substation, one year: sums that can be worked by hand.

    Life and rate make the annuity of plugs and site a tenth of the capital.
    """
    problem = small_case(0, groups=1, sites=1, stations=1, tiers=1, years=1)
    one = np.ones(1)
    sites = replace(
        problem.sites,
        substation=np.zeros(1, dtype=np.int64),
        plug_kw=150 * one,
        plugs_most=20 * one,
        kwh_per_plug=600 * one,
        least_use=0 * one,
        open_plugs=0 * one,
        open_year=np.zeros(1, dtype=np.int64),
        earliest=np.array([2027]),
        fixed_usd=100e3 * one,
        usd_per_plug=20e3 * one,
        usd_per_kwh=0.30 * one,
        yearly_share=0.03 * one,
        forbidden=np.zeros(1, dtype=bool),
        priority=one,
    )
    problem = replace(
        problem,
        years=np.array([2030]),
        span=one,
        trucks=np.full((1, 1), 10.0),
        wanted=np.full(1, 15.0),
        kwh=300 * one,
        km=240 * one,
        battery_kwh=400 * one,
        pair_group=np.zeros(1, dtype=np.int64),
        pair_site=np.zeros(1, dtype=np.int64),
        pair_kind=np.array([PUBLIC]),
        pair_extra_kwh=np.zeros(1),
        sites=sites,
        grid=replace(problem.grid, headroom_kw=5000 * one),
        discount_rate=0.0,
        plug_life=10.0,
        grid_life=40.0,
        working_days=290.0,
    )
    return replace(problem, **other)


def bound_of(problem: SitingProblem) -> float:
    """An objective that no plan of ``problem`` exceeds: that of its relaxation, solved from nothing."""
    model = programme_of(problem)
    programme = Programme(model)
    if not len(model.gain) or not programme.relax():
        return 0.0
    return programme.bound() * model.terms.unit
