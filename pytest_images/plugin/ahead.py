"""What the selected tests need: fetched while the first of them run, or only shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.plugin.interrupts import delayed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_images.host.host import Host
    from pytest_images.plugin.background import Background
    from pytest_images.plugin.settings import Settings


class Ahead:
    """A pytest plugin that knows what is needed when tests are collected; *host* makes the host."""

    def __init__(self, config: pytest.Config, settings: Settings, host: Callable[[], Host]) -> None:
        self._config, self._settings, self._host = config, settings, host
        self._background: Background | None = None

    def make_way(self, key: tuple[str, ...]) -> None:
        """Wait for a need that is being fetched; one that is not begun is left to the caller."""
        if self._background is not None:
            self._background.make_way(key)

    def is_this_thread(self) -> bool:
        """Say whether it is this thread that fetches."""
        return self._background is not None and self._background.is_this_thread

    def stop(self) -> None:
        """End: what nobody waits for any more is given up. Safe when called twice."""
        background, self._background = self._background, None
        if background is not None:
            background.stop()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put tests that need no image first, where that was asked for."""
        if self._settings.first == "unneeded" and any(map(uses, items)):
            from pytest_images.plugin.plan import unneeded_first

            unneeded_first(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Begin to fetch what the tests need, or only say what that is."""
        items: list[pytest.Item] = getattr(session, "items", [])
        stops = session.testsfailed and not self._config.option.continue_on_collection_errors
        if self._config.option.collectonly or stops:
            return None
        if self._settings.plan:
            self._show_plan(items)
            return True
        if self._settings.ahead and any(map(uses, items)):
            with delayed():
                self._fetch(items)
        return None

    def _fetch(self, items: list[pytest.Item]) -> None:
        from pytest_images.plugin.background import Background
        from pytest_images.plugin.needs import needs_of

        needs = needs_of(items, self._settings.policy)
        if needs:
            self._background = Background(self._host(), needs)
            self._background.start()

    def _show_plan(self, items: list[pytest.Item]) -> None:
        from pytest_images.plugin.plan import lines

        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        for line in lines(self._host(), items):
            reporter.write_line(line)


def uses(item: pytest.Item) -> bool:
    """Say whether a test asks for `images`, ours and not another fixture of that name.

    Or for a fixture that a factory made: `factory.FACTORY` is on that.
    """
    definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    found: Sequence[pytest.FixtureDef[Any]] = definitions.get("images", ())
    if found and found[-1].func.__module__.startswith("pytest_images."):
        return True
    made = (hasattr(one[-1].func, "_pytest_images_factory") for one in definitions.values() if one)
    return any(made) or item.get_closest_marker("image") is not None
