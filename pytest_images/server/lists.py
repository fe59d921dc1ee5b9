"""The lists: tags of a repository, and the catalog of repositories."""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING

from pytest_images.server.catalog import repositories
from pytest_images.server.pages import Page
from pytest_images.server.refusal import Refusal
from pytest_images.server.response import Response, as_json

if TYPE_CHECKING:
    from pytest_images.server.body import Body
    from pytest_images.server.service import Service
    from pytest_images.server.wire import Request


def version(service: Service, request: Request, body: Body) -> Response:
    """``GET /v2/``: this is a registry, and nobody has to log in."""
    del service, request, body
    return as_json(200, {})


def tags(service: Service, request: Request, body: Body, name: str) -> Response:
    """``GET /v2/<name>/tags/list``, with ``n`` and ``last``."""
    del body
    page = Page.asked(request)
    found = service.shelf.tags(name)
    if not found and not service.shelf.is_repository(name):
        raise Refusal(404, "NAME_UNKNOWN", f"there is no repository {name}")
    start = bisect.bisect_right(found, page.last) if page.last else 0
    listed, link = page.cut(found[start : start + page.count + 1])
    return as_json(200, {"name": name, "tags": listed}, link)


def catalog(service: Service, request: Request, body: Body) -> Response:
    """``GET /v2/_catalog``, with ``n`` and ``last`` (Docker's registry API)."""
    del body
    page = Page.asked(request)
    found = repositories(service.shelf.repositories, page.last)
    listed, link = page.cut(list(itertools.islice(found, page.count + 1)))
    return as_json(200, {"repositories": listed}, link)
