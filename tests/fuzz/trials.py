"""What is tried on mangled files, and what must hold whatever they hold.

A :class:`Subject` is one kind of file that people bring: a healthy one, the ways in which it goes wrong,
and the command that reads it. :func:`try_once` mangles, runs and judges. What must hold:

* the command ends with 0 (it made sense of the file), 2 (it did not), or 1 with a stated failure;
* there is no traceback and no warning of the program's own insides;
* on 2 the message names the file, and nothing was written;
* what was given is as it was.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest import mock

from mangling import Way

MOST_SECONDS = 60.0
"""CPU time that no mangled file may take: the healthy ones take a few seconds at most."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: exit code, both outputs, the traceback it would have shown, CPU time [s]."""

    code: int
    out: str
    err: str
    broke: str
    seconds: float


def run(words: Sequence[str | Path], folder: Path) -> Outcome:
    """Run ``cleanhub`` with ``words`` in ``folder``, as a process of its own would."""
    from cleanhub import cli

    out, err, broke, code = io.StringIO(), io.StringIO(), "", 0
    began, there = time.process_time(), Path.cwd()
    os.chdir(folder)
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["cleanhub", *map(str, words)]),
            mock.patch.object(cli.err, "_width", 4000),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("always")
            cli.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        broke = traceback.format_exc()
    finally:
        os.chdir(there)
    return Outcome(code, out.getvalue(), err.getvalue(), broke, time.process_time() - began)


@dataclass(frozen=True)
class Subject:
    """One kind of file: its healthy ``files`` below the folder of a trial, ``ways`` and the ``command``.

    ``prepare`` fills a folder with everything the command needs; ``names`` gives the words by one of which
    the message must name a file (default: its name); ``may_write`` the files that may be written even when
    the file is refused.
    """

    name: str
    prepare: Callable[[Path], None]
    files: tuple[str, ...]
    ways: tuple[Way, ...]
    command: Callable[[Random, str], Sequence[str]]
    names: Callable[[str], tuple[str, ...]] = lambda file: (Path(file).name,)
    may_write: Callable[[str], tuple[str, ...]] = lambda file: ()
    twice: float = 0.2
    also: Callable[[Path], str] = field(default=lambda folder: "")


@dataclass(frozen=True)
class Trial:
    """One mangled file and how it went; ``wrong`` says which promise was broken (empty: none)."""

    subject: str
    file: str
    ways: tuple[str, ...]
    data: bytes
    words: tuple[str, ...]
    outcome: Outcome
    wrong: str

    def told(self) -> str:
        """The trial in words, with what the command said."""
        said = self.outcome.broke or f"{self.outcome.out}{self.outcome.err}"
        return (
            f"{self.subject}: {self.file} with {', '.join(self.ways)}: {self.wrong}\n"
            f"cleanhub {' '.join(self.words)}: exit {self.outcome.code}\n{said[-3000:]}"
        )


class Bench:
    """A folder prepared for one subject; files are healed after every trial."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject, self.folder = subject, folder
        folder.mkdir(parents=True, exist_ok=True)
        subject.prepare(folder)
        self.healthy = {file: (folder / file).read_bytes() for file in subject.files}
        self.before = snapshot(folder)

    def try_once(self, random: Random) -> Trial:
        """Mangle one file in one or two ways, run the command, judge, and heal."""
        subject = self.subject
        file = random.choice(subject.files)
        data, ways = self.healthy[file], []
        for _ in range(2 if random.random() < subject.twice else 1):
            way = random.choice(subject.ways)
            try:
                data = way(random, data)
            except Exception:
                if not ways:
                    raise
                continue  # a second way may find nothing left that it can mangle
            ways.append(way.__name__)
        return self.try_bytes(random, file, data, tuple(ways))

    def try_bytes(self, random: Random, file: str, data: bytes, ways: tuple[str, ...] = ()) -> Trial:
        """Run the command on a file of these bytes and judge."""
        words = tuple(map(str, self.subject.command(random, file)))
        with self.holding(file, data):
            outcome = run(words, self.folder)
            wrong = judge(outcome, self.subject.names(file), "--json" in words)
            wrong = wrong or self._touched(file, data, outcome.code)
            if not wrong and outcome.code == 0:
                wrong = self.subject.also(self.folder)
        return Trial(self.subject.name, file, ways, data, words, outcome, wrong)

    @contextlib.contextmanager
    def holding(self, file: str, data: bytes) -> Iterator[None]:
        """The folder with other bytes in one file, and as it was afterwards."""
        (self.folder / file).write_bytes(data)
        try:
            yield
        finally:
            for name in set(snapshot(self.folder)) - set(self.before):
                path = self.folder / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            for name, content in self.before.items():
                path = self.folder / name
                if content is not None and (not path.is_file() or path.read_bytes() != content):
                    path.write_bytes(content)

    def _touched(self, file: str, data: bytes, code: int) -> str:
        after = snapshot(self.folder)
        wanted = {**self.before, file: data}
        lost = sorted(name for name in wanted if name not in after or after[name] != wanted[name])
        mine = [name for name in lost if name not in self.subject.may_write(file)]
        if mine:
            return f"changed what was given: {mine}"
        left = sorted(set(after) - set(wanted) - set(self.subject.may_write(file)))
        return f"left behind {left}" if code and left else ""


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every file below ``folder`` with its bytes; of a folder ``None``."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def judge(outcome: Outcome, names: tuple[str, ...], as_json: bool = False) -> str:
    """Which promise the end of a command broke; empty where it kept them all."""
    said, refused = outcome.out + outcome.err, outcome.code == 2
    broken = {
        "traceback": bool(outcome.broke) or "Traceback" in said,
        f"exit {outcome.code}": outcome.code not in (0, 1, 2),
        "a warning of the program's insides": "Warning:" in said,
        f"took {outcome.seconds:.0f} s": outcome.seconds > MOST_SECONDS,
        "failed without a word": outcome.code > 0 and not outcome.err.strip() and not as_json,
        f"the message names none of {names}": refused and not any(name in said for name in names),
        "--json, and what was printed is no JSON": refused and as_json and not _is_json(outcome.out),
    }
    return next((promise for promise, is_broken in broken.items() if is_broken), "")


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
