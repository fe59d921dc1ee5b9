"""The smallest program: an ELF file that says one word, to try a sandbox with."""

from __future__ import annotations

import os
import struct

from pytest_images.errors import Unsupported

SAYS = b"ok"
_BASE, _HEADERS = 0x400000, 64 + 56
# ELF's number of the machine, and write(1, "ok", 2), exit(0) in its code; the word follows.
_MACHINES = {
    "x86_64": (
        62,
        "b801000000 bf01000000 488d3510000000 ba02000000 0f05 b83c000000 31ff 0f05",
    ),
    "aarch64": (
        183,
        "200080d2 e1000010 420080d2 080880d2 010000d4 000080d2 a80b80d2 010000d4",
    ),
}


def says_ok() -> bytes:
    """Return a static program for this machine. Raises Unsupported on a machine not known here."""
    name = os.uname().machine
    if name not in _MACHINES:
        raise Unsupported("RUN", f"on {name}: only {' and '.join(_MACHINES)} are known here")
    machine, code = _MACHINES[name][0], bytes.fromhex(_MACHINES[name][1]) + SAYS
    size = _HEADERS + len(code)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", ident, 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + code
