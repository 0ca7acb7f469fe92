"""Fixtures of freight: the California hub, hubs with a few tables changed, a small road."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.freight.figures import Figures
from cleanhub.freight.globe import great_circle_km
from cleanhub.freight.network import Network
from cleanhub.freight.problem import TruckDays, Zones
from cleanhub.hub.package import Hub, load_hub


@pytest.fixture(scope="session")
def california() -> Hub:
    """The bundled hub; not to be changed."""
    return load_hub("california")


@pytest.fixture
def hub_with(california: Hub) -> Callable[..., Hub]:
    """A hub like California with whole tables replaced by the rows given (dicts, or a frame)."""

    def build(**tables: list[dict[str, Any]] | pd.DataFrame) -> Hub:
        new = dict(california.tables)
        for name, rows in tables.items():
            if isinstance(rows, pd.DataFrame):
                new[name] = rows
                continue
            old = california.tables[name]
            frame = pd.DataFrame(rows, columns=old.columns).astype(old.dtypes.to_dict())
            frame.index = pd.RangeIndex(2, len(frame) + 2, name="line")
            new[name] = frame
        return dataclasses.replace(california, tables=new)

    return build


@pytest.fixture
def figures_with(california: Hub) -> Callable[..., Figures]:
    """California's figures with some rows' values replaced: ``{(parameter, item): (value, unit)}``."""

    def build(changed: dict[tuple[str, str], tuple[float, str]], hub: Hub | None = None) -> Figures:
        base = (hub or california).tables["freight_parameters"]
        rows = [
            {
                "parameter": name,
                "item": item,
                "value": value,
                "unit": unit,
                "source_id": "cleanhub-assumption",
            }
            for (name, item), (value, unit) in changed.items()
        ]
        keys = list(changed)
        keep = [key not in keys for key in zip(base["parameter"], base["item"], strict=True)]
        table = pd.concat([base[keep], pd.DataFrame(rows, columns=base.columns)])
        tables = {**(hub or california).tables, "freight_parameters": table}
        return Figures(dataclasses.replace(hub or california, tables=tables))

    return build


@pytest.fixture
def straight_road() -> Network:
    """A road along 34 degrees north from 118.3 to 117.3 west, a node every 0.05 degrees, both ways."""
    lon = np.round(np.arange(-118.3, -117.299, 0.05), 6)
    lat = np.full(len(lon), 34.0)
    first = np.arange(len(lon) - 1)
    tail, head = np.concatenate([first, first + 1]), np.concatenate([first + 1, first])
    km = great_circle_km(lat[tail], lon[tail], lat[head], lon[head])
    return Network(
        name="a straight road",
        licence="none",
        attribution="",
        lat=lat,
        lon=lon,
        tail=tail.astype(np.int64),
        head=head.astype(np.int64),
        length_km=km,
        time_min=km,
        road_class=np.full(len(km), "", dtype=object),
        truck_ok=np.ones(len(km), dtype=bool),
    )


@pytest.fixture
def make_zones() -> Callable[..., Zones]:
    """Zones from (name, kind, lat, lon)."""

    def build(*rows: tuple[str, str, float, float]) -> Zones:
        name, kind, lat, lon = (np.array(column) for column in zip(*rows, strict=True)) if rows else [[]] * 4
        text = np.array(name, dtype=object)
        return Zones(
            name=text,
            title=np.array([str(n).title() for n in text], dtype=object),
            kind=np.array(kind, dtype=object),
            lat=np.array(lat, dtype=float),
            lon=np.array(lon, dtype=float),
            weight=np.ones(len(text)),
            band=np.full(len(text), "", dtype=object),
        )

    return build


@pytest.fixture
def make_days() -> Callable[..., TruckDays]:
    """Truck-days from, per group, (trucks, home, [(from, to, km, dwell hours) of each leg])."""

    def build(*groups: tuple[float, int, list[tuple[int, int, float, float]]]) -> TruckDays:
        legs = [(g, *leg) for g, (_, _, own) in enumerate(groups) for leg in own]
        of, start, end, km, dwell = zip(*legs, strict=True) if legs else [()] * 5
        return TruckDays(
            trucks=np.array([trucks for trucks, _, _ in groups], dtype=float),
            home=np.array([home for _, home, _ in groups], dtype=np.int64),
            shifts=np.ones(len(groups), dtype=np.int64),
            leg_group=np.array(of, dtype=np.int64),
            leg_from=np.array(start, dtype=np.int64),
            leg_to=np.array(end, dtype=np.int64),
            leg_load=np.zeros(len(legs), dtype=np.int64),
            leg_km=np.array(km, dtype=float),
            leg_hours=np.array(km, dtype=float) / 60,
            leg_start=np.full(len(legs), 8.0),
            leg_dwell=np.array(dwell, dtype=float),
        )

    return build
