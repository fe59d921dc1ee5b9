"""Docker for pytest-images, through its socket: an engine, and an answer to `build_run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from pytest_images import Ran, RunStep

__all__ = ["DockerPlugin"]


class DockerPlugin:
    """Brings the engine ``docker``; installing it does not choose it.

    The steps of builds run in Docker where nothing on this machine can confine them, or where
    ``PYTEST_IMAGES_BUILD_RUN`` says so.
    """

    @hookimpl
    def images_engines(self) -> Mapping[str, Callable[[], object]]:
        """Name the engine; it is imported when it is first used."""
        return {"docker": _engine}

    @hookimpl
    def build_run(self, step: RunStep) -> Ran | None:
        """Run the step in Docker where that is chosen."""
        from pytest_images_docker.choice import Where, run_in_docker, where

        return run_in_docker(step) if where() is Where.DOCKER else None

    @hookimpl(wrapper=True, specname="build_run")
    def build_run_instead(self, step: RunStep) -> Generator[None, Ran, Ran]:
        """Run the step in Docker where the others cannot."""
        from pytest_images import Unsupported

        try:
            return (yield)
        except Unsupported as unsupported:
            from pytest_images_docker.choice import run_instead

            return run_instead(step, unsupported)


def _engine() -> object:
    from pytest_images_docker.engine import DockerEngine

    return DockerEngine()
