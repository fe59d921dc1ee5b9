"""Docker's config.json: rows A12 to A14."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.answers.docker_config import DockerConfig
from pytest_images.errors import CredentialHelperError, InvalidConfiguration
from pytest_images.model.endpoint import Credentials
from pytest_images.model.secret import Secret
from tests.ledger import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    Write = Callable[[object], DockerConfig]


def auth(text: str = "me:canary") -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def config(tmp_path: Path) -> Write:
    """Write a config.json; return what reads it."""

    def write(document: object) -> DockerConfig:
        path = tmp_path / "config.json"
        path.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
        path.chmod(0o600)
        return DockerConfig({"DOCKER_CONFIG": str(tmp_path), "PATH": str(tmp_path)})

    return write


def user(config: DockerConfig, registry: str) -> str | None:
    found = config.registry_credentials(registry, None)
    return found.username if found else None


def test_no_file_knows_nobody(tmp_path: Path) -> None:
    assert user(DockerConfig({"DOCKER_CONFIG": str(tmp_path / "none")}), "r.example") is None
    assert user(DockerConfig({"HOME": str(tmp_path)}), "r.example") is None


def test_the_file_lies_in_the_home_folder(tmp_path: Path) -> None:
    assert DockerConfig({"HOME": "/home/me"}).path == Path("/home/me/.docker")
    assert DockerConfig({"HOME": "/home/me", "DOCKER_CONFIG": "/c"}).path == Path("/c")


def test_a_login_is_read(config: Write) -> None:
    found = config({"auths": {"r.example": auth()}}).registry_credentials("r.example", None)
    assert found == Credentials("me", Secret("canary"))


def test_a_rejected_login_is_not_given_again(config: Write) -> None:
    known = config({"auths": {"r.example": auth()}})
    assert known.registry_credentials("r.example", Credentials("me", Secret("canary"))) is None
    assert known.registry_credentials("r.example", Credentials("me", Secret("old"))) is not None


def test_an_identity_token_is_read(config: Write) -> None:
    entry = {"r.example": auth("me:") | {"identitytoken": "canary"}}
    found = config({"auths": entry}).registry_credentials("r.example", None)
    assert found is not None
    assert found.identity_token.reveal() == "canary"


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"{}", b'{"auths":{}}', b'{"auths":{"r.example":{}}}']
)
def test_an_empty_file_or_entry_knows_nobody(config: Write, text: bytes) -> None:
    assert user(config(text), "r.example") is None


WHOLE = json.dumps({"auths": {"r.example": auth()}}).encode()


@pytest.mark.parametrize("cut", range(1, len(WHOLE)), ids=lambda cut: f"A12-cut-{cut}")
def test_a_cut_file_is_refused_by_name(config: Write, cut: int) -> None:
    with refused(InvalidConfiguration, "config.json"):
        user(config(WHOLE[:cut]), "r.example")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"\xef\xbb\xbf" + WHOLE, id="A12-bom"),
        pytest.param(WHOLE.replace(b'{"auths"', b'{"auths":{},"auths"'), id="A12-doubled"),
        pytest.param(b'{"a":' + b"[" * 10**6, id="A12-nesting"),
        pytest.param(b" " * (100 << 20), id="A12-100MiB"),
        pytest.param(b"[]", id="A12-list"),
        pytest.param(b'{"auths":[]}', id="A12-auths-list"),
        pytest.param(b'{"auths":{"r.example":"x"}}', id="A12-entry-text"),
        pytest.param(b'{"auths":{"r.example":{"auth":7}}}', id="A12-auth-number"),
        pytest.param(b'{"credHelpers":["x"]}', id="A12-helpers-list"),
    ],
)
def test_a_file_that_is_no_config_is_refused_by_name(config: Write, text: bytes) -> None:
    with refused(InvalidConfiguration, "config.json"):
        user(config(text), "r.example")


@pytest.mark.parametrize("kind", ["loop", "folder", "pipe"], ids=lambda kind: f"A12-{kind}")
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.json"
    if kind == "loop":
        path.symlink_to(path)
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with refused(InvalidConfiguration, "config.json"):
        user(DockerConfig({"DOCKER_CONFIG": str(tmp_path)}), "r.example")


@pytest.mark.parametrize(
    ("mode", "warns"), [(0o666, True), (0o644, True), (0o620, True), (0o600, False)]
)
def test_a_file_that_others_may_read_or_change_is_warned_of(
    config: Write, tmp_path: Path, mode: int, warns: bool
) -> None:
    """A12."""
    known = config({"auths": {"r.example": auth()}})
    (tmp_path / "config.json").chmod(mode)
    if not warns:
        assert user(known, "r.example") == "me"
        return
    with pytest.warns(UserWarning, match=r"config\.json.*chmod 600") as caught:
        assert user(known, "r.example") == "me"
    assert "canary" not in str(caught[0].message)


def test_a_readable_file_without_secrets_is_no_matter(config: Write, tmp_path: Path) -> None:
    known = config({"auths": {"r.example": {}}, "credHelpers": {}})
    (tmp_path / "config.json").chmod(0o644)
    assert user(known, "r.example") is None


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("me:a:b:c", "a:b:c"),
        ("me:", ""),
        ("me:gr\u00fc\u00df", "gr\u00fc\u00df"),
        ("me:x\0\0", "x"),
    ],
    ids=["A13-colons", "A13-empty", "A13-utf8", "A13-padded"],
)
def test_a_password_begins_after_the_first_colon(config: Write, text: str, password: str) -> None:
    known = config({"auths": {"r.example": auth(text)}})
    found = known.registry_credentials("r.example", None)
    assert found == Credentials("me", Secret(password))


@pytest.mark.parametrize(
    "entry",
    [{"auth": "%%%"}, {"auth": "bWU"}, auth("canary"), auth(":canary"), {"auth": "/////w=="}],
    ids=["A13-not-base64", "A13-padding", "A13-no-colon", "A13-no-user", "A13-not-utf8"],
)
def test_a_bad_auth_is_refused_without_being_shown(config: Write, entry: dict[str, str]) -> None:
    known = config({"auths": {"r.example": entry}})
    with refused(InvalidConfiguration, "r.example"):
        try:
            user(known, "r.example")
        except InvalidConfiguration as error:
            assert "canary" not in str(error)
            raise


def test_a_bad_entry_of_another_registry_is_no_matter(config: Write) -> None:
    known = config({"auths": {"other.example": {"auth": "%%%"}, "r.example": auth()}})
    assert user(known, "r.example") == "me"


@pytest.mark.parametrize(
    ("keys", "registry", "expected"),
    [
        (["r.example"], "r.example", "r.example"),
        (["R.Example"], "r.example", "R.Example"),
        (["https://r.example"], "r.example", "https://r.example"),
        (["https://r.example/v1/"], "r.example", "https://r.example/v1/"),
        (["https://r.example/v2/", "r.example"], "r.example", "r.example"),
        (["r.example"], "r.example:5000", None),
        (["r.example:5000"], "r.example", None),
        (["r.example", "r.example:5000"], "r.example:5000", "r.example:5000"),
        (["r.example/team"], "r.example", None),
        (["evil-r.example", "r.example.evil"], "r.example", None),
        (["example"], "r.example", None),
        (["https://index.docker.io/v1/"], "docker.io", "https://index.docker.io/v1/"),
        (["index.docker.io"], "docker.io", "index.docker.io"),
        (["docker.io"], "docker.io", "docker.io"),
        (["registry-1.docker.io"], "docker.io", "registry-1.docker.io"),
        (["docker.io"], "hub.docker.io", None),
    ],
    ids=lambda value: f"A14-{value}" if isinstance(value, list) else None,
)
def test_the_entry_is_the_registrys_own(
    config: Write, keys: list[str], registry: str, expected: str | None
) -> None:
    known = config({"auths": {key: auth(f"{number}:x") for number, key in enumerate(keys)}})
    found = user(known, registry)
    assert (keys[int(found)] if found else None) == expected


def install(folder: Path, name: str, username: str) -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(f"""#!/bin/sh\necho '{{"Username":"{username}","Secret":"s"}}'\n""")
    path.chmod(0o700)


def test_a_registrys_helper_is_asked_before_the_store_and_the_store_before_the_file(
    config: Write, tmp_path: Path
) -> None:
    install(tmp_path, "one", "of-helper")
    install(tmp_path, "all", "of-store")
    document: dict[str, Any] = {"auths": {"r.example": auth(), "s.example": auth()}}
    document |= {"credHelpers": {"r.example": "one"}, "credsStore": "all"}
    known = config(document)
    assert user(known, "r.example") == "of-helper"
    assert user(known, "s.example") == "of-store"
    assert user(config({"auths": {"s.example": auth()}}), "s.example") == "me"


def test_a_missing_helper_is_an_error_for_its_registry_only(config: Write) -> None:
    """A09."""
    known = config({"auths": {"s.example": auth()}, "credHelpers": {"r.example": "missing"}})
    with refused(CredentialHelperError, "r.example", "missing"):
        user(known, "r.example")
    assert user(known, "s.example") == "me"


def test_a_missing_store_is_no_matter_where_nobody_logged_in(config: Write) -> None:
    known = config({"auths": {"r.example": {}}, "credsStore": "missing"})
    with refused(CredentialHelperError, "r.example"):
        user(known, "r.example")
    assert user(known, "public.example") is None
