"""The public names: all there, documented, typed, callable twice, and quick to import."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import cleanhub as ch
from cleanhub.hub.new import new_hub


def test_every_public_name_exists_twice_over() -> None:
    for name in ch.__all__:
        assert getattr(ch, name) == getattr(ch, name)
    assert set(ch.__all__) <= set(dir(ch))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute nonsense"):
        _ = ch.nonsense


def test_every_public_function_is_documented_and_typed() -> None:
    for name in ch.__all__:
        thing = getattr(ch, name)
        if not callable(thing):
            continue
        assert (inspect.getdoc(thing) or "").strip(), name
        if inspect.isfunction(thing):
            signature = inspect.signature(thing)
            assert signature.return_annotation is not inspect.Signature.empty, name
            for parameter in signature.parameters.values():
                assert parameter.annotation is not inspect.Parameter.empty, (name, parameter.name)


def test_every_public_function_may_be_called_twice(tmp_path: Path) -> None:
    small = new_hub("valley", tmp_path, "Valley")  # a hub of one plant plans quickly
    for _ in range(2):
        assert "california" in ch.list_hubs()
        hub = ch.load_hub(small)
        assert not ch.check_hub(small).faults
        assert "baseline" in ch.list_scenarios(hub)
        scenario = ch.load_scenario("baseline", hub)
        plan = ch.plan(hub, scenario)
        plan.save(tmp_path / "plan")
        assert ch.compare(plan, ch.load_plan(tmp_path / "plan")).same


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, cleanhub; "
        "print([m for m in ('pandas', 'numpy', 'matplotlib', 'pint', 'duckdb', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
