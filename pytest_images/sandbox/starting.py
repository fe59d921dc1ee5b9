"""Start a process of ours in a user namespace of its own, and give it its users."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.errors import SandboxError
from pytest_images.sandbox.ids import write

if TYPE_CHECKING:
    import socket

    from pytest_images.sandbox.ids import Ids

_PROGRAM = "import sys; sys.path.insert(0, {!r}); from {} import main; main()"
_MAP_ME, _GO_ON = b"m", b"g"  # as `child` says them, which is for Linux only


def start(
    module: str, control: socket.socket, output: int, *, needs_libraries: bool = False
) -> subprocess.Popen[bytes]:
    """Start ``main`` of *module* in a fresh interpreter, with *control* as its standard input.

    *output* is its standard output and error. Out of reach of Ctrl-C: who started it ends it.
    """
    program = _PROGRAM.format(str(Path(__file__).parents[2]), module)
    options = ["-I"] if needs_libraries else ["-I", "-S"]
    return subprocess.Popen(
        [sys.executable, *options, "-c", program],
        stdin=control.fileno(),
        stdout=output,
        stderr=output,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        start_new_session=True,
    )


def map_users(process: subprocess.Popen[bytes], control: socket.socket, ids: Ids) -> None:
    """Give the namespace that *process* enters its users. Raises SandboxError, OSError."""
    if control.recv(1) != _MAP_ME:
        raise SandboxError("a user namespace cannot be made here")
    write(ids, process.pid)
    control.sendall(_GO_ON)
