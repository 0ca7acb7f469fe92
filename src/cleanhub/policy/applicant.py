"""What a policy is asked and what it answers.

An :class:`Applicant` is a project as the law sees it: dates, quantities by operating year and
facts. An :class:`Answer` says what one policy pays in each of those years, or *no, because ...*
and when that changes. Nothing here knows a single policy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Fact = float | bool | str | dt.date
Verdict = Literal["pays", "no", "requires"]


@dataclass(frozen=True)
class Applicant:
    """A project that asks every policy.

    Attributes
    ----------
    name
        Its identifier.
    jurisdictions
        Codes of codelist ``jurisdiction`` that it lies in (``US``, ``US-CA`` ...).
    sector, technology, product
        Codes of the library; technology and product may be empty.
    construction_begins, in_service
        Dates that deadlines are tested against; ``None`` where not stated.
    years
        Calendar year of each operating year, shape (T,).
    quantities
        Yearly amounts by codelist ``policy_quantity``, each shape (T,), in that code's unit.
    capital_usd
        Capital that one-off payments refer to [nominal USD].
    facts
        What else policies ask, by codelist ``policy_fact``. A fact that is not here is *not stated*.
    claims
        Policies it asks for, first first. Empty: the combination that is worth most.
    without
        Policies that it does not ask for.
    """

    name: str
    jurisdictions: frozenset[str]
    sector: str
    technology: str = ""
    product: str = ""
    construction_begins: dt.date | None = None
    in_service: dt.date | None = None
    years: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    quantities: Mapping[str, FloatArray] = field(default_factory=dict)
    capital_usd: float = 0.0
    facts: Mapping[str, Fact] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What one policy says to one applicant.

    Attributes
    ----------
    policy, name, instrument
        Identifier, name in words, code of codelist ``policy_instrument``.
    answer
        ``pays`` (or lends, or guarantees), ``requires`` (binds the project and pays nothing) or ``no``.
    because
        The reason in words; always filled. A *no* lists every reason.
    rule
        Identifiers of the conditions or exclusions that decided, ``;``-separated.
    until, becomes
        The last day of a date on which the answer stays *pays*, and the day from which a *no*
        would become a yes; ``None`` where no date changes it.
    quantity
        Code of what is paid for, ``capital`` for shares of cost, empty for none.
    rate, rate_low, rate_high
        Nominal USD per unit of the quantity in each operating year, shape (T,).
    payments
        ``rate`` x quantity, before any transfer discount [nominal USD], shape (T,).
    once, once_low, once_high
        Paid once, when service begins [nominal USD].
    terms
        Figures that pay nothing by themselves, by item of codelist ``policy_item`` (``share`` of a
        guarantee or of first-year depreciation, ``tax_rate``, ``limit``, ``target 2035`` ...).
    transfer_price
        Cash per dollar of credit when it is sold (1 where it is not sold).
    lag_years
        Years from earning to cash.
    tax_character
        Code of codelist ``tax_character``.
    bankable
        Whether lenders count it (a legal amount) or not (a market price without floor).
    confidence, source_id, legal_status, status_date, version
        Weakest confidence among the rows used (the transfer price apart), the law, its state on
        that date, and a short hash of every row that decided, so a result says which version of
        the policy it used.
    """

    policy: str
    name: str
    instrument: str
    answer: Verdict
    because: str
    rule: str = ""
    until: dt.date | None = None
    becomes: dt.date | None = None
    quantity: str = ""
    rate: FloatArray = field(default_factory=lambda: np.zeros(0))
    rate_low: FloatArray = field(default_factory=lambda: np.zeros(0))
    rate_high: FloatArray = field(default_factory=lambda: np.zeros(0))
    payments: FloatArray = field(default_factory=lambda: np.zeros(0))
    once: float = 0.0
    once_low: float = 0.0
    once_high: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)
    transfer_price: float = 1.0
    lag_years: float = 0.0
    tax_character: str = "taxable"
    bankable: bool = True
    confidence: str = "assumed"
    source_id: str = ""
    legal_status: str = ""
    status_date: dt.date | None = None
    version: str = ""
