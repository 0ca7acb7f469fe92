"""The projects of a hub as the simulation takes them: stage, tonnes, money, dates, evidence.

A stage is the one its row asserts, or is inferred after years of silence as Global Energy Monitor
does with the projects it follows: a proposed project of which nothing has been heard for two years
counts as shelved, after four years as cancelled. Which gates a project must pass is told by
:mod:`cleanhub.pipeline.gates`; what it waits for beyond them by :mod:`cleanhub.pipeline.links`.

References
----------
.. [1] Global Energy Monitor, methodology of its trackers: projects without a sign of life.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import End, Parameters
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import ENDED, PAST_FID, PROPOSED
from cleanhub.pipeline.offtake import OFFTAKE, offtake_done
from cleanhub.pipeline.problem import BoolArray, FloatArray, IntArray, Projects, TextArray

ENGINEERING = ("pre_feed", "feed")
"""Stages that take time of their own before the decision, in their order."""
PROGRAMME = "programme"
ABATES = "abates"
_FACT_EVER = "fid_rate_global_pct"


@dataclass(frozen=True)
class Given:
    """The projects of a hub before their nodes have a place; fields as in
    :class:`~cleanhub.pipeline.problem.Projects`, in the order of the hub's table, and:

    Attributes
    ----------
    second_role
        Second role, (P,); empty for none.
    gates_done
        Gates that are published as passed, one set a project.
    gates_begun
        Years that gates are under way at as_of, by gate, one mapping a project.
    words
        Technology as published and as a code, in lower case: what rules look for words in, (P,).
    has_parts
        Whether another project is ``part_of`` it, (P,).
    line
        Line of its row in ``projects.csv``, (P,).
    jurisdictions
        Where the hub's laws come from.
    """

    id: TextArray
    name: TextArray
    sector: TextArray
    role: TextArray
    second_role: TextArray
    stage: TextArray
    stage_basis: TextArray
    past_fid: BoolArray
    ended: BoolArray
    umbrella: IntArray
    tonnes: FloatArray
    capital: FloatArray
    public: FloatArray
    online: FloatArray
    life: FloatArray
    gates_done: tuple[frozenset[str], ...]
    gates_begun: tuple[Mapping[str, float], ...]
    words: TextArray
    has_parts: BoolArray
    line: IntArray
    jurisdictions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.id)

    @property
    def live(self) -> BoolArray:
        """Projects whose decision is still to come, (P,)."""
        return ~self.past_fid & ~self.ended

    def placed(self, decision: IntArray, service: IntArray) -> Projects:
        """The same with the positions of their decision and service nodes, (P,) each."""
        shared = {one.name for one in fields(Projects)} & {one.name for one in fields(Given)}
        values = {name: getattr(self, name) for name in shared}
        return Projects(decision=decision, service=service, **values)

    def fits(self, rule: Mapping[str, object]) -> BoolArray:
        """Which projects a rule is for, (P,).

        ``rule`` is a row with the columns ``roles`` (one of the project's two), ``sectors``,
        ``technology_has`` (a word of the technology begins so) and ``jurisdictions`` (one of the
        hub's); a column that is empty or absent asks for nothing.
        """
        roles, sectors = listed(rule.get("roles")), listed(rule.get("sectors"))
        places, words = listed(rule.get("jurisdictions")), listed(rule.get("technology_has"))
        if places and not set(places) & set(self.jurisdictions):
            return np.zeros(len(self), dtype=bool)
        fit = np.ones(len(self), dtype=bool)
        if roles:
            fit &= np.isin(self.role, roles) | np.isin(self.second_role, roles)
        if sectors:
            fit &= np.isin(self.sector, sectors)
        if words:
            begin = re.compile("|".join(rf"(?<![a-z0-9]){re.escape(word.lower())}" for word in words))
            fit &= np.array([begin.search(text) is not None for text in self.words], dtype=bool)
        return fit


def listed(cell: object) -> list[str]:
    """The parts of a cell of words separated by ``;``, none for an empty or absent one."""
    if not isinstance(cell, str):
        return []
    return [part.strip() for part in cell.split(";") if part.strip()]


def year_of(day: dt.date) -> float:
    """A day as a year with decimals: 1 July 2026 is about 2026.5."""
    first, last = dt.date(day.year, 1, 1), dt.date(day.year + 1, 1, 1)
    return day.year + (day - first).days / (last - first).days


def chance_ever(hub: Hub) -> float:
    """Share of proposed projects that ever take their decision: the hub's fact, else the library's row."""
    facts = hub.tables["programme_facts"]
    rows = facts[facts["fact"] == _FACT_EVER]
    if len(rows) and pd.notna(rows["value"].iloc[0]):
        return float(rows["value"].iloc[0]) / 100.0
    return Parameters(hub, "pipeline_parameters").value("fid_ever")


def capital_in_price_year(hub: Hub, scenario: Scenario) -> FloatArray:
    """Published capital of each project in dollars of the scenario's price year, (P,) [USD].

    Capital without a price year is taken as it stands; NaN where none is published.
    """
    table = hub.tables["projects"]
    index = hub.library.price_index
    years = table["capex_year"].astype("Float64").fillna(scenario.price_year).to_numpy(float)
    scale = np.array([index.to_dollars("USD", int(year), scenario.price_year) for year in years], dtype=float)
    return np.asarray(_numbers(table, "capex_usd") * scale, dtype=np.float64)


def read_projects(hub: Hub, scenario: Scenario, without_evidence: bool = False) -> tuple[Given, list[str]]:
    """The projects of a hub at the scenario's ``as_of`` date, and notes for the reader.

    Parameters
    ----------
    without_evidence
        Take every project that is no programme as announced, with no gate passed and no date of
        service: the population that the simulation is calibrated on. Those past their decision and
        those that ended are of it, since they too were once announced.
    """
    table = hub.tables["projects"]
    parameters = Parameters(hub, "pipeline_parameters", price_year=scenario.price_year)
    role, second = _text(table["role"]), _text(table["role_secondary"])
    stage, basis, notes = _stages(hub, scenario, parameters)
    bound = offtake_done(hub)
    done = tuple(
        frozenset(listed(cell)) | ({OFFTAKE} if project in bound else frozenset())
        for project, cell in zip(table["project_id"], table["gates_done"], strict=True)
    )
    begun = _begun(hub, scenario)
    online = _online(table, stage, scenario)
    if without_evidence:
        plain = role != PROGRAMME
        stage, basis = np.where(plain, "announced", stage), np.where(plain, "asserted", basis)
        done = tuple(frozenset() if p else gates for p, gates in zip(plain, done, strict=True))
        begun = tuple({} if p else gates for p, gates in zip(plain, begun, strict=True))
        online, notes = np.where(plain, np.nan, online), []
    position = {str(name): at for at, name in enumerate(table["project_id"])}
    umbrella = np.array([position.get(str(name), -1) for name in table["part_of"]], dtype=np.int64)
    tonnes = _numbers(table, "co2e_t_per_year")
    cancelled = table["funding_cancelled"].fillna(False).to_numpy(bool)
    given = Given(
        id=_text(table["project_id"]),
        name=_text(table["name"]),
        sector=_text(table["sector"]),
        role=role,
        second_role=second,
        stage=np.asarray(stage, dtype=object),
        stage_basis=np.asarray(basis, dtype=object),
        past_fid=np.isin(stage, PAST_FID),
        ended=np.isin(stage, ENDED),
        umbrella=umbrella,
        tonnes=np.where((role == ABATES) | (second == ABATES), np.nan_to_num(tonnes), 0.0),
        capital=capital_in_price_year(hub, scenario),
        public=np.where(cancelled, 0.0, _numbers(table, "public_funding_usd")),
        online=online,
        life=_lives(hub, parameters),
        gates_done=done,
        gates_begun=begun,
        words=_words(table),
        has_parts=np.isin(np.arange(len(table)), umbrella),
        line=table.index.to_numpy(dtype=np.int64),
        jurisdictions=hub.jurisdictions,
    )
    return given, notes


def _text(column: pd.Series) -> TextArray:
    return np.array(["" if pd.isna(cell) else str(cell) for cell in column], dtype=object)


def _numbers(table: pd.DataFrame, column: str) -> FloatArray:
    values = table[column].astype("Float64").to_numpy(float, na_value=np.nan)
    return np.asarray(values, dtype=np.float64)


def _words(table: pd.DataFrame) -> TextArray:
    published, code = _text(table["technology_text"]), _text(table["technology"])
    pairs = zip(published, code, strict=True)
    return np.array(
        [f"{text} {name.replace('_', ' ')}".lower().strip() for text, name in pairs], dtype=object
    )


def _stages(hub: Hub, scenario: Scenario, parameters: Parameters) -> tuple[TextArray, TextArray, list[str]]:
    """Stage of each project and whether it is asserted or inferred, (P,) each, and notes.

    A year of evidence counts to its end, so silence is never longer than it surely is. A row that is
    recalled and states no ``evidence_year`` is left as it is: nobody has looked for a sign of life, so
    the silence is the reader's, not the project's.
    """
    table = hub.tables["projects"]
    asserted = _text(table["stage"])
    basis = np.full(len(table), "asserted", dtype=object)
    proposed = np.isin(asserted, PROPOSED) & (_text(table["role"]) != PROGRAMME)
    if not proposed.any():
        return asserted, basis, []
    stated = (
        np.isfinite(_numbers(table, "evidence_year"))
        if "evidence_year" in table
        else np.zeros(len(table), bool)
    )
    looked = stated | (_text(table["confidence"]) != "recalled")
    silence = year_of(scenario.as_of) - (_sign_of_life(hub) + 1.0)
    found = asserted.copy()
    for code in ("shelved", "cancelled"):  # the longer silence last, so that it has the last word
        years = parameters.value("silence_years", code, "yr")
        found[proposed & looked & (silence >= years)] = code
    changed = found != asserted
    basis[changed] = "inferred"
    notes = [
        f"{name}: taken as {code}, no sign of life for {years:.1f} years"
        for name, code, years in zip(
            table["project_id"][changed], found[changed], silence[changed], strict=True
        )
    ]
    unseen = table["project_id"][proposed & ~looked]
    if len(unseen):
        notes.append(
            "kept as asserted though no sign of life is known, since their rows are recalled and nobody "
            f"has looked: {', '.join(unseen)}"
        )
    return found, basis, notes


def _sign_of_life(hub: Hub) -> FloatArray:
    """Year of the latest public sign of life, (P,): as stated, of the source, of the announcement."""
    table = hub.tables["projects"]
    sources = hub.sources().set_index("source_id")["year"]
    published = table["source_id"].map(sources).astype("Float64").to_numpy(float, na_value=np.nan)
    year = _numbers(table, "evidence_year") if "evidence_year" in table else np.full(len(table), np.nan)
    for other in (published, _numbers(table, "announced_year")):
        year = np.where(np.isfinite(year), year, other)
    return year


def _online(table: pd.DataFrame, stage: TextArray, scenario: Scenario) -> FloatArray:
    """Middle of the published year of service, years after as_of, (P,); never ahead where it operates."""
    online = _numbers(table, "online_year") + 0.5 - year_of(scenario.as_of)
    return np.where(stage == "operating", np.minimum(online, 0.0), online)


def _begun(hub: Hub, scenario: Scenario) -> tuple[dict[str, float], ...]:
    """Years that gates of each project are under way at as_of; what begins later has not begun."""
    found: dict[str, dict[str, float]] = {
        str(project): {} for project in hub.tables["projects"]["project_id"]
    }
    table = hub.tables["gates_begun"]
    for project, gate, day in zip(table["project_id"], table["gate"], table["begun_on"], strict=True):
        age = year_of(scenario.as_of) - year_of(dt.date.fromisoformat(day))
        if project in found and age > 0.0:
            found[project][gate] = age
    return tuple(found.values())


def _lives(hub: Hub, parameters: Parameters) -> FloatArray:
    """Years in service, (P,) [yr]: the lifetime of its technology, else of its sector, else of all."""
    table, rows = hub.tables["projects"], hub.library.tables["technology_parameters"]
    known = rows[rows["parameter"] == "lifetime"].set_index("technology")["value"]
    lives = table["technology"].map(known).astype("Float64").to_numpy(float, na_value=np.nan)
    other = np.array(
        [by_sector(parameters, "life_years", str(sector)) for sector in table["sector"]], dtype=float
    )
    return np.where(np.isfinite(lives), lives, other)


def by_sector(
    parameters: Parameters, parameter: str, sector: str, kind: str = "", which: End = "value"
) -> float:
    """A figure in years: of ``kind`` in a sector (item ``kind:sector``), else of the kind in all.

    Without ``kind`` the item is the sector, else empty.
    """
    item = f"{kind}:{sector}" if kind else sector
    return parameters.value(parameter, item if parameters.has(parameter, item) else kind, "yr", which)
