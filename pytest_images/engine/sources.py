"""What a build brings beside its context: base images, named contexts, what ADD fetches."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pytest_images.builder.build import Base
from pytest_images.builder.folder import FolderTree
from pytest_images.builder.remote import git_address, is_remote, remote_context
from pytest_images.builder.trees import ImageTree
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.dockerfile.place import without_passwords
from pytest_images.engine.contexts import ignore_rules, open_address
from pytest_images.errors import ImageNotFound, InvalidUsage, MissingOffline
from pytest_images.model.selector import Selector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.builder.fetching import Fetched
    from pytest_images.builder.trees import Tree
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.instructions import Add
    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.request.build import BuildRequest

_IMAGE = "docker-image://"
_LAYOUT = "oci-layout://"


class Sources:
    """Held for as long as a build runs: a context manager, which tidies up what was fetched."""

    def __init__(self, images: Images, store: Store, lease: Lease, request: BuildRequest) -> None:
        self.images, self.store, self.lease, self._request = images, store, lease, request
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._contexts: dict[str, Tree] = {}
        self._is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._is_over = True
        self._stack.close()

    def base(self, name: str, platform: Platform) -> Base:
        """Bring an image: from here, else from its registry; with ``--pull`` always asked."""
        store = self.store
        name = self._request.contexts.get(name, name)
        if name.startswith(_LAYOUT):
            return self._in_layout(name.removeprefix(_LAYOUT), platform)
        name = name.removeprefix(_IMAGE)
        image = self._image(Selector.parse(name), platform)
        manifest, config = store.manifest_of(image.id), store.config_of(image.id)
        for digest in (manifest.config.digest, *(layer.digest for layer in manifest.layers)):
            self.lease.hold(digest)
        return Base(config, manifest)

    def context(self, platform: Platform, name: str) -> Tree | None:
        """Return the files of ``--build-context name=...``, found or fetched once.

        A folder, without what its ``.dockerignore`` leaves out; an image, here or in an OCI
        layout; a repository, or a tar at an address.
        """
        value = self._request.contexts.get(name)
        if value is None:
            return None
        with self._lock:
            if name not in self._contexts:
                self._contexts[name] = self._context(platform, name, value)
            return self._contexts[name]

    def _context(self, platform: Platform, name: str, value: str) -> Tree:
        if value.startswith((_IMAGE, _LAYOUT)):
            from pytest_images.builder.view import Views

            return ImageTree(Views(self.store).files(self.base(name, platform).layers))
        address = remote_context(value)
        if address is None and not Path(value).is_dir():
            raise InvalidUsage(value, f"the build context {name} is no folder")
        if address is None:
            root = Path(value)
            return FolderTree(root, ignore_rules(FolderTree(root)))
        opening = open_address(
            self.store,
            address,
            self._request,
            lambda: self._is_over,
            offline=self.images.offline,
        )
        make, text = self._stack.enter_context(opening)
        if text is not None:
            raise InvalidUsage(value, f"the build context {name} is neither a tar nor a repository")
        return make(ignore_rules(make(IgnoreRules())))

    def fetch(self, instruction: Add, is_over: Callable[[], bool]) -> Sequence[Fetched]:
        """Fetch what ADD names by addresses, for as long as the build runs."""
        remote = [source for source in instruction.sources if is_remote(source)]
        if instruction.checksum and len(remote) > 1:
            raise instruction.place.error("--checksum is for one source")
        return [self._fetched(source, instruction, is_over) for source in remote]

    def _fetched(self, source: str, instruction: Add, is_over: Callable[[], bool]) -> Fetched:
        import shutil
        import tempfile

        folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=self.store.workspace("steps")))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return self._brought(source, instruction, folder, is_over)

    def _brought(
        self, source: str, instruction: Add, folder: Path, is_over: Callable[[], bool]
    ) -> Fetched:
        from pytest_images.builder.fetching import Fetched, download
        from pytest_images.builder.repository import check_out

        checksum, address = instruction.checksum, git_address(source)
        if address is None:
            from pytest_images.layer.limit import expansion_limit

            limit = expansion_limit(self.store.root)
            path = folder / "file"
            offline = self.images.offline
            return download(
                source, path, limit, checksum=checksum, is_over=is_over, offline=offline
            )
        if self.images.offline:
            raise MissingOffline(without_passwords(source), ["git may ask other machines"])
        root = check_out(
            address,
            folder / "git",
            keeps_git_folder=bool(instruction.keeps_git_folder),
            checksum=checksum,
            secrets=self._request.secrets,
            is_over=is_over,
        )
        return Fetched(FolderTree(root), "")

    def _in_layout(self, text: str, platform: Platform) -> Base:
        """Bring an image of an OCI layout: ``FOLDER``, ``FOLDER:TAG`` or ``FOLDER@DIGEST``."""
        from pytest_images.archive.load import load_archive

        folder, at, digest = text.partition("@")
        tag = ""
        if not at and not Path(folder).is_dir():
            folder, _, tag = folder.rpartition(":")
        if not Path(folder).is_dir():
            raise InvalidUsage(text, "an OCI layout is a folder")
        found = load_archive(Path(folder), folder, self.store, self.lease, (platform,))
        for each in found:
            digests = {str(each.manifest.digest), str(each.index or "")}
            tags = {reference.tag for reference in each.references}
            if (digest in digests) if digest else (tag in tags if tag else len(found) == 1):
                return Base(each.config, each.manifest)
        error = ImageNotFound(text, f"the layout {folder}")
        error.add_note("name one as FOLDER:TAG or FOLDER@DIGEST")
        raise error

    def _image(self, selector: Selector, platform: Platform) -> Image:
        reference, pull = selector.reference, self._request.pull
        if reference is None:
            return self.store.image(selector)
        return self.images.get(reference, "always" if pull else None, platform=platform)
