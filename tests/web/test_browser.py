"""The pages in a real browser: no fault in the console, no foreign request, nothing wider than the screen."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cleanhub.web.app import create_app
from cleanhub.web.server import address_of, listening_socket
from cleanhub.web.view import PlanView, open_plan

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "/",
    "/map",
    "/projects",
    "/projects/P1",
    "/data",
    "/data/links",
    "/data/sources",
    "/words",
    "/limits",
    "/nothing",
)
PATIENCE = 60_000  # milliseconds; only how long a test waits before it gives up
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@contextmanager
def served(view: PlanView) -> Iterator[str]:
    """A real server of ``view`` on a free port; gives its address without the last slash."""
    import uvicorn

    with listening_socket("127.0.0.1", 0) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(view), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield address_of(listening).rstrip("/")
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def address(view: PlanView) -> Iterator[str]:
    with served(view) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as tool:
        made = tool.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield made
        made.close()


Opener = Callable[..., tuple[Any, list[str]]]


@pytest.fixture
def opened(browser: Any) -> Iterator[Opener]:
    """Opens an address in a new window; gives the page and the list of what went wrong in it."""
    contexts = []

    def show(address: str, width: int = 1280, scheme: str = "light", **more: Any) -> tuple[Any, list[str]]:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **more)
        contexts.append(context)
        page = context.new_page()
        wrong: list[str] = []
        own = address.split("/", 3)[2]
        page.on("console", lambda m: wrong.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda r: (
                wrong.append(r.url) if not r.url.startswith((f"http://{own}/", "data:", "blob:")) else None
            ),
        )
        page.goto(address, timeout=PATIENCE)
        if address.endswith("/map") and more.get("java_script_enabled", True):
            page.wait_for_selector("#hub-map[data-drawn]", timeout=PATIENCE)
        return page, wrong

    yield show
    for context in contexts:
        context.close()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_quiet_at_every_width(opened: Opener, address: str, path: str) -> None:
    for width, scheme in ((1280, "light"), (768, "dark"), (360, "light")):
        page, wrong = opened(address + path, width, scheme)
        for chart in page.query_selector_all(".chart"):
            assert chart.query_selector("svg[role=img][aria-label]"), "a chart was not drawn"
        assert page.evaluate(SIDEWAYS) <= 0, f"{path} is wider than {width}"
        expected = ["Failed to load resource: the server responded with a status of 404 (Not Found)"]
        assert [one for one in wrong if path != "/nothing" or one not in expected] == []


def drawn(page: Any, layer: str) -> int:
    count = f"window.cleanhub.map.queryRenderedFeatures({{layers: ['{layer}']}}).length"
    return int(page.evaluate(count))


def test_the_map_draws_its_features(opened: Opener, address: str) -> None:
    page, wrong = opened(address + "/map")
    assert [drawn(page, layer) for layer in ("sites", "projects", "chargers")] == [1, 2, 1]
    assert drawn(page, "land") >= 1, "the one county, once for each tile it lies in"
    page.uncheck("input[data-layer=projects]")
    idle = (
        "() => new Promise((done) => { "
        "const map = window.cleanhub.map; map.once('idle', done); map.triggerRepaint(); })"
    )
    page.evaluate(idle)
    assert [drawn(page, layer) for layer in ("sites", "projects")] == [1, 0]
    page.check("input[data-layer=projects]")
    page.evaluate(idle)
    assert drawn(page, "projects") == 2
    page.emulate_media(color_scheme="dark")
    page.evaluate(idle)
    page.wait_for_timeout(200)
    page.evaluate(idle)
    assert drawn(page, "projects") == 2, "the marks are there in the dark too"
    assert wrong == []


def test_a_click_on_a_project_leads_to_its_page(opened: Opener, address: str, nasty: str) -> None:
    page, wrong = opened(address + "/map")
    place = page.evaluate(
        "(() => { const p = window.cleanhub.map.project([0.6, 0.4]); return [p.x, p.y]; })()"
    )
    box = page.query_selector("#hub-map").bounding_box()
    page.mouse.click(box["x"] + place[0], box["y"] + place[1])
    page.wait_for_selector(".maplibregl-popup", timeout=PATIENCE)
    assert page.inner_text(".maplibregl-popup strong") == nasty
    page.click(".maplibregl-popup a")
    page.wait_for_url("**/projects/P1", timeout=PATIENCE)
    assert page.inner_text("h1") == nasty
    assert wrong == []


def test_tables_sort_and_filter(opened: Opener, address: str) -> None:
    page, wrong = opened(address + "/projects")
    names = "Array.from(document.querySelectorAll('#all-projects tbody tr')).map((r) => r.cells[0].innerText)"
    page.click("#all-projects th:first-child button")
    assert page.evaluate(names)[1:] == ["Nowhere", "Store"]
    assert page.get_attribute("#all-projects th:first-child", "aria-sort") == "ascending"
    page.click("#all-projects th:first-child button")
    assert page.evaluate(names)[0] == "Store"
    page.click("#all-projects th:nth-child(10) button")
    assert page.evaluate(names)[0].startswith("Ann"), "what is missing comes last"
    page.goto(address + "/data")
    page.fill("[data-filter=tables] input", "emissions")
    rows = "Array.from(document.querySelectorAll('#tables tbody tr'))"
    every = page.evaluate(f"{rows}.map((r) => r.innerText)")
    shown = page.evaluate(f"{rows}.filter((r) => !r.hidden).map((r) => r.innerText)")
    assert shown == [text for text in every if "emissions" in text.lower()], "those that hold the word"
    assert 0 < len(shown) < len(every), "the plan has such a table, and others"
    assert wrong == []


def test_the_keyboard_reaches_the_content(opened: Opener, address: str) -> None:
    page, _ = opened(address + "/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_dark_is_dark(opened: Opener, address: str) -> None:
    tone = "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
    assert opened(address + "/", scheme="light")[0].evaluate(tone) > 200
    assert opened(address + "/", scheme="dark")[0].evaluate(tone) < 60


def test_tables_are_there_without_scripts(opened: Opener, address: str) -> None:
    for path, table in (("/", "missing-links"), ("/projects/P1", "gates-table"), ("/map", "places")):
        page, _ = opened(address + path, java_script_enabled=False)
        assert page.query_selector(f"#{table} tbody tr")


def test_pages_can_be_printed(opened: Opener, address: str) -> None:
    page, _ = opened(address + "/")
    page.emulate_media(media="print")
    assert not page.is_visible("nav[aria-label=Pages]")
    assert page.pdf()[:5] == b"%PDF-"


def test_a_plan_without_a_pipeline_is_quiet_too(opened: Opener, old_folder: Path, hub_folder: Path) -> None:
    with served(open_plan(old_folder, hub_folder)) as address:
        for path in ("/", "/map", "/projects/P1"):
            assert opened(address + path)[1] == []


def test_a_map_without_places_is_quiet_too(opened: Opener, plan_folder: Path) -> None:
    with served(open_plan(plan_folder)) as address:
        page, wrong = opened(address + "/map")
        assert drawn(page, "sites") == 0
        assert wrong == []


def test_a_fault_would_be_heard(opened: Opener, address: str) -> None:
    page, wrong = opened(address + "/words")
    page.evaluate("console.error('heard')")
    page.evaluate("fetch('https://example.org/').catch(() => 0)")
    page.wait_for_timeout(200)
    assert any("heard" in one for one in wrong)
    assert any("example.org" in one for one in wrong)


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm ci in frontend/ brings it")
@pytest.mark.parametrize("path", PAGES)
def test_nothing_serious_stands_in_the_way_of_anybody(opened: Opener, address: str, path: str) -> None:
    for scheme in ("light", "dark"):
        page, _ = opened(address + path, scheme=scheme, bypass_csp=True)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.add_script_tag(path=str(AXE))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        grave = [
            (one["id"], one["nodes"][0]["html"][:160], one["nodes"][0].get("failureSummary", "")[:200])
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert grave == [], scheme
