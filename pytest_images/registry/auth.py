"""Who we are to each registry: tokens and passwords, each for one place and purpose only."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass, field
from pytest_images.errors import AuthError
from pytest_images.model.endpoint import Access
from pytest_images.model.secret import Secret
from pytest_images.registry.refusals import denied

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.http.address import Address, Origin
    from pytest_images.http.session import Session
    from pytest_images.model.endpoint import Credentials
    from pytest_images.registry.challenge import Challenge
    from pytest_images.registry.tokens import Token

    CredentialsOf = Callable[[str, Access, Credentials | None], Credentials | None]

_ACTIONS = {Access.PUSH: "pull,push", Access.DELETE: "delete"}
TRIES = 2  # requests that show something, before we are refused


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for: a registry as configs name it, its server, and token scopes."""

    registry: str
    server: Address
    access: Access
    scopes: tuple[str, ...]
    verify: bool | str = True

    @property
    def key(self) -> tuple[Origin, tuple[str, ...]]:
        """What a token is bound to, beside the account."""
        return self.server.origin, self.scopes


def scope(repository: str, access: Access) -> str:
    """Return the token scope for *access* to *repository*."""
    return f"repository:{repository}:{_ACTIONS.get(access, 'pull')}"


@dataclass(slots=True)
class _Round:
    """The tries of one request: how many, and the credentials the last one showed."""

    tries: int = 0
    shown: Credentials | None = field(default=None, repr=False)


class Authenticator:
    """Credentials and tokens of one client; never shared with another.

    Tokens are kept by scheme, host and port, scope and account. Credentials are asked for
    once a registry and access, and asked again only when they were not accepted.
    """

    def __init__(self, session: Session, credentials: CredentialsOf) -> None:
        self._session, self._ask = session, credentials
        self._lock = threading.Lock()
        self._accounts: dict[tuple[str, Access], Credentials | None] = {}
        self._tokens: dict[tuple[object, str], Token] = {}
        self._basic: dict[tuple[Origin, Access], Secret] = {}

    def begin(self) -> _Round:
        """Start the account of one request's tries."""
        return _Round()

    def known(self, purpose: Purpose, tries: _Round) -> Secret:
        """Return what to show at once: a token or password that was accepted there before."""
        with self._lock:
            credentials = self._accounts.get((purpose.registry, purpose.access))
            token = self._tokens.get((purpose.key, _account(credentials)))
            remembered = self._basic.get((purpose.server.origin, purpose.access), Secret())
        if token is not None and token.is_fresh:
            tries.tries = 1  # a token may have been revoked: the credentials are still good
            return token.authorization
        if remembered:
            tries.tries, tries.shown = 1, credentials
        return remembered

    def answer(self, purpose: Purpose, header: str, tries: _Round) -> Secret:
        """Return what to show after a 401 with *header*. Raises AuthError when enough was tried."""
        from pytest_images.registry.challenge import parse_challenges

        if tries.tries >= TRIES:
            raise denied(purpose.server.base, "it asks for credentials again and again")
        first = tries.tries == 0
        tries.tries += 1
        self._drop(purpose)
        challenges = {each.scheme: each for each in reversed(parse_challenges(header))}
        if "bearer" in challenges:
            return self._bearer(purpose, challenges["bearer"], tries)
        if "basic" in challenges:
            return self._password(purpose, tries, first=first)
        raise denied(purpose.server.base, "it names no way to log in that is known here")

    def _bearer(self, purpose: Purpose, challenge: Challenge, tries: _Round) -> Secret:
        credentials = self._credentials(purpose, tries.shown if tries.tries > 1 else None)
        try:
            token = self._token(purpose, challenge, credentials)
        except AuthError:
            newer = self._newer(purpose, credentials)
            if newer is None:
                raise
            credentials = newer
            token = self._token(purpose, challenge, credentials)
        tries.shown = credentials
        with self._lock:
            self._tokens[purpose.key, _account(credentials)] = token
        return token.authorization

    def _token(
        self, purpose: Purpose, challenge: Challenge, credentials: Credentials | None
    ) -> Token:
        from pytest_images.registry.tokens import request_token

        scopes = _merged(purpose.scopes, challenge.parameters.get("scope", ""))
        server = purpose.server
        return request_token(
            self._session, server, challenge, scopes, credentials, verify=purpose.verify
        )

    def _password(self, purpose: Purpose, tries: _Round, *, first: bool) -> Secret:
        from pytest_images.registry.tokens import basic

        server = purpose.server
        if server.scheme == "http" and not server.is_loopback:
            raise denied(server.base, "it asks for a password over plain HTTP, in clear")
        credentials = self._credentials(purpose, None if first else tries.shown)
        if credentials is None or not credentials.username:
            raise denied(server.base, "it asks for a user and password, and none are known")
        tries.shown = credentials
        shown = basic(credentials.username, credentials.password)
        with self._lock:
            self._basic[server.origin, purpose.access] = shown
        return shown

    def _credentials(self, purpose: Purpose, rejected: Credentials | None) -> Credentials | None:
        """Return the credentials in force, or newer ones than those *rejected*."""
        if rejected is not None:
            newer = self._newer(purpose, rejected)
            if newer is None:
                raise denied(purpose.server.base, "the credentials are not accepted")
            return newer
        key = purpose.registry, purpose.access
        with self._lock:
            if key in self._accounts:
                return self._accounts[key]
        return self._remember(key, self._ask(purpose.registry, purpose.access, None))

    def _newer(self, purpose: Purpose, rejected: Credentials | None) -> Credentials | None:
        """Ask once for something newer than *rejected*; None where there is nothing."""
        if rejected is None:
            return None
        newer = self._ask(purpose.registry, purpose.access, rejected)
        if newer is None or _same(newer, rejected):
            self._remember((purpose.registry, purpose.access), None, forget=True)
            return None
        return self._remember((purpose.registry, purpose.access), newer)

    def _remember(
        self, key: tuple[str, Access], found: Credentials | None, *, forget: bool = False
    ) -> Credentials | None:
        with self._lock:
            if forget:
                self._accounts.pop(key, None)
            else:
                self._accounts[key] = found
        return found

    def _drop(self, purpose: Purpose) -> None:
        """Forget what was just refused."""
        with self._lock:
            account = _account(self._accounts.get((purpose.registry, purpose.access)))
            self._tokens.pop((purpose.key, account), None)
            self._basic.pop((purpose.server.origin, purpose.access), None)


def _account(credentials: Credentials | None) -> str:
    return "" if credentials is None else credentials.username or "(identity token)"


def _same(one: Credentials, other: Credentials) -> bool:
    return (
        one.username == other.username
        and one.password.reveal() == other.password.reveal()
        and one.identity_token.reveal() == other.identity_token.reveal()
    )


def _merged(ours: tuple[str, ...], asked: str) -> tuple[str, ...]:
    """Add the scopes that a challenge asks for to ours, each once."""
    extra = [text for text in asked.split(" ") if text and text not in ours]
    known = {text.rpartition(":")[0] for text in ours}
    return ours + tuple(text for text in extra if text.rpartition(":")[0] not in known)
