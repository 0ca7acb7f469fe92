"""The command that serves a plan: what it prints before it listens."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cleanhub.cli import app
from cleanhub.web import server
from cleanhub.web.view import PlanView


def test_with_json_the_address_it_listens_on_is_printed_before_it_serves(
    plan_folder: Path, hub_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[str] = []

    def note(view: PlanView, listening: socket.socket) -> None:
        served.append(server.address_of(listening))

    monkeypatch.setattr(server, "run_server", note)
    words = ["serve", str(plan_folder), "--hub", str(hub_folder), "--port", "0", "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [told["address"]] == served
    assert told["plan"] == str(plan_folder)
    assert told["hub"]
