"""A RUN step before it runs: what is decided of it, and what its mounts are called."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pytest_images.builder.settings import below
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.mounts import MountType
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.dockerfile.heredoc import Heredoc
    from pytest_images.dockerfile.mounts import Mount
    from pytest_images.model.platform import Platform

SCRIPTS = "/dev/pipes"  # where a here-document lies that is a program of its own
_SECRETS = "/run/secrets"


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


def placed(mount: Mount, directory: str) -> Mount:
    """Return *mount* with the ID and target that it has in the working *directory*.

    Raises Malformed for a target that is the whole file system.
    """
    if mount.type is MountType.SECRET:
        return _secret(mount, directory)
    target = below(directory, mount.target)
    if target == "/":
        raise Malformed(f'invalid mount target "{mount.target or "/"}"')
    is_cache = mount.type is MountType.CACHE
    name = mount.id or (posixpath.normpath(mount.target) if is_cache else "")
    return mount._replace(id=name, target=target)


def _secret(mount: Mount, directory: str) -> Mount:
    """Name a secret by its ID, its source or its file; it is a file unless a variable is meant."""
    name = mount.id or mount.source or posixpath.basename(mount.target)
    target = mount.target
    if not target and mount.environment is None:
        target = f"{_SECRETS}/{posixpath.basename(name)}"
    return mount._replace(id=name, target=target and below(directory, target))
