"""The config of an image: what runs in it and which layers make it (OCI image-spec, config.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pytest_images.dataclass import dataclass, field
from pytest_images.errors import InvalidDigest, InvalidDocument, InvalidPlatform, LimitExceeded
from pytest_images.model.digest import Digest
from pytest_images.model.documents import folded_fields, load_object
from pytest_images.model.manifest import LAYER_LIMIT, Manifest
from pytest_images.model.platform import UNKNOWN, Platform
from pytest_images.model.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

HISTORY_LIMIT = 10_000
_FIELDS = frozenset(
    {"created", "author", "architecture", "os", "variant", "config", "rootfs", "history"}
)
_ROOTFS_FIELDS = frozenset({"type", "diff_ids"})
_HISTORY_FIELDS = frozenset({"created", "created_by", "author", "comment", "empty_layer"})


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
    """An image's config; its bytes' digest is the image ID.

    >>> config = Config.parse(b'{"os": "linux", "architecture": "arm64", "rootfs": {}}')
    >>> str(config.platform), config.settings.user
    ('linux/arm64/v8', '')
    """

    raw: bytes
    platform: Platform
    diff_ids: tuple[Digest, ...]
    history: tuple[History, ...] = ()
    created: str = ""
    author: str = ""
    settings: Settings = field(default_factory=Settings)

    @classmethod
    def parse(cls, raw: bytes, source: str = "config") -> Self:
        """Read a config. Raises InvalidDocument, LimitExceeded."""
        document = folded_fields(load_object(raw, source), _FIELDS, source)
        return cls(
            raw=raw,
            platform=_platform(document, source),
            diff_ids=_diff_ids(document.get("rootfs"), source),
            history=_history(document.get("history"), source),
            created=_text(document, "created", source),
            author=_text(document, "author", source),
            settings=Settings.from_json(document.get("config"), source),
        )

    def require_layers_of(self, manifest: Manifest, source: str) -> None:
        """Raise InvalidDocument unless there is one diff ID for each layer of *manifest*."""
        if len(self.diff_ids) != len(manifest.layers):
            counts = f"{len(self.diff_ids)} diff IDs for {len(manifest.layers)} layers"
            raise InvalidDocument(source, counts)

    @property
    def id(self) -> Digest:
        """The image ID: the digest of the config's bytes."""
        return Digest.of(self.raw)

    @property
    def chain_ids(self) -> tuple[Digest, ...]:
        """What each layer stands for on top of those below it (OCI image-spec, "Layer ChainID").

        >>> raw = b'{"rootfs": {"diff_ids": ["sha256:%s", "sha256:%s"]}}'
        >>> [chain.short for chain in Config.parse(raw % (b"0" * 64, b"1" * 64)).chain_ids]
        ['000000000000', 'f2e3c7a9a8bb']
        """
        chains: list[Digest] = []
        for diff_id in self.diff_ids:
            chains.append(Digest.of(f"{chains[-1]} {diff_id}".encode()) if chains else diff_id)
        return tuple(chains)

    @property
    def document(self) -> dict[str, Any]:
        """The whole config as JSON gives it: a copy of its own for each caller."""
        return load_object(self.raw, "config")

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels; data only, never a setting of ours."""
        return self.settings.labels


def _platform(document: Mapping[str, Any], source: str) -> Platform:
    """The platform; words that no platform has give `UNKNOWN`, as in an index."""
    words = [_text(document, key, source) for key in ("os", "architecture", "variant")]
    try:
        return Platform(words[0] or "linux", words[1] or "unknown", words[2])
    except InvalidPlatform:
        return UNKNOWN


def _text(document: Mapping[str, Any], key: str, source: str) -> str:
    value = document.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidDocument(source, f"{key} is not text")
    return value


def _diff_ids(rootfs: object, source: str) -> tuple[Digest, ...]:
    if not isinstance(rootfs, dict):
        raise InvalidDocument(source, "rootfs is not an object: this is not an image's config")
    listed = folded_fields(rootfs, _ROOTFS_FIELDS, source).get("diff_ids")
    if listed is None:
        return ()
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
    return tuple(_line(folded_fields(item, _HISTORY_FIELDS, source), source) for item in listed)


def _line(item: dict[str, Any], source: str) -> History:
    empty = item.get("empty_layer")
    if not isinstance(empty, bool | None):
        raise InvalidDocument(source, "empty_layer is not true or false")
    return History(
        created=_text(item, "created", source),
        created_by=_text(item, "created_by", source),
        author=_text(item, "author", source),
        comment=_text(item, "comment", source),
        empty_layer=empty is True,
    )
