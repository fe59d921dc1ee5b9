"""What the steps of a build share: a type, that nothing imports when it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.builder.cache import BuiltLayer, Cache
    from pytest_images.builder.fetching import Fetched
    from pytest_images.builder.fingerprints import Fingerprints
    from pytest_images.builder.log import BuildLog
    from pytest_images.builder.running import Runner
    from pytest_images.builder.trees import Tree
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.instructions import Add
    from pytest_images.dockerfile.place import Place
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.written import Noted


class Workshop(Protocol):
    """What the steps of a build share."""

    store: Store
    lease: Lease
    cache: Cache
    log: BuildLog
    fingerprints: Fingerprints
    latest: int
    uses_cache: bool
    secrets: frozenset[str]
    network: str
    add_hosts: tuple[tuple[str, str], ...]

    def origin(self, name: str, stage: int, place: Place) -> Tree:
        """Return the files that ``--from=name`` means, "" for the context."""
        ...

    @property
    def runner(self) -> Runner:
        """What runs commands, made at the first use."""
        ...

    def fetched(self, instruction: Add, is_over: Callable[[], bool]) -> Sequence[Fetched]:
        """Return what ADD's URLs and repositories gave; *is_over*: nobody waits any more."""
        ...

    def files(self, layers: Sequence[BuiltLayer]) -> ImagePath:
        """Return the files that *layers* make."""
        ...

    def learn(self, layer: BuiltLayer, noted: list[Noted]) -> None:
        """Hear what was written into a layer just now."""
        ...
