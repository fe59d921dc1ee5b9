from __future__ import annotations

import pytest

from pytest_images.errors import (
    DigestMismatch,
    ImageNotFound,
    ImagesError,
    NotAnImage,
    StoreFull,
    Unreachable,
)
from pytest_images.model.endpoint import Access, Endpoint
from pytest_images.registry.endpoints import first_served

ONE, TWO = Endpoint("one.example"), Endpoint("two.example")
GONE, LIES = Unreachable("one", ["refused"]), DigestMismatch("a", "b", "one")


def ask(answers: dict[Endpoint, object], *endpoints: Endpoint) -> object:
    def answer(endpoint: Endpoint) -> object:
        found = answers[endpoint]
        if isinstance(found, Exception):
            raise found
        return found

    return first_served("app:1", endpoints or (ONE, TWO), Access.PULL, answer)


@pytest.mark.parametrize("failure", [GONE, LIES, ImageNotFound("app")])
def test_the_next_place_is_asked_after_a_failure(failure: ImagesError) -> None:
    assert ask({ONE: failure, TWO: "served"}) == "served"


def test_a_place_that_does_not_allow_it_is_not_asked() -> None:
    mirror = Endpoint("mirror.example", allows=frozenset({Access.RESOLVE}))
    assert ask({TWO: "served"}, mirror, TWO) == "served"


def test_the_only_failure_is_raised_as_it_is() -> None:
    with pytest.raises(DigestMismatch) as caught:
        ask({ONE: LIES}, ONE)
    assert caught.value is LIES


def test_a_transport_fault_never_becomes_not_found() -> None:
    with pytest.raises(Unreachable) as caught:
        ask({ONE: ImageNotFound("app"), TWO: Unreachable("two", ["refused"])})
    assert len(caught.value.reasons) == 2


def test_what_the_registry_itself_says_last_is_what_counts() -> None:
    missing = ImageNotFound("app:1", "two")
    with pytest.raises(ImageNotFound) as caught:
        ask({ONE: Unreachable("one", ["refused"]), TWO: missing})
    assert any("one: cannot be reached" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("failure", [NotAnImage("app", "chart"), StoreFull("/store", "no room")])
def test_what_is_the_same_everywhere_is_raised_at_once(failure: ImagesError) -> None:
    with pytest.raises(type(failure)):
        ask({ONE: failure, TWO: "served"})


def test_nowhere_to_ask_says_that_a_policy_may_be_why() -> None:
    with pytest.raises(Unreachable) as caught:
        first_served("app:1", (), Access.PULL, lambda each: None)
    assert "policy" in caught.value.__notes__[0]
