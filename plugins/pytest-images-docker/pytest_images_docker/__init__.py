"""Docker as an engine for pytest-images: its daemon's images, through its socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["DockerPlugin"]


class DockerPlugin:
    """Brings the engine ``docker``; installing it does not choose it."""

    @hookimpl
    def images_engines(self) -> Mapping[str, Callable[[], object]]:
        """Name the engine; it is imported when it is first used."""
        return {"docker": _engine}


def _engine() -> object:
    from pytest_images_docker.engine import DockerEngine

    return DockerEngine()
