"""``cleanhub pipeline --project``: one project picked out of hand-made tables of a simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cleanhub.cli.pipeline_project import known_project, project_lines, project_view
from cleanhub.core.errors import InputError


@pytest.fixture
def tables() -> dict[str, pd.DataFrame]:
    gate = {
        "status": "open",
        "p10": 2027.0,
        "p50": 2028.4,
        "p90": 2030.0,
        "actor": "city",
        "action": "decide",
    }
    link = {"actor": "utility", "action": "build it", "p50": 2031.0, "p_closes": 0.5}
    date = {"actor": "utility", "action": "build it", "decide_by": 2026.0, "expected": 2028.0, "because": "x"}
    head = {"name": "Kiln", "sector": "cement", "stage": "feed", "p_fid_2030": 0.25, "p_fid_ever": 0.5}
    head |= {"p_fid_strict": 0.0, "fid_p50": 2031.4, "online_p50": np.nan}
    return {
        "projects": pd.DataFrame([{"project_id": name, **head} for name in ("A", "AB")]),
        "gates": pd.DataFrame(
            [
                {"project_id": "A", "gate": "permit", "p_pass": 0.8, **gate},
                {"project_id": "A", "gate": "finance", "p_pass": 0.1, **gate},
                {"project_id": "AB", "gate": "epc", "p_pass": 0.05, **gate},
                {"project_id": "A", "gate": "site", "p_pass": 1.0, **gate, "status": "done"},
            ]
        ),
        "links": pd.DataFrame(
            [
                {"link_id": "pipe", "kind": "pipe", "description": "a pipe", "projects": "A;AB", **link},
                {"link_id": "gate:A:permit", "kind": "gate", "description": "own", "projects": "A", **link},
                {"link_id": "other", "kind": "store", "description": "a store", "projects": "AB", **link},
            ]
        ),
        "coordination": pd.DataFrame(
            [
                {"link_id": "1", "projects": "A", "late_years": -0.5, **date},
                {"link_id": "gate:AB:epc", "projects": "AB;A", "late_years": 2.0, **date},
                {"link_id": "3", "projects": "A", "late_years": np.nan, **date},
                {"link_id": "4", "projects": "AB", "late_years": 9.0, **date},
            ]
        ),
        "conflicts": pd.DataFrame(
            [
                {"kind": "unmet_rule", "policy": "p", "description": "no", "projects": "B;A"},
                {"kind": "unmet_rule", "policy": "q", "description": "no", "projects": "AB"},
            ]
        ),
    }


def test_a_project_is_picked_by_its_whole_id_and_the_least_likely_stands_first(
    tables: dict[str, pd.DataFrame],
) -> None:
    view = project_view(tables, "A")
    assert [row["gate"] for row in view["gates"]] == ["finance", "permit", "site"]
    assert [row["link_id"] for row in view["shared_links"]] == ["pipe"]
    assert [row["link_id"] for row in view["dates"]] == ["gate:AB:epc", "1"]  # latest first, dated ones alone
    assert [row["policy"] for row in view["conflicts"]] == ["p"]


def test_lines_say_chance_date_and_who(tables: dict[str, pd.DataFrame]) -> None:
    lines = list(project_lines(project_view(tables, "A")))
    text = "\n".join(lines)
    assert lines[0] == "A  Kiln (cement, stage feed)"
    assert "by 2030: 25.0%; by the plan's last year: 50.0%" in text
    assert "decision in 2031, in service in none" in text
    assert "finance                         10%  2028       city: decide" in lines
    assert any(line.startswith("site") and "done" in line for line in lines)
    assert any("2.0 years late" in line and line.endswith("build it (of AB)") for line in lines)
    assert "0.5 years to spare" in text


def test_a_project_with_nothing_left_has_its_heading_alone(tables: dict[str, pd.DataFrame]) -> None:
    bare = {name: frame.iloc[:0] for name, frame in tables.items()} | {"projects": tables["projects"]}
    assert len(list(project_lines(project_view(bare, "A")))) == 3


def test_an_unknown_project_is_refused_before_anything_is_drawn(tables: dict[str, pd.DataFrame]) -> None:
    known_project(tables["projects"], "AB")
    with pytest.raises(InputError, match=r"no such project; found B"):
        known_project(tables["projects"], "B")
