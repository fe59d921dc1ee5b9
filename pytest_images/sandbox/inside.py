"""The confined process: its namespaces, and the first process in them.

`pytest_images.sandbox.confined` starts it alone in a fresh interpreter. The first process of the
new PID namespace sets up, starts the command and waits; when it ends, for whatever reason,
the kernel kills everything in the namespace and drops its mounts.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
from typing import NoReturn

from pytest_images.sandbox import syscalls
from pytest_images.sandbox.child import enter_user_namespace
from pytest_images.sandbox.places import Refused
from pytest_images.sandbox.setup import Setup
from pytest_images.sandbox.spec import Spec

_NAMESPACES = (
    syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWIPC | syscalls.CLONE_NEWUTS
)
_POLL_MS = 500


def main() -> NoReturn:
    """Read the specification from the control socket, which is standard input, and do it."""
    control = socket.socket(fileno=os.dup(0))
    null = os.open("/dev/null", os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    try:
        enter_user_namespace(control)
        spec = Spec.from_json(_line(control))
        network = 0 if spec.has_network else syscalls.CLONE_NEWNET
        syscalls.unshare(_NAMESPACES | network)
    except OSError as error:
        _tell(control, error=str(error))
        os._exit(1)
    first = os.fork()
    if first == 0:
        _be_first(control, spec)
    os.waitpid(first, 0)
    os._exit(0)


def _be_first(control: socket.socket, spec: Spec) -> NoReturn:
    """Be process 1: set up, start the command, outlive it, tell how it ended."""
    try:
        syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
        syscalls.mount("", "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
        syscalls.mount("proc", "/proc", "proc")  # shows the processes of this namespace, not all
        socket.sethostname("build")
        setup = Setup(spec)
        status = _outlive(setup.start(), control)
        setup.clear()
    except (OSError, Refused) as error:
        _tell(control, error=str(error))
    else:
        _tell(control, status=status)
    os._exit(0)


def _outlive(child: int, control: socket.socket) -> int:
    """Wait for the command, and for the end of who asked for it; orphans are ours to bury."""
    poll = select.poll()
    poll.register(os.pidfd_open(child), select.POLLIN)
    poll.register(control, select.POLLIN | select.POLLHUP)
    while True:
        if any(descriptor == control.fileno() for descriptor, _ in poll.poll(_POLL_MS)):
            os._exit(0)  # nobody waits for the result: the kernel ends the rest
        pid = -1
        while pid:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code  # killed by a signal: as shells say it


def _line(control: socket.socket) -> bytes:
    raw = b""
    while not raw.endswith(b"\n"):
        piece = control.recv(1 << 16)
        if not piece:
            os._exit(1)
        raw += piece
    return raw


def _tell(control: socket.socket, **result: object) -> None:
    try:
        control.sendall(json.dumps(result).encode() + b"\n")
    except OSError:
        os._exit(1)  # nobody is there to be told
