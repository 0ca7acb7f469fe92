"""The project's own files agree with each other and with what the docs promise of an install."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

from core_install import MEGABYTE, closure, declared, licence, weight

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "cleanhub"

# Section 5 of the design. A new core dependency changes this list, with its reason in the commit.
CORE = {
    *("numpy", "scipy", "pandas", "highspy", "pydantic", "ruamel-yaml"),
    *("ruamel-yaml-clib", "pint", "typer", "rich"),
    *(
        "sqlalchemy",
        "alembic",
        "fastapi",
        "uvicorn",
        "jinja2",
        "duckdb",
        "searoute",
        "xlsxwriter",
        "matplotlib",
    ),
}
EXTRAS = {
    "fast": {"numba"},
    "cluster": {"dask", "distributed"},
    "postgres": {"psycopg"},
    "uncertainty": {"salib"},
    "geo": {"osmnx", "pyrosm", "geopandas"},
    "climate": {"fair"},
}
MAX_CORE_MEGABYTES = 500

# The text as the Apache Software Foundation publishes it.
APACHE_2_SHA256 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"

# Words in a licence statement that an Apache-2.0 project must not come with unseen.
RESTRICTIVE = re.compile(
    r"\b[AL]?GPL|GNU|Affero|CC[- ]BY[- ]N[CD]|non-?commercial"
    r"|Business Source|SSPL|Commons Clause|proprietary",
    re.IGNORECASE,
)
# Distributions that are known to match, each with why it stays. LGPL would be fine for a library that
# is imported and never copied, but none is needed today.
LICENCE_EXCEPTIONS: dict[str, str] = {}


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[Requirement]) -> list[str]:
    return [canonicalize_name(requirement.name) for requirement in requirements]


# --- dependencies --------------------------------------------------------------------------------


def test_core_dependencies_are_those_of_the_design() -> None:
    assert sorted(names(declared())) == sorted(CORE)


def test_every_dependency_has_a_lower_bound_and_no_other() -> None:
    for extra in (None, *EXTRAS, "dev"):
        for requirement in declared(extra=extra):
            assert [spec.operator for spec in requirement.specifier] == [">="], str(requirement)


def test_extras_are_those_of_the_design(pyproject: dict[str, Any]) -> None:
    assert set(pyproject["project"]["optional-dependencies"]) == {*EXTRAS, "dev"}
    for extra, wanted in EXTRAS.items():
        assert set(names(declared(extra=extra))) == wanted


def constraints() -> dict[str, Version]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    for line in pins:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line), f"not a plain pin: {line}"
    found = {canonicalize_name(line.split("==")[0]): Version(line.split("==")[1]) for line in pins}
    assert len(found) == len(pins), "a name is pinned twice"
    return found


def test_constraints_pin_everything_that_core_and_dev_bring_in() -> None:
    pins = constraints()
    installed = closure(declared() + declared(extra="dev"))
    assert not sorted(set(installed) - set(pins)), "installed, not pinned"


def test_constraints_lie_within_the_declared_bounds() -> None:
    pins = constraints()
    for requirement in declared() + declared(extra="dev"):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), str(requirement)


def test_core_install_is_light_enough() -> None:
    weights = {name: weight(dist) / MEGABYTE for name, dist in closure(declared()).items()}
    heaviest = sorted(weights, key=lambda name: -weights[name])[:5]
    assert weights["scipy"] > 10, "nothing was weighed"
    assert sum(weights.values()) <= MAX_CORE_MEGABYTES, {name: round(weights[name]) for name in heaviest}


# --- licences ------------------------------------------------------------------------------------


def test_no_core_distribution_has_a_restrictive_licence() -> None:
    found = {name: licence(dist) for name, dist in closure(declared()).items()}
    known = LICENCE_EXCEPTIONS.keys()
    unseen = {name: text for name, text in found.items() if RESTRICTIVE.search(text) and name not in known}
    assert not unseen


def test_every_core_distribution_states_its_licence() -> None:
    silent = [name for name, dist in closure(declared()).items() if licence(dist) == "not stated"]
    assert not silent


def test_licence_exceptions_are_needed() -> None:
    installed = closure(declared())
    for name in LICENCE_EXCEPTIONS:
        assert name in installed, f"{name} is no longer installed: remove its exception"
        assert RESTRICTIVE.search(licence(installed[name])), f"{name} no longer needs its exception"


@pytest.mark.parametrize(
    "text",
    [
        "GPL-3.0-or-later",
        "GNU GENERAL PUBLIC LICENSE",
        "AGPLv3",
        "GNU Affero",
        "LGPL-2.1",
        "CC BY-NC 4.0",
        "CC-BY-NC-ND-4.0",
        "Free for non-commercial use",
        "BUSL | Business Source License",
        "Other/Proprietary License",
    ],
)
def test_restrictive_licences_are_recognised(text: str) -> None:
    assert RESTRICTIVE.search(text)


@pytest.mark.parametrize("text", ["MIT", "BSD-3-Clause AND MIT", "Apache-2.0", "PSF-2.0", "MPL-2.0"])
def test_permissive_licences_pass(text: str) -> None:
    assert not RESTRICTIVE.search(text)


def test_the_licence_text_is_the_canonical_one(pyproject: dict[str, Any]) -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2_SHA256
    assert pyproject["project"]["license"] == "Apache-2.0"


# --- versions and what is shipped ----------------------------------------------------------------


def test_one_version_everywhere(pyproject: dict[str, Any]) -> None:
    import cleanhub

    citation = YAML(typ="safe").load(ROOT / "CITATION.cff")
    version = pyproject["project"]["version"]
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == version
    assert citation["license"] == pyproject["project"]["license"]
    assert importlib.metadata.version("cleanhub") == version
    assert cleanhub.__version__ == version


def test_the_readme_is_declared_when_there_is_one(pyproject: dict[str, Any]) -> None:
    wanted = "README.md" if (ROOT / "README.md").is_file() else None
    assert pyproject["project"].get("readme") == wanted, "set readme in pyproject.toml"


def test_the_words_of_the_command_line_load_no_tables() -> None:
    heavy = ["pandas", "numpy", "scipy", "duckdb", "fastapi", "sqlalchemy"]
    code = f"import sys, cleanhub.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_importing_cleanhub_loads_nothing_heavy() -> None:
    heavy = ["pandas", "numpy", "scipy", "matplotlib", "pint", "duckdb", "fastapi", "sqlalchemy", "highspy"]
    code = f"import sys, cleanhub; print(cleanhub.__file__, [m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=1) == [str(PACKAGE / "__init__.py"), "[]\n"]


def test_the_wheel_holds_the_code_and_every_data_file(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("cleanhub/")}
        (entry_points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert "cleanhub = cleanhub.cli:main" in archive.read(entry_points).decode()
    shipped = {
        f"cleanhub/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and path.name != ".DS_Store"
    }
    assert "cleanhub/py.typed" in held
    assert any(name.endswith(".csv") for name in held)
    assert sorted(shipped - held) == [], "on disk, not in the wheel"
    assert sorted(held - shipped) == [], "in the wheel, not on disk"


def test_the_ci_script_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_every_job_of_the_makefile_is_explained() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    explained = set(re.findall(r"^([a-z-]+):.*##", text, re.MULTILINE))
    assert explained == set(phony.split())
    assert explained >= {"plan", "test", "validate", "lint", "docs", "wheel", "clean", "help"}


def test_planning_never_calls_pip_twice(tmp_path: Path) -> None:
    """With the stamp newer than what it depends on, ``make plan`` goes straight to the plan."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    shown = _make("-n", "plan", cwd=tmp_path)
    assert " -m pip install " in shown
    assert "[dev]" not in shown
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("bin/python", ".installed-core"):
        (tmp_path / ".venv" / name).touch()
    again = _make("-n", "plan", cwd=tmp_path)
    assert again.split() == [".venv/bin/cleanhub", "plan", "california", "--out", "plans/california"]


def _make(*arguments: str, cwd: Path) -> str:
    ours = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "HUB", "OUT"}  # of a make that runs these tests
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    try:
        return subprocess.run(
            ["make", *arguments], cwd=cwd, check=True, capture_output=True, text=True, env=clean
        ).stdout
    except FileNotFoundError:
        pytest.skip("no make on this machine")
