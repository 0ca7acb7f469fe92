"""Folders written whole or not at all, whatever happens meanwhile: a full disk, a kill, another writer.

The new folder grows beside its place and is put there in one step. Where the system can exchange two
folders at once (Linux) there is no moment without a whole folder; elsewhere the old one is set aside for a
moment, and the next writer puts it back if that moment was the last. What a killed writer left is cleared
by the next one: a folder that grows is locked by its writer, so an unlocked one has none.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import glob
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cleanhub.core.errors import RunError

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # linux/fcntl.h, linux/fs.h
_ATTEMPTS = 100  # while other writers of the same folder are in between


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of ``folder`` when the block ends well.

    When the block fails ``folder`` is as it was. Raises ``RunError`` where it cannot be written. Of two
    writers the one that ends last has its folder there.
    """
    target = folder.resolve()
    grown, lock = None, None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_left(target)
        grown, lock = _begun(target)
        yield grown
        _put(grown, target)
    except OSError as error:
        raise RunError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        if grown is not None:
            shutil.rmtree(grown, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def _begun(target: Path) -> tuple[Path, int | None]:
    """A new folder beside ``target``, locked where the system can."""
    for _ in range(_ATTEMPTS):
        grown = target.with_name(f".{target.name}.{secrets.token_hex(4)}.writing")
        grown.mkdir()
        lock = _locked(grown)
        if grown.is_dir() and (lock is not None or os.name != "posix"):
            return grown, lock
        if lock is not None:  # another writer took the folder for one left behind, before it was locked
            os.close(lock)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _put(grown: Path, target: Path) -> None:
    """Move ``grown`` to ``target``; what was there is where ``grown`` was, or is removed."""
    for attempt in range(_ATTEMPTS):
        try:
            if not target.exists():
                grown.rename(target)
            elif not _exchanged(grown, target):
                _put_in_two_steps(grown, target)
            return
        except OSError as error:  # another writer came between the question and the answer
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT) or attempt == _ATTEMPTS - 1:
                raise


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; ``False`` where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    done = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    failed = ctypes.get_errno() if done else 0
    if failed in (errno.ENOSYS, errno.EINVAL, errno.EXDEV):  # the kernel or the file system cannot
        return False
    if failed:
        raise OSError(failed, os.strerror(failed), str(other))
    return True


def _put_in_two_steps(grown: Path, target: Path) -> None:
    aside = grown.with_suffix(".before")
    target.rename(aside)
    try:
        grown.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _clear_left(target: Path) -> None:
    """Remove what killed writers of ``target`` left, after putting back what one of them had set aside."""
    left = f".{glob.escape(target.name)}.{'?' * 8}"
    for path in target.parent.glob(f"{left}.before"):
        if not target.exists():
            with contextlib.suppress(OSError):  # another writer was faster
                path.rename(target)
        shutil.rmtree(path, ignore_errors=True)
    for path in target.parent.glob(f"{left}.writing"):
        lock = _locked(path)
        if lock is not None:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """A lock on a folder until it is closed or its process ends; ``None`` where there is none to be had."""
    try:
        import fcntl
    except ModuleNotFoundError:  # no such locks on this system: what is left behind stays
        return None
    lock = None
    try:
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if lock is not None:
            os.close(lock)
        return None
    return lock
