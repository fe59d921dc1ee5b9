"""Ports as EXPOSE names them: ``[[ip:]host:]port[-port][/protocol]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.regex import regex

if TYPE_CHECKING:
    from collections.abc import Sequence

_NUMBER = regex(r"[+-]?[0-9]{1,20}")
_HIGHEST = 65535
_PROTOCOLS = ("tcp", "udp", "sctp")
_COUNT_LIMIT = 3 * (_HIGHEST + 1)  # each port of each protocol, once


def parse_ports(texts: Sequence[str]) -> tuple[str, ...]:
    """Return each port as ``number/protocol``, in order, once. Raises Malformed.

    Host ports and addresses are checked and mean nothing, as in Docker.

    >>> parse_ports(["80", "8000-8001/UDP"])
    ('80/tcp', '8000/udp', '8001/udp')
    """
    found: dict[str, None] = {}
    count = 0
    for text in dict.fromkeys(texts):
        first, last, protocol = _port(text)
        count += last - first + 1
        if count > _COUNT_LIMIT:
            raise Malformed("the ranges of ports name some ports again and again")
        found |= dict.fromkeys(f"{number}/{protocol}" for number in range(first, last + 1))
    return tuple(found)


def _port(text: str) -> tuple[int, int, str]:
    address, host, container = _parts(text)
    port, _, given = container.partition("/")
    protocol = given.lower() or "tcp"
    if not port:
        raise Malformed(f'invalid port: "{text}": no port specified')
    if protocol not in _PROTOCOLS:
        raise Malformed(f'invalid port: "{text}": invalid proto: {given}')
    _require_address(address)
    first, last = _range(port, "containerPort")
    if host:
        begin, end = _range(host, "hostPort")
        if end - begin != last - first != 0:
            raise Malformed(f"invalid ranges for container and host ports: {port} and {host}")
    return first, last, protocol


def _parts(text: str) -> tuple[str, str, str]:
    *before, container = text.split(":")
    host = before.pop() if before else ""
    return ":".join(before), host, container


def _require_address(text: str) -> None:
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    import ipaddress

    try:
        if bare:
            ipaddress.ip_address(bare)
    except ValueError as error:
        raise Malformed(f"invalid IP address: {text}") from error


def _range(text: str, what: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    first = _number(start, text, what)
    last = _number(end, text, what) if dash else first
    if last < first:
        raise Malformed(f"invalid {what}: {text}")
    return first, last


def _number(text: str, whole: str, what: str) -> int:
    if not _NUMBER.fullmatch(text) or not 0 <= int(text) <= _HIGHEST:
        raise Malformed(f"invalid {what}: {whole}: ports are numbers from 0 to {_HIGHEST}")
    return int(text)
