"""Image names, by the grammar of the distribution project and Docker's normalisation.

Follows distribution/reference: ``reference.go`` (grammar), ``normalize.go`` (defaults).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from pytest_images.errors import InvalidReference
from pytest_images.model.digest import Digest

DEFAULT_REGISTRY = "docker.io"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"
LEGACY_REGISTRY = "index.docker.io"
NAME_LIMIT = 255

_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_IDENTIFIER = re.compile("[a-f0-9]{64}")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A full name of an image: registry, repository, and a tag, a digest or both.

    >>> str(Reference.parse("alpine"))
    'docker.io/library/alpine:latest'
    >>> Reference.parse("alpine").familiar
    'alpine:latest'
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    def __post_init__(self) -> None:
        if not _REGISTRY.fullmatch(self.registry):
            raise InvalidReference(str(self), "the registry is not a host name or host:port")
        if not _REPOSITORY.fullmatch(self.repository):
            if _REPOSITORY.fullmatch(self.repository.lower()):
                raise InvalidReference(str(self), "repository name must be lowercase")
            raise InvalidReference(str(self), "invalid reference format")
        if len(self.name) > NAME_LIMIT:
            reason = f"repository name must not be more than {NAME_LIMIT} characters"
            raise InvalidReference(str(self), reason)
        if self.tag is not None and not _TAG.fullmatch(self.tag):
            raise InvalidReference(str(self), "invalid tag format")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name as a user writes it, with Docker's defaults filled in.

        Without a registry ``docker.io``, without a namespace there ``library/``; without tag
        and digest ``latest``. Raises InvalidReference.
        """
        named = cls.parse_bare(text)
        if named.tag is None and named.digest is None:
            return cls(named.registry, named.repository, DEFAULT_TAG)
        return named

    @classmethod
    def parse_bare(cls, text: str) -> Self:
        """Read a name without filling in ``latest``: *NAME* alone means the whole repository."""
        if not text:
            raise InvalidReference(text, "invalid reference format: the name is empty")
        if _IDENTIFIER.fullmatch(text):
            reason = "cannot specify 64-byte hexadecimal strings"
            raise InvalidReference(text, reason)
        name, at, digest_text = text.partition("@")
        digest = Digest.parse(digest_text) if at else None
        tag: str | None = None
        head, colon, tail = name.rpartition(":")
        if colon and "/" not in tail:
            name, tag = head, tail
        registry, repository = _split_registry(name)
        return cls(registry, repository, tag, digest)

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar_name(self) -> str:
        """The shortest form of the name that means the same, as Docker shows it."""
        if self.registry != DEFAULT_REGISTRY:
            return self.name
        head, _, tail = self.repository.partition("/")
        return tail if head == DEFAULT_NAMESPACE and tail and "/" not in tail else self.repository

    @property
    def familiar(self) -> str:
        """The shortest text that parses to the same reference, as Docker shows it."""
        return self.familiar_name + self._suffix()

    @property
    def is_pinned(self) -> bool:
        """Whether a digest decides the content."""
        return self.digest is not None

    def with_tag(self, tag: str | None) -> Self:
        """Return this name with another tag and no digest."""
        return type(self)(self.registry, self.repository, tag)

    def with_digest(self, digest: Digest | None) -> Self:
        """Return this name pinned to *digest*, its tag kept."""
        return type(self)(self.registry, self.repository, self.tag, digest)

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        return tag + (f"@{self.digest}" if self.digest is not None else "")

    def __str__(self) -> str:
        return self.name + self._suffix()


def _split_registry(name: str) -> tuple[str, str]:
    """Split off a first part that is a registry: it has a dot, a colon, or is ``localhost``."""
    head, slash, tail = name.partition("/")
    is_registry = slash and (
        "." in head or ":" in head or head == "localhost" or head.lower() != head
    )
    registry, repository = (head, tail) if is_registry else (DEFAULT_REGISTRY, name)
    if registry == LEGACY_REGISTRY:
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"{DEFAULT_NAMESPACE}/{repository}"
    return registry, repository
