from __future__ import annotations

import pickle

import pytest
from hypothesis import given

from pytest_images.errors import InvalidReference
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.model.selector import Selector
from tests.model.strategies import ROUND_TRIP, label, references

ID = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("text", "name", "prefix"),
    [
        ("alpine", "docker.io/library/alpine:latest", None),
        ("r.io/a:1", "r.io/a:1", None),
        ("abc", "docker.io/library/abc:latest", "abc"),
        (ID[:12], f"docker.io/library/{ID[:12]}:latest", ID[:12]),
        (ID, None, ID),
        (f"sha256:{ID}", None, ID),
        ("sha256:e3b0", "docker.io/library/sha256:e3b0", "e3b0"),
        ("sha256:zzz", "docker.io/library/sha256:zzz", None),
        (f"a@sha256:{ID}", f"docker.io/library/a@sha256:{ID}", None),
    ],
    ids=label,
)
def test_a_text_may_be_a_name_an_id_or_both(text: str, name: str, prefix: str) -> None:
    selector = Selector.parse(text)
    assert (selector.reference and str(selector.reference)) == name
    assert selector.id_prefix == prefix


@pytest.mark.parametrize(
    "text", ["", "ABC", f"{ID}0/", "sha256:", f"sha256:{ID.upper()}x" * 3, "a b"]
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        Selector.parse(text)


def test_a_selector_that_selects_nothing_cannot_be_made() -> None:
    with pytest.raises(InvalidReference, match="neither"):
        Selector("x", None, None)


@given(references)
@ROUND_TRIP
def test_the_text_of_a_selector_reads_as_the_same_selector(reference: Reference) -> None:
    selector = Selector.of(reference)
    assert Selector.parse(str(selector)) == selector
    assert pickle.loads(pickle.dumps(selector)) == selector


def test_a_selector_is_made_of_a_text_a_reference_or_an_id() -> None:
    digest = Digest("sha256", ID)
    assert Selector.of(digest) == Selector.parse(str(digest))
    assert Selector.of("alpine") == Selector.parse("alpine")
    assert Selector.of(Reference.parse("alpine")).reference == Reference.parse("alpine")
