"""`typing.NamedTuple`, where each class writes its ``__new__`` when its first object is made.

The standard one compiles that with the class: 70 µs each, and a build defines 40 of them. This
one means the same, of what the project uses of it; to a type checker it is the standard one.
"""

from __future__ import annotations

from collections import _tuplegetter  # type: ignore[attr-defined]  # reads a field, in C
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple

__all__ = ["NamedTuple"]


class _Tuple(tuple[Any, ...]):
    """What all of them share."""

    __slots__ = ()
    _make = classmethod(tuple.__new__)  # type: ignore[var-annotated]

    if TYPE_CHECKING:
        _fields: tuple[str, ...]
        _field_defaults: dict[str, Any]

    def __new__(cls, *values: Any, **named: Any) -> Any:
        """Write the ``__new__`` of the class: from now on it is that."""
        cls.__new__ = _written(cls)  # type: ignore[method-assign]
        return cls.__new__(cls, *values, **named)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        fields = ", ".join([f"{name}={value!r}" for name, value in self._asdict().items()])
        return f"{self.__class__.__name__}({fields})"

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def _replace(self, /, **changes: Any) -> Any:
        replaced = self._make(map(changes.pop, self._fields, self))
        if changes:
            raise TypeError(f"unexpected fields: {', '.join(changes)}")
        return replaced

    __replace__ = _replace


def _written(cls: type[_Tuple]) -> Any:
    """Write the ``__new__`` of a class, with its fields as arguments."""
    fields = ", ".join(cls._fields)
    text = f"lambda _cls, {fields}: make(_cls, ({fields},))"
    new = eval(text, {"make": tuple.__new__})  # noqa: S307 - as the standard one does
    new.__defaults__ = tuple(cls._field_defaults.values())
    new.__name__, new.__qualname__ = "__new__", f"{cls.__qualname__}.__new__"
    return new


class _Declared(type):
    """Turns the declaration of a class into a class of tuples."""

    def __new__(cls, name: str, _bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        fields = tuple(namespace["__annotations__"])
        defaults = {field: namespace[field] for field in fields if field in namespace}
        getters = {field: _tuplegetter(number, "") for number, field in enumerate(fields)}
        given = {"_fields": fields, "_field_defaults": defaults, "__match_args__": fields}
        return type(name, (_Tuple,), {**namespace, **getters, **given, "__slots__": ()})


if not TYPE_CHECKING:
    NamedTuple = type.__new__(_Declared, "NamedTuple", (), {})
