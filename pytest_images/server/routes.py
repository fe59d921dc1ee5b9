"""Which function answers which method and path (OCI distribution-spec, Endpoints)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.server import blobs, lists, manifests, names, uploads
from pytest_images.server.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_images.server.body import Body
    from pytest_images.server.response import Response
    from pytest_images.server.service import Service
    from pytest_images.server.wire import Request

    Methods = Mapping[str, Callable[..., Response]]

VERSION: Methods = {"GET": lists.version}
CATALOG: Methods = {"GET": lists.catalog}
TAGS: Methods = {"GET": lists.tags}
MANIFEST: Methods = {"GET": manifests.get, "PUT": manifests.put, "DELETE": manifests.delete}
BLOB: Methods = {"GET": blobs.get, "DELETE": blobs.delete}
UPLOADS: Methods = {"POST": uploads.begin}
UPLOAD: Methods = {
    "GET": uploads.status,
    "PATCH": uploads.append,
    "PUT": uploads.finish,
    "DELETE": uploads.cancel,
}
FIXED = {"/v2/": VERSION, "/v2": VERSION, "/v2/_catalog": CATALOG}


def answer(service: Service, request: Request, body: Body) -> Response:
    """Find what is asked for and let it answer; raises Refusal."""
    methods, found = route(request.path)
    method = "GET" if request.method == "HEAD" else request.method
    chosen = methods.get(method)
    if chosen is None:
        allowed = [*methods, "HEAD"] if "GET" in methods else list(methods)
        headers = [("Allow", ", ".join(allowed))]
        message = f"{request.method} is not supported here"
        raise Refusal(405, "UNSUPPORTED", message, headers=headers)
    return chosen(service, request, body, *found)


def route(path: str) -> tuple[Methods, tuple[str, ...]]:
    """Return the methods of a path and the names in it; refuses unknown paths and bad names."""
    path = _decoded(path)
    if path in FIXED:
        return FIXED[path], ()
    if not path.startswith("/v2/"):
        raise _nowhere()
    name, methods, rest = _parts(path[4:])
    return methods, (names.repository(name), *rest)


def _parts(path: str) -> tuple[str, Methods, tuple[str, ...]]:
    """Split a repository's name from what is asked of it.

    Read from the right, for the parts of a name may be called anything, ``blobs`` too.
    """
    name, _, last = path.rpartition("/")
    name, _, kind = name.rpartition("/")
    if kind == "manifests":
        return name, MANIFEST, (last,)
    if kind == "tags" and last == "list":
        return name, TAGS, ()
    if kind == "uploads" and name.endswith("/blobs"):
        name = name.removesuffix("/blobs")
        return (name, UPLOAD, (last,)) if last else (name, UPLOADS, ())
    if kind == "blobs":
        return (name, UPLOADS, ()) if last == "uploads" else (name, BLOB, (last,))
    raise _nowhere()


def _decoded(path: str) -> str:
    """Undo the one encoding that clients use in a path: the colon of a digest."""
    if "%" in path:
        path = path.replace("%3A", ":").replace("%3a", ":")
        if "%" in path:
            raise Refusal(400, "NAME_INVALID", "a path needs no percent-encoding")
    return path


def _nowhere() -> Refusal:
    return Refusal(404, "UNSUPPORTED", "this registry has no such endpoint")
