"""Here-documents: files written inside a Dockerfile (reference, "Here-Documents")."""

from __future__ import annotations

import re
from typing import Self

from pytest_images.dockerfile import words
from pytest_images.dockerfile.expand import Expander
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.namedtuple import NamedTuple
from pytest_images.regex import regex

_WORD = regex(r"\d*<<(-?)\s*([^<]*)", re.DOTALL)
_TABS = regex(r"^\t+", re.MULTILINE)
_OPENERS = frozenset({"add", "copy", "run"})


class Heredoc(NamedTuple):
    r"""A document: its *name*, and its *content* as the file has it.

    *expands*: variables in it are for us to expand (no part of the name was quoted).
    *is_chomped*: it was opened with ``<<-``, so that leading tabs go.

    >>> Heredoc("EOF", "\tone\n", is_chomped=True).text
    'one\n'
    """

    name: str
    content: str = ""
    expands: bool = True
    is_chomped: bool = False

    @property
    def text(self) -> str:
        """The content as it is meant, without leading tabs where they do not count."""
        return _TABS.sub("", self.content) if self.is_chomped else self.content

    def holding(self, content: str) -> Self:
        """Return the document with this content."""
        return self._replace(content=content)


def opened(line: str, escape: str) -> tuple[Heredoc, ...]:
    """Return the documents that an instruction opens, still without content.

    Raises Malformed, for a JSON list of other things than strings.
    """
    if "<<" not in line:
        return ()
    command = words.split(line, escape)
    if command.keyword.lower() == "onbuild":
        command = words.split(command.arguments, escape)
    if command.keyword.lower() not in _OPENERS or words.json_list(command.arguments) is not None:
        return ()
    try:
        found = Expander({}, keep_unset=True, keep_quotes=True, keep_escapes=True).words(line)
    except Malformed:  # a quote without end, say: then the shell has to make sense of it
        return ()
    return tuple(document for word in found if (document := parse(word)))


def parse(word: str) -> Heredoc | None:
    """Return the document that *word* opens: ``<<EOF``, ``<<-EOF``, ``3<<'EOF'``.

    >>> parse("<<-'E'OF")
    Heredoc(name='EOF', content='', expands=False, is_chomped=True)
    """
    match = _WORD.fullmatch(word)
    if not match or not match[2]:
        return None
    plain = Expander({}, keep_unset=True).words(match[2])
    quoted = Expander({}, keep_unset=True, keep_quotes=True).words(match[2])
    if len(plain) != 1:
        return None
    expands = _quotes(plain[0]) == _quotes("".join(quoted))
    return Heredoc(plain[0], expands=expands, is_chomped=match[1] == "-")


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')
