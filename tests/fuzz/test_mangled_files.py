"""Whatever stands in a file that people bring, a command ends with one clear answer.

A few mangled files of each kind, the same ones every time; ``run.py`` goes on for as long as it is told.
What must hold is said in ``trials.py``. Files that are not mangled may be remembered, as a user has them.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mangling import CSV, GRID, JSON, WORKBOOK, YAML
from subjects import subjects
from trials import Bench

from cleanhub.core.errors import FaultList
from cleanhub.core.tables import read_table
from cleanhub.hub.library import load_library
from cleanhub.hub.schema import PACKAGE_TABLES

SUBJECTS = subjects()
EXAMPLES = {
    "hub-tables": 3,
    "hub-descriptor": 2,
    "scenario": 3,
    "policy": 3,
    "case": 4,
    "frozen": 6,
    "trips": 3,
    "locations": 6,
    "import-csv": 6,
    "import-xlsx": 6,
    "import-json": 4,
    "register": 5,
}
"""How many of each kind are tried here; the subjects that are left out need a plan or run a path."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_mangled_file_has_one_clear_answer(name: str, tmp_path: Path) -> None:
    bench = Bench(SUBJECTS[name], tmp_path / name)
    for number in range(EXAMPLES[name]):
        trial = bench.try_once(Random(number))
        assert not trial.wrong, trial.told()


TABLE = b"""\
asset_id,name,lat,lon,sector,inventory_sector,product,source_id,confidence
plant,"A plant, large",0.5,0.5,cement,Industry,clinker,example,assumed
other,Other,0.25,0.75,cement,Industry,clinker,example,seen
"""


@settings(
    max_examples=40,
    deadline=None,  # the first reads the library
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(random=st.randoms(use_true_random=False), way=st.sampled_from(CSV))
def test_a_table_is_read_or_its_faults_have_a_place(tmp_path: Path, random: Random, way: object) -> None:
    library, table, faults = load_library(), PACKAGE_TABLES["facilities"], FaultList()
    path = tmp_path / "facilities.csv"
    path.write_bytes(way(random, TABLE))  # type: ignore[operator]
    frame = read_table(path, table, faults, library.codelists, library.unit_ok)
    assert list(frame.columns) == table.names
    for fault in faults.faults:
        assert fault.file == "facilities.csv"
        assert fault.line().isprintable()
        assert fault.what


def test_every_way_makes_other_bytes_of_a_healthy_file_at_times() -> None:
    """A way that never changes anything would test nothing."""
    yaml, table = b"name: here\nb: {c: 2}\n", TABLE
    data = {CSV: table, GRID: table, YAML: yaml, JSON: b'{"here": [1, 2], "b": {"c": null}}'}
    for ways, healthy in data.items():
        for way in set(ways):
            assert any(way(Random(seed), healthy) != healthy for seed in range(30)), way.__name__
    assert WORKBOOK
