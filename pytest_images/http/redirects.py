"""Where a server may send us: one rule for redirects, realms, uploads, pages and ``urls``.

A registry that can name any address as the next one can make its client knock at the
client's own network (CVE-2026-33540 and many before it). So each hop is judged here.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from pytest_images.errors import UnsafeAddress

if TYPE_CHECKING:
    from pytest_images.http.address import IP, Address

# Names under which clouds serve the credentials of the machine that asks.
METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)


def check_hop(source: Address, target: Address) -> None:
    """Raise UnsafeAddress unless a server at *source* may send us to *target*.

    From HTTPS only to HTTPS, but between loopback addresses. To an address of this machine,
    of a private network or of a metadata service only from that same address.
    """
    if target.host == source.host:
        _require_no_downgrade(source, target)
        return
    if target.is_loopback and source.is_loopback:
        return
    _require_no_downgrade(source, target)
    if target.is_loopback or target.host.rstrip(".") in METADATA_NAMES:
        raise _refused(source, target, "it is an address of this machine or its metadata")
    if target.ip is not None and not is_public(target.ip):
        raise _refused(source, target, "it is a private, local or reserved IP address")


def check_here(source: Address, target: Address) -> None:
    """Raise UnsafeAddress unless *target* is on this machine: nothing else is asked offline."""
    if not target.is_loopback:
        raise UnsafeAddress(source.base, str(target), "offline: only this machine is asked")


def check_realm(registry: Address, realm: Address) -> None:
    """Raise UnsafeAddress unless *registry* may name *realm* as its token server.

    On top of `check_hop`: HTTPS from HTTPS, plain HTTP on loopback only, and no IP literal
    but the registry's own address or, from loopback, another loopback address.
    """
    check_hop(registry, realm)
    both_here = registry.is_loopback and realm.is_loopback
    if realm.scheme == "http" and registry.scheme == "https":
        raise _refused(registry, realm, "a token would travel in clear")
    if realm.scheme == "http" and not both_here and realm.host != registry.host:
        raise _refused(registry, realm, "a token would travel in clear")
    if realm.ip is not None and not both_here and realm.host != registry.host:
        raise _refused(registry, realm, "a token server must have a name")


def check_same_origin(source: Address, target: Address) -> None:
    """Raise UnsafeAddress unless *target* is on the same scheme, host and port (a next page)."""
    if source.origin != target.origin:
        raise _refused(source, target, "the next page must be on the same server")


def is_public(ip: IP) -> bool:
    """Whether *ip* is an address of the public internet, mapped and tunnelled forms included."""
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(inner)
        if ip in ipaddress.IPv6Network("64:ff9b::/96"):
            return is_public(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip.is_global and not ip.is_multicast


def _require_no_downgrade(source: Address, target: Address) -> None:
    if source.scheme == "https" and target.scheme == "http" and not source.is_loopback:
        raise _refused(source, target, "HTTPS must not go on as plain HTTP")


def _refused(source: Address, target: Address, reason: str) -> UnsafeAddress:
    error = UnsafeAddress(source.base, str(target), reason)
    error.add_note("the server's configuration, or somebody between, sends clients there")
    return error
