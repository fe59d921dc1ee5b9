"""Every blob's bytes against its name."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.content.facts import Problem
from pytest_images.errors import ImagesError, InvalidDigest
from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.content.blobs import Blobs
    from pytest_images.content.home import Home

_STEP = 1 << 20


def wrong(home: Home, blobs: Blobs) -> Iterator[Problem]:
    """Yield every entry under ``blobs/`` that is not a blob with the bytes it is named for."""
    for folder in sorted(home.blobs.iterdir()):
        if folder.name not in ("sha256", "sha512"):
            yield Problem("blob-misnamed", str(folder), "nothing is stored under that name")
        elif folder.is_dir():
            for path in sorted(folder.iterdir()):
                yield from one(path, blobs)


def one(path: Path, blobs: Blobs) -> Iterator[Problem]:
    """Yield what is wrong with one entry; one that is gone is not wrong."""
    try:
        digest = Digest(path.parent.name, path.name)
        info = path.lstat()
    except InvalidDigest:
        yield Problem("blob-misnamed", str(path), "its name is not a digest")
        return
    except FileNotFoundError:
        return
    if not stat.S_ISREG(info.st_mode):
        yield Problem("blob-unsafe", str(path), "it is not a regular file")
        return
    try:
        actual = _hash(blobs, digest)
    except (ImagesError, OSError) as error:
        if path.exists():
            yield Problem("blob-unreadable", str(path), str(error))
        return
    if actual != digest:
        detail = f"its {info.st_size} bytes are {actual}"
        yield Problem("blob-corrupt" if info.st_size else "blob-empty", str(path), detail)


def _hash(blobs: Blobs, digest: Digest) -> Digest:
    hasher = hashlib.new(digest.algorithm)
    with blobs.open(digest) as file:
        while chunk := file.read(_STEP):
            hasher.update(chunk)
    return Digest(digest.algorithm, hasher.hexdigest())
