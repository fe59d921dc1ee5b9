"""Where a build differs from its judge's on purpose: what makes the two equal.

Each has a row in docs/differences.md. A case names those it meets; one that is not there any
more fails it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Lines = list[str]

# One of the two refuses what the other one builds.
REFUSED_BY = {
    "above-context": "judge",
    "empty-wildcard": "judge",
    "other-kind": "ours",
}


def _setuid_kept(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    return theirs, [re.sub(r" file [2467](\d\d\d) ", r" file 0\1 ", line) for line in ours]


def _chown_archive(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    def unowned(lines: Lines) -> Lines:
        return [re.sub(r" \d+:\d+", "", line, count=1) for line in lines]

    return unowned(theirs), unowned(ours)


def _deep_exceptions(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Leave out what Docker's client did not look for, in folders that are left out."""
    return theirs, [line for line in ours if not re.match(r"/x/(dir|other)[/ ]", line)]


def _left_out_modes(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    """Give a folder that is only there for what is in it the mode that Docker's client gives."""
    return theirs, [
        line.replace("/x/dir/sub directory 0750", "/x/dir/sub directory 0755") for line in ours
    ]


def _mount_points(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    left = ("/etc/resolv.conf ", "/run/secrets ")
    return [line for line in theirs if not line.startswith(left)], ours


def _workdir_owner(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    def of_root(line: str) -> str:
        changed = re.sub(r"( directory \d+) 1000:1001$", r"\1 0:0", line)
        return changed if changed in theirs else line

    return theirs, [of_root(line) for line in ours]


def _clean_workdir(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    def cleaned(line: str) -> str:
        is_it = line.startswith("WorkingDir")
        return re.sub(r'/+"$', '"', re.sub("//+", "/", line)) if is_it else line

    return [cleaned(line) for line in theirs], ours


def _environment(ours: str, theirs: str) -> Callable[[Lines, Lines], tuple[Lines, Lines]]:
    """Return what makes the last variable of the environment Docker's."""

    def change(judge: Lines, here: Lines) -> tuple[Lines, Lines]:
        def line(text: str) -> str:
            if not text.startswith("Env "):
                return text
            *others, last = json.loads(text.removeprefix("Env "))
            return f"Env {json.dumps([*others, theirs if last == ours else last])}"

        return judge, [line(text) for text in here]

    return change


def _inherited_args(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    ours = _environment("Y=1", "Y=none")(theirs, ours)[1]
    return _environment("Y=outside", "Y=none")(theirs, ours)


def _no_new_rights(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    return theirs, [line.replace("NoNewPrivs:\\t1", "NoNewPrivs:\\t0") for line in ours]


def _healthcheck_replaced(theirs: Lines, ours: Lines) -> tuple[Lines, Lines]:
    return [line.replace('"Interval": 5000000000, ', "") for line in theirs], ours


RULES: dict[str, Callable[[Lines, Lines], tuple[Lines, Lines]]] = {
    "setuid-kept": _setuid_kept,
    "chown-archive": _chown_archive,
    "deep-exceptions": _deep_exceptions,
    "left-out-modes": _left_out_modes,
    "mount-points": _mount_points,
    "no-new-rights": _no_new_rights,
    "workdir-owner": _workdir_owner,
    "clean-workdir": _clean_workdir,
    "inherited-args": _inherited_args,
    "arg-after-env": _environment("Y=given", "Y=2"),
    "healthcheck-replaced": _healthcheck_replaced,
}
