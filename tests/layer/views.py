"""Views of layers that lie in memory, and tars that are quickly written."""

from __future__ import annotations

import gzip
import io
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import zstandard

from pytest_images.layer.contents import Contents
from pytest_images.layer.files import Files
from pytest_images.layer.measure import measure
from pytest_images.layer.scope import Layer
from pytest_images.model.digest import Digest
from tests.layer.raw import END, member

if TYPE_CHECKING:
    from typing import BinaryIO

COMPRESS: dict[str, Any] = {
    "plain": bytes,
    "gzip": partial(gzip.compress, compresslevel=1, mtime=0),
    "zstd": zstandard.compress,
}


SCRATCH = Path(tempfile.gettempdir())


class Opened:
    """Opens one blob, and counts how often."""

    def __init__(self, blob: bytes) -> None:
        self.blob, self.count = blob, 0

    def __call__(self) -> BinaryIO:
        self.count += 1
        file = tempfile.TemporaryFile()  # noqa: SIM115, RUF100 - for whoever asked
        file.write(self.blob)
        file.seek(0)
        return file


def layer(*entries: bytes) -> bytes:
    """A layer's tar of these members."""
    return b"".join(entries) + END


def folder(name: bytes) -> bytes:
    return member(name + b"/", kind=b"5")


def symlink(name: bytes, target: bytes) -> bytes:
    return member(name, kind=b"2", link=target)


def hardlink(name: bytes, target: bytes) -> bytes:
    return member(name, kind=b"1", link=target)


def of_tar(
    tar: bytes, compression: str = "gzip", scratch: Path = SCRATCH, opened: Opened | None = None
) -> Layer:
    """One layer as a view takes it; *opened* is what is read where that is something else."""
    blob = COMPRESS[compression](tar)

    def look() -> Contents:
        contents = Contents("layer")
        measure(io.BytesIO(blob), "layer", visit=contents.add)
        return contents

    read = opened or Opened(blob)
    return Layer(Digest.of(blob), Digest.of(tar), look, read, limit=None, folder=scratch)


def view(*tars: bytes) -> Files:
    """The merged view of layers, the lowest first."""
    return Files([of_tar(tar) for tar in tars], "app:1")


def listed(files: Files) -> dict[str, str]:
    """Every path with what it is: its kind, a link's target, a file's text."""
    found = {}
    for top, folders, names in files.walk():
        for name in [*folders, *names]:
            stat = (top / name).lstat()
            text = (top / name).read_text() if stat.kind == "file" else stat.target
            found[str(top / name)] = f"{stat.kind} {text}".rstrip()
    return found
