"""Run one command confined, from outside: start the confined process, read its output, end it."""

from __future__ import annotations

import os
import selectors
import socket
import time
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.errors import SandboxError
from pytest_images.sandbox.starting import map_users, start

if TYPE_CHECKING:
    from pytest_images.sandbox.ids import Ids
    from pytest_images.sandbox.spec import Spec

_PIECE = 1 << 16
_LOOK = 0.2  # seconds between looks at whether the log was closed
_MODULE = "pytest_images.sandbox.inside"  # by name: it is for Linux only


def confined(spec: Spec, log: BinaryIO, who: Ids, timeout: float | None = None) -> int:
    """Run the command of *spec* and return its exit status; its output goes to *log*.

    Nothing of it is left when this returns or raises, or when this process is killed. Raises
    SandboxError where it could not be set up, ran longer than *timeout* seconds, or *log* was
    closed meanwhile.
    """
    ours, theirs = socket.socketpair()
    out, into = os.pipe()
    with ours, theirs, os.fdopen(out, "rb", buffering=0) as output:
        try:
            process = start(_MODULE, theirs, into)
        finally:
            os.close(into)
        theirs.close()
        with process:
            try:
                map_users(process, ours, who)
                ours.sendall(spec.packed())
                return _Watch(ours, output, log, timeout).until_end()
            finally:
                ours.close()  # its first process ends by that, and all else with it
                process.kill()


class _Watch:
    """Reads what the command prints and what the confined process says, within the time."""

    def __init__(
        self,
        control: socket.socket,
        output: BinaryIO,
        log: BinaryIO,
        timeout: float | None,
    ) -> None:
        self._control, self._output, self._log = control, output, log
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._said = b""

    def until_end(self) -> int:
        """Return the exit status of the command. Raises SandboxError."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            selector.register(self._control, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select(self._left()):
                    if key.fileobj is self._output:
                        is_open = self._take_output()
                    else:
                        is_open = self._take_word()
                    if not is_open:
                        selector.unregister(key.fileobj)
        return self._status()

    def _left(self) -> float:
        if self._log.closed:
            raise SandboxError("it was ended: nobody waits for it any more")
        if self._deadline is None:
            return _LOOK
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SandboxError(f"it ran longer than {self._timeout:g} s")
        return min(left, _LOOK)

    def _take_output(self) -> bool:
        piece = os.read(self._output.fileno(), _PIECE)
        self._log.write(piece)
        return bool(piece)

    def _take_word(self) -> bool:
        try:
            piece = self._control.recv(_PIECE)
        except ConnectionResetError:
            piece = b""
        self._said += piece
        return bool(piece) and not self._said.endswith(b"\n")

    def _status(self) -> int:
        if not self._said:
            raise SandboxError("the confined process ended without a word")
        word, _, rest = self._said.decode("utf-8", "replace").rstrip("\n").partition(" ")
        if word != "status":
            raise SandboxError(rest)
        return int(rest)
