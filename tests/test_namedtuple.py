"""Our named tuples are the standard ones in everything that the project uses of them."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import typing
from typing import Any

import pytest

from pytest_images.namedtuple import NamedTuple


class Point(NamedTuple):
    """A place."""

    x: int
    y: int = 0
    tags: tuple[str, ...] = ()

    @property
    def sum(self) -> int:
        return self.x + self.y

    @classmethod
    def at(cls, x: int) -> Point:
        return cls(x)


class Standard(typing.NamedTuple):
    x: int
    y: int = 0
    tags: tuple[str, ...] = ()


def test_objects_are_made_as_the_standard_one_makes_them() -> None:
    for make in (Point, Standard):
        assert make(1) == (1, 0, ())
        assert make(1, 2) == make(x=1, y=2) == (1, 2, ())
        assert make(1, tags=("a",)) == (1, 0, ("a",))
        assert make._make((1, 2, ())) == (1, 2, ())
    assert Point.at(3).sum == 3


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), ((1, 2, (), 4), {}), ((1,), {"z": 1}), ((1,), {"x": 1})]
)
def test_wrong_arguments_are_refused_as_the_standard_one_does(
    values: tuple[Any, ...], named: dict[str, Any]
) -> None:
    class Fresh(NamedTuple):
        x: int
        y: int = 0
        tags: tuple[str, ...] = ()

    for _ in range(2):  # the first object and those after it
        with pytest.raises(TypeError) as ours:
            Fresh(*values, **named)
        with pytest.raises(TypeError) as standard:
            Standard(*values, **named)
        assert str(ours.value).rpartition(".")[2] == str(standard.value).rpartition(".")[2]


def test_a_class_looks_like_the_standard_one() -> None:
    assert Point._fields == Point.__match_args__ == Standard._fields
    assert Point._field_defaults == Standard._field_defaults
    assert typing.get_type_hints(Point) == typing.get_type_hints(Standard)
    assert (Point.__name__, Point.__module__, Point.__doc__) == ("Point", __name__, "A place.")
    assert type(Point) is type


def test_an_object_behaves_like_the_standard_one() -> None:
    point, standard = Point(1, 2), Standard(1, 2)
    assert repr(point) == repr(standard).replace("Standard", "Point")
    assert (hash(point), point._asdict()) == (hash(standard), standard._asdict())
    assert tuple(point._replace(y=5)) == tuple(standard._replace(y=5)) == (1, 5, ())
    assert isinstance(point._replace(y=5), Point)
    with pytest.raises(TypeError, match="z"):
        point._replace(z=1)  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        point.other = 2  # type: ignore[attr-defined]
    match point:
        case Point(x, 2):
            assert x == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_is_copied_and_pickled_as_what_it_is(protocol: int) -> None:
    for again in (pickle.loads(pickle.dumps(Point(1, 2), protocol)), copy.deepcopy(Point(1, 2))):
        assert again == Point(1, 2)
        assert type(again) is Point


def test_a_subclass_makes_its_own() -> None:
    class Further(Point):
        __slots__ = ()

    assert type(Further(1)) is Further
    assert (type(Point(1)), type(Further(y=2, x=1))) == (Point, Further)


def test_a_class_compiles_nothing_before_its_first_object() -> None:
    program = """
from __future__ import annotations
import sys
from pytest_images.namedtuple import NamedTuple
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event == "compile" else None)
class Point(NamedTuple):
    x: int
print(len(seen), Point(1).x, len(seen), Point(2).x, len(seen))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == [b"0", b"1", b"1", b"2", b"1"]
