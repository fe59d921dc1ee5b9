"""The config of an image: what runs in it and which layers make it (OCI image-spec, config.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from pytest_images.errors import InvalidDigest, InvalidDocument, InvalidPlatform, LimitExceeded
from pytest_images.model.digest import Digest
from pytest_images.model.documents import load_object
from pytest_images.model.manifest import LAYER_LIMIT
from pytest_images.model.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Mapping

HISTORY_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class History:
    """One line of an image's history, as its config states it."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """An image's config; its bytes' digest is the image ID."""

    raw: bytes
    platform: Platform
    diff_ids: tuple[Digest, ...]
    history: tuple[History, ...] = ()
    created: str = ""
    author: str = ""
    document: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)

    @classmethod
    def parse(cls, raw: bytes, source: str = "config") -> Self:
        """Read a config. Raises InvalidDocument, LimitExceeded."""
        document = load_object(raw, source)
        try:
            platform = Platform(
                _text(document, "os", source) or "linux",
                _text(document, "architecture", source) or "unknown",
                _text(document, "variant", source),
            )
        except InvalidPlatform as error:
            raise InvalidDocument(source, str(error)) from error
        return cls(
            raw=raw,
            platform=platform,
            diff_ids=_diff_ids(document.get("rootfs"), source),
            history=_history(document.get("history"), source),
            created=_text(document, "created", source),
            author=_text(document, "author", source),
            document=document,
        )

    @property
    def id(self) -> Digest:
        """The image ID: the digest of the config's bytes."""
        return Digest.of(self.raw)

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels; data only, never a setting of ours."""
        settings = self.document.get("config")
        labels = settings.get("Labels") if isinstance(settings, dict) else None
        return dict(labels) if isinstance(labels, dict) else {}


def _text(document: Mapping[str, Any], key: str, source: str) -> str:
    value = document.get(key) or ""
    if not isinstance(value, str):
        raise InvalidDocument(source, f"{key} is not text")
    return value


def _diff_ids(rootfs: object, source: str) -> tuple[Digest, ...]:
    if not isinstance(rootfs, dict):
        raise InvalidDocument(source, "rootfs is not an object: this is not an image's config")
    listed = rootfs.get("diff_ids") or []
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise InvalidDocument(source, "rootfs.diff_ids is not a list of digests")
    if len(listed) > LAYER_LIMIT:
        raise LimitExceeded(source, "number of diff IDs", LAYER_LIMIT)
    try:
        return tuple(Digest.parse(text) for text in listed)
    except InvalidDigest as error:
        raise InvalidDocument(source, str(error)) from error


def _history(listed: object, source: str) -> tuple[History, ...]:
    if listed is None:
        return ()
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise InvalidDocument(source, "history is not a list of objects")
    if len(listed) > HISTORY_LIMIT:
        raise LimitExceeded(source, "number of history lines", HISTORY_LIMIT)
    return tuple(
        History(
            created=_text(item, "created", source),
            created_by=_text(item, "created_by", source),
            author=_text(item, "author", source),
            comment=_text(item, "comment", source),
            empty_layer=item.get("empty_layer") is True,
        )
        for item in listed
    )
