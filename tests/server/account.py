"""What a registry keeps, counted from outside, and ways to make trouble at once."""

from __future__ import annotations

import contextlib
import resource
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_images.server.registry import Registry

HOST = "Host: localhost"


def row(name: str) -> pytest.MarkDecorator:
    """Say which row of the catalogue of faults a test is; it becomes the case's id."""
    return pytest.mark.parametrize("row", [name])


def files_of(registry: Registry) -> list[str]:
    """All files of a registry's folder that belong to content."""
    root = registry.shelf.repositories.parent
    kept = [path for path in root.rglob("*") if path.is_file()]
    return sorted(str(p) for p in kept if {"blobs", "repositories", "ingest"} & set(p.parts))


def ingests(registry: Registry) -> list[int]:
    """The bytes of each file that is being written."""
    folder = registry.shelf.store.root / "ingest"
    return [path.stat().st_size for path in folder.iterdir()]


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for what another thread does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)


@contextlib.contextmanager
def descriptors(count: int) -> Iterator[None]:
    """Let this process have *count* descriptors for the block."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def together(deed: Callable[[int], None], count: int) -> None:
    """Do *deed* *count* times at once, each with its number; a failure of one is the test's."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            deed(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
