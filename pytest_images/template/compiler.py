"""Nodes to closures, made once and run for each value: what writes, chooses and repeats.

Each closure takes the frame and the dot, the value at hand; `Expressions` makes those that
give values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_images.template import nodes
from pytest_images.template.expressions import Expressions, last_of
from pytest_images.template.frame import Compiled, Frame, Step, do
from pytest_images.template.lexer import quoted
from pytest_images.template.text import printed, shown
from pytest_images.template.values import ANY, element_type, is_true

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_images.template.functions import Function
    from pytest_images.template.parser import Body

DEEPEST = 50  # templates that call each other


class _Break(Exception):
    """The loop ends."""


class _Continue(Exception):
    """The round ends."""


def compiled(
    text: str, bodies: Mapping[str, Body], functions: Mapping[str, Function]
) -> dict[str, Compiled]:
    """Return each template of *text*, ready to run."""
    return {
        name: Compiled(_Compiler(Expressions(text, name, functions)).steps(body.nodes), body.slots)
        for name, body in bodies.items()
    }


class _Compiler:
    """Makes the steps of one template, of the values that its expressions give."""

    def __init__(self, values: Expressions) -> None:
        self.values = values

    def steps(self, found: Iterable[nodes.Node]) -> tuple[Step, ...]:
        return tuple(map(self.step, found))

    def step(self, node: nodes.Node) -> Step:
        if isinstance(node, nodes.Text):
            return _writing(node.text)
        if isinstance(node, nodes.Action):
            return self.action(node)
        if isinstance(node, nodes.Call):
            return self.call(node)
        if isinstance(node, nodes.Jump):
            return _jumping(_Break if node.word == "break" else _Continue)
        assert isinstance(node, nodes.Control)  # noqa: S101 - the only kind left
        return self.loop(node) if node.word == "range" else self.choice(node)

    def action(self, node: nodes.Action) -> Step:
        value = self.values.pipeline(node.pipeline)
        if node.pipeline.variables:
            return lambda frame, dot: void(value(frame, dot))

        def write(frame: Frame, dot: Any) -> None:
            found = value(frame, dot)
            frame.write(found if type(found) is str else printed(found))

        return write

    def choice(self, node: nodes.Control) -> Step:
        condition, moves = self.values.pipeline(node.pipeline), node.word == "with"
        body, otherwise = self.steps(node.body), self.steps(node.otherwise or ())

        def choose(frame: Frame, dot: Any) -> None:
            found = condition(frame, dot)
            if not is_true(found):
                do(otherwise, frame, dot)
            elif not moves:
                do(body, frame, dot)
            else:
                boxed, frame.boxed = frame.boxed, False
                try:
                    do(body, frame, found)
                finally:
                    frame.boxed = boxed

        return choose

    def loop(self, node: nodes.Control) -> Step:
        pipeline = node.pipeline
        source = self.values.commands(pipeline)
        slots = [variable.slot for variable in pipeline.variables]
        body, otherwise = self.steps(node.body), self.steps(node.otherwise or ())

        def repeat(frame: Frame, dot: Any) -> None:
            over = source(frame, dot)
            pairs = self.pairs(pipeline, over)
            boxed, before = isinstance(over, dict | list | tuple), frame.boxed
            boxed = boxed and element_type(over) == ANY
            empty = True
            try:
                for key, item in pairs:
                    empty = False
                    frame.run.next_round()
                    frame.boxed = boxed
                    _set(frame, slots, key, item, boxed=boxed)
                    try:
                        do(body, frame, item)
                    except _Continue:
                        continue
            except _Break:
                return
            finally:
                frame.boxed = before
            if empty:
                do(otherwise, frame, dot)

        return repeat

    def pairs(self, pipeline: nodes.Pipeline, over: Any) -> Iterable[tuple[Any, Any]]:
        """Return what a loop goes over: keys and values, a map's in the order of its keys."""
        if over is None:
            return ()
        if isinstance(over, dict):
            return ((key, over[key]) for key in sorted(over))
        if isinstance(over, list | tuple):
            return enumerate(over)
        if isinstance(over, int) and not isinstance(over, bool):
            if len(pipeline.variables) > 1:
                reason = f"can't use {over} to iterate over more than one variable"
                raise self.values.error(last_of(pipeline), reason)
            return ((number, number) for number in range(over))
        raise self.values.error(last_of(pipeline), f"range can't iterate over {shown(over)}")

    def call(self, node: nodes.Call) -> Step:
        given = self.values.pipeline(node.pipeline) if node.pipeline else None

        def call(frame: Frame, dot: Any) -> None:
            run = frame.run
            found = run.bodies.get(node.name)
            if found is None:
                raise self.values.error(node, f"template {quoted(node.name)} not defined")
            if run.depth == DEEPEST:
                raise self.values.error(node, f"exceeded maximum template depth ({DEEPEST})")
            value = given(frame, dot) if given else None
            run.next_round()
            run.depth += 1
            found.execute(run, value)
            run.depth -= 1

        return call


def _set(frame: Frame, slots: Sequence[int], key: object, item: object, *, boxed: bool) -> None:
    """Give the variables of a loop the key and the value of this round."""
    for slot, value in zip(reversed(slots), (item, key), strict=False):
        frame.variables[slot] = value
        if boxed and value is item:
            frame.boxes.add(slot)
        else:
            frame.boxes.discard(slot)


def _writing(text: str) -> Step:
    return lambda frame, _: frame.write(text)


def _jumping(kind: type[Exception]) -> Step:
    def jump(frame: Frame, dot: Any) -> None:
        raise kind

    return jump


def void(_: object) -> None:
    """Take a value that nobody wants."""
