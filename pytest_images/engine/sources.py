"""What a build brings beside its context: base images, named contexts, what ADD fetches."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_images.builder.build import Base
from pytest_images.builder.remote import is_remote
from pytest_images.builder.trees import FolderTree, ImageTree
from pytest_images.builder.view import Views
from pytest_images.dockerfile.place import NOWHERE
from pytest_images.errors import ImageNotFound, InvalidUsage, Unsupported
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_images.builder.trees import Tree
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.instructions import Add
    from pytest_images.dockerfile.place import Place
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.request.build import BuildRequest

_IMAGE = "docker-image://"


class Sources:
    """Held for as long as a build runs: a context manager, which tidies up what was fetched."""

    def __init__(self, images: Images, store: Store, lease: Lease, request: BuildRequest) -> None:
        self.images, self.store, self.lease, self._request = images, store, lease, request
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def base(self, name: str, platform: Platform, place: Place) -> Base:
        """Bring an image: from here, else from its registry; with ``--pull`` always asked."""
        store = self.store
        name = self._request.contexts.get(name, name).removeprefix(_IMAGE)
        try:
            image = self._image(Selector.parse(name), platform)
        except ImageNotFound as error:
            error.add_note(f"it is wanted by {place.source}:{place.first}: {place.text.strip()}")
            raise
        manifest, config = store.manifest_of(image.id), store.config_of(image.id)
        for digest in (manifest.config.digest, *(layer.digest for layer in manifest.layers)):
            self.lease.hold(digest)
        return Base(config, manifest)

    def context(self, platform: Platform, name: str) -> Tree | None:
        """Return the files of ``--build-context name=...``: a folder, or an image."""
        value = self._request.contexts.get(name)
        if value is None:
            return None
        if value.startswith(_IMAGE):
            return ImageTree(Views(self.store).files(self.base(name, platform, NOWHERE).layers))
        if "://" in value:
            raise Unsupported("build", f"the build context {name} at a URL")
        if not Path(value).is_dir():
            raise InvalidUsage(value, f"the build context {name} is no folder")
        return FolderTree(Path(value))

    def fetch(self, instruction: Add) -> Sequence[tuple[Tree, str]]:
        """Fetch what ADD names by addresses."""
        for source in instruction.sources:
            if is_remote(source):
                raise instruction.place.error("ADD of a URL or repository is not supported yet")
        return ()

    def _image(self, selector: Selector, platform: Platform) -> Image:
        reference, pull = selector.reference, self._request.pull
        if reference is None:
            return self.store.image(selector)
        if not pull:
            with suppress(ImageNotFound):
                found = self.store.image(selector)
                if found.platform == platform:
                    return found
        return self.images.get(reference, "always" if pull else "missing", platform=platform)
