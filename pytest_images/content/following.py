"""Hash a file while it grows: a thread behind its writer.

hashlib releases the interpreter's lock, so a second core hashes what the first receives. The
bytes are those that the writer still has, as long as they are few; the others come from the
page cache, whoever placed them there (write, splice, sendfile).
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING

from pytest_images.model.digest import Digest, hasher

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP = 1 << 20  # bytes read at a time
_STRETCH = 8 << 20  # bytes between two looks at whether to go on
_AHEAD = 8 << 20  # bytes that wait in memory at most: what is beyond is read again


class Follower:
    """The hash of a file's first bytes. Nothing is started before `advance` is called."""

    def __init__(self, descriptor: int, algorithm: str, size: int | None = None) -> None:
        """*size*: the bytes that will come, None where nobody knows."""
        self._descriptor, self._algorithm, self._size = descriptor, algorithm, size
        self._hash = hasher(algorithm, size)
        self._kept: deque[tuple[int, bytes]] = deque()  # where they begin, and the bytes
        self._ahead = 0  # bytes kept
        self._done = 0  # bytes hashed
        self._target = 0  # bytes placed
        self._hashed: Callable[[int], None] | None = None
        self._finished = False
        self._failure: OSError | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def update(self, data: bytes | memoryview, count: int) -> None:
        """Hash the next *count* bytes from memory: for content too small for a thread."""
        self._hash.update(data)
        self._done += count

    def advance(
        self, target: int, last: bytes = b"", hashed: Callable[[int], None] | None = None
    ) -> None:
        """Say that the file's first *target* bytes are placed; *last* are the last of them.

        *hashed* is told by the thread how many are hashed; an OSError of it is one of the file's.
        """
        with self._changed:
            self._target, self._hashed = target, hashed
            if last and self._ahead + len(last) <= _AHEAD:
                self._kept.append((target - len(last), last))
                self._ahead += len(last)
            self._changed.notify()
        if self._thread is None:
            self._finished = False
            self._thread = threading.Thread(target=self._follow, name="image-hash", daemon=True)
            self._thread.start()

    def digest(self, size: int) -> Digest:
        """Return the digest of the file's first *size* bytes, all of them hashed."""
        self._join()
        if self._failure is not None:
            raise self._failure
        self._catch_up(size)
        return Digest(self._algorithm, self._hash.hexdigest())

    def restart(self) -> None:
        """Forget everything hashed."""
        self.stop()
        self._hash, self._failure = hasher(self._algorithm, self._size), None
        self._done = self._target = 0

    def stop(self) -> None:
        """End the thread without waiting for the rest to be hashed."""
        with self._changed:
            self._target = 0
        self._join()
        self._kept.clear()
        self._ahead = 0

    def _join(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            with self._changed:
                self._finished = True
                self._changed.notify()
            thread.join()

    def _follow(self) -> None:
        try:
            while True:
                with self._changed:
                    while self._done >= self._target and not self._finished:
                        self._changed.wait()
                    target = self._target
                    if self._done >= target:
                        return
                    to, kept = self._next(min(target, self._done + _STRETCH))
                self._catch_up(to)
                if kept:
                    self._hash.update(kept)
                    self._done += len(kept)
                if self._hashed is not None:
                    self._hashed(self._done)
        except OSError as error:
            self._failure = error

    def _next(self, limit: int) -> tuple[int, bytes]:
        """Return up to where to read the file, at most *limit*, and the bytes kept from there."""
        if not self._kept or self._kept[0][0] > limit:
            return limit, b""
        begin, kept = self._kept.popleft()
        self._ahead -= len(kept)
        return begin, kept

    def _catch_up(self, target: int) -> None:
        if self._done >= target:
            return
        buffer = bytearray(min(_STEP, target - self._done))
        view = memoryview(buffer)
        while self._done < target:
            want = min(len(buffer), target - self._done)
            count = os.preadv(self._descriptor, [view[:want]], self._done)
            if count == 0:
                raise OSError(f"the file ends at {self._done}, before {target}")
            self._hash.update(view[:count])
            self._done += count
