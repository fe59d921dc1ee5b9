"""`lock`: write down what names stand for, or hold it against what registries say now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_images.cli.options import Command, Option

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings
    from pytest_images.model.reference import Reference
    from pytest_images.policies.lock_file import LockFile

COMMAND = Command(
    "lock",
    "[NAME[:TAG]...]",
    (
        Option("check", "Change nothing; fail where a registry says something else"),
        Option("file", 'The lock file (default "images.lock")', kind="string"),
    ),
)


def run(parsed: Parsed, settings: Settings) -> int:
    """Ask the registries for the names, or for all in the file."""
    from pytest_images.arguments import reference_of
    from pytest_images.policies.lock_file import NAME, LockFile

    file = LockFile(Path(parsed.text("file") or NAME))
    names = [reference_of(each) for each in parsed.arguments] or sorted(file.read())
    for name in names:
        _require_lockable(name)
    if not names:
        _refuse_nothing(file)
    return _check(file, names, settings) if parsed.flag("check") else _lock(file, names, settings)


def _require_lockable(name: Reference) -> None:
    """Raise InvalidUsage for a name that no lock is for."""
    from pytest_images.errors import InvalidUsage
    from pytest_images.policies.lock import is_exempt

    if is_exempt(name):
        reason = "a digest, or a registry of this machine, needs no lock"
        raise InvalidUsage(name.familiar, reason)


def _refuse_nothing(file: LockFile) -> NoReturn:
    """Raise InvalidUsage: neither the command nor the file names an image."""
    from pytest_images.errors import InvalidUsage

    error = InvalidUsage(str(file), "there is no name in it")
    error.add_note("Say which to write down: pytest-images lock NAME[:TAG]...")
    raise error


def _lock(file: LockFile, names: list[Reference], settings: Settings) -> int:
    from pytest_images.policies.lock import Lock

    lock = Lock(file, "update")
    with settings.door(lock) as images:
        for name in names:
            images.resolve(name)
            change = lock.changes.get(name.familiar)
            if change is not None:
                print(f"{name.familiar}: {change}")
    return 0


def _check(file: LockFile, names: list[Reference], settings: Settings) -> int:
    from pytest_images.errors import NotLocked, TagMoved
    from pytest_images.policies.lock import Lock

    status = 0
    with settings.door(Lock(file, "verify")) as images:
        for name in names:
            try:
                images.resolve(name)
            except (NotLocked, TagMoved) as error:
                print("\n".join([str(error), *error.__notes__]))
                status = 1
    return status
