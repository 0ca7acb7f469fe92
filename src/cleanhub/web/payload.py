"""Bytes that are made once and sent many times: compressed, tagged, and kept within bounds.

A plan does not change while it is served, so every page and every file of JSON is made at
its first request and kept. A reader who has it already is told so (304).
"""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from fastapi import Request, Response

HTML = "text/html; charset=utf-8"
JSON = "application/json"
GEOJSON = "application/geo+json"
CSV = "text/csv; charset=utf-8"
CSS = "text/css; charset=utf-8"
LEAST_TO_COMPRESS = 1024  # bytes below which a compressed answer saves nothing


@dataclass(frozen=True)
class Payload:
    """One body, plain and compressed (``None`` where that does not pay), with its tag."""

    body: bytes
    packed: bytes | None
    media: str
    tag: str
    download: str = ""

    @property
    def size(self) -> int:
        """Bytes it takes in memory."""
        return len(self.body) + len(self.packed or b"")


def pack(body: str | bytes, media: str, download: str = "") -> Payload:
    """Make a payload; equal bodies give equal tags. ``download`` is the file name to save it under."""
    data = body.encode() if isinstance(body, str) else body
    packed = gzip.compress(data, 6, mtime=0) if len(data) >= LEAST_TO_COMPRESS else None
    if packed is not None and len(packed) >= len(data):
        packed = None
    return Payload(data, packed, media, hashlib.sha256(data).hexdigest()[:20], download)


def answer(request: Request, payload: Payload, status: int = 200) -> Response:
    """The answer to ``request``: the payload, compressed if the reader takes that, or 304."""
    squeezed = payload.packed is not None and _takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{payload.tag}{"-gz" if squeezed else ""}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if status == 200 and _known(request.headers.get("if-none-match", ""), payload.tag):
        return Response(status_code=304, headers=headers)
    if payload.download:
        headers["Content-Disposition"] = f'attachment; filename="{payload.download}"'
    if squeezed:
        headers["Content-Encoding"] = "gzip"
    body = payload.packed if squeezed else payload.body
    return Response(body, status, headers, payload.media)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, quality = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _known(tags: str, own: str) -> bool:
    found = [tag.strip().removeprefix("W/").strip('"') for tag in tags.split(",")]
    return any(tag in ("*", own, f"{own}-gz") for tag in found)


class Cache:
    """Payloads by key; the one asked for longest ago goes first when ``limit`` bytes are passed."""

    def __init__(self, limit: int = 64_000_000) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Payload] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: str, make: Callable[[], Payload]) -> Payload:
        """The payload of ``key``, made by ``make`` if it is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()  # outside the lock: a slow table must not hold up other pages
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._bytes += made.size
            while self._bytes > self._limit and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].size
        return made
