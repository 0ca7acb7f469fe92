"""The one-page term sheet: at most 60 lines of 100 columns, from the summary of a case.

It shows no number that :func:`~cleanhub.report.finance.summary.case_summary` does not hold.
Policies that say no are listed as far as the page reaches, near misses first; the rest is
counted, and JSON lists it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from cleanhub.report.numbers import MISSING, money, number, percent

WIDTH = 100
LINES = 60
_KINDS = {"sculpted": "sculpted", "level": "level", "mini_perm": "mini-perm", "none": "no debt"}
_LEAST = 6  # lines that policies get at any rate


def term_sheet(summary: Mapping[str, Any]) -> list[str]:
    """The term sheet, line by line, none longer than :data:`WIDTH` and no more than :data:`LINES`."""
    head = [*_heading(summary), "", *_funds(summary), "", *_results(summary), ""]
    tail = ["", *_readiness(summary["readiness"]), "", *_figures(summary["figures"])]
    room = max(LINES - len(head) - len(tail), _LEAST)
    lines = [*head, *_policies(summary["policies"], room), *tail]
    return [cut(line) for line in lines[:LINES]]


def cut(text: str, width: int = WIDTH) -> str:
    """``text`` no longer than ``width``, an ellipsis where something is left out."""
    text = text.rstrip()
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def wrapped(text: str, most: int, indent: str = "  ") -> list[str]:
    """``text`` as at most ``most`` lines of :data:`WIDTH`, cut where it is longer."""
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_long_words=False
    )
    if len(lines) > most:
        lines = [
            *lines[: most - 1],
            cut(" ".join([lines[most - 1], *(line.strip() for line in lines[most:])])),
        ]
    return lines


def _day(text: str | None) -> str:
    return text or "a day not stated"


# ---------------------------------------------------------------- heading and funds


def _heading(summary: Mapping[str, Any]) -> list[str]:
    case, price = summary["case"], summary["price"]
    mark = "ILLUSTRATIVE" if summary["figures"]["illustrative"] else ""
    title = cut(case["title"], WIDTH - len(mark) - 2)
    begins = (
        f"construction begins {_day(case['construction_begins'])}, " if case["construction_begins"] else ""
    )
    places = ", ".join(case["jurisdictions"]) or "no jurisdiction stated"
    about = " ".join(case["description"].split())
    return [
        f"{title}{mark:>{WIDTH - len(title)}}" if mark else title,
        f"case {case['name']}, id {case['id']}; sector {case['sector']}, stage {case['stage']}; {places}",
        *(wrapped(about, 2, "") if about else []),
        (
            f"{number(case['capacity'], 6)} {case['unit']} {case['product']} a year; {begins}in service "
            f"{case['in_service']}, {case['life_years']} years"
        ),
        f"money nominal unless it says {price['unit']}; inflation {_rate(case['inflation'])}; {_tax(case)}",
    ]


def _tax(case: Mapping[str, Any]) -> str:
    federal, state = case["federal_tax_rate"], case["state_tax_rate"]
    if not federal and not state:
        return "NO income tax: no tax law is known there"
    return f"income tax {_rate(federal)}" + (f", state {_rate(state)}" if state else "")


def _funds(summary: Mapping[str, Any]) -> list[str]:
    capital, debt = summary["capital"], summary["debt"]
    year = summary["case"]["price_year"]
    growth = capital["cost_growth"]
    grown = f", cost growth {number(growth)}x in it" if growth and abs(growth - 1) > 1e-9 else ""
    years = summary["years"][: len(capital["by_year_usd"])]
    span = f"{years[0]}-{years[-1]}" if len(years) > 1 else str(years[0])
    lines = [
        (
            f"CAPITAL  {_short_money(capital['overnight_real_usd'])} of {year} overnight{grown}; as spent "
            f"{_short_money(capital['as_spent_usd'])} ({span})"
        ),
        *wrapped("uses     " + _parts(summary["uses"]), 2),
        *wrapped("sources  " + _parts(summary["sources"]), 2),
    ]
    if debt["kind"] == "none":
        return [*lines, "DEBT     none"]
    basis = debt["cash_flow"].replace("_", "-")
    decides = {
        "gearing": "the gearing cap decides",
        "cover": "the cover ratio decides",
        "none lent": "the cash flow carries none",
    }[debt["binding"]]
    years_of_debt = f"{debt['repayment_years']} years"
    if debt["kind"] == "mini_perm":
        years_of_debt = f"{debt['tenor_years']} years, repaid over {debt['repayment_years']}"
    who = "lender's" if debt["sized_on"].startswith("lender") else "sponsor's"
    return [
        *lines,
        *wrapped(
            f"DEBT     {_KINDS[debt['kind']]}, {years_of_debt} at {_rate(debt['rate'])}; cover "
            f"{_times(debt['cover_ratio'])} of {basis} cash flow, gearing cap "
            f"{percent(debt['gearing_cap'])}, fee {_rate(debt['fee'])}",
            2,
            "",
        ),
        (
            f"  {_short_money(debt['debt_usd'])}, {percent(debt['gearing'])} of uses, sized on the {who} "
            f"view; {decides}; reserve {number(debt['reserve_months'])} months"
        ),
    ]


def _short_money(value: float | None) -> str:
    return money(value).replace(" million", " m").replace(" billion", " bn")


def _parts(parts: Mapping[str, float]) -> str:
    total = sum(parts.values()) or 1.0
    shown = [
        f"{name} {_short_money(value)} ({percent(value / total)})"
        for name, value in parts.items()
        if abs(value) > 0.5
    ]
    return "; ".join(shown) or "nothing"


# ---------------------------------------------------------------- results


def _rate(value: float | None) -> str:
    if value is None:
        return MISSING
    return f"{number(100 * value, 3)} %"


def _times(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}x"


def _years(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} years"


def _roots(result: Mapping[str, Any]) -> str:
    others = [rate for rate in result["all_irr"] if result["irr"] is None or abs(rate - result["irr"]) > 1e-6]
    first = "none" if result["irr"] is None else _rate(result["irr"])
    return f"{first} (also {', '.join(map(_rate, others))})" if others else first


def _results(summary: Mapping[str, Any]) -> list[str]:
    views, price, case = summary["results"], summary["price"], summary["case"]
    unit = price["unit"]
    owners = _rate(price["return_on_equity"])
    rows: list[tuple[str, Callable[[Mapping[str, Any]], str]]] = [
        (f"price at return ({owners} on equity), {unit}", lambda r: number(r["price_at_return"], 4)),
        (
            f"levelised cost, real at {_rate(price['levelised_cost_real_rate'])}, before tax and support",
            lambda r: number(r["levelised_cost"], 4),
        ),
        (f"NPV of equity at {owners} nominal, after tax", lambda r: money(r["npv_usd"])),
        ("IRR of equity, nominal after tax", _roots),
        (f"MIRR of equity (both rates {owners})", lambda r: _rate(r["mirr"])),
        ("payback of equity from the first spending", lambda r: _years(r["payback_years"])),
        ("NPV without debt at the project's rate", lambda r: money(r["project_npv_usd"])),
        ("IRR without debt", lambda r: "none" if r["project_irr"] is None else _rate(r["project_irr"])),
        (
            "cover ratio of debt service, least / mean",
            lambda r: (
                "no debt" if r["min_dscr"] is None else f"{_times(r['min_dscr'])} / {_times(r['avg_dscr'])}"
            ),
        ),
        (
            "cover of the debt by loan life / project life",
            lambda r: "no debt" if r["llcr"] is None else f"{_times(r['llcr'])} / {_times(r['plcr'])}",
        ),
    ]
    lines = [f"{'RESULTS':<60}{'sponsor, P50':>20}{'lender, P90':>20}"]
    for label, show in rows:
        ours, theirs = show(views["sponsor_p50"]), show(views["lender_p90"])
        most = WIDTH - 20 - len(ours) - 3  # several rates of return are longer than their column
        lines.append(f"  {cut(label, most):<{most}} {ours}{theirs:>20}")
    return [*lines, *_gap(price, case)]


def _gap(price: Mapping[str, Any], case: Mapping[str, Any]) -> list[str]:
    unit = price["unit"]
    lines = []
    if price["reference"] is None:
        before, after = number(price["before_policy"], 4), number(price["at_return"], 4)
        lines.append(
            f"  price at return {before} before policies, {after} with them; no price of a conventional "
            f"{case['product']}"
        )
    else:
        before, after = _signed(price["gap_before_policy"]), _signed(price["gap"])
        lines.append(
            f"PRICE GAP  {before} before policies, {after} with them, to a reference price of "
            f"{number(price['reference'], 4)} {unit}"
        )
    avoided = price["emissions_avoided_t_per_unit"]
    if price["abatement_cost_usd_per_t"] is None:
        lines.append("ABATEMENT  no tonnes avoided are stated")
    else:
        lines.append(
            f"ABATEMENT  {number(price['abatement_cost_usd_per_t'], 3)} USD of {case['price_year']}/t CO2e "
            f"before policies; {number(avoided, 3)} t CO2e avoided per {case['unit']}"
        )
    return lines


def _signed(value: float | None) -> str:
    return MISSING if value is None else f"{'+' if value > 0 else ''}{number(value, 4)}"


# ---------------------------------------------------------------- policies


def _policies(rows: list[Mapping[str, Any]], room: int) -> list[str]:
    if not rows:
        return ["POLICIES  none were asked"]
    cash = [row for row in rows if row["pays_cash"]]
    other = [row for row in rows if row["answer"] == "pays" and not row["pays_cash"]]
    binds = [row for row in rows if row["answer"] == "requires"]
    refused = [row for row in rows if row["answer"] == "no"]
    near, asleep, apart = ([row for row in refused if row["relevance"] == one] for one in (1, 2, 3))
    lines = [
        f"POLICIES  {len(cash)} pay, {len(other)} change terms, {len(binds)} bind, {len(refused)} say no"
    ]
    for row in cash:
        lines += wrapped(_paying(row), 2)
    for row in other:
        lines += wrapped(f"terms  {row['name']}: {row['because']}", 2)
    if binds:
        lines += wrapped("binds  " + "; ".join(row["name"] for row in binds), 2)
    last = [f"  meant for others: {len(apart)}; --json gives the reason of every no"] if apart else []
    if asleep:
        last = wrapped("not in force  " + "; ".join(map(_asleep, asleep)), 3) + last
    near.sort(key=lambda row: ("not stated" in row["because"], row["rule"].count(";")))
    for number_shown, row in enumerate(near):
        wanted = wrapped(_refusing(row), 2)
        if len(lines) + len(wanted) + len(last) + (number_shown < len(near) - 1) > room:
            lines.append(f"  and {len(near) - number_shown} more say no; cleanhub policy apply tells all")
            break
        lines += wanted
    return [*lines, *last][:room]


def _asleep(row: Mapping[str, Any]) -> str:
    return f"{row['name']} ({row['legal_status']} {row['status_date'] or ''}".rstrip() + ")"


def _paying(row: Mapping[str, Any]) -> str:
    parts = []
    if row["years_paid"]:
        parts.append(f"{money(row['usd_per_year'])} a year, {row['years_paid']} years to {row['last_year']}")
    if row["once_usd"]:
        parts.append(f"{money(row['once_usd'])} once")
    if len(parts) != 1 or row["years_paid"]:
        parts.append(f"{money(row['total_usd'])} in all")
    until = f"; stays so if by {row['until']}" if row["until"] else ""
    weak = "" if row["bankable"] else "; lenders discount it"
    return f"pays   {row['name']}: {', '.join(parts)}{until}{weak}"


def _refusing(row: Mapping[str, Any]) -> str:
    when = f" (yes from {row['becomes']})" if row["becomes"] else ""
    return f"no     {row['name']}: {row['because']}{when}"


# ---------------------------------------------------------------- readiness and figures


def _readiness(found: Mapping[str, Any]) -> list[str]:
    levels = []
    for scale in ("trl", "crl"):
        one = found[scale]
        levels.append(
            f"{scale.upper()} {one['level']} of {one['of']}" if one else f"{scale.upper()} not stated"
        )
    arl = found["arl"]
    levels.append(f"ARL {arl['level']} of 9, {arl['band']}" if arl else "ARL not rated")
    if arl:
        levels.append(f"{len(arl['high'])} adoption risks high")
    legs = found["legs"]
    names = ("market_driver", "ready_technology", "risk_tolerant_capital")
    shown = ", ".join(f"{name.replace('_', ' ')} {_leg(legs[name])}" for name in names)
    binds = f": {legs['binds'].replace('_', ' ')} binds" if legs["binds"] else ""
    fid = found["fid"]
    missing = [one["name"].lower() for one in fid["missing"] if one["critical"]]
    ready = "nothing critical is missing" if fid["ready"] else f"{fid['critical_missing']} critical missing"
    lines = [
        "READINESS  " + "; ".join(levels),
        *wrapped(f"weakest of three legs {_leg(legs['minimum'])}{binds} ({shown})", 2),
    ]
    text = f"for the investment decision {fid['closed']} of {fid['total']} items closed, {ready}"
    text += f": {', '.join(missing)}" if missing else ""
    return [*lines, *wrapped(text, 2)]


def _leg(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"


def _figures(counts: Mapping[str, Any]) -> list[str]:
    kinds = ", ".join(f"{counts[one]} {one}" for one in ("seen", "derived", "recalled", "assumed"))
    own = "all" if counts["from_archetype"] == counts["total"] else str(counts["from_archetype"])
    lines = [
        (
            f"FIGURES  {counts['total']} stated: {kinds}; {own} from archetype; "
            f"{counts['defaults']} at defaults"
        )
    ]
    if counts["illustrative"]:
        lines.append(
            f"  illustrative: {percent(counts['weak_share'])} of the figures are recalled or assumed; a term "
            "sheet for lenders needs your own"
        )
    return lines
