"""Whether a registry on this machine speaks TLS or plain HTTP: asked once, remembered."""

from __future__ import annotations

import socket
import ssl
import threading
from functools import cache
from typing import TYPE_CHECKING

from pytest_images.errors import Unreachable
from pytest_images.http.address import Address, is_loopback, split_host
from pytest_images.http.failures import speaks_no_tls

if TYPE_CHECKING:
    from pytest_images.http.limits import Limits

_PROBE_SECONDS = 3.0
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
        """Return the right one by a handshake that verifies nobody and sends no secret."""
        if secure.port != plain.port and not _listens(secure, self._limits):
            return plain  # no port was named: 443 is closed, so it can only be 80
        try:
            return secure if _shakes_hands(secure, self._limits) else plain
        except (ConnectionRefusedError, socket.gaierror) as error:
            raise Unreachable(secure.base, [error.strerror or str(error)]) from None
        except OSError:
            return plain if _answers_plainly(plain, self._limits) else secure


def _connect(address: Address, limits: Limits) -> socket.socket:
    timeout = min(limits.connect, _PROBE_SECONDS)
    return socket.create_connection((address.host.strip("[]"), address.port), timeout)


def _listens(address: Address, limits: Limits) -> bool:
    try:
        _connect(address, limits).close()
    except OSError:
        return False
    return True


def _shakes_hands(address: Address, limits: Limits) -> bool:
    """Whether the server speaks TLS at all. Raises OSError when that stays unclear."""
    with _connect(address, limits) as raw:
        try:
            _asking_context().wrap_socket(raw, server_hostname=address.host).close()
        except ssl.SSLEOFError:
            raise  # it hung up without a word: not shown yet
        except ssl.SSLError as error:
            return not speaks_no_tls(error)
    return True


@cache  # making one takes longer than the handshake
def _asking_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only asks "TLS or not"; the real request verifies
    return context


def _answers_plainly(address: Address, limits: Limits) -> bool:
    try:
        with _connect(address, limits) as raw:
            raw.sendall(_PLAIN_QUESTION)
            return raw.recv(5) == b"HTTP/"
    except OSError:
        return False
