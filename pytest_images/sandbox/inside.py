"""The confined process: its namespaces, and the first process in them.

`pytest_images.sandbox.confined` starts it alone in a fresh interpreter. The first process of the
new PID namespace sets up, starts the command and waits; when it ends, for whatever reason,
the kernel kills everything in the namespace and drops its mounts.
"""

from __future__ import annotations

import os
import select

from pytest_images.sandbox import syscalls
from pytest_images.sandbox.child import enter_user_namespace
from pytest_images.sandbox.places import Refused
from pytest_images.sandbox.setup import Setup
from pytest_images.sandbox.spec import LENGTH, Spec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_NAMESPACES = (
    syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
)
_POLL_MS = 500


def main() -> NoReturn:
    """Read the specification from the control socket, which is standard input, and do it."""
    control = os.dup(0)
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        enter_user_namespace(control)
        spec = Spec.unpacked(_order(control))
        network = 0 if spec.has_network else syscalls.CLONE_NEWNET
        syscalls.unshare(_NAMESPACES | network)
    except OSError as error:
        _tell(control, f"error {error}")
        os._exit(1)
    first = os.fork()
    if first == 0:
        _be_first(control, spec)
    os.waitpid(first, 0)
    os._exit(0)


def _be_first(control: int, spec: Spec) -> NoReturn:
    """Be process 1: set up, start the command, outlive it, tell how it ended."""
    try:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, syscalls.SIGKILL)
        syscalls.mount("", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
        syscalls.mount("proc", "/proc", "proc")  # shows the processes of this namespace, not all
        syscalls.set_host_name("build")
        setup = Setup(spec)
        status = _outlive(setup.start(), control)
        setup.clear()
    except (OSError, Refused) as error:
        _tell(control, f"error {error}")
    else:
        _tell(control, f"status {status}")
    os._exit(0)


def _outlive(child: int, control: int) -> int:
    """Wait for the command, and for the end of who asked for it; orphans are ours to bury."""
    poll = select.poll()
    poll.register(os.pidfd_open(child), select.POLLIN)
    poll.register(control, select.POLLIN | select.POLLHUP)
    while True:
        if any(descriptor == control for descriptor, _ in poll.poll(_POLL_MS)):
            os._exit(0)  # nobody waits for the result: the kernel ends the rest
        pid = -1
        while pid:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code  # killed by a signal: as shells say it


def _order(control: int) -> bytes:
    return _exactly(control, int.from_bytes(_exactly(control, LENGTH), "big"))


def _exactly(control: int, count: int) -> bytes:
    raw = b""
    while len(raw) < count:
        piece = os.read(control, count - len(raw))
        if not piece:
            os._exit(1)
        raw += piece
    return raw


def _tell(control: int, result: str) -> None:
    line = result.replace("\n", " ").encode("utf-8", "replace") + b"\n"
    try:
        os.write(control, line)
    except OSError:
        os._exit(1)  # nobody is there to be told
