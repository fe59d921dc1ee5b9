from __future__ import annotations

import pickle

import pytest

from pytest_images.errors import InvalidAddress
from pytest_images.model.endpoint import Access, Credentials, Endpoint
from pytest_images.model.secret import Secret
from tests.model.strategies import label


@pytest.mark.parametrize(
    "host",
    ["registry-1.docker.io", "localhost:5000", "127.0.0.1:43211", "[::1]:5000", "my_registry:80"],
)
def test_a_host_with_or_without_port_is_an_endpoint(host: str) -> None:
    endpoint = Endpoint(host, "http")
    assert str(endpoint) == f"http://{host}"
    assert pickle.loads(pickle.dumps(endpoint)) == endpoint
    assert len({endpoint, Endpoint(host, "http")}) == 1


@pytest.mark.parametrize(
    "host",
    [
        "",
        "a/b",
        "user@host",
        "host:@evil",
        "host\\evil",
        "host#evil",
        "host?x",
        "host\tx",
        "host\n",
        "h ost",
        "host:",
        "host:port",
        "host:123456",
        "\uff48ost",
        "http://host",
        "[::1",
        "[fe80::1%eth0]",
        "a" * 300,
    ],
    ids=label,
)
def test_what_could_name_another_host_is_refused(host: str) -> None:
    with pytest.raises(InvalidAddress):
        Endpoint(host)


@pytest.mark.parametrize("scheme", ["ftp", "file", "HTTPS", "http:"])
def test_only_http_and_https_are_schemes(scheme: str) -> None:
    with pytest.raises(InvalidAddress, match="scheme"):
        Endpoint("host", scheme)


@pytest.mark.parametrize("prefix", ["../x", "/x", "a/../b", "a//b", "A", "a b", "a?b", "a" * 300])
def test_a_prefix_is_a_path_of_a_repository(prefix: str) -> None:
    with pytest.raises(InvalidAddress, match="prefix"):
        Endpoint("host", prefix=prefix)


@pytest.mark.parametrize("prefix", ["", "hub", "hub/", "mirror/docker.io"])
def test_a_mirror_may_keep_a_registry_under_a_folder(prefix: str) -> None:
    assert Endpoint("host", prefix=prefix).prefix == prefix


def test_what_an_endpoint_allows_may_be_given_as_any_collection_of_texts() -> None:
    endpoint = Endpoint("mirror", allows=["pull", "resolve"])  # type: ignore[arg-type]  # from code without types
    assert endpoint.allows == frozenset({Access.PULL, Access.RESOLVE})
    with pytest.raises(ValueError, match="chmod"):
        Endpoint("mirror", allows=["chmod"])  # type: ignore[arg-type]  # the attempt is the test


def test_a_plain_password_becomes_a_secret_at_once() -> None:
    credentials = Credentials("ada", "hunter2")  # type: ignore[arg-type]  # from code without types
    assert credentials.password == Secret("hunter2")
    assert "hunter2" not in repr(credentials)
