"""Where a RUN step runs: on this machine, in Docker, or in Docker only where it must."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_images import ImagesError, InvalidConfiguration, SandboxError, Unreachable
from pytest_images_docker.address import Address
from pytest_images_docker.daemon import Daemon
from pytest_images_docker.running import run

if TYPE_CHECKING:
    from pytest_images import Ran, RunStep, Unsupported

SETTING = "PYTEST_IMAGES_BUILD_RUN"


class Where(StrEnum):
    """What ``PYTEST_IMAGES_BUILD_RUN`` can say; without it, it is ``auto``."""

    AUTO = "auto"
    SANDBOX = "sandbox"
    DOCKER = "docker"


def where() -> Where:
    """Return what is chosen. Raises InvalidConfiguration."""
    text = os.environ.get(SETTING) or Where.AUTO
    try:
        return Where(text)
    except ValueError:
        reason = f'"{text}" is none of {", ".join(Where)}'
        raise InvalidConfiguration(SETTING, reason) from None


def run_in_docker(step: RunStep) -> Ran:
    """Run *step* in the Docker of ``DOCKER_HOST``.

    Raises SandboxError where it cannot be run there, Unreachable where nobody listens.
    """
    try:
        return run(step, Daemon(Address.of_environment()))
    except (SandboxError, Unreachable):
        raise
    except ImagesError as error:
        failure = SandboxError(str(error))
        for note in getattr(error, "__notes__", ()):
            failure.add_note(note)
        raise failure from error


def run_instead(step: RunStep, unsupported: Unsupported) -> Ran:
    """Run *step* in Docker, as nothing else can; *unsupported* says why. Raises it, else as above.

    It stays the error where Docker was not asked for and is not there either.
    """
    if where() is not Where.AUTO:
        raise unsupported
    try:
        return run_in_docker(step)
    except Unreachable as error:
        unsupported.add_note(f"Docker could run it, but {error}.")
        raise unsupported from error
