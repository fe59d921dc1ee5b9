"""The sandbox of a user who is not root, with IDs lent by /etc/subuid and without."""

from __future__ import annotations

import io
import json
import os
import pwd
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_images
from pytest_images.sandbox import ids
from pytest_images.sandbox.removal import remove
from tests.peers import miss, peer

PROGRAM = """
import io, json, sys
from pathlib import Path
sys.path.insert(0, {package!r})
from pytest_images.model.platform import Platform
from pytest_images.model.request.run import RunStep
from pytest_images.sandbox.removal import remove
from pytest_images.sandbox.run import run
here, log = Path({folder!r}), io.BytesIO()
for name in ("upper", "scratch"):
    (here / name).mkdir()
step = RunStep(
    here / "upper", ("/bin/sh", "-c", sys.argv[1]), Platform("linux", "amd64"), log,
    environment={{"PATH": "/bin:/usr/bin"}}, lowers=(here / "rootfs",), scratch=here / "scratch",
)
ran = run(step)
left = [path.name for path in (here / "scratch").iterdir()]
made = {{path.name: path.lstat().st_uid for path in (here / "upper").rglob("*")}}
remove(here / "upper")
print(json.dumps([ran.status, list(ran.warnings), log.getvalue().decode(), left, made]))
"""


class Nobody:
    """Runs a step as a user without any right."""

    def __init__(self, rootfs: Path, folder: Path, uid: int) -> None:
        self.folder, self.uid = folder, uid
        folder.chmod(0o755)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(rootfs, "rootfs", filter=self._own)
        packed.seek(0)
        with tarfile.open(fileobj=packed) as tar:
            tar.extractall(folder, filter="fully_trusted")
        # What is installed may lie where nobody else may look.
        shutil.copytree(Path(pytest_images.__file__).parent, folder / "pytest_images")
        os.chown(folder, uid, uid)

    def _own(self, member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = self.uid
        member.uname = member.gname = ""
        return member

    def run(self, text: str) -> tuple[int, list[str], str, list[str], dict[str, int]]:
        program = PROGRAM.format(package=str(self.folder), folder=str(self.folder))
        done = subprocess.run(
            [python_for_all(), "-B", "-c", program, text],
            user=self.uid,
            group=self.uid,
            extra_groups=(),
            capture_output=True,
            text=True,
            cwd="/",
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": str(self.folder)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        status, warnings, log, left, made = json.loads(done.stdout)
        return status, warnings, log, left, made


def python_for_all() -> str:
    """A Python that any user may start."""
    for program in ("/usr/bin/python3", sys.executable):
        check = [program, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if subprocess.run(check, user=65534, cwd="/", env={}, check=False).returncode == 0:
                return program
        except OSError:
            continue
    return miss("root", "no Python here that another user may start")


@pytest.fixture
def folder() -> Iterator[Path]:
    if sys.platform != "linux":
        pytest.skip("a command of an image runs on Linux only")
    peer("root")
    path = Path(tempfile.mkdtemp(dir="/var/tmp"))
    yield path
    remove(path)


def test_a_user_with_one_id_is_told_and_can_run(rootfs: Path, folder: Path) -> None:
    nobody = Nobody(rootfs, folder, 65534)
    status, warnings, log, left, made = nobody.run("id -u; rm /bin/ls; echo hi > /etc/new")
    assert (status, log, left) == (0, "0\n", [])
    assert made["new"] == nobody.uid
    assert any("install uidmap" in warning for warning in warnings)


def test_a_user_with_lent_ids_can_give_files_away(rootfs: Path, folder: Path) -> None:
    lent = user_with_lent_ids()
    if lent is None:
        miss("uidmap", "no user here has IDs in /etc/subuid, or newuidmap is missing")
    user, first = lent
    nobody = Nobody(rootfs, folder, user)
    status, warnings, log, left, made = nobody.run(
        "echo hi > /etc/new && chown 1:1 /etc/new; id -u"
    )
    assert (status, log, left) == (0, "0\n", [])
    assert made["new"] == first
    assert not any("install uidmap" in warning for warning in warnings)


def user_with_lent_ids() -> tuple[int, int] | None:
    """A user that /etc/subuid lends IDs to, and the first of these."""
    table = Path("/etc/subuid")
    if shutil.which("newuidmap") is None or not table.exists():
        return None
    for line in table.read_text().splitlines():
        name, first, _ = line.split(":")
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid and found.pw_uid == found.pw_gid:
            return found.pw_uid, int(first)
    return None


@pytest.mark.peer("root")
def test_root_maps_everybody_to_themselves() -> None:
    found = ids.available()
    assert found.users.ranges[0][:2] == (0, 0)
    assert not found.users.is_single


def test_what_is_lent_is_read_by_name_and_number(tmp_path: Path) -> None:
    name = pwd.getpwuid(os.geteuid()).pw_name
    table = tmp_path / "subuid"
    table.write_text(
        f"# comment\nother:1:2\n{name}:1000:10\n{os.geteuid()}:5000:5\nbroken\n{name}:x:1\n"
    )
    assert ids._lent(table, os.geteuid()) == ((1, 1000, 10), (11, 5000, 5))
    assert ids._lent(tmp_path / "missing", 0) == ()
