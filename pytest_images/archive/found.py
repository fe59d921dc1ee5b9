"""An image that an archive holds, and the checks that every form of archive shares."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass, replace
from pytest_images.errors import DigestMismatch, InvalidReference, SizeMismatch, shown
from pytest_images.model import media_types
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_images.archive.intake import Blob
    from pytest_images.layer.measure import Survey
    from pytest_images.model.config import Config
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.manifest import Index, Manifest
    from pytest_images.model.platform import Platform

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Found:
    """One image of an archive, its blobs in the store; *index* is the one it was chosen from."""

    manifest: Manifest
    config: Config
    references: tuple[Reference, ...] = ()
    index: Digest | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image whose documents were read, and where its layers are in the archive."""

    manifest: Manifest
    config: Config
    layers: tuple[str, ...]
    references: tuple[Reference, ...] = ()
    index: Index | None = None

    @property
    def platform(self) -> Platform:
        """What the image runs on, as its config says."""
        return self.config.platform

    def named(self, references: Iterable[Reference]) -> Candidate:
        """Return the candidate with further names."""
        return replace(self, references=tuple(dict.fromkeys((*self.references, *references))))


def name_of(text: str, archive: str) -> Reference:
    """Read a name that an archive gives: it needs a tag. Raises InvalidReference (row T23)."""
    try:
        reference = Reference.parse_bare(text)
        if reference.tag is None or reference.digest is not None:
            raise InvalidReference(text, "a name in an archive is a repository and a tag")
    except InvalidReference as error:
        error.add_note(f"{shown(archive)} gives an image this name; nothing was loaded.")
        raise
    return reference


def check_layer(
    descriptor: Descriptor, blob: Blob, found: Survey, diff_id: Digest, source: str
) -> None:
    """Hold a layer against its descriptor and the config: its size and its diff ID (row D03)."""
    if blob.size != descriptor.size:
        raise SizeMismatch(descriptor.size, blob.size, source)
    actual = found.diff_id or blob.digest
    if actual.algorithm == diff_id.algorithm and actual != diff_id:
        raise DigestMismatch(str(diff_id), str(actual), f"{source}, unpacked")
    if not _states(descriptor.media_type, found.compression.value):
        _log.warning(
            "%s: %s holds a %s tar", source, descriptor.media_type, found.compression.value
        )


def _states(media_type: str, compression: str) -> bool:
    """Say whether a layer's media type means *compression*."""
    if media_type in (media_types.OCI_LAYER, media_types.DOCKER_LAYER):
        return compression == "none"
    return media_type.endswith(compression)
