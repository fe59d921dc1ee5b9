"""How a command ends: exit status, errors on standard error, signals without a traceback."""

from __future__ import annotations

import atexit
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from pytest_images.cli.interrupts import Terminated
from pytest_images.cli.options import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FAILED = 1
INTERRUPTED, BROKEN_PIPE, TERMINATED = 128 + 2, 128 + 13, 128 + 15  # as shells count signals
FAULT_NOTE = "This is a fault in pytest-images or a plugin; `pytest-images --debug …` shows where."


def ending(command: Callable[[Sequence[str]], int], words: Sequence[str], *, debug: bool) -> int:
    """Run *command* on *words*; return its exit status, or the one for how it failed."""
    try:
        status = command(words)
        flush()
    except UsageError as error:
        return _say_usage(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated:
        return TERMINATED
    except BrokenPipeError:
        _abandon_output()
        return BROKEN_PIPE
    except Exception as error:  # the last resort of a process: nothing ends in a bare traceback
        return _fail(error, debug=debug)
    return status


def flush() -> None:
    """Write out what was printed, so that a full disk or a reader gone is seen here."""
    if sys.stdout is not None:
        sys.stdout.flush()


def say_error(error: BaseException) -> None:
    """Print *error* and its notes, which say what to do next, on standard error."""
    lines = [f"Error: {told(error)}", *getattr(error, "__notes__", ())]
    complain("\n".join(lines))


def complain(text: str) -> None:
    """Print *text* on standard error, where there is one: None would mean standard output."""
    if sys.stderr is not None:
        print(text, file=sys.stderr)


def told(error: BaseException) -> str:
    """Return what *error* says, an operating system's as Docker puts it: name, then reason."""
    from pytest_images.errors import ImagesError, shown

    if isinstance(error, ImagesError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        subject = f"{shown(error.filename)}: " if error.filename is not None else ""
        return subject + error.strerror[:1].lower() + error.strerror[1:]
    return f"{type(error).__name__}: {shown(error)}"


def _fail(error: Exception, *, debug: bool) -> int:
    from pytest_images.errors import ImagesError

    try:
        flush()
    except OSError:
        _abandon_output()
    if debug:
        import traceback

        traceback.print_exception(error)
        return FAILED
    if not isinstance(error, ImagesError | OSError):
        error.add_note(FAULT_NOTE)
    say_error(error)
    return FAILED


def _say_usage(error: UsageError) -> int:
    from pytest_images.cli.help import usage_error

    complain(usage_error(error).rstrip("\n"))
    return error.code


def _abandon_output() -> None:
    """Let what is still buffered go nowhere, or the interpreter complains when it ends."""
    with suppress(OSError, io.UnsupportedOperation, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def end_process(status: int) -> NoReturn:
    """End this process with *status* now; what is registered to run at exit still runs."""
    try:
        atexit._run_exitfuncs()  # noqa: SLF001, RUF100 - the one way to end early and yet run them
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, full or not there
                stream.flush()
        os._exit(status)
