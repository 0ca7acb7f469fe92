"""The house of the design holds: who may import whom, how long things may be, what must be documented.

Every rule is a function on source text that returns the breaches it found, so the second half of
this file can show each rule a breach and see it caught.
"""

from __future__ import annotations

import ast
import csv
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "cleanhub"

# Top to bottom. A room may import from its own and from lower floors, never from a neighbour.
FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"__main__"}),
    frozenset({"cli"}),
    frozenset({"web"}),
    frozenset({"report"}),
    frozenset({"planning"}),
    frozenset({"pipeline", "ports"}),
    frozenset({"pathways", "freight", "shipping", "aviation"}),
    frozenset({"finance"}),
    frozenset({"policy", "benefits", "register"}),
    frozenset({"hub"}),
    frozenset({"core"}),
)
FLOOR_OF = {room: number for number, floor in enumerate(FLOORS) for room in floor}
DATA_FOLDERS = {"hubs", "library", "roads"}  # data beside the code: no Python in them
PUBLIC_FACE = "__init__"  # cleanhub/__init__.py may reach down from here:
HIGHEST_FOR_PUBLIC_FACE = FLOOR_OF["report"]

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 100
MPP_FAITHFUL = "mpp_faithful.py"  # the one module that may name technologies: it repeats MPP's own rules

Sources = dict[Path, str]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """One place where a module asks for another one of ours. ``target`` is a dotted name."""

    line: int
    target: str


# --- the rules -----------------------------------------------------------------------------------


def module_name(path: Path, package: Path = PACKAGE) -> str:
    """The dotted name of the file at ``path``; a package's ``__init__`` keeps that last part."""
    return ".".join((package.name, *path.relative_to(package).with_suffix("").parts))


def imports_of(source: str, module: str) -> Iterator[Import]:
    """Every import of ours in ``source``, wherever it stands: top, function, ``TYPE_CHECKING``, string."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _absolute("." * node.level + (node.module or ""), module)
            # "from cleanhub import x" asks for cleanhub.x; deeper, the base alone tells the room
            targets = [base] if base != "cleanhub" else [f"{base}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            targets = [_absolute(text, module) for text in _texts(node.args[:1])]
        elif isinstance(node, ast.Constant) and module == f"cleanhub.{PUBLIC_FACE}":
            targets = [_lazy_target(text) for text in _texts([node])]
        else:
            continue
        for target in targets:
            if target.split(".")[0] == "cleanhub":
                yield Import(node.lineno, target)


def _absolute(dotted: str, module: str) -> str:
    """``dotted`` with leading dots resolved against ``module``."""
    level = len(dotted) - len(dotted.lstrip("."))
    if level == 0:
        return dotted
    parents = module.split(".")[:-level]  # an __init__ module still holds its last part
    return ".".join([*parents, *([dotted[level:]] if dotted[level:] else [])])


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _texts(nodes: list[ast.expr]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _lazy_target(text: str) -> str:
    """The module that a string in the public face's table of lazy names stands for, or nothing."""
    match = re.fullmatch(r"(?:cleanhub\.|\.)?((\w+)(?:\.\w+)*)", text)
    is_module = match and match[2] in FLOOR_OF and "." in text
    return f"cleanhub.{match[1]}" if match and is_module else ""


def floor_breaches(source: str, module: str) -> list[str]:
    """What ``module`` imports that its floor does not allow."""
    own = module.split(".")[1]
    breaches = []
    for found in imports_of(source, module):
        parts = found.target.split(".")
        room = parts[1] if len(parts) > 1 else ""
        if room not in FLOOR_OF:
            problem = "a name of the package's public face, or no room"
        elif own == PUBLIC_FACE:
            problem = "a floor above report" if FLOOR_OF[room] < HIGHEST_FOR_PUBLIC_FACE else ""
        elif own not in FLOOR_OF:
            problem = f"from {own}, which is on no floor"
        elif FLOOR_OF[room] < FLOOR_OF[own]:
            problem = "a higher floor"
        elif FLOOR_OF[room] == FLOOR_OF[own] and room != own:
            problem = "a neighbour on the same floor"
        else:
            problem = ""
        if problem:
            breaches.append(f"{module}:{found.line} imports {found.target}: {problem}")
    return breaches


def size_breaches(source: str, name: str) -> list[str]:
    """The file and each of its functions that is longer than allowed (docstring and decorators count)."""
    breaches = []
    lines = len(source.splitlines())
    if lines > MAX_FILE_LINES:
        breaches.append(f"{name}: {lines} lines, allowed {MAX_FILE_LINES}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            length = (node.end_lineno or node.lineno) - first + 1
            if length > MAX_FUNCTION_LINES:
                breaches.append(f"{name}:{first} {node.name}: {length} lines, allowed {MAX_FUNCTION_LINES}")
    return breaches


def public_definitions(
    body: list[ast.stmt], owner: str = ""
) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Public functions and classes of a module, public methods of public classes, by dotted name."""
    for node in body:
        if isinstance(node, ast.If | ast.Try):
            yield from public_definitions(node.body + node.orelse, owner)
        elif isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield owner + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{owner}{node.name}.")


def docstring_breaches(source: str, name: str) -> list[str]:
    """The module, and its public functions, classes and methods, that say nothing of themselves."""
    tree = ast.parse(source)
    breaches = [] if ast.get_docstring(tree) else [f"{name}: the module has no docstring"]
    for title, node in public_definitions(tree.body):
        if not ast.get_docstring(node) and not _repeats_another(node):
            breaches.append(f"{name}:{node.lineno} {title} has no docstring")
    return breaches


def _repeats_another(node: Function | ast.ClassDef) -> bool:
    """Whether the definition is an overload, an override or a property's setter: documented elsewhere."""
    names = {ast.unparse(decorator).split("(")[0].rsplit(".", 1)[-1] for decorator in node.decorator_list}
    return bool(names & {"overload", "override", "setter", "deleter"})


def room_name_breaches(source: str, name: str) -> list[str]:
    """Public functions of the module that bear the name of a room."""
    return [
        f"{name}:{node.lineno} {title} bears the name of a room"
        for title, node in public_definitions(ast.parse(source).body)
        if isinstance(node, Function) and title in FLOOR_OF
    ]


def technology_breaches(source: str, name: str, technologies: set[str]) -> list[str]:
    """Identifiers and names of technologies that stand in the source, comments and docstrings included."""
    return [
        f"{name}:{number} names the technology {technology}"
        for number, line in enumerate(source.splitlines(), start=1)
        for technology in sorted(technologies)
        if re.search(rf"(?<![\w-]){re.escape(technology)}(?![\w-])", line, re.IGNORECASE)
    ]


MACHINE_PATH = re.compile(r"(?<![\w.:~/-])/(?:work|tmp|root)/")


def machine_path_breaches(text: str, name: str) -> list[str]:
    """Lines that name a folder of the machine where someone wrote them."""
    return [
        f"{name}:{number} {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if MACHINE_PATH.search(line)
    ]


# --- the house as it stands ----------------------------------------------------------------------

MODULES = sorted(PACKAGE.rglob("*.py"))
TEXT_SUFFIXES = {
    *(".py", ".toml", ".md", ".rst", ".yaml", ".yml", ".txt", ".cff", ".sh", ".cfg", ".ini", ".j2", ".mako"),
    *(".html", ".css", ".js", ".mjs", ".ts", ".tsx", ".svg"),
}
TEXT_NAMES = {"Makefile", "run", ".gitignore", "LICENSE"}


@pytest.fixture(scope="module")
def sources() -> Sources:
    return {path: path.read_text(encoding="utf-8") for path in MODULES}


def every(rule: Callable[[str, str], list[str]], sources: Sources) -> list[str]:
    return [line for path, text in sources.items() for line in rule(text, module_name(path))]


def test_there_is_a_house_to_check() -> None:
    assert any(path.parent.name == "core" for path in MODULES)


def test_no_module_imports_from_a_higher_or_neighbouring_room(sources: Sources) -> None:
    breaches = every(floor_breaches, sources)
    assert not breaches, "\n".join(breaches)


def test_every_room_on_disk_is_on_a_floor() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    strangers = (folders - DATA_FOLDERS) | (modules - {PUBLIC_FACE})
    assert strangers <= set(FLOOR_OF), f"on no floor: {sorted(strangers - set(FLOOR_OF))}"


def test_data_folders_hold_no_python() -> None:
    assert not [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in DATA_FOLDERS]


def test_no_public_function_bears_the_name_of_a_room(sources: Sources) -> None:
    breaches = every(room_name_breaches, sources)
    assert not breaches, "\n".join(breaches)


def test_files_and_functions_are_short_enough_to_see_whole(sources: Sources) -> None:
    breaches = every(size_breaches, sources)
    assert not breaches, "\n".join(breaches)


def test_everything_public_has_a_docstring(sources: Sources) -> None:
    breaches = every(docstring_breaches, sources)
    assert not breaches, "\n".join(breaches)


def test_pathways_names_no_technology(sources: Sources) -> None:
    table = PACKAGE / "library" / "technologies.csv"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    technologies = {row[column] for row in rows for column in ("technology", "name") if row[column]}
    assert technologies, "the library lists no technologies"
    breaches = [
        line
        for path, text in sources.items()
        if path.is_relative_to(PACKAGE / "pathways") and path.name != MPP_FAITHFUL
        for line in technology_breaches(text, module_name(path), technologies)
    ]
    assert not breaches, "\n".join(breaches)


def test_no_text_file_names_a_machine_path() -> None:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: no list of the project's files")
    paths = [ROOT / name for name in listed if name]
    texts = [path for path in paths if path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES]
    breaches = [
        line
        for path in texts
        if path.is_file()
        for line in machine_path_breaches(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]
    assert texts
    assert not breaches, "\n".join(breaches)


# --- the rules catch what they are for -----------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "source", "problem"),
    [
        pytest.param("cleanhub.core.units", "from cleanhub.hub.package import Hub", "higher", id="upward"),
        pytest.param("cleanhub.core.units", "import cleanhub.hub.package as p", "higher", id="plain import"),
        pytest.param("cleanhub.finance.debt", "from cleanhub.pathways import engine", "higher", id="finance"),
        pytest.param(
            "cleanhub.hub.package", "import numpy\nfrom cleanhub import policy", "higher", id="room by name"
        ),
        pytest.param("cleanhub.report.page", "from cleanhub.web import app", "higher", id="report to web"),
        pytest.param("cleanhub.cli", "from cleanhub.__main__ import x", "higher", id="cli to main"),
        pytest.param(
            "cleanhub.freight.route", "from cleanhub.pathways.a import b", "neighbour", id="neighbour"
        ),
        pytest.param(
            "cleanhub.pipeline.gates", "import cleanhub.ports", "neighbour", id="pipeline and ports"
        ),
        pytest.param(
            "cleanhub.policy.rules", "from ..benefits import air", "neighbour", id="relative neighbour"
        ),
        pytest.param("cleanhub.core.units", "from ..hub.package import Hub", "higher", id="relative upward"),
        pytest.param(
            "cleanhub.core.__init__", "from ..hub import package", "higher", id="relative in a package"
        ),
        pytest.param("cleanhub.core.units", "from .. import hub", "higher", id="relative room by name"),
        pytest.param("cleanhub.hub.a.b", "from ...web import app", "higher", id="relative from deeper"),
        pytest.param(
            "cleanhub.hub.a", "def f():\n    from cleanhub.web import x", "higher", id="in a function"
        ),
        pytest.param(
            "cleanhub.hub.a", "async def f():\n    import cleanhub.cli", "higher", id="in a coroutine"
        ),
        pytest.param(
            "cleanhub.hub.a",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from cleanhub.planning import x",
            "higher",
            id="for types only",
        ),
        pytest.param(
            "cleanhub.hub.a",
            "import importlib\nimportlib.import_module('cleanhub.web.app')",
            "higher",
            id="string",
        ),
        pytest.param("cleanhub.hub.a", "m = __import__('cleanhub.report')", "higher", id="dunder import"),
        pytest.param("cleanhub.hub.a", "import_module('..web', __package__)", "higher", id="relative string"),
        pytest.param("cleanhub.hub.a", "from cleanhub import load_hub", "public face", id="top-level name"),
        pytest.param("cleanhub.cli", "import cleanhub as ch", "public face", id="whole package"),
        pytest.param(
            "cleanhub.hub.a", "from .. import load_hub", "public face", id="relative top-level name"
        ),
        pytest.param("cleanhub.hub.a", "from cleanhub import *", "public face", id="star"),
        pytest.param("cleanhub.hub.a", "import cleanhub.hubs.california", "no room", id="data folder"),
        pytest.param("cleanhub.attic.a", "import cleanhub.core", "on no floor", id="unlisted room"),
        pytest.param("cleanhub.__init__", "from cleanhub.web import app", "above report", id="face to web"),
        pytest.param("cleanhub.__init__", "from . import cli", "above report", id="face to cli"),
        pytest.param(
            "cleanhub.__init__", "LAZY = {'app': 'cleanhub.web.app'}", "above report", id="lazy table"
        ),
        pytest.param(
            "cleanhub.__init__", "LAZY = {'app': ('.web.app', 'x')}", "above report", id="lazy relative"
        ),
    ],
)
def test_a_forbidden_import_is_caught(module: str, source: str, problem: str) -> None:
    breaches = floor_breaches(source, module)
    assert len(breaches) == 1
    assert problem in breaches[0]
    assert module in breaches[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "cleanhub.core.tables",
            "from cleanhub.core import errors\nfrom . import units\nfrom .units import convert",
        ),
        ("cleanhub.web.app", "from cleanhub.core import errors\nfrom cleanhub import planning, report"),
        ("cleanhub.pathways.engine", "from cleanhub.finance.debt import x\nfrom ..hub import y"),
        ("cleanhub.pathways.deep.engine", "from ..choice import x\nfrom ...finance import y"),
        ("cleanhub.cli", "def f():\n    from cleanhub.web.app import serve\n    from .planning import x"),
        ("cleanhub.__main__", "from cleanhub.cli import main"),
        ("cleanhub.__init__", "LAZY = {'plan': 'cleanhub.planning.run', 'report': 'a word', 'web': 'x'}"),
        ("cleanhub.__init__", "from cleanhub.report import write\n__version__ = version('cleanhub')"),
        ("cleanhub.hub.a", "import numpy, cleanhub_extra\nfiles('cleanhub')\nprint('cleanhub.web')"),
    ],
)
def test_an_allowed_import_is_let_through(module: str, source: str) -> None:
    assert floor_breaches(source, module) == []


def test_the_line_of_a_breach_is_told() -> None:
    assert floor_breaches("x = 1\n\nimport cleanhub.web\n", "cleanhub.hub.a")[0].startswith(
        "cleanhub.hub.a:3 "
    )


def test_module_names_follow_from_paths() -> None:
    assert module_name(PACKAGE / "hub" / "a.py") == "cleanhub.hub.a"
    assert module_name(PACKAGE / "hub" / "__init__.py") == "cleanhub.hub.__init__"
    assert module_name(PACKAGE / "__init__.py") == f"cleanhub.{PUBLIC_FACE}"
    assert module_name(PACKAGE / "__main__.py") == "cleanhub.__main__"


def test_every_room_is_on_one_floor_only() -> None:
    assert len(FLOOR_OF) == sum(len(floor) for floor in FLOORS)


def test_long_files_and_functions_are_caught() -> None:
    assert size_breaches("x = 1\n" * MAX_FILE_LINES, "m") == []
    assert "801 lines" in size_breaches("x = 1\n" * (MAX_FILE_LINES + 1), "m")[0]
    fits = "@decorated\ndef f():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES - 2)
    assert size_breaches(fits, "m") == []
    assert "m:1 f: 101 lines" in size_breaches(fits + "    y = 1\n", "m")[0]
    method = "class A:\n    async def f(self):\n" + "        x = 1\n" * MAX_FUNCTION_LINES
    assert "m:2 f: 101 lines" in size_breaches(method, "m")[0]


def test_missing_docstrings_are_caught() -> None:
    source = (
        '"""Module."""\nclass A:\n    def f(self): ...\n    def _g(self): ...\n'
        "    @value.setter\n    def value(self): ...\ndef _h(): ...\ntry:\n    def k(): ...\nexcept E: ...\n"
    )
    assert docstring_breaches(source, "m") == [
        "m:2 A has no docstring",
        "m:3 A.f has no docstring",
        "m:9 k has no docstring",
    ]
    assert docstring_breaches("x = 1", "m") == ["m: the module has no docstring"]
    assert docstring_breaches('"""Module."""\ndef f():\n    """Does it."""\n', "m") == []


def test_functions_named_like_a_room_are_caught() -> None:
    source = "def policy(): ...\nasync def finance(): ...\ndef _hub(): ...\nclass A:\n    def core(self): ..."
    assert room_name_breaches(source, "m") == [
        "m:1 policy bears the name of a room",
        "m:2 finance bears the name of a room",
    ]


def test_technology_names_are_caught() -> None:
    names = {"lime_kiln", "Dry kiln"}
    source = "a = 'lime_kiln'\nb = 'lime_kiln_two'\n# a dry kiln\nc = unlime_kiln\n"
    assert technology_breaches(source, "m", names) == [
        "m:1 names the technology lime_kiln",
        "m:3 names the technology Dry kiln",
    ]


@pytest.mark.parametrize("folder", ["work", "tmp", "root"])
def test_machine_paths_are_caught(folder: str) -> None:
    path = f"/{folder}/"
    assert machine_path_breaches(f"x = '{path}main'\n", "m")
    assert machine_path_breaches(f"see {path}\n", "m")
    assert not machine_path_breaches(f"https://example.org{path}a\n../{folder}/\nsrc/{folder}/a\n", "m")
