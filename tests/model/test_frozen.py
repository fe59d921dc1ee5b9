from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from pytest_images.model.frozen import FrozenMap

WRITES: dict[str, Callable[[Any], Any]] = {
    "set": lambda m: m.__setitem__("a", "2"),
    "delete": lambda m: m.__delitem__("a"),
    "update": lambda m: m.update({"b": "1"}),
    "in-place or": lambda m: m.__ior__({"b": "1"}),
    "pop": lambda m: m.pop("a"),
    "popitem": lambda m: m.popitem(),
    "clear": lambda m: m.clear(),
    "setdefault": lambda m: m.setdefault("b", "1"),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_no_way_of_writing_changes_it(write: Callable[[Any], Any]) -> None:
    frozen = FrozenMap({"a": "1"})
    with pytest.raises(TypeError, match="cannot be changed"):
        write(frozen)
    assert frozen == {"a": "1"}


def test_every_method_of_dict_that_writes_is_refused() -> None:
    reading = {"copy", "fromkeys", "get", "items", "keys", "values"}
    public = {name for name in dir(dict) if not name.startswith("_")}
    assert public - reading <= set(vars(FrozenMap))


def test_it_reads_like_a_dict_and_equals_one() -> None:
    frozen = FrozenMap({"a": "1"})
    assert frozen == {"a": "1"}
    assert frozen | {"b": "2"} == {"a": "1", "b": "2"}
    assert json.loads(json.dumps(frozen)) == frozen


def test_it_does_not_follow_the_dict_it_was_made_of() -> None:
    origin = {"a": "1"}
    frozen = FrozenMap(origin)
    origin["a"] = "2"
    assert frozen["a"] == "1"


def test_it_travels_copies_and_hashes() -> None:
    frozen = FrozenMap({"a": "1"})
    for other in (pickle.loads(pickle.dumps(frozen)), copy.deepcopy(frozen), FrozenMap(a="1")):
        assert other == frozen
        assert hash(other) == hash(frozen)


def test_a_copy_of_it_may_be_changed() -> None:
    changed = FrozenMap({"a": "1"}).copy()
    changed["a"] = "2"
    assert changed == {"a": "2"}
