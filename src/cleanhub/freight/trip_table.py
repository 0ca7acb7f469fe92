"""A user's own trips: read, shown, checked, mended.

``inspect_trip_table`` never refuses: it says what was inferred and every fault of every row.
``read_trip_table`` refuses with all of them at once. ``mended_table`` gives the file back under the
names of fields, with the faults of each row beside it; ``table_template`` an example to start from. The
data stays in memory: no function here writes a file or a log, and the frames do not show in ``repr``.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cleanhub.core.errors import Fault, FaultList, InputError
from cleanhub.core.text_file import read_text
from cleanhub.freight.problem import LOADS, MOST_TRIPS, BoolArray, FloatArray, Zones
from cleanhub.freight.trip_columns import Inference, TripKind, infer_columns

MOST_BYTES = 250_000_000
"""The largest file that is read [bytes]: the stops of a fleet in a year, which must stay together."""
MOST_SHOWN = 50
"""Faults of one kind in one column that are listed one by one; the rest are counted."""
MOST_DEGREES = 12.0
"""A place further than this from the middle of the hub's places is taken for a mistake [degrees]."""

_LOAD_WORDS = {
    "loaded": "loaded load full laden yes true 1 import export",
    "empty": "empty mty unladen empties",
    "chassis": "chassis bare_chassis bare",
    "bobtail": "bobtail none no false 0 tractor",
}
_EXAMPLE = {
    "trips": (
        "origin_lat,origin_lon,destination_lat,destination_lon,trips_per_day,trucks,hour,load\n"
        "33.75,-118.25,34.03,-117.62,12,8,7,loaded\n"
        "33.75,-118.21,33.88,-118.23,30,15,,\n"
    ),
    "stops": (
        "truck,time,lat,lon,departure\n"
        + "".join(
            f"truck-{n},2024-05-06 0{n}:30,33.88,-118.23,2024-05-06 0{n}:45\n"
            f"truck-{n},2024-05-06 0{n + 1}:20,33.75,-118.25,2024-05-06 0{n + 2}:30\n"
            f"truck-{n},2024-05-06 {n + 4:02d}:05,34.03,-117.62,2024-05-06 {n + 4:02d}:45\n"
            f"truck-{n},2024-05-06 {n + 6:02d}:00,33.88,-118.23,\n"
            for n in range(1, 7)  # fewer than five trucks would show nothing
        )
    ),
}


@dataclass(frozen=True)
class TripTable:
    """A user's file, typed.

    ``frame`` has a column for every field found, and ``row``, the line in the file. Of trips: names or
    coordinates of both ends, ``trips_per_day``, and ``trucks``, ``hour`` and ``load`` where given. Of stops:
    ``truck``, ``time``, ``lat``, ``lon``, and ``departure`` where given, by truck and time. ``faults`` are
    those of rows left out of ``frame``.
    """

    name: str
    inference: Inference
    frame: pd.DataFrame = field(repr=False)
    raw: pd.DataFrame = field(repr=False)
    faults: tuple[Fault, ...] = field(default=(), repr=False)

    @property
    def kind(self) -> TripKind:
        """Trips or stops."""
        return self.inference.kind


def table_template(kind: TripKind) -> str:
    """A small correct file of the kind, as CSV text."""
    return _EXAMPLE[kind]


def read_trip_table(
    path: Path,
    zones: Zones | None = None,
    said: Mapping[str, str] | None = None,
    kind: TripKind | None = None,
) -> TripTable:
    """The user's file; arguments as :func:`inspect_trip_table`.

    Raises :class:`~cleanhub.core.errors.InputError` with every fault: row, column, found, allowed.
    """
    table = inspect_trip_table(path, zones, said, kind)
    if table.faults:
        raise InputError(f"trips of {table.name}", table.faults)
    return table


def inspect_trip_table(
    path: Path,
    zones: Zones | None = None,
    said: Mapping[str, str] | None = None,
    kind: TripKind | None = None,
) -> TripTable:
    """Read a CSV file of trips or stops, faults and all.

    ``zones`` are those whose names a trip table may use and near which places must lie; ``said`` maps
    fields to the user's columns; ``kind`` says what the file is. Raises ``InputError`` only for a file that
    cannot be read at all.
    """
    raw = _read(path)
    inference = infer_columns(raw, said, kind)
    faults = FaultList()
    for name, column in (said or {}).items():
        if column not in raw.columns:
            allowed = ", ".join(str(c) for c in raw.columns)
            faults.add(path.name, None, column, what=f"no such column (for {name})", allowed=allowed)
    for name in inference.missing:
        allowed = "add it, or say which column it is"
        faults.add(path.name, 1, name, what="no column found", allowed=allowed)
    if raw.empty:
        faults.add(path.name, None, what="no rows", allowed="one or more")
    frame = _Checker(path.name, raw, inference, zones, faults).frame()
    return TripTable(path.name, inference, frame, raw, tuple(faults.faults))


def mended_table(table: TripTable) -> str:
    """The file as CSV text under the names of fields; a last column ``fault`` says what is wrong."""
    by_row: dict[int, list[str]] = {}
    for fault in table.faults:
        if fault.row is not None and fault.row > 1:
            words = f"{fault.column}: {fault.what}" + (f" (allowed {fault.allowed})" if fault.allowed else "")
            by_row.setdefault(fault.row, []).append(words)
    out = table.raw.rename(columns={name: key for key, name in table.inference.by_field.items()})
    for name in table.inference.missing:
        if " or " not in name:
            out[name] = ""
    out["fault"] = ["; ".join(by_row.get(line, [])) for line in range(2, len(out) + 2)]
    return str(out.to_csv(index=False, lineterminator="\n"))


def _read(path: Path) -> pd.DataFrame:
    faults = FaultList()
    text = read_text(path, faults, "a CSV file", most=MOST_BYTES)
    if text is None:
        raise InputError("trips", faults.faults)
    head = text.partition("\n")[0]
    sign = max(",;\t|", key=head.count)
    try:
        raw = pd.read_csv(
            io.StringIO(text), sep=sign, dtype=str, keep_default_na=False, skip_blank_lines=False
        )
    except (ValueError, csv.Error) as error:
        raise InputError("trips", [Fault(path.name, what="not a CSV table", found=str(error))]) from error
    return raw.fillna("").astype(str).reset_index(drop=True)


_USUAL_TIME = r"\d+[\d/.-]*([T ]\s*\d{1,2}(:\d\d){0,2}(\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?"
"""A date and perhaps a time, in numbers and without a zone."""


def _clock(text: str) -> object:
    """A time as its clock shows it, without its zone; ``NaT`` where it is none."""
    if not any(map(str.isdigit, text)):
        return pd.NaT  # pandas would take "now" and "today"
    time = pd.to_datetime(text, errors="coerce")
    return time.tz_localize(None) if isinstance(time, pd.Timestamp) else time


class _Checker:
    """Turns text into typed columns and lists every fault on the way."""

    def __init__(
        self, file: str, raw: pd.DataFrame, inference: Inference, zones: Zones | None, faults: FaultList
    ) -> None:
        self.file, self.raw, self.zones, self.faults = file, raw, zones, faults
        self.kind, self.column = inference.kind, inference.by_field
        self.good = np.ones(len(raw), dtype=bool)

    def frame(self) -> pd.DataFrame:
        """Rows without a fault, with ``row``, their line in the file."""
        made = self._trips() if self.kind == "trips" else self._stops()
        made.insert(0, "row", np.arange(2, len(self.raw) + 2))
        made = made[self.good].reset_index(drop=True)
        if self.kind == "stops" and {"truck", "time"} <= set(made.columns):
            made = made.sort_values(["truck", "time"], kind="stable").reset_index(drop=True)
        return made

    def _trips(self) -> pd.DataFrame:
        out: dict[str, object] = {}
        for end in ("origin", "destination"):
            if f"{end}_lat" in self.column and f"{end}_lon" in self.column:
                self._place(out, f"{end}_lat", f"{end}_lon")
            elif end in self.column:
                out[end] = self._zone(end)
        if "trips_per_day" in self.column:
            out["trips_per_day"] = self._number("trips_per_day", 0.0, MOST_TRIPS, f"0 to {MOST_TRIPS:,}")
        if "trucks" in self.column:
            out["trucks"] = self._number("trucks", 0.0, MOST_TRIPS, f"0 to {MOST_TRIPS:,}", blank=True)
        if "hour" in self.column:
            out["hour"] = self._number("hour", 0.0, 24.0, "0 to 24", blank=True)
        if "load" in self.column:
            out["load"] = self._load()
        return pd.DataFrame(out, index=range(len(self.raw)))

    def _stops(self) -> pd.DataFrame:
        out: dict[str, object] = {}
        if "truck" in self.column:
            name = self._text("truck")
            self._fault("truck", (name == "").to_numpy(), "blank", "a name or number of the truck")
            out["truck"] = name.to_numpy(object)
        for key in ("time", "departure"):
            if key in self.column:
                out[key] = self._time(key, blank=key == "departure")
        if "lat" in self.column and "lon" in self.column:
            self._place(out, "lat", "lon")
        made = pd.DataFrame(out, index=range(len(self.raw)))
        if {"truck", "time"} <= set(made.columns):
            twice = made.duplicated(["truck", "time"]).to_numpy() & made["time"].notna().to_numpy()
            self._fault("time", twice, "duplicate: the truck has a stop at this time", "one stop at a time")
        if {"time", "departure"} <= set(made.columns):
            early = (made["departure"] < made["time"]).to_numpy()
            self._fault("departure", early, "before the arrival", "the time of arrival or later")
        return made

    # ------------------------------------------------------------ single columns

    def _text(self, key: str) -> pd.Series[str]:
        return self.raw[self.column[key]].str.strip()

    def _number(self, key: str, low: float, high: float, allowed: str, blank: bool = False) -> FloatArray:
        text = self._text(key)
        number = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
        empty = (text == "").to_numpy()
        wrong = ~np.isfinite(number) & ~(empty & blank)
        self._fault(key, wrong, "blank or not a number", allowed)
        negative = (number < 0) & (low == 0)
        self._fault(key, negative, "negative volume" if key == "trips_per_day" else "negative", allowed)
        with np.errstate(invalid="ignore"):
            self._fault(
                key,
                ~wrong & ~negative & ~empty & ~((number >= low) & (number <= high)),
                "out of range",
                allowed,
            )
        return number

    def _place(self, out: dict[str, object], lat_key: str, lon_key: str) -> None:
        lat = self._number(lat_key, -90.0, 90.0, "-90 to 90")
        lon = self._number(lon_key, -180.0, 180.0, "-180 to 180")
        if self.zones is not None and len(self.zones.name):
            middle = float(np.median(self.zones.lat)), float(np.median(self.zones.lon))
            away = np.maximum(np.abs(lat - middle[0]), np.abs(lon - middle[1])) > MOST_DEGREES
            swapped = np.maximum(np.abs(lon - middle[0]), np.abs(lat - middle[1])) <= MOST_DEGREES
            near = f"within {MOST_DEGREES:g} degrees of {middle[0]:.1f}, {middle[1]:.1f}"
            self._fault(lat_key, away & swapped, "latitude and longitude are swapped", near)
            self._fault(lat_key, away & ~swapped & self.good, "far from the hub", near)
        out[lat_key], out[lon_key] = lat, lon

    def _zone(self, key: str) -> object:
        name = self._text(key)
        if self.zones is None:
            self._fault(key, np.ones(len(name), dtype=bool), "a name of a place", "coordinates")
            return name.to_numpy(object)
        by_title = dict(zip(map(str.lower, map(str, self.zones.title)), self.zones.name, strict=True))
        by_title.update({str(n).lower(): n for n in self.zones.name})
        found = name.str.lower().map(by_title)
        some = ", ".join(str(n) for n in self.zones.name[:3])
        self._fault(
            key, found.isna().to_numpy(), "unknown place", f"a zone of the hub ({some}, ...) or coordinates"
        )
        return found.to_numpy(object)

    def _load(self) -> object:
        words = {word: load for load, text in _LOAD_WORDS.items() for word in text.split()}
        text = self._text("load").str.lower().str.replace(" ", "_")
        load = text.map(words)
        self._fault("load", (load.isna() & (text != "")).to_numpy(), "unknown load", ", ".join(LOADS))
        return load.where(load.notna(), "").to_numpy(object)

    def _time(self, key: str, blank: bool) -> pd.Series[pd.Timestamp]:
        """Local clock time; an offset in the text is dropped, since trucks keep to local time."""
        text = self._text(key)
        plain = text.str.replace(r"(Z|[+-]\d\d:?\d\d)$", "", regex=True)
        usual = plain.str.fullmatch(_USUAL_TIME).astype(bool)
        time = pd.to_datetime(plain.where(usual, ""), errors="coerce", format="mixed")
        odd = plain[~usual & (plain != "")]  # names of months, other zones, and what is no time
        time[odd.index] = odd.map({one: _clock(one) for one in odd.unique()})
        wrong = time.isna() & ~((text == "") & blank)
        self._fault(key, wrong.to_numpy(), "not a time", "as in 2024-05-06 07:30")
        return time

    def _fault(self, key: str, wrong: BoolArray, what: str, allowed: str) -> None:
        rows = np.flatnonzero(wrong)
        self.good &= ~np.asarray(wrong, dtype=bool)
        found = self.raw[self.column[key]].to_numpy(object)
        for row in rows[:MOST_SHOWN]:
            self.faults.add(
                self.file, int(row) + 2, self.column[key], what=what, found=found[row], allowed=allowed
            )
        if len(rows) > MOST_SHOWN:
            more = f"{what}: {len(rows) - MOST_SHOWN} more rows"
            self.faults.add(self.file, None, self.column[key], what=more, allowed=allowed)
