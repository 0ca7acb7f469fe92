"""A lender's commitments seen together, against the path of the hub: ``cleanhub finance portfolio``.

Four tables: what is committed to whom and how it stands in both views (:func:`exposure_table`), what
many commitments hang on at once (:func:`concentration_table`), whether the technologies that are financed
emit more than the path of their sector in each year (:func:`alignment_table`), and how many of the plants
that the path needs they are (:func:`need_table`). Nothing is valued or simulated here: every number is of
the saved plan, of the library's technologies, or of a frozen case (docs/models/portfolio.md).

Tonnes avoided are attributed as the PCAF standard does for project finance: the share of a project's
capital that the commitment is, times the tonnes that the project itself states; they are never netted
against emissions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.finance.frozen_today import rebuild
from cleanhub.finance.risk import monte_carlo
from cleanhub.finance.technologies import Technologies, build_technologies
from cleanhub.hub.library import Library
from cleanhub.hub.schema import PAST_FID
from cleanhub.planning.holdings import METRICS, VIEWS, Holding
from cleanhub.planning.plan import Plan

WEAK = ("recalled", "assumed")
SAME = 1e-6
"""Relative difference below which two intensities are the same."""
EXPOSURE = (
    "holding_id", "name", "sector", "stage", "technology", "commitment_usd", "share", "capital_usd",
    "attribution", "p_fid_2030", "p_fid_ever", "expected_usd",
    *(f"{view.split('_')[0]}_{name}" for view in VIEWS for name in METRICS),
    "price_unit", "co2e_t_per_year", "financed_co2e_t_per_year", "expected_co2e_t_per_year",
    "p_loss", "p_not_covered", "confidence", "basis",
)  # fmt: skip
CONCENTRATION = (
    "kind", "item", "holdings", "commitment_usd", "share", "paid_usd", "paid_per_usd_of_capital", "until",
    "p_closes",
)  # fmt: skip
ALIGNMENT = (
    "sector", "product", "unit", "year", "holdings", "commitment_usd", "covered_usd", "financed_intensity",
    "path_intensity", "difference", "aligned",
)  # fmt: skip
NEED = (
    "sector", "year", "plants_needed", "fid_expected", "gap", "financed_projects", "financed_fid_expected",
)  # fmt: skip


@dataclass(frozen=True)
class Portfolio:
    """The tables of a portfolio by name, and the plan they stand against."""

    plan_id: str
    tables: dict[str, pd.DataFrame]

    def totals(self) -> dict[str, float]:
        """Sums over the holdings by name [USD, t CO2e/yr, share of all commitments].

        What is not known of a holding is left out of a sum; ``known_usd`` are the commitments whose chance
        of a decision is known, ``tonnes_usd`` those whose tonnes are, ``above_debt_usd`` what is committed
        beyond the senior debt that the lender's view of each project carries.
        """
        table = self.tables["exposure"]
        usd = table["commitment_usd"]

        def of(which: pd.Series) -> float:
            return float(usd[which].sum())

        return {
            "commitment_usd": float(usd.sum()),
            "expected_usd": float(table["expected_usd"].sum()),
            "known_usd": of(table["p_fid_ever"].notna()),
            "past_decision_usd": of(table["stage"].isin(PAST_FID)),
            "valued_usd": of(table["sponsor_npv_usd"].notna()),
            "below_return_usd": of(table["sponsor_npv_usd"] < 0),
            "covered_usd": of(table["lender_min_dscr"] >= 1.0),
            "not_covered_usd": of(table["lender_min_dscr"] < 1.0),
            "no_debt_usd": of(table["lender_npv_usd"].notna() & table["lender_min_dscr"].isna()),
            "above_debt_usd": float((usd - table["lender_debt_usd"]).clip(lower=0.0).sum()),
            "financed_co2e_t_per_year": float(table["financed_co2e_t_per_year"].sum()),
            "expected_co2e_t_per_year": float(table["expected_co2e_t_per_year"].sum()),
            "tonnes_usd": of(table["financed_co2e_t_per_year"].notna()),
            "weak_share": of(table["confidence"].isin(WEAK)) / total if (total := float(usd.sum())) else 1.0,
        }


def build_portfolio(
    plan: Plan, holdings: Sequence[Holding], library: Library, samples: int = 0, seed: int = 0
) -> Portfolio:
    """All tables of a portfolio.

    With ``samples`` the frozen cases among the holdings are drawn that often, as ``cleanhub finance
    --samples`` does, for the chance of a loss; it stays empty for projects of the plan, which keeps no case.
    """
    technologies = build_technologies(library, plan.scenario)
    chances = {one.holding_id: _chances(one, library, samples, seed) for one in holdings}
    return Portfolio(
        plan.id,
        {
            "exposure": exposure_table(holdings, chances),
            "concentration": concentration_table(plan, holdings),
            "alignment": alignment_table(plan, holdings, technologies),
            "need": need_table(plan, holdings),
        },
    )


def _chances(holding: Holding, library: Library, samples: int, seed: int) -> tuple[float, float]:
    """Chance that equity falls short of its return, and that debt service is not covered in some year."""
    if holding.frozen is None or samples == 0:
        return np.nan, np.nan
    drawn = monte_carlo(rebuild(holding.frozen, library), holding.frozen.setting, samples, seed)
    covered = drawn.probability_not_covered if np.isfinite(drawn.min_dscr).any() else np.nan
    return drawn.probability_of_loss, covered


# ---------------------------------------------------------------- exposure


def exposure_table(holdings: Sequence[Holding], chances: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """One row for each holding: what is committed, how likely, both views, tonnes attributed."""
    total = sum(one.commitment_usd for one in holdings)
    rows = []
    for one in holdings:
        financed = one.attribution * one.co2e_t_per_year
        row: dict[str, object] = {
            "holding_id": one.holding_id,
            "name": one.name,
            "sector": one.sector,
            "stage": one.stage,
            "technology": one.technology,
            "commitment_usd": one.commitment_usd,
            "share": one.commitment_usd / total if total else np.nan,
            "capital_usd": one.capital_usd,
            "attribution": one.attribution,
            "p_fid_2030": one.p_fid_2030,
            "p_fid_ever": one.p_fid_ever,
            "expected_usd": one.commitment_usd * one.p_fid_ever,
            "price_unit": one.unit,
            "co2e_t_per_year": one.co2e_t_per_year,
            "financed_co2e_t_per_year": financed,
            "expected_co2e_t_per_year": financed * one.p_fid_ever,
            "p_loss": chances[one.holding_id][0],
            "p_not_covered": chances[one.holding_id][1],
            "confidence": one.confidence,
            "basis": one.basis,
        }
        for view in VIEWS:
            for name in METRICS:
                row[f"{view.split('_')[0]}_{name}"] = one.views.get(view, {}).get(name, np.nan)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(EXPOSURE))


# ---------------------------------------------------------------- concentration


def concentration_table(plan: Plan, holdings: Sequence[Holding]) -> pd.DataFrame:
    """What commitments hang on together: sector, technology, stage, policy, link; most first within each.

    A policy counts the commitments to projects that it pays; ``paid_per_usd_of_capital`` is what it pays
    them in all for each dollar of their capital, weighted by commitment [nominal USD], and ``until`` the
    first day by which what it asks must have happened. A link counts the commitments to projects that
    cannot decide without it; ``p_closes`` is its chance to close.
    """
    total = sum(one.commitment_usd for one in holdings)
    rows: list[dict[str, object]] = []
    for kind in ("sector", "technology", "stage"):
        items = sorted({getattr(one, kind) for one in holdings})
        for item in items:
            mine = [one for one in holdings if getattr(one, kind) == item]
            rows.append(_row(kind, item or "not known", mine, total))
    for policy in sorted({name for one in holdings for name in one.policies}):
        mine = [one for one in holdings if policy in one.policies]
        dates = sorted(one.policies[policy].until for one in mine if one.policies[policy].until)
        rows.append(
            {
                **_row("policy", policy, mine, total),
                "paid_usd": sum(one.policies[policy].usd for one in mine),
                "paid_per_usd_of_capital": _paid_per_capital(mine, policy),
                "until": dates[0] if dates else "",
            }
        )
    for _, link in plan.table("links").iterrows():
        waiting = set(str(link["projects"]).split(";"))
        mine = [one for one in holdings if one.project_id and one.project_id in waiting]
        if mine:
            row = _row("link", str(link["link_id"]), mine, total)
            rows.append({**row, "p_closes": float(link["p_closes"])})
    frame = pd.DataFrame(rows, columns=list(CONCENTRATION))
    order = {"sector": 0, "technology": 1, "stage": 2, "policy": 3, "link": 4}
    keys = frame["kind"].map(order), -frame["commitment_usd"], frame["p_closes"], frame["item"]
    return frame.iloc[np.lexsort([np.asarray(key) for key in keys[::-1]])].reset_index(drop=True)


def _row(kind: str, item: str, mine: Sequence[Holding], total: float) -> dict[str, object]:
    usd = sum(one.commitment_usd for one in mine)
    return {
        "kind": kind,
        "item": item,
        "holdings": len(mine),
        "commitment_usd": usd,
        "share": usd / total if total else np.nan,
        "paid_usd": np.nan,
        "paid_per_usd_of_capital": np.nan,
        "until": "",
        "p_closes": np.nan,
    }


def _paid_per_capital(mine: Sequence[Holding], policy: str) -> float:
    known = [one for one in mine if one.capital_usd > 0 and one.commitment_usd > 0]
    weight = sum(one.commitment_usd for one in known)
    paid = sum(one.commitment_usd * one.policies[policy].usd / one.capital_usd for one in known)
    return paid / weight if weight else np.nan


# ---------------------------------------------------------------- against the path


def alignment_table(plan: Plan, holdings: Sequence[Holding], technologies: Technologies) -> pd.DataFrame:
    """Emissions of a unit made with the technologies financed, and on the path, by sector and year.

    ``financed_intensity`` is the mean over the holdings of the sector whose technology makes what the path
    makes, weighted by commitment (``covered_usd`` of ``commitment_usd``); ``path_intensity`` is scope 1 of
    the path's plants or vehicles over what they make [t CO2e per unit]. Scope 2 is in neither. A sector
    without such a technology, or without such a path, has one row that is empty from ``year`` on.
    """
    rows: list[dict[str, object]] = []
    years = _years(plan)
    for sector in sorted({one.sector for one in holdings}):
        mine = [one for one in holdings if one.sector == sector]
        blank = {
            "sector": sector,
            "product": "",
            "unit": "",
            "holdings": len(mine),
            "commitment_usd": sum(one.commitment_usd for one in mine),
            "covered_usd": 0.0,
        }
        found = [
            row
            for product in _products(plan, sector)
            for row in _aligned(plan, sector, product, mine, technologies, years)
        ]
        rows += [{**blank, **row} for row in found] or [blank]
    frame = pd.DataFrame(rows, columns=list(ALIGNMENT))
    return frame.assign(year=frame["year"].astype("Int64"))


def _years(plan: Plan) -> list[int]:
    """Every fifth year after the plan's day, and its last year."""
    start = plan.scenario.as_of.year
    return sorted({*range(start - start % 5 + 5, plan.scenario.end_year + 1, 5), plan.scenario.end_year})


def _products(plan: Plan, sector: str) -> list[str]:
    table = plan.table("production")
    return sorted(set(table.loc[table["sector"] == sector, "product"]))


def _aligned(
    plan: Plan,
    sector: str,
    product: str,
    mine: Sequence[Holding],
    technologies: Technologies,
    years: Sequence[int],
) -> Iterator[dict[str, object]]:
    """A row for each year; none where no holding makes the product."""
    covered = {}
    for one in mine:
        place = technologies.find(one.technology) if one.technology else -1
        if place >= 0 and technologies.product[place] == product and one.commitment_usd > 0:
            covered[one.holding_id] = (one.commitment_usd, float(technologies.direct[place]))
    if not covered:
        return
    usd = sum(weight for weight, _ in covered.values())
    financed = sum(weight * direct for weight, direct in covered.values()) / usd
    path, unit = path_intensity(plan, sector, product)
    for year in years:
        if year not in path:
            continue
        behind = financed > path[year] * (1.0 + SAME)
        yield {
            "product": product,
            "unit": f"t CO2e/{unit}",
            "year": year,
            "covered_usd": usd,
            "financed_intensity": financed,
            "path_intensity": path[year],
            "difference": financed - path[year],
            "aligned": "no" if behind else "yes",
        }


def path_intensity(plan: Plan, sector: str, product: str) -> tuple[dict[int, float], str]:
    """Scope 1 of the path per unit of a product by year [t CO2e per unit], and the unit.

    Plants and vehicles that the path moves, over what they make; years in which they make nothing are left
    out.
    """
    made = plan.table("production")
    made = made[(made["sector"] == sector) & (made["product"] == product)]
    assets = plan.table("assets")
    mine = assets[(assets["sector"] == sector) & assets["technology"].isin(set(made["technology"]))]
    sums = mine.groupby("year")[["co2e_t", "production"]].sum()
    sums = sums[sums["production"] > 0]
    unit = str(made["unit"].iloc[0]).removesuffix("/yr")
    return {int(str(year)): float(row["co2e_t"] / row["production"]) for year, row in sums.iterrows()}, unit


def need_table(plan: Plan, holdings: Sequence[Holding]) -> pd.DataFrame:
    """Plants that the path needs by sector and year, and how many of them are financed here.

    ``financed_fid_expected`` adds up the chances that the plan's projects among the holdings are past
    their investment decision by the end of the year; a frozen case without a project is not in it.
    """
    table = plan.table("project_need")
    sectors = {one.sector for one in holdings}
    wanted = table[(table["unit"] == "plants") & table["sector"].isin(sectors)]
    stages = plan.table("stage_years")
    past = stages[stages["stage"].isin(PAST_FID)].groupby(["project_id", "year"])["probability"].sum()
    rows = []
    for _, row in wanted.iterrows():
        mine = [one.project_id for one in holdings if one.sector == row["sector"] and one.project_id]
        chance = sum(float(past.get((project, int(row["year"])), 0.0)) for project in mine)
        rows.append(
            {
                "sector": row["sector"],
                "year": int(row["year"]),
                "plants_needed": float(row["plants_needed"]),
                "fid_expected": float(row["fid_expected"]),
                "gap": float(row["gap"]),
                "financed_projects": len(mine),
                "financed_fid_expected": chance,
            }
        )
    return pd.DataFrame(rows, columns=list(NEED))
