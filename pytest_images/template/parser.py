"""Tokens to nodes, with the errors of Go's parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import InvalidTemplate
from pytest_images.template import literals, nodes
from pytest_images.template.lexer import Token, quoted, tokens

if TYPE_CHECKING:
    from collections.abc import Container

DEEPEST = 50  # parentheses and blocks within each other
_OPERANDS = frozenset(
    ("bool", "char", "dot", "field", "word", "number", "nil", "string", "variable")
)


class Body:
    """What one name of a text stands for: its nodes, and how many variables they need."""

    __slots__ = ("nodes", "slots")

    def __init__(self, found: list[nodes.Node], slots: int) -> None:
        self.nodes, self.slots = found, slots

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing but space: such a template may be defined again."""
        return all(isinstance(node, nodes.Text) and not node.text.strip() for node in self.nodes)


def parse(text: str, functions: Container[str]) -> dict[str, Body]:
    """Return the templates that *text* defines by name; "" is the text itself.

    Raises InvalidTemplate.
    """
    parser = _Parser(text, functions)
    main = parser.whole()
    return parser.defined | {"": main}


class _Scope:
    """The variables of one template: their slots, by name the one declared last."""

    def __init__(self) -> None:
        self.names, self.most = ["$"], 1
        self._slots = {"$": [0]}

    def declare(self, name: str) -> int:
        slot = len(self.names)
        self.names.append(name)
        self._slots.setdefault(name, []).append(slot)
        self.most = max(self.most, slot + 1)
        return slot

    def find(self, name: str) -> int:
        """Return the slot of *name*, -1 if there is none."""
        slots = self._slots.get(name)
        return slots[-1] if slots else -1

    def leave(self, count: int) -> None:
        """Forget all but the first *count* variables."""
        for name in self.names[count:]:
            self._slots[name].pop()
        del self.names[count:]


class _Parser:
    """The state of `parse`: what is read, what is declared, where the reading is."""

    def __init__(self, text: str, functions: Container[str]) -> None:
        self.text, self.functions = text, functions
        self.tokens = list(tokens(text))
        self.next_one, self.depth, self.loops = 0, 0, 0
        self.action_at: int | None = None
        self.scope = _Scope()
        self.defined: dict[str, Body] = {}

    # Tokens: the last one, an end or an error, is never stepped over.

    def peek(self) -> Token:
        return self.tokens[self.next_one]

    def peek_word(self) -> Token:
        """Return the next token that is no space, and leave it to be read."""
        while self.peek().kind == "space":
            self.next_one += 1
        return self.peek()

    def take(self) -> Token:
        token = self.peek()
        self.next_one = min(self.next_one + 1, len(self.tokens) - 1)
        return token

    def take_word(self) -> Token:
        self.peek_word()
        return self.take()

    def expect_close(self, context: str) -> None:
        token = self.take_word()
        if token.kind != "close":
            raise self.unexpected(token, context)

    def at_keyword(self, word: str) -> bool:
        token = self.peek()
        return token.kind == "keyword" and token.text == word

    # Errors.

    def line(self) -> int:
        """Return the line of what was read last."""
        return self.line_of(self.tokens[max(self.next_one - 1, 0)].at)

    def line_of(self, at: int) -> int:
        return 1 + self.text.count("\n", 0, at)

    def error(self, reason: str, at: int | None = None) -> InvalidTemplate:
        line = self.line() if at is None else self.line_of(at)
        return InvalidTemplate(f"template: :{line}: {reason}")

    def unexpected(self, token: Token, context: str) -> InvalidTemplate:
        if token.kind != "error":
            return self.error(f"unexpected {_named(token)} in {context}", token.at)
        started = ""
        began = self.line_of(token.at if self.action_at is None else self.action_at)
        if began != self.line_of(token.at):
            within = "" if token.text.endswith(" action") else " in action"
            started = f"{within} started at :{began}"
        return self.error(token.text + started, token.at)

    # Lists and actions.

    def whole(self) -> Body:
        found = []
        while self.peek().kind != "end":
            if self.peek().kind == "open":
                start = self.next_one
                self.take()
                if self.peek_word()[:2] == ("keyword", "define"):
                    self.take()
                    self.define()
                    continue
                self.next_one = start
            node = self.text_or_action()
            if isinstance(node, _Mark):
                raise self.error(f"unexpected {node}")
            found.append(node)
        return Body(found, self.scope.most)

    def define(self) -> None:
        context = "define clause"
        token = self.take_word()
        if token.kind != "string":
            raise self.unexpected(token, context)
        name = self.string(token)
        self.expect_close(context)
        self.named(name, context)

    def named(self, name: str, context: str) -> None:
        """Read what *name* stands for; it has variables of its own."""
        outside = self.scope, self.loops
        self.scope, self.loops = _Scope(), 0
        found, end = self.items()
        if end.word != "end":
            raise self.error(f"unexpected {end} in {context}")
        body = Body(found, self.scope.most)
        before = self.defined.get(name)
        if before is None or before.is_empty:
            self.defined[name] = body
        elif not body.is_empty:
            raise self.error(f"template: multiple definition of template {quoted(name)}")
        self.scope, self.loops = outside

    def items(self) -> tuple[list[nodes.Node], _Mark]:
        """Read until an ``end`` or ``else``, which is returned too."""
        found: list[nodes.Node] = []
        while self.peek_word().kind != "end":
            node = self.text_or_action()
            if isinstance(node, _Mark):
                return found, node
            found.append(node)
        raise self.error("unexpected EOF")

    def text_or_action(self) -> nodes.Node:
        token = self.take_word()
        if token.kind == "text":
            return nodes.Text(token.at, token.text)
        if token.kind != "open":
            raise self.unexpected(token, "input")
        self.action_at = token.at
        node = self.action()
        self.action_at = None
        return node

    def action(self) -> nodes.Node:
        token = self.peek_word()
        if token.kind != "keyword" or token.text == "define":
            return nodes.Action(token.at, self.pipeline("command", "close"))
        self.take()
        if token.text in ("if", "range", "with"):
            return self.control(token.text)
        if token.text in ("break", "continue"):
            return self.jump(token)
        return {
            "block": self.block,
            "else": self.otherwise,
            "end": self.end,
            "template": self.call,
        }[token.text](token)

    def end(self, token: Token) -> nodes.Node:
        self.expect_close("end")
        return _Mark(token.at, "end")

    def otherwise(self, token: Token) -> nodes.Node:
        following = self.peek_word()
        if following.kind != "keyword" or following.text not in ("if", "with"):
            self.expect_close("else")
        return _Mark(token.at, "else")

    def jump(self, token: Token) -> nodes.Node:
        shown = f"{{{{{token.text}}}}}"
        self.expect_close(shown)
        if not self.loops:
            raise self.error(f"{shown} outside {{{{range}}}}")
        return nodes.Jump(token.at, token.text)

    def control(self, word: str) -> nodes.Node:
        self.deeper()
        declared = len(self.scope.names)
        pipeline = self.pipeline(word, "close")
        self.loops += word == "range"
        body, mark = self.items()
        self.loops -= word == "range"
        otherwise = self.alternative(word) if mark.word == "else" else None
        self.scope.leave(declared)
        self.depth -= 1
        return nodes.Control(pipeline.at, word, pipeline, body, otherwise)

    def alternative(self, word: str) -> list[nodes.Node]:
        """Read what follows ``else``; ``else if`` and ``else with`` share the one ``end``."""
        if word != "range" and self.at_keyword(word):
            self.take()
            return [self.control(word)]
        found, mark = self.items()
        if mark.word != "end":
            raise self.error(f"expected end; found {mark}")
        return found

    def block(self, token: Token) -> nodes.Node:
        context = "block clause"
        named = self.take_word()
        name = self.template_name(named, context)
        pipeline = self.pipeline(context, "close")
        self.deeper()
        self.named(name, context)
        self.depth -= 1
        return nodes.Call(named.at, name, pipeline)

    def call(self, token: Token) -> nodes.Node:
        context = "template clause"
        named = self.take_word()
        name = self.template_name(named, context)
        if self.peek_word().kind == "close":
            self.take()
            return nodes.Call(named.at, name, None)
        return nodes.Call(named.at, name, self.pipeline(context, "close"))

    def template_name(self, token: Token, context: str) -> str:
        if token.kind != "string":
            raise self.unexpected(token, context)
        return self.string(token)

    # Pipelines and their words.

    def pipeline(self, context: str, end: str) -> nodes.Pipeline:
        found = nodes.Pipeline(self.peek_word().at)
        self.declarations(found, context)
        while True:
            token = self.peek_word()
            if token.kind == end and (end == "close" or token.text == ")"):
                self.take()
                self.check(found, context)
                self.settle(found)
                return found
            if token.kind not in _OPERANDS and token[:2] != ("paren", "("):
                self.take()
                raise self.unexpected(token, context)
            found.commands.append(self.command())

    def declarations(self, found: nodes.Pipeline, context: str) -> None:
        """Read ``$x :=``, ``$x =`` or ``$i, $x :=``, if the pipeline begins so."""
        while self.peek_word().kind == "variable":
            start = self.next_one
            variable = self.take()
            following = self.peek_word()
            comma = following.kind == "sign" and following.text == ","
            if following.kind not in ("assign", "declare") and not comma:
                self.next_one = start
                return
            self.take()
            found.assigns = following.kind == "assign"
            found.variables.append(nodes.Variable(variable.at, variable.text, -1))
            if not comma:
                break
            if context != "range" or len(found.variables) > 1:
                raise self.error(f"too many declarations in {context}")
            ends = self.peek_word().kind in ("variable", "close")
            if not ends and self.peek().text != ")":
                raise self.error("range can only initialize variables")

    def settle(self, found: nodes.Pipeline) -> None:
        """Give the variables of a pipeline that was read their slots."""
        place = self.scope.find if found.assigns else self.scope.declare
        for variable in found.variables:
            variable.slot = place(variable.name)

    def check(self, found: nodes.Pipeline, context: str) -> None:
        if not found.commands:
            raise self.error(f"missing value for {context}")
        for stage, command in enumerate(found.commands[1:], 2):
            if isinstance(command.words[0], nodes.Constant | nodes.Dot):
                raise self.error(f"non executable command in pipeline stage {stage}")

    def command(self) -> nodes.Command:
        words: list[nodes.Node] = []
        at = self.peek_word().at
        while True:
            self.peek_word()
            word = self.operand()
            if word is not None:
                words.append(word)
            token = self.peek()
            if token.kind == "space":
                continue
            if token.kind == "pipe":
                self.take()
            elif token.kind != "close" and token[:2] != ("paren", ")"):
                self.take()
                raise self.unexpected(token, "operand")
            break
        if not words:
            raise self.error("empty command")
        return nodes.Command(at, words)

    def operand(self) -> nodes.Node | None:
        """Read one word and the fields that follow it."""
        term = self.term()
        if term is None or self.peek().kind != "field":
            return term
        at, names = self.peek().at, []
        while self.peek().kind == "field":
            names.append(self.take().text[1:])
        if isinstance(term, nodes.Field):
            return nodes.Field(at, (*term.names, *names))
        if isinstance(term, nodes.Variable):
            return nodes.Variable(at, term.name, term.slot, names)
        if isinstance(term, nodes.Constant | nodes.Dot):
            raise self.error(f"unexpected . after term {quoted(str(term))}")
        return nodes.Chain(at, term, names)

    def term(self) -> nodes.Node | None:
        token = self.peek_word()
        if token[:2] == ("paren", "("):
            self.take()
            self.deeper()
            found = self.pipeline("parenthesized pipeline", "paren")
            self.depth -= 1
            return found
        if token.kind not in _OPERANDS:
            return None
        self.take()
        return self.leaf(token)

    def leaf(self, token: Token) -> nodes.Node:
        kind, text, at = token
        if kind == "dot":
            return nodes.Dot(at)
        if kind == "field":
            return nodes.Field(at, (text[1:],))
        if kind == "word":
            return self.function(token)
        if kind == "variable":
            return self.variable(token)
        return nodes.Constant(at, self.constant(token), text)

    def function(self, token: Token) -> nodes.Node:
        if token.text not in self.functions:
            raise self.error(f"function {quoted(token.text)} not defined")
        return nodes.Name(token.at, token.text)

    def variable(self, token: Token) -> nodes.Node:
        slot = self.scope.find(token.text)
        if slot < 0:
            raise self.error(f"undefined variable {quoted(token.text)}")
        return nodes.Variable(token.at, token.text, slot)

    def constant(self, token: Token) -> object:
        if token.kind == "string":
            return self.string(token)
        if token.kind not in ("number", "char"):
            return {"true": True, "false": False, "nil": None}[token.text]
        try:
            return literals.number(token.text)
        except literals.Malformed as error:
            raise self.error(str(error)) from None

    def string(self, token: Token) -> str:
        try:
            return literals.string(token.text)
        except literals.Malformed as error:
            raise self.error(str(error)) from None

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.error(f"nested deeper than {DEEPEST}")


class _Mark(nodes.Node):
    """An ``end`` or ``else``."""

    __slots__ = ("word",)

    def __init__(self, at: int, word: str) -> None:
        super().__init__(at)
        self.word = word

    def __str__(self) -> str:
        return f"{{{{{self.word}}}}}"


def _named(token: Token) -> str:
    """Return *token* as Go's errors name it: ``"}"``, ``<end>``, ``EOF``."""
    if token.kind == "end":
        return "EOF"
    if token.kind in ("keyword", "dot", "nil"):
        return f"<{token.text}>"
    return quoted(token.text[:10]) + "..." * (len(token.text) > 10)
