from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import ImageNotFound, InvalidReference
from pytest_images.testing import samples
from tests.ledger import refused

if TYPE_CHECKING:
    from pytest_images.server.namespace import Namespace
    from pytest_images.server.registry import Registry
    from tests.server.talk import Client

SAMPLE = samples.image("one")
OTHER = samples.image("two")


@pytest.fixture
def space(registry: Registry, client: Client) -> Namespace:
    space = registry.namespace("team")
    client.push(SAMPLE, "1", "team/app")
    client.push(OTHER, "2", "team/app")
    client.push(SAMPLE, "1", "team/lib/deep")
    client.push(SAMPLE, "1", "teammate/app")
    return space


def test_it_begins_the_names_of_its_images(registry: Registry) -> None:
    space = registry.namespace("team")
    assert str(space) == f"{registry}/team"
    assert str(space.reference("app:1")) == f"{registry}/team/app:1"
    assert space.reference("app").tag == "latest"


def test_two_made_up_ones_differ(registry: Registry) -> None:
    assert str(registry.namespace()) != str(registry.namespace())


@pytest.mark.parametrize("name", ["Team", "../x", "a//b", "_tags"])
def test_a_bad_name_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(InvalidReference):
        registry.namespace(name)


def test_it_lists_what_is_in_it(space: Namespace) -> None:
    assert space.repositories() == ("app", "lib/deep")
    assert space.tags("app") == ("1", "2")
    assert space.tags("nothing") == ()
    assert space.digest("app:1") == SAMPLE.manifest.digest


def test_it_deletes_a_tag(space: Namespace) -> None:
    space.delete("app:1")
    assert space.tags("app") == ("2",)


def test_it_deletes_a_manifest_with_its_tags(space: Namespace) -> None:
    space.delete(f"app@{SAMPLE.manifest.digest}")
    assert space.tags("app") == ("2",)


def test_it_deletes_a_repository_whole(space: Namespace) -> None:
    space.delete("app")
    assert space.repositories() == ("lib/deep",)


@pytest.mark.parametrize("name", ["app:3", f"app@{samples.image('three').manifest.digest}", "no"])
def test_what_is_not_there_cannot_be_deleted(space: Namespace, name: str) -> None:
    with refused(ImageNotFound, "team/"):
        space.delete(name)


def test_an_absent_tag_has_no_digest(space: Namespace) -> None:
    with refused(ImageNotFound, "team/app:3"):
        space.digest("app:3")


def test_clearing_leaves_its_neighbours(registry: Registry, space: Namespace) -> None:
    space.clear()
    space.clear()
    assert registry.repositories() == ("teammate/app",)
    assert registry.shelf.store.has(SAMPLE.config.id)
    assert not registry.shelf.store.has(OTHER.config.id)
