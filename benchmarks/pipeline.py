"""Simulation of California's projects: seconds by step, and arrays against a plain loop over draws.

Run with ``python benchmarks/pipeline.py``. The plain loop goes through the same graph with the same draws,
one draw and one node at a time, in Python floats; its times must equal those of the arrays. All figures
are CPU seconds of this process. Valuations of projects are not in: they are the finance room's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from cleanhub.hub.package import load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.pipeline.calibrate import calibrate
from cleanhub.pipeline.draws import World, draw
from cleanhub.pipeline.evaluate import changed, evaluate
from cleanhub.pipeline.graph import build_graph
from cleanhub.pipeline.results import gates_table, pipeline_years_table, stage_years_table
from cleanhub.pipeline.simulate import read_setting, simulate

T = TypeVar("T")
PLAN, MANY = 1_000, 10_000


def main() -> None:
    hub = load_hub("california")
    scenario = load_scenario("net-zero-2045", hub)
    setting = read_setting(hub, scenario)
    timed("graph", lambda: build_graph(hub, scenario))
    reference = timed("graph without evidence", lambda: build_graph(hub, scenario, without_evidence=True))
    found = timed("calibration", lambda: calibrate(reference.graph, reference.projects, setting))
    pipeline = build_graph(hub, scenario)
    print(f"{len(pipeline.graph)} nodes, {len(pipeline.graph.before)} edges, shift {found.shift:+.3f}")
    for draws in (PLAN, MANY):
        world = timed(
            f"draws, {draws:,}",
            lambda n=draws: draw(pipeline.graph, pipeline.projects, setting, n, shift=found.shift),
        )
        times = timed(f"evaluation, {draws:,}", lambda w=world: evaluate(w))
        timed(
            f"every open node never, {draws:,}",
            lambda w=world, t=times: [changed(w, t, never=(node,)) for node in np.flatnonzero(~w.graph.done)],
        )
        run = timed(f"all of it, {draws:,}", lambda n=draws: simulate(hub, scenario, draws=n))
        timed(
            f"its tables, {draws:,}",
            lambda r=run: (gates_table(r), stage_years_table(r), pipeline_years_table(r)),
        )
    compare(draw(pipeline.graph, pipeline.projects, setting, PLAN, shift=found.shift))


def timed(what: str, job: Callable[[], T]) -> T:
    """Run a job and print its CPU seconds."""
    start = time.process_time()
    result = job()
    print(f"{what:<36}{time.process_time() - start:>9.3f} s")
    return result


def compare(world: World) -> None:
    """Arrays and plain loop on the same draws: equal times, and how many times faster."""
    start = time.process_time()
    slow = plain(world)
    loop = time.process_time() - start
    rounds = 20
    start = time.process_time()
    for _ in range(rounds):
        fast = evaluate(world)
    arrays = (time.process_time() - start) / rounds
    programmes = list(world.order.first_of)
    of_programmes = {*world.projects.decision[programmes], *world.projects.service[programmes]}
    others = [node for node in range(len(slow)) if node not in of_programmes]
    if not np.array_equal(slow[others], fast.time[others]):
        raise SystemExit("the plain loop and the arrays differ")
    print(
        f"plain loop {loop:.3f} s, arrays {arrays:.4f} s for {world.draws} draws: {loop / arrays:.0f} times"
    )


def plain(world: World) -> np.ndarray:
    """Times of all nodes, one draw and one node at a time; those of programmes are not taken over."""
    graph, order = world.graph, world.order
    time = [[0.0] * world.draws for _ in range(len(graph))]
    for d in range(world.draws):
        for node in range(len(graph)):
            if graph.done[node]:
                continue
            begin = None
            for one in order.before[node]:
                other = time[one][d]
                if begin is None:
                    begin = other
                elif graph.any_of[node]:
                    begin = min(begin, other)
                else:
                    begin = max(begin, other)
            found = max((begin or 0.0) + float(world.years[node, d]), float(graph.earliest[node]))
            if not world.closes[node, d]:
                found = math.inf
            project = order.decides.get(node)
            if project is not None and found >= world.given_up[project, d]:
                found = math.inf
            time[node][d] = found
    return np.array(time)


if __name__ == "__main__":
    main()
