"""What policies and tax law say to a case: the bridge from a case to the policy room.

:func:`applicant_of` shows a case to the law; :func:`setting_of` asks every policy and gives the
:class:`~cleanhub.finance.build.Setting` that the engine reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cleanhub.core.errors import FaultList
from cleanhub.finance.build import Reading, Setting, TaxTerms, operating_years
from cleanhub.finance.cases import LoadedCase
from cleanhub.policy.applicant import Answer, Applicant
from cleanhub.policy.apply import answers
from cleanhub.policy.book import PolicyBook

TAX_RATE, DEPRECIATION = "tax_rate", "depreciation"


def applicant_of(loaded: LoadedCase, book: PolicyBook, without: Iterable[str] = ()) -> Applicant:
    """The case as policies see it: dates, yearly quantities of the central reading, facts.

    Readiness and stage are facts too where the case states them; ``without`` names policies
    that it does not ask for, besides those the case names.

    Raises :class:`~cleanhub.core.errors.InputError` for a quantity in a unit that policies cannot count.
    """
    case = loaded.case
    units = quantity_units(book)
    reading = Reading(loaded, loaded.values, Setting(quantity_units=units))
    own = case.production
    codes = dict.fromkeys([own.policy_product, *own.by_products, *own.bought])
    quantities, faults = {}, FaultList()
    for code in filter(None, codes):
        try:
            amount = reading.policy_quantity(code)
        except ValueError:  # of another dimension than what policies count
            path = "production.unit" if code == own.policy_product else f"production.by_products.{code}"
            found = loaded.unit if path == "production.unit" else loaded.figures[path].unit
            allowed = f"a unit of {dict(units)[code]}"
            faults.add(loaded.shown, column=path, what="policies count another", found=found, allowed=allowed)
            continue
        if amount is not None:
            quantities[code] = amount[:, 0]
    faults.raise_if_any(f"case {loaded.shown}")
    facts = dict(case.project.facts)
    facts.setdefault("stage", case.project.stage)
    if case.readiness.trl is not None:
        facts.setdefault("trl", float(case.readiness.trl))
    begins = case.project.construction_begins
    service = case.project.in_service
    if begins is None:
        begins = service.replace(year=service.year - len(case.capital.spending), day=min(service.day, 28))
    dropped = dict.fromkeys([*case.policies.without, *without])
    return Applicant(
        name=case.name,
        jurisdictions=frozenset(case.project.jurisdictions),
        sector=case.project.sector,
        technology=case.project.technology,
        product=case.production.product,
        construction_begins=begins,
        in_service=service,
        years=operating_years(service, case.production.life),
        quantities=quantities,
        capital_usd=float(reading.spending.sum()),
        facts=facts,
        claims=tuple(one for one in case.policies.claims if one not in dropped),
        without=tuple(dropped),
    )


def setting_of(loaded: LoadedCase, book: PolicyBook, without: Iterable[str] = ()) -> Setting:
    """Every policy's answer to the case, and the tax law of its jurisdictions.

    Raises :class:`~cleanhub.core.errors.InputError` when the case claims a policy that there
    is none of.
    """
    given = applicant_of(loaded, book, without)
    inflation = float(loaded.values("inflation"))
    found = tuple(answers(book, given, inflation=inflation, rate=float(loaded.values("returns.project"))))
    return Setting(found, tax_terms(found, book), quantity_units(book))


def tax_terms(found: Iterable[Answer], book: PolicyBook) -> TaxTerms:
    """Rates and depreciation from the answers of tax law; nothing where no law applies.

    A law of a part of a country (its jurisdiction has a hyphen: ``US-CA``) makes the state book.
    """
    terms = TaxTerms()
    for answer in found:
        if answer.answer == "no":
            continue
        if answer.instrument == TAX_RATE:
            rate = float(answer.terms.get("tax_rate", 0.0))
            share = float(answer.terms.get("loss_share", 1.0))
            if any("-" not in place for place in book.policies[answer.policy].jurisdiction):
                terms = replace(terms, federal_rate=rate, federal_loss_share=share)
            else:
                terms = replace(terms, state_rate=rate, state_loss_share=share)
        elif answer.instrument == DEPRECIATION and "share" in answer.terms:
            terms = replace(terms, bonus=max(terms.bonus, float(answer.terms["share"])))
    return terms


def quantity_units(book: PolicyBook) -> tuple[tuple[str, str], ...]:
    """Unit of every quantity that policies count, by its code."""
    codes = sorted({code for policy in book.policies.values() for code in policy.quantity})
    return tuple((code, book.unit(code)) for code in codes)
