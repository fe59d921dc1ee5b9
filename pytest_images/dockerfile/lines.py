r"""The first phase: bytes to logical lines, with their here-documents.

Rules, in the order in which they act on a physical line (BuildKit's ``parser.go``):

1. A byte order mark at the start goes; line ends are ``\n`` or ``\r\n``.
2. White space before an instruction goes. ``#`` first makes a comment, between the lines of
   one instruction too; those at the very top may be directives.
3. The escape character last on a line (white space may follow), unless another stands before
   it, joins the next line. An empty line in between is skipped, with a warning.
4. ADD, COPY and RUN (after ONBUILD too), not in JSON form, may open here-documents: the lines
   up to their names follow, taken as they are.

Limits: a file of 1 MiB, a line of 65,535 bytes, no NUL and only UTF-8 outside of comments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dockerfile import heredoc, words
from pytest_images.dockerfile.directives import Directives
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.place import Place
from pytest_images.errors import LimitExceeded
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.dockerfile.heredoc import Heredoc

FILE_LIMIT = 1 << 20  # bytes
LINE_LIMIT = 65_535  # bytes, the line end not counted
_BOM = b"\xef\xbb\xbf"
_UNREADABLE = regex("[\0\ud800-\udfff]")


class Line(NamedTuple):
    """One instruction's text, its lines joined, and the here-documents it opens."""

    place: Place
    heredocs: tuple[Heredoc, ...] = ()

    @property
    def text(self) -> str:
        """The joined text, without the here-documents."""
        return self.place.text


class DockerfileWarning(NamedTuple):
    """Something that works but should not be written so; *rule* is BuildKit's name for it."""

    rule: str
    message: str
    place: Place


class Lines:
    """The logical lines of a Dockerfile; iterate once, then look at *directives*, *warnings*.

    Raises InvalidDockerfile, LimitExceeded.
    """

    def __init__(self, text: str | bytes, source: str) -> None:
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if len(raw) > FILE_LIMIT:
            raise LimitExceeded(source, "size of the Dockerfile in bytes", FILE_LIMIT)
        self.source = source
        self.directives = Directives()
        self.warnings: list[DockerfileWarning] = []
        self._rest = raw.removeprefix(_BOM).decode("utf-8", "surrogateescape").split("\n")
        self._count = len(self._rest) - (self._rest[-1] == "")  # after the last line end is none
        self._at = 0  # lines taken, so the number of the last one

    def __iter__(self) -> Iterator[Line]:
        while (physical := self._take()) is not None:
            text = physical.rstrip("\r").lstrip(words.SPACES) if physical else ""
            if self._is_directive(text) or text.startswith("#"):
                continue
            text, goes_on = self._joint(text)
            if text or goes_on:
                yield self._instruction(text, goes_on)

    def _instruction(self, text: str, goes_on: bool) -> Line:
        """Take what belongs to the instruction that begins with *text*."""
        first, parts, has_gap = self._at, [text], False
        while goes_on and (physical := self._take()) is not None:
            bare = physical.lstrip(words.SPACES)
            if bare.startswith("#"):
                continue
            if not bare:
                has_gap = True
                continue
            text, goes_on = self._joint(physical.rstrip("\r"))
            parts.append(text)
        place = Place(self.source, first, self._at, "".join(parts))
        if has_gap:
            message = "empty continuation lines will become errors in a future release"
            self.warnings.append(DockerfileWarning("NoEmptyContinuation", message, place))
        return self._with_heredocs(place)

    def _with_heredocs(self, place: Place) -> Line:
        try:
            opened = heredoc.opened(place.text, self.directives.escape)
        except Malformed as problem:
            raise place.error(str(problem)) from problem
        if not opened:
            return Line(place)
        taken = tuple(self._body(document, place) for document in opened)
        return Line(Place(place.source, place.first, self._at, place.text), taken)

    def _body(self, document: Heredoc, place: Place) -> Heredoc:
        """Take the lines of *document* and the one that ends it."""
        content: list[str] = []
        while (physical := self._take()) is not None:
            self._require_text(physical)
            bare = physical.rstrip("\r")
            if (bare.lstrip("\t") if document.is_chomped else bare) == document.name:
                return document.holding("".join(content))
            content.append(physical + "\n")
        note = f"end it with a line that holds {document.name} alone, without spaces"
        raise place.error("unterminated heredoc", note)

    def _take(self) -> str | None:
        """Take the next physical line, with a carriage return where it has one."""
        if self._at >= self._count:
            return None
        line = self._rest[self._at]
        self._at += 1
        if len(line) > LINE_LIMIT // 4 and len(line.encode("utf-8", "replace")) > LINE_LIMIT:
            reason = f"dockerfile line greater than max allowed size of {LINE_LIMIT}"
            raise self._here(line).error(reason)
        return line

    def _is_directive(self, text: str) -> bool:
        if self.directives.are_over:
            return False
        try:
            return self.directives.take(text)
        except Malformed as problem:
            raise self._here(text).error(str(problem)) from problem

    def _joint(self, text: str) -> tuple[str, bool]:
        """Return *text* without a continuation at its end, and whether there was one."""
        self._require_text(text)
        escape, bare = self.directives.escape, text.rstrip(" \t")
        if bare.endswith(escape) and not bare[:-1].endswith(escape):
            return bare[:-1], True
        return text, False

    def _require_text(self, line: str) -> None:
        is_plain = line.isascii() and "\0" not in line
        unreadable = None if is_plain else _UNREADABLE.search(line)
        if unreadable:
            what = "a NUL byte" if unreadable[0] == "\0" else "bytes that are not UTF-8"
            raise self._here(line).error(f"the line has {what}", "save the file as UTF-8 text")

    def _here(self, line: str) -> Place:
        return Place(self.source, self._at, self._at, line)
