"""Which manifests of an index are wanted (row M10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from pytest_images.errors import PlatformNotFound
from pytest_images.model.platform import UNKNOWN, Platform

if TYPE_CHECKING:
    from collections.abc import Sequence

_ATTESTATION = "vnd.docker.reference.type"


class HasPlatform(Protocol):
    """Something for one platform."""

    @property
    def platform(self) -> Platform:
        """What it runs on."""
        ...


T = TypeVar("T", bound=HasPlatform)


def is_image(platform: Platform | None, annotations: object) -> bool:
    """Say whether an entry of an index may be an image: attestations are not."""
    noted = isinstance(annotations, dict) and _ATTESTATION in annotations
    return not noted and platform != UNKNOWN


def choose(found: Sequence[T], wanted: Sequence[Platform], host: Platform, name: str) -> list[T]:
    """Return those of *found* that are *wanted*, in that order; of equals the first.

    Without a wish the *host*'s, or all where it has none. Raises PlatformNotFound, naming
    *name*, where one that is wanted is missing.
    """
    by_platform: dict[Platform, T] = {}
    for item in found:
        by_platform.setdefault(item.platform, item)
    for platform in wanted:
        if platform not in by_platform:
            raise PlatformNotFound(name, str(platform), tuple(map(str, by_platform)))
    if wanted:
        return [by_platform[platform] for platform in dict.fromkeys(wanted)]
    return [by_platform[host]] if host in by_platform else list(by_platform.values())
