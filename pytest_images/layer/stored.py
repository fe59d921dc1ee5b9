"""What one layer lists, as bytes that are kept: read in a moment, where the layer takes seconds.

For this machine alone, and only as long as nothing changed in how `Contents` counts: what does
not fit, or was torn, is none, and the layer is listed again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from typing import Any

from pytest_images.layer.contents import Contents

_MAGIC = f"layer listing 1 {sys.byteorder}\n".encode()
_COLUMNS = ("modes", "uids", "gids", "sizes", "offsets", "mtimes")
_HASH = hashlib.sha256().digest_size
_LENGTH = 8  # bytes that say how long the rare facts are


def stored(contents: Contents) -> bytes:
    """Return *contents* as bytes, with a digest of them."""
    rare = {
        "names": len(contents.names),
        "count": len(contents),
        "links": [[at, _text(target)] for at, target in contents.links.items()],
        "devices": [[at, *device] for at, device in contents.devices.items()],
        "xattrs": [
            [at, {key: _text(value) for key, value in found.items()}]
            for at, found in contents.xattrs.items()
        ],
        "whiteouts": list(map(_text, contents.whiteouts)),
        "sparse": sorted(contents.sparse),
    }
    head = json.dumps(rare, separators=(",", ":")).encode()
    columns = [getattr(contents, name).tobytes() for name in _COLUMNS]
    length = len(head).to_bytes(_LENGTH)
    body = b"".join((length, head, contents.names, contents.kinds, *columns))
    return _MAGIC + hashlib.sha256(body).digest() + body


def restored(raw: bytes, source: str) -> Contents | None:
    """Return the contents that `stored` made *raw* of, None: it did not. *source* is for errors."""
    start = len(_MAGIC) + _HASH
    body = memoryview(raw)[start:]
    if raw[:start] != _MAGIC + hashlib.sha256(body).digest():
        return None
    head = _LENGTH + int.from_bytes(body[:_LENGTH])
    rare: dict[str, Any] = json.loads(bytes(body[_LENGTH:head]))
    contents = Contents(source)
    kinds = head + rare["names"]
    at = kinds + rare["count"]
    contents.names, contents.kinds = bytearray(body[head:kinds]), bytearray(body[kinds:at])
    for name in _COLUMNS:
        column: array[Any] = getattr(contents, name)
        size = rare["count"] * column.itemsize
        column.frombytes(body[at : at + size])
        at += size
    contents.links = {at: _bytes(target) for at, target in rare["links"]}
    contents.devices = {at: (major, minor) for at, major, minor in rare["devices"]}
    contents.xattrs = {
        at: {key: _bytes(value) for key, value in found.items()} for at, found in rare["xattrs"]
    }
    contents.whiteouts = list(map(_bytes, rare["whiteouts"]))
    contents.sparse = set(rare["sparse"])
    return contents


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")
