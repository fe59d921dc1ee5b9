"""The plugin in use: it is installed, so nobody registers it here."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images import Credentials, Endpoint, ImageNotFound, Secret
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images import Images, Registry


@pytest.fixture
def served(image_registry_session: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A throw-away registry that stands for `registry.example.test`."""
    monkeypatch.setenv("EXAMPLE_REGISTRY", image_registry_session.address)
    return image_registry_session


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a token."""
    file = tmp_path / "token"
    file.write_text("first\n")
    monkeypatch.setenv("EXAMPLE_REGISTRY_TOKEN_FILE", str(file))
    return file


def test_names_of_the_domain_are_asked_where_the_environment_says(
    images: Images, served: Registry
) -> None:
    assert images.endpoints("registry.example.test/app") == (Endpoint(served.address),)


def test_names_of_other_domains_are_left_to_others(images: Images, served: Registry) -> None:
    [endpoint] = images.endpoints("other.test/app")
    assert endpoint.host == "other.test"


def test_an_image_goes_out_and_comes_back_under_the_domains_name(
    images: Images, served: Registry
) -> None:
    name = "registry.example.test/team/app:1"
    [loaded] = images.load(BytesIO(samples.image("app").archive(name)))
    images.push(name)
    images.rm(name)
    assert images.pull(name).id == loaded.image.id
    assert "team/app" in served.repositories()


def test_what_is_not_there_is_called_by_the_domains_name(images: Images, served: Registry) -> None:
    with pytest.raises(ImageNotFound, match=r"registry\.example\.test/no-such-app"):
        images.pull("registry.example.test/no-such-app")


def test_the_token_is_read_when_it_is_asked_for(images: Images, token: Path) -> None:
    first = Credentials("token", Secret("first"))
    assert images.credentials("registry.example.test") == first
    token.write_text("second")
    assert images.credentials("registry.example.test", rejected=first) == Credentials(
        "token", Secret("second")
    )


def test_a_token_that_was_refused_is_not_given_again(images: Images, token: Path) -> None:
    first = Credentials("token", Secret("first"))
    assert images.credentials("registry.example.test", rejected=first) is None


def test_the_token_is_for_this_registry_only(images: Images, token: Path) -> None:
    assert images.credentials("other.test") is None
