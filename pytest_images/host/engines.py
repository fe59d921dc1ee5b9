"""The engines that plugins bring, and those that were made."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_images.errors import HookError, InvalidUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_images.host.manager import Manager

EMBEDDED = "embedded"


class Engines:
    """Makes an engine at its first use, and registers it to be asked last."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._lock = threading.RLock()
        self._factories: dict[str, Callable[[], object]] = {}
        self._made: dict[str, object] = {}

    def gather(self) -> None:
        """Ask the plugins for their engines. Raises HookError when two share a name."""
        for brought in reversed(self._manager.hook.images_engines()):
            self.add(brought)

    def add(self, brought: Mapping[str, Callable[[], object]]) -> None:
        """Take in the engines of one plugin. Raises HookError when a name is taken."""
        for name, factory in brought.items():
            if self._factories.setdefault(name, factory) is not factory:
                reason = f"two plugins bring an engine named {name!r}"
                raise HookError("images_engines", reason)

    def get(self, name: str) -> object:
        """Return the engine *name*, made now if need be. Raises InvalidUsage, HookError."""
        made = self._made.get(name)
        return self._make(name) if made is None else made

    def is_made(self, name: str) -> bool:
        """Say whether the engine *name* was used already."""
        return name in self._made

    @property
    def names(self) -> tuple[str, ...]:
        """The names an engine can be chosen by."""
        return tuple(self._factories)

    def others(self, name: str) -> Iterator[str]:
        """Give the plugin names of all engines made but *name*."""
        return (plugin_name(other) for other in tuple(self._made) if other != name)

    def close(self) -> list[Exception]:
        """Close every engine that was made and can be; return what went wrong."""
        failures = []
        for engine in reversed(tuple(self._made.values())):
            try:
                getattr(engine, "close", _nothing)()
            except Exception as error:  # noqa: BLE001, RUF100 - all are closed, then it is told
                failures.append(error)
        return failures

    def _make(self, name: str) -> object:
        with self._lock:
            if name not in self._made:
                engine = self._factory(name)()
                self._manager.register_last(engine, plugin_name(name), engine=True)
                self._made[name] = engine
            return self._made[name]

    def _factory(self, name: str) -> Callable[[], object]:
        try:
            return self._factories[name]
        except KeyError:
            known = ", ".join(sorted(self._factories))
            error = InvalidUsage(name, f"no engine of that name is installed; there is {known}")
            error.add_note("engines come with plugins; images_engine chooses one")
            raise error from None


def plugin_name(engine: str) -> str:
    """Return the name an engine is registered by: no other plugin can have it."""
    return f"engine:{engine}"


def _nothing() -> None:
    """Nothing to close."""
