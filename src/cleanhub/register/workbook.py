"""Reading the cells of one sheet of a workbook (XLSX: zipped XML) with what Python brings along.

Only values are read: text, numbers, dates (a number with a date's format), yes/no. Of a formula it is
the value saved with it. What the zip holds is measured before anything is unpacked, and XML that declares
a document type is refused, since that is how a small file becomes a large one.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from cleanhub.core.errors import FaultList, InputError

Cell = str | float | int | bool | dt.date | None
"""What a cell can hold; ``None`` is an empty one."""
MOST_BYTES = 20_000_000
"""The largest file that is read."""
MOST_UNPACKED = 200_000_000
"""The most that the parts of a workbook may unpack to."""
MOST_ROWS = 100_000
MOST_COLUMNS = 500
_MOST_CELLS = 5_000_000
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_LAST_DAY = 2_958_465  # 9999-12-31
_WRITTEN = re.compile(r"'+[=+\-@\t\r]")
_DAMAGED = (
    zipfile.BadZipFile,  # no zip, or one cut off
    zlib.error,  # a part that cannot be unpacked
    NotImplementedError,  # a part packed in a way that the zip module does not know
    EOFError,  # a part that ends too soon
    expat.ExpatError,  # no XML
    LookupError,  # a part, a text or an encoding that another part names is not there
    ValueError,  # a number that is none
)
"""What the modules of Python raise for a file that is no whole workbook."""
Attributes = dict[str, str]


class _Refused(Exception):
    """What makes a workbook unreadable, and what is allowed."""

    def __init__(self, what: str, allowed: str = "a workbook saved as .xlsx") -> None:
        self.what, self.allowed = what, allowed


@dataclass
class _Book:
    """What the cells of all sheets refer to."""

    sheets: dict[str, str] = field(default_factory=dict)  # name: part
    strings: list[str] = field(default_factory=list)
    dates: list[bool] = field(default_factory=list)  # by style: is it a date's?
    since: dt.datetime = dt.datetime(1899, 12, 30)


def read_workbook(
    file: str, data: bytes, sheet: str | None, faults: FaultList
) -> list[tuple[int, list[Cell]]]:
    """The rows of a sheet (the first unless named) with their numbers; empty cells are ``None``.

    Cells that show an error (``#DIV/0!``) are recorded in ``faults``. Raises ``InputError`` for what is no
    workbook, and naming the sheets there are when ``sheet`` is not one of them.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            _measure(parts)
            book = _book(parts)
            name = sheet if sheet is not None else next(iter(book.sheets), "")
            if name not in book.sheets:
                raise _Refused(f"no sheet {name!r}", ", ".join(book.sheets) or "a workbook with a sheet")
            reader = _SheetReader(file, book, faults)
            _parse(_part(parts, book.sheets[name]), reader.start, reader.end, reader.text)
            return [(number, reader.rows[number]) for number in sorted(reader.rows)]
    except _Refused as refused:
        what, allowed = refused.what, refused.allowed
    except _DAMAGED as error:
        what, allowed = f"not a workbook ({error})", "a workbook saved as .xlsx"
    except RuntimeError:
        what, allowed = "locked with a password", "a workbook saved without a password"
    gathered = FaultList()
    gathered.add(file, what=what, allowed=allowed)
    raise InputError("not read", gathered.faults)


def _measure(parts: zipfile.ZipFile) -> None:
    """Refuse what would unpack to too much: the zip module reads no more than each part declares."""
    total = sum(info.file_size for info in parts.infolist())
    if total > MOST_UNPACKED or len(parts.infolist()) > 2000:
        raise _Refused("unpacks to too much", f"at most {MOST_UNPACKED // 1_000_000} MB")


def _part(parts: zipfile.ZipFile, name: str) -> bytes:
    with parts.open(name) as part:
        return part.read()


def _parse(
    data: bytes,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    def refuse(*_: object) -> None:
        raise _Refused("XML that declares a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(_plain(name), attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(_plain(name))
    if text is not None:
        parser.CharacterDataHandler = text
    parser.Parse(data, True)


def _plain(name: str) -> str:
    return name.rpartition(":")[2]


def _book(parts: zipfile.ZipFile) -> _Book:
    book = _Book()
    targets: dict[str, str] = {}
    kinds: dict[str, str] = {}

    def relation(name: str, attributes: Attributes) -> None:
        if name == "Relationship":
            part = posixpath.normpath(posixpath.join("/xl", attributes["Target"])).lstrip("/")
            targets[attributes["Id"]] = part
            kinds[attributes["Type"].rpartition("/")[2]] = part

    def part(name: str, attributes: Attributes) -> None:
        if name == "workbookPr" and attributes.get("date1904", "0") in ("1", "true"):
            book.since = dt.datetime(1904, 1, 1)
        if name == "sheet":
            of = next((value for key, value in attributes.items() if key.endswith(":id")), "")
            book.sheets[attributes["name"]] = targets.get(of, "")

    there = set(parts.namelist())
    if "xl/workbook.xml" not in there:
        raise _Refused("a zip file that is no workbook")
    _parse(_part(parts, "xl/_rels/workbook.xml.rels"), relation)
    _parse(_part(parts, "xl/workbook.xml"), part)
    if kinds.get("sharedStrings") in there:
        strings = _Strings()
        _parse(_part(parts, kinds["sharedStrings"]), strings.start, strings.end, strings.text)
        book.strings = strings.found
    if kinds.get("styles") in there:
        styles = _Styles()
        _parse(_part(parts, kinds["styles"]), styles.start, styles.end)
        book.dates = [code in _DATES or styles.dates.get(code, False) for code in styles.used]
    return book


class _Strings:
    """The texts that cells share."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._now: list[str] = []
        self._reading = self._sound = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "si":
            self._now = []
        elif name == "rPh":  # how a word is pronounced
            self._sound = True
        elif name == "t":
            self._reading = not self._sound

    def end(self, name: str) -> None:
        if name == "si":
            self.found.append(_decoded("".join(self._now)))
        elif name == "rPh":
            self._sound = False
        elif name == "t":
            self._reading = False

    def text(self, text: str) -> None:
        if self._reading:
            self._now.append(text)


class _Styles:
    """Which number format each style of a cell has, and which formats of its own are dates."""

    def __init__(self) -> None:
        self.used: list[int] = []
        self.dates: dict[int, bool] = {}
        self._within = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            bare = _QUOTED.sub("", attributes["formatCode"]).lower()
            self.dates[int(attributes["numFmtId"])] = any(sign in bare for sign in "ydmh")
        elif name == "cellXfs":
            self._within = True
        elif name == "xf" and self._within:
            self.used.append(int(attributes.get("numFmtId", "0")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._within = False


class _SheetReader:
    """The cells of a sheet as they come by."""

    def __init__(self, file: str, book: _Book, faults: FaultList) -> None:
        self.file, self.book, self.faults = file, book, faults
        self.rows: dict[int, list[Cell]] = {}
        self._row = self._column = self._cells = 0
        self._kind, self._style = "n", 0
        self._value: list[str] = []
        self._reading = self._sound = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
        elif name == "c":
            place = attributes.get("r", "")
            self._column = _column_number(place) if place else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", "0"))
            self._value = []
        elif name == "rPh":
            self._sound = True
        elif name in ("v", "t"):
            self._reading = not self._sound

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._reading = False
        elif name == "rPh":
            self._sound = False
        elif name == "c" and self._value:
            self._keep(self._cell("".join(self._value)))

    def text(self, text: str) -> None:
        if self._reading:
            self._value.append(text)

    def _keep(self, cell: Cell) -> None:
        self._cells += 1
        if self._column > MOST_COLUMNS or self._cells > _MOST_CELLS or len(self.rows) > MOST_ROWS + 1:
            raise _Refused("too large", f"at most {MOST_ROWS} rows and {MOST_COLUMNS} columns")
        row = self.rows.setdefault(self._row, [])
        row += [None] * (self._column - len(row))
        row[self._column - 1] = cell

    def _cell(self, value: str) -> Cell:
        if self._kind == "s":
            return _bare(self.book.strings[int(value)])
        if self._kind in ("inlineStr", "str"):
            return _bare(_decoded(value))
        if self._kind == "b":
            return value.strip() == "1"
        if self._kind == "e":
            self.faults.add(
                self.file, self._row, f"{self._column}", what="the cell shows an error", found=value
            )
            return value
        if self._kind == "d":
            return value
        number = float(value)
        styled = self._style < len(self.book.dates) and self.book.dates[self._style]
        return self._day(number) if styled and 1 <= number <= _LAST_DAY else number

    def _day(self, number: float) -> Cell:
        if not math.isfinite(number):
            return number
        moment = self.book.since + dt.timedelta(days=number)
        return moment.date() if number == int(number) else moment.replace(microsecond=0)


def _column_number(place: str) -> int:
    number = 0
    for sign in place:
        if not "A" <= sign <= "Z":
            break
        number = number * 26 + ord(sign) - ord("A") + 1
    if not number:
        raise ValueError(f"cell {place}")
    return number


def _decoded(text: str) -> str:
    """Characters that XML cannot hold stand in a workbook as ``_x000D_``."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def _bare(text: str) -> str:
    return text[1:] if _WRITTEN.match(text) else text
