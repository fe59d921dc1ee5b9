"""Where a registry is asked, for what, and as whom."""

from __future__ import annotations

import enum

from pytest_images.dataclass import dataclass, field
from pytest_images.errors import InvalidAddress
from pytest_images.model.secret import Secret
from pytest_images.regex import regex

_HOST = regex(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,254}|\[[A-Fa-f0-9:.]{2,45}\])(?::[0-9]{1,5})?")
_PREFIX = regex(r"(?:[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*/?)?")
SCHEMES = ("", "https", "http")


class Access(enum.StrEnum):
    """What a request wants of a registry."""

    RESOLVE = "resolve"
    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that serves a registry's content.

    ``host`` is ``name`` or ``name:port``. ``scheme`` is ``https``, ``http`` (said so on
    purpose), or ``""``: HTTPS, and on loopback plain HTTP when the handshake shows it.
    ``allows`` says what it may be asked: a public mirror never resolves a tag. ``prefix``
    is put before the repository (a mirror that keeps each registry under a folder).

    >>> str(Endpoint("registry.example:5000"))
    'https://registry.example:5000'
    """

    host: str
    scheme: str = ""
    allows: frozenset[Access] = frozenset({Access.RESOLVE, Access.PULL, Access.PUSH, Access.DELETE})
    prefix: str = ""
    verify: bool | str = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "allows", frozenset(map(Access, self.allows)))
        if not _HOST.fullmatch(self.host):
            raise InvalidAddress(self.host, "expected a host or host:port")
        if self.scheme not in SCHEMES:
            raise InvalidAddress(self.scheme, "the scheme is not https or http")
        if len(self.prefix) > 255 or not _PREFIX.fullmatch(self.prefix):
            raise InvalidAddress(self.prefix, "the prefix is not a path of a repository")

    def __str__(self) -> str:
        return f"{self.scheme or 'https'}://{self.host}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a registry: a user and password, or an identity token.

    >>> Credentials("ada", Secret("hunter2"))
    Credentials(username='ada', password=Secret('***'), identity_token=Secret())
    """

    username: str = ""
    password: Secret = field(default_factory=Secret)
    identity_token: Secret = field(default_factory=Secret)

    def __post_init__(self) -> None:
        for name in ("password", "identity_token"):
            if isinstance(text := getattr(self, name), str):  # from code without types
                object.__setattr__(self, name, Secret(text))
