"""Do a piece of our own work as the root of a user namespace, where files may have any owner."""

from __future__ import annotations

import importlib
import json
import os
import socket
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_images.errors import SandboxError
from pytest_images.sandbox import ids
from pytest_images.sandbox.starting import map_users, start

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Work = Callable[[Mapping[str, Any]], None]


@cache
def usable() -> ids.Ids:
    """Return `ids.available`, or this user alone where what is lent to it is of no use.

    Machines have the helpers and forbid what they are for. Tried once in a process.
    """
    who = ids.available()
    if not who.by_helper:
        return who
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "given")
        path.touch()
        try:
            _elsewhere(give_away, {"path": str(path)}, who)
        except (SandboxError, OSError):
            return ids.alone()
    return who


def give_away(argument: Mapping[str, Any]) -> None:
    """Give the file ``path`` to another user: only who has more than one can. Raises OSError."""
    os.chown(argument["path"], 1, 1)


def as_root(work: Work, argument: Mapping[str, Any]) -> None:
    """Call *work*, a function of a module, with *argument*, which must go through JSON.

    In this process where it is root or has one ID only; else in another one that is root of
    a user namespace with the IDs lent to this user. Raises what *work* raises, from another
    process as SandboxError with its text.
    """
    who = usable()
    if who.by_helper:
        _elsewhere(work, argument, who)
    else:
        work(argument)


def _elsewhere(work: Work, argument: Mapping[str, Any], who: ids.Ids) -> None:
    """Call *work* in another process, as the root of a user namespace with the users of *who*."""
    order = {"module": work.__module__, "name": work.__qualname__, "argument": dict(argument)}
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as trouble:
        with start(__name__, theirs, trouble.fileno(), needs_libraries=True) as process:
            theirs.close()
            try:
                map_users(process, ours, who)
                ours.sendall(json.dumps(order).encode() + b"\n")
                with ours.makefile("rb") as said:
                    answer = said.readline()
            finally:
                ours.close()
                process.kill()
        if not answer:
            trouble.seek(0)
            raise SandboxError(trouble.read()[-500:].decode(errors="replace") or "it was killed")
    if problem := json.loads(answer):
        raise SandboxError(problem)


def main() -> NoReturn:
    """Be the other process: enter a user namespace, do what standard input says, tell."""
    from pytest_images.sandbox.child import enter_user_namespace

    control = socket.socket(fileno=os.dup(0))
    enter_user_namespace(control.fileno())
    with control.makefile("rb") as orders:
        order = json.loads(orders.readline())
    work = getattr(importlib.import_module(order["module"]), order["name"])
    try:
        work(order["argument"])
        problem = ""
    except Exception as error:  # noqa: BLE001, RUF100 - told to who asked, whatever it is
        problem = f"{type(error).__name__}: {error}"
    control.sendall(json.dumps(problem).encode() + b"\n")
    os._exit(0)
