"""`history`: how an image was made, as its config tells it, with what each layer holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.engine.selected import selected
from pytest_images.engine.sizes import config_of, layer_sizes, manifest_of
from pytest_images.model.history_line import HistoryLine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from pytest_images.model.config import History
    from pytest_images.model.request.history import HistoryRequest


def history(images: Images, store: Store, request: HistoryRequest) -> tuple[HistoryLine, ...]:
    """Return the steps, newest first; the image's ID and tags are the newest one's.

    A step that the config calls an empty layer has size 0, as has one for which no layer is
    left. Raises ImageNotFound, AmbiguousImage, PlatformNotFound.
    """
    image = selected(store, request.image, request.platform)
    steps = config_of(store, manifest_of(store, image)).history
    sizes = iter(layer_sizes(store, image))
    lines = [
        HistoryLine(
            id=image.id if number == len(steps) else None,
            created=step.created,
            created_by=step.created_by,
            size=_size(step, sizes),
            comment=step.comment,
            tags=image.tags if number == len(steps) else (),
        )
        for number, step in enumerate(steps, 1)
    ]
    return tuple(reversed(lines))


def _size(step: History, sizes: Iterator[int | None]) -> int | None:
    return 0 if step.empty_layer else next(sizes, 0)
