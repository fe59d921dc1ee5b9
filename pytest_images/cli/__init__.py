"""The command line: `pytest-images VERB`, which behaves as `docker image VERB`.

Nothing but the command asked for is imported: `ls` of a full store takes less than 80 ms.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv*, by default this process's; return the exit status.

    0: done. 1: refused, with the reason on standard error. 125: an option that cannot be
    read. 130: interrupted. 141: nobody reads the output any more. 143: terminated.
    """
    try:
        from pytest_images.cli.dispatch import dispatch, wants_debug
        from pytest_images.cli.ending import INTERRUPTED, ending
    except KeyboardInterrupt:
        return 130
    words = sys.argv[1:] if argv is None else list(argv)
    status = ending(dispatch, words, debug=wants_debug(words))
    if argv is None and status == INTERRUPTED:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second one ends a slow end at once
    return status
