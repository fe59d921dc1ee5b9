"""Git repositories (row B15): what is checked out, and what a repository cannot do."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.builder.remote import GitAddress
from pytest_images.builder.repository import check_out
from pytest_images.errors import DigestMismatch, InvalidUsage, NotFound, Unreachable
from pytest_images.model.secret import Secret
from tests.faults.server import Fault, FaultRegistry
from tests.peers import peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Get = Callable[..., Path]


def git(folder: Path, *words: str) -> str:
    identity = {f"GIT_{who}_{what}": "a@b.test" for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")}  # fmt: skip
    environment = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        [peer("git"), *words], cwd=folder, env=environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository of two commits; the tag v1 is on the first."""
    folder = tmp_path / "served/app.git"
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "docker").mkdir()
    (folder / "docker/Dockerfile").write_text("FROM scratch\n")
    (folder / "number").write_text("1")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "-am", "the first", "v1")
    (folder / "number").write_text("2")
    git(folder, "commit", "-qam", "two")
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Git's own server of what lies in a folder."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path / "served"
    folder.mkdir(exist_ok=True)
    words = ["daemon", "--export-all", f"--base-path={folder}", "--listen=127.0.0.1"]
    command = [peer("git"), *words, f"--port={port}", "--reuseaddr"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, process_group=0) as process:
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if not probe.connect_ex(("127.0.0.1", port)):
                        break
                time.sleep(0.05)
            yield f"git://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, 15)


@pytest.fixture
def get(project: Path, server: str, tmp_path: Path) -> Get:
    """Checks out of the project, or of another address."""

    def get(ref: str = "", folder: str = "", url: str = "", **options: object) -> Path:
        address = GitAddress(url or f"{server}/app.git", ref, folder)
        given = {"secrets": {}, "is_over": lambda: False, **options}
        return check_out(address, tmp_path / "out", **given)  # type: ignore[arg-type]

    return get


def test_the_head_is_checked_out_without_gits_folder(get: Get) -> None:
    found = get()
    assert (found / "number").read_text() == "2"
    assert not (found / ".git").exists()
    assert (found / "number").stat().st_mode & 0o777 == 0o644
    assert (found / "run.sh").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    ("ref", "number"),
    [("v1", "1"), ("main", "2"), ("refs/heads/main", "2"), ("refs/tags/v1", "1"), ("COMMIT", "1")],
)
def test_a_ref_is_a_branch_a_tag_or_a_commit(
    get: Get, project: Path, ref: str, number: str
) -> None:
    ref = git(project, "rev-parse", "v1^{commit}") if ref == "COMMIT" else ref
    assert (get(ref) / "number").read_text() == number


def test_a_tag_comes_before_a_branch_of_the_same_name(get: Get, project: Path) -> None:
    git(project, "branch", "v1")
    assert (get("v1") / "number").read_text() == "1"


def test_a_folder_of_the_repository_may_be_the_context(get: Get) -> None:
    assert (get("v1", "docker") / "Dockerfile").exists()


@pytest.mark.parametrize("folder", ["..", "../..", "docker/../../..", "/../.."])
def test_a_folder_outside_of_the_repository_is_refused(get: Get, folder: str) -> None:
    with pytest.raises((InvalidUsage, NotFound)):
        get("", folder)


def test_a_folder_that_is_a_link_out_of_the_repository_is_refused(get: Get, project: Path) -> None:
    (project / "out").symlink_to("/etc")
    git(project, "add", ".")
    git(project, "commit", "-qm", "link")
    with pytest.raises(InvalidUsage, match="not inside the repository"):
        get("", "out")


@pytest.mark.parametrize(
    "ref", ["-h", "--upload-pack=touch x", "a b", "a..b", "a:b", "x^", "a\nb", "*", "@{1}"]
)
def test_a_ref_cannot_be_an_option_or_an_expression(get: Get, ref: str) -> None:
    with pytest.raises(InvalidUsage, match="branch, tag or commit"):
        get(ref)


@pytest.mark.parametrize("ref", ["missing", "0" * 40])
def test_a_ref_that_is_not_there_is_said(get: Get, ref: str) -> None:
    with pytest.raises((NotFound, Unreachable)):
        get(ref)


def test_a_checksum_is_the_start_of_the_commit(get: Get, project: Path) -> None:
    commit = git(project, "rev-parse", "HEAD")
    with pytest.raises(DigestMismatch):
        get(checksum="0" * 40)
    get(checksum=commit)


def test_gits_folder_is_kept_where_it_is_asked_for(get: Get, project: Path) -> None:
    found = get(keeps_git_folder=True)
    assert git(found, "rev-parse", "HEAD") == git(project, "rev-parse", "HEAD")


@pytest.mark.parametrize("url", ["file://{}", "ext::sh -c 'touch {}/ran'", "{}"])
def test_no_other_protocol_is_spoken(get: Get, project: Path, url: str) -> None:
    with pytest.raises(Unreachable, match=r"not allowed|does not appear"):
        get(url=url.format(project))
    assert not (project / "ran").exists()


def test_a_submodule_of_this_machine_is_refused(get: Get, project: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    git(secret, "init", "-q", "-b", "main")
    (secret / "canary").write_text("c4n4ry")
    git(secret, "add", ".")
    git(secret, "commit", "-qm", "secret")
    git(project, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(secret), "sub")
    git(project, "commit", "-qm", "submodule")
    with pytest.raises(Unreachable, match="transport 'file' not allowed"):
        get()
    assert not list((tmp_path / "out").glob("sub/canary"))


def test_a_submodule_of_the_network_comes_along(
    get: Get, project: Path, server: str, tmp_path: Path
) -> None:
    other = tmp_path / "served/other.git"
    other.mkdir()
    git(other, "init", "-q", "-b", "main")
    (other / "inner").write_text("in")
    git(other, "add", ".")
    git(other, "commit", "-qm", "other")
    git(project, "submodule", "add", "-q", f"{server}/other.git", "sub")
    git(project, "commit", "-qm", "submodule")
    found = get()
    assert (found / "sub/inner").read_text() == "in"
    assert not (found / "sub/.git").exists()


def test_no_hook_of_this_machine_runs(
    get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "home/hooks"
    hooks.mkdir(parents=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "home/.gitconfig").write_text(
        f"[core]\n hooksPath = {hooks}\n[init]\n templateDir = {tmp_path}/home\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    get(keeps_git_folder=True)
    assert not (tmp_path / "ran").exists()


def test_the_environment_cannot_lead_git_astray(
    get: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "touch ran")
    assert (get() / "number").exists()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("way", ["address", "secret"])
def test_who_we_are_goes_to_that_server_and_is_not_shown(get: Get, way: str) -> None:
    with FaultRegistry() as server:
        server.on("GET", ".*", Fault(status=403, body=b"no"))
        user = "me:s3cret@" if way == "address" else ""
        secrets = {"GIT_AUTH_TOKEN": Secret("s3cret")} if way == "secret" else {}
        with pytest.raises(Unreachable) as caught:
            get(url=f"http://{user}{server}/a.git", secrets=secrets)
        seen = server.seen[0].headers
        sent = {name.lower(): value for name, value in seen.items()}.get("authorization", "")
    pair = b64encode(b"me:s3cret").decode()
    assert sent == (f"Basic {pair}" if way == "address" else "")  # a token: by HTTPS alone
    assert "s3cret" not in repr(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_build_that_ended_waits_for_no_server(get: Get) -> None:
    begun = time.monotonic()
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(Unreachable, match="the build was ended"),
    ):
        get(url=f"git://127.0.0.1:{silent.getsockname()[1]}/a", is_over=lambda: True)
    assert time.monotonic() - begun < 20
