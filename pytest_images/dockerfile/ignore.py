"""``.dockerignore``: the files of a build context that do not exist for the build.

A line is a pattern of `globs`; ``!`` before it makes an exception. A pattern that matches a
folder matches all below it. The last pattern that matches a path decides. Lines that begin with
``#`` are comments; white space around a pattern and a ``/`` before or behind it mean nothing
(moby's ``ignorefile`` and ``patternmatcher``, ``MatchesOrParentMatches``).
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Self

from pytest_images.dockerfile.globs import compile_glob
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.place import Place
from pytest_images.dockerfile.words import SPACES
from pytest_images.errors import LimitExceeded
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE_LIMIT = 16 << 20  # bytes: more than a hundred thousand long patterns
NOTHING = -1  # no pattern matches
_SPECIAL = regex(r"[*?\[\]\\]")
_BOM = b"\xef\xbb\xbf"


class Pattern(NamedTuple):
    """One pattern, cleaned; *is_exception*: it began with ``!``."""

    text: str
    is_exception: bool
    expression: re.Pattern[str] | None  # None: the text itself is the one path it means


class IgnoreRules:
    r"""The patterns of an ignore file, or of ``--exclude``, in their order.

    >>> rules = IgnoreRules.parse("*.log\n!keep.log\nbuild/")
    >>> [rules.excludes(path) for path in ("a.log", "keep.log", "build/x/y", "src/a.log")]
    [True, False, True, False]
    """

    def __init__(self, patterns: Iterable[Pattern] = ()) -> None:
        self.patterns = tuple(patterns)
        self._exact = {
            one.text: number for number, one in enumerate(self.patterns) if one.expression is None
        }
        self._wild = [
            (number, one.expression.fullmatch)
            for number, one in reversed(list(enumerate(self.patterns)))
            if one.expression is not None
        ]
        self._exceptions = [
            (number, _Reach(one.text))
            for number, one in enumerate(self.patterns)
            if one.is_exception
        ]

    @classmethod
    def parse(cls, text: str | bytes, name: str = ".dockerignore") -> Self:
        """Read an ignore file; *name* stands for it in errors.

        Raises InvalidDockerfile with the line of a pattern that is none; LimitExceeded.
        """
        raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        if len(raw) > FILE_LIMIT:
            raise LimitExceeded(name, "size in bytes", FILE_LIMIT)
        lines = raw.removeprefix(_BOM).decode("utf-8", "surrogateescape").split("\n")
        found = []
        for number, line in enumerate(lines, 1):
            if line.startswith("#") or not line.strip(SPACES):
                continue
            try:
                found.append(read_pattern(line))
            except Malformed as problem:
                raise Place(name, number, number, line).error(str(problem)) from problem
        return cls(found)

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Self:
        """Return the rules of patterns that stand alone, as in ``--exclude``. Raises Malformed."""
        return cls(read_pattern(text) for text in patterns if text.strip(SPACES))

    def excludes(self, path: str) -> bool:
        """Tell whether *path* is left out: relative, with ``/`` between its names.

        For many paths of one tree, walk it with `top`: each folder is matched once then.
        """
        if not self.patterns:
            return False
        folder = self.top
        *above, name = path.split("/")
        for part in above:
            folder = folder.folder(part)
        return folder.excludes(name)

    @property
    def top(self) -> Folder:
        """The context itself, which no pattern can leave out."""
        return Folder(self, "", NOTHING)

    def decide(self, path: str, above: int) -> int:
        """Return the number of the last pattern that matches *path*, *above* its folder's."""
        best = max(above, self._exact.get(path, NOTHING))
        for number, matches in self._wild:
            if number <= best:
                break
            if matches(path):
                return number
        return best

    def is_excluding(self, number: int) -> bool:
        """Tell what the pattern *number* decides."""
        return number != NOTHING and not self.patterns[number].is_exception

    def may_return_below(self, path: str, number: int) -> bool:
        """Tell whether an exception after pattern *number* could match something below *path*."""
        names = path.split("/")
        return any(later > number and reach.goes_below(names) for later, reach in self._exceptions)


class Folder(NamedTuple):
    """A folder of the context during a walk; *path* is relative, "" for the context."""

    rules: IgnoreRules
    path: str
    decided: int

    def excludes(self, name: str) -> bool:
        """Tell whether the entry *name* is left out."""
        if not self.rules.patterns:
            return False
        return self.rules.is_excluding(self.rules.decide(self._join(name), self.decided))

    def can_skip(self, name: str) -> bool:
        """Tell whether the folder *name* is left out with everything below it."""
        path = self._join(name)
        number = self.rules.decide(path, self.decided)
        return self.rules.is_excluding(number) and not self.rules.may_return_below(path, number)

    def folder(self, name: str) -> Folder:
        """Return the folder *name*, to look at its entries."""
        path = self._join(name)
        return Folder(self.rules, path, self.rules.decide(path, self.decided))

    def _join(self, name: str) -> str:
        return f"{self.path}/{name}" if self.path else name


class _Reach:
    """Where the matches of a pattern can lie; says yes in doubt."""

    __slots__ = ("_names",)

    def __init__(self, pattern: str) -> None:
        self._names: list[re.Pattern[str] | None] = []  # None: from here on anything
        for name in pattern.split("/"):
            self._names.append(_one_name(name))
            if self._names[-1] is None:
                break

    def goes_below(self, folder: list[str]) -> bool:
        for number, name in enumerate(folder):
            if number == len(self._names):
                return False
            expression = self._names[number]
            if expression is None:
                return True
            if not expression.fullmatch(name):
                return False
        return len(self._names) > len(folder)


def _one_name(pattern: str) -> re.Pattern[str] | None:
    """Return what matches one name of a path, None where the pattern may go on over more."""
    if "**" in pattern:
        return None
    try:
        return compile_glob(pattern)
    except Malformed:  # a slash stands in a class or behind a backslash
        return None


def read_pattern(text: str) -> Pattern:
    """Return one pattern, cleaned as moby cleans it. Raises Malformed.

    >>> read_pattern(" ! /docs/../src/ ").text
    'src'
    """
    bare = text.strip(SPACES)
    is_exception = bare.startswith("!")
    bare = bare.removeprefix("!").strip(SPACES)
    if not bare:
        raise Malformed('illegal exclusion pattern: "!"')
    cleaned = _clean(bare)
    if _SPECIAL.search(cleaned):
        return Pattern(cleaned, is_exception, compile_glob(cleaned))
    return Pattern(cleaned, is_exception, None)


def _clean(path: str) -> str:
    """Return *path* as Go's ``filepath.Clean`` does, without one slash before it."""
    cleaned = posixpath.normpath(path)
    if cleaned.startswith("//"):  # POSIX gives two slashes a meaning, Go does not
        cleaned = cleaned[1:]
    return cleaned[1:] if len(cleaned) > 1 and cleaned.startswith("/") else cleaned
