"""Commands on policies: list them, show one with its rows, ask all of them about a project."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from cleanhub.cli.output import JsonOption, ScenarioOption, indented, out, print_json
from cleanhub.cli.policy_cost import add_cost_command
from cleanhub.cli.policy_dates import add_dates_command
from cleanhub.cli.policy_session import AboutOption, HubOption, policy_book
from cleanhub.core.errors import FaultList, InputError

if TYPE_CHECKING:
    from cleanhub.hub.package import Hub
    from cleanhub.hub.scenario import Scenario
    from cleanhub.policy.applicant import Answer, Applicant, Fact
    from cleanhub.policy.book import PolicyBook

policy_app = typer.Typer(
    help="Policies: what there is, what each says, what a project gets.", no_args_is_help=True
)
add_dates_command(policy_app)
add_cost_command(policy_app)

FilesOption = Annotated[
    list[Path] | None, typer.Option("--policies", help="YAML file of a policy of your own; may be repeated")
]


@policy_app.command("list")
def policy_list(about: AboutOption = None, hub: HubOption = None, as_json: JsonOption = False) -> None:
    """List the policies with their kind, place and state in law; with --about those on a subject."""
    from cleanhub.policy.dates import about as policies_about

    book = policy_book(hub, None, None)[0]
    rows = [
        {
            "policy": one.policy,
            "name": one.name,
            "instrument": one.instrument,
            "where": ", ".join(one.jurisdiction),
            "state": one.legal_status,
            "as of": one.status_date.isoformat(),
            "confidence": one.confidence,
            "version": one.version,
        }
        for one in policies_about(book, about or ())
    ]
    if as_json:
        print_json(rows)
        return
    out.print(f"\n{len(rows)} policies", style="bold", highlight=False)
    for row in rows:
        out.print(f"{row['policy']:<25} {row['name']}", highlight=False, markup=False)
        law = f"{row['instrument']}, {row['where']}, {row['state']} as of {row['as of']}".replace("_", " ")
        out.print(f"{'':<25} {law}", highlight=False, markup=False, style="dim")
    out.print("\ncleanhub policy show ID: its amounts, conditions and source", style="dim", highlight=False)
    out.print("cleanhub policy dates: what is asked or paid by when", style="dim", highlight=False)


@policy_app.command("show")
def policy_show(
    policy: Annotated[str, typer.Argument(help="identifier, as policy list prints it")],
    hub: HubOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one policy: what it does, its amounts, conditions, exclusions and source."""
    book = policy_book(hub, None, None)[0]
    one = book.policy(policy)
    frames = {
        name.removeprefix("policy_"): book.tables[name][book.tables[name]["policy"] == policy]
        for name in ("policy_values", "policy_conditions")
    }
    excludes = [{"exclusion": e.exclusion, "with": e.other, "scope": e.scope} for e in one.exclusions]
    if as_json:
        head = book.tables["policies"]
        row = head[head["policy"] == policy].iloc[0]
        shown: dict[str, Any] = {str(k): _plain(v) for k, v in row.items()}
        for name, frame in frames.items():
            shown[name] = [{str(k): _plain(v) for k, v in r.items()} for r in frame.to_dict("records")]
        print_json({**shown, "exclusions": excludes, "version": one.version})
        return
    out.print(f"\n[bold]{escape(one.name)}[/bold] ({one.policy})", highlight=False)
    out.print(f"{one.summary}.", highlight=False, markup=False)
    facts = [
        ("kind", book.meaning("policy_instrument", one.instrument)),
        ("where", ", ".join(book.meaning("jurisdiction", place) for place in one.jurisdiction)),
        (
            "state",
            f"{one.legal_status} as of {one.status_date}: {book.meaning('legal_status', one.legal_status)}",
        ),
        ("amount", book.meaning("policy_rule", one.rule)),
        ("paid for", "; ".join(f"{q}: {book.meaning('policy_quantity', q)}" for q in one.quantity)),
        ("paid", _span(one.years_paid, one.pays_from, one.pays_until)),
        ("tax", book.meaning("tax_character", one.tax_character)),
        ("lenders", "count it" if one.bankable else "do not count it"),
        ("note", one.note),
        ("source", f"{one.source_id} ({one.confidence})"),
        ("version", one.version),
    ]
    for name, text in facts:
        if text:
            out.print(indented(f"{name:<9} {text}", indent=0, hang=10), highlight=False, markup=False)
    _show_rows("Values", [_value_words(row) for row in frames["values"].to_dict("records")])
    _show_rows("Conditions", [_condition_words(row) for row in frames["conditions"].to_dict("records")])
    _show_rows("Not together with", [f"{e['with']}: {e['scope']} ({e['exclusion']})" for e in excludes])


def _show_rows(title: str, lines: Sequence[str]) -> None:
    if lines:
        out.print(f"\n[bold]{title}[/bold]", highlight=False)
    for line in lines:
        out.print(indented(line, hang=4), highlight=False, markup=False)


def _value_words(row: dict[Any, Any]) -> str:
    """One value as a line: what, for whom, when, how much, how sure, from where."""
    import pandas as pd

    words = [str(row["item"])]
    words += [f"for {row['selector']}"] if row["selector"] else []
    words += [str(row["year"])] if pd.notna(row["year"]) else []
    words += [f"from {row['tier_from']:g} on"] if pd.notna(row["tier_from"]) else []
    words += [f"in service from {row['in_service_from']}"] if row["in_service_from"] else []
    unit = "" if row["unit"] == "1" else f" {row['unit']}"
    amount = f"{row['value']:,.10g}{unit}"
    if pd.notna(row["low"]) or pd.notna(row["high"]):
        ends = (f"{row[end]:,.10g}" if pd.notna(row[end]) else "" for end in ("low", "high"))
        amount += f" ({' to '.join(ends)})"
    if pd.notna(row["indexed_from"]):
        amount += f", indexed from {row['indexed_from']}"
    note = f": {row['note']}" if row["note"] else ""
    return f"{' '.join(words)} = {amount} [{row['confidence']}, {row['source_id']}]{note}"


def _condition_words(row: dict[Any, Any]) -> str:
    parts = [row["test"], row["fact"], row["value"]]
    tested = " ".join(str(part) for part in parts if part)
    whom = f" (for {row['applies_to']})" if row["applies_to"] else ""
    enough = f" (one of {row['either']} is enough)" if row["either"] else ""
    return f"{row['condition']}: {tested}{whom}{enough} [{row['confidence']}, {row['source_id']}]"


@policy_app.command("apply")
def policy_apply(
    project: Annotated[str, typer.Argument(help="a project id of the hub, or a YAML case file")],
    hub: HubOption = "california",
    scenario: ScenarioOption = None,
    policies: FilesOption = None,
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", help="state a fact: NAME=VALUE (yes, no, a number, a date, a word)"),
    ] = None,
    claim: Annotated[
        list[str] | None, typer.Option("--claim", help="policy it asks for; the first wins; may be repeated")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every policy about a project: what it pays in which year, or no, because."""
    from dataclasses import replace

    from cleanhub.policy.apply import answers

    book, loaded, chosen = policy_book(hub, scenario, policies, default_scenario=True)
    applicant, archetype = _applicant(project, loaded, chosen, book)
    applicant = replace(
        applicant,
        facts={**applicant.facts, **_facts(fact or [], book)},
        claims=tuple(claim) if claim else applicant.claims,
    )
    found = answers(book, applicant)
    if as_json:
        print_json(
            {
                "project": applicant.name,
                "facts_from_archetype": archetype,
                "scenario": "" if chosen is None else chosen.name,
                "years": applicant.years.tolist(),
                "answers": [_as_dict(answer) for answer in found],
            }
        )
        return
    _show_answers(applicant, found, book)
    if archetype:
        out.print(
            f"\nFacts and quantities that the project does not publish are those of archetype {archetype}, "
            "assumed: state your own with --fact, or with a case file.",
            highlight=False,
            style="dim",
        )


def _applicant(
    project: str, hub: Hub | None, scenario: Scenario | None, book: PolicyBook
) -> tuple[Applicant, str]:
    """The applicant of a case file, or of a project of the hub, and the archetype that fills its facts.

    A project that has a case answers as it does when it is valued; any other states what the
    hub's table says.
    """
    from cleanhub.finance.policy_setting import applicant_of
    from cleanhub.hub.library import load_library
    from cleanhub.policy.from_project import applicant_of_project

    path = Path(project)
    if path.suffix in (".yaml", ".yml"):
        from cleanhub.finance.cases import read_case

        case = read_case(path, hub.library if hub is not None else load_library())
        return applicant_of(case, book), case.case.based_on or ""
    if hub is None:
        faults = FaultList()
        faults.add(project, what="a project needs its hub", allowed="--hub HUB")
        raise InputError(f"project {project}", faults.faults)
    rows = hub.tables["projects"]
    rows = rows[rows["project_id"] == project]
    if len(rows) and scenario is not None:
        from cleanhub.finance.from_project import project_case

        found = project_case(rows.iloc[0], hub, scenario)
        if found.loaded is not None:
            return applicant_of(found.loaded, book), found.archetype
    return applicant_of_project(hub, project, book, scenario), ""


def _facts(given: Sequence[str], book: PolicyBook) -> dict[str, Fact]:
    """``NAME=VALUE`` words as facts; every unknown name and every word without = is a fault."""
    faults = FaultList()
    known = sorted(code for codelist, code in book.meanings if codelist == "policy_fact")
    found: dict[str, Fact] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in known:
            what = "no such fact" if equals else "not NAME=VALUE"
            faults.add("--fact", what=what, found=text, allowed=", ".join(known))
            continue
        found[name] = _fact(value)
    faults.raise_if_any("facts")
    return found


def _fact(text: str) -> Fact:
    if text in ("yes", "true", "no", "false"):
        return text in ("yes", "true")
    for read in (float, dt.date.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return text


# ---------------------------------------------------------------- printing


def _span(years: int | None, begin: dt.date | None, end: dt.date | None) -> str:
    parts = [f"for {years} operating years"] if years else []
    parts += [f"from {begin}"] if begin else []
    parts += [f"until {end}"] if end else []
    return ", ".join(parts)


def _plain(value: Any) -> Any:
    import pandas as pd

    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _as_dict(answer: Answer) -> dict[str, Any]:
    from dataclasses import fields

    import numpy as np

    shown: dict[str, Any] = {}
    for one in fields(answer):
        value = getattr(answer, one.name)
        if isinstance(value, np.ndarray):
            value = value.tolist()
        elif isinstance(value, dt.date):
            value = value.isoformat()
        shown[one.name] = dict(value) if one.name == "terms" else value
    return shown


def _show_answers(applicant: Applicant, found: Sequence[Answer], book: PolicyBook) -> None:
    out.print(f"\n[bold]{escape(applicant.name)}[/bold], {applicant.sector}", highlight=False)
    begins = applicant.construction_begins or "not stated"
    service = applicant.in_service or "not stated"
    out.print(f"construction begins {begins}, in service {service}", highlight=False)
    for verdict, title in (("pays", "Pays"), ("requires", "Binds it")):
        chosen = [answer for answer in found if answer.answer == verdict]
        if chosen:
            out.print(f"\n[bold]{title} ({len(chosen)})[/bold]", highlight=False)
        for answer in chosen:
            _show_yes(applicant, answer)
    refused = [answer for answer in found if answer.answer == "no"]
    near = [answer for answer in refused if _concerns(answer, book)]
    out.print(f"\n[bold]No ({len(near)})[/bold]", highlight=False)
    for answer in near:
        _show_head(answer)
        out.print(indented(f"no, because {answer.because}"), highlight=False, markup=False)
        if answer.becomes is not None:
            out.print(indented(f"a yes from {answer.becomes} on"), highlight=False, markup=False)
    far = [answer for answer in refused if answer not in near]
    if far:
        out.print(f"\n[bold]No, not a project of that kind ({len(far)})[/bold]", highlight=False)
    for answer in far:
        first = answer.because.split("; and ")[0].split("; ")[0]
        out.print(indented(f"{answer.policy}: {first}", indent=0, hang=4), highlight=False, markup=False)
    out.print("\nmoney is nominal USD, before any discount of a transfer", style="dim", highlight=False)


def _concerns(answer: Answer, book: PolicyBook) -> bool:
    """Whether the policy is about projects of this kind and place at all."""
    kinds = ("technology_in", "product_in", "product_not_in", "sector_in")
    elsewhere = {"quantity", "jurisdiction"}
    elsewhere |= {
        one.condition
        for one in book.policies[answer.policy].conditions
        if one.test in kinds and not one.either
    }
    return not elsewhere.intersection(answer.rule.split(";"))


def _show_head(answer: Answer) -> None:
    head = f"[bold]{answer.policy}[/bold]  {escape(answer.name)}"
    out.print(f"{head} [dim]({_state(answer)})[/dim]", highlight=False)


def _show_yes(applicant: Applicant, answer: Answer) -> None:
    _show_head(answer)
    money = _money(applicant, answer)
    if money:
        out.print(indented(money), highlight=False, markup=False)
    out.print(indented(f"because {answer.because}"), highlight=False, markup=False)
    if answer.terms:
        terms = ", ".join(f"{name} {value:,.6g}" for name, value in answer.terms.items())
        out.print(indented(f"terms: {terms}"), highlight=False, markup=False)
    if answer.until is not None:
        out.print(indented(f"stays a yes to {answer.until}"), highlight=False, markup=False)
    if answer.transfer_price != 1.0:
        out.print(indented(f"sold, a dollar of it brings {answer.transfer_price:.3g}"), highlight=False)


def _money(applicant: Applicant, answer: Answer) -> str:
    """First year paid, yearly mean, total."""
    import numpy as np

    parts = []
    if answer.once:
        parts.append(f"{_usd(answer.once)} once")
    where = np.flatnonzero(answer.payments)
    if len(where):
        first, last = (int(applicant.years[k]) for k in (where[0], where[-1]))
        total = float(answer.payments.sum())
        parts.append(
            f"{_usd(float(answer.payments[where[0]]))} in {first}, "
            f"{_usd(total / len(where))} a year on average to {last}, {_usd(total)} in all"
        )
    return "; ".join(parts)


def _usd(amount: float) -> str:
    for size, word in ((1e9, "billion "), (1e6, "million ")):
        if abs(amount) >= size:
            return f"{amount / size:,.2f} {word}USD"
    return f"{amount:,.0f} USD"


def _state(answer: Answer) -> str:
    return f"{answer.legal_status.replace('_', ' ')} as of {answer.status_date}; {answer.confidence}"
