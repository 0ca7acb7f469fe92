"""JSON that people bring: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def parse_json(text: str, constant: Callable[[str], Any] | None = None) -> Any:
    r"""The data of a JSON text; ``constant`` is called for NaN and infinity in place of taking them.

    Raises ``ValueError`` alone (:class:`json.JSONDecodeError` where a line can be named), also for brackets
    too deep for the parser, for numbers of too many digits, and for half a character (``\ud800``), which no
    file or screen could show again.
    """
    try:
        data = json.loads(text, parse_constant=constant)
    except RecursionError:
        raise ValueError("too many brackets inside each other") from None
    if "\\ud" in text.lower():
        json.dumps(data, ensure_ascii=False).encode()  # UnicodeEncodeError is a ValueError
    return data
