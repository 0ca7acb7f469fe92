"""The documentation is true: generated parts are fresh, links hold, commands and guides work as written."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

import build_docs
import cleanhub as ch
import doc_validation
import readme_tour
from cleanhub.core.errors import FaultList
from cleanhub.core.tables import read_table
from cleanhub.finance.technologies import build_technologies
from cleanhub.finance.valuations import valuations_table, value_projects
from cleanhub.hub.datadoc import describe_hub, markdown_table
from cleanhub.hub.library import FOLDER as LIBRARY
from cleanhub.hub.library import load_library, read_library
from cleanhub.hub.library_schema import LIBRARY_TABLES
from cleanhub.hub.new import new_hub
from cleanhub.hub.plan_tables import PENDING, PLAN_TABLES
from cleanhub.hub.scenario import Scenario
from cleanhub.hub.schema import PACKAGE_TABLES
from cleanhub.policy.book import load_book

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CONFIDENCES = {"seen", "derived", "recalled", "assumed"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- generated parts -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(published_figures: pd.DataFrame) -> dict[Path, str]:
    """Every generated page as it should be."""
    assert len(published_figures)
    return build_docs.pages()


def test_generated_pages_are_fresh(made: dict[Path, str]) -> None:
    stale = [shown(path) for path, text in made.items() if not path.is_file() or text_of(path) != text]
    assert not stale, f"stale: {', '.join(stale)}; run make docs"


def test_the_readme_shows_what_its_commands_print() -> None:
    readme = text_of(README)
    assert readme_tour.tour(readme) == readme, "stale: README.md; run make docs"


def test_every_generated_part_is_known_and_used() -> None:
    used = {match[2] for path in PAGES for match in build_docs.REGION.finditer(text_of(path))}
    assert used == set(build_docs.REGIONS)


def test_the_page_on_validation_is_one_table_of_all_parts(made: dict[Path, str]) -> None:
    table = made[DOCS / "validation.md"].split("## Every figure")[1].split("## Not measured")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    parts = [row[0].removeprefix("| ") for row in rows]
    assert sorted(set(parts)) == ["Emissions", "Finance", "Freight", "Pathways", "Pipeline"]
    assert len(rows) >= 40
    assert all(len(row) == len(doc_validation.HEADER) for row in rows)
    assert not [
        row for row in rows if not (row[2] and row[3] and row[-1].strip("| "))
    ]  # published, ours, source


def test_figures_compared_elsewhere_name_source_and_confidence() -> None:
    rows = list(csv.DictReader(io.StringIO(text_of(doc_validation.ELSEWHERE))))
    assert len({row["key"] for row in rows}) == len(rows)
    assert all(row["source"] and row["why"] and row["confidence"] in CONFIDENCES for row in rows)
    assert all(row["low"] or row["value"] or row["high"] for row in rows)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(KeyError, match="nobody"):
        build_docs.refilled("<!-- generated: nobody -->\n<!-- end generated -->")


def test_a_refilled_page_stays_the_same_when_refilled_again() -> None:
    once = build_docs.refilled("a\n<!-- generated: rooms -->\nold\n<!-- end generated -->\nb\n")
    assert "old" not in once
    assert once.startswith("a\n")
    assert build_docs.refilled(once) == once


# --- nothing is left out -------------------------------------------------------------------------


def test_every_command_and_option_is_documented(made: dict[Path, str]) -> None:
    page = made[DOCS / "commands.md"]
    missing = []
    for name, command in build_docs.walk_commands():
        if name != "cleanhub" and f"# {name}\n" not in page:
            missing.append(name)
        assert command.help, f"{name} says nothing of itself"
        section = page.split(f"# {name}\n")[-1].split("\n## ")[0].split("\n### ")[0]
        for one in command.params:
            assert one.help, f"{name} {one.opts[0]} says nothing of itself"
            word = one.opts[0] if one.opts[0].startswith("-") else (one.metavar or one.name).upper()
            if f"`{word}`" not in section:
                missing.append(f"{name} {word}")
    assert not missing


def test_every_table_and_column_is_documented(made: dict[Path, str]) -> None:
    page = made[DOCS / "tables.md"]
    groups = {"package": PACKAGE_TABLES, "library": LIBRARY_TABLES, "plan": PLAN_TABLES}
    for prefix, tables in groups.items():
        for name, table in tables.items():
            section = page.split(f"### {prefix}: {name}\n")[1].split("\n### ")[0]
            assert all(f"| `{column}` |" in section for column in table.names), name
    assert all(f"| `{name}` | {room} |" in page for name, room in PENDING.items())


def test_every_codelist_is_documented(made: dict[Path, str]) -> None:
    page = made[DOCS / "tables.md"]
    for name in load_library().tables["codelists"]["list"].unique():
        assert f"### codelist: {name}\n" in page


def test_every_scenario_and_key_is_documented(made: dict[Path, str]) -> None:
    page = made[DOCS / "scenarios.md"]
    assert all(f"| `{key}` |" in page for key in Scenario.model_fields)
    for hub in ch.list_hubs():
        assert all(f"### {name}\n" in page for name in ch.list_scenarios(ch.load_hub(hub)))


def test_every_description_of_a_scenario_key_is_a_sentence() -> None:
    schema = json.loads(json.dumps(Scenario.model_json_schema()))
    parts = [schema, *schema["$defs"].values()]
    assert all(
        one.get("description", "").endswith(".") for part in parts for one in part["properties"].values()
    )


def test_every_room_on_disk_is_in_the_design() -> None:
    package = ROOT / "src" / "cleanhub"
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert rooms <= {name for name, _ in build_docs.ROOMS}


def test_every_page_is_in_the_index() -> None:
    index = text_of(DOCS / "index.md")
    missing = [
        shown(path) for path in DOCS.rglob("*.md") if f"({path.relative_to(DOCS).as_posix()})" not in index
    ]
    assert missing == ["docs/index.md"]


def test_the_changes_name_the_version() -> None:
    assert f"## {ch.__version__}" in text_of(ROOT / "CHANGELOG.md")


def test_counts_in_the_readme_are_those_of_the_data() -> None:
    hub, readme = build_docs.california(), " ".join(text_of(README).split())
    parameters = hub.library.tables["technology_parameters"]
    seen = int((parameters["confidence"] == "seen").sum())
    assert f"{len(hub.tables['facilities'])} sites" in readme
    assert f"{len(hub.tables['projects'])} announced projects" in readme
    assert f"{seen} of {len(parameters)} parameter rows" in readme


# --- links ---------------------------------------------------------------------------------------


def anchors(text: str) -> Iterator[str]:
    for heading in re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_relative_links_lead_somewhere(path: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", text_of(path))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in set(anchors(text_of(there)))):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("path", PAGES, ids=shown)
def test_pages_speak_of_the_project_alone(path: Path) -> None:
    text = text_of(path)
    assert text.startswith(("# ", build_docs.NOTICE))
    assert not re.search(r"(?<![\w.])/(?:work|home|root|tmp|Users)/|\.\./shared|\bTODO\b", text)
    assert text.count("```") % 2 == 0


# --- the guides, walked --------------------------------------------------------------------------


def blocks(guide: str, kind: str) -> list[str]:
    return [code for mark, code in FENCE.findall(text_of(DOCS / "guides" / guide)) if mark == kind]


def home_of(header: list[str], tables: dict[str, list[str]]) -> str | None:
    """The table whose columns ``header`` names, if it is a header at all."""
    fits = [
        name for name, columns in tables.items() if header[0] == columns[0] and set(header) <= set(columns)
    ]
    return fits[0] if fits else None


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as handle:
        handle.write(text)


def test_the_guide_to_a_hub_makes_one_that_plans(tmp_path: Path) -> None:
    folder = new_hub("green-valley", tmp_path, "Green Valley")
    columns = {name: table.names for name, table in PACKAGE_TABLES.items()}
    written = []
    for block in blocks("make-a-hub.md", "csv"):
        name = home_of(next(csv.reader(io.StringIO(block))), columns)
        assert name, block
        written.append(name)
        if name == "drivers":
            old = text_of(folder / "drivers.csv").replace("example", "valley-guess")
            (folder / "drivers.csv").write_text(old + block.split("\n", 1)[1], encoding="utf-8")
        else:
            (folder / f"{name}.csv").write_text(block, encoding="utf-8")
    assert {"sources", "facilities", "facility_emissions", "inventory", "branches", "drivers"} <= set(written)
    meta = json.loads(text_of(folder / "datapackage.json"))
    box = re.search(r"`\[(.*?)\]`", text_of(DOCS / "guides" / "make-a-hub.md"))
    assert box
    meta["bbox"] = [float(part) for part in box[1].split(",")]
    (folder / "datapackage.json").write_text(json.dumps(meta), encoding="utf-8")
    found = ch.check_hub(folder)
    assert [fault.line() for fault in found.faults] == []
    plan = ch.plan(ch.load_hub(folder))
    past = plan.table("emissions")
    past = past[(past["year"] == 2022) & (past["boundary"] == "included") & (past["scope"] == 1)]
    past = past[past["gas"] == "co2e"]
    assert past["value"].sum() == pytest.approx(845_000 + 110_000 + 290_000)


def test_the_guide_to_a_scenario_gives_one_that_loads(tmp_path: Path) -> None:
    (text,) = blocks("write-a-scenario.md", "yaml")
    path = tmp_path / "cheap-power.yaml"
    path.write_text(text, encoding="utf-8")
    scenario = ch.load_scenario(path, build_docs.california())
    assert scenario.extends == "net-zero-2045"
    assert scenario.limits["co2-storage"].off


@pytest.fixture
def copy_of_california(tmp_path: Path) -> Path:
    return Path(shutil.copytree(build_docs.california().path, tmp_path / "my-hub"))


def test_the_guide_to_a_project_gives_one_that_is_valued(copy_of_california: Path) -> None:
    source, project = blocks("add-a-project.md", "csv")
    append(copy_of_california / "sources.csv", source)
    append(copy_of_california / "projects.csv", project)
    hub = ch.load_hub(copy_of_california)
    scenario = ch.load_scenario("baseline", hub)
    rows = hub.tables["projects"]
    only = hub.__class__(**{**hub.__dict__, "tables": {**hub.tables, "projects": rows.tail(1)}})
    book = load_book(hub.library, only, scenario)
    valued = valuations_table(value_projects(only, scenario, book)).set_index("project_id")
    assert set(valued.loc["MY-001", "status"]) == {"valued"}


def test_the_guide_to_a_source_gives_a_row_that_is_read(tmp_path: Path) -> None:
    table = PACKAGE_TABLES["sources"]
    (row,) = blocks("add-a-source.md", "csv")
    (tmp_path / "sources.csv").write_text(f"{','.join(table.names)}\n{row}", encoding="utf-8")
    faults = FaultList()
    read = read_table(tmp_path / "sources.csv", table, faults, {}, lambda unit: True)
    assert faults.faults == []
    assert list(read["source_id"]) == ["valley-plants"]


def test_the_guide_to_a_technology_gives_one_that_is_costed(tmp_path: Path) -> None:
    library = Path(shutil.copytree(LIBRARY, tmp_path / "library"))
    homes = ("technologies", "technology_parameters", "switches")
    for name, block in zip(homes, blocks("add-a-technology.md", "csv"), strict=True):
        append(library / f"{name}.csv", block)
    hub = build_docs.california()
    tech = build_technologies(read_library(library), ch.load_scenario("baseline", hub))
    k, base = tech.find("glass_hydrogen"), tech.find("glass_regenerative")
    assert tech.base[k] == base
    assert tech.direct[k] == pytest.approx(0.11)
    assert tech.capex[k] > tech.capex[base]
    assert tech.inputs[k][tech.carriers == "natural_gas"] == pytest.approx(0.0)


@pytest.mark.parametrize("path", sorted((DOCS / "guides").glob("*.md")), ids=lambda path: path.stem)
def test_commands_in_guides_exist(path: Path) -> None:
    known = dict(build_docs.walk_commands())
    for line in re.findall(r"^\$ (cleanhub .*)$", text_of(path), re.MULTILINE):
        words = line.split()
        name = " ".join(words[:3]) if " ".join(words[:3]) in known else " ".join(words[:2])
        assert name in known, line
        name = f"{name} {default}" if (default := getattr(known[name], "default", "")) else name
        options = {word for one in known[name].params for word in one.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


# --- the tools themselves ------------------------------------------------------------------------


def test_the_data_page_of_any_hub_can_be_written(tmp_path: Path) -> None:
    page = describe_hub(ch.load_hub(new_hub("valley", tmp_path, "Valley")))
    assert page.startswith("# Data of the Valley\n")
    assert "| `facilities` | 1 |" in page
    assert "Tables without rows: " in page
    assert "100 %" in page


def test_the_data_page_knows_no_hub_by_name() -> None:
    code = text_of(ROOT / "src" / "cleanhub" / "hub" / "datadoc.py").lower()
    assert not any(hub in code for hub in ch.list_hubs())


def test_the_data_page_counts_every_row_of_every_source(made: dict[Path, str]) -> None:
    part = made[DOCS / "data" / "california.md"].split("## Sources\n")[1].split("\n## ")[0]
    cells = [line.split(" | ")[-1] for line in part.splitlines() if line.startswith("| `")]
    for name, frame in build_docs.california().tables.items():
        if name != "sources" and "source_id" in frame.columns:
            counts = [re.findall(rf"(?:^|, ){name} ([\d,]*\d)", cell) for cell in cells]
            assert sum(int(n.replace(",", "")) for found in counts for n in found) == len(frame), name


def test_a_markdown_table_escapes_bars_and_breaks() -> None:
    assert markdown_table(["a", "b"], [("x|y", "1\n2")], right=(1,)) == (
        "| a | b |\n| --- | ---: |\n| x\\|y | 1 2 |"
    )


def test_the_tour_runs_nothing_but_cleanhub() -> None:
    with pytest.raises(SystemExit, match="only cleanhub"):
        readme_tour.tour("```sh\nrm -rf plans\n```\n")


def test_a_failing_command_of_the_tour_is_told() -> None:
    with pytest.raises(SystemExit, match="ended with 2"):
        readme_tour.tour("```sh\ncleanhub hub check nowhere\n```\n")


def test_the_tour_keeps_the_lines_asked_for() -> None:
    block = "```python\nfor n in range(5):\n    print(n)\n```\n\n<!-- output: {} -->\n\n```text\n```\n"
    shows: Callable[[str], str] = lambda keep: readme_tour.tour(block.format(keep)).split("```text\n")[1]  # noqa: E731
    assert shows("1|3") == "1\n...\n3\n...\n```\n"
    assert shows("all") == "0\n1\n2\n3\n4\n```\n"
    assert readme_tour.tour("```console\n$ make plan\n```\n") == "```console\n$ make plan\n```\n"
