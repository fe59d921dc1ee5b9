"""Cleanup: what a scope makes is remembered, and goes with the scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from pytest_images.images import Images
    from pytest_images.model.digest import Digest
    from pytest_images.model.image import BuildResult, Image, Loaded
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.build import BuildRequest
    from pytest_images.model.request.import_ import ImportRequest
    from pytest_images.model.request.load import LoadRequest
    from pytest_images.model.request.pull import PullRequest
    from pytest_images.model.request.tag import TagRequest

    Before = dict[Reference | None, Digest]
    Named = tuple[Reference | None, Digest]


class Cleanup:
    """Wraps the verbs that make something; a door without a ledger is let pass at once."""

    @hookimpl(wrapper=True)
    def image_pull(
        self, images: Images, request: PullRequest
    ) -> Generator[None, tuple[Image, ...], tuple[Image, ...]]:
        """Remember the names that were pulled."""
        if images.ledger is None:
            return (yield)
        before = _all_before(images) if request.all_tags else _before(images, request.reference)
        pulled = yield
        _remember(images, before, [(image.reference, image.id) for image in pulled or ()])
        return pulled

    @hookimpl(wrapper=True)
    def image_tag(self, images: Images, request: TagRequest) -> Generator[None, Image, Image]:
        """Remember the further name."""
        if images.ledger is None:
            return (yield)
        before = _before(images, request.target)
        image = yield
        if image is not None:
            _remember(images, before, [(request.target, image.id)])
        return image

    @hookimpl(wrapper=True)
    def image_load(
        self, images: Images, request: LoadRequest
    ) -> Generator[None, tuple[Loaded, ...], tuple[Loaded, ...]]:
        """Remember the names that the archive brought."""
        if images.ledger is None:
            return (yield)
        before = _all_before(images)
        loaded = yield
        _remember(images, before, [(one.reference, one.image.id) for one in loaded or ()])
        return loaded

    @hookimpl(wrapper=True)
    def image_build(
        self, images: Images, request: BuildRequest
    ) -> Generator[None, BuildResult | None, BuildResult | None]:
        """Remember the names that the build gave."""
        if images.ledger is None:
            return (yield)
        before = _before(images, *request.tags)
        result = yield
        if result is not None and result.image is not None:
            names = request.tags or (None,)
            _remember(images, before, [(name, result.image.id) for name in names])
        return result

    @hookimpl(wrapper=True)
    def image_import(self, images: Images, request: ImportRequest) -> Generator[None, Image, Image]:
        """Remember the image that was imported."""
        if images.ledger is None:
            return (yield)
        before = _before(images, *filter(None, [request.reference]))
        image = yield
        if image is not None:
            _remember(images, before, [(request.reference, image.id)])
        return image


def _before(images: Images, *names: Reference) -> Before:
    from pytest_images.policies.ledger import standing

    found = {name: standing(images, name) for name in names}
    return {name: image for name, image in found.items() if image is not None}


def _all_before(images: Images) -> Before:
    """What every name stands for, where the names that will move are not known yet."""
    return {
        name: image.id
        for image in images.ls(all=True, sizes=False)
        for name in (*image.tags, *image.digests)
    }


def _remember(images: Images, before: Before, made: Iterable[Named]) -> None:
    if images.ledger is not None:
        from pytest_images.policies.ledger import Product

        images.ledger.add(
            Product(image, name, before.get(name))
            for name, image in made
            if before.get(name) != image
        )
