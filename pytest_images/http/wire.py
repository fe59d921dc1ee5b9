"""requests and urllib3, fitted out for this session: TLS and proxies. Imported at need only.

requests' adapter is used without its session: so there is no cookie jar, no netrc, no
environment and no redirect that we did not write.
"""

from __future__ import annotations

from http.client import HTTPConnection as StandardConnection
from http.client import HTTPException, HTTPResponse
from io import BufferedReader
from typing import TYPE_CHECKING, Any, ClassVar

from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from requests.hooks import default_hooks
from requests.models import PreparedRequest
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from pytest_images.http.bodies import FileBody
from pytest_images.http.connection import RECEIVE_BUFFER, check_peer, headers_of
from pytest_images.http.pace import Pace, PacedReader
from pytest_images.http.trust import context_for

if TYPE_CHECKING:
    from socket import socket

    from pytest_images.http.limits import Limits
    from pytest_images.http.session import Request
    from pytest_images.model.secret import Secret

POOL_SIZE = 32


class RequestsWire:
    """Connections that keep *limits* and verify by *verify*; see `Request`."""

    faults = (RequestException, HTTPError, HTTPException, OSError, ValueError)

    def __init__(self, limits: Limits, verify: bool | str) -> None:
        self._limits, self._verify = limits, verify
        self._adapter = _Adapter(limits, verify)

    def send(self, request: Request, wait: float, proxy: Secret | None) -> RequestsAnswer:
        """Send *request*; return its answer, with the body still to be read."""
        answer = self._adapter.send(
            _prepare(request),
            stream=True,
            timeout=(self._limits.connect, wait),
            verify=self._verify,
            proxies={request.address.scheme: proxy.reveal()} if proxy else None,
        )
        return RequestsAnswer(answer.raw)

    def close(self) -> None:
        """Close the connections that nobody reads from."""
        self._adapter.close()


class RequestsAnswer:
    """An `Answer` as urllib3 gives it; nothing is decoded on the way."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.status: int = raw.status
        self.headers = raw.headers
        self.fileno, self.shutdown = raw.fileno, raw.shutdown

    def read(self, size: int) -> bytes:
        """Read *size* bytes of the body, fewer at its end."""
        piece: bytes = self._raw.read(size, decode_content=False)
        return piece

    def read1(self, size: int) -> bytes:
        """Read up to *size* bytes of the body, those that come next."""
        piece: bytes = self._raw.read1(size, decode_content=False)
        return piece

    def close(self) -> None:
        """Keep the connection where all was read; close any other. Safe when called twice."""
        self._raw.close() if not self._raw.isclosed() else self._raw.release_conn()


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


def _prepare(request: Request) -> PreparedRequest:
    """Write *request* down for the adapter, with nothing added that it does not say."""
    prepared = PreparedRequest()
    prepared.prepare_method(request.method)
    prepared.url = request.address.url  # ours, already strict: no second reader of addresses
    prepared.prepare_headers(headers_of(request))
    prepared.body = request.body  # type: ignore[assignment]  # iterable: see FileBody
    prepared.hooks = default_hooks()
    prepared.prepare_cookies({})
    return prepared


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


class _PacedResponse(HTTPResponse):
    """An answer read through a `Pace`. The socket's timeout is the wait for its first byte."""

    bounds: ClassVar[Limits]

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        reader = PacedReader(sock, Pace(self.bounds, sock.gettimeout()))
        self.fp = BufferedReader(reader, RECEIVE_BUFFER)


class _Connection(StandardConnection):
    """A connection that sends files by the kernel and does not talk to link-local peers."""

    proxy: Any = None  # urllib3's, where it has one

    def connect(self) -> None:
        """Connect, and look at who is there."""
        super().connect()
        if self.proxy is None and self.sock is not None:
            check_peer(self.host, self.sock)
        # Whether to verify was the endpoint's decision; all urllib3 would add is a warning.
        self.is_verified = True

    def send(self, data: Any) -> None:
        """Send a piece of the request; a file goes by itself."""
        if isinstance(data, FileBody) and self.sock is not None:
            data.send(self.sock)
        else:
            super().send(data)
