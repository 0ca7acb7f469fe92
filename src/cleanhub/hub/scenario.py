"""Scenarios: named choices over drivers, credits, policies, limits and the decision rule.

A scenario is a YAML file in the hub's ``scenarios`` folder (or anywhere, by path). It may
extend another by name. Unknown keys and impossible values are refused with the line they
stand on. Editors complete the keys from the JSON Schema that :func:`json_schema` gives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from pydantic import Field, ValidationError

from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.file_model import FileModel
from cleanhub.core.yaml_file import YamlFile, fault_kind, merged_mapping, parse_yaml
from cleanhub.hub.library import load_library

if TYPE_CHECKING:
    from cleanhub.hub.package import Hub


class Decision(FileModel):
    """How owners choose when their equipment falls due."""

    rule: Literal["least_cost", "lowest_emissions", "mpp", "optimal"] = "least_cost"
    """least_cost: the lowest levelised cost; lowest_emissions: the fewest tonnes, whatever the cost;
    mpp: cost and emissions weighed, near ties drawn; optimal: least cost of all years, all known ahead."""
    discount_rate: float = Field(0.08, ge=0, le=0.5)
    """Real yearly discount rate of the owners."""
    truck_choice_spread: float = Field(0.1, ge=0, le=1)
    """Spread of truck buyers' choices, as a share of the cheapest total cost (0: all buy the cheapest)."""
    site_choice_spread: float = Field(0.0, ge=0, le=1)
    """Spread of plant owners' choices, as a share of the cheapest cost (0: all take the cheapest)."""
    cost_weight: float = Field(1.0, ge=0, le=1)
    """Weight of cost under rule mpp."""
    emission_weight: float = Field(0.0, ge=0, le=1)
    """Weight of the tonnes cut under rule mpp."""
    cost_band: float = Field(0.05, gt=0, le=1)
    """Under rule mpp: width of the bands in which options count as equal, as a share of the cheapest."""
    horizon: int = Field(20, ge=1, le=60)
    """Years of running cost that owners of plants look ahead to."""
    lead_time: int = Field(3, ge=0, le=15)
    """Years from a plant's investment decision to operation; trucks have none."""
    reinvest_early: bool = False
    """Consider a change every year instead of only when equipment falls due."""


class DriverChoice(FileModel):
    """Which values of one driver to use."""

    use: str | None = None
    """Take another driver's rows in its place."""
    range: Literal["low", "value", "high"] = "value"
    """Which end of the range to use."""
    scale: float = Field(1.0, gt=0, le=100)
    """Multiply by this."""
    delay_years: int = Field(0, ge=-10, le=30)
    """Shift every year of its values; a negative number moves them forward. Delays a rule that is a driver:
    a price floor, a share of sales."""


class LimitChoice(FileModel):
    """How one limit of the hub applies."""

    off: bool = False
    """Lift the limit."""
    range: Literal["low", "value", "high"] = "value"
    """Which end of its range to use."""
    scale: float = Field(1.0, ge=0, le=1000)
    """Multiply the limit by this."""
    hard: bool | None = None
    """Whether what breaks it is refused (as the hub's row says unless given)."""


class FreightChoice(FileModel):
    """How the charging of trucks is planned."""

    serve: bool = True
    """Whether battery trucks are bought only where they can be charged, at the price of the charger."""
    objective: Literal["cost", "electric_miles", "co2e", "diesel_pm_exposure"] = "cost"
    """What sites are chosen for; the others than cost want a budget."""
    budget_usd: float | None = Field(None, ge=0)
    """The most capital for sites, plugs and grid together, in dollars of the price year (none: no bound)."""
    equity_share: float = Field(0.0, ge=0, le=1)
    """Least share of the energy charged at sites of disadvantaged tracts."""
    headroom: float = Field(1.0, ge=0, le=1000)
    """Multiply the headroom of substations that is assumed (figures of a utility stay as they are)."""
    lead_time_added: float = Field(0.0, ge=-10, le=30)
    """Years added to the lead time of works at substations."""


class PolicyChoice(FileModel):
    """How one policy applies."""

    off: bool = False
    """Switch the policy off."""
    delay_years: int = Field(0, ge=-10, le=30)
    """Shift every deadline and every year of its values; a negative number moves them forward."""
    scale: float = Field(1.0, ge=0, le=100)
    """Multiply what it pays, charges or limits by this."""
    range: Literal["low", "value", "high"] = "value"
    """Which end of the range of its values to use."""
    until: dt.date | None = None
    """Last day: no operating year after the year of this day is paid."""
    enact: dt.date | None = None
    """Put a proposed, expired or ended policy in force from this day; deadlines before it lapse."""


class Scenario(FileModel):
    """A named set of choices; everything that is not chosen here is the hub's data."""

    name: str = Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Short name; equals the file name."""
    title: str = Field(min_length=1, max_length=200)
    """Title for readers."""
    description: str = ""
    """What it assumes, in plain words."""
    extends: str | None = None
    """Scenario whose choices it starts from."""
    as_of: dt.date
    """The day from which the plan looks ahead; never the system clock."""
    end_year: int = Field(2050, ge=2030, le=2100)
    """Last year of the path."""
    price_year: int = Field(2024, ge=2000, le=2025)
    """Price year of all money in the plan."""
    decision: Decision = Decision()
    """How owners choose."""
    carbon_price: str | None = None
    """Driver that prices direct emissions; none: emitting is free."""
    learning: Literal["low", "value", "high"] = "value"
    """Which end of the learning rates of shared components to use."""
    credits: tuple[str, ...] = ()
    """Credits of credits.csv that are in force."""
    programme: bool = True
    """Whether projects past the final investment decision are built as announced."""
    zero_emission_sales: bool = False
    """Whether the zero-emission sales shares of the cohorts are enforced."""
    freight: FreightChoice = FreightChoice()
    """Choices on the charging of trucks."""
    drivers: dict[str, DriverChoice] = {}
    """Choices for single drivers."""
    limits: dict[str, LimitChoice] = {}
    """Choices for single limits."""
    policies: dict[str, PolicyChoice] = {}
    """Choices for single policies of the library or of the hub's folder policies."""

    def with_range(self, end: Literal["low", "high"]) -> Scenario:
        """The same scenario with every driver, limit and policy at one end of its range.

        Those that the scenario itself puts at an end stay there.
        """
        ends = {
            "drivers": _AllAt(self.drivers, DriverChoice(range=end)),
            "limits": _AllAt(self.limits, LimitChoice(range=end)),
            "policies": _AllAt(self.policies, PolicyChoice(range=end)),
        }
        return self.model_copy(update=ends)

    def driver_choice(self, driver: str) -> DriverChoice:
        """The choice for ``driver`` (the central values unless the scenario says otherwise)."""
        return self.drivers.get(driver, DriverChoice())

    def limit_choice(self, limit: str) -> LimitChoice:
        """The choice for ``limit`` (as the hub has it unless the scenario says otherwise)."""
        return self.limits.get(limit, LimitChoice())

    def policy_choice(self, policy: str) -> PolicyChoice:
        """The choice for ``policy`` (as the law has it unless the scenario says otherwise)."""
        return self.policies.get(policy, PolicyChoice())


class _AllAt(dict[str, Any]):
    """Choices where everything that is not put at an end stands at that of ``default``."""

    def __init__(self, named: Mapping[str, Any], default: DriverChoice | LimitChoice | PolicyChoice) -> None:
        super().__init__(named)
        self.default = default

    def get(self, key: str, default: Any = None) -> Any:
        named = super().get(key)
        if named is None:
            return self.default
        if named.range == "value":
            return named.model_copy(update={"range": self.default.range})
        return named


def load_scenario(scenario: str | Path, hub: Hub) -> Scenario:
    """Load a scenario of ``hub`` by name, or a YAML file by path.

    Raises :class:`~cleanhub.core.errors.InputError` with every fault and its line.
    """
    path = _find(scenario, hub.path / "scenarios")
    faults = FaultList()
    loaded = read_scenario(path, hub.path / "scenarios", hub.tables, faults)
    faults.raise_if_any(f"scenario {path.stem}")
    if loaded is None:
        raise InputError(f"scenario {path.stem} could not be read")
    return loaded


def list_scenarios(hub: Hub) -> list[str]:
    """Names of the scenarios in the hub's package."""
    return sorted(path.stem for path in (hub.path / "scenarios").glob("*.yaml"))


def check_scenarios(folder: Path, tables: Mapping[str, pd.DataFrame], faults: FaultList) -> None:
    """Check every scenario file in ``folder``."""
    for path in sorted(folder.glob("*.yaml")):
        read_scenario(path, folder, tables, faults)


def json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors."""
    schema = Scenario.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "cleanhub scenario"
    schema["required"] = ["name", "title"]
    return schema


def read_scenario(
    path: Path,
    folder: Path,
    tables: Mapping[str, pd.DataFrame],
    faults: FaultList,
) -> Scenario | None:
    """Read one scenario file, recording faults; ``None`` when it has any."""
    before = len(faults.faults)
    chain = _chain(path, folder, faults)
    if len(faults.faults) > before:
        return None
    merged: dict[str, Any] = {}
    for file in reversed(chain):
        merged = merged_mapping(merged, {key: value for key, value in file.data.items() if key != "extends"})
    merged["extends"] = chain[0].data.get("extends")
    for key in ("name", "title"):
        merged.pop(key, None)
        if key in chain[0].data:
            merged[key] = chain[0].data[key]
    if isinstance(merged.get("credits"), list):
        merged["credits"] = tuple(merged["credits"])
    scenario = _validated(merged, chain, faults)
    if scenario is None:
        return None
    if scenario.name != path.stem:
        faults.add(
            _shown(path),
            chain[0].line(("name",)),
            "name",
            what="name differs from the file",
            found=scenario.name,
            allowed=path.stem,
        )
    _check_names(scenario, chain, tables, faults)
    _check_policies(scenario, chain, folder.parent / "policies", faults)
    return scenario if len(faults.faults) == before else None


def _validated(merged: dict[str, Any], chain: list[YamlFile], faults: FaultList) -> Scenario | None:
    """The scenario; where parts of it are faulty, what is left without them, to be checked further."""
    try:
        return Scenario.model_validate(merged)
    except ValidationError as error:
        for item in error.errors():
            place = tuple(item["loc"])
            file = chain[0] if item["type"] == "missing" else _holder(chain, place)
            faults.add(
                _shown(file.path),
                file.line(place) or 1,
                ".".join(str(part) for part in place),
                what=fault_kind(item["type"]),
                found="" if item["type"] == "missing" else item.get("input", ""),
                allowed=_allowed(item["type"], item["msg"], place),
            )
        return _without(merged, [tuple(item["loc"]) for item in error.errors()], chain[0].path.stem)


def _without(merged: dict[str, Any], places: list[tuple[Any, ...]], name: str) -> Scenario | None:
    """The scenario without the faulty ``places``; ``None`` where it cannot do without one of them."""
    left: dict[str, Any] = deepcopy(merged)
    for place in places:
        holder: Any = left
        for part in place[:-1]:
            holder = holder.get(part) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(place[-1], None)
    with suppress(ValidationError):
        return Scenario.model_validate({"name": name, "title": name, **left})
    return None


def _holder(chain: list[YamlFile], place: tuple[Any, ...]) -> YamlFile:
    """The file that set ``place``: the first of the chain that has most of its parts."""
    return max(chain, key=lambda file: file.depth(place))


_GROUPS: dict[str, type[FileModel]] = {
    "decision": Decision,
    "drivers": DriverChoice,
    "limits": LimitChoice,
    "policies": PolicyChoice,
}


def _allowed(kind: str, message: str, place: tuple[Any, ...]) -> str:
    if kind == "extra_forbidden":
        group = _GROUPS.get(str(place[0]), Scenario) if len(place) > 1 else Scenario
        return ", ".join(group.model_fields)
    message = message.removeprefix("Input should be ")
    return message[:1].lower() + message[1:]


def _check_names(
    scenario: Scenario,
    chain: list[YamlFile],
    tables: Mapping[str, pd.DataFrame],
    faults: FaultList,
) -> None:
    drivers = set(tables["drivers"]["driver"])
    credits = set(tables["credits"]["credit"])
    limits = set(tables["limits"]["limit"])
    wanted: list[tuple[tuple[str, ...], str, set[str], str]] = []
    if scenario.carbon_price:
        wanted.append((("carbon_price",), scenario.carbon_price, drivers, "a driver of drivers.csv"))
    wanted += [(("credits",), name, credits, "a credit of credits.csv") for name in scenario.credits]
    wanted += [(("drivers", name), name, drivers, "a driver of drivers.csv") for name in scenario.drivers]
    wanted += [
        (("drivers", name, "use"), choice.use, drivers, "a driver of drivers.csv")
        for name, choice in scenario.drivers.items()
        if choice.use is not None
    ]
    wanted += [(("limits", name), name, limits, "a limit of limits.csv") for name in scenario.limits]
    for place, name, known, may_be in wanted:
        if name not in known:
            meant = get_close_matches(name, sorted(known))
            others = sorted(known.difference(meant))
            file = _holder(chain, place)
            faults.add(
                _shown(file.path),
                file.line(place) or 1,
                ".".join(place),
                what="unknown name",
                found=name,
                allowed=f"{may_be}: {', '.join([*meant, *others]) or 'there is none'}",
            )


def _check_policies(scenario: Scenario, chain: list[YamlFile], own: Path, faults: FaultList) -> None:
    """Known are the library's policies and the hub's own, whose files bear their names."""
    if not scenario.policies:
        return
    known = {*load_library().tables["policies"]["policy"], *(path.stem for path in own.glob("*.yaml"))}
    for name in scenario.policies:
        if name not in known:
            file = _holder(chain, ("policies", name))
            faults.add(
                _shown(file.path),
                file.line(("policies", name)) or 1,
                f"policies.{name}",
                what="unknown name",
                found=name,
                allowed=f"a policy: {', '.join(sorted(known))}",
            )


def _chain(path: Path, folder: Path, faults: FaultList) -> list[YamlFile]:
    chain: list[YamlFile] = []
    seen: list[Path] = []
    while True:
        file = parse_yaml(path, faults, _shown(path))
        if file is None:
            return chain
        chain.append(file)
        seen.append(path.resolve())
        base = file.data.get("extends")
        if base is None:
            return chain
        following = _beside(str(base), path.parent, folder)
        if following is None or following.resolve() in seen:
            known = sorted(
                {p.stem for p in (*folder.glob("*.yaml"), *path.parent.glob("*.yaml"))} - {path.stem}
            )
            what = "no such scenario" if following is None else "scenarios extend each other in a circle"
            faults.add(
                _shown(path),
                file.line(("extends",)),
                "extends",
                what=what,
                found=base,
                allowed=", ".join(known),
            )
            return chain
        path = following


def _beside(name: str, *folders: Path) -> Path | None:
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    return None


def _find(scenario: str | Path, folder: Path) -> Path:
    path = Path(scenario)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return path
    if (folder / f"{scenario}.yaml").is_file():
        return folder / f"{scenario}.yaml"
    faults = FaultList()
    names = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
    faults.add(
        str(scenario), what="no such scenario", found=scenario, allowed=f"a YAML file, or one of: {names}"
    )
    raise InputError("scenario not found", faults.faults)


def _shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}" if path.parent.name == "scenarios" else path.name
