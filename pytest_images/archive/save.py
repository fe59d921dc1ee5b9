"""Archives out of the store: an OCI layout and Docker's ``manifest.json``, or one of them.

Blobs are written as they are stored, so that no digest changes on the way to another store;
only ``docker`` alone has layers unpacked, for programs that expect it so. The members are
sorted and carry no time: the same images give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.archive import listing
from pytest_images.archive.content import Blob, Text, Unpacked
from pytest_images.archive.output import BLOCK, Output, header
from pytest_images.archive.shelf import blob_path
from pytest_images.dataclass import dataclass
from pytest_images.errors import InvalidUsage
from pytest_images.model.manifest import Index, Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from pytest_images.archive.content import Content
    from pytest_images.content.store import Store
    from pytest_images.model.config import Config
    from pytest_images.model.descriptor import Descriptor
    from pytest_images.model.digest import Digest
    from pytest_images.model.reference import Reference

    TarSize = Callable[[Digest, Digest], int]
    Done = Callable[[str, int], None]

FORMS = ("both", "oci", "docker")


@dataclass(frozen=True, slots=True)
class Chosen:
    """An image to write, under names or none.

    *root* is what its names stand for in the layout: the manifest itself, or the index it
    was chosen from; *documents* are the root and what of it goes along.
    """

    manifest: Manifest
    config: Config
    root: Manifest | Index
    documents: tuple[Manifest | Index, ...]
    references: tuple[Reference, ...] = ()


def save_archive(
    images: Sequence[Chosen],
    stream: BinaryIO,
    store: Store,
    form: str,
    *,
    tar_size: TarSize,
    done: Done,
) -> None:
    """Write *images* as one archive into *stream*, which stays open.

    *tar_size* says how many bytes a layer (its digest, its diff ID) has unpacked, *done* is
    told each member that was written, and its size. Every blob is looked for before the
    first byte is written, and verified while it is. Raises InvalidUsage (an unknown *form*),
    BlobNotFound, StoreDamaged, StoreError; OSError where the stream cannot be written.
    """
    if form not in FORMS:
        raise InvalidUsage(form, f"the form of an archive is one of {', '.join(FORMS)}")
    ordered = sorted(images, key=_order)
    if form == "docker":
        members = _plain(ordered, store, tar_size)
    else:
        members = _layout(ordered, store, with_docker=form == "both")
    output = Output(stream)
    for path in sorted(members.keys() | _folders(members)):
        content = members.get(path)
        if content is None:
            output.write(header(path, 0, is_folder=True))
            continue
        output.write(header(path, content.size))
        content.write(output, store)
        output.write(bytes(-content.size % BLOCK))
        done(path, content.size)
    output.write(bytes(2 * BLOCK))


def _order(image: Chosen) -> tuple[bool, tuple[Reference, ...], str]:
    return not image.references, image.references, str(image.manifest.digest)


def _folders(members: dict[str, Content]) -> set[str]:
    """Return the folders above all *members*, a slash at their end as in every tar."""
    return {path[: at + 1] for path in members for at, letter in enumerate(path) if letter == "/"}


def _layout(images: Sequence[Chosen], store: Store, *, with_docker: bool) -> dict[str, Content]:
    """Return the members of an OCI layout, Docker's lists of the same blobs beside it."""
    members: dict[str, Content] = {}
    for image in images:
        for document in image.documents:
            for descriptor in (document.descriptor, *_parts(document)):
                members[blob_path(descriptor.digest)] = Blob.of(descriptor, store)
    members["oci-layout"] = Text(listing.LAYOUT)
    members["index.json"] = Text(listing.index(images))
    if with_docker:
        entries = [_entry_by_digest(image) for image in images]
        members |= {path: Text(text) for path, text in listing.docker(entries).items()}
    return members


def _parts(document: Manifest | Index) -> tuple[Descriptor, ...]:
    return (document.config, *document.layers) if isinstance(document, Manifest) else ()


def _entry_by_digest(image: Chosen) -> listing.Entry:
    layers = [blob_path(layer.digest) for layer in image.manifest.layers]
    return listing.Entry(blob_path(image.config.id), layers, image.references)


def _plain(images: Sequence[Chosen], store: Store, tar_size: TarSize) -> dict[str, Content]:
    """Return the members of an archive for Docker alone: layers unpacked, named by diff ID."""
    members: dict[str, Content] = {}
    entries = []
    for image in images:
        config = f"{image.config.id.encoded}.json"
        members[config] = Text(image.config.raw)
        layers = []
        rows = zip(image.manifest.layers, image.config.diff_ids, strict=True)
        for layer, diff_id in rows:
            path = f"{diff_id.encoded}.tar"
            layers.append(path)
            if path not in members:
                blob = Blob.of(layer, store)
                members[path] = Unpacked(blob, diff_id, tar_size(layer.digest, diff_id))
        entries.append(listing.Entry(config, layers, image.references))
    return members | {path: Text(text) for path, text in listing.docker(entries).items()}
