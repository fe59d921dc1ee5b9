"""`registry.example.test` for pytest-images: where it is, and who we are to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images import Credentials, Endpoint, Secret, hookimpl

if TYPE_CHECKING:
    from pytest_images import Reference

DOMAIN = "registry.example.test"
ADDRESS = "EXAMPLE_REGISTRY"
TOKEN_FILE = "EXAMPLE_REGISTRY_TOKEN_FILE"  # noqa: S105 - the name of a variable
USER = "token"  # what goes with a token, as GitHub, GitLab and ECR do it


class ExampleRegistry:
    """Answers two questions for one domain, and leaves all others to others."""

    @hookimpl
    def registry_endpoints(self, reference: Reference) -> tuple[Endpoint, ...] | None:
        """Say where `registry.example.test` is: at one place, which serves everything."""
        if reference.registry != DOMAIN:
            return None
        return (Endpoint(address()),)

    @hookimpl
    def registry_credentials(
        self, registry: str, rejected: Credentials | None
    ) -> Credentials | None:
        """Say who we are: by the token of the moment, or by nothing when that was refused."""
        file = os.environ.get(TOKEN_FILE)
        if registry not in (DOMAIN, address()) or not file:
            return None
        credentials = Credentials(USER, Secret(Path(file).read_text().strip()))
        return None if credentials == rejected else credentials


def address() -> str:
    """Return the host that serves the domain: the domain itself where nobody said another."""
    return os.environ.get(ADDRESS, DOMAIN)
