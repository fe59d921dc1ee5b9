"""What the controller knows of its xdist workers."""

from __future__ import annotations

import os
from typing import Any

WIRE = "pytest_images"  # our key in what xdist sends to and from its workers


class Workers:
    """The run id they all share, and what those that ended sent back."""

    def __init__(self) -> None:
        self.run = os.urandom(6).hex()  # random: no two runs share what they make
        self.outputs: list[dict[str, Any]] = []
        self.any_died = False

    def greet(self, node: Any) -> None:
        """Give a new worker the id of the run."""
        node.workerinput[WIRE] = self.run

    def farewell(self, node: Any) -> None:
        """Take in what a worker sent; one that died sent nothing."""
        output = getattr(node, "workeroutput", None)
        if output is None:
            self.any_died = True
        elif WIRE in output:
            self.outputs.append(output[WIRE])

    @property
    def used_images(self) -> bool:
        """Whether a worker used images, or may have."""
        return self.any_died or bool(self.outputs)
