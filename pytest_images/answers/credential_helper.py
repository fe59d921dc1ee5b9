"""Docker's credential helpers: programs named ``docker-credential-NAME``.

They are run with ``get``, ``store`` or ``erase``, and told about it on standard input.

A helper is somebody else's program with our secrets in its mouth: it gets ten seconds, a
process group of its own that is killed whole, a bounded answer, and nothing it says is shown
but the text of an error.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from pytest_images.errors import CredentialHelperError, ImagesError
from pytest_images.http.address import split_host
from pytest_images.model.documents import load_object
from pytest_images.model.endpoint import Credentials
from pytest_images.model.secret import Secret
from pytest_images.regex import regex
from pytest_images.registry.hub import HUB_CONFIG_KEY, HUB_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 10.0
OUTPUT_LIMIT = 64 << 10  # bytes
_NAME = regex(r"[a-z0-9-]{1,64}")
_NOT_FOUND = b"credentials not found"
_TOKEN_USER = "<token>"  # noqa: S105 - the name by which helpers mark an identity token


def is_installed(name: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether the program of helper *name* is on the path."""
    return _NAME.fullmatch(name) is not None and _program(name, environment) is not None


def ask_helper(
    name: str,
    registry: str,
    environment: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> Credentials | None:
    """Return what helper *name* knows of *registry*, None for nothing.

    Raises CredentialHelperError: the name is not one, there is no such program, it does not
    answer in time, or not as a helper does. Raises InvalidAddress before anything is run.
    """
    output = _told(
        name, "get", registry, _server(registry), environment=environment, seconds=seconds
    )
    return None if output is None else _read(name, registry, output)


def tell_helper(
    name: str,
    registry: str,
    credentials: Credentials,
    environment: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> None:
    """Have helper *name* store *credentials* for *registry*. Raises as `ask_helper`."""
    import json

    document = {
        "ServerURL": _server(registry),
        "Username": credentials.username,
        "Secret": credentials.password.reveal(),
    }
    if (
        _told(
            name, "store", registry, json.dumps(document), environment=environment, seconds=seconds
        )
        is None
    ):
        raise _failed(name, registry, "it does not store them")


def make_helper_forget(
    name: str,
    registry: str,
    environment: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> None:
    """Have helper *name* erase what it knows of *registry*. Raises as `ask_helper`."""
    _told(name, "erase", registry, _server(registry), environment=environment, seconds=seconds)


def _server(registry: str) -> str:
    """Return what helpers call *registry*. Raises InvalidAddress."""
    if registry in HUB_NAMES:
        return HUB_CONFIG_KEY
    split_host(registry)
    return registry


def _told(
    name: str,
    action: str,
    registry: str,
    said: str,
    *,
    environment: Mapping[str, str] | None,
    seconds: float,
) -> bytes | None:
    """Run helper *name* for *action*, with *said* as input; None: it knows nothing of it."""
    if not _NAME.fullmatch(name):
        raise CredentialHelperError(name, registry, "the name may have a-z, 0-9 and - only")
    program = _program(name, environment)
    if program is None:
        raise _failed(name, registry, "there is no such program on the PATH")
    status, output = _run([program, action], said, environment, time.monotonic() + seconds)
    if len(output) > OUTPUT_LIMIT:
        raise _failed(name, registry, f"it says more than {OUTPUT_LIMIT} bytes")
    if status is None:
        raise _failed(name, registry, f"no answer in {seconds:g} s")
    if status == 0:
        return output
    if _NOT_FOUND in output[:500]:
        return None
    reason = output[:200].decode("utf-8", "replace").strip() or f"exit status {status}"
    raise _failed(name, registry, reason)


def _program(name: str, environment: Mapping[str, str] | None) -> str | None:
    path = (os.environ if environment is None else environment).get("PATH")
    return shutil.which(f"docker-credential-{name}", path=path)


def _failed(name: str, registry: str, reason: str) -> CredentialHelperError:
    error = CredentialHelperError(name, registry, reason)
    error.add_note("see credsStore and credHelpers in Docker's config.json")
    return error


def _run(
    words: list[str], said: str, environment: Mapping[str, str] | None, deadline: float
) -> tuple[int | None, bytes]:
    """Run *words*; return its exit status (None: too slow) and at most a limit's output."""
    with subprocess.Popen(  # noqa: S603 - found on PATH by a name that was checked
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=None if environment is None else dict(environment),
    ) as process:
        output = b""
        try:
            output = _converse(process, said.encode(), deadline)
            left = 0.0 if len(output) > OUTPUT_LIMIT else deadline - time.monotonic()
            return process.wait(max(left, 0.01)), output
        except subprocess.TimeoutExpired:
            return None, output
        finally:
            _kill(process)


def _converse(process: subprocess.Popen[bytes], question: bytes, deadline: float) -> bytes:
    """Ask, and read until it ends, says too much, or the time is up.

    The end is the process's own: a daemon it left behind may hold the pipe for ever.
    """
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - PIPE above
    try:
        process.stdin.write(question)
        process.stdin.close()
    except BrokenPipeError:
        process.stdin = None  # it does not listen; what it says still counts
    output = b""
    descriptor = process.stdout.fileno()
    while len(output) <= OUTPUT_LIMIT and time.monotonic() < deadline:
        has_ended = process.poll() is not None
        if select.select([descriptor], [], [], 0 if has_ended else 0.02)[0]:
            piece = os.read(descriptor, OUTPUT_LIMIT)
            if not piece:
                break
            output += piece
        elif has_ended:
            break
    return output


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the helper's whole process group, also what it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nothing of the group is left (macOS says "not permitted" of zombies)


def _read(name: str, registry: str, output: bytes) -> Credentials | None:
    """Read the helper's JSON; what is raised repeats nothing of it."""
    try:
        document = load_object(output, f"docker-credential-{name}")
    except ImagesError:
        document = {}
    user, secret = document.get("Username"), document.get("Secret")
    usable = isinstance(user, str) and isinstance(secret, str)
    found = _credentials(str(user), str(secret)) if usable else None
    del document, user, secret, output
    if not usable:
        raise _failed(name, registry, "its answer is not a helper's")
    return found


def _credentials(user: str, secret: str) -> Credentials | None:
    if not secret:
        return None
    if user == _TOKEN_USER:
        return Credentials(identity_token=Secret(secret))
    return Credentials(user, Secret(secret))
