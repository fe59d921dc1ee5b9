"""What the selected tests need, known after collection: by markers and by factories."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pytest_images.arguments import platforms_of, policy_of, reference_of
from pytest_images.dataclass import replace
from pytest_images.errors import ImageNotFound, ImagesError
from pytest_images.model.digest import Digest
from pytest_images.model.progress import Phase, Progress
from pytest_images.model.reference import Reference
from pytest_images.namedtuple import NamedTuple
from pytest_images.plugin import marker
from pytest_images.plugin.factory import FACTORY
from pytest_images.plugin.requested import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pytest

    from pytest_images.arguments import Policy
    from pytest_images.host.host import Host
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.plugin.factory import Factory


class Need(NamedTuple):
    """An image to have before a test, by *policy*; *place*: whose overrides hold."""

    reference: Reference
    policy: Policy | None
    platforms: tuple[Platform, ...]
    place: str

    @classmethod
    def of(cls, name: Any, policy: Policy | None, platform: Any, place: str) -> Need:
        """Read what a marker or a factory says.

        Raises InvalidReference, InvalidPlatform, InvalidUsage.
        """
        return cls(reference_of(name), policy_of(policy), platforms_of(platform), place)

    @property
    def key(self) -> tuple[str, ...]:
        """What tells this need from others, in every process of the run."""
        return ("need", str(self.reference), self.policy or "", ",".join(map(str, self.platforms)))

    def under(self, policy: Policy) -> Need:
        """Return the need with the policy that counts where none is named."""
        return self if self.policy else self._replace(policy=policy)


def needs_of(items: Iterable[pytest.Item], policy: Policy) -> list[Need]:
    """Return what the tests need, in the order of the tests, each once.

    *policy* counts for those that name none.

    What a factory takes from another fixture is not known yet, and not among them; nor is
    what is written wrongly: its test says so.
    """
    found: dict[tuple[str, ...], Need] = {}
    for item in items:
        for one in needs_of_one(item):
            need = one.under(policy)
            found.setdefault(need.key, need)
    return list(found.values())


def needs_of_one(item: pytest.Item) -> Iterator[Need]:
    """Give what one test needs."""
    for factory, param in factories_of(item):
        with suppress(ImagesError):
            yield from factory.needs(param)
    with suppress(ImagesError):
        for one in marker.marked(item):
            yield Need.of(one.name, one.policy, one.platform, str(item.path))


def factories_of(item: pytest.Item) -> Iterator[tuple[Factory, object]]:
    """Give the factories behind the fixtures of a test, each with its param there."""
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    params = getattr(getattr(item, "callspec", None), "params", {})
    for name, found in definitions.items():
        overridden = found[-1].argnames.count(name) if len(found) > 1 else 0
        for definition in found[-1 - overridden :]:
            factory = getattr(definition.func, FACTORY, None)
            if factory is not None:
                yield factory, params.get(name, LEFT_OUT)


def prepared(host: Host, door: Images, need: Need) -> Image:
    """Return the image of a need; of all processes of the run one asks, whatever the policy.

    Raises what `Images.get` raises; a failure is told to every process of the run once.
    """
    __tracebackhide__ = True
    return host.once.do(
        need.key,
        lambda: _found(host, door, need),
        lambda: _brought(host, door, need),
        declared=True,
    )


def asks(host: Host, need: Need) -> bool:
    """Say whether a registry is asked once a run, though the image may be here."""
    is_locking = host.lock is not None and host.lock.mode != "use"
    return is_locking or (need.policy or host.policy) in ("newer", "always")


def _found(host: Host, door: Images, need: Need) -> Image | None:
    """Return the image where it is here, and where it has to be asked for that was done."""
    if asks(host, need) and host.once.noted(*need.key) is None:
        return None
    with suppress(ImageNotFound):
        return door.get(need.reference, "never", platform=need.platforms)
    return None


def _brought(host: Host, door: Images, need: Need) -> Image:
    __tracebackhide__ = True
    image = door.get(need.reference, need.policy, platform=need.platforms)
    host.once.note(str(image.id), *need.key)
    return image


def made_once(host: Host, door: Images, key: str, make: Callable[[], Image]) -> Image:
    """Return what *make* gives in one process of the run, in all others what that was.

    Raises what *make* raises; a failure is told to every process of the run once.
    """
    __tracebackhide__ = True
    what = ("made", str(host.run), key)

    def look() -> Image | None:
        said = host.once.noted(*what)
        if said is None:
            return None
        name, _, digest = said.rpartition(" ")
        with suppress(ImageNotFound):
            found = door.inspect(Digest.parse(digest)).image
            door.progress(Progress("get", name or digest, phase=Phase.EXISTS))
            return replace(found, reference=Reference.parse(name) if name else None)
        return None

    def work() -> Image:
        __tracebackhide__ = True
        image = make()
        host.once.note(f"{image.reference or ''} {image.id}", *what)
        return image

    return host.once.do(what, look, work, declared=True)
