"""Credential helpers that behave, and those that do not: rows A09 to A11."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.answers.credential_helper import OUTPUT_LIMIT, ask_helper, is_installed
from pytest_images.errors import CredentialHelperError, InvalidAddress
from tests.ledger import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.ledger import Ledger

    Helper = Callable[[str], dict[str, str]]

GOOD = """echo '{"ServerURL":"x","Username":"me","Secret":"canary"}'"""


@pytest.fixture
def helper(tmp_path: Path) -> Helper:
    """Install a shell script as ``docker-credential-test``; return the environment to find it."""

    def install(script: str) -> dict[str, str]:
        path = tmp_path / "docker-credential-test"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
        return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SAID": str(tmp_path / "said")}

    return install


def test_a_helper_is_asked_by_the_registrys_name(helper: Helper, tmp_path: Path) -> None:
    environment = helper(f'echo "$1" > "$SAID"; cat >> "$SAID"; {GOOD}')
    found = ask_helper("test", "r.example:5000", environment)
    assert found is not None
    assert (found.username, found.password.reveal()) == ("me", "canary")
    assert (tmp_path / "said").read_text() == "get\nr.example:5000"


def test_docker_hub_has_its_old_name_there(helper: Helper, tmp_path: Path) -> None:
    ask_helper("test", "docker.io", helper(f'cat > "$SAID"; {GOOD}'))
    assert (tmp_path / "said").read_text() == "https://index.docker.io/v1/"


def test_an_identity_token_is_known_by_its_user(helper: Helper) -> None:
    environment = helper("""echo '{"Username":"<token>","Secret":"canary"}'""")
    found = ask_helper("test", "r.example", environment)
    assert found is not None
    assert found.identity_token.reveal() == "canary"
    assert not found.password


@pytest.mark.parametrize(
    "script",
    [
        "echo 'credentials not found in native keychain'; exit 1",
        """echo '{"Username":"","Secret":""}'""",
    ],
)
def test_a_helper_that_knows_nothing_gives_nobody(helper: Helper, script: str) -> None:
    assert ask_helper("test", "r.example", helper(script)) is None


@pytest.mark.parametrize(
    "name",
    ["missing", "../evil", "/bin/sh", "te st", "test\n", "", "TEST", "x" * 65],
    ids=[
        "A09-missing",
        "A09-up",
        "A09-path",
        "A09-space",
        "A09-newline",
        "A09-none",
        "A09-case",
        "A09-long",
    ],
)
def test_a_name_that_is_no_helpers_is_refused(helper: Helper, ledger: Ledger, name: str) -> None:
    environment = helper(GOOD)
    with refused(CredentialHelperError):
        ask_helper(name, "r.example", environment)


def test_a_helper_that_cannot_be_run_is_refused(helper: Helper, tmp_path: Path) -> None:
    """A09."""
    environment = helper(GOOD)
    (tmp_path / "docker-credential-test").chmod(0o600)
    assert not is_installed("test", environment)
    with refused(CredentialHelperError, "PATH"):
        ask_helper("test", "r.example", environment)


@pytest.mark.parametrize(
    "registry",
    ["r.example\nx", "r.example\0", "r example", "", "user@r.example"],
    ids=lambda t: f"A10-{t!a}",
)
def test_a_name_that_is_no_registrys_never_reaches_a_helper(
    helper: Helper, tmp_path: Path, registry: str
) -> None:
    environment = helper(f'cat > "$SAID"; {GOOD}')
    with refused(InvalidAddress):
        ask_helper("test", registry, environment)
    assert not (tmp_path / "said").exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("sleep 60", "no answer", id="A11-hangs"),
        pytest.param("echo broken keychain; exit 1", "broken keychain", id="A11-exit-1"),
        pytest.param("exit 3", "exit status 3", id="A11-silent"),
        pytest.param("cat /dev/zero", "bytes", id="A11-endless"),
        pytest.param("echo canary >&2; exit 1", "exit status 1", id="A11-stderr"),
        pytest.param("echo canary", "not a helper's", id="A11-not-json"),
        pytest.param(
            """echo '{"Username":7,"Secret":"canary"}'""", "not a helper's", id="A11-number"
        ),
    ],
)
def test_a_helper_that_misbehaves_is_ended_and_quoted_with_care(
    helper: Helper, ledger: Ledger, script: str, words: str
) -> None:
    seconds = 0.5 if words == "no answer" else 60
    with refused(CredentialHelperError, "r.example", words):
        try:
            ask_helper("test", "r.example", helper(script), seconds=seconds)
        except CredentialHelperError as error:
            assert "canary" not in str(error)
            raise


@pytest.mark.parametrize(
    "script", ["sleep 60 & ", "(sleep 60; echo late) & "], ids=["A11-daemon", "A11-pipe"]
)
def test_a_daemon_that_holds_the_pipe_is_not_waited_for(
    helper: Helper, ledger: Ledger, script: str
) -> None:
    began = time.monotonic()
    assert ask_helper("test", "r.example", helper(script + GOOD), seconds=60) is not None
    assert time.monotonic() - began < 30


def test_a_long_answer_within_the_limit_is_read_whole(helper: Helper) -> None:
    padding = " " * (OUTPUT_LIMIT - 200)
    environment = helper(f"printf '%s' '{padding}'; {GOOD}")
    assert ask_helper("test", "r.example", environment) is not None
