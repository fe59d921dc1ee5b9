"""Who may be asked for by name: a guard against web pages that reach for loopback.

A page can make its own domain resolve to 127.0.0.1 (DNS rebinding) and then talk to a server
here as if it were its own; or it can send simple requests across origins. Programs do
neither: they name the loopback address and send no Origin.
"""

from __future__ import annotations

import functools

from pytest_images.server.refusal import Refusal

_LOCAL_NAMES = ("localhost", ".localhost")


@functools.lru_cache(256)
def host_of(authority: str) -> str:
    """Return the host of ``host``, ``host:port``, ``[v6]`` or ``[v6]:port``; "" if malformed."""
    if authority.startswith("["):
        host, bracket, port = authority[1:].partition("]")
        if not bracket or (port and not port[1:].isdecimal()):
            return ""
        return host if not port or port[0] == ":" else ""
    host, colon, port = authority.partition(":")
    return host if not colon or port.isdecimal() else ""


@functools.lru_cache(256)
def is_loopback(host: str) -> bool:
    """Say whether *host* (a name or an address without port) can only mean this machine."""
    name = host.lower().rstrip(".")
    if name == _LOCAL_NAMES[0] or name.endswith(_LOCAL_NAMES[1]):
        return True
    if name == "127.0.0.1":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_caller(headers: dict[str, str], bound: str) -> None:
    """Refuse a request that a web page of another site made; *bound* is what we listen on.

    A registry that its caller opened to a network answers to any name, for only the caller
    knows which names lead there.
    """
    host = host_of(headers["host"]) if "host" in headers else bound
    if not host:
        raise Refusal(400, "UNSUPPORTED", "the Host header is malformed", close=True)
    if is_loopback(bound) and not is_loopback(host):
        message = f"this registry serves loopback only, not {host}"
        raise Refusal(403, "DENIED", message, close=True)
    origin = headers.get("origin")
    if origin is not None and not _is_same_machine(origin):
        raise Refusal(403, "DENIED", "requests of web pages are not served", close=True)
    if headers.get("sec-fetch-site") == "cross-site":
        raise Refusal(403, "DENIED", "requests of web pages are not served", close=True)


def _is_same_machine(origin: str) -> bool:
    from urllib.parse import urlsplit

    try:
        host = urlsplit(origin).hostname
    except ValueError:
        return False
    return host is not None and is_loopback(host)
