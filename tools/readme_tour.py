"""The tour of the README, run: the output shown under each block is what the block prints.

Blocks marked ``sh`` and ``python`` run in order, in one empty folder. The comment under a
block says which lines of its output to show: ``all``, or a regular expression; lines
between are shown as one ``...``. Blocks with another mark are not run.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
import tempfile

BLOCK = re.compile(
    r"```(?P<kind>sh|python)\n(?P<code>.*?)```\n"
    r"(?:\n<!-- output: (?P<keep>[^\n]*) -->\n\n```text\n(?P<output>.*?)```\n)?",
    re.DOTALL,
)
WIDTH = 108
OMITTED = "..."


def tour(readme: str) -> str:
    """``readme`` with the output of its commands made anew.

    Blocks marked ``sh`` and ``python`` run in order, in one empty folder. The comment under a
    block says which lines of its output to show: ``all``, or a regular expression; lines
    between are shown as one ``...``.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        return BLOCK.sub(_run_block, readme)


def _run_block(match: re.Match[str]) -> str:
    python = match["kind"] == "python"
    output = _run_python(match["code"]) if python else _run_shell(match["code"])
    if match["keep"] is None:
        return match[0]
    start = match.start("output") - match.start()
    end = match.end("output") - match.start()
    return match[0][:start] + _kept(output, match["keep"]) + match[0][end:]


def _run_python(code: str) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as caught:
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    return caught.getvalue()


def _run_shell(code: str) -> str:
    out = []
    for line in re.sub(r"\\\n\s*", "", code).splitlines():
        words = shlex.split(line, comments=True)
        if words:
            out.append(run_command(words))
    return "".join(out)


def run_command(words: list[str]) -> str:
    """Standard output of one command of the README, in this process; anything but exit 0 is an error."""
    from cleanhub import cli

    if words[0] != "cleanhub":
        raise SystemExit(f"README.md: only cleanhub commands are run, not {words[0]}")
    arguments, width = sys.argv, cli.out.width
    sys.argv, cli.out.width = words, WIDTH
    code: object = 0
    try:
        with contextlib.redirect_stdout(io.StringIO()) as caught:
            cli.main()
    except SystemExit as stop:
        code = stop.code
    finally:
        sys.argv, cli.out.width = arguments, width
    if code not in (0, None):
        raise SystemExit(f"README.md: {shlex.join(words)} ended with {code}")
    return caught.getvalue()


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
