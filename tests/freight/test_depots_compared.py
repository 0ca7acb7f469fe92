"""The tool that compares chosen sites with real depots: its parts by hand, and the page it wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import compare_depots as tool
from cleanhub.hub.package import load_hub

DEGREE_KM = 111.195


@pytest.fixture
def depots() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["depot-a", "depot-b"],
            "name": ["A", "B"],
            "lat": [34.0, 34.0],
            "lon": [-118.0, -117.0],
            "mw": [5.0, np.nan],
            "status": ["open 2024", "planned"],
        }
    )


def chosen(*rows: tuple[str, float, float, int, float]) -> tool.Chosen:
    """A choice from (id, lat, lon, year opened or 0, MW)."""
    sites = pd.DataFrame(rows, columns=["id", "lat", "lon", "opened", "mw"])
    sites = sites.assign(
        title=sites["id"].str.upper(),
        kind="shared",
        forbidden=False,
        open_plugs=0.0,
        plugs=sites["mw"] * 5,
        substation="S",
        stops=1.0,
    )
    return tool.Chosen(sites, {"gap": "1%"})


@pytest.fixture
def plan() -> tool.Chosen:
    """Two sites near A (1.1 km), one far from both; the fourth is not chosen."""
    return chosen(
        ("late", 34.01, -118.0, 2030, 9.0),
        ("small", 34.0, -117.99, 2028, 1.0),
        ("large", 35.0, -118.0, 2028, 4.0),
        ("not", 34.0, -117.0, 0, 0.0),
    )


def test_the_first_year_comes_first_and_the_largest_of_a_year(plan: tool.Chosen) -> None:
    assert plan.new["id"].tolist() == ["large", "small", "late"]


def test_distances_are_great_circles(depots: pd.DataFrame) -> None:
    km = tool.near_any(pd.Series([34.1, 34.0]), pd.Series([-118.0, -117.0]), depots)
    np.testing.assert_allclose(km, [0.1 * DEGREE_KM, 0.0], rtol=1e-4, atol=1e-6)


def test_the_tables_say_who_is_near_whom(plan: tool.Chosen, depots: pd.DataFrame) -> None:
    first = tool.first_table(plan, depots)
    assert first.startswith("2 of 3 lie within 5 km of a depot.")
    assert "| 1 | LARGE | shared | 2028 | 4.0 | S | A | 111.2 |" in first
    each = tool.depot_table(plan, depots)
    assert each.startswith("1 of 2 depots have a chosen site within 5 km")
    assert "| A | open 2024 | 5 | 0.9 | SMALL | 2028 | 1.0 | 0.9 |" in each
    row = next(line for line in each.splitlines() if line.startswith("| B |"))
    assert row.endswith("| 0.0 |")  # the candidate that was not chosen stands on it
    assert "| B | planned |  | 91.3 | SMALL |" in row


def test_power_is_split_by_where_it_stands(plan: tool.Chosen, depots: pd.DataFrame) -> None:
    own = chosen(
        ("depot-a", 34.0, -118.0, 2028, 2.0), ("near", 34.01, -118.0, 2029, 3.0), ("far", 36, -118, 2029, 7.0)
    )
    table = tool.expansion_table(own, depots)
    assert "| 2028 | 2.0 | 0.0 | 0.0 |" in table
    assert "| 2029 | 0.0 | 3.0 | 7.0 |" in table
    assert "| **all** | 2.0 | 3.0 | 7.0 |" in table


def test_random_choices_are_seeded_and_have_the_right_mean(depots: pd.DataFrame) -> None:
    """Of twenty candidates five are near a depot: a random ten has a quarter of them near."""
    near = [(f"n{k}", 34.0, -118.0 + k / 1000, 0, 0.0) for k in range(5)]
    far = [(f"f{k}", 36.0, -118.0 - k / 10, 0, 0.0) for k in range(15)]
    sites = chosen(*near, *far).sites
    luck = tool.random_choices(sites, depots, 10)
    assert len(luck.near) == tool.DRAWS
    assert luck.near.mean() == pytest.approx(0.25, abs=0.01)
    assert luck.near.max() <= 0.5
    np.testing.assert_array_equal(luck.near, tool.random_choices(sites, depots, 10).near)
    assert (tool.random_choices(sites, depots, 10, seed=1).near != luck.near).any()
    only_near = np.where(np.arange(20) < 5, 1.0, 0.0)
    assert (tool.random_choices(sites, depots, 10, only_near).near == 1).all()
    forbidden = sites.assign(forbidden=np.arange(20) < 5)
    assert (tool.random_choices(forbidden, depots, 10).near == 0).all()


def test_luck_is_told_beside_the_plan(plan: tool.Chosen, depots: pd.DataFrame) -> None:
    lines = tool.luck_table(plan, depots).splitlines()
    assert len(lines) == 2 + 4
    assert lines[2].startswith("| first 10 (3) | 67% | any candidate |")


def test_the_copy_has_no_depot_and_is_a_hub(small_hub_folder: Path, tmp_path: Path) -> None:
    before = (small_hub_folder / "infrastructure.csv").read_bytes()
    found = tool.real_depots(small_hub_folder)
    assert found["id"].tolist() == ["depot-wattev-port-of-long-beach"]
    assert found["mw"].tolist() == [5.0]
    blind = tool.without_depots(small_hub_folder, tmp_path / "blind")
    kinds = load_hub(blind).tables["infrastructure"]["kind"]
    assert "depot" not in set(kinds)
    assert len(kinds) == before.count(b"\n") - 2
    assert (small_hub_folder / "infrastructure.csv").read_bytes() == before


def test_both_runs_of_a_small_hub(
    small_hub_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The whole tool; a second time from what it kept, with the same words."""
    short = tool.SitingChoice
    monkeypatch.setattr(tool, "SitingChoice", lambda gap: short(first=2026, last=2030, gap=gap, nodes=50))
    words = ["--hub", str(small_hub_folder), "--keep", str(tmp_path / "kept"), "--gap", "0.05", "--print"]
    tool.main(words)
    first = capsys.readouterr().out
    monkeypatch.setattr(tool, "site_chargers", None)
    tool.main(words)
    assert capsys.readouterr().out == first
    assert "### Against luck" in first
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {
        "as-is.csv", "as-is.json", "without-depots.csv", "without-depots.json",
    }  # fmt: skip
    blind = pd.read_csv(tmp_path / "kept" / "without-depots.csv")
    assert not blind["id"].str.contains("wattev").any()
    assert blind["open_plugs"].sum() == 0


def test_the_page_is_filled_between_its_marks() -> None:
    page = f"before\n{tool.BEGIN}\nold\n{tool.END}\nafter\n"
    once = tool.filled(page, "new")
    assert once == f"before\n{tool.BEGIN}\n\nnew\n\n{tool.END}\nafter\n"
    assert tool.filled(once, "new") == once
    with pytest.raises(ValueError, match="lacks the marks"):
        tool.filled("nothing here", "new")


def test_the_page_names_every_depot_of_the_hub() -> None:
    text = tool.PAGE.read_text(encoding="utf-8")
    table = text.partition(tool.BEGIN)[2].partition(tool.END)[0]
    for name in tool.real_depots(tool.HUBS / "california")["name"]:
        assert f"| {name} |" in table
