"""An inspection as Docker's JSON, field by field (Engine API 1.48, ``GET /images/{name}/json``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_images.model.inspection import Inspection
    from pytest_images.model.reference import Reference

_ABSENT = object()
NEVER = "0001-01-01T00:00:00Z"  # Go's zero time: what Docker shows where a time is missing

# The settings in Docker's order, those it always lists with the value for "nothing said".
_SETTINGS: dict[str, Any] = {
    "User": "",
    "ExposedPorts": _ABSENT,
    "Env": None,
    "Cmd": None,
    "Healthcheck": _ABSENT,
    "ArgsEscaped": _ABSENT,
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": None,
    "StopSignal": _ABSENT,
    "Shell": _ABSENT,
}
_MAPS = frozenset(("ExposedPorts", "Volumes", "Labels"))  # whose keys Go writes in order


def to_docker_json(inspection: Inspection) -> dict[str, Any]:
    """Return what ``docker image inspect`` prints for the image, keys in Docker's order."""
    image, config = inspection.image, inspection.config
    document = config.document
    return {
        "Id": str(image.id),
        "RepoTags": _familiar(image.tags),
        "RepoDigests": _familiar(image.digests),
        "Parent": "",
        "Comment": config.history[-1].comment if config.history else "",
        "Created": config.created or NEVER,
        "Author": config.author,
        "Config": _settings(document.get("config")),
        "Architecture": document.get("architecture") or image.platform.architecture,
        **_present("Variant", document.get("variant")),
        "Os": document.get("os") or image.platform.os,
        **_present("OsVersion", document.get("os.version")),
        "Size": image.size or 0,
        "RootFS": {
            "Type": "layers",
            **_present("Layers", [str(diff_id) for diff_id in config.diff_ids]),
        },
        "Metadata": {"LastTagTime": inspection.tagged or NEVER},
        "Descriptor": image.manifest.to_json(),
    }


def _familiar(names: Iterable[Reference]) -> list[str]:
    return [name.familiar for name in names]


def _settings(found: Any) -> dict[str, Any]:
    """Return the settings under Docker's spelling: a config may have them in any case."""
    spelled: dict[str, str] = {key.lower(): key for key in _SETTINGS}
    own = found.items() if isinstance(found, dict) else ()
    settings = dict(_SETTINGS)
    for key, value in own:
        name = spelled.get(str(key).lower(), str(key))
        is_map = name in _MAPS and isinstance(value, dict)
        settings[name] = dict(sorted(value.items())) if is_map else value
    return {key: value for key, value in settings.items() if value is not _ABSENT}


def _present(key: str, value: Any) -> dict[str, Any]:
    return {key: value} if value else {}
