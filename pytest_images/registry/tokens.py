"""Bearer tokens: asked of the realm that a registry names (distribution's token spec)."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pytest_images.dataclass import dataclass, replace
from pytest_images.errors import AuthError, InvalidDocument, InvalidResponse
from pytest_images.http.address import Address
from pytest_images.http.redirects import check_realm
from pytest_images.http.session import Request, Session
from pytest_images.model.documents import load_object
from pytest_images.model.secret import Secret
from pytest_images.regex import regex
from pytest_images.registry.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.http.response import Response
    from pytest_images.model.endpoint import Credentials
    from pytest_images.registry.challenge import Challenge

CLIENT_ID = "pytest-images"
SHORTEST, LONGEST = 60, 3600  # seconds a token is believed to live, whatever it says
MARGIN = 10  # seconds before its end at which a token is not used any more
SCOPE_LIMIT = 8
_USABLE = regex(rb"[!-~]{1,65536}")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and when it ends, by the monotonic clock."""

    value: Secret
    ends: float

    @property
    def is_fresh(self) -> bool:
        """Whether it will live long enough for another request."""
        return time.monotonic() < self.ends - MARGIN

    @property
    def authorization(self) -> Secret:
        """The value of the header that shows it."""
        return Secret(f"Bearer {self.value.reveal()}")


def basic(username: str, password: Secret) -> Secret:
    """Return the value of a header with *username* and *password* (RFC 7617, UTF-8)."""
    pair = f"{username}:{password.reveal()}".encode()
    return Secret(f"Basic {base64.b64encode(pair).decode()}")


def request_token(
    session: Session,
    registry: Address,
    challenge: Challenge,
    scopes: Sequence[str],
    credentials: Credentials | None,
    *,
    verify: bool | str = True,
) -> Token:
    """Ask the challenge's realm for a token, as *credentials* say, or anonymously.

    Raises AuthError where they are not accepted, UnsafeAddress where the realm is not a
    place to send them, InvalidResponse, RegistryError, Unreachable.
    """
    realm = registry.join(challenge.parameters.get("realm", ""))
    check_realm(registry, realm)
    service = challenge.parameters.get("service", "")
    if credentials is not None and credentials.identity_token:
        request = _refresh(realm, service, scopes, credentials)
    else:
        request = _ask(realm, service, scopes, credentials)
    if realm.host == registry.host:
        request = replace(request, verify=verify)  # verified as the registry itself is
    with session.send(request) as response:
        if response.status in (401, 403):
            raise AuthError(realm.base, "the token server does not accept the credentials")
        if response.status != 200:
            raise refusal(response, realm.base, session.limits)
        return _read(response, session)


def _ask(
    realm: Address, service: str, scopes: Sequence[str], credentials: Credentials | None
) -> Request:
    """The token request as a GET: user and password as Basic, or nothing at all."""
    query = [("service", service)] if service else []
    query += [("scope", scope) for scope in scopes[:SCOPE_LIMIT]]
    authorization = Secret()
    if credentials is not None and credentials.username:
        query.append(("account", credentials.username))
        authorization = basic(credentials.username, credentials.password)
    joint = "&" if "?" in realm.target else "?"
    address = realm.at(realm.target + (joint + urlencode(query) if query else ""))
    return Request("GET", address, authorization=authorization)


def _refresh(
    realm: Address, service: str, scopes: Sequence[str], credentials: Credentials
) -> Request:
    """The token request as OAuth 2 has it: an identity token is exchanged, in the body."""
    form = {
        "grant_type": "refresh_token",
        "service": service,
        "client_id": CLIENT_ID,
        "scope": " ".join(scopes[:SCOPE_LIMIT]),
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(form).encode() + b"&" + _refresh_field(credentials)
    return Request("POST", realm, headers, SecretBytes(body), retry=True, follow=False)


def _refresh_field(credentials: Credentials) -> bytes:
    return urlencode({"refresh_token": credentials.identity_token.reveal()}).encode()


class SecretBytes(bytes):
    """Bytes of a body that no report shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "SecretBytes(***)"


def _read(response: Response, session: Session) -> Token:
    """Read the answer: ``token`` or ``access_token``, ``expires_in`` clamped to what is sane."""
    source = str(response.address)
    raw = SecretBytes(response.read(session.limits.token_body, "the token answer"))
    token, lifetime = _fields(raw, source)
    return Token(token, time.monotonic() + lifetime)


def _fields(raw: bytes, source: str) -> tuple[Secret, float]:
    """Return the token and its seconds; whatever is raised here shows neither."""
    try:
        document = load_object(raw, source, len(raw))
    except InvalidDocument:
        document = None
    if document is None:
        raise InvalidResponse(source, "the token answer is not a JSON object")
    token, seconds = _take(document)
    del document
    if not token:
        raise InvalidResponse(source, "the token answer has no usable token")
    return token, seconds


def _take(document: dict[str, object]) -> tuple[Secret, float]:
    for key in ("token", "access_token"):
        value = document.get(key)
        if isinstance(value, str) and value.isascii() and _USABLE.fullmatch(value.encode()):
            break
    else:
        return Secret(), 0.0
    lifetime = document.get("expires_in")
    seconds = lifetime if isinstance(lifetime, (int, float)) else SHORTEST
    return Secret(value), float(min(max(seconds, SHORTEST), LONGEST))
