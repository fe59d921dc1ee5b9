"""Addresses of servers, read once and strictly (a subset of RFC 3986).

Two readers of one URL that disagree about its host are how a secret reaches the wrong
server. So there is one reader, it knows few forms, and refuses the rest.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Self
from urllib.parse import urljoin

from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidAddress
from pytest_images.regex import regex

PORTS = {"http": 80, "https": 443}
LENGTH_LIMIT = 16 << 10  # characters; signed storage addresses reach 2,000

_VISIBLE = regex(r"[!-~]+")
_ADDRESS = regex(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?]*)(?P<path>/[^?]*)?(?P<query>\?.*)?"
)
_HOST = regex(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?")
_NUMERIC_LABEL = regex(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)")
_FORBIDDEN = {"\\": "a backslash", "@": "a user name", "#": "a fragment"}

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Origin = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Address:
    """An ``http`` or ``https`` address: scheme, host (lower case), port, path and query.

    >>> Address.parse("https://Registry.example/v2/").url
    'https://registry.example/v2/'
    """

    scheme: str
    host: str
    port: int
    target: str = "/"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an absolute address.

        Refused with InvalidAddress: other schemes, a user name, a fragment, a backslash,
        control and non-ASCII characters, and hosts that are numbers in disguise (``0x7f.1``).
        """
        _require_plain(text)
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise InvalidAddress(text, "expected http:// or https:// and a host")
        scheme = match["scheme"].lower()
        if scheme not in PORTS:
            raise InvalidAddress(text, f"the scheme {scheme} is not http or https")
        host, port = _split_authority(match["authority"], text)
        target = (match["path"] or "/") + (match["query"] or "")
        return cls(scheme, host, PORTS[scheme] if port is None else port, target)

    @classmethod
    def of(cls, scheme: str, host: str, target: str = "/") -> Self:
        """Make an address of a scheme and ``host`` or ``host:port``."""
        return cls.parse(f"{scheme}://{host}{target}")

    @property
    def origin(self) -> Origin:
        """Scheme, host and port: what credentials and tokens are bound to."""
        return self.scheme, self.host, self.port

    @property
    def netloc(self) -> str:
        """``host``, with ``:port`` where it is not the scheme's own."""
        return self.host if self.port == PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def base(self) -> str:
        """Scheme and host, for messages."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The whole address as text."""
        return self.base + self.target

    @property
    def path(self) -> str:
        """The path without the query, for messages: a query may carry a signature."""
        return self.target.partition("?")[0]

    @property
    def ip(self) -> IP | None:
        """The IP address that the host is written as, None for a name."""
        return ip_literal(self.host)

    @property
    def is_loopback(self) -> bool:
        """Whether the host is exactly ``localhost``, ``::1`` or in 127.0.0.0/8."""
        return is_loopback(self.host)

    def join(self, location: str) -> Self:
        """Resolve *location*, absolute or relative to this address (a header's value)."""
        _require_plain(location)
        return type(self).parse(urljoin(self.url, location))

    def at(self, target: str) -> Self:
        """Return another path (and query) of the same server."""
        _require_plain(target)
        return type(self)(self.scheme, self.host, self.port, target)

    def __str__(self) -> str:
        return self.base + self.path


def is_url(text: str) -> bool:
    """Tell whether Docker takes *text* for an address rather than for a file's path."""
    return text.startswith(("http://", "https://"))


@lru_cache(maxsize=256)  # a pull asks some twenty times about one or two
def ip_literal(host: str) -> IP | None:
    """Return the IP address that *host* is written as, None for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether *host* (without port) is this machine beyond doubt: no name lookup decides it."""
    ip = ip_literal(host)
    if ip is None:
        return host.lower() == "localhost"
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped is None and ip.is_loopback


def split_host(text: str) -> tuple[str, int | None]:
    """Split ``host`` or ``host:port``, checked as in an address. Raises InvalidAddress."""
    _require_plain(text)
    return _split_authority(text, text)


def _require_plain(text: str) -> None:
    if len(text) > LENGTH_LIMIT:
        raise InvalidAddress(text[:100], f"longer than {LENGTH_LIMIT} characters")
    if not _VISIBLE.fullmatch(text):
        raise InvalidAddress(text, "empty, or a space, control or non-ASCII character in it")
    for character, meaning in _FORBIDDEN.items():
        if character in (text if character != "@" else _authority_part(text)):
            raise InvalidAddress(text, f"{meaning} in it")


def _authority_part(text: str) -> str:
    """What lies before the path, where ``@`` would make a user name of it."""
    after = text.partition("//")[2] if "//" in text.partition("?")[0] else ""
    return re.split(r"[/?]", after, maxsplit=1)[0]


def _split_authority(authority: str, text: str) -> tuple[str, int | None]:
    host, colon, digits = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, digits = authority, ""
    elif not digits.isascii() or not digits.isdigit() or not 0 < int(digits[:6]) < 1 << 16:
        raise InvalidAddress(text, "the port is not a number from 1 to 65535")
    return _checked_host(host, text), int(digits) if digits else None


def _checked_host(host: str, text: str) -> str:
    if host.startswith("["):
        ip = ip_literal(host) if host.endswith("]") and "%" not in host else None
        if not isinstance(ip, ipaddress.IPv6Address):
            raise InvalidAddress(text, "the host is not an IPv6 address")
        return f"[{ip.compressed}]"
    if len(host) > 253 or not _HOST.fullmatch(host) or ".." in host:
        raise InvalidAddress(text, "the host is not a name or an IP address")
    last = host.rstrip(".").rpartition(".")[2]
    if _NUMERIC_LABEL.fullmatch(last) and ip_literal(host) is None:
        raise InvalidAddress(text, "the host is a number that is not a plain IPv4 address")
    return host.lower()
