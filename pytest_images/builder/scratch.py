"""What builds have on the disk while they run, and what killed ones left there."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pytest_images.content import locks
from pytest_images.content.store import LOCK_TIMEOUT
from pytest_images.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.content.store import Store

_KEPT = "sandbox-"  # what the sandbox of this machine was found to be


@contextmanager
def at_work(store: Store) -> Iterator[None]:
    """Keep what lies in the folder of steps for a block; the first build at work clears it.

    All that are at work share one lock, which goes with the process that holds it.
    """
    steps = store.workspace("steps")
    lock = steps.with_suffix(".lock")
    alone = locks.take(lock)
    if alone is not None:
        with alone:
            _clear(steps)
    with locks.acquire(lock, LOCK_TIMEOUT, shared=True):
        yield


def _clear(steps: Path) -> None:
    for path in list(steps.iterdir()):
        if path.name.startswith(_KEPT):
            continue
        # Where a command still dies with its build, the rest goes with the build after this one.
        with suppress(OSError, SandboxError):
            if path.is_dir():
                from pytest_images.sandbox.removal import remove

                remove(path)
            else:
                path.unlink()
