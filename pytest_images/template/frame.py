"""One execution of a template: what it wrote, its variables, how much it may still do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_images.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LONGEST = 16 * 1024 * 1024  # characters of a text that is made, and of the output
MOST_ROUNDS = 100_000  # rounds of loops and calls of templates in one run

Value = Callable[["Frame", Any], Any]
Step = Callable[["Frame", Any], None]
UNSET: Any = object()


class Run:
    """One execution: what was written, and how much may still be done."""

    __slots__ = ("bodies", "depth", "out", "rounds", "size", "strict")

    def __init__(self, bodies: Mapping[str, Compiled], *, strict: bool) -> None:
        self.bodies, self.strict = bodies, strict
        self.out: list[str] = []
        self.size, self.rounds, self.depth = 0, 0, 0

    def write(self, text: str) -> None:
        """Add *text* to the output. Raises LimitExceeded."""
        self.size += len(text)
        if self.size > LONGEST:
            raise LimitExceeded("template", "the output in characters", LONGEST)
        self.out.append(text)

    def next_round(self) -> None:
        """Count a round of a loop or a call. Raises LimitExceeded."""
        self.rounds += 1
        if self.rounds > MOST_ROUNDS:
            raise LimitExceeded("template", "the number of rounds", MOST_ROUNDS)


class Frame:
    """The variables of one template that runs.

    *boxed* says that the dot came out of a map or list of anything, *boxes* which variables
    did: Go's errors then call its type ``interface {}``. *pipe* holds what a stage of a
    pipeline gave, while the next one runs.
    """

    __slots__ = ("boxed", "boxes", "pipe", "run", "variables", "write")

    def __init__(self, run: Run, slots: int, dot: object) -> None:
        self.run, self.write = run, run.write
        self.variables: list[Any] = [UNSET] * slots
        self.variables[0] = dot
        self.boxed, self.boxes = False, set[int]()
        self.pipe: list[Any] = []


class Compiled:
    """A template ready to run."""

    __slots__ = ("slots", "steps")

    def __init__(self, steps: Sequence[Step], slots: int) -> None:
        self.steps, self.slots = steps, slots

    def execute(self, run: Run, dot: object) -> None:
        """Run over *dot*. Raises InvalidTemplate and LimitExceeded."""
        do(self.steps, Frame(run, self.slots, dot), dot)

    def execute_lines(self, run: Run, dots: Iterable[object]) -> None:
        """Run over each of *dots*, a newline after each; raises as `execute` does.

        One frame serves all: a variable is declared before it is read, each time.
        """
        frame, steps, write = Frame(run, self.slots, None), self.steps, run.write
        for dot in dots:
            run.size = run.rounds = 0
            frame.variables[0] = dot
            for step in steps:
                step(frame, dot)
            write("\n")


def do(steps: Sequence[Step], frame: Frame, dot: object) -> None:
    """Take *steps* one after another."""
    for step in steps:
        step(frame, dot)
