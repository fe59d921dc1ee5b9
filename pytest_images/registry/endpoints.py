"""One question to several endpoints: which failures lead to the next, and what remains to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pytest_images.errors import (
    AuthError,
    BlobNotFound,
    DigestMismatch,
    ImageNotFound,
    ImagesError,
    InvalidDocument,
    InvalidResponse,
    LimitExceeded,
    NotAnImage,
    RegistryError,
    SizeMismatch,
    Unreachable,
    UnsafeAddress,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_images.model.endpoint import Access, Endpoint

Answer = TypeVar("Answer")

# What one place says or does, and another may not.
FALLS_BACK = (
    AuthError,
    BlobNotFound,
    DigestMismatch,
    ImageNotFound,
    InvalidDocument,
    InvalidResponse,
    LimitExceeded,
    RegistryError,
    SizeMismatch,
    Unreachable,
    UnsafeAddress,
)


def first_served(
    name: object,
    endpoints: Iterable[Endpoint],
    access: Access,
    ask: Callable[[Endpoint], Answer],
) -> Answer:
    """Return what the first endpoint answers that allows *access* and does not fail.

    Raises the only failure as it is; of several the last, where it is a refusal (the registry
    itself stands last), with the others as notes; else Unreachable with all reasons.
    """
    failures: list[ImagesError] = []
    for endpoint in endpoints:
        if access not in endpoint.allows:
            continue
        try:
            return ask(endpoint)
        except NotAnImage:
            raise  # the same bytes are the same nowhere else
        except FALLS_BACK as failure:
            failures.append(failure)
    raise _remaining(str(name), failures)


def _remaining(name: str, failures: list[ImagesError]) -> ImagesError:
    if not failures:
        error = Unreachable(name)
        error.add_note("no endpoint may be asked: a policy (offline, mirrors) took them away")
        return error
    last = failures[-1]
    if type(last) is ImageNotFound:
        last = ImageNotFound(name, last.place)  # the name asked for, whichever place was asked
    if len(failures) == 1:
        return last
    if isinstance(last, (Unreachable, InvalidResponse)):
        return Unreachable(name, [str(failure) for failure in failures])
    for failure in failures[:-1]:
        last.add_note(f"before that: {failure}")
    return last
