"""A process of ours in a user namespace of its own: how it is started, and how it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.errors import SandboxError

if TYPE_CHECKING:
    import socket

    from pytest_images.sandbox.ids import Ids

_PROGRAM = "import sys; sys.path.insert(0, {!r}); from {} import main; main()"
_MAP_ME, _GO_ON = b"m", b"g"


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
    from pytest_images.sandbox.ids import write

    if control.recv(1) != _MAP_ME:
        raise SandboxError("a user namespace cannot be made here")
    write(ids, process.pid)
    control.sendall(_GO_ON)


def enter_user_namespace(control: socket.socket) -> None:
    """Enter a user namespace and be root there: what the started process does first."""
    from pytest_images.sandbox.syscalls import CLONE_NEWUSER, unshare

    unshare(CLONE_NEWUSER)
    control.sendall(_MAP_ME)
    if control.recv(1) != _GO_ON:
        os._exit(1)  # who started this is gone, or could not map our users
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
