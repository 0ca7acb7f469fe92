"""Books and applicants for the tests of this room."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cleanhub.hub.library import Library, load_library
from cleanhub.hub.scenario import Scenario
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.apply import answers
from cleanhub.policy.book import BOOK_TABLES, PolicyBook, book_from_tables, load_book

Frames = dict[str, pd.DataFrame]
CALIFORNIA = frozenset({"US", "US-CA"})


@pytest.fixture(scope="session")
def library() -> Library:
    return load_library()


@pytest.fixture(scope="session")
def book(library: Library) -> PolicyBook:
    return load_book(library)


@pytest.fixture(scope="session")
def frames(library: Library) -> Frames:
    """The policy tables of the library. Tests must not change them in place."""
    return {name: library.tables[name] for name in BOOK_TABLES}


@pytest.fixture(scope="session")
def rebuilt(library: Library, frames: Frames) -> Callable[..., PolicyBook]:
    """A book from the library's tables with some of them replaced."""

    def build(scenario: Scenario | None = None, **changed: pd.DataFrame) -> PolicyBook:
        return book_from_tables({**frames, **changed}, library, scenario)

    return build


@pytest.fixture(scope="session")
def under(library: Library) -> Callable[[Mapping[str, Any]], PolicyBook]:
    """The library's book under the choices of a scenario."""

    def build(policies: Mapping[str, Any]) -> PolicyBook:
        scenario = Scenario.model_validate(
            {"name": "s", "title": "S", "as_of": dt.date(2026, 6, 1), "policies": dict(policies)}
        )
        return load_book(library, None, scenario)

    return build


def years_from(first: int, count: int = 20) -> Any:
    return np.arange(first, first + count, dtype=np.int64)


@pytest.fixture(scope="session")
def applicant() -> Callable[..., Applicant]:
    """An applicant in California, in service on 1 January 2029; quantities are the same every year."""

    def make(
        sector: str = "hydrogen",
        first: int = 2029,
        count: int = 20,
        quantities: Mapping[str, float] | None = None,
        facts: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Applicant:
        years = years_from(first, count)
        given = {
            "construction_begins": dt.date(2026, 9, 1),
            "in_service": dt.date(first, 1, 1),
            "jurisdictions": CALIFORNIA,
            "name": "test",
            **more,
        }
        amounts = {name: np.full(count, float(amount)) for name, amount in (quantities or {}).items()}
        return Applicant(sector=sector, years=years, quantities=amounts, facts=dict(facts or {}), **given)

    return make


@pytest.fixture(scope="session")
def ask(book: PolicyBook) -> Callable[..., Answer]:
    """The answer of one policy."""

    def one(policy: str, given: Applicant, by: PolicyBook | None = None, **more: Any) -> Answer:
        return {a.policy: a for a in answers(by or book, given, **more)}[policy]

    return one


@pytest.fixture(scope="session")
def hydrogen(applicant: Callable[..., Applicant]) -> Callable[..., Applicant]:
    """A clean hydrogen plant of 1,000 t a year that meets what 45V asks."""

    def make(intensity: float = 0.1, wage: bool = True, **more: Any) -> Applicant:
        facts = {"carbon_intensity_hydrogen_kg_per_kg": intensity, "prevailing_wage": wage}
        return applicant(
            "hydrogen", quantities={"hydrogen": 1e6}, facts={**facts, **more.pop("facts", {})}, **more
        )

    return make
