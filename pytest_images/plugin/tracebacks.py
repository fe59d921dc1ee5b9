"""Errors of ours as users read them: their own lines, what failed, what to do next."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import os
import types
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

from pytest_images.errors import ImagesError
from pytest_images.plugin.factory import MADE

if TYPE_CHECKING:
    from collections.abc import Iterator

# Ours, pluggy's, and what both go through of the standard library.
_HIDDEN = (
    os.path.dirname(os.path.dirname(__file__)) + os.sep,  # noqa: PTH120 - compared as text
    os.path.dirname(pluggy.__file__) + os.sep,  # noqa: PTH120 - compared as text
    contextlib.__file__,
    functools.__file__,
    os.path.dirname(concurrent.futures.__file__) + os.sep,  # noqa: PTH120 - compared as text
)
_STANDARD = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - compared as text


def shorten(call: pytest.CallInfo[None]) -> str | None:
    """Leave only the user's own lines in the traceback of an error of ours.

    Where no line is the user's (a marker, a factory), return the text to show instead.
    """
    if call.excinfo is None or not isinstance(call.excinfo.value, ImagesError):
        return None
    error = call.excinfo.value
    frames = [tb for tb in _entries(error.__traceback__) if not _is_hidden(tb)]
    error.__cause__, error.__suppress_context__ = None, True  # the error itself says why
    while frames and os.sep + "_pytest" + os.sep in frames[-1].tb_frame.f_code.co_filename:
        frames.pop()  # on its way to us
    if not frames:
        return _text(error)
    chain: types.TracebackType | None = None
    for tb in reversed(frames):
        chain = types.TracebackType(chain, tb.tb_frame, tb.tb_lasti, tb.tb_lineno)
    call.excinfo = pytest.ExceptionInfo.from_exception(error.with_traceback(chain))
    return None


def interrupted(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Leave the lines that are not ours: an interrupt is then said to be where the user was.

    Nor what we were waiting in, of the standard library. One that came between two lines has
    none, which pytest does not expect.
    """
    entries = list(_entries(excinfo.tb))
    ours = max((at for at, entry in enumerate(entries) if _is_hidden(entry)), default=len(entries))
    below = entries[ours + 1 :]
    waiting = below if all(map(_is_standard, below)) else []
    excinfo.traceback = excinfo.traceback.filter(
        lambda entry: (
            _has_line(entry._rawentry)
            and not _is_hidden(entry._rawentry)
            and entry._rawentry not in waiting
        )
    )


def _has_line(entry: Any) -> bool:
    return entry.tb_lineno is not None


def _entries(traceback: types.TracebackType | None) -> Iterator[types.TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_hidden(entry: types.TracebackType) -> bool:
    code = entry.tb_frame.f_code
    # By its module too: what dataclasses write for us has no file.
    is_ours = str(entry.tb_frame.f_globals.get("__name__")).startswith("pytest_images.")
    return is_ours or code.co_name == MADE or code.co_filename.startswith(_HIDDEN)


def _is_standard(entry: types.TracebackType) -> bool:
    name = entry.tb_frame.f_code.co_filename
    return name.startswith(_STANDARD) and "-packages" + os.sep not in name


def _text(error: ImagesError) -> str:
    lines = f"{type(error).__name__}: {error}".splitlines()
    notes: list[str] = getattr(error, "__notes__", [])
    excerpt: str = getattr(error, "excerpt", "")
    return "\n".join((*lines, *excerpt.splitlines(), *notes))
