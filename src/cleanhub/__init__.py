"""cleanhub plans a clean industrial hub.

Which plants, trucks, ships and chargers change, when, where, who pays, what still stands
in the way, and who breathes better for it. The public names are listed in ``__all__`` and
loaded on first use, so that ``import cleanhub`` stays fast.

>>> import cleanhub as ch
>>> hub = ch.load_hub("california")
>>> plan = ch.plan(hub, ch.load_scenario("net-zero-2045", hub))
>>> plan.scorecard.iloc[0]["metric"]
'project_need'
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from cleanhub.core.rounding import settle

settle()  # before anything loads numpy

if TYPE_CHECKING:
    from cleanhub.core.errors import CleanhubError, InputError
    from cleanhub.hub.package import Hub, check_hub, list_hubs, load_hub
    from cleanhub.hub.scenario import Scenario, list_scenarios, load_scenario
    from cleanhub.planning.compare import Comparison, compare
    from cleanhub.planning.plan import Plan, plan
    from cleanhub.planning.store import load_plan

_HOMES = {
    "CleanhubError": "cleanhub.core.errors",
    "Comparison": "cleanhub.planning.compare",
    "Hub": "cleanhub.hub.package",
    "InputError": "cleanhub.core.errors",
    "Plan": "cleanhub.planning.plan",
    "Scenario": "cleanhub.hub.scenario",
    "check_hub": "cleanhub.hub.package",
    "compare": "cleanhub.planning.compare",
    "list_hubs": "cleanhub.hub.package",
    "list_scenarios": "cleanhub.hub.scenario",
    "load_hub": "cleanhub.hub.package",
    "load_plan": "cleanhub.planning.store",
    "load_scenario": "cleanhub.hub.scenario",
    "plan": "cleanhub.planning.plan",
}

__all__ = [
    "CleanhubError",
    "Comparison",
    "Hub",
    "InputError",
    "Plan",
    "Scenario",
    "__version__",
    "check_hub",
    "compare",
    "list_hubs",
    "list_scenarios",
    "load_hub",
    "load_plan",
    "load_scenario",
    "plan",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            return version("cleanhub")
        except PackageNotFoundError:
            return "0.1.0"
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module cleanhub has no attribute {name}")


def __dir__() -> list[str]:
    return sorted(__all__)
