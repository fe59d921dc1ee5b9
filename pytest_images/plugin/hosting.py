"""The host of a pytest process, made of the settings at the first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.arguments import platforms_of
from pytest_images.host import EMBEDDED, Host
from pytest_images.policies.offline import Offline

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.plugin.settings import Settings


def make_host(
    settings: Settings, run: str, where: Callable[[], str | None], report: object
) -> Host:
    """Make the host of this process. Raises HookError, InvalidPlatform."""
    policies = [report, Offline()] if settings.offline else [report]
    return Host(
        home=settings.home,
        run=run,
        engine=settings.engine or EMBEDDED,
        durability=settings.durability,
        platforms=platforms_of(settings.platform),
        plugins=policies,
        where=where,
    )
