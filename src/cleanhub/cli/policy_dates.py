"""The command ``policy dates``: what each rule asks or pays by when, in order of date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cleanhub.cli.output import JsonOption, day_of, indented, out, print_json
from cleanhub.cli.policy_session import AboutOption, HubOption, policy_book
from cleanhub.core.errors import FaultList

if TYPE_CHECKING:
    from cleanhub.policy.dates import PolicyDate


def add_dates_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("dates")(policy_dates)


def policy_dates(
    about: AboutOption = None,
    after: Annotated[str | None, typer.Option(help="only days from this one on, YYYY-MM-DD")] = None,
    hub: HubOption = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario", "-s", help="with its choices: delayed, ended or enacted policies (needs --hub)"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what each policy asks or pays by when: states in law, deadlines, targets, first and last years."""
    from cleanhub.policy.dates import STATE
    from cleanhub.policy.dates import about as policies_about
    from cleanhub.policy.dates import policy_dates as dates_of

    first = day_of("--after", after, "policy dates")
    faults = FaultList()
    if scenario is not None and hub is None:
        faults.add("--scenario", what="of which hub?", found=scenario, allowed="with --hub")
    faults.raise_if_any("policy dates")
    book = policy_book(hub, scenario, None)[0]
    policies = policies_about(book, about or ())
    every = dates_of(book, policies)
    found = [one for one in every if first is None or one.day >= first]
    if as_json:
        print_json([_as_dict(one) for one in found])
        return
    before = [one for one in every if one.kind == STATE and one not in found]
    out.print(f"\n{len(policies)} policies, {len(found)} dates", style="bold", highlight=False)
    for one in found:
        _say(one)
    if before:
        out.print(f"\nHow they stood before {after}", style="bold", highlight=False)
    for one in before:
        _say(one)
    out.print("\ncleanhub policy show ID: its amounts, conditions and source", style="dim", highlight=False)


def _say(one: PolicyDate) -> None:
    rule = one.policy
    place = ", ".join(rule.jurisdiction)
    head = f"{one.when:<10}  {rule.name} ({rule.policy}), {place}, {rule.legal_status.replace('_', ' ')}"
    out.print(indented(head, indent=0, hang=12), highlight=False, markup=False)
    text = f"{one.what} [{one.confidence}, {one.source_id}]"
    out.print(indented(text, indent=12), highlight=False, markup=False)


def _as_dict(one: PolicyDate) -> dict[str, object]:
    return {
        "when": one.when,
        "policy": one.policy.policy,
        "name": one.policy.name,
        "jurisdiction": list(one.policy.jurisdiction),
        "legal_status": one.policy.legal_status,
        "kind": one.kind,
        "what": one.what,
        "source_id": one.source_id,
        "confidence": one.confidence,
    }
