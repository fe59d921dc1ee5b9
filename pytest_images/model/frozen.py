"""A dictionary that nobody can change, so that values may share it."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenMap(dict[K, V]):
    """A dict in every way but writing; hashes when its values do, pickles, serialises as JSON.

    >>> labels = FrozenMap({"a": "1"})
    >>> labels | {"b": "2"}
    {'a': '1', 'b': '2'}
    >>> labels["a"] = "2"
    Traceback (most recent call last):
        ...
    TypeError: this mapping cannot be changed: make a dict of it first
    """

    __slots__ = ()

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise TypeError("this mapping cannot be changed: make a dict of it first")

    __setitem__ = __delitem__ = _refuse
    __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # dict says None; this one never changes
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenMap, (dict(self),)
