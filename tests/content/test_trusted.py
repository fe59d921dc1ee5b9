"""The values made without checks are those that their constructors make."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_images.content import trusted
from pytest_images.content.store import Store
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from pytest_images.model.image import Image
from pytest_images.model.platform import Platform
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

DIGEST = Digest.of(b"x")
ROW = (str(DIGEST), str(Digest.of(b"m", "sha512")), 7, 9, 1_000_000, 3, '{"a":"b"}')
KINDS = {3: ("application/json", "linux", "arm64", "v8")}
MADE = trusted.images([ROW], KINDS, {}, {})[0]


@pytest.mark.parametrize(
    ("made", "checked"),
    [
        (trusted.digest(str(DIGEST)), DIGEST),
        (trusted.digest(str(Digest.of(b"x", "sha512"))), Digest.of(b"x", "sha512")),
        (trusted.reference("docker.io", "library/a", "1", ""), Reference.parse("a:1")),
        (trusted.reference("h:1", "a", "", str(DIGEST)), Reference.parse(f"h:1/a@{DIGEST}")),
        (MADE.platform, Platform("linux", "arm64", "v8")),
        (MADE.manifest, Descriptor("application/json", Digest.of(b"m", "sha512"), 7)),
    ],
)
def test_a_value_is_what_its_constructor_makes(made: Any, checked: Any) -> None:
    assert made == checked
    assert hash(made) == hash(checked)
    assert repr(made) == repr(checked)
    assert pickle.loads(pickle.dumps(made)) == checked


@pytest.mark.parametrize("kind", [Digest, Reference, Platform, Descriptor, Image])
def test_every_field_is_filled(kind: type[Any]) -> None:
    values = {
        Digest: MADE.id,
        Reference: trusted.reference("h:1", "a", "", ""),
        Platform: MADE.platform,
        Descriptor: MADE.manifest,
        Image: MADE,
    }
    for field in dataclasses.fields(kind):
        getattr(values[kind], field.name)


def test_listed_and_single_images_are_alike(store: Store) -> None:
    samples.image("one", labels={"a": "b"}).put(store, "one:1")
    single = samples.image("two", platform="linux/arm64").put(store, "two:1", "two:2")
    assert single in store.images()
    first = store.images()[0]
    assert dataclasses.replace(first) == first


def fresh() -> Image:
    return trusted.images([ROW], KINDS, {}, {})[0]


@pytest.mark.parametrize(
    "look", [hash, repr, pickle.dumps, copy.deepcopy, dataclasses.replace, dataclasses.asdict]
)
def test_an_image_that_nobody_looked_into_is_whole(look: Callable[[Image], object]) -> None:
    looked = look(fresh())
    whole = look(Image(*(getattr(MADE, field.name) for field in dataclasses.fields(Image))))
    assert looked == whole


def test_an_image_that_nobody_looked_into_is_a_value() -> None:
    assert fresh() == fresh()
    assert len({fresh(), MADE}) == 1
    assert pickle.loads(pickle.dumps(fresh())) == MADE
    assert type(fresh()) is Image
    with pytest.raises(dataclasses.FrozenInstanceError):
        fresh().size = 3  # type: ignore[misc]  # that is the point
    with pytest.raises(AttributeError, match="colour"):
        assert fresh().colour  # type: ignore[attr-defined]  # that is the point


def test_threads_may_look_into_an_image_at_once() -> None:
    for _ in range(20):
        image = fresh()
        with ThreadPoolExecutor(4) as pool:
            assert {*pool.map(lambda _: image.platform, range(8))} == {MADE.platform}  # noqa: B023


def test_labels_that_are_shared_cannot_be_changed(store: Store) -> None:
    samples.image("one", labels={"a": "b"}).put(store)
    with pytest.raises(TypeError):
        store.images()[0].labels["a"] = "c"  # type: ignore[index]  # that is the point


@given(st.integers(-(1 << 52), 1 << 52))
@example(-1)
@example((1 << 51) - 1)
def test_a_moment_is_exact_to_the_microsecond(microseconds: int) -> None:
    assert trusted.moment(microseconds) == trusted.EPOCH + timedelta(microseconds=microseconds)
