"""Where numbers came from: every source gets a number when it is first cited.

A citation is a link to the row of the source table that closes the report. Only ``http``
and ``https`` addresses become links, whatever a package holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup, escape

Row = Mapping[str, Any]


class Citations:
    """The sources of one report, numbered in order of first mention.

    ``page`` is the address of the page that lists them (empty: the same page).
    """

    def __init__(self, sources: Iterable[Row], page: str = "") -> None:
        self._page = page
        self._known: dict[str, Row] = {str(row["source_id"]): row for row in sources}
        self._number: dict[str, int] = {}

    def mentions(self) -> Mentions:
        """The same sources for a part that is written apart; :meth:`numbered` puts its numbers in."""
        return Mentions(self._known.values(), self._page)

    def numbered(self, text: str) -> str:
        """``text`` with the numbers of all sources whose place :class:`Mentions` held."""
        return _HELD.sub(lambda held: str(self._assign(_named(held[1]))), text)

    def cite(self, *cells: object, limit: int | None = None) -> Markup:
        """Links such as ``[3] [7]`` for source cells (each may hold several ids, ``;``-separated).

        With a ``limit``, the first so many and how many more there are.
        """
        found = _ids(cells)
        shown = Markup(" ").join(self._link(one) for one in found[:limit])
        more = len(found) - len(found[:limit])
        return Markup("{} and {} more").format(shown, more) if more else shown

    def caption(self, cells: Iterable[object], limit: int = 4) -> Markup:
        """Publisher, title, year and link of the first ``limit`` sources, for under a figure."""
        found = _ids(cells)
        parts = []
        for one in found[:limit]:
            row = self._known.get(one, {})
            title = str(row.get("title") or one)
            publisher = str(row.get("publisher") or "")
            name = title if publisher in title else f"{publisher}, {title}"
            when = f" ({row['year']})" if row.get("year") else ""
            parts.append(Markup("{}{} {}").format(name, when, self._link(one)))
        if len(found) > limit:
            more = Markup(" ").join(self._link(one) for one in found[limit:24])
            rest = Markup(" ...") if len(found) > 24 else Markup("")
            parts.append(Markup("and {} more {}{}").format(len(found) - limit, more, rest))
        return Markup("; ").join(parts)

    def add(self, *cells: object) -> None:
        """Number sources without showing them here."""
        for one in _ids(cells):
            self._assign(one)

    def listed(self) -> list[tuple[int, str, Row]]:
        """All cited sources: number, id and row of ``sources`` (empty when unknown)."""
        return [(n, one, self._known.get(one, {})) for one, n in self._number.items()]

    def _assign(self, one: str) -> int | str:
        return self._number.setdefault(one, len(self._number) + 1)

    def _link(self, one: str) -> Markup:
        number = self._assign(one)
        title = str(self._known.get(one, {}).get("title") or one)
        return Markup('<a class="cite" href="{}#source-{}" title="{}">[{}]</a>').format(
            self._page, number, title, number
        )


class Mentions(Citations):
    """Citations of a part that is written apart from those before it: places are held for their numbers."""

    def _assign(self, one: str) -> int | str:
        super()._assign(one)
        return f"\x02{one.encode().hex()}\x03"


_HELD = re.compile("\x02((?:[0-9a-f]{2})*)\x03")
SHOWN = re.compile(" \\[(?:[0-9]+|" + _HELD.pattern + ")\\]")
"""A number in plain text, with the blank before it, or the place held for one."""


def _named(held: str) -> str:
    return bytes.fromhex(held).decode(errors="replace")


def _ids(cells: Iterable[object]) -> list[str]:
    found: dict[str, None] = {}
    for cell in cells:
        for part in str(cell or "").split(";"):
            if part.strip():
                found[part.strip()] = None
    return list(found)


def outward(address: str, shown: str) -> Markup:
    """A link to a public page, or plain text when the address is no web address."""
    if address.lower().startswith(("https://", "http://")):
        return Markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(address, shown)
    return escape(shown)
