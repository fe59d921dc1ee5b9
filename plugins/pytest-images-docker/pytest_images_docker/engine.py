"""Docker as an engine: short verbs over a daemon."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_images import (
    AmbiguousImage,
    Digest,
    Image,
    ImageNotFound,
    InvalidArchive,
    InvalidLayer,
    Reference,
    Unsupported,
    hookimpl,
)
from pytest_images.model.image import Loaded
from pytest_images.model.selector import Selector
from pytest_images_docker.address import Address
from pytest_images_docker.daemon import Daemon, DaemonError
from pytest_images_docker.documents import LazyInspection
from pytest_images_docker.facts import history_line, image_of, listed, removal_of
from pytest_images_docker.passing import passing

if TYPE_CHECKING:
    from typing import BinaryIO

    from pytest_images import Images, Platform, Removal
    from pytest_images.model.image import HistoryLine
    from pytest_images.model.inspection import Inspection
    from pytest_images.model.request.history import HistoryRequest
    from pytest_images.model.request.import_ import ImportRequest
    from pytest_images.model.request.inspect import InspectRequest
    from pytest_images.model.request.load import LoadRequest
    from pytest_images.model.request.ls import LsRequest
    from pytest_images.model.request.prune import PruneRequest
    from pytest_images.model.request.rm import RmRequest
    from pytest_images.model.request.save import SaveRequest
    from pytest_images.model.request.tag import TagRequest

BLOCK = 1 << 20
_PREFIX = re.compile("(?:sha256:)?([0-9a-f]{1,63})")


class DockerEngine:
    """The images of a daemon. ``build``, ``pull`` and ``push`` come with a later one.

    *address*: by default what ``$DOCKER_HOST`` says when the engine is made.
    """

    def __init__(self, address: str | None = None) -> None:
        self._daemon = Daemon(Address.parse(address) if address else Address.of_environment())

    @hookimpl
    def image_ls(self, images: Images, request: LsRequest) -> tuple[Image, ...]:
        """List the daemon's images, in its order: newest first."""
        filters: dict[str, list[str]] = {}
        for key, value in request.filters:
            filters.setdefault(key, []).append(value)
        if request.pattern is not None:
            filters.setdefault("reference", []).append(request.pattern)
        query = {"all": str(int(request.all)), "filters": json.dumps(filters)}
        found = []
        for line in self._daemon.ask("GET", "/images/json", query):
            try:
                found.append(listed(self._image(line["Id"]), line))
            except ImageNotFound:  # it went while the others were asked for
                continue
        return tuple(found)

    @hookimpl
    def image_inspect(self, images: Images, request: InspectRequest) -> Inspection:
        """Say everything about an image; its documents are fetched when they are looked at."""
        document = self._document(request.image)
        image = image_of(document, request.image.reference)
        _require_platform("inspect", request.platform, image)
        tagged = (document.get("Metadata") or {}).get("LastTagTime") or ""
        return LazyInspection(image, tagged, lambda: self._read(image.id))

    @hookimpl
    def image_history(self, images: Images, request: HistoryRequest) -> tuple[HistoryLine, ...]:
        """Say how an image was made."""
        document = self._document(request.image)
        _require_platform("history", request.platform, image_of(document))
        lines = self._daemon.ask("GET", f"/images/{document['Id']}/history")
        return tuple(history_line(line) for line in lines)

    @hookimpl
    def image_tag(self, images: Images, request: TagRequest) -> Image:
        """Give an image a further name."""
        source, target = self._document(request.source)["Id"], request.target
        query = {"repo": target.name, "tag": target.tag or ""}
        self._daemon.ask("POST", f"/images/{source}/tag", query, about=str(request.source))
        return self._image(str(target), target)

    @hookimpl
    def image_rm(self, images: Images, request: RmRequest) -> tuple[Removal, ...]:
        """Take names and images away."""
        text = str(request.image)
        if request.platforms:
            _require_platform("rm", request.platforms[0], image_of(self._document(request.image)))
        elif request.image.id_prefix:
            self._require_one(request.image)
        query = {"force": str(int(request.force)), "noprune": str(int(not request.prune_parents))}
        lines = self._daemon.ask("DELETE", f"/images/{text}", query, about=text)
        return tuple(removal_of(line) for line in lines)

    @hookimpl
    def image_prune(self, images: Images, request: PruneRequest) -> tuple[Removal, ...]:
        """Remove what no container uses; the room it took is told once, with the last."""
        filters = {"dangling": [str(not request.all).lower()]}
        for key, value in request.filters:
            filters.setdefault(key, []).append(value)
        told = self._daemon.ask("POST", "/images/prune", {"filters": json.dumps(filters)})
        gone = [removal_of(line) for line in told["ImagesDeleted"] or ()]
        if gone:
            gone[-1] = replace(gone[-1], size=told["SpaceReclaimed"])
        return tuple(gone)

    @hookimpl
    def image_load(self, images: Images, request: LoadRequest) -> tuple[Loaded, ...]:
        """Hand over an archive of any kind, checked first, in the form every daemon reads."""
        with passing() as store:
            found = store.load(request.source, name=request.name, platforms=request.platforms)
            before = {one.reference: self._id_of(one.reference) for one in found}
            things = [one.reference or one.image.id for one in found]
            try:
                self._daemon.write(
                    "/images/load",
                    {"quiet": "1"},
                    lambda stream: store.save(things, stream, form="docker"),
                )
            except DaemonError as error:
                raise InvalidArchive(request.name, f"Docker refuses it: {error.message}") from error
        return tuple(self._loaded(one, before[one.reference]) for one in found)

    @hookimpl
    def image_save(self, images: Images, request: SaveRequest) -> tuple[Image, ...]:
        """Write images as one archive."""
        if request.platforms:
            raise Unsupported("save --platform", "the engine docker keeps one platform an image")
        chosen = [(each, image_of(self._document(each), each.reference)) for each in request.images]
        wanted = [_named(each, image) for each, image in chosen]
        with passing() as store:
            with self._daemon.reading("/images/get", {"names": [*map(str, wanted)]}) as archive:
                store.load(archive, name=self._daemon.name)
            store.save(wanted, request.stream, form=request.form)  # type: ignore[arg-type] # checked where it was made
        return tuple(image for _, image in chosen)

    @hookimpl
    def image_import(self, images: Images, request: ImportRequest) -> Image:
        """Have the daemon make an image of a root file system."""
        query: dict[str, Any] = {"fromSrc": "-", "changes": request.changes}
        query |= {"message": request.message, "platform": str(request.platform or "")}
        if request.reference is not None:
            query |= {"repo": request.reference.name, "tag": request.reference.tag or ""}
        try:
            messages = self._daemon.write(
                "/images/create", query, lambda stream: _copy(request.stream, stream)
            )
        except DaemonError as error:
            raise InvalidLayer(request.name, error.message) from error
        made = str(messages[-1]["status"])
        return self._image(made, request.reference)

    # Below: how an image is found.

    def _document(self, selector: Selector) -> dict[str, Any]:
        """Return what the daemon says of an image. Raises ImageNotFound, AmbiguousImage."""
        text = str(selector)
        try:
            found: dict[str, Any] = self._daemon.ask("GET", f"/images/{text}/json", about=text)
        except ImageNotFound:
            self._require_one(selector)
            raise
        return found

    def _require_one(self, selector: Selector) -> None:
        """Raise AmbiguousImage for the start of several IDs: a daemon says there is none."""
        if not (match := _PREFIX.fullmatch(selector.text)):
            return
        listed = self._daemon.ask("GET", "/images/json", {"all": "1"})
        ids = sorted({line["Id"] for line in listed})
        found = [each for each in ids if each.startswith(f"sha256:{match[1]}")]
        if len(found) > 1:
            raise AmbiguousImage(selector.text, found)

    def _image(self, name: str, reference: Reference | None = None) -> Image:
        return image_of(self._daemon.ask("GET", f"/images/{name}/json", about=name), reference)

    def _id_of(self, reference: Reference | None) -> Digest | None:
        """Return what a name stands for now."""
        try:
            return None if reference is None else self._image(str(reference)).id
        except ImageNotFound:
            return None

    def _loaded(self, found: Loaded, before: Digest | None) -> Loaded:
        image = self._image(str(found.image.id), found.reference)
        return Loaded(image, found.reference, None if before == image.id else before)

    def _read(self, identity: Digest) -> Inspection:
        """Return an image's documents out of its archive."""
        with passing() as store:
            with self._daemon.reading("/images/get", {"names": str(identity)}) as archive:
                store.load(archive, name=self._daemon.name)
            return store.inspect(identity)


def _named(selector: Selector, image: Image) -> Reference | Digest:
    """Return what the image is called in its archive: archives know no digests of manifests."""
    name = selector.reference
    return name if name is not None and name in image.tags else image.id


def _require_platform(verb: str, wanted: Platform | None, image: Image) -> None:
    if wanted is not None and wanted != image.platform:
        reason = f"the engine docker keeps one platform of {image}: {image.platform}"
        raise Unsupported(f"{verb} --platform {wanted}", reason)


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    while content := source.read(BLOCK):
        target.write(content)
