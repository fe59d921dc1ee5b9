"""The host of a pytest process, made of the settings at the first use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.arguments import platforms_of
from pytest_images.host import EMBEDDED, Host
from pytest_images.policies.locked import lock_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.content.store import Store
    from pytest_images.plugin.settings import Settings


def make_host(
    settings: Settings,
    root: Path,
    run: str,
    where: Callable[[], str | None],
    watchers: Sequence[object],
) -> Host:
    """Make the host of this process; *root* is where the lock file is.

    *watchers*: plugins that see every verb.

    Raises HookError, InvalidPlatform, InvalidUsage.
    """
    return Host(
        home=settings.home,
        run=run,
        engine=settings.engine or EMBEDDED,
        durability=settings.durability,
        platforms=platforms_of(settings.platform),
        policy=settings.policy,
        offline=settings.offline,
        lock=lock_in(root, settings.lock),
        mirrors=settings.mirrors,
        plugins=watchers,
        where=where,
    )


def take_part(settings: Settings, run: str) -> Store:
    """Take part in *run* for as long as what is returned is open. Raises StoreError and its kin."""
    from pytest_images.content.store import Store

    return Store.open(None if settings.home is None else Path(settings.home), run=run)
