"""The p-median with 500 customers and 150 sites on road-like distances, ours beside spopt's.

Run with ``python benchmarks/p_median.py [INSTANCES]`` (five by default). Points are drawn around a few
centres in a metropolitan box, weights are lognormal, and distances run along a seeded road graph (a mesh
of 4,000 nodes whose links are longer than the crow flies), so that they are real numbers without
ties. Both sides start from the same two arrays, both prove their optimum (gap 0), and the table gives
seconds of build and solve, their ratio and both objectives. spopt is not a dependency: it is compared
where it can be imported (with HiGHS behind it); otherwise ours runs alone and the table says so.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, cKDTree

from cleanhub.freight.location_median import solve_p_median

CUSTOMERS, SITES, OPEN, NODES = 500, 150, 15, 4000


def instance(seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Distances (S, C) [km] and weights (C,)."""
    draw = np.random.default_rng(seed)
    box = np.array([110.0, 70.0])
    nodes = draw.uniform(0, box, (NODES, 2))
    corners = Delaunay(nodes).simplices
    links = np.unique(
        np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])), axis=0
    )
    long = np.linalg.norm(nodes[links[:, 0]] - nodes[links[:, 1]], axis=1) * draw.uniform(
        1.05, 1.6, len(links)
    )
    graph = coo_matrix((long, (links[:, 0], links[:, 1])), shape=(NODES, NODES)).tocsr()
    tree = cKDTree(nodes)

    def points(count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        centres = draw.uniform(0.1 * box, 0.9 * box, (8, 2))
        where = centres[draw.integers(0, 8, count)] + draw.normal(0, 9.0, (count, 2))
        away, nearest = tree.query(np.clip(where, 0, box))
        return away, nearest

    customer_away, customer = points(CUSTOMERS)
    site_away, site = points(SITES)
    road = dijkstra(graph, directed=False, indices=site)[:, customer]
    return road + site_away[:, None] + customer_away[None, :], np.round(
        draw.lognormal(3.0, 0.8, CUSTOMERS), 3
    )


def ours(distance: Any, weight: Any) -> tuple[float, float, str]:
    start = time.perf_counter()
    found = solve_p_median(distance, weight, OPEN)
    return time.perf_counter() - start, found.objective, f"gap {found.gap:.0e}, {found.method}"


def theirs(distance: Any, weight: Any) -> tuple[float, float, str]:
    import pulp
    from spopt.locate import PMedian

    solver = pulp.HiGHS(msg=False, gapRel=0.0, threads=1)
    start = time.perf_counter()
    model = PMedian.from_cost_matrix(distance.T, weight, p_facilities=OPEN)
    built = time.perf_counter() - start
    model.solve(solver, results=False)
    seconds = time.perf_counter() - start
    status = pulp.LpStatus[model.problem.status]
    return seconds, float(model.problem.objective.value()), f"{status}, build {built:.1f} s"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    beside = importlib.util.find_spec("spopt") is not None
    if not beside:
        print("spopt is not installed: ours alone")
    print(f"{CUSTOMERS} customers x {SITES} sites, p = {OPEN}\nseed   ours s  spopt s   ratio   objectives")
    ratios = []
    for seed in range(count):
        distance, weight = instance(seed)
        mine, value, words = ours(distance, weight)
        if not beside:
            print(f"{seed:4d} {mine:8.3f}        -       -   {value:.6f}  ({words})")
            continue
        other, reference, said = theirs(distance, weight)
        ratios.append(other / mine)
        same = "equal" if abs(value - reference) <= 1e-9 * value else "DIFFERENT"
        print(
            f"{seed:4d} {mine:8.3f} {other:8.2f} {ratios[-1]:7.1f}   {value:.6f} {reference:.6f} {same}"
            f"  (ours {words}; spopt {said})",
            flush=True,
        )
    if ratios:
        print(f"median ratio {statistics.median(ratios):.1f}, least {min(ratios):.1f}")


if __name__ == "__main__":
    main()
