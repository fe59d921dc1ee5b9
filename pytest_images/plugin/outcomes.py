"""What a run built, for all its processes: one builds, the others take its result or its error.

A file for each thing to build, in a folder for each run, which goes with the run.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_images import errors
from pytest_images.errors import ImageNotFound, ImagesError
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_images.host.host import Host
    from pytest_images.images import Images
    from pytest_images.model.image import Image

_FORGOTTEN = 7 * 24 * 3600.0  # seconds after which the folder of a run that was killed goes


def once(images: Images, key: str, make: Callable[[], Image]) -> Image:
    """Return what the first process of the run that came here made by *make*, or raise its error.

    *key* says what is made. Who comes while it is made waits.
    """
    host = images._host
    run = host.run or ""
    folder = _folder(host) / run
    with host.guard("built", run, key):
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
        image = _told(path, images)
        if image is not None:
            return image
        try:
            image = make()
        except ImagesError as error:
            _write(path, _plain(error))
            raise
        name = str(image.reference) if image.reference else ""
        _write(path, {"image": str(image.id), "name": name})
        return image


def forget(host: Host, run: str) -> None:
    """Drop what *run* left, and what runs left that were killed."""
    folder = _folder(host)
    shutil.rmtree(folder / run, ignore_errors=True)
    for other in list(folder.iterdir()):
        with suppress(OSError):
            if other.stat().st_mtime < time.time() - _FORGOTTEN:
                shutil.rmtree(other, ignore_errors=True)


def _folder(host: Host) -> Path:
    return host.embedded.store.workspace("outcomes")


def _told(path: Path, images: Images) -> Image | None:
    """Return what another made, or raise its error; None: nobody was here, or it has gone."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if "error" in document:
        error: ImagesError = getattr(errors, document["error"])(*document["args"])
        error.__dict__.update(document["more"])
        raise error
    with suppress(ImageNotFound):
        found = images.inspect(Digest.parse(document["image"])).image
        name = document["name"]
        return replace(found, reference=Reference.parse(name) if name else None)
    return None


def _plain(error: ImagesError) -> dict[str, Any]:
    return {"error": type(error).__name__, "args": error.args, "more": error.__dict__}


def _write(path: Path, document: dict[str, Any]) -> None:
    """Write it down; what cannot be is made again by the next one."""
    fresh = path.with_suffix(".new")
    with suppress(OSError, TypeError):
        fresh.write_text(json.dumps(document))
        fresh.rename(path)
