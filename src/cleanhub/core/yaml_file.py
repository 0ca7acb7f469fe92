"""YAML files that people write: parsed with the line of every key, so a fault can point at it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cleanhub.core.errors import FaultList


@dataclass(frozen=True)
class YamlFile:
    """A parsed YAML mapping with the line of every key."""

    path: Path
    data: dict[str, Any]
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)

    def line(self, place: tuple[Any, ...]) -> int | None:
        """Line of a key, or of the nearest key around it; ``None`` if the file has none of it."""
        names = tuple(str(part) for part in place)
        while names:
            if names in self.lines:
                return self.lines[names]
            names = names[:-1]
        return None

    def depth(self, place: tuple[Any, ...]) -> int:
        """How many parts of ``place`` the file has, from the outside in."""
        names = tuple(str(part) for part in place)
        return max((size for size in range(1, len(names) + 1) if names[:size] in self.lines), default=0)


def parse_yaml(path: Path, faults: FaultList, shown: str = "") -> YamlFile | None:
    """Parse a YAML mapping; ``None`` with a fault recorded under the name ``shown`` if it is none."""
    shown = shown or path.name
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    lines: dict[tuple[str, ...], int] = {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = YAML(typ="rt").load(text)
        if isinstance(data, dict):
            _collect_lines(data, (), lines)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        problem = str(error.problem or error.context or "not readable").split("\n")[0]
        faults.add(
            shown,
            mark.line + 1 if mark else None,
            what="not valid YAML",
            found=problem,
            allowed="a YAML mapping",
        )
        return None
    except (OSError, UnicodeDecodeError) as error:
        faults.add(shown, what="cannot be read", found=str(error), allowed="UTF-8 YAML")
        return None
    except (YAMLError, ValueError, TypeError, RecursionError) as error:  # such as a day that is none
        problem = str(error).split("\n")[0]
        faults.add(
            shown,
            _impossible_day(text),
            what="not valid YAML",
            found=problem,
            allowed="a YAML mapping",
        )
        return None
    if not isinstance(data, dict):
        faults.add(shown, 1, what="not a mapping", found=type(data).__name__, allowed="key: value lines")
        return None
    return YamlFile(path, _plain(data), lines)


def _impossible_day(text: str) -> int | None:
    """The line of the first date that no calendar has: the parser fails on it without saying where."""
    for number, line in enumerate(text.splitlines(), start=1):
        for year, month, day in re.findall(r"\b(\d{4})-(\d\d?)-(\d\d?)\b", line):
            try:
                dt.date(int(year), int(month), int(day))
            except ValueError:
                return number
    return None


def _collect_lines(data: Any, place: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> None:
    if isinstance(data, list):
        for number, item in enumerate(data):
            if isinstance(item, (dict, list)):
                position: Any = item
                lines[(*place, str(number))] = int(position.lc.line) + 1
                _collect_lines(item, (*place, str(number)), lines)
        return
    own = data.lc.data or {}  # keys that a merge (<<) brought in have no line of their own
    for key in data:
        if key in own:
            lines[(*place, str(key))] = int(own[key][0]) + 1
        if isinstance(data[key], dict | list):
            _collect_lines(data[key], (*place, str(key)), lines)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def merged_mapping(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """``base`` with the keys of ``over`` laid on it, mapping by mapping."""
    merged = dict(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merged_mapping(merged[key], value)
        else:
            merged[key] = value
    return merged


def fault_kind(kind: str) -> str:
    """A validation error of pydantic in a few words, by its type."""
    return {"extra_forbidden": "unknown key", "missing": "missing key"}.get(kind, "impossible value")
