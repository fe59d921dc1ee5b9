"""A build's secrets, and where they are not: row B12."""

from __future__ import annotations

import os
import pickle
import threading
import time
import traceback
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import BuildError, ImagesError, InvalidDockerfile
from pytest_images.hookspecs import hookimpl
from pytest_images.model.secret import Secret
from tests.engine.hostile import holders

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.host import Host
    from pytest_images.images import Images
    from pytest_images.model.progress import Progress
    from tests.ledger import Ledger

CANARY = "c4n4ry-s3cret-of-42"
SECRETS = {"token": Secret(CANARY)}
FILE = "--mount=type=secret,id=token"
ENV = "--mount=type=secret,id=token,env=TOKEN"


@pytest.fixture(autouse=True)
def _account(ledger: Ledger) -> None:
    """Every test here leaves nothing."""


class Listening:
    """Hears what a build tells while it runs."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @hookimpl
    def images_progress(self, images: Images, event: Progress) -> None:
        self.heard.append(repr(event))


@pytest.fixture
def listening(host: Host) -> Listening:
    listening = Listening()
    host.register(listening)
    return listening


RUNS = [
    f"RUN {FILE} cat /run/secrets/token",
    f"RUN {FILE} cat /run/secrets/token >&2; printf x; cat /run/secrets/token; printf y",
    f"RUN {ENV} env; echo $TOKEN",
    f"RUN {ENV} sh -cx 'echo $TOKEN'",
    f"RUN {FILE},target=/a/b/c,mode=0444 cat /a/b/c",
    f"RUN --mount=type=cache,target=/c {FILE},target=/c/token cat /c/token",
    f"RUN --mount=type=tmpfs,target=/t {FILE} cp /run/secrets/token /t/copy; cat /t/copy",
    f"RUN {FILE} head -c 70000 /dev/zero | tr '\\0' a; cat /run/secrets/token; echo end",
    f"RUN {FILE} cat /run/secrets/token; false",
    f"RUN {ENV} echo $TOKEN; exit 3",
    f"RUN {ENV} $TOKEN",
    f"RUN {ENV} cat /nowhere/$TOKEN",
    f"RUN {ENV} kill -9 $$; echo $TOKEN",
    f"RUN {FILE} echo {CANARY}",
    f"RUN {FILE} echo {CANARY}; exit 3",
    f'RUN {FILE} ["/bin/echo", "{CANARY}"]',
    f"RUN {FILE} <<EOF\necho {CANARY}\nEOF",
    f"ARG PASSWORD\nRUN {FILE} echo $PASSWORD",
    f"ARG PASSWORD={CANARY}\nRUN {FILE} true",
    f"ARG PASSWORD\nRUN {FILE} echo $PASSWORD; exit 3",
    f"COPY {CANARY} /",
    f"RUN {FILE} --mount=type=bind,from={CANARY},target=/m true",
    f"USER {CANARY}\nRUN {FILE} true",
    f"WORKDIR /etc/passwd/{CANARY}\nRUN {FILE} true",
    f"RAN {CANARY}",
]


@pytest.mark.parametrize("text", RUNS)
def test_a_secret_is_in_no_layer_config_history_key_log_error_or_file(
    images: Images, alpine: str, tmp_path: Path, listening: Listening, text: str
) -> None:
    """B12: printed, in a command that fails, in its text, given as an argument too."""
    given = {"PASSWORD": CANARY} if "ARG" in text else {}
    said = []
    try:
        result = images.build(
            {}, dockerfile_text=f"FROM {alpine}\n{text}\n", secrets=SECRETS, args=given, tags="s:1"
        )
        said = [result.log, repr(result), repr(images.history("s:1")), str(images.inspect("s:1"))]
        said.append(images.config("s:1").raw.decode())
    except ImagesError as error:
        said = list(told(error))
    said += listening.heard
    settings = ("USER", "WORKDIR")
    assert not [part for part in said if CANARY in part]
    assert text.startswith(settings) or holders(tmp_path / "home", CANARY.encode()) == []


def told(error: BaseException) -> list[str]:
    """Return all that an error says, to people, to pytest and to another process."""
    found = [*traceback.format_exception(error), pickle.dumps(error).decode("latin-1")]
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is not None:
            found += [str(one), repr(one), repr(vars(one)), getattr(one, "excerpt", "")]
            pending += [one.__cause__, one.__context__]
    return found


def test_a_secret_is_in_no_file_of_the_store_while_a_command_sees_it(
    images: Images, alpine: str, tmp_path: Path
) -> None:
    """B12: not for the time of the command either: its owner may be killed."""
    text = (
        f"FROM {alpine}\nRUN {FILE} {ENV.replace('id=token', 'id=other')} "
        "cat /run/secrets/token > /dev/null; echo $TOKEN > /dev/null; echo begun; sleep 1\n"
    )
    found: list[str] = []
    looked = 0
    over = threading.Event()

    def look() -> None:
        nonlocal looked
        while not over.is_set():
            try:
                found.extend(holders(tmp_path / "home", CANARY.encode()))
                looked += 1
            except OSError:
                time.sleep(0.01)  # a file went while it was looked at

    thread = threading.Thread(target=look)
    thread.start()
    try:
        secrets = {**SECRETS, "other": Secret(CANARY)}
        images.build({}, dockerfile_text=text, secrets=secrets)
    finally:
        over.set()
        thread.join()
    assert found == []
    assert looked > 3


def test_a_secret_changes_no_key(images: Images, alpine: str) -> None:
    """B12: nor does its value change the image, whatever it is."""
    text = f"FROM {alpine}\nRUN {FILE} wc -c < /run/secrets/token > /dev/null\n"
    first = images.build({}, dockerfile_text=text, secrets=SECRETS)
    for value in ("true", "RUN", "e", CANARY[::-1]):
        again = images.build({}, dockerfile_text=text, secrets={"token": Secret(value)})
        assert first.image and again.image
        assert first.image.id == again.image.id
        assert "CACHED" in again.log.replace("***", "E")


def test_a_secret_that_is_given_and_not_mounted_is_seen_by_no_command(
    images: Images, alpine: str
) -> None:
    """B12."""
    text = f"FROM {alpine}\nRUN ls /run; ls /run/secrets 2>&1; env; cat /proc/1/environ; true\n"
    result = images.build({}, dockerfile_text=text, secrets=SECRETS)
    assert "token" not in result.log
    assert "***" not in result.log


def test_the_place_of_a_secret_is_in_no_layer(images: Images, alpine: str) -> None:
    """B12: in a cache that it was mounted into there is the name of it, and nothing in it."""
    mount = "--mount=type=cache,target=/c"
    text = (
        f"FROM {alpine}\nRUN {FILE} {FILE},target=/etc/new/token {mount} {FILE},target=/c/token "
        f"touch /made\nRUN {mount} cat /c/* > /listed\n"
    )
    images.build({}, dockerfile_text=text, secrets=SECRETS, tags="s:1")
    files = images.files("s:1")
    assert (files / "made").exists()
    assert (files / "listed").read_text() == ""
    assert not (files / "run/secrets").exists()
    assert not (files / "etc/new").exists()


@pytest.mark.parametrize(
    "secret",
    ["first line\nsecond line\n", "tab\tand \x1b[31m colour", "\udcff\udcfebinary", "ü☃\u202e"],
)
def test_secrets_of_every_kind_are_hidden(images: Images, alpine: str, secret: str) -> None:
    """B12: of many lines, with what terminals would act on, in no encoding at all."""
    text = f"FROM {alpine}\nRUN {FILE} cat /run/secrets/token; echo; cat /run/secrets/token | cat\n"
    result = images.build({}, dockerfile_text=text, secrets={"token": Secret(secret)})
    for part in ("first", "second", "colour", "binary", "☃"):
        assert part not in result.log
    assert "***" in result.log


def test_a_line_that_is_too_long_is_not_cut_within_a_secret(images: Images, alpine: str) -> None:
    """B12: neither half of it is shown."""
    secret = "".join(f"{number:05}" for number in range(200))
    lines = ["dd if=/dev/zero bs=65000 count=1 2>/dev/null | tr '\\0' a"]
    lines += ["cat /run/secrets/token", "printf b"] * 200
    text = f"FROM {alpine}\nRUN {FILE} {'; '.join(lines)}\n"
    result = images.build({}, dockerfile_text=text, secrets={"token": Secret(secret)})
    assert "00199" not in result.log.replace(";", "")
    assert "00001" not in result.log
    assert result.log.count("***") == 200


def test_required_secrets_are_named_and_not_shown(images: Images, alpine: str) -> None:
    """B12."""
    text = f"FROM {alpine}\nRUN {FILE} true\nRUN {FILE.replace('token', 'other')},required true\n"
    with pytest.raises(InvalidDockerfile, match="secret other: not found") as caught:
        images.build({}, dockerfile_text=text, secrets=SECRETS)
    assert not [part for part in told(caught.value) if CANARY in part]


def test_a_failed_build_of_the_command_shows_no_secret(
    images: Images, alpine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B12: the error's log is the whole one."""
    monkeypatch.setenv("TOKEN", CANARY)
    text = f"FROM {alpine}\nRUN {ENV} echo before $TOKEN after; exit 1\n"
    with pytest.raises(BuildError) as caught:
        images.build({}, dockerfile_text=text, secrets={"token": Secret(os.environ["TOKEN"])})
    assert "before *** after" in caught.value.log
