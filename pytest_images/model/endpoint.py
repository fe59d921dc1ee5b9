"""Where a registry is asked, for what, and as whom."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from pytest_images.model.secret import Secret


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
    """

    host: str
    scheme: str = ""
    allows: frozenset[Access] = frozenset({Access.RESOLVE, Access.PULL, Access.PUSH, Access.DELETE})
    prefix: str = ""
    verify: bool | str = True

    def __str__(self) -> str:
        return f"{self.scheme or 'https'}://{self.host}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are to a registry: a user and password, or an identity token."""

    username: str = ""
    password: Secret = field(default_factory=Secret)
    identity_token: Secret = field(default_factory=Secret)
