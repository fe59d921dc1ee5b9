"""`load`: the images of an archive or layout into the store, all of them or none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_images.archive.load import load_archive
from pytest_images.errors import ImagesError
from pytest_images.model.image import Loaded
from pytest_images.model.progress import Phase, Progress
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from pytest_images.archive.found import Found
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
    loaded: list[Loaded] = []
    with store.lease() as lease:
        found = load_archive(request.source, request.name, store, lease, request.platforms)
        with _Recording(store) as recording:
            for item in found:
                loaded += _loaded(store, item, recording.add(item))
    images.progress(Progress("load", request.name, phase=Phase.DONE))
    return tuple(loaded)


def _loaded(store: Store, item: Found, displaced: dict[Reference, Digest]) -> list[Loaded]:
    image = store.image(Selector.of(item.config.id))
    if not item.references:
        return [Loaded(image)]
    before = {name: old for name, old in displaced.items() if old != image.id}
    return [
        Loaded(replace(image, reference=name), name, before.get(name)) for name in item.references
    ]


class _Recording:
    """Records image after image; when one cannot be, takes back those before it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = {image.id for image in store.images()}
        self._done: list[tuple[Found, dict[Reference, Digest]]] = []

    def add(self, item: Found) -> dict[Reference, Digest]:
        """Record one image and move its names; returns what they stood for before."""
        displaced = self._store.add(item.manifest, item.config, item.references, index=item.index)
        self._done.append((item, displaced))
        return displaced

    def __enter__(self) -> _Recording:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        for item, displaced in reversed(self._done):
            try:
                self._take_back(item, displaced)
            except ImagesError as failure:
                error.add_note(f"{item.config.id} stays loaded: {failure}")

    def _take_back(self, item: Found, displaced: dict[Reference, Digest]) -> None:
        for name in item.references:
            if name in displaced:
                self._store.name(name, displaced[name])
            else:
                self._store.unname(name)
        if item.config.id not in self._known:
            self._store.forget(item.config.id)
