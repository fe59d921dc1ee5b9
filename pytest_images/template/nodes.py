"""What a template is made of; ``str()`` of a node is what Go's errors show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.template.lexer import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence


class Node:
    """A piece of a template; *at* is its place in the text."""

    __slots__ = ("at",)

    def __init__(self, at: int) -> None:
        self.at = at


class Text(Node):
    """What stands outside of actions."""

    __slots__ = ("text",)

    def __init__(self, at: int, text: str) -> None:
        super().__init__(at)
        self.text = text


class Constant(Node):
    """A number, string, bool or nil; *shown* is how it was written."""

    __slots__ = ("shown", "value")

    def __init__(self, at: int, value: object, shown: str) -> None:
        super().__init__(at)
        self.value, self.shown = value, shown

    def __str__(self) -> str:
        return self.shown


class Dot(Node):
    """The value at hand."""

    __slots__ = ()

    def __str__(self) -> str:
        return "."


class Field(Node):
    """``.Config.Env``: fields of the value at hand."""

    __slots__ = ("names",)

    def __init__(self, at: int, names: Sequence[str]) -> None:
        super().__init__(at)
        self.names = tuple(names)

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


class Variable(Node):
    """``$x.Config``: a variable (its slot is -1 where none is declared) and its fields."""

    __slots__ = ("name", "names", "slot")

    def __init__(self, at: int, name: str, slot: int, names: Sequence[str] = ()) -> None:
        super().__init__(at)
        self.name, self.slot, self.names = name, slot, tuple(names)

    def __str__(self) -> str:
        return ".".join((self.name, *self.names))


class Chain(Node):
    """``(…).Field``: fields of what a pipeline gives."""

    __slots__ = ("names", "term")

    def __init__(self, at: int, term: Node, names: Sequence[str]) -> None:
        super().__init__(at)
        self.term, self.names = term, tuple(names)

    def __str__(self) -> str:
        return in_parentheses(self.term) + "".join(f".{name}" for name in self.names)


class Name(Node):
    """The name of a function."""

    __slots__ = ("name",)

    def __init__(self, at: int, name: str) -> None:
        super().__init__(at)
        self.name = name

    def __str__(self) -> str:
        return self.name


class Command(Node):
    """One stage of a pipeline: a value, or a function and its arguments."""

    __slots__ = ("words",)

    def __init__(self, at: int, words: Sequence[Node]) -> None:
        super().__init__(at)
        self.words = tuple(words)

    def __str__(self) -> str:
        return " ".join(map(in_parentheses, self.words))


class Pipeline(Node):
    """Commands, each given what the one before gave; *variables* take the last one's."""

    __slots__ = ("assigns", "commands", "variables")

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.commands: list[Command] = []
        self.variables: list[Variable] = []
        self.assigns = False

    def __str__(self) -> str:
        taken = ", ".join(map(str, self.variables))
        sign = " = " if self.assigns else " := "
        return taken + sign * bool(taken) + " | ".join(map(str, self.commands))


class Action(Node):
    """A pipeline whose value is printed, unless a variable takes it."""

    __slots__ = ("pipeline",)

    def __init__(self, at: int, pipeline: Pipeline) -> None:
        super().__init__(at)
        self.pipeline = pipeline

    def __str__(self) -> str:
        return f"{{{{{self.pipeline}}}}}"


class Control(Node):
    """``if``, ``range`` or ``with``: a pipeline, what is done with it, and what without."""

    __slots__ = ("body", "otherwise", "pipeline", "word")

    def __init__(
        self,
        at: int,
        word: str,
        pipeline: Pipeline,
        body: Sequence[Node],
        otherwise: Sequence[Node] | None,
    ) -> None:
        super().__init__(at)
        self.word, self.pipeline = word, pipeline
        self.body, self.otherwise = body, otherwise


class Jump(Node):
    """``break`` or ``continue``."""

    __slots__ = ("word",)

    def __init__(self, at: int, word: str) -> None:
        super().__init__(at)
        self.word = word


class Call(Node):
    """``template "name" pipeline``: another template of this text."""

    __slots__ = ("name", "pipeline")

    def __init__(self, at: int, name: str, pipeline: Pipeline | None) -> None:
        super().__init__(at)
        self.name, self.pipeline = name, pipeline

    def __str__(self) -> str:
        given = f" {self.pipeline}" if self.pipeline else ""
        return f"{{{{template {quoted(self.name)}{given}}}}}"


def in_parentheses(node: Node) -> str:
    """Return *node* as a word among others."""
    return f"({node})" if isinstance(node, Pipeline) else str(node)
