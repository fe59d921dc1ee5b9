"""Where the two sides differ on purpose: what makes them equal, and the page that says why.

Each difference has a row in docs/differences.md. A case names those it meets; one that a
case names and does not meet fails it, and so does one that no case meets.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.differential.gist import kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.differential.sides import Outcome

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
_ROW = re.compile(r"^\| `([a-z-]+)` \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def explained(part: int = 0) -> dict[str, str]:
    """Return the reason of each difference, by its ID, as the page states it.

    *part* 0 is of the command line, 1 of what is built.
    """
    text = PAGE.read_text().split("\n## ")[part]
    return {match[1]: match[4] for match in _ROW.finditer(text)}


@dataclass(frozen=True, slots=True)
class Said:
    """What one side said in one step, made comparable."""

    status: int
    out: str
    errors: tuple[str, ...]

    @classmethod
    def of(cls, outcome: Outcome, out: str, errors: list[str]) -> Said:
        """Take an outcome with its normal output and the gists of its errors."""
        return cls(outcome.status, out, tuple(errors))

    def __str__(self) -> str:
        """All of it as text, to be compared line by line."""
        return "\n".join([self.out, *self.errors, f"exit status {self.status}"])


def _classic_fields(docker: Said, ours: Said) -> tuple[Said, Said]:
    """Leave out the fields that newer engines do not have, and the ones that only they have."""
    return _documents(docker, _old_fields), _documents(ours, _new_fields)


def _documents(said: Said, change: Callable[[dict[str, Any]], None]) -> Said:
    found = json.loads(said.out)
    for document in found:
        change(document)
    return replace(said, out=json.dumps(found, indent=1))


def _old_fields(document: dict[str, Any]) -> None:
    for key in ("Container", "ContainerConfig", "DockerVersion", "VirtualSize", "GraphDriver"):
        del document[key]
    for key in ("Hostname", "Domainname", "AttachStdin", "AttachStdout", "AttachStderr"):
        del document["Config"][key]
    for key in ("Tty", "OpenStdin", "StdinOnce", "Image"):
        del document["Config"][key]


def _new_fields(document: dict[str, Any]) -> None:
    del document["Descriptor"]


def _full_names(docker: Said, ours: Said) -> tuple[Said, Said]:
    """Where Docker finds nothing, let it have found the one image that is there."""
    found = ours.out.splitlines()
    is_found = len(docker.out.splitlines()) == 1 and len(found) == 2 and "one " in found[1]
    return (replace(docker, out=ours.out) if is_found else docker), ours


def _announced_early(docker: Said, ours: Said) -> tuple[Said, Said]:
    return docker, _without(ours, r": Preparing\n$")


def _reclaimed_space(docker: Said, ours: Said) -> tuple[Said, Said]:
    def some(said: Said) -> Said:
        found = re.sub(r"(space: )[1-9]\S*", r"\1SOME", said.out)
        return replace(said, out=found)

    return some(docker), some(ours)


def _named_missing(docker: Said, ours: Said) -> tuple[Said, Said]:
    return docker, replace(ours, errors=tuple(kind(error) for error in ours.errors))


def _said_ambiguous(docker: Said, ours: Said) -> tuple[Said, Said]:
    is_missing = docker.errors == ("no such image <sha256:3>",)
    return (replace(docker, errors=("ambiguous",)) if is_missing else docker), ours


def _wrong_platform(docker: Said, ours: Said) -> tuple[Said, Said]:
    is_met = docker.status == 0 and ours.errors == ("no such platform <linux/arm64/v8>",)
    return (ours if is_met else docker), ours


def _kept_content(docker: Said, ours: Said) -> tuple[Said, Said]:
    is_it = docker.out == "Total reclaimed space: 0B\n" and ours.out.startswith("Deleted Images:")
    return (ours if is_it else docker), ours


def _newer_import(docker: Said, ours: Said) -> tuple[Said, Said]:
    """Take what an old engine refuses, or ignores, for done."""
    is_refused = docker.errors == ("not a change <stopsignal>",) and ours.status == 0
    is_ignored = (docker.out, ours.out) == ("amd64\n", "arm64\n")
    return (ours if is_refused or is_ignored else docker), ours


def _without(said: Said, pattern: str) -> Said:
    lines = said.out.splitlines(keepends=True)
    return replace(said, out="".join(line for line in lines if not re.search(pattern, line)))


def _pushed_layers(docker: Said, ours: Said) -> tuple[Said, Said]:
    def some(said: Said) -> Said:
        return replace(said, out=re.sub(r"(digest: \S+ size: )\d+", r"\1SOME", said.out))

    return some(docker), some(ours)


RULES: dict[str, Callable[[Said, Said], tuple[Said, Said]]] = {
    "said-ambiguous": _said_ambiguous,
    "classic-fields": _classic_fields,
    "pushed-layers": _pushed_layers,
    "full-names": _full_names,
    "announced-early": _announced_early,
    "reclaimed-space": _reclaimed_space,
    "named-missing": _named_missing,
    "kept-content": _kept_content,
    "newer-import": _newer_import,
    "wrong-platform": _wrong_platform,
}
