"""`docker image build`."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pytest_images.dataclass import dataclass, field
from pytest_images.model.frozen import FrozenMap

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference
    from pytest_images.model.secret import Secret

    Context = Path | BinaryIO | str | Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """Build an image from a Dockerfile and a build context.

    ``context``: a folder, a tar stream, a URL, or names and bytes. ``dockerfile``: its path
    in the context (a whole path: of this machine), None for ``Dockerfile``; ``dockerfile_text``
    is the text itself.
    ``network``: ``host``, ``none`` or ``default``. ``outputs``: (type, destination) pairs as
    of ``--output``. ``wall_clock``: what is made has the time of its making, not the fixed one
    that makes builds repeatable.
    """

    context: Context
    dockerfile: str | None = None
    dockerfile_text: str | None = None
    tags: tuple[Reference, ...] = ()
    args: Mapping[str, str] = field(default_factory=FrozenMap)
    contexts: Mapping[str, str] = field(default_factory=FrozenMap)
    labels: Mapping[str, str] = field(default_factory=FrozenMap)
    target: str | None = None
    no_cache: bool = False
    pull: bool = False
    platforms: tuple[Platform, ...] = ()
    secrets: Mapping[str, Secret] = field(default_factory=FrozenMap)
    add_hosts: tuple[tuple[str, str], ...] = ()
    network: str = "default"
    outputs: tuple[tuple[str, str], ...] = ()
    metadata_file: Path | None = None
    iid_file: Path | None = None
    wall_clock: bool = False

    def __post_init__(self) -> None:
        for name in ("args", "contexts", "labels", "secrets"):
            object.__setattr__(self, name, FrozenMap(getattr(self, name)))
