"""Work beside other work: what a computation gives is made in a process of its own while one goes on.

:func:`aside` begins it and gives back what waits for it. A :class:`Partner` prepares something beside and
then answers what it is asked. The values are the same wherever they are made: where no process can be begun
(one core, a system without ``fork``, a program with several threads, inside another such process that stays
alone) they are made in this one when they are asked for, and so they are where the other process failed, so
that an error is met where it is asked for too.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Generic, TypeVar

from cleanhub.core.memory import active

Q = TypeVar("Q")
T = TypeVar("T")
LATER = 5
"""Added to the niceness of a process whose value is wanted last."""
_STATE = {"alone": False}


def aside(make: Callable[[], T], alone: bool = True, last: bool = False) -> Begun[T]:
    """Begin ``make`` beside this process; what is returned waits for its value, as often as it is asked.

    ``make`` must change nothing that anybody else reads, and its value must be one that can be pickled.
    The steps that it remembers or recalls count for the memory of this process. Unless it is to stay
    ``alone`` it may begin processes of its own; what is wanted ``last`` lets the others go first.
    """
    partner: Partner[None, T] = Partner(lambda: lambda _: make(), alone, last)
    return partner.ask(None)


def given(value: T) -> Begun[T]:
    """A value that is there already, for whoever waits for one."""
    return Begun(lambda: _Made(value, 0.0, 0.0))


def stay_alone() -> None:
    """From now on this process begins no other: all is made in it, when it is asked for."""
    _STATE["alone"] = True


class Begun(Generic[T]):
    """A value that is being made: calling it waits. ``wall_s`` and ``cpu_s`` then tell what it took."""

    def __init__(self, made: Callable[[], _Made[T]]) -> None:
        self._wait = made
        self._made: _Made[T] | None = None

    def __call__(self) -> T:
        """The value."""
        if self._made is None:
            self._made = self._wait()
            del self._wait  # nothing else holds the process
        self.wall_s, self.cpu_s = self._made.wall_s, self._made.cpu_s
        return self._made.value


class Partner(Generic[Q, T]):
    """A process that prepares something and then answers questions with it, one after another.

    ``prepare`` gives the function that answers; an answer depends on nothing but what was prepared and the
    question. Questions and answers must be such that can be pickled. The process ends with the partner.
    ``alone`` and ``last`` as for :func:`aside`.
    """

    def __init__(
        self, prepare: Callable[[], Callable[[Q], T]], alone: bool = True, last: bool = False
    ) -> None:
        self._here = _Here(prepare)
        self._process: _Process | None = None
        self._open: Begun[T] | None = None
        if _possible():
            with suppress(OSError):  # no more processes or pipes are to be had
                self._process = _Process(prepare, alone, last)

    def ask(self, question: Q) -> Begun[T]:
        """Ask beside; what is returned waits for the answer."""
        here, process = self._here, self._process
        if process is None:
            return Begun(lambda: here.answer(question))
        if self._open is not None:
            self._open()  # else both might wait for the other to read
        process.send(question)
        self._open = Begun(lambda: process.answer() or here.answer(question))
        return self._open

    def end(self) -> None:
        """Ask nothing any more: the process stops, whatever it does."""
        if self._process is not None:
            self._process.stop()


class _Here(Generic[Q, T]):
    """The same answers made in this process."""

    def __init__(self, prepare: Callable[[], Callable[[Q], T]]) -> None:
        self._prepare = prepare
        self._prepared: Callable[[Q], T] | None = None

    def answer(self, question: Q) -> _Made[T]:
        """Prepare, the first time, and answer."""
        watch = _Watch()
        return watch.read(self.prepare()(question))

    def prepare(self) -> Callable[[Q], T]:
        """What answers; prepared the first time."""
        if self._prepared is None:
            self._prepared = self._prepare()
        return self._prepared


@dataclass(frozen=True)
class _Made(Generic[T]):
    """A value with the seconds it took and the steps of memory behind it."""

    value: T
    wall_s: float
    cpu_s: float
    recalled: tuple[str, ...] = ()
    made: tuple[str, ...] = ()


class _Watch:
    """Wall and CPU time since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self, value: T) -> _Made[T]:
        """``value`` with the time since then."""
        return _Made(value, time.perf_counter() - self._wall, time.process_time() - self._cpu)


def _possible() -> bool:
    """Whether a process may be begun: a copy of one with several threads could wait for ever."""
    return (
        not _STATE["alone"]
        and sys.platform.startswith("linux")
        and len(os.sched_getaffinity(0)) > 1
        and threading.active_count() == 1
    )


class _Process:
    """The process beside, with a pipe to it and one back. Raises ``OSError`` where none can be begun."""

    def __init__(self, prepare: Callable[[], Callable[[Any], Any]], alone: bool, last: bool) -> None:
        asked, questions = os.pipe()
        try:
            answers, given = os.pipe()
        except OSError:
            _close(asked, questions)
            raise
        try:
            with warnings.catch_warnings():  # Python 3.12 warns of idle threads of OpenBLAS; those allow it
                warnings.simplefilter("ignore", DeprecationWarning)
                pid = os.fork()
        except OSError:
            _close(asked, questions, answers, given)
            raise
        if pid == 0:
            _work(prepare, asked, given, (questions, answers), alone, last)
        _close(asked, given)
        self._questions, self._answers = os.fdopen(questions, "wb"), os.fdopen(answers, "rb")
        self.stop = weakref.finalize(self, _stopped, pid, self._questions, self._answers, os.getpid())

    def send(self, question: Any) -> None:
        """Put a question; a process that is gone is met when its answer is read."""
        with suppress(OSError, ValueError):
            pickle.dump(question, self._questions, protocol=5)
            self._questions.flush()

    def answer(self) -> _Made[Any] | None:
        """The answer to the oldest open question; ``None`` where the process failed, whatever it died of."""
        try:
            found: _Made[Any] = pickle.load(self._answers)
        except Exception:  # an end in the middle of an answer may be met as any error of reading it
            self.stop()
            return None  # it is made here then, and what went wrong is met and raised
        active().tell(found.recalled, found.made)
        return found


def _work(
    prepare: Callable[[], Callable[[Any], Any]],
    asked: int,
    given: int,
    theirs: tuple[int, ...],
    alone: bool,
    last: bool,
) -> None:
    """What the other process does: prepare, answer until nobody asks, and end without tidying up.

    Whatever happens it never returns: it is a copy of a program that goes on elsewhere. ``theirs`` are the
    ends of the pipes that the first process keeps.
    """
    status = 1  # then the parent makes the value itself and meets what went wrong
    try:
        _close(*theirs)
        if last:
            os.nice(LATER)
        if alone:
            stay_alone()
        gc.disable()  # it ends soon, with all that it made
        memory = active()
        memory.recalled, memory.made = [], []
        here, watch = _Here(prepare), _Watch()
        here.prepare()
        before = watch.read(None)
        with os.fdopen(asked, "rb") as questions, os.fdopen(given, "wb") as answers:
            while questions.peek(1):
                made = here.answer(pickle.load(questions))
                told = replace(
                    made,
                    wall_s=before.wall_s + made.wall_s,  # what was prepared counts for the first answer
                    cpu_s=before.cpu_s + made.cpu_s,
                    recalled=tuple(memory.recalled),
                    made=tuple(memory.made),
                )
                pickle.dump(told, answers, protocol=5)
                answers.flush()
                before = _Made(None, 0.0, 0.0)
        status = 0
    finally:
        os._exit(status)


def _stopped(pid: int, questions: BinaryIO, answers: BinaryIO, owner: int) -> None:
    """End the process, if it still runs, and forget it: its ``owner`` alone does, no copy of that."""
    if os.getpid() != owner:
        return
    for pipe in (questions, answers):
        with suppress(OSError):
            pipe.close()
    with suppress(OSError):
        os.kill(pid, 9)
    with suppress(OSError):
        os.waitpid(pid, 0)


def _close(*pipes: int) -> None:
    for pipe in pipes:
        os.close(pipe)
