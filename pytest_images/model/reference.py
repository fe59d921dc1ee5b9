"""Image names, by the grammar of the distribution project and Docker's normalisation.

Follows distribution/reference: ``reference.go`` (grammar), ``normalize.go`` (defaults).
"""

from __future__ import annotations

import re
from functools import total_ordering
from typing import Self

from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidDigest, InvalidReference
from pytest_images.model.digest import Digest

FORMAT = "invalid reference format"  # as Docker says it
DEFAULT_REGISTRY = "docker.io"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"
LEGACY_REGISTRY = "index.docker.io"
NAME_LIMIT = 255  # characters of a repository, as distribution counts
REGISTRY_LIMIT = 261  # characters of a DNS name in brackets or not, a colon and a port

# Compiled at the first name that is read (1 ms): a list of images reads none.
_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_REGISTRY = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_IDENTIFIER = "[a-f0-9]{64}"


@total_ordering
@dataclass(frozen=True, slots=True)
class Reference:
    """A full name of an image: registry, repository, and a tag, a digest or both.

    Without tag and digest it is a *bare* name, which only `parse_bare` makes of text.

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
        self._normalise()
        if len(self.registry) > REGISTRY_LIMIT:
            reason = f"the registry must not be more than {REGISTRY_LIMIT} characters"
            raise InvalidReference(str(self), reason)
        if len(self.repository) > NAME_LIMIT:
            reason = f"repository name must not be more than {NAME_LIMIT} characters"
            raise InvalidReference(str(self), reason)
        if not re.fullmatch(_REGISTRY, self.registry):
            reason = f"{FORMAT}: the registry is not a host name or host:port"
            raise InvalidReference(str(self), reason)
        if not _is_registry(self.registry):
            reason = "the registry has no dot, port or capital, so it would read as a namespace"
            raise InvalidReference(str(self), reason)
        if not re.fullmatch(_REPOSITORY, self.repository):
            if re.fullmatch(_REPOSITORY, self.repository.lower()):
                reason = f"{FORMAT}: repository name ({self.repository}) must be lowercase"
                raise InvalidReference(str(self), reason)
            raise InvalidReference(str(self), FORMAT)
        if self.tag is not None and not re.fullmatch(_TAG, self.tag):
            raise InvalidReference(str(self), "invalid tag format")

    def _normalise(self) -> None:
        """Give Docker Hub its one name, and its top-level repositories their namespace."""
        if self.registry == LEGACY_REGISTRY:
            object.__setattr__(self, "registry", DEFAULT_REGISTRY)
        if self.registry == DEFAULT_REGISTRY and "/" not in self.repository:
            object.__setattr__(self, "repository", f"{DEFAULT_NAMESPACE}/{self.repository}")

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
            raise InvalidReference(text, f"{FORMAT}: the name is empty")
        if re.fullmatch(_IDENTIFIER, text):
            reason = "cannot specify 64-byte hexadecimal strings"
            raise InvalidReference(text, reason)
        name, at, digest_text = text.partition("@")
        try:
            digest = Digest.parse(digest_text) if at else None
        except InvalidDigest as error:
            raise InvalidReference(text, f"invalid digest: {error.reason}") from error
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
        if _is_registry(head):  # docker.io/a.b/c: without docker.io, a.b would be the registry
            return self.name
        return tail if head == DEFAULT_NAMESPACE and "/" not in tail else self.repository

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

    def __lt__(self, other: object) -> bool:
        return self._key() < other._key() if isinstance(other, Reference) else NotImplemented

    def _key(self) -> tuple[str, ...]:
        return self.registry, self.repository, self.tag or "", str(self.digest or "")

    def __str__(self) -> str:
        return self.name + self._suffix()


def _is_registry(word: str) -> bool:
    """Say whether the first part of a name is a registry and not a namespace."""
    return word == "localhost" or "." in word or ":" in word or word.lower() != word


def _split_registry(name: str) -> tuple[str, str]:
    """Split off a first part that is a registry; without one it is Docker Hub."""
    head, slash, tail = name.partition("/")
    return (head, tail) if slash and _is_registry(head) else (DEFAULT_REGISTRY, name)
