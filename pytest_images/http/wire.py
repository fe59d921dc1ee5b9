"""requests and urllib3, fitted out for this session. Imported at the first request only.

requests' adapter is used without its session: so there is no cookie jar, no netrc, no
environment and no redirect that we did not write.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
from typing import TYPE_CHECKING, Any, ClassVar

from requests.adapters import HTTPAdapter
from requests.hooks import default_hooks
from requests.models import PreparedRequest
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pytest_images.errors import UnsafeAddress
from pytest_images.http.bodies import FileBody
from pytest_images.http.pace import Pace, PacedReader
from pytest_images.http.trust import context_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from socket import socket

    from pytest_images.http.limits import Limits
    from pytest_images.http.session import Request

RECEIVE_BUFFER = 64 << 10
POOL_SIZE = 32


class _Adapter(HTTPAdapter):
    """Connections that keep our limits, one set of them for each way to verify."""

    def __init__(self, limits: Limits, verify: bool | str) -> None:
        self._verify = verify
        self._context: Any = None
        self._pools = _pool_classes(limits)
        super().__init__(pool_connections=POOL_SIZE, pool_maxsize=POOL_SIZE)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] != "https":
            return host, {}
        if self._context is None:
            self._context = context_for(self._verify)
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: the context decides, and it was made for this adapter alone."""


def make_adapter(limits: Limits, verify: bool | str) -> HTTPAdapter:
    """Return an adapter whose connections keep *limits* and verify by *verify*."""
    return _Adapter(limits, verify)


def prepare(request: Request) -> PreparedRequest:
    """Write *request* down for the adapter, with nothing added that it does not say."""
    prepared = PreparedRequest()
    prepared.prepare_method(request.method)
    prepared.url = request.address.url  # ours, already strict: no second reader of addresses
    prepared.prepare_headers(_headers(request))
    prepared.body = request.body  # type: ignore[assignment]  # iterable: see FileBody
    prepared.hooks = default_hooks()
    prepared.prepare_cookies({})
    return prepared


def _headers(request: Request) -> Mapping[str, str]:
    """All headers; the one place where a secret is written in clear, and only into these."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "pytest-images", **request.headers}
    if request.body is not None:
        headers["Content-Length"] = str(len(request.body))
    elif request.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = "0"
    if request.authorization:
        headers["Authorization"] = request.authorization.reveal()
    return headers


def _pool_classes(limits: Limits) -> dict[str, Any]:
    """Make pools for ``http`` and ``https`` whose connections keep *limits*."""

    class Response(_PacedResponse):
        bounds = limits

    class Plain(_Connection, HTTPConnection):
        response_class: Any = Response

    class Encrypted(_Connection, HTTPSConnection):
        response_class: Any = Response

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls: Any = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


class _PacedResponse(http.client.HTTPResponse):
    """An answer read through a `Pace`. The socket's timeout is the wait for its first byte."""

    bounds: ClassVar[Limits]

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        reader = PacedReader(sock, Pace(self.bounds, sock.gettimeout()))
        self.fp = io.BufferedReader(reader, RECEIVE_BUFFER)


class _Connection(HTTPConnection):
    """A connection that sends files by the kernel and does not talk to link-local peers."""

    def connect(self) -> None:
        super().connect()
        if self.proxy is None and self.sock is not None:
            _check_peer(self.host, self.sock)

        # Whether to verify was the endpoint's decision; all urllib3 would add is a warning.
        self.is_verified = True

    def send(self, data: Any) -> None:
        if isinstance(data, FileBody) and self.sock is not None:
            data.send(self.sock)
        else:
            super().send(data)


def _check_peer(host: str, sock: socket) -> None:
    """Raise UnsafeAddress where a *name* leads to a link-local address (cloud metadata)."""
    try:
        peer = ipaddress.ip_address(sock.getpeername()[0].partition("%")[0])
        written = host.strip("[]").partition("%")[0] == str(peer)
    except (OSError, ValueError):
        return  # a socket that is closed already fails by itself
    if peer.is_link_local and not written:
        sock.close()
        raise UnsafeAddress(host, str(peer), "the name leads to a link-local address")
