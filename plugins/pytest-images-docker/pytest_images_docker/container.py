"""One container of a daemon: made, heard, waited for, taken away; and the image it is made of."""

from __future__ import annotations

import json
import re
import time
from base64 import b64decode
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from pytest_images import InvalidResponse, InvalidUsage, SandboxError
from pytest_images_docker.owners import remove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from pytest_images_docker.daemon import Daemon, Listening

REPOSITORY = "pytest-images-run"  # what an image for one step is called, with a tag of its own
_NOT_STARTED = (126, 127)  # what a shell says of a program that cannot be run, or is not there
_HEAD = 8  # bytes before each piece of output: which stream, and how much
_PIECE = 1 << 16
_LOOK = 0.5  # seconds between two looks whether anybody waits
_FRACTION = re.compile(r"\.\d+")
_FIRST_WAIT = 0.002


def import_image(
    daemon: Daemon,
    tag: str,
    labels: Mapping[str, str],
    platform: str,
    send: Callable[[BinaryIO], object],
) -> str:
    """Make an image of the tar that *send* writes; return its ID. Raises as `Daemon.write`."""
    query = {
        "fromSrc": "-",
        "repo": REPOSITORY,
        "tag": tag,
        "platform": platform,
        "changes": [f"LABEL {key}={value}" for key, value in labels.items()],
    }
    [*_, last] = daemon.write("/images/create", query, send) or [{}]
    if "status" not in last:
        raise InvalidResponse(daemon.name, "it does not name the image")
    return str(last["status"])


class Container:
    """A container, named before it is made, so that it can be taken away whatever happens."""

    def __init__(self, daemon: Daemon, name: str) -> None:
        self._daemon, self._name, self._path = daemon, name, f"/containers/{name}"

    def create(self, document: Mapping[str, Any]) -> None:
        """Make it, as *document* says (Docker's API, ContainerCreate)."""
        query = {"name": self._name}
        self._daemon.ask("POST", "/containers/create", query, document=document)

    def put(self, send: Callable[[BinaryIO], object]) -> None:
        """Unpack the tar that *send* writes into its root file system."""
        self._daemon.write(f"{self._path}/archive", {"path": "/"}, send, method="PUT")

    def changed_at(self, path: str) -> int:
        """Return when a folder was last changed, in seconds since 1970."""
        query = {"path": path}
        said = self._daemon.head(f"{self._path}/archive", query, "X-Docker-Container-Path-Stat")
        try:
            text = str(json.loads(b64decode(said))["mtime"])
            return int(datetime.fromisoformat(_FRACTION.sub("", text)).timestamp())
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidResponse(self._daemon.name, f"it tells no time: {error}") from error

    def run(self, log: BinaryIO, timeout: float | None) -> int:
        """Start it, write what it prints to *log*, and return its exit status.

        Raises SandboxError where it runs longer than *timeout* seconds, or does not start.
        """
        clock = _Clock(timeout, log)
        query = {"stream": "1", "stdout": "1", "stderr": "1"}
        with self._daemon.listening(f"{self._path}/attach", query) as output:
            try:
                self._daemon.ask("POST", f"{self._path}/start")
            except InvalidUsage as error:
                return self._not_started(error, log)
            for piece in _output(output, clock):
                log.write(piece)
        return self._status(clock)

    def _not_started(self, error: InvalidUsage, log: BinaryIO) -> int:
        """Tell a program that cannot be run from a container that cannot be made."""
        status = int(self._state()["ExitCode"])
        if status not in _NOT_STARTED:
            raise error
        log.write(f"{error}\n".encode())
        return status

    def _status(self, clock: _Clock) -> int:
        """Return its exit status: it is about to end, where it did not close its output."""
        wait = _FIRST_WAIT
        while (state := self._state())["Running"]:
            time.sleep(min(wait, clock.left()))
            wait *= 2
        return int(state["ExitCode"])

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._daemon.ask("GET", f"{self._path}/json")["State"]
        return state

    def changes(self) -> list[dict[str, Any]]:
        """Return which paths are not as in its image."""
        return self._daemon.ask("GET", f"{self._path}/changes") or []

    def exported(self) -> AbstractContextManager[BinaryIO]:
        """Give its file system, without what is mounted in it, as a tar."""
        return self._daemon.reading(f"{self._path}/export")

    def archive(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Give what is at *path*, mounts included, as a tar; it begins with the last name."""
        return self._daemon.reading(f"{self._path}/archive", {"path": path})

    def remove(self) -> None:
        """End what runs in it, and take it away."""
        remove(self._daemon, "containers", self._name)


class _Clock:
    """The time that a step may take; it is over, too, when nobody hears the step any more."""

    def __init__(self, timeout: float | None, log: BinaryIO) -> None:
        self._timeout, self._log = timeout, log
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float:
        """Return for how many seconds to wait until this is asked again. Raises SandboxError."""
        if self._log.closed:
            raise SandboxError("it was ended: nobody waits for it any more")
        if self._deadline is None:
            return _LOOK
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SandboxError(f"it ran longer than {self._timeout:g} s")
        return min(left, _LOOK)


def _output(heard: Listening, clock: _Clock) -> Iterator[bytes]:
    """Yield what the command prints, on both of its streams (Docker's API, ContainerAttach)."""
    while head := _exactly(heard, _HEAD, clock):
        left = int.from_bytes(head[4:], "big")
        while left:
            piece = _take(heard, min(left, _PIECE), clock)
            if not piece:
                raise InvalidResponse("the daemon", "the output ends too early")
            left -= len(piece)
            yield piece


def _exactly(heard: Listening, size: int, clock: _Clock) -> bytes:
    """Return *size* bytes, or none at the end. Raises InvalidResponse."""
    found = b""
    while len(found) < size:
        piece = _take(heard, size - len(found), clock)
        if not piece:
            if found:
                raise InvalidResponse("the daemon", "the output ends too early")
            break
        found += piece
    return found


def _take(heard: Listening, size: int, clock: _Clock) -> bytes:
    while (piece := heard.take(size, clock.left())) is None:
        pass  # the clock says when it is too long
    return piece
