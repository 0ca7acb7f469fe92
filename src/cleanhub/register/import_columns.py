"""Which column of a file means which field of a record: by its name in many spellings, with its unit.

Nothing has to be declared first. What was understood is told column by column, and a user may name a
column outright. A unit in a header, as in ``Capacity (kt/yr)`` or ``Capex, million USD (2024)``, is taken
off: it converts the figures where the field has a unit of its own, else it becomes the row's unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.hub.library import Library
from cleanhub.register.models import KINDS
from cleanhub.register.sheets import Sheet
from cleanhub.register.workbook import Cell

IMPORTED = ("project", "gate", "evidence", "commitment", "agreement")
"""The kinds of record that are imported and exported as tables."""
OWN = ("id", "version")
"""What every record has besides its fields: they say which record, and which version of it, a row is."""
COMPANION = {"capacity": "capacity_unit", "value": "unit"}
"""Where the unit of a figure goes that may have any."""
YEAR_OF = {"capex_usd": "capex_year"}
"""Where the price year of money goes."""
_SKIPPED = frozenset({"fault", "withdrawn"})

SPELLINGS: dict[str, dict[str, str]] = {
    "project": {
        "project_id": "id project_no project_number project_code code",
        "name": "project project_name title",
        "developer": "company sponsor proponent applicant organisation organization developers",
        "sector": "industry branch",
        "technology_text": "technology_as_published technology_description process",
        "technology": "technology_type",
        "asset_id": "facility facility_id site_id plant_id plant",
        "city": "town municipality",
        "county": "county_name",
        "lat": "latitude y",
        "lon": "lng long longitude x",
        "capacity": "size nameplate nameplate_capacity production_capacity output",
        "capacity_unit": "unit units",
        "capacity_of": "product output_of",
        "capex_usd": "capex capital_cost total_capex investment capital project_cost total_cost cost",
        "capex_year": "price_year cost_year dollar_year",
        "public_funding_usd": "public_funding public_money grant grants award federal_funding",
        "funding_source": "funder awarded_by",
        "announced_year": "announced announcement announcement_year year_announced",
        "online_year": "online cod start_year start_of_operation year_online in_service commissioning_year "
        "operation_year commercial_operation first_year",
        "stage": "status phase project_stage project_status",
        "stage_as_published": "published_stage",
        "gates_done": "gates milestones_done",
        "co2e_t_per_year": "co2e co2 abatement emissions_reduction emission_reduction emissions_cut "
        "annual_abatement co2_reduction co2_captured ghg_reduction tonnes_per_year",
        "role": "kind",
        "part_of": "umbrella programme program parent",
        "supplied_by": "supplier suppliers",
        "source_id": "source",
        "note": "notes comment comments remark remarks description",
        "private": "confidential",
        "owner": "login",
    },
    "gate": {
        "project": "project_id",
        "status": "state",
        "owner": "responsible who",
        "due": "due_date deadline by_when",
        "done_on": "done date_done completed",
        "note": "notes comment comments remark remarks",
    },
    "evidence": {
        "project": "project_id",
        "about": "topic subject",
        "what": "evidence fact finding text description",
        "date": "day seen_on dated",
        "source": "reference link url citation where",
        "note": "notes comment comments remark remarks",
    },
    "commitment": {
        "actor": "company who organisation organization name",
        "platform": "alliance initiative",
        "sector": "industry",
        "metric": "promise target_kind what",
        "base_year": "baseline baseline_year",
        "year": "target_year by_when by",
        "value": "target amount",
        "unit": "units",
        "asset_id": "facility site",
        "source_id": "source",
        "note": "notes comment comments remark remarks",
    },
    "agreement": {
        "project": "project_id",
        "title": "name agreement",
        "kind": "type",
        "community": "with with_whom partner",
        "status": "state",
        "signed_on": "signed date date_signed",
        "ends_on": "ends end_date until",
        "terms": "benefits content",
        "source": "reference link url",
        "note": "notes comment comments remark remarks",
    },
}
"""Other names that columns of files go by, for each field; its own name always counts."""

How = Literal["name", "user", "content"]


@dataclass(frozen=True)
class ReadColumn:
    """One column of the file and the ``field`` it was taken for.

    ``unit`` is the one in its header; figures are multiplied by ``factor``.
    """

    name: str
    field: str
    how: How
    unit: str = ""
    factor: float = 1.0


@dataclass(frozen=True)
class Columns:
    """What the columns of a file were taken for.

    ``constants`` holds fields that are the same in every row: those that the user gave, and units and
    price years of headers, which count where a row has none of its own.
    """

    kind: str
    read: tuple[ReadColumn, ...]
    unused: tuple[str, ...]
    constants: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, ReadColumn]:
        """The column of each field."""
        return {column.field: column for column in self.read}

    def lines(self) -> list[str]:
        """What was understood in words, a line for each column."""
        words = {"name": "", "user": " (as you said)", "content": " (by what it holds)"}
        own = [one for one in self.read if one.name == one.field and one.how == "name"]
        shown = [f"{len(own)} column{'s' * (len(own) > 1)} under the name of their field"] if own else []
        for column in self.read:
            if column in own:
                continue
            unit = f", in {column.unit}" if column.unit else ""
            times = f", times {column.factor:g}" if column.factor != 1 else ""
            shown.append(f"{column.name} -> {column.field}{unit}{times}{words[column.how]}")
        shown += [f"{name} = {value} where a row says nothing" for name, value in self.constants.items()]
        return shown + [f"{name} -> not used" for name in self.unused]


def plain_name(text: str) -> str:
    """A name in lower case with single underscores: ``Online Year.`` becomes ``online_year``."""
    return "_".join("".join(sign if sign.isalnum() else " " for sign in text.lower()).split())


def infer_columns(
    sheet: Sheet,
    kind: str,
    library: Library,
    faults: FaultList,
    said: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
) -> Columns:
    """What the columns of ``sheet`` mean for records of ``kind``.

    Parameters
    ----------
    said
        The user's columns by field; they win over all names.
    constants
        Fields that are the same in every row.
    """
    names = [*OWN, *(name for name in KINDS[kind].names if name != "withdrawn")]
    found: dict[str, ReadColumn] = {}
    fixed = dict(constants or {})
    for name in [*(said or {}), *(constants or {})]:
        if name not in names:
            fixed.pop(name, None)
            faults.add(sheet.name, 1, name, what="no such field", allowed=", ".join(names))
    for name, header in (said or {}).items():
        if header not in sheet.columns:
            what = f"no such column (for {name})"
            faults.add(sheet.name, 1, header, what=what, allowed=", ".join(sheet.columns))
        elif name in names:
            found[name] = _with_unit(sheet.name, header, name, "user", kind, library, faults, fixed)
    taken = {column.name for column in found.values()}
    for header, name in _by_name(sheet.columns, kind, names, {*found, *fixed}, taken).items():
        found[name] = _with_unit(sheet.name, header, name, "name", kind, library, faults, fixed)
    if kind == "project":
        _told_technology(sheet, library, found)
    read = tuple(sorted(found.values(), key=lambda column: sheet.columns.index(column.name)))
    used = {column.name for column in read}
    return Columns(kind, read, tuple(name for name in sheet.columns if name not in used), fixed)


def _by_name(
    headers: tuple[str, ...], kind: str, names: list[str], had: set[str], taken: set[str]
) -> dict[str, str]:
    """The field of each header: names that are a field's own first, then other spellings in their order."""
    found: dict[str, str] = {}
    plain = {header: _plain_forms(header) for header in headers if header not in taken}
    ranked = [(name, [name]) for name in names]
    ranked += [(name, SPELLINGS[kind].get(name, "").split()) for name in names if name not in OWN]
    # in a file of projects a bare id is the project's own, unless it has a project_id besides
    if kind == "project" and not any("project_id" in forms for forms in plain.values()):
        ranked = [pair for pair in ranked if pair[0] != "id"]
    for name, spellings in ranked:
        for spelling in spellings:
            free = [header for header, forms in plain.items() if spelling in forms and header not in found]
            if free and name not in had and name not in found.values():
                found[free[0]] = name
    return {header: name for header, name in found.items() if plain_name(header) not in _SKIPPED}


def _plain_forms(header: str) -> tuple[str, ...]:
    """The names that a header may be: all of it, or what stands before a unit."""
    forms = [plain_name(header), *(plain_name(base) for base, _ in _splits(header))]
    return tuple(dict.fromkeys(form for form in forms if form))


def _splits(header: str) -> list[tuple[str, str]]:
    """A header without its unit, and the unit: in brackets, after a comma, or after the word in."""
    patterns = (r"^(.*?)[\s_]*[(\[](.*)[)\]]\s*$", r"^([^,]+),\s*(.+)$", r"^(.+?)\s+in\s+(.+)$")
    found = [re.match(pattern, header) for pattern in patterns]
    return [(one[1].strip(), one[2].strip()) for one in found if one]


def _unit_of(header: str, name: str, kind: str) -> str:
    """The unit in a header that was taken for the field ``name``."""
    splits = _splits(header)
    names = {name, *SPELLINGS[kind].get(name, "").split()}
    known = [unit for base, unit in splits if plain_name(base) in names]
    return [*known, *(unit for _, unit in splits), ""][0]


def _with_unit(
    file: str,
    header: str,
    name: str,
    how: How,
    kind: str,
    library: Library,
    faults: FaultList,
    fixed: dict[str, str],
) -> ReadColumn:
    """The column, its header's unit turned into a factor or into the unit of its rows."""
    own = "" if name in OWN else KINDS[kind].column(name).unit
    given = _unit_of(header, name, kind)
    if not given or (name not in COMPANION and not own) or own == "degree":
        return ReadColumn(header, name, how)
    unit, times, year = plain_unit(given, library)
    if not unit:
        allowed = "a unit of docs/units.md, as kt/yr or million USD"
        faults.add(file, 1, header, what="unknown unit", found=given, allowed=allowed)
        return ReadColumn(header, name, how)
    if year and name in YEAR_OF:
        fixed.setdefault(YEAR_OF[name], year)
    if name in COMPANION:
        fixed.setdefault(COMPANION[name], unit)
        return ReadColumn(header, name, how, unit, times)
    try:
        return ReadColumn(header, name, how, given, times * factor(unit, own))
    except ValueError:
        faults.add(file, 1, header, what=f"not a unit of {own}", found=given, allowed=own)
        return ReadColumn(header, name, how)


_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "mio": 1e6, "million": 1e6}
_SCALES |= {"millions": 1e6, "bn": 1e9, "b": 1e9, "billion": 1e9, "billions": 1e9}
_MONEY = re.compile(r"us\s*\$|us\s*dollars?|usd|dollars?|\$", re.IGNORECASE)
_WORDS: tuple[tuple[str, str], ...] = (
    (r"(?i)\bco2\s*[-_]?\s*(e|eq)?\b", ""),
    (r"(?i)(?<=[kMGt])co2\s*[-_]?\s*(e|eq)?\b", ""),
    (r"(?i)\bmetric\s+ton(ne)?s?\b|\btonnes?\b", "t"),
    (r"(?i)\bmillion\s+t\b", "Mt"),
    (r"(?i)\bthousand\s+t\b", "kt"),
    (r"\btpa\b|\btpy\b", "t/yr"),
    (r"\bktpa\b", "kt/yr"),
    (r"(?i)\bmtpa\b", "Mt/yr"),
    (r"(?i)\s*(/|\bper\s+)\s*(years?|annum|yr|y|a)\b|\s+p\.?a\.?$", "/yr"),
    (r"(?i)\s*(/|\bper\s+)\s*(days?|d)\b", "/d"),
    (r"(?i)\bgallons?\b", "gal"),
    (r"(?i)\bmillion\s+gal\b|\bmgy\b", "Mgal"),
)


def plain_unit(text: str, library: Library) -> tuple[str, float, str]:
    """A unit as people write it: the unit of our list, what to multiply by, the price year if it names one.

    ``million USD (2024)`` gives ``USD``, 1e6 and ``2024``; ``tpa`` gives ``t/yr``. Short tons, and ``MT``
    that may be a tonne or a million of them, are not guessed: the unit is empty.
    """
    year = ""
    if _MONEY.search(text) and (found := re.search(r"\b(19|20)\d\d\b", text)):
        year, text = found[0], (text[: found.start()] + text[found.end() :]).strip(" ()[],_")
    text = " ".join(text.split())
    if library.unit_ok(text):
        return text, 1.0, year
    if _MONEY.search(text):
        rest = _MONEY.sub(" ", text).lower().split()
        if not rest:
            return "USD", 1.0, year
        return ("USD", _SCALES[rest[0]], year) if len(rest) == 1 and rest[0] in _SCALES else ("", 1.0, "")
    if re.search(r"\bMT\b", text):
        return "", 1.0, ""
    for pattern, plain in _WORDS:
        text = re.sub(pattern, plain, text).strip()
    text = re.sub(r"\s*/\s*", "/", text)
    return (text, 1.0, year) if text and library.unit_ok(text) else ("", 1.0, "")


def _told_technology(sheet: Sheet, library: Library, found: dict[str, ReadColumn]) -> None:
    """A column ``Technology`` that holds no technologies of the library is what was published of it."""
    column = found.get("technology")
    if column is None or column.how == "user" or "technology_text" in found:
        return
    codes = library.codelists.get("technology", frozenset())
    at = sheet.columns.index(column.name)
    cells: list[Cell] = [row[at] for row in sheet.rows if row[at] not in (None, "")]
    if cells and not any(str(cell).strip() in codes for cell in cells):
        del found["technology"]
        found["technology_text"] = ReadColumn(column.name, "technology_text", "content")
