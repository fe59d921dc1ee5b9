"""`dataclasses.dataclass`, where each class makes its methods when they are first needed.

A command that lists images defines 30 such classes and a build 120, most of which it never makes
an object of. The standard decorator writes and compiles six functions for each: half a
millisecond a class, half the time of a small build. This one means the same, of what the
project uses of it, always with slots; to a type checker it is the standard one. Comparing,
hashing, showing and refusing changes are closures, ``__init__`` is written for a class that has
made a few objects, and what `dataclasses.fields` looks at is made by the standard decorator when
somebody asks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError, field
from functools import partial
from operator import attrgetter
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass, replace

__all__ = ["FEW", "dataclass", "field", "replace"]

FEW = 16  # objects of a class: writing an ``__init__`` takes longer than to do without for these


class _Plan(NamedTuple):
    """What a class was declared with."""

    original: type
    frozen: bool
    eq: bool
    kw_only: bool
    fields: dict[str, Field[Any]]  # the inherited ones first


class _Factory:
    """The default of an argument that is made anew for each object."""

    def __repr__(self) -> str:
        return "<factory>"


class _Later:
    """An attribute of a class that is made when somebody first looks at it."""

    __slots__ = ("_make", "_name", "_owner")

    def __init__(self, make: Callable[[type, str], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner, self._name = owner, name

    def __get__(self, instance: object, owner: type) -> Any:
        made = self._make(self._owner, self._name)
        setattr(self._owner, self._name, made)
        return made.__get__(instance, owner) if hasattr(made, "__get__") else made


class _Init(_Later):
    """``__init__``: of the first objects it is `_fill`."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        super().__init__(_init)
        self._left = FEW

    def __get__(self, instance: object, owner: type) -> Any:
        if not isinstance(instance, self._owner) or self._left <= 0:  # `inspect` gives the class
            return super().__get__(instance, owner)
        self._left -= 1
        return partial(_fill, self._owner, instance)


def _dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, kw_only: bool = False
) -> Callable[[type], type]:
    """Return a decorator, as `dataclasses.dataclass` does."""
    if not slots:
        raise TypeError("without slots, take the standard dataclass")

    def decorate(original: type) -> type:
        fields: dict[str, Field[Any]] = {}
        for base in reversed(original.__mro__):
            if plan := base.__dict__.get("_dataclass_plan"):
                fields |= plan.fields
        namespace = dict(original.__dict__)
        for name in ("__dict__", "__weakref__"):
            namespace.pop(name, None)
        own = _own_fields(original, namespace, kw_only)
        namespace["__slots__"] = tuple(name for name in own if name not in fields)
        namespace["__qualname__"] = original.__qualname__
        namespace["_dataclass_plan"] = plan = _Plan(original, frozen, eq, kw_only, fields | own)
        for name, method in _methods(plan).items():
            namespace.setdefault(name, method)
        return type(original)(original.__name__, original.__bases__, namespace)

    return decorate


def _own_fields(original: type, namespace: dict[str, Any], kw_only: bool) -> dict[str, Field[Any]]:
    """Take the fields of a class, and what they are by default, out of its *namespace*."""
    own = {}
    for name, annotation in original.__annotations__.items():
        if annotation.startswith("ClassVar"):
            continue
        given = namespace.pop(name, MISSING)
        own[name] = given if isinstance(given, Field) else field(default=given)
        own[name].kw_only = kw_only
    return own


def _methods(plan: _Plan) -> dict[str, Any]:
    """Return what a dataclass has and a class may have written itself."""
    shown = [(name, f"{name}=") for name, its in plan.fields.items() if its.repr]
    compared = [name for name, its in plan.fields.items() if its.compare]
    values = attrgetter(*compared) if compared else type

    def __repr__(self: object) -> str:
        text = ", ".join([text + repr(getattr(self, name)) for name, text in shown])
        return f"{self.__class__.__qualname__}({text})"

    def __eq__(self: object, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return bool(values(self) == values(other))

    def __hash__(self: object) -> int:
        return hash(values(self))

    methods = {
        "__init__": _Init(),
        "__repr__": __repr__,
        "__replace__": _replace,
        "__match_args__": tuple(
            name for name, its in plan.fields.items() if its.init and not its.kw_only
        ),
        "__dataclass_fields__": _Later(_standard),
        "__dataclass_params__": _Later(_standard),
    }
    if plan.eq:
        methods |= {"__eq__": __eq__, "__hash__": __hash__ if plan.frozen else None}
    if plan.frozen:
        methods |= _FROZEN
    return methods


def _refuse_to_set(_self: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self._dataclass_plan.fields]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self._dataclass_plan.fields, state, strict=True):
        object.__setattr__(self, name, value)


_FROZEN = {
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _get_state,
    "__setstate__": _set_state,
}


def _fill(owner: Any, self: object, /, *values: Any, **named: Any) -> None:
    """Do what ``__init__`` does, without one; what is wrong, the written one says."""
    given = dict(zip(owner.__match_args__, values, strict=False)) | named
    is_complete = len(given) == len(values) + len(named)
    for name, its in owner.__dict__["_dataclass_plan"].fields.items():
        if its.init and name in given:
            object.__setattr__(self, name, given.pop(name))
        elif its.default is not MISSING:
            object.__setattr__(self, name, its.default)
        elif its.default_factory is not MISSING:
            object.__setattr__(self, name, its.default_factory())
        elif its.init:
            is_complete = False
    if given or not is_complete:
        owner.__init__(self, *values, **named)
    elif hasattr(owner, "__post_init__"):
        owner.__post_init__(self)


def _init(owner: type, _name: str) -> Callable[..., None]:
    """Write the ``__init__`` of a class."""
    plan: _Plan = owner.__dict__["_dataclass_plan"]
    given: dict[str, Any] = {"__name__": owner.__module__, "_FACTORY": _Factory()}
    positional, by_keyword, lines = ["self"], ["*"], []
    for name, its in plan.fields.items():
        value = name
        if its.default is not MISSING:
            given[value := f"_default_{name}"] = its.default
        elif its.default_factory is not MISSING:
            given[f"_make_{name}"] = its.default_factory
            value = f"_make_{name}()"
        elif not its.init:
            continue
        if its.init:
            (by_keyword if its.kw_only else positional).append(_parameter(name, value))
            value = f"{value} if {name} is _FACTORY else {name}" if "(" in value else name
        if plan.frozen:
            given[f"_set_{name}"] = getattr(owner, name).__set__
        lines.append(f"_set_{name}(self, {value})" if plan.frozen else f"self.{name} = {value}")
    if hasattr(owner, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join(positional + (by_keyword if len(by_keyword) > 1 else []))
    body = "\n  ".join(lines or ["pass"])
    made: dict[str, Any] = {}
    exec(f"def __init__({parameters}):\n  {body}", given, made)  # noqa: S102 - as the standard one
    init: Callable[..., None] = made["__init__"]
    init.__module__ = owner.__module__
    init.__qualname__ = f"{owner.__qualname__}.__init__"
    init.__annotations__ = _annotations(owner, plan)
    return init


def _parameter(name: str, default: str) -> str:
    """Return a parameter: *default* is its own name where there is none."""
    if default == name:
        return name
    return f"{name}=_FACTORY" if "(" in default else f"{name}={default}"


def _annotations(owner: type, plan: _Plan) -> dict[str, Any]:
    """Return the annotations of ``__init__``, the inherited ones too."""
    known: dict[str, Any] = {}
    for base in reversed(owner.__mro__):
        known |= getattr(base, "__annotations__", {})
    return {name: known[name] for name, its in plan.fields.items() if its.init} | {"return": None}


_ONE_AT_A_TIME = RLock()  # the standard decorator changes the class that it is given


def _standard(owner: type, name: str) -> Any:
    """Return what the standard decorator calls *name*, for a class."""
    plan: _Plan = owner.__dict__["_dataclass_plan"]
    with _ONE_AT_A_TIME:
        if name not in plan.original.__dict__:
            options = {"frozen": plan.frozen, "eq": plan.eq, "kw_only": plan.kw_only}
            dataclasses.dataclass(**options)(plan.original)
        return plan.original.__dict__[name]


def _replace(self: Any, /, **changes: Any) -> Any:
    """Return the object with *changes*, as `dataclasses.replace` does."""
    fields = self._dataclass_plan.fields
    kept = {name: getattr(self, name) for name, its in fields.items() if its.init}
    return self.__class__(**(kept | changes))


if not TYPE_CHECKING:
    dataclass, replace = _dataclass, _replace
