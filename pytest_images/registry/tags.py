"""The tags of a repository, page by page (distribution-spec, listing tags; RFC 8288)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_images.errors import ImageNotFound, InvalidReference, InvalidResponse, LimitExceeded
from pytest_images.http.redirects import check_same_origin
from pytest_images.http.session import Request
from pytest_images.model.reference import Reference
from pytest_images.regex import regex

if TYPE_CHECKING:
    from pytest_images.http.address import Address
    from pytest_images.http.response import Response
    from pytest_images.registry.repository import Repository

PAGE = 1000
_NEXT = regex(r'<([^<>]*)>\s*;[^,]*\brel="?next"?')


def list_tags(repository: Repository) -> tuple[str, ...]:
    """Return all tags, as the registry orders them.

    Raises ImageNotFound, LimitExceeded (pages, tags, or a page beyond 4 MiB), UnsafeAddress
    for a next page elsewhere, InvalidResponse, AuthError, RegistryError, Unreachable.
    """
    limits = repository.limits
    source = f"{repository} tags"
    found: dict[str, None] = {}
    seen: set[str] = set()
    address: Address | None = repository.at(f"tags/list?n={PAGE}")
    while address is not None:
        if len(seen) >= limits.tag_pages:
            raise LimitExceeded(source, "number of pages", limits.tag_pages)
        if address.url in seen:
            raise InvalidResponse(source, "a page of tags names itself or an earlier one as next")
        seen.add(address.url)
        tags, address = _page(repository, address, source)
        found.update(dict.fromkeys(tags))
        if len(found) > limits.tags:
            raise LimitExceeded(source, "number of tags", limits.tags)
    return tuple(found)


def _page(
    repository: Repository, address: Address, source: str
) -> tuple[list[str], Address | None]:
    """Return the tags of one page, and the address of the next."""
    with repository.send(Request("GET", address)) as response:
        if response.status != 200:
            missing = ImageNotFound(str(repository), repository.server.base)
            raise repository.refused(response, missing)
        raw = response.read(repository.limits.document_body, "a page of tags")
        return _tags(raw, repository, source), _next(response, repository)


def _tags(raw: bytes, repository: Repository, source: str) -> list[str]:
    try:
        listed = json.loads(raw)["tags"]
    except (ValueError, KeyError, TypeError, RecursionError):
        listed = 0
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(tag, str) for tag in listed):
        raise InvalidResponse(source, "a page of tags is not a list of text")
    for tag in listed:
        _require_tag(tag, source)
    return listed


def _require_tag(tag: str, source: str) -> None:
    try:
        Reference("localhost", "repository", tag)
    except InvalidReference as error:
        raise InvalidResponse(source, f"{tag} is not a tag: {error.reason}") from None


def _next(response: Response, repository: Repository) -> Address | None:
    match = _NEXT.search(response.headers.get("Link", "")[: 16 << 10])
    if match is None:
        return None
    target = response.address.join(match[1])
    check_same_origin(repository.server, target)
    return target
