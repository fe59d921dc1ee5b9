"""The command line: `pytest-images VERB`, which behaves as `docker image VERB`.

Nothing but the command asked for is imported: `ls` of a full store takes less than 80 ms.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

COLLECT_AFTER = 100_000  # objects made; the default of 700 costs a tenth of listing 10,000 images


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv*, by default this process's; return the exit status.

    0: done. 1: refused, with the reason on standard error. 125: an option that cannot be
    read. 130: interrupted. 141: nobody reads the output any more. 143: terminated.
    """
    from pytest_images.cli.dispatch import dispatch, wants_debug
    from pytest_images.cli.ending import ending

    words = sys.argv[1:] if argv is None else list(argv)
    return ending(dispatch, words, debug=wants_debug(words))


def command() -> NoReturn:
    """Be the command `pytest-images`: run it, and end this process with its exit status.

    The process ends at once: all is closed and written out by then, and taking the
    interpreter apart would cost 10 ms, or wait for a thread that an interrupt left behind.
    """
    import gc

    gc.set_threshold(COLLECT_AFTER)
    if isinstance(sys.stdout, io.TextIOWrapper):  # what a terminal's encoding lacks is escaped
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = main()
    except KeyboardInterrupt:  # before anything was begun
        status = 130
    from pytest_images.cli.ending import end_process

    end_process(status)
