"""Logins at a real registry, at one that wants tokens, and at a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
from typing import TYPE_CHECKING

import pytest

from tests.answers.helpers import install_helper, kept_by_helper
from tests.cli.processes import read_terminal, running
from tests.faults.server import Fault, FaultRegistry, Seen
from tests.peers import DockerRegistry, serving_docker_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

PASSWORD = "pa:ss wörd"
USERS = "ada:$2b$04$fB/JUh.qeJKdfX03IFIyP.ZljO28cuCHm4JdYK7O2zBHpmBC/B77i\n"
AUTH = {"auth": "YWRhOnBhOnNzIHfDtnJk"}
INSECURE = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n"
TOKEN = json.dumps({"token": "canary-token"}).encode()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    with serving_docker_registry(tmp_path_factory.mktemp("login"), USERS) as registry:
        yield registry


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Docker's folder, for the test alone."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return tmp_path / "docker"


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def auths(folder: Path) -> object:
    return json.loads((folder / "config.json").read_text())["auths"]


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.peer("registry")
def test_a_login_is_verified_and_kept(
    run: Run, registry: DockerRegistry, folder: Path, type_in: Callable[[str], None], end: str
) -> None:
    type_in(PASSWORD + end)
    done = run("login", "-u", "ada", "--password-stdin", str(registry))
    assert (done.status, done.out) == (0, "Login Succeeded\n")
    assert done.err == (
        f"\nWARNING! Your credentials are stored unencrypted in '{folder}/config.json'.\n"
        "Configure a credential helper to remove this warning. See\n"
        "https://docs.docker.com/go/credential-store/\n\n"
    )
    assert auths(folder) == {str(registry): AUTH}
    done = run("logout", f"http://{registry}/v1/")
    assert done == (0, f"Removing login credentials for {registry}\n", "")
    assert auths(folder) == {}


@pytest.mark.peer("registry")
def test_what_is_kept_serves_the_commands_that_follow(
    run: Run, registry: DockerRegistry, store: object
) -> None:
    from pytest_images.content.store import Store
    from pytest_images.testing import samples

    assert isinstance(store, Store)
    name = f"{registry}/app:1"
    samples.image("one").put(store, name)
    assert run("push", "-q", name).status == 1
    assert run("login", "-u", "ada", "-p", PASSWORD, str(registry)).status == 0
    assert run("push", "-q", name) == (0, f"{name}\n", "")


@pytest.mark.peer("registry")
def test_what_the_registry_refuses_is_not_kept(
    run: Run, registry: DockerRegistry, folder: Path
) -> None:
    done = run("login", "-u", "ada", "-p", "canary", str(registry))
    assert (done.status, done.out) == (1, "")
    assert done.err == f"{INSECURE}Error: http://{registry}: access denied: " + (
        "the credentials are not accepted\n"
    )
    assert not folder.exists()


@pytest.mark.peer("registry")
def test_what_is_kept_already_is_tried_first(
    run: Run, registry: DockerRegistry, folder: Path
) -> None:
    run("login", "-u", "ada", "-p", PASSWORD, str(registry))
    done = run("login", str(registry))
    assert (done.status, done.out) == (0, "Login Succeeded\n")
    assert "Authenticating with existing credentials... [Username: ada]\n" in done.err
    document = json.loads((folder / "config.json").read_text())
    document["auths"][str(registry)] = {"auth": "YWRhOmNhbmFyeQ=="}
    (folder / "config.json").write_text(json.dumps(document))
    done = run("login", str(registry))
    assert done.status == 1
    assert "access denied" in done.err
    assert "canary" not in done.err
    assert done.err.endswith("Cannot perform an interactive login from a non TTY device\n")


@pytest.mark.peer("registry")
def test_a_helper_keeps_it_without_a_warning(
    run: Run,
    registry: DockerRegistry,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", install_helper(tmp_path)["PATH"])
    folder.mkdir()
    (folder / "config.json").write_text('{"credsStore": "test"}')
    done = run("login", "-u", "ada", "-p", PASSWORD, str(registry))
    assert done == (0, "Login Succeeded\n", INSECURE)
    assert json.loads(kept_by_helper(tmp_path))[str(registry)]["Secret"] == PASSWORD
    run("logout", str(registry))
    assert kept_by_helper(tmp_path) == "{}"


def wants_token(seen: Seen) -> Fault:
    if seen.headers.get("authorization") == "Bearer canary-token":
        return Fault(status=200)
    challenge = f'Bearer realm="http://{seen.headers["host"]}/token",service="s"'
    return Fault(status=401, headers={"WWW-Authenticate": challenge}, forget=True)


@pytest.mark.parametrize(("token", "status"), [(Fault(200, body=TOKEN), 0), (Fault(401), 1)])
def test_a_token_is_asked_for_where_the_registry_wants_one(
    run: Run, token: Fault, status: int
) -> None:
    with FaultRegistry() as registry:
        registry.on("GET", "/v2/", wants_token).on("GET", "/token", token)
        done = run("login", "-u", "ada", "-p", "canary", str(registry))
        asked = [seen.target for seen in registry.asked("GET", "/token")]
    assert done.status == status
    assert set(asked) == {"/token?service=s&account=ada"}
    assert "canary" not in done.out + done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Error: Cannot perform an interactive login from a non TTY device"),
        (["-u", "ada"], "Error: Cannot perform an interactive login from a non TTY device"),
        (["--password-stdin"], "the --password-stdin option requires --username to be set"),
        (["-u", "ada", "--password-stdin"], "Error: Cannot perform an interactive login"),
        (
            ["-u", "ada", "-p", "x", "--password-stdin"],
            "conflicting options: cannot specify both --password and --password-stdin",
        ),
        (["-u", "ada", "-p", "x", "a b"], 'Error: invalid address "a b"'),
        (["-u", "ada", "-p", "x", "nodots"], 'Error: invalid address "nodots"'),
        (["-u", "ada", "-p", "x", "127.0.0.1:1"], "Error: https://127.0.0.1:1: cannot be reached"),
    ],
)
def test_what_is_not_enough_is_refused_before_anything_is_kept(
    run: Run,
    folder: Path,
    type_in: Callable[[str], None],
    words: list[str],
    said: str,
) -> None:
    type_in("")
    done = run("login", *words)
    assert (done.status, done.out) == (1, "")
    assert done.err.removeprefix(INSECURE).startswith(said)
    assert not folder.exists()


def test_more_than_one_registry_is_refused(run: Run) -> None:
    done = run("login", "-u", "ada", "-p", "x", "two", "arguments")
    assert done.status == 1
    assert "requires at most 1 argument" in done.err


@pytest.mark.parametrize("words", [[], ["docker.io"], ["https://index.docker.io/v1/"]])
def test_a_logout_names_docker_hub_as_docker_does(run: Run, words: list[str]) -> None:
    done = run("logout", *words)
    assert done == (0, "Removing login credentials for https://index.docker.io/v1/\n", "")


@pytest.mark.peer("registry")
def test_at_a_terminal_the_user_is_asked_and_the_password_not_shown(
    registry: DockerRegistry, folder: Path
) -> None:
    master, slave = pty.openpty()
    streams = {"stdin": slave, "stdout": slave, "stderr": slave}
    with running("login", str(registry), start_new_session=True, **streams) as process:
        os.close(slave)
        said = b""
        for question, answer in ((b"Username: ", "ada"), (b"Password: ", PASSWORD)):
            while question not in said:
                said += os.read(master, 1000)
            os.write(master, f"{answer}\n".encode())
        said += read_terminal(master)
        assert process.wait(30) == 0
    os.close(master)
    assert said.rstrip().endswith(b"Login Succeeded")
    assert PASSWORD.encode() not in said
    assert auths(folder) == {str(registry): AUTH}
