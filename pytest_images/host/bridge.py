"""The one bridge between two engines: what one saves, the other loads, through a pipe."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

T = TypeVar("T")
_PIPE = 1 << 20  # bytes under way, where the system allows it


def bridged(save: Callable[[BinaryIO], object], load: Callable[[BinaryIO], T]) -> T:
    """Run *save* in a thread, and give what it writes to *load*; return what that returns.

    Raises what *save* raises, else what *load* raises: without the one's failure the other's
    is only that its archive ends early. Nothing is kept on the disk on the way.
    """
    reader, writer = os.pipe()
    _widen(writer)

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as stream:
            save(stream)

    with ThreadPoolExecutor(1, "images-copy") as pool:
        with os.fdopen(reader, "rb") as stream:
            saving = pool.submit(write)
            try:
                loaded = load(stream)
            except Exception:
                stream.close()  # or the other end would wait for a reader
                _raise(saving.exception())
                raise
        _raise(saving.exception())
    return loaded


def _raise(failure: BaseException | None) -> None:
    """Raise what went wrong in *save*, unless that is that nobody reads any more."""
    if failure is not None and not isinstance(failure, BrokenPipeError):
        raise failure


def _widen(pipe: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)
