"""A user without root, without Docker, without a runtime builds what the documentation shows."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.home import WORK
from pytest_images.sandbox.removal import remove
from tests.peers import miss, peer, shared_images
from tests.sandbox.test_rootless import python_for_all, user_with_lent_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("pytest_images", "filelock", "isal", "platformdirs", "pluggy", "zstandard")
ALONE = 65534  # one ID, and nobody lends it others
DOCKERFILE = """FROM alpine:3.20
RUN echo hello > /srv/greeting && rm /etc/motd && echo app:x:1000:1000::/:/bin/sh >> /etc/passwd
COPY --chmod=755 run.sh /usr/bin/run
USER app
CMD ["run"]
"""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a folder, a store, and no program but this Python."""

    uid: int
    folder: Path

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [python_for_all(), "-B", "-m", "pytest_images", *words],
            user=self.uid,
            group=self.uid,
            extra_groups=(),
            cwd=self.folder,
            env={
                "HOME": str(self.folder),
                "PATH": str(self.folder / "bin"),
                "PYTHONPATH": str(self.folder / "site"),
                "PYTEST_IMAGES_HOME": str(self.folder / "store"),
                "TMPDIR": str(self.folder),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done


def made(uid: int, folder: Path, helpers: tuple[str, ...]) -> User:
    """Give the user what is needed: a context, Alpine's files, perhaps the helpers of uidmap."""
    shared = shared_images() or miss("shared", "the real images are not at hand")
    [archive] = shared.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
    shutil.copy(archive, folder / "alpine.tar.gz")
    for name in ("bin", "site", "web"):
        (folder / name).mkdir()
    for name in PACKAGES:  # what is installed may lie where nobody else may look
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        shutil.copytree(Path(found.origin).parent, folder / "site" / name)
    for name in helpers:
        program = shutil.which(name)
        assert program is not None
        (folder / "bin" / name).symlink_to(program)
    (folder / "web/Dockerfile").write_text(DOCKERFILE)
    (folder / "web/run.sh").write_text("#!/bin/sh\ncat /srv/greeting\n")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, uid, follow_symlinks=False)
    user = User(uid, folder)
    user.run("import", "alpine.tar.gz", "alpine:3.20")
    return user


@pytest.fixture(params=["alone", "with lent IDs"])
def user(request: pytest.FixtureRequest) -> Iterator[User]:
    if sys.platform != "linux":
        pytest.skip("a command of an image runs on Linux only")
    peer("root")
    uid = ALONE
    helpers: tuple[str, ...] = ()
    if request.param != "alone":
        lent = user_with_lent_ids()
        if lent is None:
            miss("uidmap", "no user here has IDs in /etc/subuid, or newuidmap is missing")
        uid, helpers = lent[0], ("newuidmap", "newgidmap")
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    try:
        yield made(uid, folder, helpers)
    finally:
        remove(folder)


def test_it_is_built_confined_and_twice_the_same(user: User) -> None:
    first = user.run("build", "--progress=plain", "-t", "web:1", "web")
    assert "no filter of system calls" in first.stderr
    assert "CACHED" not in first.stderr
    again = user.run("build", "--progress=plain", "-t", "web:2", "web")
    assert again.stderr.count("CACHED") == 2
    assert list((user.folder / "store" / WORK / "steps").glob("run-*")) == []
    identity = "{{.Id}} {{.Config.User}} {{.Config.Cmd}}"
    said = user.run("inspect", "--format", identity, "web:1", "web:2").stdout.splitlines()
    assert said[0] == said[1]
    assert said[0].endswith(" app [run]")


def test_nothing_of_the_cache_is_needed_for_the_same_image(user: User) -> None:
    first = user.run("build", "-q", "web").stdout
    assert user.run("build", "-q", "--no-cache", "web").stdout == first


def test_what_was_changed_is_in_the_image(user: User) -> None:
    user.run("build", "-q", "-t", "web:1", "-o", "type=local,dest=out", "web")
    out = user.folder / "out"
    assert (out / "srv/greeting").read_text() == "hello\n"
    assert not (out / "etc/motd").exists()
    assert "app:x:1000:" in (out / "etc/passwd").read_text()
    assert (out / "usr/bin/run").stat().st_mode & 0o777 == 0o755


def test_what_a_command_mounts_may_be_another_users(user: User) -> None:
    mount = "--mount=type=cache,target=/c,id=kept,uid=5,mode=0750"
    (user.folder / "web/Dockerfile").write_text(
        f"FROM alpine:3.20 AS other\nRUN echo hi > /f && (chown 5:6 /f || true)\n"
        f"FROM alpine:3.20\nRUN {mount} echo 1 > /c/n\n"
        f"RUN {mount} --mount=from=other,source=/f,target=/m cat /c/n /m > /both\n"
    )
    user.run("build", "-q", "-t", "web:1", "web")
    assert user.run("cat", "web:1", "/both").stdout == "1\nhi\n"
