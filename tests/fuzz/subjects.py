"""Every kind of file that people bring to cleanhub: a healthy one, and the command that reads it."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

import mangling
from small_hub import CALIFORNIA, edit, make_small_hub, read
from trials import Outcome, Subject, run

from cleanhub.core.errors import InputError

SIGNED = ("--by", "ann", "--reason", "a letter came")


def thin_hub(folder: Path) -> Path:
    """A hub with rows in every table that a check reads in a fraction of a second."""
    make_small_hub(folder)
    edit(folder, "inventory", lambda t: t[t["year"].astype(int) >= 2022])
    edit(folder, "facilities", lambda t: t.iloc[::3])
    kept = set(read(folder, "facilities")["asset_id"])
    edit(
        folder,
        "facility_emissions",
        lambda t: t[(t["year"].astype(int) >= 2022) & t["asset_id"].isin(kept)],
    )
    edit(folder, "tracts", lambda t: t.iloc[::10])
    edit(folder, "projects", lambda t: t.iloc[:20])
    return folder


def _done(words: Sequence[str | Path], folder: Path) -> Outcome:
    """Run a command that must succeed."""
    done = run(words, folder)
    assert done.code == 0, (words, done)
    assert not done.broke, done.broke
    return done


# ---------------------------------------------------------------- hubs, scenarios, policies

TABLES = tuple(sorted(f"hub/{path.name}" for path in CALIFORNIA.glob("*.csv")))
SCENARIO = """\
name: mine
title: Ours
description: What we think.
extends: net-zero-2045
as_of: 2026-06-01
end_year: 2040
price_year: 2024
decision: {rule: least_cost, discount_rate: 0.08, horizon: 20, lead_time: 3}
carbon_price: carbon_price_floor
learning: low
programme: false
zero_emission_sales: true
credits: []
freight:
  serve: false
  headroom: 1.5
drivers:
  carbon_price_floor: {scale: 2, range: high}
limits: {}
policies:
  45q: {delay_years: 1, scale: 0.5, until: 2031-12-31}
  45v: {off: true}
"""
POLICY = """\
policy: county-heat
name: County grant for industrial heat
instrument: grant
jurisdiction: [US-CA]
rule: share_of_capital
summary: pays a share of the capital of heat pumps
tax_character: taxable
status_date: 2026-01-01
legal_status: in_force
lag_years: 1
values:
  - {item: share, value: 0.2, low: 0.1, high: 0.3, unit: "1"}
  - {item: maximum, value: 500000, unit: USD, currency_year: 2024}
conditions:
  - condition: county-heat-technology
    test: technology_in
    value: [steam_heat_pump]
    words: it is for heat pumps
  - condition: county-heat-service
    test: in_service_by
    value: 2030-12-31
    words: it must be in service by {allowed}, it is {found}
excludes:
  - {policy: cec-indigo, exclusion: county-heat-not-with-indigo, scope: the same equipment}
"""


@cache
def _thin() -> tempfile.TemporaryDirectory[str]:
    """A folder, gone with this process, that holds the thin hub to copy."""
    made = tempfile.TemporaryDirectory()
    thin_hub(Path(made.name) / "hub")
    return made


def _hub(folder: Path) -> None:
    shutil.copytree(Path(_thin().name) / "hub", folder / "hub")


def _scenario(folder: Path) -> None:
    _hub(folder)
    (folder / "mine.yaml").write_text(SCENARIO, encoding="utf-8")


def _policy(folder: Path) -> None:
    _hub(folder)
    (folder / "county-heat.yaml").write_text(POLICY, encoding="utf-8")
    _done(("finance", "archetypes", "heat-pump", "--out", "pump.yaml"), folder)


def _check(random: Random, file: str) -> Sequence[str]:
    return ("hub", "check", "hub", *random.choice(((), ("--json",))))


def _walk(random: Random, file: str) -> Sequence[str]:
    return ("pathways", "hub", "--out", "tables")


def _values(random: Random, file: str) -> Sequence[str]:
    return ("finance", "projects", "--hub", "hub")


def _of_scenario(random: Random, file: str) -> Sequence[str]:
    return random.choice(
        (
            ("pathways", "hub", "--scenario", "mine.yaml"),
            ("finance", "projects", "--hub", "hub", "--scenario", "mine.yaml"),
        )
    )


def _of_policy(random: Random, file: str) -> Sequence[str]:
    return (
        "policy",
        "apply",
        "pump.yaml",
        "--hub",
        "hub",
        "--policies",
        "county-heat.yaml",
        *random.choice(((), ("--json",))),
    )


# ---------------------------------------------------------------- cases of projects

CASES = ("electrolysis", "cement-capture", "saf-hefa", "battery-truck-fleet", "heat-pump")


def _cases(folder: Path) -> None:
    for name in CASES:
        _done(("finance", "archetypes", name, "--out", f"{name}.yaml"), folder)
        path = folder / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("\nname:", "\n# name:"), encoding="utf-8")


def _value(random: Random, file: str) -> Sequence[str]:
    more = random.choice(
        ((), (), ("--json",), ("--support",), ("--samples", "20"), ("--workbook", "made.xlsx"))
    )
    return ("finance", file, *more)


def _frozen(folder: Path) -> None:
    _done(("finance", "heat-pump", "--freeze", "frozen.json", "--as-of", "2026-06-01"), folder)


def resealed(random: Random, data: bytes) -> bytes:
    """Another content under a hash that fits it: what a program that is not ours could write."""
    from cleanhub.finance.frozen_data import rendered

    content = json.loads(data)
    bare = {key: value for key, value in content.items() if key not in ("sha256", "id")}
    mangled = mangling.node_odd(random, json.dumps(bare).encode())
    try:
        return rendered(json.loads(mangled)).encode()
    except (ValueError, TypeError):  # no program could seal it: NaN, half a character, no mapping
        return mangled


def _reopen(random: Random, file: str) -> Sequence[str]:
    return ("finance", file, *random.choice(((), ("--json",), ("--workbook", "made.xlsx"))))


# ---------------------------------------------------------------- trips, location models

LOCATIONS = {
    "points.csv": "name,kind,lat,lon,weight,demand,capacity,fixed_cost\n"
    "A,site,34,-118,,,10,5\nB,both,34.2,-118,2,3,9,4\n"
    "C,customer,34.1,-118.1,1,2,,\nD,customer,34.3,-118.2,4,1,,\n",
    "paths.csv": "o,d,flow,path,cum_length\n"
    "A,C,10,A B C,0 50 90\nA,D,5,A B D,0 50 120\nC,D,2,C B D,0 40 110\n",
    "pmed.txt": " 4 4 2\n 1 2 3\n 2 3 4\n 3 4 5\n 1 4 6\n",
    "cap.txt": " 2 3\n 10 7.5\n 12 8\n 3\n 1 2\n 4\n 2 1\n 5\n 3 3\n",
    "matrix.csv": "site,a,b,c\nx,1,2,3\ny,3,1,2\nz,2,3,1\n",
}
_MODELS = {
    "points.csv": (("p-median", "--p", "1"), ("mclp", "--p", "1", "--range", "20"), ("capacitated",)),
    "paths.csv": (("frlm", "--p", "1", "--range", "100"),),
    "pmed.txt": (("p-median",),),
    "cap.txt": (("capacitated",), ("single-source",)),
    "matrix.csv": (("p-median", "--p", "1"),),
}


def _trips(folder: Path) -> None:
    _hub(folder)
    for word in ("trips", "gps"):
        done = _done(("freight", "trips", "--template", word), folder)
        (folder / f"{word}.csv").write_text(done.out, encoding="utf-8")


def _read_trips(random: Random, file: str) -> Sequence[str]:
    return (
        "freight",
        "trips",
        file,
        "--hub",
        "hub",
        *random.choice(((), ("--json",), ("--mend", "mended.csv"))),
    )


def _locations(folder: Path) -> None:
    for name, text in LOCATIONS.items():
        (folder / name).write_text(text, encoding="utf-8")


def _locate(random: Random, file: str) -> Sequence[str]:
    model, *more = random.choice(_MODELS[file])
    return ("freight", "locate", model, file, *more, "--nodes", "200")


# ---------------------------------------------------------------- the register

REGISTER = "reg.sqlite"
IMPORT = (
    "Project ID,Name,Sector,Stage,Role,Capex (USD million),Capacity,Capacity unit,"
    "Latitude,Longitude,City,Announced,Note\n"
    'T-1,Trial kiln,cement,announced,abates,120,500000,t/yr,35.1,-118.2,Lebec,2025-03-01,"a note, long"\n'
    "T-2,Second,hydrogen,feed,supplies,45.5,10000,t/yr,34.0,-118.3,,2024-12-31,\n"
    "T-3,Dritte Größe,glass,announced,abates,,,,,,Madera,,=1+1\n"
)


def _register(folder: Path) -> None:
    _done(
        ("project", "add", "Trial kiln", "--sector", "cement", *SIGNED, "--create", "--register", REGISTER),
        folder,
    )
    _done(("backup", "backup.sqlite", "--register", REGISTER), folder)
    _settle(folder)
    (folder / "mine.csv").write_text(IMPORT, encoding="utf-8")
    _done(("project", "import", "mine.csv", "--dry-run", *SIGNED, "--register", REGISTER), folder)
    _done(("project", "template", "book.xlsx"), folder)
    _done(("project", "export", "told.xlsx", "--register", REGISTER), folder)
    _done(("project", "export", "told.json", "--register", REGISTER), folder)
    _done(("project", "export", "told.csv", "--register", REGISTER), folder)
    _settle(folder)


def _settle(folder: Path) -> None:
    for path in folder.glob("*-to-fix.csv"):
        path.unlink()


def _import(random: Random, file: str) -> Sequence[str]:
    more = random.choice(((), ("--dry-run",), ("--json",), ("--dry-run", "--json")))
    return ("project", "import", file, *SIGNED, "--register", REGISTER, *more)


def _restore(random: Random, file: str) -> Sequence[str]:
    if file == REGISTER:
        return random.choice(
            (
                ("project", "list", "--register", file),
                ("replay", "--register", file),
                ("project", "add", "New", "--sector", "cement", *SIGNED, "--register", file),
                ("project", "import", "mine.csv", *SIGNED, "--register", file),
                ("migrate", "--register", file),
                ("history", "--register", file),
                ("backup", "again.sqlite", "--register", file),
            )
        )
    return ("restore", file, "--register", "new.sqlite")


def _log_of_register(file: str) -> tuple[str, ...]:
    return (REGISTER, f"{REGISTER}-wal", f"{REGISTER}-shm", "new.sqlite", f"{Path(file).stem}-to-fix.csv")


# ---------------------------------------------------------------- plan folders


def _plans(folder: Path) -> None:
    from cleanhub.hub.new import new_hub
    from cleanhub.planning.plan import plan

    hub = new_hub("tiny", folder)
    rows = read(CALIFORNIA, "projects").iloc[:4]
    rows = rows.assign(asset_id="", source_id="example", lat="0.5", lon="0.5", part_of="", supplied_by="")
    rows.to_csv(hub / "projects.csv", index=False)
    made = plan(hub)
    made.save(folder / "plan")
    made.save(folder / "other")


def _plan_files(kind: str) -> tuple[str, ...]:
    from cleanhub.hub.plan_tables import PLAN_TABLES

    if kind == "json":
        return ("plan/plan.json", "plan/run.json")
    return tuple(f"plan/tables/{name}.parquet" for name in PLAN_TABLES)


def _ask(random: Random, file: str) -> Sequence[str]:
    why = ("why", "plan", "scorecard", "hub_emissions_2045")
    return random.choice((("compare", "other", "plan"), why, why, why))


def _pages(folder: Path) -> str:
    """Every page of the plan, asked for as a browser does: none may fail."""
    from cleanhub.web.app import create_app
    from cleanhub.web.view import open_plan

    try:
        view = open_plan(folder / "plan", folder / "tiny")
    except InputError:
        return ""  # says so, and serves nothing
    app = create_app(view)
    tables = (f"/data/{name}" for name in view.plan.tables)
    paths = (
        "/",
        "/map",
        "/projects",
        "/data",
        "/words",
        "/data/sources",
        "/api/plan",
        "/api/tables",
        *tables,
    )
    for path in paths:
        status = asyncio.run(asked(app, path))
        if status != 200:
            return f"page {path} answers {status}"
    return ""


async def asked(app: Callable[..., object], path: str) -> int:
    """Status of the answer to a request for a page."""
    found: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            found.append(int(str(message["status"])))

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"127.0.0.1")], "http_version": "1.1", "scheme": "http", "root_path": "",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    await app(scope, receive, send)  # type: ignore[misc]
    return found[0]


# ---------------------------------------------------------------- all of them


def _hub_or_file(file: str) -> tuple[str, ...]:
    return ("hub", Path(file).name)


def _stem(file: str) -> tuple[str, ...]:
    return (Path(file).name, Path(file).stem)


def subjects() -> dict[str, Subject]:
    """Every subject by name."""
    found = (
        Subject("hub-tables", _hub, TABLES, mangling.CSV, _check),
        Subject("hub-descriptor", _hub, ("hub/datapackage.json",), mangling.JSON, _check, names=_hub_or_file),
        Subject("hub-shapes", _hub, ("hub/counties.geojson",), mangling.JSON, _check),
        Subject("hub-hours", _hub, ("hub/grid_hourly.parquet",), mangling.BYTES, _check),
        Subject("hub-walked", _hub, TABLES, mangling.GRID, _walk, names=_hub_or_file),
        Subject("hub-valued", _hub, TABLES, mangling.GRID, _values, names=_hub_or_file),
        Subject("scenario", _scenario, ("mine.yaml",), mangling.YAML, _of_scenario, names=_stem),
        Subject("policy", _policy, ("county-heat.yaml",), mangling.YAML, _of_policy),
        Subject("case", _cases, tuple(f"{name}.yaml" for name in CASES), mangling.YAML, _value, names=_stem),
        Subject("frozen", _frozen, ("frozen.json",), (*mangling.JSON, *[resealed] * 6), _reopen),
        Subject(
            "trips",
            _trips,
            ("trips.csv", "gps.csv"),
            mangling.CSV,
            _read_trips,
            may_write=lambda file: ("mended.csv",),
        ),
        Subject("locations", _locations, tuple(LOCATIONS), mangling.CSV, _locate),
        Subject(
            "import-csv",
            _register,
            ("mine.csv", "told.csv"),
            mangling.CSV,
            _import,
            may_write=_log_of_register,
        ),
        Subject(
            "import-xlsx",
            _register,
            ("book.xlsx", "told.xlsx"),
            mangling.WORKBOOK,
            _import,
            may_write=_log_of_register,
        ),
        Subject("import-json", _register, ("told.json",), mangling.JSON, _import, may_write=_log_of_register),
        Subject(
            "register",
            _register,
            (REGISTER, "backup.sqlite"),
            mangling.BYTES,
            _restore,
            may_write=_log_of_register,
        ),
        Subject(
            "plan-json",
            _plans,
            _plan_files("json"),
            mangling.JSON,
            _ask,
            also=_pages,
            names=lambda file: ("plan",),
        ),
        Subject("plan-tables", _plans, _plan_files("tables"), mangling.BYTES, _ask, also=_pages),
    )
    return {one.name: one for one in found}
