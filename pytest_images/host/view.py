"""A view: the hooks minus some plugins. The one mechanism for engine, suite and super."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pluggy import HookCaller

    from pytest_images.host.manager import Manager


class View:
    """Every hook as an attribute, asked of all plugins but the *hidden* ones.

    Stands for `Hooks` where a call is typed: ``cast(Hooks, view).image_ls(...)``.
    """

    def __init__(self, manager: Manager, hidden: frozenset[str]) -> None:
        self._manager = manager
        self.hidden = hidden
        self._removed = [manager.get_plugin(name) for name in hidden]

    def __getattr__(self, hook: str) -> HookCaller:
        if hook.startswith("_"):
            raise AttributeError(hook)
        caller = self._manager.subset_hook_caller(hook, self._removed)
        setattr(self, hook, caller)  # found without __getattr__ from now on
        return caller

    def wrappers(self, hook: str) -> tuple[str, ...]:
        """Name the plugins whose wrappers are entered for *hook*, outermost first."""
        impls = getattr(self, hook).get_hookimpls()
        return tuple(
            impl.plugin_name for impl in reversed(impls) if impl.wrapper or impl.hookwrapper
        )
