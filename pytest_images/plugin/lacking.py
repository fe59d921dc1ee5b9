"""Tests that need what this machine lacks: skipped here, failed where it is required."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import InvalidUsage, Unreachable, Unsupported

if TYPE_CHECKING:
    from pytest_images.errors import ImagesError


def lacking(error: ImagesError, engine: str) -> str | None:
    """Return what *error* says is lacking, with what was tried; None: it is another error.

    Lacking is what no plugin does or this machine cannot, an engine that is not installed, and
    a daemon that does not answer.
    """
    is_lacking = isinstance(error, Unsupported)
    if engine != "embedded":
        is_lacking |= isinstance(error, InvalidUsage) and error.args[0] == engine
        is_lacking |= isinstance(error, Unreachable) and error.name.lower().startswith(engine)
    if not is_lacking:
        return None
    notes: list[str] = getattr(error, "__notes__", [])
    return "; ".join((f"images: {error}", *notes))


def skip(call: pytest.CallInfo[None], error: ImagesError, engine: str) -> bool:
    """Turn a failure for want of something into a skip that says of what; say whether it is one."""
    reason = lacking(error, engine)
    if reason is not None:
        skipped = pytest.skip.Exception(reason, _use_item_location=True)
        call.excinfo = pytest.ExceptionInfo.from_exception(
            skipped.with_traceback(error.__traceback__)
        )
    return reason is not None


def required(error: ImagesError, engine: str) -> None:
    """Say in the error why this is no skip."""
    note = "not skipped, for images_require is on (as it is where CI is set)"
    if lacking(error, engine) is not None and note not in getattr(error, "__notes__", ()):
        error.add_note(note)
