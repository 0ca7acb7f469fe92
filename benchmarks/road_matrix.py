"""A matrix of 500 x 500 road distances beside scipy's own Dijkstra on the same graph.

Run with ``python benchmarks/road_matrix.py [POINTS]``. The bound is scipy's ``dijkstra`` from the
nearest nodes of the same points, with nothing around it; ours adds the search for those nodes, access
legs, times and the check of every point. Each is the best of five in turn. Loading is read from a
warm disk, without the start of Python.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from cleanhub.freight.roads import BUNDLED_ROADS, load_network, read_road_package
from cleanhub.hub.package import load_hub

PACKAGE = "california-arizona-nevada"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    network = load_network(load_hub("california"))
    random = np.random.default_rng(0)
    start, end = random.choice(len(network.lat), (2, count), replace=False)
    graph = csr_array((network.length_km, (network.tail, network.head)), shape=(len(network.lat),) * 2)

    def ours() -> object:
        return network.between(network.lat[start], network.lon[start], network.lat[end], network.lon[end])

    def plain() -> object:
        return dijkstra(graph, indices=start)[:, end]

    assert np.allclose(ours().km, network.circuity * plain())  # type: ignore[attr-defined]
    pairs = [(_seconds(ours), _seconds(plain)) for _ in range(5)]
    own, bound = (min(column) for column in zip(*pairs, strict=True))
    near = np.flatnonzero((abs(network.lat - 33.95) < 0.3) & (abs(network.lon + 117.9) < 0.5))
    local, other = random.choice(near, (2, count))
    port = min(
        _seconds(
            lambda: network.between(
                network.lat[local], network.lon[local], network.lat[other], network.lon[other]
            )
        )
        for _ in range(3)
    )
    ways = min(
        _seconds(
            lambda: network.paths(network.lat[start], network.lon[start], network.lat[end], network.lon[end])
        )
        for _ in range(3)
    )
    load = min(_seconds(lambda: read_road_package(BUNDLED_ROADS / PACKAGE, 80.0)) for _ in range(5))
    print(f"{count} x {count} over the whole network: {own:.2f} s; scipy alone {bound:.2f} s")
    print(f"ratio to scipy: {own / bound:.2f} (at most 1.3)")
    print(f"{count} x {count} in the Los Angeles basin: {port:.2f} s")
    print(f"arcs of {count} ways: {ways:.2f} s")
    print(f"load: {load * 1000:.0f} ms (at most 100)")


def _seconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
