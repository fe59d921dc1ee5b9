"""A Go template: text that was read once and is filled in for each value."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from pytest_images.errors import InvalidTemplate, LimitExceeded
from pytest_images.template.compiler import compiled
from pytest_images.template.frame import Run
from pytest_images.template.functions import FUNCTIONS, HEADER_FUNCTIONS
from pytest_images.template.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pytest_images.template.frame import Compiled
    from pytest_images.template.parser import Body

LONGEST = 256 * 1024  # characters of a template


class Template:
    """A template as ``--format`` takes it, with Go's functions and Docker's.

    >>> Template.parse("{{.Name | upper}}{{range .Tags}} {{.}}{{end}}").render(
    ...     {"Name": "app", "Tags": ["1", "latest"]}
    ... )
    'APP 1 latest'
    """

    __slots__ = ("_bodies", "_compiled", "text")

    def __init__(self, text: str, bodies: dict[str, Body]) -> None:
        self.text, self._bodies = text, bodies
        self._compiled: dict[str, Compiled] = compiled(text, bodies, FUNCTIONS)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read *text*. Raises InvalidTemplate, LimitExceeded."""
        if len(text) > LONGEST:
            raise LimitExceeded("template", "its length in characters", LONGEST)
        return cls(text, parse(text, FUNCTIONS))

    def render(self, value: object, *, strict: bool = False) -> str:
        """Return the text filled in from *value*: a mapping, or a Struct with fields.

        With *strict* a key that a map does not have is an error (Go's ``missingkey=error``),
        else it shows as ``<no value>``. Raises InvalidTemplate, LimitExceeded.
        """
        run = Run(self._compiled, strict=strict)
        with _bounded():
            run.bodies[""].execute(run, value)
        return "".join(run.out)

    def render_lines(self, values: Iterable[object]) -> str:
        """Return the text filled in from each of *values*, a newline after each.

        Raises InvalidTemplate, LimitExceeded (each line counts for itself).
        """
        run = Run(self._compiled, strict=False)
        with _bounded():
            run.bodies[""].execute_lines(run, values)
        return "".join(run.out)

    def render_headers(self, headers: Mapping[str, str]) -> str:
        """Return the line above a table: the text filled in from the *headers* of the fields.

        What changes a text's letters leaves these; where one cannot be filled in the line ends.
        """
        run = Run(compiled(self.text, self._bodies, HEADER_FUNCTIONS), strict=False)
        with suppress(InvalidTemplate), _bounded():
            run.bodies[""].execute(run, dict(headers))
        return "".join(run.out)


@contextmanager
def _bounded() -> Iterator[None]:
    """Turn the interpreter's own limit, which a value of great depth meets, into ours."""
    try:
        yield
    except RecursionError:
        raise LimitExceeded("template", "the depth of a value or of its loops", 1000) from None
