"""PYTEST_IMAGES_TRACE=1: who is entered, in order, on standard error."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from pytest_images.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pluggy import HookImpl, Result

    from pytest_images.host.manager import Manager


class Trace:
    """Writes each hook call, then each plugin as it is entered, then how the call ended.

    Calls made inside a call are indented below it; each thread has its own depth.
    """

    def __init__(self, manager: Manager, out: TextIO | None = None) -> None:
        self._out = out
        self._local = threading.local()
        self._followed: dict[int, HookImpl] = {}  # kept, so that no id is used twice
        manager.add_hookcall_monitoring(self._before, self._after)

    def _before(self, hook: str, impls: Sequence[HookImpl], kwargs: Mapping[str, Any]) -> None:
        given = ", ".join(f"{k}={v!r}" for k, v in kwargs.items() if k != "images")
        self._write(f"{hook}({shown(given)})")
        self._local.depth = self._depth + 1
        for impl in impls:
            self._follow(impl)

    def _after(
        self,
        outcome: Result[Any],
        hook: str,
        impls: Sequence[HookImpl],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._local.depth = self._depth - 1
        failure = outcome.exception
        end = f"raised {failure!r}" if failure is not None else f"= {outcome.get_result()!r}"
        self._write(f"{hook} {shown(end)}")

    def _follow(self, impl: HookImpl) -> None:
        """Have *impl* written down whenever it is entered, once and for all."""
        if id(impl) in self._followed:
            return
        self._followed[id(impl)] = impl
        kind = " (wrapper)" if impl.wrapper or impl.hookwrapper else ""
        line = f"> {impl.plugin_name}{kind}"
        impl.function = self._announced(line, impl.function)  # type: ignore[misc] # Final there

    def _announced(self, line: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def announced(*args: Any) -> Any:
            __tracebackhide__ = True
            self._write(line)
            return function(*args)

        return announced

    @property
    def _depth(self) -> int:
        depth: int = getattr(self._local, "depth", 0)
        return depth

    def _write(self, line: str) -> None:
        print(f"images: {'  ' * self._depth}{line}", file=self._out or sys.stderr)
