"""The smallest program: an ELF file that ends with status 0, to try a sandbox with."""

from __future__ import annotations

import os
import struct

from pytest_images.errors import Unsupported

_BASE, _HEADERS = 0x400000, 64 + 56
# ELF's number of the machine, and exit(0) in its code.
_MACHINES = {
    "x86_64": (62, bytes.fromhex("31ff b83c000000 0f05")),
    "aarch64": (183, bytes.fromhex("000080d2 a80b80d2 010000d4")),
}


def nothing() -> bytes:
    """Return a static program for this machine. Raises Unsupported on a machine not known here."""
    name = os.uname().machine
    if name not in _MACHINES:
        raise Unsupported("RUN", f"on {name}: only {' and '.join(_MACHINES)} are known here")
    machine, code = _MACHINES[name]
    size = _HEADERS + len(code)
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", ident, 2, machine, 1, _BASE + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000)
    return header + segment + code
