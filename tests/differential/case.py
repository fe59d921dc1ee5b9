"""A case: what both command lines are given, step by step, and where they may differ."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from tests.differential.images import INDEXES, SAMPLES

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Case:
    """Steps for `docker image` and `pytest-images`, which must say the same and end the same.

    A step is a command line without the program: ``rm $one``, ``load -q < app.tar``,
    ``save app:1 > out.tar``. ``$one`` is the ID of the image *one*, ``$one_short`` its 12
    digits, ``$one_digest`` its manifest's digest, ``$registry`` the address of the side's own
    registry. *given*: what is loaded first (``one as app:1 app:2``; ``one`` alone: without a
    name); *files*: the archives that are there, ``one as app:1 in gzip`` as ``one.tar``;
    *served*: what the registry has. *answer*: what is typed on standard input. *errors*: the
    gists of all errors there are.
    *client*: the major version of the client that first did it so; an older one is no judge.
    *differs*: the reasons, rows of docs/differences.md, why the two sides differ.
    """

    name: str
    steps: tuple[str, ...]
    given: tuple[str, ...] = ()
    served: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    answer: str = ""
    client: int = 0

    @property
    def verb(self) -> str:
        """The verb it is about: the first part of its name."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Step:
    """One command: its words, and the files its streams are joined to."""

    words: tuple[str, ...]
    read: str | None = None
    written: str | None = None

    @classmethod
    def parse(cls, line: str, values: Mapping[str, str]) -> Step:
        """Read a step's line, the values filled in."""
        words = shlex.split(Template(line).safe_substitute(values))
        files: dict[str, str | None] = {"<": None, ">": None}
        while len(words) > 1 and words[-2] in files:
            files[words[-2]] = words[-1]
            words = words[:-2]
        return cls(tuple(words), files["<"], files[">"])


def values(registry: str = "registry.test") -> dict[str, str]:
    """Return what the names in steps stand for."""
    found = {"registry": registry}
    for name, sample in SAMPLES.items():
        found[name] = str(sample.config.id)
        found[f"{name}_hex"] = sample.config.id.encoded
        found[f"{name}_start"] = sample.config.id.encoded[:3]
        found[f"{name}_short"] = sample.config.id.short
        found[f"{name}_digest"] = str(sample.manifest.digest)
    for name, index in INDEXES.items():
        found[f"{name}_digest"] = str(index.index.digest)
        for sample in index.images:
            own = f"{name}_{sample.config.platform.architecture}"
            found[own] = sample.config.id.short
            found[f"{own}_digest"] = str(sample.manifest.digest)
    return found
