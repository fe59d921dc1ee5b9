"""Everything known of one image, and Docker's JSON for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_images.model.config import Config
    from pytest_images.model.image import Image
    from pytest_images.model.manifest import Manifest

NEVER = "0001-01-01T00:00:00Z"  # Go's zero time, as Docker writes it
# What Docker shows of a config, in its order; empty values are left out (docker-image-spec).
_SETTINGS = (
    "User",
    "ExposedPorts",
    "Env",
    "Entrypoint",
    "Cmd",
    "Volumes",
    "WorkingDir",
    "Labels",
    "StopSignal",
    "ArgsEscaped",
    "Healthcheck",
    "OnBuild",
    "Shell",
)


@dataclass(frozen=True, slots=True)
class Inspection:
    """An image with its documents; *tagged* is when a name last moved to it (RFC 3339)."""

    image: Image
    config: Config
    manifest: Manifest
    tagged: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return what `docker image inspect` shows of the image, in its order."""
        image, config = self.image, self.config
        platform = {
            "Architecture": config.platform.architecture,
            "Variant": _variant(self),
            "Os": config.platform.os,
        }
        return {
            "Id": str(image.id),
            "RepoTags": [tag.familiar for tag in image.tags],
            "RepoDigests": [digest.familiar for digest in image.digests],
            "Parent": "",
            "Comment": config.history[-1].comment if config.history else "",
            **({"Created": config.created} if config.created else {}),
            "Author": config.author,
            "Config": _settings(config),
            **{key: value for key, value in platform.items() if value},
            "Size": image.size or 0,
            "RootFS": {"Type": "layers", "Layers": [str(digest) for digest in config.diff_ids]},
            "Metadata": {"LastTagTime": self.tagged or NEVER},
            "Descriptor": image.manifest.to_json(),
        }


def _variant(inspection: Inspection) -> str:
    """The variant as the config states it, not as it is normalised."""
    stated = inspection.config.document.get("variant")
    return stated if isinstance(stated, str) else ""


def _settings(config: Config) -> dict[str, Any]:
    settings = config.document.get("config")
    if not isinstance(settings, dict):
        return {}
    return {key: settings[key] for key in _SETTINGS if settings.get(key)}
