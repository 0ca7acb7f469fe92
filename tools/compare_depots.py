"""Compares the charging sites that are chosen first with the depots that were really built.

Chargers of a hub are sited twice, year by year: as the hub is, and with every depot taken out of a copy of
its folder, so that the choice cannot know where they stand. ``docs/models/depots-compared.md`` gets the
tables between its two marks; its words are written by hand. Random choices among the same candidates say how
much of the agreement is luck.

    python tools/compare_depots.py                      run both (minutes each), write the page
    python tools/compare_depots.py --keep FOLDER        keep what was chosen there, and use it if it is there
    python tools/compare_depots.py --print              print the tables, write nothing
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import cleanhub
from cleanhub.freight.near import Nearby
from cleanhub.freight.problem import BoolArray, FloatArray
from cleanhub.hub.datadoc import markdown_table
from cleanhub.hub.package import load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.planning.siting import Sited, SitingChoice, site_chargers

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "models" / "depots-compared.md"
HUBS = Path(cleanhub.__file__).parent / "hubs"
BEGIN = "<!-- written by tools/compare_depots.py -->"
END = "<!-- end written -->"
AS_IS, BLIND = "as is", "without depots"
NEAR_KM = 5.0
"""A chosen site this near to a depot agrees with it; the depots' own places are known to about 1 km."""
FIRST = 10
DRAWS = 2000


@dataclass(frozen=True)
class Chosen:
    """One siting: its candidate ``sites`` (id, title, kind, place, opened, new plugs, MW) and ``facts``."""

    sites: pd.DataFrame
    facts: dict[str, str]

    @property
    def new(self) -> pd.DataFrame:
        """Sites with new plugs, the first years first and the largest of a year first."""
        opened = self.sites[self.sites["opened"] > 0]
        return opened.sort_values(["opened", "mw", "id"], ascending=[True, False, True], ignore_index=True)


def main(words: Sequence[str] | None = None) -> None:
    """Site twice, compare, write the page."""
    ask = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    ask.add_argument("--hub", default="california", help="a bundled hub, or a hub folder")
    ask.add_argument("--scenario", default="baseline")
    ask.add_argument("--gap", type=float, default=0.01, help="relative gap at which the search ends")
    ask.add_argument(
        "--keep", type=Path, help="folder for what was chosen; read instead of run if it is there"
    )
    ask.add_argument("--print", action="store_true", dest="show", help="print the tables, write nothing")
    given = ask.parse_args(words)
    folder = Path(given.hub) if Path(given.hub).is_dir() else HUBS / given.hub
    depots = real_depots(folder)
    with tempfile.TemporaryDirectory() as scratch:
        blind = without_depots(folder, Path(scratch) / folder.name)
        runs = {
            name: chosen_in(where, given.scenario, given.gap, given.keep, name)
            for name, where in ((AS_IS, folder), (BLIND, blind))
        }
    text = comparison(runs[AS_IS], runs[BLIND], depots)
    if given.show:
        print(text)
    else:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")


# ---------------------------------------------------------------- the two runs


def real_depots(folder: Path) -> pd.DataFrame:
    """Depots of the hub in ``folder``: id, name, lat, lon, MW stated (nan: not) and status."""
    table = pd.read_csv(folder / "infrastructure.csv", keep_default_na=True)
    table = table[table["kind"] == "depot"].reset_index(drop=True)
    return pd.DataFrame(
        {
            "id": table["infrastructure_id"],
            "name": table["name"],
            "lat": table["lat"].astype(float),
            "lon": table["lon"].astype(float),
            "mw": np.where(table["unit"] == "MW", table["value"].astype(float), np.nan),
            "status": table["status"].fillna(""),
        }
    )


def without_depots(folder: Path, to: Path) -> Path:
    """A copy of the hub in ``to`` whose infrastructure has no depot; returns ``to``."""
    shutil.copytree(folder, to)
    path = to / "infrastructure.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table[table["kind"] != "depot"].to_csv(path, index=False)
    return to


def chosen_in(folder: Path, scenario: str, gap: float, keep: Path | None, name: str) -> Chosen:
    """Sites of the hub in ``folder`` as the solver chooses them, or as they were kept before."""
    stem = name.replace(" ", "-")
    if keep is not None and (keep / f"{stem}.csv").is_file():
        sites = pd.read_csv(keep / f"{stem}.csv")
        return Chosen(sites, json.loads((keep / f"{stem}.json").read_text(encoding="utf-8")))
    hub = load_hub(folder)
    sited = site_chargers(hub, load_scenario(scenario, hub), SitingChoice(gap=gap))
    made = Chosen(_sites(sited), _facts(sited))
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        made.sites.to_csv(keep / f"{stem}.csv", index=False)
        (keep / f"{stem}.json").write_text(json.dumps(made.facts, indent=1), encoding="utf-8")
    return made


def _sites(sited: Sited) -> pd.DataFrame:
    plan, sites = sited.plan, sited.plan.problem.sites
    new = np.maximum(plan.plugs[:, -1] - sites.open_plugs, 0.0)
    zones, days = sited.case.zones, sited.case.truck_days
    stops = np.bincount(days.leg_to, weights=days.trucks[days.leg_group], minlength=len(zones.name))
    site, zone = Nearby(zones.lat, zones.lon).within(sites.lat, sites.lon, NEAR_KM)
    return pd.DataFrame(
        {
            "id": sites.name,
            "title": sites.title,
            "kind": sites.kind,
            "lat": sites.lat,
            "lon": sites.lon,
            "forbidden": sites.forbidden,
            "open_plugs": sites.open_plugs,
            "opened": np.where(new > 0, plan.opened, 0),
            "plugs": new,
            "mw": new * sites.plug_kw / 1000,
            "substation": plan.problem.grid.title[sites.substation],
            "stops": np.bincount(site, weights=stops[zone], minlength=len(sites.name)),
        }
    )


def _facts(sited: Sited) -> dict[str, str]:
    plan, grid = sited.plan, sited.plan.problem.grid
    return {
        "scenario": f"{sited.case.scenario.name}, as of {sited.case.scenario.as_of}",
        "years": f"{plan.problem.years[0]} to {plan.problem.years[-1]}",
        "candidates": str(len(plan.problem.sites.name)),
        "substations": str(len(grid.name)),
        "gap": f"{plan.gap:.2%} ({plan.status})",
        "electric": f"{plan.served[:, -1].sum():,.0f} of {plan.problem.trucks[:, -1].sum():,.0f} truck-days",
    }


# ---------------------------------------------------------------- the comparison


def near_any(lat: pd.Series[float], lon: pd.Series[float], others: pd.DataFrame) -> FloatArray:
    """Distance of each point to the nearest of ``others`` [km], (n,)."""
    return Nearby(others["lat"], others["lon"]).nearest(lat, lon)[1]


@dataclass(frozen=True)
class Luck:
    """Random choices of ``count`` sites: the share near a depot, and the depots' median distance to one."""

    near: FloatArray
    median_km: FloatArray


def random_choices(
    sites: pd.DataFrame, depots: pd.DataFrame, count: int, weight: FloatArray | None = None, seed: int = 0
) -> Luck:
    """:data:`DRAWS` choices without repetition among the sites that nobody forbids.

    ``weight`` (n,) makes some more likely than others. Fewer are drawn where fewer have a weight.
    """
    use = (~sites["forbidden"].to_numpy(bool)) & (np.ones(len(sites), bool) if weight is None else weight > 0)
    pool = sites[use]
    chance = None if weight is None else weight[use] / weight[use].sum()
    close = near_any(pool["lat"], pool["lon"], depots) <= NEAR_KM
    apart = np.stack(
        [
            Nearby([lat], [lon]).nearest(pool["lat"], pool["lon"])[1]
            for lat, lon in depots[["lat", "lon"]].to_numpy()
        ]
    )
    draw = np.random.default_rng(seed)
    near, median = np.zeros(DRAWS), np.zeros(DRAWS)
    for k in range(DRAWS):
        pick = draw.choice(len(pool), min(count, len(pool)), replace=False, p=chance)
        near[k] = close[pick].mean()
        median[k] = np.median(apart[:, pick].min(axis=1))
    return Luck(near, median)


def comparison(as_is: Chosen, blind: Chosen, depots: pd.DataFrame) -> str:
    """All tables of the page as Markdown."""
    parts = [
        "### The two runs",
        runs_table(as_is, blind),
        f"### First {FIRST} choices without knowing the depots",
        first_table(blind, depots),
        "### Against luck",
        luck_table(blind, depots),
        "### Each depot and the nearest site chosen without knowing it",
        depot_table(blind, depots),
        "### With the depots in place",
        expansion_table(as_is, depots),
        f"First {FIRST} of these choices:",
        first_table(as_is, depots),
    ]
    return "\n\n".join(parts)


def runs_table(as_is: Chosen, blind: Chosen) -> str:
    """What was run and how it ended."""
    rows = [[key, as_is.facts[key], blind.facts[key]] for key in as_is.facts]
    both = as_is.new, blind.new
    rows.append(["sites with new plugs", *(str(len(new)) for new in both)])
    rows += [
        [f"new {unit}", *(f"{new[key].sum():,.0f}" for new in both)]
        for key, unit in (("plugs", "plugs"), ("mw", "power, MW"))
    ]
    return markdown_table(["", AS_IS, BLIND], rows)


def first_table(run: Chosen, depots: pd.DataFrame) -> str:
    """The first choices with the nearest depot of each."""
    first = run.new.head(FIRST)
    at, km = Nearby(depots["lat"], depots["lon"]).nearest(first["lat"], first["lon"])
    rows = [
        [
            str(n),
            row.title,
            row.kind,
            str(row.opened),
            f"{row.mw:.1f}",
            row.substation,
            depots["name"][int(at[n - 1])],
            f"{km[n - 1]:.1f}",
        ]
        for n, row in enumerate(first.itertuples(), 1)
    ]
    header = ["", "site", "kind", "year", "MW", "substation", "nearest depot", "km"]
    near = int((km <= NEAR_KM).sum())
    return f"{near} of {len(first)} lie within {NEAR_KM:g} km of a depot.\n\n" + markdown_table(header, rows)


def luck_table(blind: Chosen, depots: pd.DataFrame) -> str:
    """Agreement of the choice beside that of random choices, plain and by traffic."""
    new, sites = blind.new, blind.sites
    rows = []
    stops = sites["stops"].to_numpy(float)
    for label, chosen in ((f"first {FIRST}", new.head(FIRST)), ("all chosen", new)):
        if chosen.empty:
            continue
        near = float((near_any(chosen["lat"], chosen["lon"], depots) <= NEAR_KM).mean())
        median = float(np.median(near_any(depots["lat"], depots["lon"], chosen)))
        for kind, weight in (("any candidate", None), ("by stops of trucks", stops)):
            luck = random_choices(sites, depots, len(chosen), weight)
            rows.append(
                [
                    f"{label} ({len(chosen)})",
                    f"{near:.0%}",
                    kind,
                    _spread(luck.near, "{:.0%}"),
                    _chance(luck.near >= near),
                    f"{median:.1f}",
                    _spread(luck.median_km, "{:.1f}"),
                    _chance(luck.median_km <= median),
                ]
            )
    header = [
        "choice",
        f"within {NEAR_KM:g} km of a depot",
        "random among",
        "random: median (5 to 95 %)",
        "random as good",
        "median km from a depot to the nearest site",
        "random: median (5 to 95 %)",
        "random as good",
    ]
    return markdown_table(header, rows)


def depot_table(blind: Chosen, depots: pd.DataFrame) -> str:
    """Each depot with the nearest site chosen without it, and the nearest candidate of all."""
    new = blind.new
    if new.empty:
        return "No site was chosen."
    at, km = Nearby(new["lat"], new["lon"]).nearest(depots["lat"], depots["lon"])
    order = np.argsort(km, kind="stable")
    allowed = blind.sites[~blind.sites["forbidden"].to_numpy(bool)]
    candidate = near_any(depots["lat"], depots["lon"], allowed)
    rows = []
    for n in order:
        site, depot = new.iloc[int(at[n])], depots.iloc[int(n)]
        mw = "" if np.isnan(depot["mw"]) else f"{depot['mw']:g}"
        rows.append(
            [
                str(depot["name"]),
                str(depot["status"]),
                mw,
                f"{km[n]:.1f}",
                str(site["title"]),
                str(site["opened"]),
                f"{site['mw']:.1f}",
                f"{candidate[n]:.1f}",
            ]
        )
    header = ["depot", "status", "MW", "km", "nearest chosen", "year", "MW chosen", "km to any candidate"]
    near = int((km <= NEAR_KM).sum())
    middle = f"median {np.median(km):.1f} km"
    words = f"{near} of {len(depots)} depots have a chosen site within {NEAR_KM:g} km; {middle}."
    return f"{words}\n\n" + markdown_table(header, rows)


def expansion_table(as_is: Chosen, depots: pd.DataFrame) -> str:
    """New power by year at depots, within reach of one, and elsewhere."""
    new = as_is.new
    km = near_any(new["lat"], new["lon"], depots)
    own = new["id"].isin(depots["id"]).to_numpy()
    where = np.select([own, km <= NEAR_KM], ["at a depot", "near one"], "elsewhere")
    columns = ["at a depot", "near one", "elsewhere"]
    power = new.pivot_table(
        index="opened", columns=pd.Series(where, name="where"), values="mw", aggfunc="sum"
    )
    power = power.reindex(columns=columns).fillna(0.0)
    rows = [
        [str(year), *(f"{mw:.1f}" for mw in row)]
        for year, row in zip(power.index, power.to_numpy(), strict=True)
    ]
    rows.append(["**all**", *(f"{mw:.1f}" for mw in power.sum())])
    header = [
        "first year of a site",
        f"{columns[0]}, MW",
        f"{columns[1]} ({NEAR_KM:g} km), MW",
        f"{columns[2]}, MW",
    ]
    return markdown_table(header, rows)


def filled(page: str, text: str) -> str:
    """``page`` with ``text`` between its marks. Raises ``ValueError`` where they are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _chance(better: BoolArray) -> str:
    """Share of the random choices that do as well."""
    return f"{better.mean():.1%}" if better.any() else f"none of {len(better):,}"


def _spread(values: FloatArray, pattern: str) -> str:
    middle, low, high = (pattern.format(np.quantile(values, q)) for q in (0.5, 0.05, 0.95))
    return f"{middle} ({low} to {high})"


if __name__ == "__main__":
    main()
