"""The report as a whole: the same bytes, nothing unescaped, nothing fetched, nothing missing."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cleanhub.core.errors import RunError
from cleanhub.hub.plan_tables import PLAN_TABLES
from cleanhub.report import write
from cleanhub.report.labels import sector

LOADING = {
    "src",
    "srcset",
    "data",
    "poster",
    "action",
    "formaction",
    "background",
    "manifest",
    "ping",
    "xlink:href",
}
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(HTMLParser):
    """What a page holds: tags with attributes, ids, texts, and tags left open."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1] in ("script", "style")):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))


def test_equal_plans_give_equal_bytes(make_plan: Callable[..., Any], tmp_path: Path) -> None:
    first = write.write_report(make_plan(), tmp_path / "a").read_bytes()
    second = write.write_report(make_plan(), tmp_path / "b").read_bytes()
    assert first == second


def test_row_order_of_the_tables_does_not_matter(make_plan: Callable[..., Any]) -> None:
    shuffled = make_plan()
    for name, frame in shuffled.tables.items():
        shuffled.tables[name] = frame.iloc[::-1].reset_index(drop=True)
    assert write.render(shuffled) == write.render(make_plan())


def test_one_file_is_written_and_nothing_else(filled_plan: Any, tmp_path: Path) -> None:
    path = write.write_report(filled_plan, tmp_path / "deep" / "folder")
    assert path == tmp_path / "deep" / "folder" / "report.html"
    assert list(path.parent.iterdir()) == [path]


def test_a_report_is_replaced(filled_plan: Any, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    assert "old" not in write.write_report(filled_plan, tmp_path).read_text()[:20]


@pytest.mark.parametrize("which", ["filled_plan", "empty_plan"])
def test_the_page_is_well_formed(which: str, request: pytest.FixtureRequest) -> None:
    page = Page(write.render(request.getfixturevalue(which)))
    assert not page.faults
    assert not page.open
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for t, a in page.tags if t == "a" and a.get("href", "").startswith("#")}
    assert targets <= set(ids)


@pytest.mark.parametrize("which", ["filled_plan", "empty_plan"])
def test_nothing_is_fetched(which: str, request: pytest.FixtureRequest) -> None:
    text = write.render(request.getfixturevalue(which))
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in {
            "link",
            "img",
            "image",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "video",
            "audio",
        }
        assert not LOADING & set(attributes), (tag, attributes)
        if tag == "use":
            pytest.fail("use elements may load other documents")
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert (
        policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
    )
    style = "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    assert "@import" not in style
    assert not re.findall(r"url\((?!#)", text)


def test_names_cannot_break_out(filled_plan: Any, nasty: str) -> None:
    text = write.render(filled_plan)
    assert nasty not in text
    assert "<script>alert" not in text
    assert text.count("<script") == 1
    assert text.count("</script") == 1
    page = Page(text)
    assert nasty in "".join(page.words)
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)


def test_only_web_addresses_become_links(filled_plan: Any) -> None:
    page = Page(write.render(filled_plan))
    outward = [a["href"] for t, a in page.tags if t == "a" and not a["href"].startswith("#")]
    assert outward == ["https://example.org/a?b=1&c=2"]


def test_an_empty_plan_says_so_everywhere(empty_plan: Any) -> None:
    text = Page(write.render(empty_plan)).text
    for said in (
        "None in this plan.",
        "No emissions in this plan.",
        "No site of this hub reports emissions.",
        "No plant changes its technology in this plan.",
        "No trucks in this plan.",
        "No limits in this plan.",
        "No budgets in this plan.",
        "No projects in this plan.",
        "No costs in this plan.",
        "No energy use in this plan.",
        "Nothing in this plan has a place.",
        "This plan holds no provenance.",
        "Nothing is pending.",
    ):
        assert said in text
    assert "nan" not in text.lower().split()
    assert "None " not in text.replace("None in this plan", "")


@pytest.mark.parametrize("table", sorted(PLAN_TABLES))
def test_any_one_table_may_be_empty(table: str, make_plan: Callable[..., Any]) -> None:
    page = Page(write.render(make_plan(**{table: []})))
    assert not page.faults


@pytest.mark.parametrize(
    "table", ["facilities", "facility_emissions", "projects", "infrastructure", "sources", "targets"]
)
def test_any_one_package_table_may_be_empty(table: str, filled_plan: Any) -> None:
    filled_plan.hub.tables[table] = filled_plan.hub.tables[table].iloc[:0]
    assert not Page(write.render(filled_plan)).faults


def test_a_table_may_be_absent(filled_plan: Any) -> None:
    del filled_plan.tables["truck_fleet"]
    del filled_plan.hub.tables["programme_facts"]
    assert "No trucks in this plan." in Page(write.render(filled_plan)).text


def test_a_plan_without_its_hub_is_refused_in_words(filled_plan: Any, tmp_path: Path) -> None:
    filled_plan.hub = None
    with pytest.raises(RunError, match="loaded without its hub"):
        write.write_report(filled_plan, tmp_path)
    assert not list(tmp_path.iterdir())


def test_illustrative_headlines_wear_the_word_with_their_share(make_plan: Callable[..., Any]) -> None:
    page = Page(write.render(make_plan()))
    assert "illustrative 62 % recalled or assumed" in page.text
    badges = sum("illustrative" in a.get("class", "").split() for _, a in page.tags)
    assert badges == 4  # reading guide, lead, card, row of the table
    rows = [row for row in make_plan().tables["scorecard"].to_dict("records") if not row["illustrative"]]
    calm = Page(write.render(make_plan(scorecard=rows)))
    assert not any("illustrative" in a.get("class", "").split() for _, a in calm.tags)


def test_the_first_headline_leads(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    assert text.index("Plants needed") < text.index("CO₂ of the hub") < text.index("Capital")


def test_headlines_show_value_range_target_and_price_year(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    for said in (
        "range 12 to 23",
        "41.2 Mt CO₂e per year",
        "target 24 Mt CO₂e per year missed",
        "$214 billion USD of 2024",
    ):
        assert said in text


def test_every_figure_and_table_says_unit_year_and_source(filled_plan: Any) -> None:
    text = write.render(filled_plan)
    for figure in re.findall(r"<figure id=.*?</figure>", text, re.DOTALL):
        for word in ("<b>Unit</b>", "<b>Year</b>", "<b>Source</b>"):
            assert word in figure, figure[:200]
        assert "aria-labelledby" in figure
        assert "<details>" in figure


def test_what_the_hub_does_not_cover_is_hatched(filled_plan: Any) -> None:
    text = write.render(filled_plan)
    assert "Outside the hub's scope" in Page(text).text
    assert 'fill="url(#fig-emissions-w-hatch)"' in text


def test_targets_on_the_emissions_figure_come_from_milestones(filled_plan: Any) -> None:
    assert "A Half by 2030 (hub's scope): 1 Mt" in Page(write.render(filled_plan)).text


def test_only_base_year_tonnes_count_as_today(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    assert "2 sites of this hub's package report emissions: 1.28 Mt" in text
    assert "Closed long ago" not in text


def test_closed_sites_are_called_closed(filled_plan: Any) -> None:
    assert "closed in 2028" in Page(write.render(filled_plan)).text


def test_vehicle_purchases_are_not_plants(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    assert "2 changes at plants of 1 sector, 2027 to 2028." in text
    assert "Purchase of vehicles" in text


def test_powertrains_are_told_from_their_class(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    assert "Fuel cell" in text
    assert "Rigid fuel cell" not in text
    assert "Day cab diesel" not in text


def test_limits_show_violation_and_worth(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    assert "Broken in at least one year: CO₂ storage." in text
    assert "6 Mt per year in 2030" in text


def test_projects_show_price_or_reason(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    assert "$227 per t; $98.2 per t CO₂e" in text
    assert "its capacity is not published" in text
    assert "neither is tuned to the other" in text


def test_unmeasured_milestones_are_not_called_missed(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    assert "2 targets: 0 met on this path, 1 missed, 1 not measurable yet." in text


def test_cited_and_provenance_sources_are_listed(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    for said in ("src-a", "src-b", "src-zzz", "not described in this hub's sources", "CC-BY-4.0"):
        assert said in text


def test_pending_tables_are_named(filled_plan: Any) -> None:
    text = Page(write.render(filled_plan)).text
    for table, room in filled_plan.pending.items():
        assert f"{table}" in text
        assert room in text


def test_every_mark_of_the_map_carries_its_text(filled_plan: Any) -> None:
    text = write.render(filled_plan)
    drawing = text[text.index('<svg id="map-svg"') : text.index('<div class="tip"')]
    marks = re.findall(r'<g class="m".*?</title>', drawing, re.DOTALL)
    assert len(marks) == 4  # two sites, a project, a port
    assert all("source: src-" in mark for mark in marks)
    assert 'data-layer="county"' in drawing


def test_without_counties_the_map_has_a_graticule(filled_plan: Any) -> None:
    filled_plan.hub.shapes = None
    text = write.render(filled_plan)
    assert 'data-layer="county"' not in text[: text.index("<script>")]
    assert "36°" in text


def test_places_off_the_map_are_left_out(filled_plan: Any) -> None:
    filled_plan.hub.tables["infrastructure"].loc[0, "lat"] = 60.0
    text = write.render(filled_plan)
    assert "infra-port" not in text


def test_every_sector_of_the_vocabulary_has_words(repo_root: Path) -> None:
    path = repo_root / "src" / "cleanhub" / "library" / "codelists.csv"
    with path.open(encoding="utf-8", newline="") as file:
        codes = [row["code"] for row in csv.DictReader(file) if row["list"] == "sector"]
    assert len({sector(code) for code in codes}) == len(codes)
    assert not [code for code in codes if "_" in sector(code)]
