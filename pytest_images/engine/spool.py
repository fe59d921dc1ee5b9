"""Looking into an image of any engine: it is saved, and read from a store that goes with it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.archive.load import load_archive
from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from pytest_images.engine.files import layer_of
from pytest_images.errors import ImageNotFound
from pytest_images.layer.files import Files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.archive.found import Found
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.inspection import Inspection


def spooled(images: Images, inspection: Inspection) -> Files:
    """Return the files of an image of whatever engine *images* has in force.

    `save` is all that is asked of it. The archive is loaded into a store in a temporary
    folder, which goes when the last path of the image does. Raises what `Images.save` and
    `load_archive` raise.
    """
    image = inspection.image
    folder = Path(tempfile.mkdtemp(prefix="pytest-images-"))
    try:
        store = Store.open(folder, durability=Durability.FAST)
        weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)
        with store, store.lease() as lease, tempfile.TemporaryFile(dir=folder) as archive:
            images.save(image, archive)
            archive.seek(0)
            name = f"{image} of {images.engine}"
            found = load_archive(archive, name, store, lease, (image.platform,))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    same = _same(found, image)
    pairs = zip(same.manifest.layers, same.config.diff_ids, strict=True)
    layers = [layer_of(store, layer.digest, diff_id, learn=False) for layer, diff_id in pairs]
    return Files(layers, str(image))


def _same(found: Sequence[Found], image: Image) -> Found:
    """Return the image asked for; an engine may know it by another ID than its config's."""
    for item in found:
        if item.config.id == image.id:
            return item
    if len(found) == 1:
        return found[0]
    raise ImageNotFound(str(image.id), "the archive that the engine saved")
