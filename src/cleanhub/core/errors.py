"""Faults in what a user gave us, gathered and shown as one list.

A check never stops at the first fault. It appends to a :class:`FaultList`; the caller
raises once, with everything that is wrong, each fault on a line of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


class CleanhubError(Exception):
    """Base of every error that a user can cause or mend. Shown without a traceback."""

    exit_code = 1


class RunError(CleanhubError):
    """The input was valid but the job could not be done (a full disk, a missing plan)."""

    exit_code = 1


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong with one place of the input."""

    file: str
    row: int | None = None
    column: str | None = None
    found: str = ""
    allowed: str = ""
    what: str = ""

    def line(self) -> str:
        """The fault as one line: file, row, column, what, found, allowed."""
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        parts = [f"{place}: {self.what}" if self.what else f"{place}:"]
        if self.found:
            parts.append(f"found {self.found}")
        if self.allowed:
            parts.append(f"allowed {self.allowed}")
        return _on_one_line("; ".join(parts))

    def as_dict(self) -> dict[str, str | int | None]:
        """The fault as a plain mapping, for ``--json``."""
        return {
            "file": self.file,
            "row": self.row,
            "column": self.column,
            "what": self.what,
            "found": self.found,
            "allowed": self.allowed,
        }


MOST_LISTED = 1000
"""Faults of one kind in one column that are listed: whoever mends so many mends the rest alike."""


@dataclass
class FaultList:
    """Faults (which refuse the input) and notes (which only tell)."""

    faults: list[Fault] = field(default_factory=list)
    notes: list[Fault] = field(default_factory=list)
    _counts: Counter[tuple[str, str | None, str]] = field(default_factory=Counter, repr=False, compare=False)

    def add(
        self,
        file: str,
        row: int | None = None,
        column: str | None = None,
        *,
        what: str,
        found: object = "",
        allowed: str = "",
    ) -> None:
        """Record a fault. ``row`` is the line number in the file (the header is line 1).

        After :data:`MOST_LISTED` of a kind in one column, one more says that there are more.
        """
        kind = (file, column, what)
        self._counts[kind] += 1
        if self._counts[kind] <= MOST_LISTED:
            self.faults.append(Fault(file, row, column, _shown(found), allowed, what))
        elif self._counts[kind] == MOST_LISTED + 1:
            more = f"{what}: more than these {MOST_LISTED:,} rows"
            self.faults.append(Fault(file, None, column, "", allowed, more))

    def note(
        self,
        file: str,
        row: int | None = None,
        column: str | None = None,
        *,
        what: str,
        found: object = "",
        allowed: str = "",
    ) -> None:
        """Record something worth telling that does not refuse the input."""
        self.notes.append(Fault(file, row, column, _shown(found), allowed, what))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Take over faults found elsewhere."""
        self.faults.extend(faults)

    def raise_if_any(self, what: str) -> None:
        """Raise :class:`InputError` naming ``what`` when at least one fault was recorded."""
        if self.faults:
            raise InputError(what, self.faults)


class InputError(CleanhubError):
    """The input has faults; ``faults`` holds them all. Exit code 2."""

    exit_code = 2

    def __init__(self, what: str, faults: Iterable[Fault] = ()) -> None:
        self.what = what
        self.faults = sorted(set(faults), key=_order)
        super().__init__(self.message())

    def message(self) -> str:
        """One heading, then one line for each fault."""
        if not self.faults:
            return self.what
        count = len(self.faults)
        heading = f"{self.what}: {count} fault{'s' if count > 1 else ''}"
        return "\n".join([heading, *(f"  {fault.line()}" for fault in self.faults)])


def _order(fault: Fault) -> tuple[str, int, str, str, str, str]:
    return (fault.file, fault.row or 0, fault.column or "", fault.what, fault.found, fault.allowed)


def _on_one_line(text: str) -> str:
    """``text`` without line breaks; what a terminal would obey is written out instead."""
    text = " ".join(text.split())
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def _shown(found: object, limit: int = 80) -> str:
    text = str(found)
    text = " ".join(text.split()) if text.strip() else ("" if text == "" else repr(text))
    return text if len(text) <= limit else text[: limit - 3] + "..."
