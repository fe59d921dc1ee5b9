"""What the daemon says of an image, as values."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pytest_images import Descriptor, Digest, Image, Platform, Reference, Removal
from pytest_images.model import media_types
from pytest_images.model.image import HistoryLine

if TYPE_CHECKING:
    from collections.abc import Iterable

NONE = "<none>"
MISSING = "<missing>"


def image_of(document: dict[str, Any], reference: Reference | None = None) -> Image:
    """Return the image that ``GET /images/{name}/json`` describes.

    A daemon's classic store keeps no manifest. Where it knows under which digest the image
    was pulled, that one stands for it, and else the config does; the size is 0, not known.
    """
    identity, digests = Digest.parse(document["Id"]), names(document.get("RepoDigests"))
    return Image(
        identity,
        _manifest(document.get("Descriptor"), identity, digests),
        Platform(document["Os"], document["Architecture"], document.get("Variant") or ""),
        reference,
        names(document.get("RepoTags")),
        digests,
        created=moment(document.get("Created") or ""),
        size=document.get("Size"),
        labels=(document.get("Config") or {}).get("Labels") or {},
    )


def listed(image: Image, line: dict[str, Any]) -> Image:
    """Return *image* with the names that a line of ``GET /images/json`` gives it."""
    return replace(image, tags=names(line.get("RepoTags")), digests=names(line.get("RepoDigests")))


def names(texts: Iterable[str] | None) -> tuple[Reference, ...]:
    """Return names; a dangling image has ``<none>:<none>``, which is none."""
    return tuple(Reference.parse(text) for text in texts or () if NONE not in text)


def moment(text: str) -> datetime | None:
    """Read a time of Go's, with up to nine digits of a second; None for one that is not said."""
    if not text or text.startswith("0001-"):
        return None
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))


def removal_of(line: dict[str, str]) -> Removal:
    """Return what a line of ``DELETE /images/{name}`` says went."""
    if "Untagged" in line:
        return Removal(untagged=Reference.parse(line["Untagged"]))
    return Removal(deleted=Digest.parse(line["Deleted"]))


def history_line(line: dict[str, Any]) -> HistoryLine:
    """Return one step of ``GET /images/{name}/history``."""
    created = datetime.fromtimestamp(line["Created"], UTC) if line["Created"] > 0 else None
    return HistoryLine(
        None if line["Id"] == MISSING else Digest.parse(line["Id"]),
        created.strftime("%Y-%m-%dT%H:%M:%SZ") if created else "",
        line["CreatedBy"],
        line["Size"],
        line["Comment"],
        names(line["Tags"]),
    )


def _manifest(told: Any, identity: Digest, digests: tuple[Reference, ...]) -> Descriptor:
    if told:
        return Descriptor.from_json(told, "the daemon")
    for pinned in digests:
        if pinned.digest is not None:
            return Descriptor(media_types.DOCKER_MANIFEST, pinned.digest, 0)
    return Descriptor(media_types.DOCKER_CONFIG, identity, 0)
