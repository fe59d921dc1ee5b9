"""`logout`: drop the credentials for a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.cli.options import Command
from pytest_images.cli.verbs._server import called, registry_of

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed
    from pytest_images.cli.settings import Settings

COMMAND = Command("logout", "[SERVER]", most=1)


def run(parsed: Parsed, settings: Settings) -> int:
    """Drop them from the file, and from the helper that keeps them."""
    from pytest_images.answers.docker_config import DockerConfig
    from pytest_images.answers.docker_login import DockerLogin

    registry = registry_of(parsed.arguments[0] if parsed.arguments else "")
    print(f"Removing login credentials for {called(registry)}")
    DockerLogin(DockerConfig().path).drop(registry)
    return 0
