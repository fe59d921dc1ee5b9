"""What logins leave in the user's file, and what they leave alone: rows A09 to A14 again."""

from __future__ import annotations

import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.answers.docker_config import DockerConfig
from pytest_images.answers.docker_login import DockerLogin
from pytest_images.errors import (
    CredentialHelperError,
    InvalidAddress,
    InvalidConfiguration,
    InvalidUsage,
)
from pytest_images.model.endpoint import Credentials
from pytest_images.model.secret import Secret
from tests.answers.helpers import install_helper, kept_by_helper
from tests.ledger import refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ledger import Ledger

ADA = Credentials("ada", Secret("pa:ss wörd"))
ADA_AUTH = {"auth": "YWRhOnBhOnNzIHfDtnJk"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "docker"


@pytest.fixture
def environment(tmp_path: Path, folder: Path) -> dict[str, str]:
    return install_helper(tmp_path) | {"DOCKER_CONFIG": str(folder)}


def write(folder: Path, **document: Any) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "config.json"
    path.write_text(json.dumps(document))
    path.chmod(0o600)
    return path


def read(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return document


def test_what_is_kept_is_found_again(folder: Path) -> None:
    assert DockerLogin(folder).keep("r.example:5000", ADA)
    config = DockerConfig({"DOCKER_CONFIG": str(folder)})
    assert config.registry_credentials("r.example:5000", None) == ADA
    assert config.registry_credentials("r.example", None) is None


def test_a_new_file_is_the_owners_alone_and_written_as_docker_writes_it(folder: Path) -> None:
    os.umask(umask := os.umask(0))
    DockerLogin(folder).keep("r.example", ADA)
    path = folder / "config.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700 & ~umask
    assert path.read_text() == (
        '{\n\t"auths": {\n\t\t"r.example": {\n\t\t\t"auth": "YWRhOnBhOnNzIHfDtnJk"\n\t\t}\n\t}\n}'
    )
    assert list(folder.iterdir()) == [path]


def test_every_other_key_stays_in_its_order(folder: Path) -> None:
    other = {"auth": "b3RoZXI6eA=="}
    path = write(folder, psFormat="x", auths={"other.example": other}, plugins={"a": {"b": "ü"}})
    path.chmod(0o644)
    with pytest.warns(UserWarning, match="chmod 600"):
        DockerLogin(folder).keep("r.example", ADA)
    assert list(read(folder)) == ["psFormat", "auths", "plugins"]
    assert read(folder)["auths"] == {"other.example": other, "r.example": ADA_AUTH}
    assert read(folder)["plugins"] == {"a": {"b": "ü"}}
    assert path.stat().st_mode & 0o777 == 0o600
    DockerLogin(folder).drop("r.example")
    assert read(folder)["auths"] == {"other.example": other}


def test_docker_hub_has_its_old_name_there(folder: Path) -> None:
    DockerLogin(folder).keep("docker.io", ADA)
    assert list(read(folder)["auths"]) == ["https://index.docker.io/v1/"]
    config = DockerConfig({"DOCKER_CONFIG": str(folder)})
    assert config.registry_credentials("docker.io", None) == ADA
    assert DockerLogin(folder).drop("docker.io")
    assert read(folder)["auths"] == {}


@pytest.mark.parametrize(
    ("registry", "left"),
    [
        pytest.param("r.example", {"evil-r.example", "r.example:5000", "r.example/team"},
                     id="A14-host"),
        pytest.param("r.example:5000",
                     {"r.example", "https://r.example/v1/", "r.example/team", "evil-r.example"},
                     id="A14-port"),
    ],
)  # fmt: skip
def test_a_logout_drops_every_spelling_of_its_registry_and_no_other(
    folder: Path, registry: str, left: set[str]
) -> None:
    keys = ["r.example", "https://r.example/v1/", "r.example:5000", "r.example/team"]
    write(folder, auths=dict.fromkeys([*keys, "evil-r.example"], ADA_AUTH))
    assert DockerLogin(folder).drop(registry)
    assert set(read(folder)["auths"]) == left


def test_a_logout_where_nothing_is_known_makes_no_file(folder: Path) -> None:
    assert not DockerLogin(folder).drop("r.example")
    assert not folder.exists()
    path = write(folder, auths={})
    before = path.stat()
    assert not DockerLogin(folder).drop("r.example")
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("how", [{"credsStore": "test"}, {"credHelpers": {"r.example": "test"}}])
def test_a_helper_keeps_the_password_and_the_file_only_the_name(
    folder: Path, tmp_path: Path, environment: dict[str, str], how: dict[str, Any]
) -> None:
    write(folder, **how)
    login = DockerLogin(folder, environment)
    assert not login.keep("r.example", ADA)
    assert read(folder)["auths"] == {"r.example": {}}
    kept = json.loads(kept_by_helper(tmp_path))
    assert kept == {"r.example": {"Username": "ada", "Secret": "pa:ss wörd"}}
    assert DockerConfig(environment).registry_credentials("r.example", None) == ADA
    assert login.drop("r.example")
    assert (read(folder)["auths"], kept_by_helper(tmp_path)) == ({}, "{}")
    assert not login.drop("r.example")  # the helper knows nothing of it: no failure


def test_a_helper_for_another_registry_is_not_told(
    folder: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    write(folder, credHelpers={"other.example": "test"})
    assert DockerLogin(folder, environment).keep("r.example", ADA)
    assert kept_by_helper(tmp_path) == "{}"


def test_a_helper_that_fails_leaves_the_file_as_it_was(
    folder: Path, tmp_path: Path, environment: dict[str, str], ledger: Ledger
) -> None:
    path = write(folder, credsStore="test", auths={"r.example": ADA_AUTH})
    before = path.read_bytes()
    (tmp_path / "docker-credential-test").write_text("#!/bin/sh\necho locked; exit 1\n")
    with refused(CredentialHelperError, "r.example", "locked"):
        DockerLogin(folder, environment).keep("r.example", ADA)
    with refused(CredentialHelperError, "r.example", "locked"):
        DockerLogin(folder, environment).drop("r.example")
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["missing", "../evil", "te st"], ids=lambda name: f"A09-{name}")
def test_a_helper_that_is_none_leaves_no_password_behind(
    folder: Path, environment: dict[str, str], ledger: Ledger, name: str
) -> None:
    write(folder, credsStore=name)
    with refused(CredentialHelperError, "r.example"):
        DockerLogin(folder, environment).keep("r.example", ADA)
    assert read(folder) == {"credsStore": name}


def test_a_name_that_is_no_registrys_never_reaches_a_helper(
    folder: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """A10."""
    write(folder, credsStore="test")
    with refused(InvalidAddress):
        DockerLogin(folder, environment).keep("r.example\nx", ADA)
    assert kept_by_helper(tmp_path) == "{}"


@pytest.mark.parametrize(
    "text",
    [b'{"auths": ', b'{"auths": {}, "auths": {}}', b"[]", b'{"auths": []}', b"\xff",
     b"[" * 100_000, b"{}" + b" " * (2 << 20)],
    ids=[f"A12-{n}" for n in range(7)],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_named_and_left_as_it_is(
    folder: Path, ledger: Ledger, text: bytes
) -> None:
    path = write(folder)
    path.write_bytes(text)
    with refused(InvalidConfiguration, "config.json"):
        DockerLogin(folder).keep("r.example", ADA)
    assert path.read_bytes() == text


def test_a_link_stays_and_what_it_points_to_is_exchanged(folder: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.json"
    real.write_text('{"psFormat": "x"}')
    folder.mkdir()
    (folder / "config.json").symlink_to(real)
    DockerLogin(folder).keep("r.example", ADA)
    assert (folder / "config.json").is_symlink()
    assert json.loads(real.read_text()) == {"psFormat": "x", "auths": {"r.example": ADA_AUTH}}


def test_a_loop_of_links_is_refused(folder: Path, ledger: Ledger) -> None:
    """A12."""
    folder.mkdir()
    (folder / "config.json").symlink_to("config.json")
    with refused(InvalidConfiguration, "config.json"):
        DockerLogin(folder).keep("r.example", ADA)


def test_a_folder_that_is_a_file_is_refused(folder: Path, ledger: Ledger) -> None:
    folder.write_text("")
    with refused(InvalidConfiguration, "config.json"):
        DockerLogin(folder).keep("r.example", ADA)


def test_a_user_name_with_a_colon_could_not_be_read_again(folder: Path) -> None:
    """A13."""
    with refused(InvalidUsage, "colon"):
        DockerLogin(folder).keep("r.example", Credentials("a:b", Secret("c")))
    assert not folder.exists()


def keep(folder: Path, number: int) -> None:
    DockerLogin(folder).keep(f"r{number}.example", ADA)


def test_of_logins_at_once_none_is_lost(folder: Path) -> None:
    count = 24
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        list(pool.map(keep, [folder] * count, range(count)))
    assert set(read(folder)["auths"]) == {f"r{number}.example" for number in range(count)}
    assert [path.name for path in folder.iterdir()] == ["config.json"]
