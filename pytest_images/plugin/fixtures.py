"""The fixtures: the door, a scope, a registry, and what the marker prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_images.images import Images
    from pytest_images.model.image import Image
    from pytest_images.server.namespace import Namespace
    from pytest_images.server.registry import Registry


@pytest.fixture(scope="session")
def images(pytestconfig: pytest.Config) -> Images:
    """The door to all image operations; what this run names is gone after it."""
    from pytest_images.plugin.session import session_of

    return session_of(pytestconfig).door()


@pytest.fixture
def image_scope(images: Images) -> Iterator[Images]:
    """The same door; names that a test gives through it go with the test."""
    with images.scoped() as scope:
        yield scope


@pytest.fixture(scope="session")
def image_registry_session(images: Images) -> Iterator[Registry]:
    """A registry of this process's own on a free loopback port, stopped at the end."""
    from pytest_images.server.registry import Registry

    with Registry.serving() as registry, images.answering(registry):
        yield registry


@pytest.fixture
def image_registry(image_registry_session: Registry) -> Iterator[Namespace]:
    """An empty namespace on the session's registry, emptied again after the test."""
    namespace = image_registry_session.namespace()
    yield namespace
    namespace.clear()


@pytest.fixture
def marked_images(request: pytest.FixtureRequest) -> Mapping[str, Image]:
    """The images of ``@pytest.mark.image(...)``, by the text written there."""
    from pytest_images.plugin.marker import marked
    from pytest_images.plugin.needs import Need
    from pytest_images.plugin.session import session_of

    session, place = session_of(request.config), str(request.path)
    return {
        one.name: session.prepare(Need.of(one.name, one.policy, one.platform, place))
        for one in marked(request.node)
    }
