from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.hookspecs import hookimpl
from pytest_images.host import Host
from tests.engines import Bringing, MemoryEngine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.images import Images


@pytest.fixture
def images() -> Iterator[Images]:
    bringing = Bringing(memory=MemoryEngine)
    with Host(engine="memory", plugins=[bringing], load_entry_points=False) as host:
        yield host.images


def test_what_a_scope_makes_goes_with_it(images: Images) -> None:
    images.pull("kept")
    with images.scoped() as scope:
        scope.pull("pulled")
        scope.tag("pulled", "tagged")
        scope.load(BytesIO(b"loaded seed\n"))
        assert scope.exists("loaded")
    assert [images.exists(n) for n in ("kept", "pulled", "tagged", "loaded")] == [
        True,
        False,
        False,
        False,
    ]


def test_what_was_there_before_stays(images: Images) -> None:
    images.pull("alpine")
    with images.scoped() as scope:
        scope.pull("alpine")
    assert images.exists("alpine")


def test_a_name_that_moved_gets_its_image_back(images: Images) -> None:
    before = images.pull("app")
    images.tag("app", "app:kept")
    with images.scoped() as scope:
        scope.pull("newer")
        assert scope.tag("newer", "app").id != before.id
    assert images.inspect("app").image.id == before.id
    assert not images.exists("newer")


def test_a_name_whose_image_before_is_gone_goes_too(images: Images) -> None:
    before = images.pull("app")
    with images.scoped() as scope:
        scope.pull("newer")
        scope.tag("newer", "app")
    assert not images.exists(before.id)
    assert not images.exists("app")


def test_a_name_that_someone_else_moved_since_is_left_alone(images: Images) -> None:
    with images.scoped() as scope:
        scope.pull("app")
        theirs = images.pull("theirs")
        images.tag("theirs", "app")
    assert images.inspect("app").image.id == theirs.id


def test_products_go_last_first(images: Images) -> None:
    gone: list[str] = []

    class Watches:
        @hookimpl
        def image_rm(self, request: object) -> None:
            gone.append(str(request.image.reference.familiar))  # type: ignore[attr-defined] # RmRequest

    with images.answering(Watches()), images.scoped() as scope:
        scope.pull("first")
        scope.tag("first", "second")
    assert gone == ["second:latest", "first:latest"]


def test_a_scope_that_fails_is_cleaned_too(images: Images) -> None:
    with pytest.raises(ZeroDivisionError), images.scoped() as scope:
        scope.pull("app")
        raise ZeroDivisionError
    assert not images.exists("app")


def test_a_wrapper_entered_twice_remembers_once(images: Images) -> None:
    class Override:
        @hookimpl
        def image_pull(self, images: Images) -> object:
            return (images.without(self).pull("other"),)

    with images.answering(Override()), images.scoped() as scope:
        scope.pull("app")
        assert scope.ledger is not None
        assert len(scope.ledger) == 1


def test_what_is_done_through_another_door_is_not_the_scopes(images: Images) -> None:
    with images.scoped():
        images.pull("app")
    assert images.exists("app")


def test_scopes_nest(images: Images) -> None:
    with images.scoped() as outer:
        outer.pull("outer")
        with outer.scoped() as inner:
            inner.pull("inner")
        assert outer.exists("outer")
        assert not outer.exists("inner")
    assert not images.exists("outer")
