"""`load`: the images of an archive or layout into the store, all of them or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.archive.load import load_archive
from pytest_images.errors import ImageNotFound, ImagesError
from pytest_images.model.image import Loaded
from pytest_images.model.progress import Phase, Progress
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.archive.found import Found
    from pytest_images.archive.intake import Moving
    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.digest import Digest
    from pytest_images.model.reference import Reference
    from pytest_images.model.request.load import LoadRequest


def load(images: Images, store: Store, request: LoadRequest) -> tuple[Loaded, ...]:
    """Take in all images of an archive under the names it gives them; names move.

    One `Loaded` for each name, one for an image without names; ``displaced`` is the image a
    name stood for before, which stays. Raises what `load_archive` raises; nothing is loaded
    then.
    """
    images.progress(Progress("load", request.name, phase=Phase.STARTED))

    def report(moving: Moving, done: int) -> None:
        phase = Phase.DONE if done == moving.total else Phase.MOVING
        event = Progress("load", request.name, moving.item, phase, done, moving.total, kind="layer")
        images.progress(event)

    loaded: list[Loaded] = []
    with store.lease() as lease:
        found = load_archive(
            request.source, request.name, store, lease, request.platforms, report=report
        )
        with _Recording(store, found):
            for item in found:
                displaced = store.add(item.manifest, item.config, item.references, index=item.index)
                loaded += _loaded(store, item, displaced)
    images.progress(Progress("load", request.name, phase=Phase.DONE))
    return tuple(loaded)


def _loaded(store: Store, item: Found, displaced: dict[Reference, Digest]) -> list[Loaded]:
    if not item.references:
        return [Loaded(store.image(Selector.of(item.config.id)))]
    return [
        Loaded(store.image(Selector.of(name)), name, displaced.get(name))
        for name in item.references
    ]


class _Recording:
    """While images are recorded one after the other: when one cannot be, all are taken back."""

    def __init__(self, store: Store, found: Sequence[Found]) -> None:
        self._store = store
        self._names = {name: self._id(name) for item in found for name in item.references}
        self._images = [i.config.id for i in found if self._id(i.config.id) is None]

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        try:
            self._take_back()
        except ImagesError as failure:
            error.add_note(f"A part of the archive stays loaded: {failure}")

    def _take_back(self) -> None:
        for name, before in self._names.items():
            if before is None:
                self._store.unname(name)
            else:
                self._store.name(name, before)
        for image in self._images:
            if self._id(image) is not None:
                self._store.forget(image)

    def _id(self, thing: Reference | Digest) -> Digest | None:
        try:
            return self._store.image(Selector.of(thing)).id
        except ImageNotFound:
            return None
