"""Which proxy a request goes through, by the environment's rules as curl and Go read them."""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote

from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidAddress, InvalidConfiguration
from pytest_images.http.address import Address
from pytest_images.model.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxy for each scheme, and the hosts that are asked directly.

    A proxy's user and password stay in `Secret`s and are sent to the proxy alone.
    """

    by_scheme: tuple[tuple[str, Secret], ...] = ()
    direct: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``, either case.

        Raises InvalidConfiguration for a proxy that is not an ``http`` or ``https`` address.
        """
        known = os.environ if environment is None else environment
        found = []
        for scheme in ("http", "https"):
            name, text = _first(known, f"{scheme}_proxy", "all_proxy")
            if text:
                found.append((scheme, Secret(_checked(name, text))))
        _, direct = _first(known, "no_proxy")
        return cls(tuple(found), tuple(filter(None, (d.strip() for d in direct.split(",")))))

    def for_address(self, address: Address) -> Secret | None:
        """Return the address of the proxy for *address*, None for none. Loopback never has one."""
        if address.is_loopback or any(_covers(rule, address) for rule in self.direct):
            return None
        return dict(self.by_scheme).get(address.scheme)


def _first(known: Mapping[str, str], *names: str) -> tuple[str, str]:
    """Return the first variable that is set. ``HTTP_PROXY`` is not ours in a CGI: a header is."""
    for name in names:
        for variable in (name, name.upper()):
            if variable == "HTTP_PROXY" and "REQUEST_METHOD" in known:
                continue
            if known.get(variable):
                return variable, known[variable]
    return "", ""


def _checked(name: str, text: str) -> str:
    """Return *text* as an address the adapter can use; the error shows no password."""
    scheme, mark, rest = text.partition("://") if "://" in text else ("http", "://", text)
    user, at, host = rest.rpartition("@")
    try:
        address = Address.parse(f"{scheme}{mark}{host}")
    except InvalidAddress as error:
        raise InvalidConfiguration(name, f"not a proxy's address: {error.reason}") from None
    if not at:
        return address.base
    login, colon, password = user.partition(":")
    safe = quote(unquote(login), safe="") + colon + quote(unquote(password), safe="")
    return f"{address.scheme}://{safe}@{address.netloc}"


def _covers(rule: str, address: Address) -> bool:
    """Whether one part of ``NO_PROXY`` (``*``, a name, a suffix, an IP or network) holds."""
    if rule == "*":
        return True
    host, _, port = rule.lower().partition(":") if rule.count(":") == 1 else (rule.lower(), "", "")
    if port and port != str(address.port):
        return False
    if address.ip is not None:
        try:
            return address.ip in ipaddress.ip_network(host.strip("[]"), strict=False)
        except ValueError:
            return False
    name = host.removeprefix("*").removeprefix(".")
    return address.host == name or address.host.endswith(f".{name}")
