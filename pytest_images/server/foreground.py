"""A registry in the foreground, until it is interrupted: what ``registry serve`` does."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

from pytest_images.server.registry import Recorded, Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_STOPS = (signal.SIGINT, signal.SIGTERM)


def serve(
    host: str,
    port: int,
    root: Path | None,
    echo: Callable[[str], None],
    *,
    access_log: bool = False,
) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status, 0.

    With *root* the content stays for the next time; without, it goes. *echo* prints a line: the
    address first, then, with *access_log*, one for each request. Must be called in the main
    thread. Raises InvalidAddress, StoreError, Conflict.
    """
    stopped = threading.Event()
    registry = Registry(root, host, port)
    if access_log:
        registry.on_request = lambda request: echo(line(request))
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in _STOPS}
    try:
        with registry:
            echo(f"Serving a registry at {registry.url}")
            stopped.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def line(request: Recorded) -> str:
    """Return the access line of a request."""
    return f"{request.method or '-'} {request.path or '-'} {request.status}"
