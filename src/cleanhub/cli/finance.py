"""The command on project cases: value one, print its term sheet, write its workbook and charts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cleanhub.cli.finance_archetypes import add_archetypes_command
from cleanhub.cli.output import GroupWithDefault, JsonOption, ScenarioOption, day_of, out, print_json, records
from cleanhub.cli.portfolio import add_portfolio_command
from cleanhub.core.errors import FaultList, InputError

if TYPE_CHECKING:
    from cleanhub.finance.build import Setting
    from cleanhub.finance.case_value import CaseValue
    from cleanhub.finance.cases import LoadedCase
    from cleanhub.hub.library import Library
    from cleanhub.policy.book import PolicyBook

DEFAULT_HUB = "california"
CHART_SAMPLES = 2000
_VALUE = "value"


class _CaseOrCommand(GroupWithDefault):
    """A group whose first word may be a case."""

    default = _VALUE


finance_app = typer.Typer(
    cls=_CaseOrCommand,
    help="What projects are worth to their owners and lenders. `finance CASE` is `finance value CASE`.",
    no_args_is_help=True,
)
add_archetypes_command(finance_app)
add_portfolio_command(finance_app)

PoliciesOption = Annotated[
    list[Path] | None, typer.Option("--policies", help="a YAML file with a policy of your own")
]


@finance_app.command(_VALUE)
def value_command(
    target: Annotated[
        str,
        typer.Argument(
            metavar="CASE",
            help="a case file (.yaml), a frozen case (.json), an archetype, or a project id of the hub",
        ),
    ],
    *,
    hub: Annotated[
        str | None,
        typer.Option(
            "--hub", help="a hub whose policies apply, or whose project is valued (default: california)"
        ),
    ] = None,
    scenario: ScenarioOption = None,
    policies: PoliciesOption = None,
    workbook: Annotated[
        Path | None,
        typer.Option("--workbook", help="write the cash flow as a workbook with formulas (.xlsx)"),
    ] = None,
    charts: Annotated[
        Path | None, typer.Option("--charts", help="folder for charts (SVG) and their data (CSV)")
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", help="value this many draws of the uncertain figures", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="seed of the draws", min=0)] = 0,
    tornado: Annotated[
        bool, typer.Option("--tornado", help="show which figures and policies move the value most")
    ] = False,
    support: Annotated[
        bool, typer.Option("--support", help="show what public support closes the gap, least cost first")
    ] = False,
    break_even: Annotated[
        list[str] | None,
        typer.Option(
            "--break-even", help="figure, as inputs.wood.price: its value at which NPV is 0; may be repeated"
        ),
    ] = None,
    freeze: Annotated[
        Path | None, typer.Option("--freeze", help="write a frozen case (.json) that reopens to the cent")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="day it is judged on, YYYY-MM-DD (default: the scenario's)")
    ] = None,
    follows: Annotated[
        Path | None,
        typer.Option("--follows", help="with --freeze: the frozen case (.json) that this one changes"),
    ] = None,
    by: Annotated[
        str, typer.Option("--by", envvar="CLEANHUB_BY", help="with --follows: who changed the assumptions")
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="with --follows: why they were changed")] = "",
    as_json: JsonOption = False,
) -> None:
    """Value a project: term sheet with sponsor's and lender's view, workbook, charts, risk, support."""
    day = day_of("--as-of", as_of, "finance")
    wanted = _Wanted(workbook, charts, samples, seed, tornado, support, freeze, tuple(break_even or ()))
    signed = _signed(freeze, follows, by, reason)
    if target.endswith(".json"):
        given: dict[str, object] = {"--hub": hub, "--scenario": scenario, "--policies": policies}
        given |= {"--as-of": day, "--follows": follows}
        _refuse_on_frozen({**given, **wanted.beyond_workbook()})
        _show_frozen(Path(target), wanted, as_json)
        return
    _show(_open(target, hub, scenario, policies or [], day), wanted, signed, as_json)


@dataclass(frozen=True)
class _Signed:
    """The frozen case that a new one follows, and who changed it, why."""

    follows: Path
    by: str
    reason: str


def _signed(freeze: Path | None, follows: Path | None, by: str, reason: str) -> _Signed | None:
    """Faults of the options that belong together, and what they say."""
    faults = FaultList()
    if follows is None:
        if reason:
            faults.add("--reason", what="says why a frozen case was changed", allowed="with --follows FILE")
    else:
        if freeze is None:
            faults.add("--follows", what="belongs to a new frozen case", allowed="with --freeze FILE")
        for option, said in (("--by", by), ("--reason", reason)):
            if not said.strip():
                faults.add(option, what="is empty", allowed="who changed the assumptions, and why")
    faults.raise_if_any("finance")
    return None if follows is None else _Signed(follows, by, reason)


def _refuse_on_frozen(given: dict[str, object]) -> None:
    faults = FaultList()
    for option, value in given.items():
        if value:
            faults.add(option, what="a frozen case is as it was", allowed="--workbook and --json only")
    faults.raise_if_any("finance")


# ---------------------------------------------------------------- opening a case


@dataclass(frozen=True)
class _Opened:
    """A case with the policies it meets."""

    loaded: LoadedCase
    library: Library
    book: PolicyBook
    setting: Setting
    as_of: dt.date | None
    under: str

    def without(self, policy: str) -> Setting:
        """The setting when a policy is not asked for; a rival that it excludes may come in."""
        from cleanhub.finance.policy_setting import setting_of

        return setting_of(self.loaded, self.book, (policy,))


@dataclass(frozen=True)
class _Wanted:
    """What is asked besides the term sheet."""

    workbook: Path | None
    charts: Path | None
    samples: int
    seed: int
    tornado: bool
    support: bool
    freeze: Path | None
    break_even: tuple[str, ...] = ()

    def beyond_workbook(self) -> dict[str, object]:
        """Everything but the workbook, by its option."""
        return {
            "--charts": self.charts,
            "--samples": self.samples,
            "--tornado": self.tornado,
            "--support": self.support,
            "--freeze": self.freeze,
            "--break-even": self.break_even,
        }


def _open(
    target: str, hub: str | None, scenario: str | None, policies: list[Path], as_of: dt.date | None
) -> _Opened:
    from cleanhub.finance.cases import list_archetypes, load_archetype, read_case
    from cleanhub.finance.policy_setting import setting_of
    from cleanhub.hub.library import load_library
    from cleanhub.hub.package import load_hub
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.policy.book import load_book

    path = Path(target)
    is_file = path.suffix in (".yaml", ".yml") or path.is_file()
    faults = FaultList()
    if hub is None and not is_file and target not in list_archetypes():
        hub = DEFAULT_HUB  # a project id
        if target not in set(load_hub(hub).tables["projects"]["project_id"]):
            known = (
                f"a case file, a project id of {hub} (or of --hub), or one of {', '.join(list_archetypes())}"
            )
            faults.add("finance", what="no such case", found=target, allowed=known)
            faults.raise_if_any("finance")
    place = load_hub(hub) if hub is not None else None
    chosen = None
    if place is not None:
        chosen = load_scenario(scenario or str(place.meta.get("default_scenario", "baseline")), place)
    elif scenario is not None:
        faults.add("--scenario", what="a scenario belongs to a hub", found=scenario, allowed="--hub HUB too")
    library = place.library if place is not None else load_library()
    loaded = None
    if is_file:
        if not path.is_file():
            faults.add(target, what="no such file")
        else:
            loaded = read_case(path, library)
    elif target in list_archetypes():
        loaded = load_archetype(target, library)
    elif place is not None and chosen is not None:
        from cleanhub.finance.from_project import case_of_project

        loaded = case_of_project(place, chosen, target)
    faults.raise_if_any("finance")
    assert loaded is not None
    book = load_book(library, place, chosen, policies)
    day = as_of or (chosen.as_of if chosen is not None else None)
    under = (
        f"hub {place.name}, scenario {chosen.name}" if place is not None and chosen is not None else "library"
    )
    return _Opened(loaded, library, book, setting_of(loaded, book), day, under)


# ---------------------------------------------------------------- showing it


def _show(case: _Opened, wanted: _Wanted, signed: _Signed | None, as_json: bool) -> None:
    from cleanhub.finance.case_value import value_case
    from cleanhub.report.finance.summary import case_summary, plain
    from cleanhub.report.finance.term_sheet import term_sheet

    value = value_case(case.loaded, case.setting)
    summary = case_summary(value, case.as_of)
    extras = _extras(case, value, wanted)
    if wanted.freeze is not None and case.as_of is None:
        faults = FaultList()
        faults.add("--as-of", what="missing: a frozen case bears a day", allowed="--as-of YYYY-MM-DD")
        raise InputError("finance", faults.faults)
    files = _files(value, wanted, extras)
    if wanted.freeze is not None:
        files["frozen case"] = str(_freeze(case, value, wanted.freeze, signed))
    if as_json:
        told = {name: extra.data for name, extra in extras.items() if name in _asked(wanted)}
        print_json(plain({**summary, **told, "files": files}))
        return
    lines = term_sheet(summary)
    for name in _asked(wanted):
        lines += ["", *extras[name].lines]
    lines += [f"{kind}: {path}" for kind, path in files.items()]
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class _Extra:
    """A further part: the finding itself, as plain data, and as lines."""

    found: Any
    data: Any
    lines: list[str]


def _asked(wanted: _Wanted) -> list[str]:
    asked = {
        "distribution": wanted.samples > 0,
        "tornado": wanted.tornado,
        "break_even": bool(wanted.break_even),
        "support": wanted.support,
    }
    return [name for name, one in asked.items() if one]


def _extras(case: _Opened, value: CaseValue, wanted: _Wanted) -> dict[str, _Extra]:
    from cleanhub.report.finance import extras as shown

    found: dict[str, _Extra] = {}
    if wanted.samples or wanted.charts:
        from cleanhub.finance.risk import monte_carlo

        drawn = monte_carlo(case.loaded, case.setting, wanted.samples or CHART_SAMPLES, wanted.seed)
        found["distribution"] = _Extra(drawn, drawn.summary(), shown.distribution_lines(drawn))
    if wanted.tornado or wanted.charts:
        from cleanhub.finance.sensitivity import policy_values, tornado

        bars = tornado(case.loaded, case.setting, "npv_usd")
        paying = list(value.sponsor.reading.policy_lines())
        worth = policy_values(case.loaded, case.setting, case.without, paying) if wanted.tornado else []
        data = {"npv_usd": shown.rows_of(bars), "policies": shown.rows_of(worth)}
        found["tornado"] = _Extra(bars, data, shown.tornado_lines(bars, worth, case.loaded))
    if wanted.break_even:
        from cleanhub.finance.sensitivity import break_even

        evens = [break_even(case.loaded, case.setting, path) for path in wanted.break_even]
        found["break_even"] = _Extra(evens, shown.rows_of(evens), shown.break_even_lines(evens))
    if wanted.support:
        from cleanhub.finance.support_needed import support_needed

        needed = support_needed(case.loaded, case.setting)
        found["support"] = _Extra(needed, shown.rows_of(needed), shown.support_lines(needed))
    return found


def _files(value: CaseValue, wanted: _Wanted, extras: dict[str, _Extra]) -> dict[str, str]:
    files: dict[str, str] = {}
    if wanted.workbook is not None:
        from cleanhub.report.finance.workbook import write_workbook

        files["workbook"] = str(write_workbook(value, wanted.workbook))
    if wanted.charts is not None:
        from cleanhub.report.finance.charts import write_charts

        drawn, bars = extras["distribution"].found, extras["tornado"].found
        files["charts"] = str(write_charts(value, wanted.charts, drawn, bars))
    return files


def _freeze(case: _Opened, value: CaseValue, path: Path, signed: _Signed | None) -> Path:
    from cleanhub.finance.frozen import freeze, open_frozen
    from cleanhub.finance.frozen_edits import edits_since

    assert case.as_of is not None
    if signed is None:
        freeze(value, path, case.as_of, case.under)
        return path
    former = open_frozen(signed.follows)
    edits = edits_since(former, case.loaded, signed.by, case.as_of, signed.reason)
    freeze(value, path, case.as_of, case.under, edits, former)
    return path


def _show_frozen(path: Path, wanted: _Wanted, as_json: bool) -> None:
    from cleanhub.finance.frozen import open_frozen
    from cleanhub.finance.frozen_today import recompute
    from cleanhub.hub.library import load_library
    from cleanhub.report.finance import extras
    from cleanhub.report.finance.summary import case_summary, plain
    from cleanhub.report.finance.term_sheet import term_sheet

    frozen = open_frozen(path)
    again, because = None, ""
    try:
        again = recompute(frozen, load_library())
    except InputError as error:
        because = str(error)
    lines = extras.frozen_lines(frozen, again, because)
    data: dict[str, Any] = {"frozen": extras.frozen_data(frozen, again, because)}
    if again is not None:
        summary = extras.frozen_summary(frozen, case_summary(again.value, frozen.as_of))
        data |= summary
        lines += ["", *term_sheet(summary)]
        files = _files(again.value, wanted, {}) if wanted.workbook is not None else {}
        data["files"] = files
        lines += [f"{kind}: {file}" for kind, file in files.items()]
    if as_json:
        print_json(plain(data))
        return
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)


# ---------------------------------------------------------------- projects of a hub


@finance_app.command("projects")
def projects_command(
    hub: Annotated[str, typer.Option("--hub", help="the hub whose projects are valued")] = DEFAULT_HUB,
    scenario: ScenarioOption = None,
    policies: PoliciesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Value every project of a hub: the price it needs, or why that cannot be said; how many of each."""
    from cleanhub.finance.valuations import counts, valuations_table, value_projects
    from cleanhub.hub.package import load_hub
    from cleanhub.hub.scenario import load_scenario
    from cleanhub.policy.book import load_book

    place = load_hub(hub)
    chosen = load_scenario(scenario or str(place.meta.get("default_scenario", "baseline")), place)
    found = value_projects(place, chosen, load_book(place.library, place, chosen, policies or []))
    table = valuations_table(found)
    if as_json:
        print_json({"counts": counts(found), "projects": records(table)})
        return
    if not found:
        out.print("the hub lists no projects: nothing to value")
        return
    names = {one.project.project_id: str(one.row["name"]) for one in found}
    views = table[table["case"] != "lender_p90"]
    for row in records(views):
        name = f"{row['project_id']:<8}{names[row['project_id']][:44]:<46}"
        out.print(name + _worth(row), highlight=False, markup=False, soft_wrap=True)
    out.print("")
    for status, count in counts(found).items():
        out.print(f"{count:>4}  {status}", highlight=False, markup=False, soft_wrap=True)
    valued = views.loc[views["status"] == "valued", "archetype_fields"]
    filled = sum(len(str(fields).split(";")) for fields in valued)
    out.print(
        f"{filled:>4}  fields of the valued filled from archetypes (--json names them)", highlight=False
    )


def _worth(row: dict[str, Any]) -> str:
    """One project in a line: price it needs, gaps before and after policies; or why not."""
    if row["status"] != "valued":
        return str(row["status"])
    from cleanhub.report.numbers import number

    parts = [f"needs {number(row['price_at_return'])} {row['unit']}"]
    if row["price_gap"] is not None:
        before, after = number(row["price_gap_before_policy"]), number(row["price_gap"])
        parts.append(f"gap {before} before policies, {after} with them")
    return f"{'; '.join(parts)}; from {row['archetype']}"
