"""The linear programme behind :mod:`cleanhub.freight.charging_schedule`, written straight to HiGHS.

Columns and rows are built as arrays, site blocks together; sites without a common limit are
solved in small batches, since one programme of all would take longer than all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import RunError
from cleanhub.core.programme import Matrix, loaded_solver
from cleanhub.freight.site_power import SiteOptions
from cleanhub.freight.tariff_arrays import DAYS_OF_MONTH, HOURS, SEASON_MONTHS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SHAPE = (2, 2, HOURS)
CELLS = int(np.prod(SHAPE))
DAYS = SEASON_MONTHS[:, None] * DAYS_OF_MONTH[None, :]
UNSERVED_USD = 100.0  # per kWh: dearer than any way to serve it, so that only what cannot be served is not
TIE_USD = 0.01  # per kW and month: of schedules that cost the same, the one with the lower peak
BATCH = 8


@dataclass(frozen=True)
class Inputs:
    """The problem as arrays.

    ``site`` (W,), ``kwh`` (W, 2) by kind of day, ``most`` (W, 24) kW in each hour; ``plug_kw`` (S,);
    ``price`` (S, 2, 2, 24) [USD/kWh]; ``demand`` of each tariff: (C, 2) [USD/kW/month] and the hours
    that count, (C, 2, 2, 24); ``tariff`` (S,); ``substation`` (S,) and ``limit`` (U,) [kW].
    """

    site: IntArray
    kwh: FloatArray
    most: FloatArray
    plug_kw: FloatArray
    price: FloatArray
    demand: Sequence[tuple[FloatArray, NDArray[np.bool_]]]
    tariff: IntArray
    options: SiteOptions
    substation: IntArray
    limit: FloatArray


@dataclass(frozen=True)
class Found:
    """The least-cost schedule.

    ``charging`` and ``grid`` (S, 2, 2, 24) [kW], ``unserved`` (S, 2, 2) [kWh/d]; ``solar`` [kW] and
    ``storage`` [kWh] built, (S,).
    """

    charging: FloatArray
    grid: FloatArray
    unserved: FloatArray
    solar: FloatArray
    storage: FloatArray


def solve_sites(inputs: Inputs) -> Found:
    """Solve all sites, in batches that share no limit."""
    sites = len(inputs.plug_kw)
    found = Found(
        charging=np.zeros((sites, *SHAPE)),
        grid=np.zeros((sites, *SHAPE)),
        unserved=np.zeros((sites, *SHAPE[:2])),
        solar=np.zeros(sites),
        storage=np.zeros(sites),
    )
    for batch in _batches(inputs):
        _solve(inputs, batch, found)
    return found


def _batches(inputs: Inputs) -> list[IntArray]:
    """Sites to be solved together: those of a limited substation; the others in small batches."""
    busy = np.unique(inputs.site[inputs.kwh.sum(axis=1) > 0])
    limited = np.isfinite(inputs.limit[inputs.substation[busy]])
    alone = busy[~limited]
    batches = [alone[k : k + BATCH] for k in range(0, len(alone), BATCH)]
    tied = busy[limited]
    return batches + [tied[inputs.substation[tied] == u] for u in np.unique(inputs.substation[tied])]


class _Columns:
    """Columns and rows of one programme, gathered block by block."""

    def __init__(self) -> None:
        self.cost: list[FloatArray] = []
        self.upper: list[FloatArray] = []
        self.count = 0
        self.lower_row: list[FloatArray] = []
        self.upper_row: list[FloatArray] = []
        self.rows = 0
        self.entries: list[tuple[IntArray, IntArray, FloatArray]] = []

    def add(self, cost: FloatArray, upper: FloatArray) -> IntArray:
        """New columns from 0 to ``upper``; their positions."""
        self.cost.append(cost)
        self.upper.append(upper)
        first, self.count = self.count, self.count + len(cost)
        return np.arange(first, self.count)

    def add_rows(self, lower: FloatArray, upper: FloatArray) -> IntArray:
        """New rows; their positions."""
        self.lower_row.append(lower)
        self.upper_row.append(upper)
        first, self.rows = self.rows, self.rows + len(lower)
        return np.arange(first, self.rows)

    def put(self, row: IntArray, column: IntArray, value: FloatArray | float) -> None:
        """Entries of the matrix."""
        values = np.broadcast_to(np.asarray(value, dtype=np.float64), row.shape)
        self.entries.append((row, column, values))

    def solve(self) -> FloatArray:
        """Values of all columns at the optimum."""
        row, column, value = (np.concatenate(parts) for parts in zip(*self.entries, strict=True))
        matrix = Matrix.of(row, column, value, (self.rows, self.count))
        solver = loaded_solver(
            np.concatenate(self.cost),
            np.zeros(self.count),
            np.concatenate(self.upper),
            np.concatenate(self.lower_row),
            np.concatenate(self.upper_row),
            matrix,
            solver="simplex",
        )
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            words = solver.modelStatusToString(solver.getModelStatus())
            raise RunError(f"the charging schedule was not found: the solver ended with {words}")
        values = np.array(solver.getSolution().col_value, dtype=np.float64)
        return np.asarray(np.maximum(values, 0.0), dtype=np.float64)


def _solve(inputs: Inputs, sites: IntArray, found: Found) -> None:
    """Solve the programme of some ``sites`` and write it into ``found``."""
    place = np.full(len(inputs.plug_kw), -1, dtype=np.int64)
    place[sites] = np.arange(len(sites))
    mine = (place[inputs.site] >= 0) & (inputs.kwh.sum(axis=1) > 0)
    local = replace(inputs, site=place[inputs.site[mine]], kwh=inputs.kwh[mine], most=inputs.most[mine])
    model = _Columns()
    cell = np.arange(CELLS)
    window, season, day, hour, taken, short = _windows(model, local)
    grid = _grid(model, inputs, sites)
    at = local.site[window] * CELLS + np.ravel_multi_index((season, day, hour), SHAPE)
    zeros = np.zeros(len(sites) * CELLS)
    balance = model.add_rows(zeros, zeros)
    model.put(balance[at], taken, -1.0)
    model.put(balance, grid.ravel(), 1.0)
    sizes = _equipment(model, inputs, sites, balance, at, taken)
    _peaks(model, inputs, sites, grid)
    _limits(model, inputs, sites, grid, cell)
    values = model.solve()
    charged = np.bincount(at, weights=values[taken], minlength=len(sites) * CELLS)
    found.charging[sites] = charged.reshape(len(sites), *SHAPE)
    found.grid[sites] = values[grid].reshape(len(sites), *SHAPE)
    missing = np.zeros((len(sites), 4))
    np.add.at(missing, local.site, values[short].reshape(-1, 4))
    found.unserved[sites] = missing.reshape(-1, *SHAPE[:2])
    found.solar[sites], found.storage[sites] = values[sizes[0]], values[sizes[1]]


def _windows(
    model: _Columns, local: Inputs
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Columns of energy taken and energy unserved, and the row of each window's energy.

    Returns window, season, day, hour and column of each place where energy can be taken, and
    the columns of what is unserved by window, season and day.
    """
    window, season, day, hour = np.nonzero(
        np.broadcast_to(local.most[:, None, None, :] > 0, (len(local.site), *SHAPE))
    )
    taken = model.add(np.zeros(len(window)), local.most[window, hour])
    need = np.broadcast_to(local.kwh[:, None, :], (len(local.site), 2, 2)).ravel()
    penalty = np.broadcast_to(DAYS[None] * UNSERVED_USD, (len(local.site), 2, 2)).ravel()
    short = model.add(penalty, need)
    rows = model.add_rows(need, need)
    model.put(rows[window * 4 + season * 2 + day], taken, 1.0)
    model.put(rows, short, 1.0)
    return window, season, day, hour, taken, short


def _grid(model: _Columns, inputs: Inputs, sites: IntArray) -> IntArray:
    """Columns of grid power, shape (sites, cells). Without storage they bound the plugs, too."""
    cost = inputs.price[sites] * DAYS[None, :, :, None]
    storing = inputs.options.storage_most[sites] / inputs.options.storage_hours
    most = np.where(inputs.options.solar_most[sites] > 0, np.inf, inputs.plug_kw[sites] + storing)
    upper = np.broadcast_to(most[:, None], (len(sites), CELLS)).ravel()
    return model.add(cost.ravel(), upper).reshape(len(sites), CELLS)


def _equipment(
    model: _Columns, inputs: Inputs, sites: IntArray, balance: IntArray, at: IntArray, taken: IntArray
) -> tuple[IntArray, IntArray]:
    """Sizes of panels and storage, (sites,) each, and their part in the balance of their sites."""
    options = inputs.options
    solar_most, storage_most = options.solar_most[sites], options.storage_most[sites]
    one = np.ones(len(sites))
    solar = model.add(one * options.solar_usd, solar_most)
    storage = model.add(one * options.storage_usd, storage_most)
    rows = balance.reshape(len(sites), CELLS)
    if (solar_most > 0).any() or (storage_most > 0).any():
        plugs = model.add_rows(np.zeros(len(balance)), np.repeat(inputs.plug_kw[sites], CELLS))
        model.put(plugs[at], taken, 1.0)
    sunny = np.flatnonzero(solar_most > 0)
    if len(sunny) and options.solar_yield is not None:
        shine = np.broadcast_to(options.solar_yield[:, None, :], SHAPE).ravel()
        count = len(sunny) * CELLS
        used = model.add(np.zeros(count), np.full(count, np.inf))
        model.put(rows[sunny].ravel(), used, 1.0)
        bound = model.add_rows(np.full(count, -np.inf), np.zeros(count))
        model.put(bound, used, 1.0)
        model.put(bound, np.repeat(solar[sunny], CELLS), -np.tile(shine, len(sunny)))
    keeping = np.flatnonzero(storage_most > 0)
    if len(keeping):
        _storage(model, options, rows[keeping].ravel(), np.repeat(storage[keeping], CELLS))
    return solar, storage


def _storage(model: _Columns, options: SiteOptions, balance: IntArray, size: IntArray) -> None:
    """Storage that ends each day as it began: charge, discharge and content of each cell."""
    count = len(balance)
    free, most = np.zeros(count), np.full(count, np.inf)
    put_in, taken_out, content = (model.add(free, most) for _ in range(3))
    model.put(balance, put_in, -1.0)
    model.put(balance, taken_out, 1.0)
    way = float(np.sqrt(options.efficiency))
    cells = np.arange(count).reshape(-1, HOURS)
    before = np.roll(cells, 1, axis=1).ravel()
    state = model.add_rows(free, free)
    model.put(state, content, 1.0)
    model.put(state, content[before], -1.0)
    model.put(state, put_in, -way)
    model.put(state, taken_out, 1.0 / way)
    for column, share in (
        (content, 1.0),
        (put_in, 1.0 / options.storage_hours),
        (taken_out, 1.0 / options.storage_hours),
    ):
        bound = model.add_rows(np.full(count, -np.inf), free)
        model.put(bound, column, 1.0)
        model.put(bound, size, -share)


def _peaks(model: _Columns, inputs: Inputs, sites: IntArray, grid: IntArray) -> None:
    """A column for each demand charge and season, no smaller than any load it counts."""
    for k in np.unique(inputs.tariff[sites]):
        mine = np.flatnonzero(inputs.tariff[sites] == k)
        usd, counts = inputs.demand[k]
        usd = np.vstack([usd, np.full((1, 2), TIE_USD)])
        counts = np.concatenate([counts, np.ones((1, *SHAPE), dtype=bool)])
        for charge, season in np.argwhere((usd > 0) & counts.any(axis=(2, 3))):
            peak = model.add(
                np.full(len(mine), usd[charge, season] * SEASON_MONTHS[season]), np.full(len(mine), np.inf)
            )
            cells = np.flatnonzero(counts[charge, season].ravel()) + season * 2 * HOURS
            count = len(mine) * len(cells)
            rows = model.add_rows(np.zeros(count), np.full(count, np.inf))
            model.put(rows, np.repeat(peak, len(cells)), 1.0)
            model.put(rows, grid[np.ix_(mine, cells)].ravel(), -1.0)


def _limits(model: _Columns, inputs: Inputs, sites: IntArray, grid: IntArray, cell: IntArray) -> None:
    """Sites of a substation together keep its limit in every hour."""
    for u in np.unique(inputs.substation[sites]):
        if np.isfinite(inputs.limit[u]):
            mine = np.flatnonzero(inputs.substation[sites] == u)
            rows = model.add_rows(np.full(CELLS, -np.inf), np.full(CELLS, inputs.limit[u]))
            model.put(np.tile(rows, len(mine)), grid[np.ix_(mine, cell)].ravel(), 1.0)
