"""What stands in the way, promises and buyers, the chances of projects: words and figures on a known plan."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from cleanhub.report import pipeline_charts, write
from cleanhub.report.blocks import Figure, Table
from cleanhub.report.context import Context
from cleanhub.report.pipeline_charts import Ranged, Slot
from cleanhub.report.sections import commitments, method, pipeline
from cleanhub.report.sections.coordination import coordination
from cleanhub.report.sections.missing_links import barriers, entries
from cleanhub.report.sections.project_table import project_table


def plain(cell: object) -> str:
    """The words of a cell, without its tags, one plain space between them."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", str(cell))).split())


def block(section: Any, one: str) -> Table:
    return next(b for b in section.blocks if isinstance(b, Table) and b.id == one)


# ---------------------------------------------------------------- what to unblock first


def test_the_gates_of_one_project_are_one_entry(filled_plan: Any) -> None:
    found = entries(Context(filled_plan))
    assert [one.project for one in found] == ["", "P1", ""]
    own = found[1]
    assert len(own.links) == 2
    assert own.blocked == 1e6  # the same tonnes wait for both gates: not 2e6
    assert own.share == pytest.approx(0.5)  # shares add up
    assert own.slowest["link_id"] == "gate:P1:offtake"


def test_what_blocks_most_leads(filled_plan: Any, nasty: str) -> None:
    section = pipeline.build(Context(filled_plan))
    lead = " ".join(plain(text) for text in section.lead)
    assert f"What to unblock first: {nasty}: store:S" in lead
    assert "2 Mt expected to the end of 2030 wait for it. Utility: agree <now>" in lead


def test_links_without_tonnes_are_ranked_by_projects(filled_plan: Any) -> None:
    table = block(pipeline.build(Context(filled_plan)), "links-without-tonnes")
    assert len(table.rows) == 1
    assert "port_power:x" in plain(table.rows[0][0])


def test_barriers_add_up_to_what_the_links_say(filled_plan: Any) -> None:
    _, table = barriers(Context(filled_plan))
    shown = {plain(row[0]).split(":")[0]: [plain(cell) for cell in row[1:6]] for row in table.rows}
    assert shown["Permitting"] == ["1", "2", "2", "750 kt", "50 %"]
    assert shown["First-of-a-kind risk that capital does not carry"] == ["1", "0", "1", "250 kt", "25 %"]
    assert shown["Policy that is fragmented, ends or is missing"] == ["0", "1", "0", "250 kt", "25 %"]


# ---------------------------------------------------------------- the headline


def test_decisions_tonnes_and_both_rates_are_named(filled_plan: Any) -> None:
    lead = " ".join(plain(text) for text in pipeline.build(Context(filled_plan)).lead)
    assert "Of 1 live project" in lead
    assert "0.12 are expected to decide by the end of 2030" in lead
    assert "400 kt of CO₂e in 2030 (P10 10 kt, median 100 kt, P90 1.6 Mt)" in lead
    assert "mean stands far above the median" in lead
    assert re.search(r"20 % is the share of announced projects that\s+ever\s+decide", lead)
    assert re.search(r"3 % is the\s+hazard", lead)
    assert "(12 % a year)" in lead  # 0.03 (1 - 0.2) / 0.2


def test_an_umbrella_over_live_projects_counts_with_its_parts(make_plan: Callable[..., Any]) -> None:
    row = {"name": "x", "sector": "cement", "role": "abates", "stage_basis": "asserted", "p_fid_2030": 0.5,
           "p_fid_ever": 0.5, "p_fid_strict": 0.5, "p_from": "prior", "confidence": "seen",
           "source_id": "src-a"}  # fmt: skip
    plan = make_plan(
        projects=[
            {**row, "project_id": "U", "stage": "announced"},
            {**row, "project_id": "A", "stage": "feed", "part_of": "U"},
            {**row, "project_id": "B", "stage": "operating"},
        ]
    )
    assert [one["project_id"] for one in pipeline.live_projects(Context(plan))] == ["A"]


# ---------------------------------------------------------------- dates and conflicts


def test_only_dated_links_stand_on_the_timeline(filled_plan: Any) -> None:
    figure, table = coordination(Context(filled_plan))
    assert isinstance(figure, Figure)
    assert figure.data is not None
    assert len(figure.data.rows) == 2
    assert "2 links of 3 have a date" in str(figure.note)
    assert len(table.rows) == 1  # one of the two does not fit
    whose, latest, begun, expected, late, blocks = map(plain, table.rows[0])
    assert whose.startswith("Ann & Bob's")  # the id is read as the name
    assert "is to be in service in 2029" in whose
    assert "Permits" in latest
    assert (begun, expected, late, blocks) == ("2022", "2028", "2.5", "1 Mt")


def test_a_deadline_at_new_year_is_the_end_of_the_year_before(filled_plan: Any) -> None:
    row = block(pipeline.build(Context(filled_plan)), "policy-conflicts").rows[0]
    assert list(map(plain, row[1:6])) == ["end of 2032", "2034", "40 %", "570", "350"]
    assert "CO₂ too late" in plain(row[0])


# ---------------------------------------------------------------- projects


def test_projects_show_chances_years_and_gates(filled_plan: Any) -> None:
    rows = {
        plain(row[1]).split()[0]: list(map(plain, row))
        for row in project_table(Context(filled_plan), Context(filled_plan).rows("projects")).rows
    }
    live, ended = rows["FEED"], rows["Cancelled"]
    assert "1 of 3 done; last: Permits" in live[2]
    assert live[3].split() == ["12", "%", "strict", "1", "%"]
    assert live[4].split() == ["2028", "2027", "to", "2031"]
    assert live[5].split() == ["2032", "announced", "2029"]
    assert "inferred from silence" in ended[1]
    assert ended[3] == "0 %"
    assert ended[2] == ended[4] == ended[5] == "–"


# ---------------------------------------------------------------- promises, buyers, backtest


def test_promises_are_told_apart(filled_plan: Any) -> None:
    section = commitments.build(Context(filled_plan))
    assert "4 promises: 2 can be put against the path and 1 of these is kept" in str(section.lead[0])
    shown = [list(map(plain, row)) for row in block(section, "promises").rows]
    assert {row[4] for row in shown} == {"45 kt", "yes"}
    assert any("scope 1 emissions of Second kiln" in row[5] for row in shown)
    assert plain(block(section, "promises-beside").rows[0][4]) == "1.1 %"
    assert len(block(section, "promises-not-compared").rows) == 1


def test_projects_of_one_buyer_share_a_row(filled_plan: Any) -> None:
    rows = block(commitments.build(Context(filled_plan)), "buyers").rows
    assert len(rows) == 2
    first = list(map(plain, rows[0]))
    assert first[1] == "Buys too little to carry it"
    assert "(1.1 %, needs $3,460/t)" in first[3]
    assert "(2.1 %)" in first[3]
    assert first[5] == "29 trucks"


def test_the_backtest_says_what_lies_outside(filled_plan: Any, nasty: str) -> None:
    rows = block(method.build(Context(filled_plan)), "pipeline-backtest").rows
    shown = {
        plain(row[0]).removeprefix(nasty).removeprefix("hub").strip(): list(map(plain, row)) for row in rows
    }
    verdicts = {name.split(",")[0]: row[5] for name, row in shown.items()}
    assert verdicts["Decisions"] == "inside"
    assert verdicts["Past FID"] == "outside"
    assert verdicts["FID ever"] == verdicts["FID hazard"] == "no test"
    hazard = next(row for name, row in shown.items() if name.startswith("FID hazard"))
    assert hazard[4] == "3 %"


# ---------------------------------------------------------------- plans without a pipeline


def test_older_plans_and_empty_hubs_say_so_in_one_line(
    make_plan: Callable[..., Any], empty_plan: Any
) -> None:
    older = make_plan()
    for name in ("gates", "links", "stage_years", "pipeline_years", "coordination", "conflicts",
                 "commitments", "offtake", "pipeline_backtest"):  # fmt: skip
        del older.tables[name]
    new = ["stage_basis", "p_fid_ever", "p_fid_strict", "p_from"]
    older.tables["projects"] = older.tables["projects"].drop(columns=new)
    section = pipeline.build(Context(older))
    assert section.blocks == ()
    assert "holds no simulation" in section.lead[0]
    assert commitments.build(Context(older)).blocks == ()
    assert "There are no stage-gate probabilities in this plan" in write.render(older)
    assert "lists no projects" in pipeline.build(Context(empty_plan)).lead[0]


# ---------------------------------------------------------------- drawings


def test_a_late_row_is_told_without_colour() -> None:
    groups = [("City", [Slot("a", 2019.0, 2025.0, 2028.0, True, "late"),
                        Slot("b", 2027.0, 2029.0, 2028.0, False, "fits")])]  # fmt: skip
    text = pipeline_charts.timeline(760, "t", "T", "D", groups, (2023, 2030), 2026.4, ("#00f", "#f00"))
    late, fits = re.findall(r"<g>.*?</g>", text)
    assert 'class="hatch"' in late
    assert 'stroke-dasharray="2 2"' in late
    assert "fill:var(--paper" in late  # hollow diamond
    assert "hatch" not in fits
    assert "dasharray" not in fits
    x = [float(one) for one in re.findall(r'<rect x="([\d.]+)"', late)]
    assert min(x) == 320.0  # begun before the window: cut at its edge, with an arrow before it
    assert "M313 " in late


def test_a_band_spans_its_percentiles() -> None:
    given = Ranged((2.0, 3.0), (1.0, 1.0), (1.5, 2.0), (4.0, 8.0))
    text = pipeline_charts.band(360, "b", "T", "D", [2027, 2030], given, "#0a0")
    area = re.findall(r'd="M([^"]+)Z"', text)[0]
    heights = [float(point.split()[1]) for point in area.split("L")]
    top, base = 14.0, 240.0 - 28.0
    assert heights[1] == pytest.approx(top, abs=0.1)  # 8 of 8
    assert heights[0] == pytest.approx((top + base) / 2, abs=0.1)  # 4 of 8
    assert heights[2] == heights[3] == pytest.approx(base - (base - top) / 8, abs=0.1)


def test_dots_differ_by_shape_and_carry_words() -> None:
    text = pipeline_charts.gate_dots([("Site: done", "done"), ("Permits: <open>", "last")], "#d50")
    assert text.count("<circle") == 1
    assert text.count("<rect") == 1
    assert "Permits: &lt;open&gt;" in text
    assert 'aria-label="Site: done; Permits: &lt;open&gt;"' in text
