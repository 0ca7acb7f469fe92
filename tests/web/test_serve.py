"""The command: where it listens, what it refuses, and that a real server answers and ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from cleanhub.core.errors import InputError, RunError
from cleanhub.web.server import address_of, check_folder, check_host, listening_socket


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.7", "example.org", "", "127.0.0.1.evil.example"]
)
def test_hosts_that_others_can_reach_are_refused(host: str) -> None:
    with pytest.raises(InputError, match="no accounts yet"):
        check_host(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"])
def test_this_machine_is_allowed(host: str) -> None:
    check_host(host)


def test_a_port_that_is_taken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert address_of(first) == f"http://127.0.0.1:{port}/"
        with pytest.raises(RunError, match=f"cannot listen on 127.0.0.1:{port}.*--port"):
            listening_socket("127.0.0.1", port)


def test_a_folder_without_a_plan_says_how_to_make_one(
    tmp_path: Path, plan_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="cleanhub plan california --out plans/california") as caught:
        check_folder(Path("plans/california"))
    assert len(caught.value.faults) == 1
    (tmp_path / "plans" / "other").mkdir(parents=True)
    (tmp_path / "plans" / "other" / "plan.json").touch()
    with pytest.raises(InputError, match=r"a plan folder \(plans/other\)"):
        check_folder(Path("plans/california"))
    check_folder(plan_folder)


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cleanhub", "serve", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_refuses_before_it_reads_anything(tmp_path: Path) -> None:
    done = run("--host", "0.0.0.0", cwd=tmp_path)
    assert done.returncode == 2
    assert "no accounts yet" in done.stderr
    done = run(cwd=tmp_path)
    assert done.returncode == 2
    assert "make one with: cleanhub plan california" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_serves_until_it_is_stopped(plan_folder: Path, hub_folder: Path) -> None:
    command = [sys.executable, "-u", "-m", "cleanhub", "serve", str(plan_folder), "--port", "0"]
    running = subprocess.Popen(
        [*command, "--hub", str(hub_folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        with urllib.request.urlopen(found[0] + "api/plan", timeout=60) as answer:
            assert answer.status == 200
            assert "server" not in {name.lower() for name in answer.headers}
    finally:
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=60)
    assert "Traceback" not in errors
