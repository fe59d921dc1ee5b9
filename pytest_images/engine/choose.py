"""Which image of an index is meant: the platforms wanted, best first, and nothing else.

For each platform wanted the index is read in its own order; an older variant of the same
architecture will do (as containerd has it), another architecture that the first one can run
(``386`` on ``amd64``) only when nothing wanted is there. Of two entries for one platform the
first counts. Entries without a platform are looked into. Attestations are never chosen.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pytest_images.errors import LimitExceeded, PlatformNotFound
from pytest_images.model.manifest import INDEX_LIMIT, Index, Manifest
from pytest_images.model.platform import Platform, candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest

    Read = Callable[[Descriptor], Manifest | Index]
    PlatformOf = Callable[[Manifest], Platform]

DEPTH_LIMIT = 4
ATTESTATION = "vnd.docker.reference.type"
_UNKNOWN = "unknown"


def host_platform() -> Platform:
    """Return the platform of images that run on this machine; always Linux."""
    return Platform.of_machine(os.uname().machine)


def choose(
    index: Index,
    wanted: Sequence[Platform],
    read: Read,
    platform_of: PlatformOf,
    name: str,
) -> Manifest:
    """Return the manifest of *index* for the first of *wanted* that it has.

    *read* gives the document of a descriptor, *platform_of* what a manifest's config says.
    Raises PlatformNotFound, LimitExceeded (nesting), and what the two raise.
    """
    available: dict[Platform, Manifest | Descriptor] = {}
    for platform, found in _offered(index, read, platform_of, name):
        available.setdefault(platform, found)
    for platform in preferred(wanted):
        if platform in available:
            chosen = available[platform]
            document = chosen if isinstance(chosen, Manifest) else read(chosen)
            if isinstance(document, Index):
                return choose(document, wanted, read, platform_of, name)
            return document
    texts = tuple(str(platform) for platform in available)
    raise PlatformNotFound(name, ", ".join(map(str, wanted)), texts)


def preferred(wanted: Sequence[Platform]) -> list[Platform]:
    """Return all platforms that will do for *wanted*, the best first."""
    every = [(own, each) for own in wanted for each in candidates(own)]
    same = [each for own, each in every if each.architecture == own.architecture]
    other = [each for own, each in every if each.architecture != own.architecture]
    return list(dict.fromkeys(same + other))


def is_attestation(descriptor: Descriptor) -> bool:
    """Whether an index's entry says something about an image instead of being one."""
    if ATTESTATION in descriptor.annotations:
        return True
    platform = descriptor.platform
    return platform is not None and _UNKNOWN in (platform.os, platform.architecture)


def every_document(index: Index, read: Read, name: str) -> list[Manifest | Index]:
    """Return all documents below *index*, each once, those that others name before these.

    Raises LimitExceeded beyond 4 levels or 1,000 documents.
    """
    found: dict[Digest, Manifest | Index] = {}

    def visit(document: Index, depth: int) -> None:
        _require_depth(depth, name)
        for descriptor in document.manifests:
            if descriptor.digest in found:
                continue
            if len(found) >= INDEX_LIMIT:
                raise LimitExceeded(name, "number of documents", INDEX_LIMIT)
            child = read(descriptor)
            if isinstance(child, Index):
                visit(child, depth + 1)
            found[descriptor.digest] = child

    visit(index, 1)
    return list(found.values())


def _offered(
    index: Index, read: Read, platform_of: PlatformOf, name: str
) -> Iterator[tuple[Platform, Manifest | Descriptor]]:
    """Yield platforms with what serves them: first what says so, then what had to be read."""
    silent: list[Descriptor] = []
    for descriptor in index.manifests:
        if is_attestation(descriptor):
            continue
        if descriptor.platform is None:
            silent.append(descriptor)
        else:
            yield descriptor.platform, descriptor
    yield from _read_into(silent, read, platform_of, name)


def _read_into(
    silent: list[Descriptor], read: Read, platform_of: PlatformOf, name: str
) -> Iterator[tuple[Platform, Manifest | Descriptor]]:
    """Look into entries that state no platform, level by level, each digest once."""
    seen: set[Digest] = set()
    depth = 1
    while silent:
        _require_depth(depth, name)
        deeper: list[Descriptor] = []
        for descriptor in silent:
            if descriptor.digest in seen:
                continue
            seen.add(descriptor.digest)
            document = read(descriptor)
            if isinstance(document, Manifest):
                yield platform_of(document), document
                continue
            for child in document.manifests:
                if child.platform is not None and not is_attestation(child):
                    yield child.platform, child
                elif child.platform is None and not is_attestation(child):
                    deeper.append(child)
        silent, depth = deeper, depth + 1


def _require_depth(depth: int, name: str) -> None:
    if depth > DEPTH_LIMIT:
        raise LimitExceeded(name, "index nesting", DEPTH_LIMIT)
