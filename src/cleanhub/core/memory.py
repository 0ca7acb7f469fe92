"""A memory of steps: what was computed once from the same inputs is read back instead.

:func:`remembered` asks it for the value of a named step. The key is the step's name, the
:func:`~cleanhub.core.fingerprint.fingerprint` of what the step reads, and the versions of the package's
own files, of Python and of the libraries that compute; the value lies as one file in a folder of the
user's cache. A folder or file that is broken, foreign or not writable is as good as empty: nothing is
ever refused for it. The steps must be pure: what they give depends on their inputs alone.

The folder is ``CLEANHUB_CACHE`` where that is set (``off``: nothing is remembered), else
``cleanhub`` in the user's folder for caches. Steps used longest ago leave when it exceeds :data:`MOST`.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from cleanhub.core.fingerprint import fingerprint
from cleanhub.core.rounding import SETTING

T = TypeVar("T")
VARIABLE = "CLEANHUB_CACHE"
"""Environment variable that names another folder, or says ``off``."""
MOST = 1_000_000_000
"""Bytes that the folder holds at most; the steps used longest ago leave first."""
PACKAGE = Path(__file__).resolve().parent.parent
_APART = ("hubs", "static", "__pycache__")
"""Folders of the package that no step reads but through its inputs; so are the tables of the library."""
_LIBRARIES = ("numpy", "scipy", "pandas", "highspy", "matplotlib", "jinja2", "pint")
_CHECK = 16  # bytes of the checksum before each value
_ABSENT = object()


@dataclass
class Memory:
    """The memory of one run: its folder, if it has one, and what it gave and took.

    ``fresh`` computes every step and puts the new value in place of the remembered one. ``recalled``
    and ``made`` name the steps, each once, in order.
    """

    folder: Path | None
    fresh: bool = False
    recalled: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    _size: int | None = None

    def value(self, step: str, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
        """The value of ``step`` for ``inputs``: remembered, or made now and kept."""
        return self.values(step, [inputs], lambda _: [make()])[0]

    def values(
        self, step: str, inputs: Sequence[tuple[Any, ...]], make: Callable[[list[int]], list[T]]
    ) -> list[T]:
        """The value of ``step`` for each of ``inputs``, in order.

        ``make`` is given the positions of those that are not remembered, if any, and makes them together.
        """
        paths = [self._place(step, one) for one in inputs]
        found: list[Any] = [_ABSENT if self.fresh or path is None else _read(path) for path in paths]
        missing = [at for at, value in enumerate(found) if value is _ABSENT]
        if len(missing) < len(found):
            _tell(self.recalled, step)
        if missing:
            _tell(self.made, step)
            for at, value in zip(missing, make(missing), strict=True):
                found[at] = value
                self._keep(paths[at], value)
        return found

    def _place(self, step: str, inputs: tuple[Any, ...]) -> Path | None:
        """The file that a value lies in; ``None`` where nothing is kept."""
        if self.folder is None:
            return None
        key = fingerprint(step, _versions(), inputs)
        return self.folder / key[:2] / key

    def _keep(self, path: Path | None, value: Any) -> None:
        if path is None or self.folder is None:
            return
        data = pickle.dumps(value, protocol=5)
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            partial = path.with_name(f"{path.name}.{os.getpid()}")
            partial.write_bytes(_checksum(data) + data)
            partial.replace(path)
        if self._size is None:
            self._size = sum(size for _, size, _ in _entries(self.folder))
        else:
            self._size += len(data)
        if self._size > MOST:
            self._size = prune(self.folder, MOST // 2)

    def tell(self, recalled: Iterable[str], made: Iterable[str]) -> None:
        """Name the steps that another process recalled and made for this run."""
        for told, steps in ((self.recalled, recalled), (self.made, made)):
            for step in steps:
                _tell(told, step)


def _tell(told: list[str], step: str) -> None:
    if step not in told:
        told.append(step)


def remembered(step: str, inputs: tuple[Any, ...], make: Callable[[], T]) -> T:
    """The value of ``step`` for ``inputs``: remembered, or made by ``make`` and kept.

    ``inputs`` must hold everything that ``make`` reads and have a fingerprint. The value is the caller's
    own: changing it changes nothing that is remembered.
    """
    return active().value(step, inputs, make)


def remembered_each(
    step: str, inputs: Sequence[tuple[Any, ...]], make: Callable[[list[int]], list[T]]
) -> list[T]:
    """:func:`remembered` for each of ``inputs``: ``make`` makes all that are not, by their positions.

    They may then be made beside one another.
    """
    return active().values(step, inputs, make)


@contextmanager
def remembering(fresh: bool = False) -> Iterator[Memory]:
    """The memory of the block, which tells afterwards what was recalled and what was made.

    Inside another such block it is that one's, except with ``fresh``: then every step of the block is made.
    """
    outer = _MEMORY.get()
    if outer is not None and not fresh:
        yield outer
        return
    memory = Memory(user_folder(), fresh)
    token = _MEMORY.set(memory)
    try:
        yield memory
    finally:
        _MEMORY.reset(token)


_MEMORY: ContextVar[Memory | None] = ContextVar("memory", default=None)


def active() -> Memory:
    """The memory of the block this is called in; outside of any, one of its own."""
    return _MEMORY.get() or Memory(user_folder())


def user_folder() -> Path | None:
    """The folder of the user's memory, made where it is missing; ``None`` where none can be used.

    Only a folder that belongs to the user and that nobody else may write to is used: its files are
    Python objects, which whoever writes them could make run code.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if named.lower() == "off":
        return None
    try:
        folder = Path(named) if named else _cache_home() / "cleanhub"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    if hasattr(os, "getuid") and (about.st_uid != os.getuid() or about.st_mode & 0o022):
        return None
    return folder if os.access(folder, os.W_OK | os.X_OK) else None


def _cache_home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def prune(folder: Path, most: int) -> int:
    """Remove what was used longest ago until ``folder`` holds at most ``most`` bytes; the bytes left."""
    entries = sorted(_entries(folder))
    left = sum(size for _, size, _ in entries)
    for _, size, path in entries:
        if left <= most:
            break
        with suppress(OSError):
            path.unlink()
            left -= size
    return left


def _entries(folder: Path) -> list[tuple[float, int, Path]]:
    """Time of last use, bytes and path of every file of the memory."""
    found = []
    for path in folder.glob("??/*"):
        with suppress(OSError):  # another process may have removed it
            about = path.stat()
            found.append((about.st_mtime, about.st_size, path))
    return found


def _read(path: Path) -> Any:
    """The value kept at ``path``, or ``_ABSENT``; a broken file is removed."""
    try:
        data = path.read_bytes()
    except OSError:
        return _ABSENT
    body = memoryview(data)[_CHECK:]
    try:
        if data[:_CHECK] != _checksum(body):
            raise ValueError(path)
        value = pickle.loads(body)
    except Exception:  # whatever a broken or outdated object raises, it is made anew
        with suppress(OSError):
            path.unlink()
        return _ABSENT
    with suppress(OSError):
        os.utime(path)
    return value


def _checksum(data: bytes | memoryview) -> bytes:
    return hashlib.blake2b(data, digest_size=_CHECK).digest()


@cache
def _versions() -> tuple[str, ...]:
    """What computes: this package's files, Python, the machine and the libraries."""
    found = [package_digest(PACKAGE), sys.version, platform.machine(), os.environ.get(SETTING, "")]
    for name in _LIBRARIES:
        try:
            found.append(version(name))
        except PackageNotFoundError:
            found.append("")
    return tuple(found)


def package_digest(folder: Path) -> str:
    """Digest of the files of a package, as hexadecimal; :data:`_APART` aside."""
    digest = hashlib.blake2b(digest_size=16)
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _APART)
        for path in (Path(place, name) for name in sorted(files)):
            if path.suffix == ".csv" and path.parent == folder / "library":
                continue
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(hashlib.blake2b(path.read_bytes(), digest_size=16).digest())
    return digest.hexdigest()
