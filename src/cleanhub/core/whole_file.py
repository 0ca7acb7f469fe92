"""Files written whole or not at all: whatever fails, the old file stays and nothing lies beside it."""

from __future__ import annotations

import secrets
from pathlib import Path

from cleanhub.core.errors import RunError


def write_file(path: Path, data: bytes | str) -> None:
    """Write ``data`` (text as UTF-8) to ``path``, in the place of what is there.

    Raises ``RunError`` naming the file where it cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            part.write_bytes(data.encode() if isinstance(data, str) else data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error
