"""The committed build of the front end is what its sources say; checked without node."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "src" / "cleanhub" / "web" / "static"
WANTED = {
    "charts.js",
    "map.js",
    "map.css",
    "tables.js",
    "maplibre-gl-worker.js",
    "LICENSES.txt",
    "build.json",
}
FREE = re.compile(r"^(BSD-3-Clause|BSD-2-Clause|ISC|MIT|0BSD|Unlicense|\(MIT OR Apache-2.0\))$")

pytestmark = pytest.mark.skipif(not FRONTEND.is_dir(), reason="frontend/ is not part of this copy")


def source_hash() -> str:
    """As vite.config.js computes it: names and bytes, each followed by a NUL."""
    names = ["package.json", "package-lock.json", "tsconfig.json", "vite.config.js"]
    below = (
        path.relative_to(FRONTEND).as_posix() for path in (FRONTEND / "src").rglob("*") if path.is_file()
    )
    digest = hashlib.sha256()
    for name in [*names, *sorted(below)]:
        digest.update(name.encode() + b"\0" + (FRONTEND / name).read_bytes() + b"\0")
    return digest.hexdigest()


def test_the_build_is_of_these_sources() -> None:
    record = json.loads((STATIC / "build.json").read_text(encoding="utf-8"))
    assert record["sources"] == source_hash(), "stale: run make frontend and commit what it writes"


def test_the_built_files_are_those_that_were_built() -> None:
    record = json.loads((STATIC / "build.json").read_text(encoding="utf-8"))
    assert {path.name for path in STATIC.iterdir()} == WANTED
    assert set(record["files"]) == WANTED - {"build.json"}
    for name, digest in record["files"].items():
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest, name


def test_the_build_is_small() -> None:
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 2_300_000
    written = sum(path.read_text(encoding="utf-8").count("\n") for path in (FRONTEND / "src").rglob("*.ts"))
    assert written < 800


def test_the_lock_names_no_host_of_its_own() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    resolved = [entry.get("resolved", "") for entry in lock["packages"].values()]
    assert all(one == "" or one.startswith("https://registry.npmjs.org/") for one in resolved)
    assert all(entry.get("integrity") for path, entry in lock["packages"].items() if path)


def test_bundled_libraries_are_free_and_their_licences_stand_beside() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text(encoding="utf-8"))
    texts = (STATIC / "LICENSES.txt").read_text(encoding="utf-8")
    bundled = {
        path.removeprefix("node_modules/").split("/node_modules/")[-1]: entry
        for path, entry in lock["packages"].items()
        if path and not entry.get("dev") and not entry.get("devOptional")
    }
    assert {"maplibre-gl", "@observablehq/plot"} <= set(bundled)
    assert not {"vite", "typescript", "axe-core"} & set(bundled)
    for name, entry in bundled.items():
        assert f"\n{name} {entry['version']} (" in texts
        assert FREE.fullmatch(entry["license"]), f"{name}: {entry['license']}"


def test_the_build_asks_nobody_else() -> None:
    for name in ("charts.js", "tables.js"):
        text = (STATIC / name).read_text(encoding="utf-8")
        found = set(re.findall(r"https?://[\w.-]+", text))
        assert found <= {"http://www.w3.org", "https://observablehq.com", "https://github.com"}, found
