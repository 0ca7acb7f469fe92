"""Work beside other work: what a computation gives is made in a process of its own while one goes on.

:func:`aside` begins it and gives back what waits for it. The value is the same wherever it is made: where
no process can be begun (one core, a system without ``fork``, a program with several threads, inside
another such process) it is made in this one when it is asked for, and so it is where the other process
failed, so that an error is met where it is asked for too.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from cleanhub.core.memory import active

T = TypeVar("T")
_STATE = {"alone": False}


def aside(make: Callable[[], T]) -> Callable[[], T]:
    """Begin ``make`` beside this process; what is returned waits for its value, as often as it is asked.

    ``make`` must change nothing that anybody else reads, and its value must be one that can be pickled.
    The steps that it remembers or recalls count for the memory of this process.
    """
    if not _possible():
        return _Later(make)
    try:
        return _begun(make)
    except OSError:  # no more processes or pipes are to be had
        return _Later(make)


def stay_alone() -> None:
    """From now on this process begins no other: all is made in it, when it is asked for."""
    _STATE["alone"] = True


def _possible() -> bool:
    """Whether a process may be begun: a copy of one with several threads could wait for ever."""
    return (
        not _STATE["alone"]
        and sys.platform.startswith("linux")
        and len(os.sched_getaffinity(0)) > 1
        and threading.active_count() == 1
    )


class _Later:
    """A value that is made when it is first asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: list[Any] = []

    def __call__(self) -> Any:
        if not self._made:
            self._made.append(self._make())
        return self._made[0]


class _Beside(_Later):
    """A value that the process ``pid`` makes and writes to ``pipe``."""

    def __init__(self, make: Callable[[], Any], pid: int, pipe: int) -> None:
        super().__init__(make)
        self._pipe = pipe
        self._stop = weakref.finalize(self, _stopped, pid, pipe, os.getpid())

    def __call__(self) -> Any:
        if self._stop.alive:
            with os.fdopen(os.dup(self._pipe), "rb") as stream:
                data = stream.read()
            self._stop()
            with suppress(Exception):  # whatever it died of, the value is made here
                value, recalled, made = pickle.loads(data)
                active().tell(recalled, made)
                self._made.append(value)
        return super().__call__()


def _begun(make: Callable[[], Any]) -> _Beside:
    pipe, out = os.pipe()
    try:
        with warnings.catch_warnings():  # Python 3.12 warns of the idle threads of OpenBLAS; those allow it
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
    except OSError:
        os.close(pipe)
        os.close(out)
        raise
    if pid == 0:
        _work(make, out)
    os.close(out)
    return _Beside(make, pid, pipe)


def _work(make: Callable[[], Any], out: int) -> None:
    """What the other process does: make the value, write it, and end without tidying up."""
    status = 1  # then the parent makes the value itself and meets what went wrong
    try:
        stay_alone()
        memory = active()
        memory.recalled, memory.made = [], []
        value = make()
        with os.fdopen(out, "wb") as stream:
            pickle.dump((value, memory.recalled, memory.made), stream, protocol=5)
        status = 0
    finally:
        os._exit(status)


def _stopped(pid: int, pipe: int, owner: int) -> None:
    """End the process, if it still runs, and forget it: its ``owner`` alone does, no copy of that."""
    if os.getpid() != owner:
        return
    os.close(pipe)
    with suppress(OSError):
        os.kill(pid, 9)
    with suppress(OSError):
        os.waitpid(pid, 0)
