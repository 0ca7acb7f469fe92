"""The report in a real browser: no console error, no overflow, and the map answers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from cleanhub.report import write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]

BEFORE = """<script>window.faults = [];
addEventListener("error", function (e) { faults.push(e.message); });
document.addEventListener("securitypolicyviolation", function (e) { faults.push(e.violatedDirective); });
</script>"""
AFTER = """<script>(function () {
var svg = document.getElementById("map-svg"), tip = document.querySelector(".tip"), out = {};
var marks = Array.from(svg.querySelectorAll("g.m"));
var seen = function () { return marks.filter(function (m) { return m.style.display !== "none"; }).length; };
var key = function (name) { document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true })); };
var wide = function () { return svg.viewBox.baseVal.width; };
out.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
out.marks = seen();
out.stops = marks.filter(function (m) { return m.getAttribute("tabindex") === "0"; }).length;
marks[0].focus(); out.tip = tip.hidden ? "" : tip.innerText;
key("ArrowRight"); out.next = marks.indexOf(document.activeElement);
var home = wide(); svg.focus(); key("+"); out.zoomed = wide() < home;
var x = svg.viewBox.baseVal.x; key("ArrowRight"); out.moved = svg.viewBox.baseVal.x > x;
document.querySelector("[data-do=home]").click(); out.home = wide() === home;
var box = document.querySelector(".layers input[value=site]"); box.click(); out.without = seen(); box.click();
var pick = document.querySelector("select"); pick.value = "cement";
pick.dispatchEvent(new Event("change")); out.filtered = seen();
out.html = tip.querySelectorAll("script").length;
out.faults = faults;
var pre = document.createElement("pre"); pre.id = "probe"; pre.textContent = JSON.stringify(out);
document.body.appendChild(pre);
}());</script>"""


def chromium(page: Path, *options: str, width: int = 1280) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={page.parent / 'profile'}", f"--window-size={width},900"]
    command += ["--enable-logging=stderr", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def probed(plan: Any, folder: Path, width: int) -> tuple[dict[str, Any], str]:
    text = write.render(plan)
    text = text.replace("<style>", BEFORE + "<style>", 1).replace("</body>", AFTER + "</body>")
    page = folder / "probe.html"
    page.write_text(text, encoding="utf-8")
    done = chromium(page, "--dump-dom", width=width)
    found = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-500:]
    result: dict[str, Any] = json.loads(unescape(found[1]))
    return result, done.stderr


@pytest.mark.parametrize("width", [500, 820, 1280])
def test_the_page_runs_without_error_and_the_map_answers(
    filled_plan: Any, tmp_path: Path, width: int
) -> None:
    found, log = probed(filled_plan, tmp_path, width)
    assert found["faults"] == []
    assert "CONSOLE" not in log, log
    assert found["overflow"] == 0
    assert (found["marks"], found["stops"], found["next"]) == (4, 1, 1)
    assert "1.23\u00a0Mt CO₂e in 2022" in found["tip"]
    assert found["zoomed"]
    assert found["moved"]
    assert found["home"]
    assert found["without"] == 2
    assert found["filtered"] == 4  # two kilns, a project of the sector, a port without sector
    assert found["html"] == 0


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_scrolls_down_only(filled_plan: Any, tmp_path: Path, width: int) -> None:
    """A window of chromium is at least 500 px wide, so the phone is a frame inside one."""
    write.write_report(filled_plan, tmp_path)
    page = tmp_path / "phone.html"
    page.write_text(
        f'<iframe src="report.html" style="width:{width}px;height:800px"></iframe><script>'
        "onload = function () { var root = document.querySelector('iframe').contentDocument.documentElement;"
        "document.title = root.scrollWidth + ' in ' + root.clientWidth; };</script>"
    )
    done = chromium(page, "--dump-dom", "--allow-file-access-from-files")
    found = re.search(r"<title>(\d+) in (\d+)</title>", done.stdout)
    assert found
    assert int(found[1]) <= int(found[2]) <= width


def test_a_fault_would_be_heard(tmp_path: Path) -> None:
    page = tmp_path / "loud.html"
    page.write_text("<script>console.error('heard');</script>")
    assert "CONSOLE" in chromium(page, "--dump-dom").stderr


def test_the_page_can_be_seen_and_printed(filled_plan: Any, tmp_path: Path) -> None:
    page = write.write_report(filled_plan, tmp_path)
    picture, paper = tmp_path / "page.png", tmp_path / "page.pdf"
    chromium(page, f"--screenshot={picture}")
    chromium(page, f"--print-to-pdf={paper}")
    assert picture.stat().st_size > 10_000
    assert paper.read_bytes()[:5] == b"%PDF-"


def test_an_empty_plan_shows_without_error(empty_plan: Any, tmp_path: Path) -> None:
    page = write.write_report(empty_plan, tmp_path)
    done = chromium(page, "--dump-dom")
    assert "CONSOLE" not in done.stderr
    assert "Nothing in this plan has a place." in done.stdout
