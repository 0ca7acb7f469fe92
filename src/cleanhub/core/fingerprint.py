"""Fingerprints: one short text for the content of values, the same in every process.

Equal content gives equal fingerprints whatever the objects' addresses, the hash seed of the process or
how a frame lies in memory; anything that a computation could see differently (order of keys and rows,
types, missing cells) gives another one. A type that is not known here is an error and never a guess.
Paths have no fingerprint: what is read from a file is its content.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

SIZE = 16
"""Bytes of a fingerprint."""
_SIMPLE = frozenset({str, int, bool, float, type(None)})
_EXTENDED = (Mapping, tuple, list, set, frozenset, str, int, float)
"""Kinds of which a class of its own may hold more than its content."""
_APART = "\x1f"


def fingerprint(*values: Any) -> str:
    """The fingerprint of ``values`` taken together, as :data:`SIZE` bytes in hexadecimal.

    Known are: nothing, truth values, numbers, text, bytes, dates, members of enumerations, tuples, lists,
    mappings (in their order), sets (in none), dataclasses (their fields), pydantic models, sparse matrices,
    arrays of numpy, and frames, series and indices of pandas.

    Raises ``TypeError`` naming the type and where it was met for everything else.
    """
    return _Digests().of(values, "").hex()


class _Digests:
    """Digests of values; what is met twice is digested once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, bytes]] = {}  # the value is held: its address stays its own

    def of(self, value: Any, place: str) -> bytes:
        """The digest of ``value``, found at ``place`` of what was asked for."""
        if type(value) in _SIMPLE:
            return _hashed(_simple(value))
        known = self._known.get(id(value))
        if known is None:
            known = (value, self._made(value, place))
            self._known[id(value)] = known
        return known[1]

    def _made(self, value: Any, place: str) -> bytes:
        for kinds, method in _KINDS:
            if isinstance(value, kinds):
                return self._own(value, method(self, value, place), place)
        name = type(value).__qualname__
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            named = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            return self._joined(f"dataclass {name}", named.keys(), named.values(), place)
        if hasattr(type(value), "model_fields"):
            named = {field: getattr(value, field) for field in type(value).model_fields}
            return self._joined(f"model {name}", named.keys(), named.values(), place)
        if hasattr(value, "tocoo") and hasattr(value, "nnz"):
            kept = value.tocoo()
            return self._joined("sparse", "rcds", (kept.row, kept.col, kept.data, kept.shape), place)
        raise TypeError(f"no fingerprint of {type(value).__module__}.{name} at {place or 'the top'}")

    def _own(self, value: Any, made: bytes, place: str) -> bytes:
        """``made``, with what a class of its own adds to a mapping, sequence or text."""
        kind = type(value)
        if kind.__module__ == "builtins" or not isinstance(value, _EXTENDED) or isinstance(value, Enum):
            return made
        return _hashed(made, kind.__qualname__.encode(), self._mapping(getattr(value, "__dict__", {}), place))

    def _joined(self, kind: str, keys: Any, values: Any, place: str) -> bytes:
        parts = [
            self.of(key, f"{place}.key") + self.of(one, f"{place}.{key}")
            for key, one in zip(keys, values, strict=True)
        ]
        return _hashed(kind.encode(), *parts)

    def _mapping(self, value: Mapping[Any, Any], place: str) -> bytes:
        return self._joined("mapping", value.keys(), value.values(), place)

    def _sequence(self, value: Any, place: str) -> bytes:
        kind = b"list" if isinstance(value, list) else b"tuple"
        kinds = set(map(type, value))
        if kinds == {str}:
            joined = _APART.join(value)
            if joined.count(_APART) == len(value) - 1:
                return _hashed(kind, b"texts", joined.encode("utf-8", "surrogatepass"))
        if kinds <= _SIMPLE:
            return _hashed(kind, _cells(list(value)))
        return _hashed(kind, *(self.of(one, f"{place}[{at}]") for at, one in enumerate(value)))

    def _set(self, value: Any, place: str) -> bytes:
        return _hashed(b"set", *sorted(self.of(one, f"{place}{{}}") for one in value))

    def _array(self, value: Any, place: str) -> bytes:
        array = np.asarray(value)
        head = f"array {array.dtype.str} {array.shape}".encode()
        if array.dtype.hasobject:
            return _hashed(head, self._sequence(array.ravel().tolist(), place))
        return _hashed(head, array)

    def _column(self, value: Any, place: str) -> bytes:
        """A pandas array: its values with the missing cells put aside."""
        dtype = value.dtype
        text = isinstance(dtype, pd.StringDtype)
        if isinstance(dtype, np.dtype) or (isinstance(value, pd.arrays.NumpyExtensionArray) and not text):
            return self._array(np.asarray(value), place)
        if isinstance(dtype, pd.CategoricalDtype):
            parts = (self._array(value.codes, place), self.of(pd.Index(value.categories), place))
            return _hashed(b"categories", str(value.ordered).encode(), *parts)
        missing = np.asarray(value.isna())
        if text:
            cells = self._sequence(value.to_numpy(dtype=object, na_value="").tolist(), place)
        elif hasattr(dtype, "numpy_dtype"):
            cells = self._array(value.to_numpy(dtype=dtype.numpy_dtype, na_value=0), place)
        else:
            raise TypeError(f"no fingerprint of cells of {dtype} at {place or 'the top'}")
        return _hashed(f"column {dtype}".encode(), cells, self._array(missing, place))

    def _series(self, value: pd.Series[Any] | pd.Index[Any], place: str) -> bytes:
        parts = [self.of(value.name, f"{place}.name"), self._column(value.array, place)]
        if isinstance(value, pd.Series):
            parts.append(self.of(value.index, f"{place}.index"))
        return _hashed(b"series" if isinstance(value, pd.Series) else b"index", *parts)

    def _range(self, value: pd.RangeIndex, place: str) -> bytes:
        return self._series(pd.Index(np.asarray(value), name=value.name), place)

    def _levels(self, value: pd.MultiIndex, place: str) -> bytes:
        return _hashed(b"levels", self.of(list(value.names), place), self._sequence(value.tolist(), place))

    def _frame(self, value: pd.DataFrame, place: str) -> bytes:
        names = (list(value.columns), list(value.columns.names))
        parts = [self.of(value.index, f"{place}.index"), self.of(names, f"{place}.columns")]
        parts += [self._column(column.array, f"{place}.{name}") for name, column in value.items()]
        return _hashed(b"frame", *parts)

    def _enum(self, value: Enum, place: str) -> bytes:
        return _hashed(f"enum {type(value).__qualname__}.{value.name}".encode())

    def _number(self, value: np.generic, place: str) -> bytes:
        return _hashed(f"number {value.dtype.str}".encode(), value.tobytes())

    def _date(self, value: Any, place: str) -> bytes:
        return _hashed(f"{type(value).__name__} {value.isoformat()}".encode())

    def _bytes(self, value: bytes, place: str) -> bytes:
        return _hashed(b"bytes", value)

    def _like(self, value: Any, place: str) -> bytes:
        """A number or text of a class of its own, as the plain one it is."""
        plain = next(kind for kind in (str, int, float) if isinstance(value, kind))
        return _hashed(_simple(plain(value)))


_KINDS: tuple[tuple[Any, Callable[[_Digests, Any, str], bytes]], ...] = (
    (pd.DataFrame, _Digests._frame),
    (pd.MultiIndex, _Digests._levels),
    (pd.RangeIndex, _Digests._range),
    ((pd.Series, pd.Index), _Digests._series),
    (np.ndarray, _Digests._array),
    (np.generic, _Digests._number),
    (pd.api.extensions.ExtensionArray, _Digests._column),
    (Enum, _Digests._enum),
    (Mapping, _Digests._mapping),
    ((tuple, list), _Digests._sequence),
    ((set, frozenset), _Digests._set),
    ((dt.date, dt.time), _Digests._date),
    (bytes, _Digests._bytes),
    ((str, int, float), _Digests._like),
)


_encoded = json.JSONEncoder(separators=(",", ":")).encode


def _hashed(*parts: Any) -> bytes:
    digest = hashlib.blake2b(digest_size=SIZE)
    for part in parts:
        data = part.tobytes() if isinstance(part, np.ndarray) else part
        digest.update(struct.pack("<q", len(data)))
        digest.update(data)
    return digest.digest()


def _simple(value: Any) -> bytes:
    return _cells([value])


def _cells(values: list[Any]) -> bytes:
    """Plain values as text: JSON tells texts, numbers, truth values and nothing from one another."""
    return _encoded(values).encode("ascii")
