"""Our dataclasses are the standard ones in everything that the project uses of them."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest

import pytest_images
from pytest_images.dataclass import FEW, dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Point:
    """A place."""

    kind: ClassVar[str] = "point"
    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list, compare=False)
    note: str = field(default="", repr=False)

    @property
    def sum(self) -> int:
        return self.x + self.y


@dataclasses.dataclass(frozen=True)
class StandardPoint:
    kind: ClassVar[str] = "point"
    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list, compare=False)
    note: str = dataclasses.field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Named(Point):
    name: str = "origin"


@dataclass(slots=True)
class Counter:
    start: int
    count: int = field(init=False, default=0)
    seen: list[int] = field(init=False, default_factory=list)
    double: int = field(init=False)

    def __post_init__(self) -> None:
        self.double = 2 * self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    place: int = 3


@dataclass(frozen=True, slots=True)
class Word(Placed):
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    x: int


@dataclass(frozen=True, slots=True)
class Nothing:
    """A value that has none."""


def test_objects_are_made_by_position_by_name_and_by_default() -> None:
    point = Point(1, note="n")
    assert (point.x, point.y, point.tags, point.note, point.kind) == (1, 0, [], "n", "point")
    assert Point(1).tags is not Point(1).tags
    assert point.sum == 1
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=2)  # type: ignore[call-arg]


def test_they_compare_hash_and_show_themselves_as_the_standard_ones() -> None:
    pairs = [(Point(1, 2, ["a"], "n"), StandardPoint(1, 2, ["a"], "n"))]
    for ours, standard in pairs:
        assert repr(ours) == repr(standard).replace("StandardPoint", "Point")
    assert Point(1, tags=["a"]) == Point(1) != Point(2)
    assert hash(Point(1, tags=["a"])) == hash(Point(1))
    assert Point(1) != Named(1)
    assert Nothing() == Nothing() and hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()) == "Nothing()"
    assert Alone(1) != Alone(1)
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter(1))


def test_what_is_frozen_refuses_changes() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        Point(1).x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del Point(1).x
    with pytest.raises(AttributeError):
        Counter(1).other = 2  # type: ignore[attr-defined]


def test_what_is_not_an_argument_is_set_all_the_same() -> None:
    counter = Counter(4)
    assert (counter.count, counter.seen, counter.double) == (0, [], 8)
    counter.count += 1
    assert counter != Counter(4)
    with pytest.raises(TypeError):
        Counter(4, count=1)  # type: ignore[call-arg]


def test_a_class_inherits_fields_and_their_order() -> None:
    named = Named(1, 2, name="n")
    assert [f.name for f in dataclasses.fields(named)] == ["x", "y", "tags", "note", "name"]
    assert repr(named) == "Named(x=1, y=2, tags=[], name='n')"
    assert Word("t") == Word("t", place=3)
    with pytest.raises(TypeError):
        Word("t", 4)  # type: ignore[call-arg]


def test_they_are_replaced_pickled_and_copied() -> None:
    point = Named(1, 2, ["a"], "n", "m")
    assert replace(point, x=3) == dataclasses.replace(point, x=3) == Named(3, 2, [], "n", "m")
    assert pickle.loads(pickle.dumps(point)).tags == ["a"]
    assert copy.deepcopy(point) == point
    assert replace(Counter(4), start=5).double == 10


def test_they_match_and_unfold_as_the_standard_ones() -> None:
    match Named(1, 2):
        case Named(x, y):
            assert (x, y) == (1, 2)
    assert Word.__match_args__ == ("text",)
    assert dataclasses.asdict(Point(1)) == dataclasses.asdict(StandardPoint(1))
    assert dataclasses.is_dataclass(Point)
    assert [f.name for f in dataclasses.fields(Word)] == ["place", "text"]


def test_help_shows_the_arguments_before_there_is_an_object() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh(Point):
        z: int = 1

    assert str(inspect.signature(Fresh)) == (
        "(x: 'int', y: 'int' = 0, tags: 'list[str]' = <factory>, note: 'str' = '', "
        "z: 'int' = 1) -> None"
    )


def test_a_standard_dataclass_may_stand_on_one_of_ours() -> None:
    @dataclasses.dataclass(frozen=True)
    class More(Point):
        z: int = 7

    assert More(1, z=8) == More(1, z=8)
    assert More(1).y == 0
    with pytest.raises(TypeError, match="non-frozen"):
        dataclasses.dataclass(type("Loose", (Point,), {}))


def test_without_slots_it_is_refused() -> None:
    with pytest.raises(TypeError, match="slots"):
        dataclass(slots=False)


@pytest.mark.parametrize("_again", range(50))
def test_many_threads_may_make_the_first_object(_again: int) -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        x: int
        y: int = 2

    barrier = threading.Barrier(4)
    made: list[Any] = []

    def make() -> None:
        barrier.wait()
        params = Fresh.__dataclass_params__  # type: ignore[attr-defined]
        made.append((Fresh(1), len(dataclasses.fields(Fresh)), params.frozen))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [(Fresh(1), 2, True)] * 4


ROOT = Path(pytest_images.__file__).parent
MODULES = sorted(
    ".".join(["pytest_images", *path.relative_to(ROOT).with_suffix("").parts])
    for path in ROOT.rglob("*.py")
    if "pytest_images.dataclass import" in path.read_text() and path.name != "__init__.py"
)


@pytest.mark.parametrize("module", MODULES)
def test_each_class_of_ours_is_one_that_the_standard_decorator_takes(module: str) -> None:
    """Defaults that can change, and arguments out of order, are found when somebody looks."""
    for value in vars(importlib.import_module(module)).values():
        if (
            isinstance(value, type)
            and value.__module__ == module
            and "_dataclass_plan" in vars(value)
        ):
            names = {f.name: f for f in dataclasses.fields(value)}
            arguments = list(inspect.signature(value).parameters)
            assert set(arguments) == {name for name, f in names.items() if f.init}


def test_a_class_that_makes_few_objects_compiles_nothing() -> None:
    program = """
import sys
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event == "compile" else None)
from pytest_images.dataclass import FEW
from pytest_images.model.request.build import BuildRequest
counts = []
for _ in range(FEW + 2):
    BuildRequest("context")
    counts.append(len(seen))
print([count - counts[0] for count in counts[FEW - 1:]])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[0, 1, 1]\n"


def test_the_first_objects_are_made_like_those_after_them() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh(Point):
        z: int = 0
        known: list[int] = field(init=False, default_factory=list)
        sure: int = field(init=False, default=5)

        def __post_init__(self) -> None:
            object.__setattr__(self, "y", self.y + self.sure)

    made = [Fresh(1, tags=["a"], z=number) for number in range(FEW + 2)]
    shown = [(repr(each), each.known) for each in made]
    assert shown == [
        (repr(made[0]).replace("z=0", f"z={number}"), []) for number in range(len(made))
    ]
    assert len({id(each.known) for each in made}) == len(made)
    assert (made[0].y, made[-1].y) == (5, 5)


@pytest.mark.parametrize("made", [0, FEW])
@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((1,), {"kept": 1})],
)
def test_wrong_arguments_are_refused_as_the_standard_one_does(
    made: int, values: tuple[int, ...], named: dict[str, int]
) -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        x: int
        y: int = 0
        kept: int = field(init=False, default=0)

    @dataclasses.dataclass(frozen=True)
    class Standard:
        x: int
        y: int = 0
        kept: int = dataclasses.field(init=False, default=0)

    for _ in range(made):
        Fresh(1)
    with pytest.raises(TypeError) as ours:
        Fresh(*values, **named)
    with pytest.raises(TypeError) as standard:
        Standard(*values, **named)
    assert str(ours.value) == str(standard.value).replace("Standard", "Fresh")


def test_a_class_that_stands_on_one_makes_its_base_in_its_own_way() -> None:
    class Doubled(Point):
        def __init__(self, x: int, *wrong: Any) -> None:
            super().__init__(2 * x, *wrong)

    assert Doubled(2).x == 4
    with pytest.raises(TypeError, match="positional"):
        Doubled(1, 2, 3, 4, 5)


def test_what_is_written_is_of_the_module_of_its_class() -> None:
    """By that a traceback knows it for ours: it has no file."""
    for number in range(FEW + 2):
        Counter(number)
    assert Counter.__init__.__globals__["__name__"] == __name__
