"""Words that name no command: the right one is suggested, where it stands, with exit code 2."""

from __future__ import annotations

import sys

import pytest

from cleanhub import cli


@pytest.mark.parametrize(
    ("words", "meant", "ask"),
    [
        ("plna california", "'plan'", "cleanhub --help"),
        ("hub lsit", "'list'", "cleanhub hub --help"),
        ("project lst", "'list'", "cleanhub project --help"),
        ("pipeline conflict", "'conflicts'", "cleanhub pipeline --help"),
        ("plan --secnario baseline", "--scenario", "cleanhub plan --help"),
        ("project list --hubb x", "--hub", "cleanhub project list --help"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_what_was_meant(
    words: str, meant: str, ask: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["cleanhub", *words.split()])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    told = capsys.readouterr().err
    assert stopped.value.code == 2
    assert meant in told
    assert told.strip().endswith(f"Try: {ask}")


def test_a_word_that_is_like_no_command_is_a_hub(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["cleanhub", "pipeline", "atlantis"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "no such hub" in capsys.readouterr().err
