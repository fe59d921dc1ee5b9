"""How a user points at an image that is here: by name, by digest, by ID or the start of one."""

from __future__ import annotations

from typing import Self

from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidReference
from pytest_images.model.digest import HEX_DIGITS, Digest
from pytest_images.model.reference import Reference
from pytest_images.regex import regex

_PREFIX = regex("(?:sha256:)?([0-9a-f]{1,64})")


@dataclass(frozen=True, slots=True)
class Selector:
    """A name, an image ID or the start of one; a name wins where a text could be both.

    >>> Selector.parse("abc").id_prefix, str(Selector.parse("abc").reference)
    ('abc', 'docker.io/library/abc:latest')
    """

    text: str
    reference: Reference | None
    id_prefix: str | None

    def __post_init__(self) -> None:
        if self.reference is None and self.id_prefix is None:
            raise InvalidReference(self.text, "neither a name nor an image ID")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what a user typed for IMAGE. Raises InvalidReference."""
        match = _PREFIX.fullmatch(text)
        is_whole = match is not None and len(match[1]) == HEX_DIGITS["sha256"]
        try:
            reference = None if is_whole else Reference.parse(text)
        except InvalidReference:
            if match is None:
                raise
            reference = None
        return cls(text, reference, match[1] if match else None)

    @classmethod
    def of(cls, thing: str | Reference | Digest) -> Self:
        """Make a selector of a text, a reference or an image ID."""
        if isinstance(thing, Reference):
            return cls(str(thing), thing, None)
        if isinstance(thing, Digest):
            return cls(str(thing), None, thing.encoded)
        return cls.parse(thing)

    def __str__(self) -> str:
        return self.text
