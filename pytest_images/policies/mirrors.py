"""Mirrors: other places that serve a registry's content, asked before it or instead of it.

``docker.io = mirror.example/hub`` has ``alpine`` fetched from ``mirror.example/hub/library/alpine``
first, and from Docker Hub where that fails. A name stays what it is, whoever serves it; what
arrives is held against its digest; and each place is shown the credentials of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pytest_images.errors import ImagesError, InvalidUsage
from pytest_images.hookspecs import hookimpl
from pytest_images.model.endpoint import Access, Endpoint
from pytest_images.model.reference import Reference
from pytest_images.namedtuple import NamedTuple
from pytest_images.registry.hub import HUB_HOST, HUB_NAMES, registry_name

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

FORM = "expected REGISTRY = [SCHEME://]HOST[:PORT][/PREFIX] [digest-only] [only]"
READING = frozenset({Access.RESOLVE, Access.PULL})


class Mirror(NamedTuple):
    """One place for the content of one *registry*; *only*: the registry itself is not asked.

    ``digest-only`` in the text means that tags are resolved elsewhere: a public mirror should
    not decide what a name stands for.

    >>> mirror = Mirror.parse("docker.io = mirror.example/hub digest-only")
    >>> mirror.registry, str(mirror.endpoint), mirror.endpoint.prefix
    ('docker.io', 'https://mirror.example', 'hub')
    """

    registry: str
    endpoint: Endpoint
    only: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one line of the settings. Raises InvalidUsage."""
        registry, equals, rest = text.partition("=")
        location, *words = rest.split() or [""]
        if "@" in rest:
            raise InvalidUsage(
                registry.strip(), "a mirror is shown what `docker login` left for it"
            )
        if not equals or not location or not {"digest-only", "only"}.issuperset(words):
            raise InvalidUsage(text, FORM)
        allows = READING - {Access.RESOLVE} if "digest-only" in words else READING
        try:
            return cls(_registry(registry.strip()), _endpoint(location, allows), "only" in words)
        except ImagesError as error:
            raise InvalidUsage(text, f"{error}; {FORM}") from None


class Mirrors:
    """Puts mirrors before the endpoints of their registry; a push goes to the registry alone."""

    def __init__(self, lines: Iterable[str]) -> None:
        """*lines* as of `Mirror.parse`; of several for one registry the first is asked first."""
        self._mirrors = tuple(map(Mirror.parse, lines))

    @hookimpl(wrapper=True)
    def registry_endpoints(
        self, reference: Reference, access: Access
    ) -> Generator[None, Sequence[Endpoint], Sequence[Endpoint]]:
        """Put the mirrors first, and keep the registry as the last resort."""
        endpoints = yield
        mirrors = [each for each in self._mirrors if each.registry == reference.registry]
        if not mirrors or access not in READING:
            return endpoints
        rest = () if any(each.only for each in mirrors) else endpoints
        return (*(each.endpoint for each in mirrors), *rest)


def _registry(text: str) -> str:
    """Return *text* as the registry of a reference. Raises InvalidUsage, InvalidReference."""
    name = registry_name(text)
    if Reference.parse_bare(f"{name}/any/image").registry != name:
        raise InvalidUsage(text, "the left side is not a registry")
    return name


def _endpoint(location: str, allows: frozenset[Access]) -> Endpoint:
    """Read where a mirror is. Raises InvalidAddress."""
    scheme, mark, place = location.partition("://")
    if not mark:
        scheme, place = "", location
    host, _, prefix = place.partition("/")
    host = HUB_HOST if host in HUB_NAMES else host
    return Endpoint(host, scheme, allows, prefix.strip("/"))
