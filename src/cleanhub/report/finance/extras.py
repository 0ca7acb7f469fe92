"""Further parts below a term sheet, as lines of at most 100 columns: risk, tornado, support, frozen case."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cleanhub.finance.returns import all_rates_of_return
from cleanhub.report.finance.summary import plain
from cleanhub.report.finance.term_sheet import cut, wrapped
from cleanhub.report.numbers import MINUS, MISSING, money, number, percent

if TYPE_CHECKING:  # what draws needs scipy.stats, which takes longer to load than a case to value
    from cleanhub.finance.cases import LoadedCase
    from cleanhub.finance.frozen import FrozenCase
    from cleanhub.finance.frozen_today import Recomputed
    from cleanhub.finance.risk import Distribution
    from cleanhub.finance.sensitivity import Bar, BreakEven, PolicyValue
    from cleanhub.finance.support_needed import Package

SHOWN = 12
MILLION = 1e6


def rows_of(found: Iterable[Any]) -> list[dict[str, Any]]:
    """Findings (dataclasses) as plain rows, with the properties that name and measure them."""
    rows = []
    for one in found:
        row = dataclasses.asdict(one)
        for name in ("name", "swing"):
            if name not in row and hasattr(one, name):
                row[name] = getattr(one, name)
        rows.append(plain(row))
    return rows


def distribution_lines(drawn: Distribution) -> list[str]:
    """What the draws say: percentiles of the results and the chances."""
    debt = "debt sized in each" if drawn.whole else "debt service fixed"
    lines = [
        f"RISK  {drawn.samples:,} draws of {len(drawn.paths)} uncertain figures, seed {drawn.seed}, {debt}",
        f"  {'':<36}{'P10':>15}{'P50':>15}{'P90':>15}{'mean':>15}",
    ]
    shows = (
        ("NPV of equity", "npv_usd", money),
        ("IRR of equity", "irr", _rate),
        ("least cover ratio", "min_dscr", _times),
    )
    for label, name, show in shows:
        cells = [show(drawn.percentile(name, one)) for one in (10, 50, 90)] + [show(drawn.mean(name))]
        without = float(np.isnan(drawn.of(name)).mean())
        label += f" ({percent(without)} have none)" if without else ""
        lines.append(f"  {label:<36}" + "".join(f"{cell:>15}" for cell in cells))
    lines.append(
        f"  owners fall short of their return in {percent(drawn.probability_of_loss)} of draws; debt "
        f"service is not covered in {percent(drawn.probability_not_covered)}"
    )
    lines.append(f"  mean NPV of the worst 5 %: {money(drawn.expected_shortfall())}")
    lines += [line for note in drawn.notes for line in wrapped(f"note: {note}", 2)]
    return [cut(line) for line in lines]


def _rate(value: float) -> str:
    return MISSING if np.isnan(value) else f"{number(100 * value)} %"


def _times(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.2f}x".replace("-", MINUS)


def tornado_lines(bars: Sequence[Bar], worth: Sequence[PolicyValue], loaded: LoadedCase) -> list[str]:
    """The figures that move NPV most, and the value of each policy by its removal."""
    lines = [
        "WHAT MOVES NPV  each figure at its 10th and 90th percentile, all else central, debt service fixed",
        f"  {'':<46}{'low':>10}{'high':>10}{'NPV at low':>16}{'NPV at high':>16}",
    ]
    for bar in bars[:SHOWN]:
        million = max(abs(bar.low), abs(bar.high)) >= MILLION
        scale, unit = (MILLION, f"million {bar.unit}") if million else (1.0, bar.unit)
        label = cut(f"{bar.path} [{unit}]", 45)
        lines.append(
            f"  {label:<46}{number(bar.low / scale):>10}{number(bar.high / scale):>10}"
            f"{money(bar.at_low):>16}{money(bar.at_high):>16}"
        )
    if not bars:
        lines.append("  no figure of this case has a range")
    if len(bars) > SHOWN:
        lines.append(f"  and {len(bars) - SHOWN} more: --json lists all")
    if len(worth) > 1:
        unit = f"USD/{loaded.unit}"
        lines.append(
            "VALUE OF POLICIES  by removal: NPV of equity, price at return, present value of the cash"
        )
        for one in worth:
            lines.append(
                f"  {cut(one.name, 45):<46}{money(one.npv_change_usd):>16}"
                f"{f'{number(one.price_change)} {unit}':>20}{money(one.cash_usd):>16}"
            )
            if one.note:
                lines += wrapped(one.note, 2, "    ")
    return [cut(line) for line in lines]


def break_even_lines(found: Sequence[BreakEven]) -> list[str]:
    """The value of each figure at which owners just earn their return, all else central."""
    lines = [
        "BREAK-EVEN  the value of one figure at which NPV of equity is 0, all else central, debt sized anew"
    ]
    for one in found:
        label = cut(f"{one.path} [{one.unit}]", 45)
        even = one.reason if np.isnan(one.value) else f"{number(one.value)} instead of {number(one.central)}"
        lines += wrapped(f"{label:<46}{even}", 2)
    return [cut(line) for line in lines]


def support_lines(packages: Sequence[Package]) -> list[str]:
    """Packages that close the gap, least public cost first, and those that do not."""
    enough = "what lets owners earn their return, least public cost first"
    if not any(one.closes for one in packages):
        enough = "nothing tried lets owners earn their return; what closes most of the gap first"
    lines = [
        f"SUPPORT  {enough}",
        f"  {'':<46}{'public cost':>16}{'per t CO2e':>14}{'gap closed':>12}",
    ]
    for one in packages:
        name = one.name.replace("_", " ")
        cost = money(one.public_cost_usd)
        tonne = MISSING if np.isnan(one.cost_per_tonne) else f"${number(one.cost_per_tonne)}"
        lines.append(f"  {cut(name, 45):<46}{cost:>16}{tonne:>14}{percent(one.gap_closed):>12}")
        amounts = [_amount(part, one.amounts[part], one.units.get(part, "")) for part in one.amounts]
        if amounts:
            lines += wrapped("; ".join(amounts), 2, "    ")
        if one.because:
            lines += wrapped(one.because, 2, "    ")
        if one.short_years:
            lines.append(
                f"    in {one.short_years} years the central cash flow is less than the service of all loans"
            )
    return [cut(line) for line in lines]


def _amount(name: str, amount: float, unit: str) -> str:
    words = name.replace("_", " ")
    if unit == "USD":
        return f"{words} {money(amount)}"
    if unit in ("1", "share"):
        return f"{words} {percent(amount)}"
    return f"{words} {number(amount)} {unit}"


def frozen_lines(frozen: FrozenCase, again: Recomputed | None, because: str = "") -> list[str]:
    """What a frozen case is, and whether today's program still gives it."""
    based = f"; follows {frozen.based_on}" if frozen.based_on else ""
    policies = f"; policies: {frozen.policies_version}" if frozen.policies_version else ""
    lines = [
        f"FROZEN  {frozen.id}, as of {frozen.as_of}, by cleanhub {frozen.program_version}{based}{policies}",
        f"  sha256 {frozen.sha256}",
    ]
    for edit in frozen.edits:
        before, after = ("nothing" if one is None else one for one in (edit.before, edit.after))
        lines += wrapped(
            f"edit {edit.when} by {edit.who}: {edit.path} from {before} to {after} ({edit.reason})", 2
        )
    if again is None:
        return [*lines, *wrapped(f"today's program cannot value it again: {because}", 3)]
    if again.same:
        return [*lines, "  today's program gives the same, every line to the cent"]
    differ = [line for line in again.lines() if not line.endswith(": the same")]
    lines.append(
        f"  today's program differs in {len(differ)} of {len(again.checked)} lines; what follows is "
        "as it was frozen"
    )
    for line in differ[:SHOWN]:
        lines += wrapped(line, 2, "    ")
    return [cut(line) for line in lines]


def frozen_summary(frozen: FrozenCase, summary: Mapping[str, Any]) -> dict[str, Any]:
    """A summary made today, with the results and flows that the frozen case holds in their place."""
    found = dict(summary)
    found["results"] = {
        name: {
            **summary["results"][name],
            **plain(view.metrics),
            "all_irr": all_rates_of_return(view.lines["equity"].values),
        }
        for name, view in frozen.views.items()
    }
    prices = {
        "price_at_return": "at_return",
        "price_before_policy": "before_policy",
        "reference_price": "reference",
        "price_gap": "gap",
        "price_gap_before_policy": "gap_before_policy",
        "abatement_cost": "abatement_cost_usd_per_t",
    }
    kept = {ours: plain(frozen.results[name]) for name, ours in prices.items() if name in frozen.results}
    found["price"] = {**summary["price"], **kept}
    for name, theirs in (("sponsor_p50", "price_at_return"), ("lender_p90", "lender_price_at_return")):
        if theirs in frozen.results:
            found["results"][name]["price_at_return"] = plain(frozen.results[theirs])
    found["flows"] = {
        name: {
            label: {"first_year": line.first_year, "values": plain(line.values)}
            for label, line in view.lines.items()
        }
        for name, view in frozen.views.items()
    }
    return found


def frozen_data(frozen: FrozenCase, again: Recomputed | None, because: str = "") -> dict[str, Any]:
    """The same for JSON."""
    found: dict[str, Any] = {
        "id": frozen.id,
        "sha256": frozen.sha256,
        "as_of": frozen.as_of,
        "program_version": frozen.program_version,
        "policies_version": frozen.policies_version,
        "based_on": frozen.based_on,
        "edits": rows_of(frozen.edits),
        "same": None if again is None else again.same,
        "because": because,
    }
    if again is not None:
        found["differences"] = rows_of(again.differences)
    done: dict[str, Any] = plain(found)
    return done
