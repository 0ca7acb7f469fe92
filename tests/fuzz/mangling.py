"""Ways in which a file goes wrong between two people: cells, columns, rows, encodings, ends of lines, bytes.

Every way is a function of a :class:`random.Random` and the healthy bytes, and gives other bytes. The same
ways serve the tests, where hypothesis is behind the random numbers and shrinks what it finds, and the long
run (``run.py``), where a seed is.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any

Way = Callable[[Random, bytes], bytes]

ODD = (
    "", " ", "-1", "0", "-0", "1e308", "-1e308", "1e-320", "1e400", "NaN", "nan", "inf", "-inf", "None",
    "null",
    "yes", "true", "2022.5", "1,5", "1 000", "12 t", "9" * 40, "9" * 5000, "0x10", "1_000", "٣", "½", "−5",
    '"', "'", '""', ",", ";", "|", "\t", "\n", "\r", "\x00", "\x1b[2J", "\ufeff", "\u2028", "\u202e", "é",
    "\udcff",
    "😀", "=1+1", "@SUM(A1)", "../../etc/passwd", "/dev/null", "{}", "[]", "[bold]", "[/]", "%s", "{0}",
    "${x}",
    "2026-02-30", "0000-00-00", "9999-12-31", "1677-01-01", "2026-01-01T00:00", "<script>alert(1)</script>",
    "USD/", "9**9**9", "x", "a;b;;c", "*", "&a", "!!python/object:os.system", "CON", "nul", "-", "--help",
)  # fmt: skip
"""Text that may stand in any cell."""


# ---------------------------------------------------------------- bytes


def cut_short(random: Random, data: bytes) -> bytes:
    return data[: random.randint(0, max(len(data) - 1, 0))]


def emptied(random: Random, data: bytes) -> bytes:
    return random.choice((b"", b"\n", b" \n", b"\xef\xbb\xbf", b"\x00"))


def bytes_flipped(random: Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(random.choice((1, 1, 3, 20)) if made else 0):
        made[random.randrange(len(made))] = random.randrange(256)
    return bytes(made)


def piece_gone(random: Random, data: bytes) -> bytes:
    start = random.randint(0, len(data))
    return data[:start] + data[start + random.randint(1, 200) :]


def piece_twice(random: Random, data: bytes) -> bytes:
    start = random.randint(0, len(data))
    piece = data[start : start + random.randint(1, 2000)]
    return data[:start] + piece + data[start:]


def odd_text_inside(random: Random, data: bytes) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(ODD).encode("utf-8", "surrogateescape") + data[at:]


def any_bytes(random: Random, data: bytes) -> bytes:
    return bytes(random.randrange(256) for _ in range(random.randint(0, 60)))


BYTES: tuple[Way, ...] = (
    cut_short,
    emptied,
    bytes_flipped,
    piece_gone,
    piece_twice,
    odd_text_inside,
    any_bytes,
)


# ---------------------------------------------------------------- text


def with_mark(random: Random, data: bytes) -> bytes:
    return b"\xef\xbb\xbf" * random.choice((1, 1, 2)) + data


def in_utf16(random: Random, data: bytes) -> bytes:
    coding = random.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32"))
    return data.decode("utf-8", "replace").encode(coding)


def in_latin(random: Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace").replace("e", "é", random.choice((0, 1, 50)))
    return text.encode(random.choice(("latin-1", "cp1252", "cp437")), "replace")


def other_line_ends(random: Random, data: bytes) -> bytes:
    lines = data.replace(b"\r\n", b"\n").split(b"\n")
    ends = random.choice(
        ((b"\r\n",), (b"\r",), (b"\n", b"\r\n", b"\r"), (b"\n\n",), (b"\x0b",), (b"\xe2\x80\xa8",))
    )
    return b"".join(line + random.choice(ends) for line in lines)


def line_very_long(random: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    lines[at] += random.choice((b"x", b",", b'"', b" ", b"1", b"[", b"{")) * random.choice((2000, 200_000))
    return b"\n".join(lines)


def line_gone(random: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    del lines[random.randrange(len(lines))]
    return b"\n".join(lines)


def line_twice(random: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    at = random.randrange(len(lines))
    return b"\n".join([*lines[: at + 1], *lines[at:]])


TEXT: tuple[Way, ...] = (
    with_mark,
    in_utf16,
    in_latin,
    other_line_ends,
    line_very_long,
    line_gone,
    line_twice,
)


# ---------------------------------------------------------------- CSV

Grid = list[list[str]]


def _as_grid(change: Callable[[Random, Grid], None]) -> Way:
    def way(random: Random, data: bytes) -> bytes:
        grid = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
        change(random, grid)
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(grid)
        return text.getvalue().encode("utf-8", "surrogateescape")

    way.__name__ = change.__name__
    return way


def cells_odd(random: Random, grid: Grid) -> None:
    for _ in range(random.choice((1, 1, 1, 4))):
        row = grid[random.randrange(len(grid))]
        row[random.randrange(len(row))] = random.choice(ODD)


def cell_of_a_row_odd(random: Random, grid: Grid) -> None:
    row = grid[random.randrange(min(1, len(grid) - 1), len(grid))]
    row[random.randrange(len(row))] = random.choice(ODD)


def number_changed(random: Random, grid: Grid) -> None:
    """A number that is still one: another size, another sign."""
    places = [(r, c) for r, row in enumerate(grid[1:], 1) for c, cell in enumerate(row) if _is_number(cell)]
    if places:
        r, c = random.choice(places)
        factor = random.choice((0.0, -1.0, 1e-12, 1e3, 1e12, 1e100, 1e300))
        grid[r][c] = repr(float(grid[r][c]) * factor)


def column_gone(random: Random, grid: Grid) -> None:
    at = random.randrange(len(grid[0]))
    for row in grid:
        del row[at : at + 1]


def column_renamed(random: Random, grid: Grid) -> None:
    grid[0][random.randrange(len(grid[0]))] = random.choice((*ODD, "Capacity (t)", grid[0][0].upper()))


def column_twice(random: Random, grid: Grid) -> None:
    at = random.randrange(len(grid[0]))
    for row in grid:
        row.append(row[at] if at < len(row) else "")


def column_all_odd(random: Random, grid: Grid) -> None:
    at, odd = random.randrange(len(grid[0])), random.choice(ODD)
    for row in grid[1:]:
        row[at] = odd


def columns_turned(random: Random, grid: Grid) -> None:
    for row in grid:
        row.reverse()


def rows_twice(random: Random, grid: Grid) -> None:
    grid.extend([list(row) for row in grid[1:]])


def rows_gone(random: Random, grid: Grid) -> None:
    del grid[random.randint(1, len(grid)) :]


def rows_ragged(random: Random, grid: Grid) -> None:
    row = grid[random.randrange(len(grid))]
    if random.random() < 0.5:
        row.extend([random.choice(ODD)] * random.choice((1, 3, 1000)))
    else:
        del row[random.randint(0, len(row)) :]


def apart_by_other_signs(random: Random, data: bytes) -> bytes:
    return data.replace(b",", random.choice((b";", b"\t", b"|", b", ", b",,")))


def header_gone(random: Random, data: bytes) -> bytes:
    return data.partition(b"\n")[2]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


GRID: tuple[Way, ...] = tuple(
    _as_grid(change)
    for change in (
        cells_odd,
        cell_of_a_row_odd,
        number_changed,
        column_gone,
        column_renamed,
        column_twice,
        column_all_odd,
        columns_turned,
        rows_twice,
        rows_gone,
        rows_ragged,
    )
)
CSV: tuple[Way, ...] = (*GRID, *GRID, apart_by_other_signs, header_gone, *TEXT, *BYTES)


# ---------------------------------------------------------------- YAML

YAML_ODD = (
    *ODD, "~", "{}", "[]", "[1, 2]", "{a: 1}", "{value: 1}", "[[[[]]]]", "*nowhere", "&a [*a]", "!!set {a}",
    "!x y", "|",
    ">", "- 1", ".nan", ".inf", "-.inf", "1e308", "true", "no", "2026-01-01", "{value: .nan, unit: 1}",
    "? x", "0o7",
    "{low: 2, value: 1, high: 0}", "1:30", "'", "<<: *a", "{value: 1, unit: USD/furlong}",
)  # fmt: skip


def value_odd(random: Random, data: bytes) -> bytes:
    """The value of a key becomes something else."""
    lines = data.decode("utf-8").split("\n")
    keyed = [at for at, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("#")]
    if keyed:
        at = random.choice(keyed)
        lines[at] = lines[at].partition(":")[0] + ": " + random.choice(YAML_ODD)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def key_odd(random: Random, data: bytes) -> bytes:
    lines = data.decode("utf-8").split("\n")
    at = random.randrange(len(lines))
    head, sign, rest = lines[at].partition(":")
    room = head[: len(head) - len(head.lstrip())]
    lines[at] = f"{room}{random.choice((*YAML_ODD, 'extends', 'name', 'value'))}{sign or ':'}{rest}"
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def line_indented(random: Random, data: bytes) -> bytes:
    lines = data.decode("utf-8").split("\n")
    at = random.randrange(len(lines))
    lines[at] = random.choice(("  ", "\t", " ", "- ", "    ")) + lines[at].lstrip(" ")
    return "\n".join(lines).encode()


def line_odd(random: Random, data: bytes) -> bytes:
    lines = data.decode("utf-8").split("\n")
    lines.insert(random.randint(0, len(lines)), random.choice(YAML_ODD))
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def nested_deep(random: Random, data: bytes) -> bytes:
    depth = random.choice((50, 3000, 100_000))
    return data + b"\nx: " + random.choice((b"[", b"{a: ", b"- ")) * depth


def laughs(random: Random, data: bytes) -> bytes:
    """Aliases of aliases: a short file that would become a long one."""
    lines = [b"a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [
        b"a%d: &a%d [%s]" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9))
        for n in range(1, random.choice((3, 9)))
    ]
    return data + b"\n" + b"\n".join(lines) + b"\n"


YAML: tuple[Way, ...] = (
    value_odd, value_odd, value_odd, value_odd, key_odd, key_odd, line_indented, line_odd, nested_deep,
    laughs,
    *TEXT, *BYTES,
)  # fmt: skip


# ---------------------------------------------------------------- JSON

JSON_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, float("nan"), float("inf"), 10**40, "", "x", "nan", "9" * 5000,
    [], {}, [None],
    [[]], {"": 1}, {"$date": "2026-02-30"}, {"$date": 5}, "2026-01-01", "\x00", "\ud800", "../x", [1, "a"],
)  # fmt: skip


def node_odd(random: Random, data: bytes) -> bytes:
    """Something within becomes something else, is gone, or gets a neighbour."""
    whole = json.loads(data)
    at: Any = whole
    trail: list[tuple[Any, Any]] = []
    while isinstance(at, (dict, list)) and at and (not trail or random.random() < 0.8):
        key = random.choice(list(at)) if isinstance(at, dict) else random.randrange(len(at))
        trail.append((at, key))
        at = at[key]
    if not trail:
        return json.dumps(random.choice(JSON_ODD)).encode()
    holder, key = trail[-1]
    what = random.choice(("odd", "odd", "gone", "more"))
    if what == "odd":
        holder[key] = random.choice(JSON_ODD)
    elif what == "gone":
        del holder[key]
    elif isinstance(holder, dict):
        holder[random.choice(("", "x", "format", "\x00"))] = random.choice(JSON_ODD)
    else:
        holder.append(random.choice(JSON_ODD))
    return json.dumps(whole).encode()


def deep_brackets(random: Random, data: bytes) -> bytes:
    return random.choice((b"[", b'{"a":')) * random.choice((900, 5000, 200_000))


JSON: tuple[Way, ...] = (node_odd, node_odd, node_odd, node_odd, deep_brackets, *TEXT, *BYTES)


# ---------------------------------------------------------------- workbooks (zipped XML)


def part_mangled(random: Random, data: bytes) -> bytes:
    """One part of the zip goes wrong, or is gone, or comes twice under another name."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    name = random.choice(sorted(parts))
    way = random.choice(
        (*BYTES, attribute_odd, attribute_odd, attribute_odd, line_very_long, in_utf16, _gone)
    )
    if way is _gone:
        del parts[name]
    else:
        parts[name] = way(random, parts[name])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        for part, content in parts.items():
            book.writestr(part, content)
    return made.getvalue()


def _gone(random: Random, data: bytes) -> bytes:
    return b""


def attribute_odd(random: Random, data: bytes) -> bytes:
    """An attribute or a text of an XML part becomes something else."""
    pieces = data.split(random.choice((b'"', b"<v>", b"<t>")))
    if len(pieces) < 2:
        return data
    at = random.randrange(1, len(pieces))
    odd = random.choice(
        (
            b"",
            b"-1",
            b"0",
            b"99999999999",
            b"XFD1048577",
            b"A0",
            b"1e999",
            b"nan",
            b"rId99",
            b"&#x0;",
            b"9" * 500,
        )
    )
    end = pieces[at].find(b"<")
    pieces[at] = odd + (pieces[at][end:] if end > 0 else b"")
    return b'"'.join(pieces)


WORKBOOK: tuple[Way, ...] = (part_mangled, part_mangled, part_mangled, *BYTES)
