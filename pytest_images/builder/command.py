"""A RUN step before it runs: what is decided of it, and how its secrets are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.dockerfile.heredoc import Heredoc
    from pytest_images.dockerfile.mounts import Mount
    from pytest_images.model.platform import Platform

SCRIPTS = "/dev/pipes"  # where a here-document lies that is a program of its own


class Command(NamedTuple):
    """A RUN step with everything decided but where its files lie.

    *script* is the here-document that *words* name where it is a program of its own.
    """

    words: tuple[str, ...]
    environment: Mapping[str, str]
    directory: str
    user: str
    network: str
    platform: Platform
    mounts: tuple[Mount, ...] = ()
    add_hosts: tuple[tuple[str, str], ...] = ()
    script: Heredoc | None = None


def secret_id(mount: Mount) -> str:
    """Return the name by which a secret is given: its ID, else the name of its file."""
    return mount.id or mount.target.rpartition("/")[2]
