"""Pages: every one there and well formed, numbers as in the tables, honest about what is missing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from starlette.testclient import TestClient

from cleanhub.hub.plan_tables import PLAN_TABLES

PAGES = (
    "/",
    "/map",
    "/projects",
    "/projects/P1",
    "/projects/P2",
    "/projects/P3",
    "/data",
    "/data/sources",
    "/words",
    "/limits",
)
VOID = {"meta", "link", "br", "input", "img", "path", "circle", "rect", "line", "use"}
MACHINE = re.compile(r"(?<![\w.:~/-])/(?:work|tmp|root|home)/")


class Outline(HTMLParser):
    """What a page consists of, for checks that need no browser."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.ids: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.languages: list[str] = []
        self.text: list[str] = []
        self.levels: list[int] = []
        self.inline: list[str] = []
        self._link: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        self.count[tag] = self.count.get(tag, 0) + 1
        if held.get("id"):
            self.ids.append(str(held["id"]))
        if tag == "html":
            self.languages.append(str(held.get("lang")))
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "a":
            self._link = ""
            self.links.append((str(held.get("href")), ""))
        if tag == "th" and "scope" not in held:
            self.faults.append("th without scope")
        if tag == "svg" and not (held.get("aria-hidden") or held.get("role") == "img"):
            self.faults.append("svg without a role")
        self.inline += [name for name in held if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1] if self.open else 'nothing'}")
        else:
            self.open.pop()
        if tag == "a" and self._link is not None:
            self.links[-1] = (self.links[-1][0], self._link.strip())
            self._link = None

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._link is not None:
            self._link += data


@pytest.mark.parametrize("which", ["client", "old_client", "lone_client"])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_well_formed(which: str, path: str, request: pytest.FixtureRequest) -> None:
    answer = request.getfixturevalue(which).get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Outline(answer.text)
    assert page.faults == []
    assert page.open == []
    assert page.count["h1"] == 1
    assert page.count["main"] == 1
    assert page.languages == ["en"]
    assert len(set(page.ids)) == len(page.ids), [one for one in page.ids if page.ids.count(one) > 1]
    assert all(words for _, words in page.links)
    assert page.links[0][0] == "#main"
    assert all(b - a <= 1 for a, b in zip(page.levels, page.levels[1:], strict=False)), page.levels
    assert page.inline == []
    assert "What this model cannot tell you" in answer.text
    assert not MACHINE.search(answer.text)
    assert "Undefined" not in answer.text
    assert not re.search(r">\s*(nan|None|NaT|<NA>|inf)\s*<", answer.text)


@pytest.mark.parametrize("which", ["client", "old_client", "lone_client"])
def test_no_link_leads_nowhere(which: str, request: pytest.FixtureRequest) -> None:
    client: TestClient = request.getfixturevalue(which)
    seen: dict[str, Outline | None] = {}
    todo = list(PAGES)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        answer = client.get(path)
        assert answer.status_code == 200, path
        seen[path] = Outline(answer.text) if "html" in answer.headers["content-type"] else None
        for href, _ in seen[path].links if seen[path] else []:  # type: ignore[union-attr]
            target = (path + href if href.startswith("#") else href).split("#")[0]
            assert target.startswith(("/", "https://", "http://"))
            if target.startswith("/"):
                todo.append(target)
    assert "/static/LICENSES.txt" in seen
    for path, page in seen.items():
        for href, _ in page.links if page else []:
            address, _, anchor = (path + href if href.startswith("#") else href).partition("#")
            if anchor and address.startswith("/"):
                there = seen[address]
                assert there is not None
                assert anchor in there.ids, f"{path} to {href}"


def test_pages_stand_without_scripts(client: TestClient) -> None:
    text = client.get("/").text
    assert text.index("large one") < text.index("small one"), "the larger link comes first"
    assert "4.2\u00a0Mt" in text
    assert "illustrative" in text
    assert text.count("<noscript>") == text.count('class="chart"') > 0


def test_names_cannot_break_out(client: TestClient, nasty: str) -> None:
    for path in ("/", "/projects", "/projects/P1", "/map", "/data/projects", "/data/gates"):
        text = client.get(path).text
        assert nasty not in text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text or path == "/"


def test_the_data_of_a_chart_can_be_read(client: TestClient) -> None:
    text = client.get("/projects/P1").text
    found = [json.loads(part) for part in re.findall(r'<script type="application/json">(.*?)</script>', text)]
    assert {one["kind"] for one in found} == {"ranges", "areas"}
    ranges = next(one for one in found if one["kind"] == "ranges")["ranges"]
    assert [(one["label"], one["low"], one["mid"], one["high"]) for one in ranges] == [
        ("Offtake", 2027.1, 2028.6, 2031.9)
    ]


def rows_of(text: str, table: str) -> list[list[str]]:
    body = text.split(f'<table id="{table}"')[1].split("<tbody>")[1].partition("</tbody>")[0]
    return [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in body.split("<tr>")[1:]
    ]


def test_a_project_shows_its_gates_and_its_worth(client: TestClient) -> None:
    text = client.get("/projects/P1").text
    gates = rows_of(text, "gates-table")
    assert gates[0][4:9] == ["2027", "2028", "2031", "72\u00a0%", "40\u00a0%"]
    assert gates[0][-1] == "assumed"
    worth = rows_of(text, "worth-table")[0]
    assert (worth[2], worth[4], worth[6], worth[8]) == ("227", "55", "USD/t", "\u2212$150\u00a0million")
    assert "25\u00a0%" in text
    assert "400\u00a0kt" in text


def test_every_no_says_why_and_until_when(client: TestClient) -> None:
    rows = rows_of(client.get("/projects/P1").text, "answers-table")
    assert [row[:5] for row in rows] == [
        ["45q", "pays", "it captures", "2032-12-31", "\u2013"],
        ["45v", "no", "it came too late", "\u2013", "2031-01-01"],
        ["30c", "no", "wrong place", "\u2013", "\u2013"],
    ]
    assert rows[0][5:7] == ["2030 to 2031", "$2\u00a0million"]


def test_what_waits_for_a_link_is_on_the_projects_page(client: TestClient) -> None:
    assert [row[0] for row in rows_of(client.get("/projects/P1").text, "waits-for")] == [
        "large one",
        "small one",
    ]
    assert [row[0] for row in rows_of(client.get("/projects/P2").text, "waits-for")] == ["large one"]
    assert "It waits for no open link." in client.get("/projects/P3").text


def test_barriers_add_up_shares_not_tonnes_that_overlap(client: TestClient) -> None:
    rows = rows_of(client.get("/").text, "barriers-table")
    assert [(row[2], row[3], row[4]) for row in rows] == [
        ("1", "3\u00a0Mt", "60\u00a0%"),
        ("1", "50\u00a0kt", "10\u00a0%"),
    ]


def test_dates_that_do_not_fit_come_first(client: TestClient) -> None:
    assert [row[7] for row in rows_of(client.get("/").text, "who-decides")] == ["too late", "in time"]


def test_undecided_projects_come_first(client: TestClient) -> None:
    rows = rows_of(client.get("/projects").text, "all-projects")
    assert rows[0][0] == "Store"
    assert rows[-1][0] == "Nowhere"
    assert rows[0][4:8] == ["50\u00a0%", "2029", "2028 to 2033", "2032"]


def test_a_plan_without_a_pipeline_says_so(old_client: TestClient) -> None:
    for path in ("/", "/projects/P1"):
        assert "Not in this plan." in old_client.get(path).text
    text = old_client.get("/data").text
    assert "not yet in cleanhub" in text
    assert "not in this plan" in text
    assert "What to unblock first" in old_client.get("/").text


def test_a_plan_without_its_hub_says_so(lone_client: TestClient) -> None:
    text = lone_client.get("/").text
    assert "The hub valley is not at hand" in text
    assert "--hub" in text
    assert lone_client.get("/map/counties.geojson").json()["features"] == []


def test_a_plan_whose_hub_has_changed_says_so(plan_folder, hub_folder, tmp_path) -> None:  # type: ignore[no-untyped-def]
    import shutil

    from cleanhub.core.errors import InputError
    from cleanhub.web.view import open_plan

    assert open_plan(plan_folder, hub_folder).remark == ""
    other = tmp_path / "valley"
    shutil.copytree(hub_folder, other)
    text = (other / "projects.csv").read_text(encoding="utf-8").replace("Nowhere", "Somewhere")
    (other / "projects.csv").write_text(text, encoding="utf-8")
    assert "have changed since this plan was made" in open_plan(plan_folder, other).remark
    with pytest.raises(InputError, match="is not the hub of the plan"):
        open_plan(plan_folder, "california")


def test_a_plan_made_from_a_register_says_so(plan_folder, hub_folder, tmp_path) -> None:  # type: ignore[no-untyped-def]
    import json
    import shutil

    from cleanhub.web.view import open_plan

    folder = tmp_path / "plan"
    shutil.copytree(plan_folder, folder)
    data = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    data["hashes"]["register/events"] = "12"
    (folder / "plan.json").write_text(json.dumps(data), encoding="utf-8")
    assert "came from a register" in open_plan(folder, hub_folder).remark


def test_every_table_has_a_page_with_its_columns_and_units(client: TestClient) -> None:
    for name in client.get("/api/plan").json()["tables"]:
        text = client.get(f"/data/{name}").text
        assert [row[0] for row in rows_of(text, "columns")] == PLAN_TABLES[name].names
        assert PLAN_TABLES[name].columns[0].description.replace("'", "&#39;") in text
        assert Outline(text).faults == []


def test_sources_count_what_rests_on_them(client: TestClient) -> None:
    rows = rows_of(client.get("/data/sources").text, "source-list")
    mine = next(row for row in rows if row[1].endswith("example"))
    assert mine[-4:] == ["\u2013", "\u2013", "\u2013", "1"]


def test_weak_figures_are_marked(client: TestClient) -> None:
    text = client.get("/projects").text
    assert text.count('<strong class="badge">recalled</strong>') >= 3
