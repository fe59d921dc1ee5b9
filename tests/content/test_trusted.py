"""The values made without checks are those that their constructors make."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pytest

from pytest_images.content import trusted
from pytest_images.content.store import Store
from pytest_images.model.descriptor import Descriptor
from pytest_images.model.digest import Digest
from pytest_images.model.image import Image
from pytest_images.model.platform import Platform
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

DIGEST = Digest.of(b"x")
ROW = (
    *(str(DIGEST), str(Digest.of(b"m", "sha512")), "application/json", 7, 9, 1_000_000),
    *("linux", "arm64", "v8", '{"a":"b"}'),
)
MADE = trusted.Maker().image(ROW, ((), ()))


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


def test_labels_that_are_shared_cannot_be_changed(store: Store) -> None:
    samples.image("one", labels={"a": "b"}).put(store)
    with pytest.raises(TypeError):
        store.images()[0].labels["a"] = "c"  # type: ignore[index]  # that is the point
