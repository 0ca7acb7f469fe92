"""Text files that people bring: UTF-8, of a size that fits into memory, with whatever ends its lines."""

from __future__ import annotations

from pathlib import Path

from cleanhub.core.errors import FaultList

MOST_BYTES = 50_000_000
"""The largest text file that is read [bytes]: read whole, it takes up to some twenty times as much memory."""


def read_text(
    path: Path, faults: FaultList, allowed: str, *, shown: str = "", most: int = MOST_BYTES
) -> str | None:
    """The text of a UTF-8 file, with or without its mark; ``None`` with a fault where there is none.

    ``allowed`` says what the file should be, ``shown`` names it in the fault (default: its name). No more
    than ``most`` bytes are read.
    """
    shown = shown or path.name
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        faults.add(shown, what=f"cannot be read ({error.strerror})", allowed=allowed)
        return None
    if len(data) > most:
        faults.add(shown, what="too large", allowed=f"at most {most // 1_000_000} MB; split it")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(shown, what="not UTF-8 text", found=f"byte {error.start}", allowed=f"UTF-8: {allowed}")
        return None
    if "\x00" in text:
        faults.add(shown, what="holds a NUL byte", allowed=allowed)
        return None
    return text
