"""A page with commands, run: the output shown under each block is what the block prints.

The README and the walkthroughs are such pages. Everything happens in order, in one empty folder:

- a block marked ``sh`` is run line by line: ``cleanhub`` commands and a few tools that handle files.
  A line that is meant to fail says with which code: ``cleanhub hub check nowhere  # exit 2``; what it
  writes on standard error is then part of its output;
- a block marked ``python`` is run as a script;
- a block of any kind below ``<!-- file: NAME -->`` is written to that file.

The comment ``<!-- output: all -->`` under a block asks for its whole output, a regular expression in
place of ``all`` for the lines that match; lines between are shown as one ``...``.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

BLOCK = re.compile(
    r"(?:<!-- file: (?P<file>\S+) -->\n\n)?"
    r"```(?P<kind>\w*)\n(?P<code>.*?)```\n"
    r"(?:\n<!-- output: (?P<keep>[^\n]*) -->\n\n```text\n(?P<output>.*?)```\n)?",
    re.DOTALL,
)
FILE_TOOLS = ("cat", "cp", "grep", "head", "ls", "mkdir", "sed", "tail", "wc")
EXIT = re.compile(r"#\s*exit (\d+)\s*$")
WIDTH = 108
OMITTED = "..."
MOMENT = "2026-06-01T12:00:00.000000+00:00"  # when everything in a register of a page is written


def tour(text: str, page: str = "README.md") -> str:
    """The text of a page with the output of its commands made anew.

    ``page`` names it in errors. ``SystemExit`` names a command that is not run here, or that ended
    with another code than the page says.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), _steady_registers():
        return BLOCK.sub(lambda match: _run_block(match, page), text)


@contextlib.contextmanager
def _steady_registers() -> Iterator[None]:
    """Registers number their records and stand at one moment, so that every run prints the same."""
    from cleanhub.register.store import Register

    opened, numbers = Register.open, itertools.count(1)

    def steady(*where: Any, **given: Any) -> Register:
        return opened(*where, **given, clock=lambda: MOMENT, new_id=lambda: f"{next(numbers):012d}")

    with mock.patch.object(Register, "open", steady):
        yield


def _run_block(match: re.Match[str], page: str) -> str:
    if match["file"]:
        Path(match["file"]).write_text(match["code"], encoding="utf-8")
    if match["kind"] == "python":
        output = _run_python(match["code"], page)
    elif match["kind"] == "sh":
        output = _run_shell(match["code"], page)
    else:
        return match[0]
    if match["keep"] is None:
        return match[0]
    start = match.start("output") - match.start()
    end = match.end("output") - match.start()
    return match[0][:start] + _kept(output, match["keep"]) + match[0][end:]


def _run_python(code: str, page: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as caught:
        exec(compile(code, page, "exec"), {"__name__": "__main__"})
    return caught.getvalue()


def _run_shell(code: str, page: str) -> str:
    out = []
    for line in re.sub(r"\\\n\s*", "", code).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            expected = EXIT.search(line)
            out.append(run_command(words, page, int(expected[1]) if expected else 0))
    return "".join(out)


def run_command(words: list[str], page: str = "README.md", expected: int = 0) -> str:
    """Output of one command of a page; any other exit code than the expected one is an error."""
    if words[0] == "cleanhub":
        code, shown = _run_cleanhub(words, both=expected != 0)
    elif words[0] in FILE_TOOLS:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        code, shown = done.returncode, done.stdout
    else:
        raise SystemExit(f"{page}: only cleanhub and {', '.join(FILE_TOOLS)} are run, not {words[0]}")
    if code != expected:
        raise SystemExit(f"{page}: {shlex.join(words)} ended with {code}")
    return shown


def _run_cleanhub(words: list[str], both: bool) -> tuple[object, str]:
    """Exit code and output of a command, in this process; with ``both``, of both streams."""
    from cleanhub import cli

    arguments, width = sys.argv, cli.out.width
    sys.argv, cli.out.width = words, WIDTH
    code: object = 0
    with contextlib.ExitStack() as streams:
        caught = streams.enter_context(contextlib.redirect_stdout(io.StringIO()))
        if both:
            streams.enter_context(contextlib.redirect_stderr(caught))
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        finally:
            sys.argv, cli.out.width = arguments, width
    return code, caught.getvalue()


def _kept(output: str, keep: str) -> str:
    lines = [line.rstrip() for line in output.strip("\n").splitlines()]
    if keep == "all":
        return "\n".join(lines) + "\n"
    wanted = re.compile(keep)
    shown: list[str] = []
    for line in lines:
        if wanted.search(line):
            shown.append(line)
        elif shown and shown[-1] != OMITTED:
            shown.append(OMITTED)
    return "\n".join(shown) + "\n"
