"""Whether a registry on this machine speaks TLS or plain HTTP: asked once, remembered."""

from __future__ import annotations

import threading
from socket import gaierror
from typing import TYPE_CHECKING

from pytest_images.errors import Unreachable
from pytest_images.http.address import Address, is_loopback, split_host
from pytest_images.http.connection import dial

if TYPE_CHECKING:
    from socket import socket

    from pytest_images.http.limits import Limits

_PROBE_SECONDS = 3.0
# The first words of TLS 1.2 (RFC 5246, 7.4.1.2), as far as anybody answers them: with a record,
# if only to refuse. The empty line in its random bytes makes others answer at once as well.
_HELLO = (
    b"\x03\x03" + b"\r\n\r\n" * 8 + b"\0"  # the version, random bytes, no session
    b"\0\x04\xc0\x2f\xc0\x2b" + b"\x01\0"  # AES-128-GCM with ECDHE, no compression
)
_HANDSHAKE = b"\x01" + len(_HELLO).to_bytes(3) + _HELLO
_CLIENT_HELLO = b"\x16\x03\x01" + len(_HANDSHAKE).to_bytes(2) + _HANDSHAKE
_RECORDS = (b"\x15", b"\x16")  # an alert, a handshake
_PLAIN_QUESTION = b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Origins:
    """What each ``host:port`` of this machine speaks, learned by a handshake."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._known: dict[str, Address] = {}

    def address(self, host: str, scheme: str = "") -> Address:
        """Return the address of *host* (``name`` or ``name:port``).

        *scheme* as in `Endpoint`: where it is empty, HTTPS; on loopback HTTPS first, and
        plain HTTP when the handshake shows that. Raises InvalidAddress, Unreachable.
        """
        if not scheme:
            with self._lock:
                known = self._known.get(host)
            if known is not None:
                return known
        name, _ = split_host(host)
        if scheme or not is_loopback(name):
            return Address.of(scheme or "https", host)
        found = self._probe(Address.of("https", host), Address.of("http", host))
        with self._lock:
            self._known[host] = found
        return found

    def forget(self, host: str) -> None:
        """Ask *host* again next time: what listened there is gone."""
        with self._lock:
            self._known.pop(host, None)

    def _probe(self, secure: Address, plain: Address) -> Address:
        """Return the right one by the start of a handshake, which sends no secret."""
        if secure.port != plain.port and not _listens(secure, self._limits):
            return plain  # no port was named: 443 is closed, so it can only be 80
        try:
            return secure if _answers_in_tls(secure, self._limits) else plain
        except (ConnectionRefusedError, gaierror) as error:
            raise Unreachable(secure.base, [error.strerror or str(error)]) from None
        except OSError:
            return plain if _answers_plainly(plain, self._limits) else secure


def _connect(address: Address, limits: Limits) -> socket:
    return dial(address, min(limits.connect, _PROBE_SECONDS))


def _listens(address: Address, limits: Limits) -> bool:
    try:
        _connect(address, limits).close()
    except OSError:
        return False
    return True


def _answers_in_tls(address: Address, limits: Limits) -> bool:
    """Whether the server speaks TLS at all. Raises OSError when that stays unclear."""
    with _connect(address, limits) as raw:
        raw.sendall(_CLIENT_HELLO)
        answer = raw.recv(1)
    if not answer:
        raise ConnectionError("it hung up without a word")
    return answer in _RECORDS


def _answers_plainly(address: Address, limits: Limits) -> bool:
    try:
        with _connect(address, limits) as raw:
            raw.sendall(_PLAIN_QUESTION)
            return raw.recv(5) == b"HTTP/"
    except OSError:
        return False
