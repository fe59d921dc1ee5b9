"""What the controller knows of its xdist workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_images.content.store import Store


class Workers:
    """How many were begun, and what those that ended sent back."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.outputs: list[dict[str, Any]] = []
        self.presence: Store | None = None  # by which the run lives

    def farewell(self, output: Mapping[str, Any] | None, wire: str) -> None:
        """Take in what a worker sent under *wire*; one that died or was interrupted sent None."""
        if output is not None:
            self.ended += 1
            self.outputs += filter(None, [output.get(wire)])

    def leave(self) -> None:
        """Take part no more: the run was ended."""
        if self.presence is not None:
            self.presence.close()

    @property
    def may_have_used_images(self) -> bool:
        """Whether a worker says so, or ended without a word."""
        return bool(self.outputs) or self.begun > self.ended
