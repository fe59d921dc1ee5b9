"""An answer that is not what was asked for, as one of our errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_images.errors import AuthError, ImagesError, RateLimited, RegistryError

if TYPE_CHECKING:
    from pytest_images.http.limits import Limits
    from pytest_images.http.response import Response

_ERRORS_SHOWN = 3


def refusal(
    response: Response, source: str, limits: Limits, missing: ImagesError | None = None
) -> ImagesError:
    """Return what *response* (neither read nor a success) means.

    401 and 403 are AuthError, 404 is *missing* where the caller gives one, 429 RateLimited,
    all others RegistryError with what the registry says, cut to 64 KiB and escaped.
    """
    message = "" if response.status == 404 and missing else _message(response, limits)
    response.close()
    if response.status == 404 and missing is not None:
        return missing
    if response.status in (401, 403):
        return denied(source, message or f"the answer is {response.status}")
    if response.status == 429:
        limited = RateLimited(source, 429, message or "too many requests")
        limited.add_note("wait, or log in: registries allow more to those they know")
        return limited
    return RegistryError(source, response.status, message)


def denied(source: str, reason: str) -> AuthError:
    """Return an AuthError with what to do about it."""
    error = AuthError(source, reason)
    error.add_note("the repository may not exist, or may need `pytest-images login` (docker login)")
    return error


def _message(response: Response, limits: Limits) -> str:
    """Return the registry's own words: its error JSON (distribution-spec, errors), or text."""
    body = response.read_start(limits.error_body)
    try:
        listed = json.loads(body)["errors"]
        said = [_one(item) for item in listed[:_ERRORS_SHOWN]]
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return _plain(response, body)
    return "; ".join(filter(None, said))


def _one(item: dict[str, object]) -> str:
    code, message = item.get("code", ""), item.get("message", "")
    return ": ".join(text for text in (code, message) if isinstance(text, str) and text)


def _plain(response: Response, body: bytes) -> str:
    """Return the first words of a plain text; markup says nothing on one line."""
    kind = response.headers.get("Content-Type", "")
    if not kind.startswith("text/plain"):
        return ""
    return body[:400].decode("utf-8", "replace").strip()
