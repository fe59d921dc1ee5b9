"""What happens inside a running verb, for bars, logs and reports."""

from __future__ import annotations

import enum

from pytest_images.dataclass import dataclass


class Phase(enum.StrEnum):
    """Where a part of a verb is."""

    STARTED = "started"
    WAITING = "waiting"
    MOVING = "moving"
    DONE = "done"
    EXISTS = "exists"
    MOUNTED = "mounted"
    RETRYING = "retrying"
    FAILED = "failed"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Progress:
    """One event: *verb* (``pull``), *subject* (the reference), *item* (a digest or text).

    ``done`` and ``total`` are bytes, -1 where unknown. ``text`` is for people. ``kind`` is
    what the item is: ``layer``, ``config`` or ``manifest``; "" where it is not said.
    """

    verb: str
    subject: str
    item: str = ""
    phase: Phase = Phase.NOTE
    done: int = -1
    total: int = -1
    text: str = ""
    kind: str = ""
