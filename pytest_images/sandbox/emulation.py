"""Whether programs of another architecture run here: the kernel is asked by starting one.

What starts is the header of a program and nothing else. A kernel that knows no way to run the
architecture refuses it as no program at all; an emulator that is registered for it (binfmt_misc,
as of qemu-user) is started, and ends at once. So it is found out also where the list of the
registered ones cannot be seen, as in a container.
"""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import tempfile
from pathlib import Path

from pytest_images.errors import Unsupported
from pytest_images.model.platform import Platform, candidates

_SECONDS = 10.0
# Architecture: 32 or 64 bits, byte order, and the number of the machine (ELF, e_machine).
_MACHINES = {
    "386": (32, "<", 3),
    "amd64": (64, "<", 62),
    "arm": (32, "<", 40),
    "arm64": (64, "<", 183),
    "loong64": (64, "<", 258),
    "mips64le": (64, "<", 8),
    "ppc64le": (64, "<", 21),
    "riscv64": (64, "<", 243),
    "s390x": (64, ">", 22),
}


def require_emulation(platform: Platform, folder: Path) -> None:
    """Raise Unsupported where commands of *platform* cannot run; *folder* is for a small file."""
    host = Platform.of_machine(os.uname().machine)
    if platform.architecture in {each.architecture for each in candidates(host)}:
        return
    if platform.architecture not in _MACHINES or not _runs(platform.architecture, folder):
        error = Unsupported("RUN", f"a command of {platform} on {host}: no emulator for it")
        error.add_note(
            "Install qemu-user-static and binfmt-support (or whatever registers qemu with "
            "binfmt_misc, with its flag F), or build what needs no RUN."
        )
        raise error


def _runs(architecture: str, folder: Path) -> bool:
    descriptor, name = tempfile.mkstemp(prefix="foreign-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(header(*_MACHINES[architecture]))
        path.chmod(0o700)
        quiet = subprocess.DEVNULL
        subprocess.run(
            [name], stdin=quiet, stdout=quiet, stderr=quiet, check=False, timeout=_SECONDS
        )
    except OSError as error:  # ENOENT: one is registered, and is not there
        return error.errno not in (errno.ENOEXEC, errno.ENOENT)
    except subprocess.TimeoutExpired:
        return True
    finally:
        path.unlink()
    return True


def header(bits: int, order: str, machine: int) -> bytes:
    """Return the header of a program that has nothing in it."""
    kind, word = (2, "Q") if bits == 64 else (1, "I")
    ident = b"\x7fELF" + bytes((kind, 1 if order == "<" else 2, 1)) + bytes(9)
    size = 64 if bits == 64 else 52
    rest = struct.pack(f"{order}HHI3{word}IHHHHHH", 2, machine, 1, 0, 0, 0, 0, size, 0, 0, 0, 0, 0)
    return ident + rest
