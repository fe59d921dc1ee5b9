"""The session: one request in, one answer out, with every care in between."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass, field, replace
from pytest_images.errors import ImagesError, InvalidResponse, Unreachable
from pytest_images.http.failures import failure_of
from pytest_images.http.limits import DEFAULT, Limits
from pytest_images.http.origin import Origins
from pytest_images.http.plain import PlainWire
from pytest_images.http.proxies import Proxies
from pytest_images.http.redirects import check_here, check_hop
from pytest_images.http.response import Response
from pytest_images.http.retry import IDEMPOTENT, Attempts
from pytest_images.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from pytest_images.http.address import Address
    from pytest_images.http.bodies import FileBody
    from pytest_images.http.response import Answer

    class Wire(Protocol):
        """Connections of one kind, and the client that drives them."""

        @property
        def faults(self) -> tuple[type[Exception], ...]:
            """What sending and reading may raise."""

        def send(self, request: Request, wait: float, proxy: Secret | None) -> Answer:
            """Send *request*, by *proxy*; wait *wait* seconds for the first byte of the answer."""

        def close(self) -> None:
            """Close the connections that nobody reads from."""


REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CLOSED = "the session was closed"
_GLANCE = 0.25  # seconds between two looks at whether a wait is still wanted


@dataclass(frozen=True, slots=True)
class Request:
    """One request. ``authorization`` goes to this address's scheme, host and port, no further.

    ``wait``: seconds for the first byte of the answer, None for the usual. ``retry`` None:
    where the method is idempotent. ``verify`` as in `Endpoint`.
    """

    method: str
    address: Address
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileBody | None = None
    authorization: Secret = field(default_factory=Secret)
    follow: bool = True
    retry: bool | None = None
    wait: float | None = None
    verify: bool | str = True

    @property
    def is_idempotent(self) -> bool:
        """Whether it may be sent again without knowing what became of it."""
        return self.method in IDEMPOTENT if self.retry is None else self.retry


class Session:
    """Connections to many servers, shared by threads; not by processes: a fork starts anew."""

    def __init__(
        self, limits: Limits = DEFAULT, proxies: Proxies | None = None, *, offline: bool = False
    ) -> None:
        """*proxies* None: those of the environment, read at the first request.

        *offline*: nothing but this machine is dialled, whoever names the address.
        """
        self.limits, self._offline = limits, offline
        self.origins = Origins(limits)
        self._proxies = proxies
        self._lock = threading.Lock()
        self._wires: dict[bool | str | None, Wire] = {}  # by the way to verify; None: plain HTTP
        self._owner = os.getpid()
        self._closed = threading.Event()

    def send(
        self,
        request: Request,
        retrying: Callable[[str], None] | None = None,
        check: Callable[[], None] | None = None,
    ) -> Response:
        """Send *request*, follow redirects, try again where that is right.

        *retrying* is told why, in words, before each wait; *check* is called while waiting
        and ends it by raising. An answer of any status is returned. Raises Unreachable,
        TlsError, InvalidResponse, InvalidAddress, UnsafeAddress.
        """
        attempts = Attempts(self.limits, idempotent=request.is_idempotent)
        while True:
            wait, why, result = self._attempt(request, attempts)
            if wait is None:
                if isinstance(result, ImagesError):
                    raise result
                return result
            if retrying is not None:
                retrying(f"{why}, again in {wait:.1f} s")
            self._sleep(wait, check)

    def close(self) -> None:
        """Close every connection, and end the waits of other threads. Safe when called twice."""
        self._closed.set()
        with self._lock:
            wires, self._wires = list(self._wires.values()), {}
        for wire in wires if self._owner == os.getpid() else ():
            wire.close()

    def _sleep(self, seconds: float, check: Callable[[], None] | None) -> None:
        """Wait, but not beyond the session's end or the caller's interest."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if check is not None:
                check()
            if self._closed.wait(min(left, _GLANCE)):
                raise Unreachable("registry", [_CLOSED])

    def _attempt(
        self, request: Request, attempts: Attempts
    ) -> tuple[float | None, str, Response | ImagesError]:
        """Try once; return the seconds to wait before the next try, the reason, and the result."""
        try:
            response = self._follow(request)
        except Unreachable as failure:
            return attempts.wait_after_failure(), str(failure), failure
        asked = response.headers.get("Retry-After")
        wait = attempts.wait_after_answer(response.status, asked)
        if wait is not None:
            response.drain()
        return wait, f"{request.address.base} answered {response.status}", response

    def _follow(self, request: Request) -> Response:
        """Send, and follow at most ``limits.redirects`` redirects, each hop judged."""
        first = request.address
        for _ in range(self.limits.redirects + 1):
            if self._offline:
                check_here(first, request.address)
            response = self._exchange(request)
            location = response.headers.get("Location")
            if not request.follow or response.status not in REDIRECTS or location is None:
                return response
            response.drain()
            request = _redirected(request, first, location, response.status)
        raise InvalidResponse(str(first), f"more than {self.limits.redirects} redirects")

    def _exchange(self, request: Request) -> Response:
        """Send once and wait for the head of the answer."""
        proxy = self._proxy_for(request.address)
        wire = self._wire(request, proxy)
        limits = self.limits
        try:
            answer = wire.send(
                request, limits.idle if request.wait is None else request.wait, proxy
            )
        except wire.faults as error:
            failure = failure_of(error, request.address)
        else:
            return _checked(
                Response(
                    answer,
                    request.address,
                    self.limits,
                    wire.faults,
                    bodiless=request.method == "HEAD",
                    via_proxy=proxy is not None,
                )
            )
        raise failure from None  # the library's own frames hold headers, and so secrets

    def _proxy_for(self, address: Address) -> Secret | None:
        if self._proxies is None:
            self._proxies = Proxies.from_environment()
        return self._proxies.for_address(address)

    def _wire(self, request: Request, proxy: Secret | None) -> Wire:
        """Return the connections to use; a set for each way to verify, never mixed."""
        verify = None if request.address.scheme == "http" and proxy is None else request.verify
        with self._lock:
            if self._closed.is_set():
                raise Unreachable("registry", [_CLOSED])
            if self._owner != os.getpid():
                self._wires, self._owner = {}, os.getpid()
            if verify not in self._wires:
                self._wires[verify] = _make_wire(verify, self.limits)
            return self._wires[verify]


def _make_wire(verify: bool | str | None, limits: Limits) -> Wire:
    """Make connections of one kind; imports what drives them."""
    if verify is None:
        return PlainWire(limits)
    from pytest_images.http.wire import RequestsWire

    return RequestsWire(limits, verify)


def _redirected(request: Request, first: Address, location: str, status: int) -> Request:
    """Return what to send next. What is for one origin alone is dropped where it changes."""
    target = request.address.join(location)
    check_hop(first, target)
    check_hop(request.address, target)
    method, body = request.method, request.body
    if status == 303 and method != "HEAD":
        method, body = "GET", None
    same = target.origin == request.address.origin
    return replace(
        request,
        method=method,
        address=target,
        body=body,
        authorization=request.authorization if same else Secret(),
    )


def _checked(response: Response) -> Response:
    """Refuse encodings stacked on each other: nothing here asked for even one."""
    if "," in response.headers.get("Content-Encoding", ""):
        response.close()
        raise InvalidResponse(str(response.address), "its content is encoded more than once")
    return response
