"""Pipelines, commands and words to closures that give their values, as Go evaluates them.

Each closure takes the frame and the dot, the value at hand. Errors name the node that Go
would name: the one that was looked at last.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pytest_images.errors import InvalidTemplate, LimitExceeded
from pytest_images.template import nodes
from pytest_images.template.frame import LONGEST, UNSET, Frame, Value
from pytest_images.template.functions import INT, STRING, STRINGS, Failed
from pytest_images.template.lexer import quoted
from pytest_images.template.values import (
    ANY,
    Nil,
    Slice,
    Struct,
    element_type,
    has_text,
    is_true,
    type_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_images.template.functions import Function

LARGEST = 1 << 63  # the first whole number that Go's int cannot hold


class Expressions:
    """Makes what gives the values of one template; *name* is the one that its errors say."""

    def __init__(self, text: str, name: str, functions: Mapping[str, Function]) -> None:
        self.text, self.name, self.functions = text, name, functions

    def error(self, node: nodes.Node, reason: str) -> InvalidTemplate:
        """Return the error of *node*, its place counted in bytes as Go does."""
        before = self.text[: node.at]
        line, start = before.count("\n") + 1, before.rfind("\n") + 1
        column = len(before[start:].encode("utf-8", "surrogateescape"))
        return InvalidTemplate(
            f"template: :{line}:{column}: executing {quoted(self.name)} at <{node}>: {reason}"
        )

    def pipeline(self, node: nodes.Pipeline) -> Value:
        """Return what gives the value of *node*, to the variable that it declares too."""
        value = self.commands(node)
        if not node.variables:
            return value
        slot = node.variables[0].slot

        def declare(frame: Frame, dot: Any) -> Any:
            found = frame.variables[slot] = value(frame, dot)
            frame.boxes.discard(slot)
            return found

        return declare if slot >= 0 else self._undeclared(node, value)

    def _undeclared(self, node: nodes.Pipeline, value: Value) -> Value:
        def refuse(frame: Frame, dot: Any) -> Any:
            value(frame, dot)
            raise self.error(last_of(node), f"undefined variable: {node.variables[0].name}")

        return refuse

    def commands(self, node: nodes.Pipeline) -> Value:
        """Return what gives the value of the commands of *node*, each piped into the next."""
        value = self._command(node.commands[0], None, node)
        for before, command in pairwise(node.commands):
            value = self._command(command, value, last_of(before))
        return value

    def _command(self, node: nodes.Command, final: Value | None, before: nodes.Node) -> Value:
        """Return what gives the value of a command.

        *final* gives its last argument, *before* is what was looked at before it.
        """
        first, arguments = node.words[0], node.words[1:]
        if isinstance(first, nodes.Name):
            return self._function(node, first, arguments, final)
        given = len(arguments) + (final is not None)
        if isinstance(first, nodes.Field | nodes.Variable | nodes.Chain):
            value = self._fields(first, given)
            return value if final is None else _after(final, value)
        if given:
            at = before if isinstance(first, nodes.Pipeline) else first
            return self._failing(at, f"can't give argument to non-function {first}", final)
        if isinstance(first, nodes.Constant) and first.value is None:
            return self._failing(first, "nil is not a command", None)
        return self._value(first)

    def _failing(self, node: nodes.Node, reason: str, final: Value | None) -> Value:
        def refuse(frame: Frame, dot: Any) -> Any:
            if final is not None:
                final(frame, dot)
            raise self.error(node, reason)

        return refuse

    def _value(self, node: nodes.Node) -> Value:
        """Return what gives the value of one word."""
        if isinstance(node, nodes.Dot):
            return lambda _, dot: dot
        if isinstance(node, nodes.Constant):
            return self._constant(node, ANY)
        if isinstance(node, nodes.Pipeline):
            return self.pipeline(node)
        if isinstance(node, nodes.Name):
            return self._function(node, node, (), None)
        assert isinstance(node, nodes.Field | nodes.Variable | nodes.Chain)  # noqa: S101 - all left
        return self._fields(node, 0)

    def _fields(self, node: nodes.Field | nodes.Variable | nodes.Chain, given: int) -> Value:
        """Return what follows the names of *node*; *given* arguments are more than it takes."""
        if isinstance(node, nodes.Field):
            if len(node.names) == 1 and not given:
                return self._field(node, node.names[0])
            return self._followed(node, node, lambda _, dot: dot, given)
        if isinstance(node, nodes.Variable):
            return self._followed(node, node, self._variable(node), given)
        if isinstance(node.term, nodes.Constant):
            return self._failing(node, f"indirection through explicit nil in {node}", None)
        return self._followed(node, last_of(node.term), self._value(node.term), given)

    def _field(self, node: nodes.Field, name: str) -> Value:
        """Return what gives the one field *name* of the dot: the most common of all."""

        def field(frame: Frame, dot: Any) -> Any:
            try:
                getter = dot.go_fields[name]
            except (AttributeError, KeyError):
                return self._looked_up(frame, node, dot, (name,), boxed=frame.boxed)
            return getter(dot)

        return field

    def _followed(self, node: Any, at: nodes.Node, source: Value, given: int) -> Value:
        names, slot = node.names, getattr(node, "slot", -1)
        is_dot = isinstance(node, nodes.Field)
        if not names:
            if given:
                reason = f"can't give argument to non-function {node}"
                return self._failing(node, reason, None)
            return source

        def follow(frame: Frame, dot: Any) -> Any:
            boxed = frame.boxed if is_dot else slot in frame.boxes
            value = source(frame, dot)
            return self._looked_up(frame, at, value, names, boxed=boxed, given=given)

        return follow

    def _variable(self, node: nodes.Variable) -> Value:
        slot = node.slot

        def variable(frame: Frame, _: Any) -> Any:
            found = frame.variables[slot]
            if found is UNSET:
                raise self.error(node, f"undefined variable: {node.name}")
            return found

        return variable

    def _looked_up(
        self,
        frame: Frame,
        node: nodes.Node,
        value: Any,
        names: Sequence[str],
        *,
        boxed: bool,
        given: int = 0,
    ) -> Any:
        """Return the field of the field … of *value*."""
        for name in names:
            extra = given if name is names[-1] else 0
            if value is None and not boxed:
                if frame.run.strict:
                    raise self.error(node, f"nil data; no entry for key {quoted(name)}")
                return None
            if isinstance(value, Struct):
                value, boxed = self._of_struct(node, value, name, extra), False
            elif isinstance(value, dict):
                if extra:
                    raise self.error(node, f"{name} is not a method but has arguments")
                if name not in value and frame.run.strict:
                    raise self.error(node, f"map has no entry for key {quoted(name)}")
                boxed = name in value and element_type(value) == ANY
                value = value.get(name)
            else:
                raise self._no_field(node, value, name, ANY if boxed else type_name(value))
        return value

    def _of_struct(self, node: nodes.Node, value: Struct, name: str, given: int) -> Any:
        getter = value.go_fields.get(name)
        if getter is None:
            for inner in value.go_embedded:
                embedded = value.go_fields[inner](value)
                if isinstance(embedded, Struct) and name in embedded.go_fields:
                    return self._of_struct(node, embedded, name, given)
            raise self.error(node, f"can't evaluate field {name} in type {type_name(value)}")
        if given:
            reason = f"wrong number of args for {name}: want 0 got {given}"
            raise self.error(node, reason)
        return getter(value)

    def _no_field(self, node: nodes.Node, value: Any, name: str, kind: str) -> InvalidTemplate:
        if value is None or isinstance(value, Nil):
            return self.error(node, f"nil pointer evaluating {kind}.{name}")
        return self.error(node, f"can't evaluate field {name} in type {kind}")

    # Functions and their arguments.

    def _function(
        self,
        node: nodes.Node,
        name: nodes.Name,
        words: Sequence[nodes.Node],
        final: Value | None,
    ) -> Value:
        function = self.functions[name.name]
        count, wanted = len(words) + (final is not None), len(function.takes)
        if count < wanted or (count > wanted and not function.rest):
            least = "at least " if function.rest else ""
            reason = f"wrong number of args for {name}: want {least}{wanted} got {count}"
            return self._failing(name, reason, final)
        types = (*function.takes, *[function.rest] * (count - wanted))
        given = [self._argument(word, kind) for word, kind in zip(words, types, strict=False)]
        if final is not None:
            at = last_of(words[-1]) if words else name
            given.append(self._checked(at, _piped, types[-1], from_field=False))
        if name.name in ("and", "or"):
            value = _until(given, name.name == "or")
        elif name.name == "call":
            value = self._calling(node, words, given)
        else:
            value = self._applied(node, name.name, function.apply, given)
        return value if final is None else _after(final, value)

    def _applied(
        self, node: nodes.Node, name: str, apply: Callable[..., Any], given: Sequence[Value]
    ) -> Value:
        def call(frame: Frame, dot: Any) -> Any:
            arguments = [value(frame, dot) for value in given]
            try:
                made = apply(*arguments)
            except Failed as error:
                raise self.error(node, f"error calling {name}: {error}") from None
            if type(made) is str and len(made) > LONGEST:
                raise LimitExceeded("template", f"the text of {name} in characters", LONGEST)
            return made

        return call

    def _calling(
        self, node: nodes.Node, words: Sequence[nodes.Node], given: Sequence[Value]
    ) -> Value:
        """`call` takes a function, and no value here is one."""

        def call(frame: Frame, dot: Any) -> Any:
            found, *_ = [value(frame, dot) for value in given]
            if found is None:
                raise self.error(node, "error calling call: call of nil")
            piped = found if isinstance(found, str) else f"<{type_name(found)} Value>"
            subject = words[0] if words else piped
            reason = f"non-function {subject} of type {type_name(found)}"
            raise self.error(node, f"error calling call: {reason}")

        return call

    def _argument(self, node: nodes.Node, kind: str) -> Value:
        """Return what gives one argument of the type *kind*."""
        if isinstance(node, nodes.Constant):
            return self._constant(node, kind)
        from_field = isinstance(node, nodes.Field | nodes.Variable | nodes.Chain)
        return self._checked(last_of(node), self._value(node), kind, from_field=from_field)

    def _constant(self, node: nodes.Constant, kind: str) -> Value:
        refusal = _refusal(node, kind)
        if refusal:
            return self._failing(node, refusal, None)
        value: Any = node.value
        if kind == STRINGS:
            value = Slice(None, STRING)
        elif kind == INT:
            value = int(value)
        return lambda _, __: value

    def _checked(self, at: nodes.Node, value: Value, kind: str, *, from_field: bool) -> Value:
        """Return *value* held to the type *kind*; *from_field* is how Go words what is nil."""
        if kind == ANY:
            return value

        def check(frame: Frame, dot: Any) -> Any:
            found = value(frame, dot)
            if _fits(found, kind):
                return found
            if found is None and not from_field:
                if kind == STRINGS:
                    return Slice(None, STRING)
                raise self.error(at, f"invalid value; expected {kind}")
            got = ANY if found is None else type_name(found)
            raise self.error(at, f"wrong type for value; expected {kind}; got {got}")

        return check


def last_of(node: nodes.Node) -> nodes.Node:
    """Return the node that is looked at last when the value of *node* is made."""
    if isinstance(node, nodes.Pipeline):
        return last_of(node.commands[-1])
    if isinstance(node, nodes.Command):
        first = node.words[0]
        return last_of(node.words[-1] if isinstance(first, nodes.Name) else first)
    return last_of(node.term) if isinstance(node, nodes.Chain) else node


def _refusal(node: nodes.Constant, kind: str) -> str:
    """Return why a constant cannot be an argument of the type *kind*; "" if it can."""
    value = node.value
    is_whole = _is_whole(value)
    if kind == ANY:
        too_large = isinstance(value, int) and value >= LARGEST
        return f"{node} overflows int" if too_large else ""
    if value is None:
        return "" if kind == STRINGS else f"cannot assign nil to {kind}"
    if kind == STRINGS:
        return f"can't handle {node} for arg of type {kind}"
    fits = is_whole if kind == INT else isinstance(value, str)
    return "" if fits else f"expected {'integer' if kind == INT else kind}; found {node}"


def _is_whole(value: object) -> bool:
    """Whether *value* is a number that Go's int can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value == int(value) and value < LARGEST


def _fits(value: object, kind: str) -> bool:
    if kind == STRING:
        return has_text(value)
    if kind == INT:
        return type(value) is int
    return isinstance(value, Slice) and element_type(value) == STRING


def _until(given: Sequence[Value], truth: bool) -> Value:
    """Return what gives the first value whose truth is *truth*, or the last."""

    def until(frame: Frame, dot: Any) -> Any:
        found = None
        for value in given:
            found = value(frame, dot)
            if is_true(found) is truth:
                break
        return found

    return until


def _after(final: Value, value: Value) -> Value:
    """Return *value* made after *final*, which it takes from the frame's pipe."""

    def after(frame: Frame, dot: Any) -> Any:
        frame.pipe.append(final(frame, dot))
        try:
            return value(frame, dot)
        finally:
            frame.pipe.pop()

    return after


def _piped(frame: Frame, _: Any) -> Any:
    return frame.pipe[-1]
