"""What every factory is: a call that becomes a fixture, named by its assignment.

Arguments may be fixtures themselves. The made fixture requests them by their names, so that
pytest orders, scopes, parametrizes and overrides them like any other; pytest reads a fixture's
signature when its module is whole, and by then each of them has its name.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.errors import ImagesError, InvalidUsage
from pytest_images.namedtuple import NamedTuple
from pytest_images.plugin.requested import LEFT_OUT, filled, fixtures_in, is_fixture, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType, MappingProxyType

    from pytest_images.model.image import Image
    from pytest_images.plugin.needs import Need
    from pytest_images.plugin.session import Session

    Ids = Sequence[object | None] | Callable[[Any], object | None] | None

MADE = "<made by a factory>"  # the code of such a fixture, in tracebacks
FACTORY = "_pytest_images_factory"  # on a fixture function: what made it
_REQUEST = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Site:
    """Where a factory is called: the file, the line, and the names assigned there."""

    def __init__(self, word: str, frame: FrameType) -> None:
        """Raises InvalidUsage in the body of a class: its fixtures would be methods."""
        self.file, self.line, self.names = frame.f_code.co_filename, frame.f_lineno, frame.f_globals
        is_function = frame.f_code.co_flags & inspect.CO_OPTIMIZED
        if not is_function and frame.f_locals is not frame.f_globals:
            raise InvalidUsage(f"{word}() in {self}", "assign it to a name of the module")

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


class Use(NamedTuple):
    """One use of a factory: what for, *within* which scope ("": the session's), in which file."""

    session: Session
    file: str
    within: str


class Factory:
    """One call of a factory.

    *word* is what was called, *make* does the work: it gets a `Use` and *given*, with fixtures
    replaced by their values. A param stands for the argument *varied*, which may be `LEFT_OUT`,
    or as a mapping for several. *needs* says, given the file of the factory and the same
    arguments, which images are fetched beforehand.
    """

    def __init__(
        self,
        word: str,
        make: Callable[..., Image],
        given: Mapping[str, Any],
        varied: str,
        site: Site,
        *,
        needs: Callable[..., Iterable[Need]] | None = None,
    ) -> None:
        self.word, self.site, self._make, self._varied = word, site, make, varied
        self._needs = needs
        self.given = dict(given)

    def __str__(self) -> str:
        first = next(iter(self.given.values()))
        is_known = (
            first is not LEFT_OUT and not isinstance(first, Mapping) and not is_fixture(first)
        )
        return f"{self.word}({str(getattr(first, 'familiar', first))!r})" if is_known else self.word

    @property
    def requested(self) -> tuple[str, ...]:
        """The names of the fixtures among the arguments. Raises InvalidUsage: one has none."""
        named = []
        for fixture in fixtures_in(self.given):
            name = name_of(fixture, self.site.names)
            if name is None:
                place = f"{self} in {self.site}"
                raise InvalidUsage(place, "a fixture without a name: assign it to one before")
            named.append(name)
        return tuple(dict.fromkeys(named))

    def arguments(self, values: Mapping[str, Any], param: object = LEFT_OUT) -> dict[str, Any]:
        """Return the arguments of one use: *values* of the fixtures, by name, and a param.

        What is not known yet, a fixture without a value or an argument left out, is `LEFT_OUT`.
        """
        given = {
            key: filled(
                value, lambda one: values.get(name_of(one, self.site.names) or "", LEFT_OUT)
            )
            for key, value in self.given.items()
        }
        if isinstance(param, Mapping):
            return {**given, **param}
        if param is not LEFT_OUT:
            given[self._varied] = param
        return given

    def needs(self, param: object = LEFT_OUT) -> tuple[Need, ...]:
        """Return what is known, before any fixture has a value, to be needed."""
        if self._needs is None:
            return ()
        return tuple(self._needs(self.site.file, **self.arguments({}, param)))

    def image(self, request: pytest.FixtureRequest, values: Mapping[str, Any]) -> Image:
        """Make the image for pytest. Raises what the work raises, with a note on the factory."""
        __tracebackhide__ = True
        from pytest_images.plugin.session import session_of

        arguments = self.arguments(values, getattr(request, "param", LEFT_OUT))
        try:
            if LEFT_OUT in arguments.values():
                raise InvalidUsage(str(self), "an argument is left out, and there are no params")
            within = "" if request.scope == "session" else request.node.nodeid
            use = Use(session_of(request.config), self.site.file, within)
            return self._make(use, **arguments)
        except ImagesError as error:
            error.add_note(f"wanted by {self} in {self.site}")
            raise


def fixture_of(
    factory: Factory,
    doc: str,
    *,
    scope: Any,
    params: Iterable[object] | None,
    ids: Ids,
    name: str | None,
) -> Any:
    """Return the fixture of *factory*, with pytest's *scope*, *params*, *ids* and *name*."""
    __tracebackhide__ = True

    function: Any = lambda request, **values: factory.image(request, values)  # noqa: E731
    site = factory.site
    # Where pytest says that the fixture is: the assignment.
    function.__code__ = function.__code__.replace(
        co_filename=site.file, co_firstlineno=site.line, co_name=MADE
    )
    function.__name__ = function.__qualname__ = factory.word
    function.__module__, function.__doc__ = site.names.get("__name__", ""), doc
    function.__signature__ = _Signature(factory)
    setattr(function, FACTORY, factory)
    if params is not None and ids is None:
        ids = id_of
    return pytest.fixture(scope=scope, params=params, ids=ids, name=name)(function)


def id_of(param: object) -> str | None:
    """Return what a param is called in the names of tests; None: as pytest calls it.

    >>> id_of({"args": {"VERSION": "2"}, "target": "slim"})
    'VERSION=2-target=slim'
    """
    if isinstance(param, Mapping):
        parts = [
            str(id_of(value)) if isinstance(value, Mapping) else f"{key}={value}"
            for key, value in param.items()
        ]
        return "-".join(parts)
    if type(param).__module__.startswith("pytest_images."):
        return str(getattr(param, "familiar", param))
    return param.name if isinstance(param, Path) else None


class _Signature(inspect.Signature):
    """The signature of a made fixture: its parameters are named when they are looked at."""

    __slots__ = ("_factory",)

    def __init__(self, factory: Factory) -> None:
        super().__init__()
        self._factory = factory

    @property
    def parameters(self) -> MappingProxyType[str, inspect.Parameter]:
        named = (
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
            for name in self._factory.requested
        )
        return inspect.Signature([_REQUEST, *named]).parameters
