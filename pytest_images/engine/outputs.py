"""Where a build's result goes besides the store: folders and archives, and files about it."""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.errors import InvalidUsage, Unsupported
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pytest_images.builder.trees import Tree
    from pytest_images.content.store import Store
    from pytest_images.model.config import Config
    from pytest_images.model.digest import Digest
    from pytest_images.model.manifest import Manifest
    from pytest_images.model.reference import Reference

STANDARD_OUTPUT = "-"
_FORMS = {"oci": "oci", "docker": "both"}  # what a type is as a form of `save_archive`
_TYPES = ("local", "tar", *_FORMS, "image")


class Built(NamedTuple):
    """What was built: its documents, what gives its files, the names it is to have."""

    config: Config
    manifest: Manifest
    files: Callable[[], Tree]
    names: tuple[Reference, ...]


def check_outputs(outputs: Sequence[tuple[str, str]]) -> None:
    """Refuse what cannot be written, before anything is built.

    Raises InvalidUsage, Unsupported, FileNotFoundError.
    """
    for kind, to in outputs:
        if kind == "registry":
            error = Unsupported("build", "an output into a registry")
            error.add_note("build with a tag, then push it")
            raise error
        if kind not in _TYPES:
            raise InvalidUsage(kind, f"the type of an output is one of {', '.join(_TYPES)}")
        if not to and kind not in ("docker", "image"):
            raise InvalidUsage(kind, f"dest is required for an output of type {kind}")
        if kind == "local" and to == STANDARD_OUTPUT:
            raise InvalidUsage(to, "a folder cannot be written to standard output")
        if kind != "local" and to and Path(to).is_dir():
            raise InvalidUsage(to, f"an output of type {kind} is a file, and this is a folder")
        if kind != "local" and to not in ("", STANDARD_OUTPUT):
            check_folders(Path(to))


def check_folders(*files: Path | None) -> None:
    """Refuse files of which there is no folder to write them to. Raises FileNotFoundError."""
    for file in filter(None, files):
        if not file.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))


def keeps_image(outputs: Sequence[tuple[str, str]]) -> bool:
    """Say whether the image goes into the store: as a rule, and where an output says so."""
    return not outputs or any(kind in ("docker", "image") and not to for kind, to in outputs)


def write_outputs(store: Store, outputs: Sequence[tuple[str, str]], built: Built) -> None:
    """Write every output; a file is whole, or what it was before. Raises OSError, and others."""
    if not outputs:
        return
    from pytest_images.builder.export import export_into, write_tar

    for kind, to in outputs:
        if kind == "local":
            export_into(built.files(), Path(to))
        elif kind == "tar":
            with _target(to) as stream:
                write_tar(built.files(), stream)
        elif to:
            with _target(to) as stream:
                _archive(store, built, stream, _FORMS[kind])


def write_facts(built: Built, iid_file: Path | None, metadata_file: Path | None) -> None:
    """Write the image ID, and what BuildKit says of a result, where that is asked for."""
    if iid_file is not None:
        _replace(iid_file, str(built.config.id))
    if metadata_file is not None:
        descriptor = built.manifest.descriptor
        facts: dict[str, object] = {
            "containerimage.config.digest": str(built.config.id),
            "containerimage.descriptor": descriptor.to_json(),
            "containerimage.digest": str(descriptor.digest),
        }
        if built.names:
            facts["image.name"] = ",".join(map(str, built.names))
        _replace(metadata_file, json.dumps(facts, indent=2))


def _archive(store: Store, built: Built, stream: BinaryIO, form: str) -> None:
    from pytest_images.archive.save import Chosen, save_archive
    from pytest_images.engine.sizes import facts_of

    def tar_size(layer: Digest, diff_id: Digest) -> int:
        return facts_of(store, layer, diff_id).tar_size

    manifest = built.manifest
    chosen = Chosen(manifest, built.config, manifest, (manifest,), built.names)
    save_archive([chosen], stream, store, form, tar_size=tar_size, done=lambda *_: None)


@contextmanager
def _target(path: str) -> Iterator[BinaryIO]:
    if path == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(path)
    if target.exists() and not target.is_file():  # a pipe, a device: written as it is
        with target.open("wb") as stream:
            yield stream
        return
    with _fresh(target) as (descriptor, name):
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        Path(name).replace(target)


@contextmanager
def _fresh(target: Path) -> Iterator[tuple[int, str]]:
    import tempfile

    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        os.fchmod(descriptor, 0o666 & ~_umask())
        yield descriptor, name
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _replace(path: Path, text: str) -> None:
    with _target(str(path)) as stream:
        stream.write(text.encode())
