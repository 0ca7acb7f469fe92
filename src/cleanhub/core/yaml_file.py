"""YAML files that people write: parsed with the line of every key, so a fault can point at it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cleanhub.core.errors import FaultList
from cleanhub.core.text_file import read_text

MOST_BYTES = 2_000_000
"""The largest file that is read [bytes]."""
MOST_DEEP = 100
"""Values inside each other that a file may have."""
MOST_VALUES = 1_000_000
"""Values that a file may have, with every alias written out."""


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
    """Parse a YAML 1.2 mapping; ``None`` with a fault recorded under the name ``shown`` if it is none."""
    shown = shown or path.name
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = read_text(path, faults, "a YAML file", shown=shown, most=MOST_BYTES)
    if text is None:
        return None
    lines: dict[tuple[str, ...], int] = {}
    line: int | None
    try:
        data = _loaded(text, lines)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = str(error.problem or error.context or "not readable")
    except (YAMLError, ValueError, TypeError, RecursionError) as error:  # such as a day that is none
        line, problem = _impossible_day(text), str(error)
    else:
        if isinstance(data, dict):
            return YamlFile(path, data, lines)
        faults.add(shown, 1, what="not a mapping", found=type(data).__name__, allowed="key: value lines")
        return None
    found = problem.split("\n")[0]
    faults.add(shown, line, what="not valid YAML", found=found, allowed="a YAML mapping")
    return None


def _loaded(text: str, lines: dict[tuple[str, ...], int]) -> Any:
    """The plain data of a text; ``lines`` takes the line of every key and of every item of a list."""
    from ruamel.yaml import YAML

    _check_size(text)
    yaml = YAML(typ="safe")
    node = yaml.compose(text) if text.strip() else None
    if node is None:
        return None
    _collect_lines(node, (), lines)
    return _plain(yaml.constructor.construct_document(node))


def _check_size(text: str) -> None:
    """Refuse what only a hostile file has: the parser would run out of stack or of memory on it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.events import (
        AliasEvent,
        CollectionEndEvent,
        CollectionStartEvent,
        NodeEvent,
    )

    sizes: dict[str, int] = {}  # values behind each anchor, once it is closed
    begun: list[tuple[str | None, int]] = []
    total = 0
    for event in YAML(typ="safe").parse(text):
        if isinstance(event, AliasEvent):
            if any(event.anchor == anchor for anchor, _ in begun):
                raise ValueError(f"{event.anchor} stands inside itself")
            total += sizes.get(event.anchor, 1)
        elif isinstance(event, NodeEvent):
            total += 1
        if isinstance(event, CollectionStartEvent):
            begun.append((event.anchor, total))
        elif isinstance(event, CollectionEndEvent):
            anchor, before = begun.pop()
            if anchor:
                sizes[anchor] = total - before
        if len(begun) > MOST_DEEP or total > MOST_VALUES:
            raise ValueError(f"more than {MOST_VALUES} values or {MOST_DEEP} of them inside each other")


def _impossible_day(text: str) -> int | None:
    """The line of the first date that no calendar has: the parser fails on it without saying where."""
    for number, line in enumerate(text.splitlines(), start=1):
        for year, month, day in re.findall(r"\b(\d{4})-(\d\d?)-(\d\d?)\b", line):
            try:
                dt.date(int(year), int(month), int(day))
            except ValueError:
                return number
    return None


def _collect_lines(node: Any, place: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> None:
    if node.id == "sequence":
        for number, item in enumerate(node.value):
            if item.id != "scalar":
                lines[(*place, str(number))] = item.start_mark.line + 1
                _collect_lines(item, (*place, str(number)), lines)
    elif node.id == "mapping":
        for key, value in node.value:
            if key.value == "<<":  # what is merged has its lines where it is written; own keys go before
                merged = value.value if value.id == "sequence" else [value]
                for one in reversed(merged):
                    _collect_lines(one, place, lines)
        for key, value in node.value:
            if key.id == "scalar" and key.value != "<<":
                lines[(*place, str(key.value))] = key.start_mark.line + 1
                _collect_lines(value, (*place, str(key.value)), lines)


def _plain(value: Any) -> Any:
    """The value with every key as text, no part of it shared with another."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


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
