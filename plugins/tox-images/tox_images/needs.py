"""What an environment needs: the lines of ``images`` and ``images_build``, read.

A line is ``[NAME =] REFERENCE [OPTIONS]`` or ``NAME = FOLDER [OPTIONS]``, in the words of a
shell. What two environments write the same way is one need, and is met once.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_images.arguments import POLICIES, platform_of, reference_of
from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pytest_images.arguments import Policy
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference

# Of the variables of an image: its reference, its ID, its digest.
ENDS = ("", "_ID", "_DIGEST")
_NAMED = re.compile(r"([^\s=]+)\s*=\s*(\S.*)", re.DOTALL)
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Pull:
    """An image of a registry."""

    reference: Reference
    platform: Platform | None = None
    policy: Policy | None = None

    def __str__(self) -> str:
        return self.reference.familiar


@dataclass(frozen=True, slots=True)
class Build:
    """An image made from a folder with a Dockerfile, under the name *reference*."""

    reference: Reference
    folder: Path
    dockerfile: str | None = None
    target: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    platform: Platform | None = None

    def __str__(self) -> str:
        return self.reference.familiar


@dataclass(frozen=True, slots=True)
class Needs:
    """The needs of one environment by the names of their variables, pulls first."""

    pulls: dict[str, Pull] = field(default_factory=dict)
    builds: dict[str, Build] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.pulls or self.builds)

    def __iter__(self) -> Iterator[tuple[str, Pull | Build]]:
        yield from self.pulls.items()
        yield from self.builds.items()

    @classmethod
    def read(cls, images: Iterable[str], builds: Iterable[str], root: Path) -> Needs:
        """Read the lines of one environment; folders are relative to *root*.

        Raises InvalidUsage naming the line, InvalidReference, InvalidPlatform.
        """
        needs = cls()
        for line in images:
            needs._add(line, *_pull(line))
        for line in builds:
            needs._add(line, *_build(line, root))
        return needs

    def _add(self, line: str, name: str, need: Pull | Build) -> None:
        taken = {f"{other}{end}" for other, _ in self for end in ENDS}
        if not taken.isdisjoint(f"{name}{end}" for end in ENDS):
            error = InvalidUsage(line, f"another image has variables of the name {name}")
            error.add_note("give it a name of its own: NAME = ...")
            raise error
        if isinstance(need, Pull):
            self.pulls[name] = need
        else:
            self.builds[name] = need


class _Options(argparse.ArgumentParser):
    """The options of a line; what is wrong with them is raised."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


_PULL = _Options("images", add_help=False, allow_abbrev=False)
_PULL.add_argument("reference")
_PULL.add_argument("--platform")
_PULL.add_argument("--pull", choices=POLICIES)
_BUILD = _Options("images_build", add_help=False, allow_abbrev=False)
_BUILD.add_argument("folder")
_BUILD.add_argument("--file", "-f")
_BUILD.add_argument("--target")
_BUILD.add_argument("--build-arg", action="append", default=[])
_BUILD.add_argument("--platform")


def _pull(line: str) -> tuple[str, Pull]:
    name, rest = _split(line)
    given = _words(_PULL, line, rest)
    reference = reference_of(given.reference)
    if name and not _VARIABLE.fullmatch(name):
        raise InvalidUsage(line, f"{name!r} cannot be part of a variable's name")
    return _variable(name or reference), Pull(reference, platform_of(given.platform), given.pull)


def _build(line: str, root: Path) -> tuple[str, Build]:
    name, rest = _split(line)
    if not name:
        raise InvalidUsage(line, "expected NAME = FOLDER [OPTIONS]")
    given = _words(_BUILD, line, rest)
    reference = reference_of(name)
    build = Build(
        reference,
        root / given.folder,
        given.file,
        given.target,
        tuple(_arguments(given.build_arg)),
        platform_of(given.platform),
    )
    return _variable(reference), build


def _split(line: str) -> tuple[str, str]:
    """Return the name before ``=``, if there is one, and what stands behind it."""
    named = _NAMED.fullmatch(line.strip())
    return (named[1], named[2]) if named else ("", line)


def _words(options: _Options, line: str, rest: str) -> argparse.Namespace:
    try:
        return options.parse_args(shlex.split(rest))
    except ValueError as error:
        raise InvalidUsage(line, f"{options.prog}: {error}") from None


def _arguments(given: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give names and values; as with Docker, one without a value has that of the environment."""
    for argument in given:
        name, equals, value = argument.partition("=")
        if equals:
            yield name, value
        elif name in os.environ:
            yield name, os.environ[name]


def _variable(name: str | Reference) -> str:
    """Return what stands for an image in the names of variables.

    >>> _variable(reference_of("ghcr.io/team/my-app:1"))
    'MY_APP'
    """
    last = name if isinstance(name, str) else name.repository.rpartition("/")[2]
    return re.sub("[^A-Z0-9]", "_", last.upper())
