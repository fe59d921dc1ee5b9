from __future__ import annotations

import pytest
from pytest_images_docker.address import Address

from pytest_images import InvalidConfiguration, Unsupported


def test_without_a_setting_it_is_the_socket_that_docker_installs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert Address.of_environment().path == "/var/run/docker.sock"


def test_a_host_has_the_port_of_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_TLS_VERIFY", raising=False)
    address = Address.parse("tcp://127.0.0.1")
    assert (address.host, address.port) == ("127.0.0.1", 2375)


@pytest.mark.parametrize("text", ["ssh://me@there", "npipe:////./pipe/docker", "tcp://there:2376"])
def test_what_is_not_spoken_is_said_with_a_way_out(text: str) -> None:
    with pytest.raises(Unsupported) as caught:
        Address.parse(text)
    assert "Forward" in caught.value.__notes__[0]


@pytest.mark.parametrize("text", ["unix://", "docker.sock", "tcp://", "tcp://there:no", "tcp://["])
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidConfiguration, match="DOCKER_HOST"):
        Address.parse(text)
