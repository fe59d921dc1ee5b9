"""The lock file: what each name stands for, one line a name, in TOML.

Written so that people can read its differences: sorted by name, one line for each, and a line
changes only when its digest does. Processes that write at once lose nothing: each reads the
file again while it holds the lock, and the file is replaced whole.
"""

from __future__ import annotations

import datetime
import fcntl
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pytest_images.dataclass import dataclass, replace
from pytest_images.errors import ImagesError, InvalidConfiguration, LockTimeout
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "images.lock"
VERSION = 1
HEAD = f"""\
# What the names of images stood for, kept by pytest-images: commit this file.
# `pytest --images-lock=update` asks the registries again.
version = {VERSION}

[images]
"""
SIZE_LIMIT = 16 << 20  # bytes
WAIT = 30.0  # seconds that others may take to write
_GLANCE = 0.01  # seconds between two tries
_FIELDS = {"digest": str, "registry": str, "size": int, "date": datetime.date}


@dataclass(frozen=True, slots=True)
class Pin:
    """What *reference* stood for on *date*: the digest of its index, where it has one.

    *size*: bytes to fetch, compressed, for the platform that was pulled first; None: not known.
    """

    reference: Reference
    digest: Digest
    date: datetime.date
    size: int | None = None

    def __str__(self) -> str:
        size = "" if self.size is None else f", size = {self.size}"
        name, registry = self.reference.familiar, self.reference.registry
        return (
            f'"{name}" = {{ digest = "{self.digest}", registry = "{registry}", '
            f"date = {self.date.isoformat()}{size} }}"
        )


class LockFile:
    """The file at *path*; it need not exist."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def read(self) -> dict[Reference, Pin]:
        """Return the pins by their names; none where there is no file.

        Raises InvalidConfiguration naming the file, and the line where that is known.
        """
        import tomllib

        try:
            with self.path.open("rb") as file:
                raw = file.read(SIZE_LIMIT + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._invalid(error.strerror or str(error)) from None
        if len(raw) > SIZE_LIMIT:
            raise self._invalid(f"it is larger than {SIZE_LIMIT} bytes")
        try:
            document = tomllib.loads(raw.decode())
        except ValueError as error:  # of UTF-8 and of TOML
            reason = str(error)
            if b"<<<<<<<" in raw:
                reason = "a merge conflict is in it; the lines of both sides may stay"
            raise self._invalid(reason) from None
        return self._pins(document)

    def record(self, pin: Pin) -> Pin | None:
        """Write *pin* into the file, and return what stood there before.

        A digest that has not changed keeps its date, and its size where there is one.
        Raises InvalidConfiguration, LockTimeout.
        """
        with self._alone():
            pins = self.read()
            before = pins.get(pin.reference)
            if before is not None and before.digest == pin.digest:
                pin = replace(before, size=pin.size if before.size is None else before.size)
            if pin != before:
                pins[pin.reference] = pin
                self._write(pins)
        return before

    def _pins(self, document: dict[str, Any]) -> dict[Reference, Pin]:
        version = document.get("version")
        if version != VERSION:
            raise self._invalid(f"its version is {version}, known here is {VERSION}")
        images = document.get("images", {})
        if not isinstance(images, dict):
            raise self._invalid("images is not a table")
        pins = [self._pin(name, fields) for name, fields in images.items()]
        return {pin.reference: pin for pin in pins}

    def _pin(self, name: str, fields: object) -> Pin:
        if not isinstance(fields, dict):
            raise self._invalid(f'"{name}" is not a table')
        for key, kind in _FIELDS.items():
            if type(fields.get(key)) is not kind and (key != "size" or key in fields):
                raise self._invalid(f'"{name}": {key} is missing or not of its type')
        try:
            reference, digest = Reference.parse(name), Digest.parse(fields["digest"])
        except ImagesError as error:
            raise self._invalid(str(error)) from None
        if reference.registry != fields["registry"] or reference.is_pinned:
            raise self._invalid(f'"{name}" is not a name of {fields["registry"]} without a digest')
        return Pin(reference, digest, fields["date"], fields.get("size"))

    def _write(self, pins: dict[Reference, Pin]) -> None:
        """Replace the file, whole; where it is a link, what that leads to."""
        text = HEAD + "".join(f"{pins[reference]}\n" for reference in sorted(pins))
        target = self.path.resolve()
        fresh = target.with_name(f"{target.name}.{os.getpid()}.new")
        try:
            with fresh.open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                fresh.chmod(target.stat().st_mode & 0o777)
            fresh.replace(target)
        except OSError as error:
            raise self._invalid(f"it cannot be written: {error.strerror or error}") from None
        finally:
            fresh.unlink(missing_ok=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other writers out, by a lock on the folder: it leaves no file beside ours."""
        folder = self.path.resolve().parent
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise self._invalid(error.strerror or str(error)) from None
        try:
            deadline = time.monotonic() + WAIT
            while not _locked(descriptor):
                if time.monotonic() > deadline:
                    raise LockTimeout(str(folder), f"not free within {WAIT:g} s")
                time.sleep(_GLANCE)
            yield
        finally:
            os.close(descriptor)  # which releases the lock

    def _invalid(self, reason: str) -> InvalidConfiguration:
        error = InvalidConfiguration(str(self.path), reason)
        error.add_note("repair it, or delete it and run pytest --images-lock=update")
        return error


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
