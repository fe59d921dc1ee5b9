"""What the controller knows of its xdist workers."""

from __future__ import annotations

from typing import Any

WIRE = "pytest_images"  # our key in what xdist sends to and from its workers


class Workers:
    """The run id they are given, and what those that ended sent back."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.outputs: list[dict[str, Any]] = []
        self._silent = 0

    def greet(self, node: Any) -> None:
        """Give a new worker the id of the run."""
        node.workerinput[WIRE] = self.run
        self._silent += 1

    def farewell(self, node: Any) -> None:
        """Take in what a worker sent; one that died or was interrupted sends nothing."""
        output = getattr(node, "workeroutput", None)
        if output is not None:
            self._silent -= 1
            self.outputs += filter(None, [output.get(WIRE)])

    @property
    def any_silent(self) -> bool:
        """Whether a worker ended without a word, so that nobody knows what it did."""
        return self._silent > 0
