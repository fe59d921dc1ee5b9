"""Ctrl-C while images are prepared."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tox.tox_env.api import ToxEnv


@contextmanager
def interruptible(tox_env: ToxEnv) -> Iterator[threading.Event]:
    """Give what is set when tox is interrupted: tox tells each environment, and it its commands."""
    stopped = threading.Event()
    interrupt = tox_env.interrupt

    def stop() -> None:
        stopped.set()
        interrupt()

    vars(tox_env)["interrupt"] = stop  # over the method, of this environment, for a while
    try:
        yield stopped
    finally:
        del vars(tox_env)["interrupt"]
