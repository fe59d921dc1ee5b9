"""A small engine that keeps its images in memory: a real plugin, for tests of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import ImageNotFound
from pytest_images.hookspecs import hookimpl
from pytest_images.model.image import Image, Loaded, Removal
from pytest_images.model.inspection import Inspection
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_images.images import Images
    from pytest_images.model.request.inspect import InspectRequest
    from pytest_images.model.request.load import LoadRequest
    from pytest_images.model.request.ls import LsRequest
    from pytest_images.model.request.pull import PullRequest
    from pytest_images.model.request.rm import RmRequest
    from pytest_images.model.request.tag import TagRequest
    from pytest_images.model.selector import Selector


class MemoryEngine:
    """Pull makes an image of the name; load reads lines ``name seed``; push is not there."""

    def __init__(self) -> None:
        self.names: dict[Reference, samples.Sample] = {}
        self.pulls = 0
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    @hookimpl
    def image_pull(self, images: Images, request: PullRequest) -> tuple[Image, ...]:
        self.pulls += 1
        self.names[request.reference] = samples.image(str(request.reference), size=10)
        return (self._image(request.reference),)

    @hookimpl
    def image_tag(self, images: Images, request: TagRequest) -> Image:
        self.names[request.target] = self._find(request.source)
        return self._image(request.target)

    @hookimpl
    def image_load(self, images: Images, request: LoadRequest) -> tuple[Loaded, ...]:
        loaded = []
        for line in request.source.read().decode().splitlines():  # type: ignore[union-attr] # never a folder here
            name, seed = line.split()
            self.names[Reference.parse(name)] = samples.image(seed, size=10)
            loaded.append(Loaded(self._image(Reference.parse(name)), Reference.parse(name)))
        return tuple(loaded)

    @hookimpl
    def image_ls(self, images: Images, request: LsRequest) -> tuple[Image, ...]:
        return tuple(self._image(name) for name in self.names)

    @hookimpl
    def image_inspect(self, images: Images, request: InspectRequest) -> Inspection:
        sample = self._find(request.image)
        name = next(name for name, known in self.names.items() if known is sample)
        return Inspection(self._image(name), sample.config, sample.manifest)

    @hookimpl
    def image_rm(self, images: Images, request: RmRequest) -> tuple[Removal, ...]:
        sample = self._find(request.image)
        gone = [n for n in self.names if request.image.reference in (None, n)]
        for name in gone:
            if self.names[name] is sample:
                del self.names[name]
        return tuple(Removal(untagged=name) for name in gone)

    def _find(self, selector: Selector) -> samples.Sample:
        for name, sample in self.names.items():
            prefix = selector.id_prefix
            if name == selector.reference or (
                prefix and sample.config.id.encoded.startswith(prefix)
            ):
                return sample
        raise ImageNotFound(str(selector))

    def _image(self, name: Reference) -> Image:
        sample = self.names[name]
        tags = tuple(name for name, known in self.names.items() if known is sample)
        config = sample.config
        return Image(config.id, sample.manifest.descriptor, config.platform, name, tags)


class Bringing:
    """A plugin that brings engines, by name."""

    def __init__(self, **engines: Callable[[], object]) -> None:
        self._engines = engines

    @hookimpl
    def images_engines(self) -> Mapping[str, Callable[[], object]]:
        return self._engines
