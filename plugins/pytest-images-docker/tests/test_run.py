"""RUN steps in a real Docker: what becomes of them is what the sandbox makes of them."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pytest_images_docker import owners
from pytest_images_docker.address import Address
from pytest_images_docker.choice import run_in_docker
from pytest_images_docker.daemon import Daemon

from pytest_images import (
    BuildError,
    Host,
    InvalidConfiguration,
    Ran,
    RunStep,
    SandboxError,
    Unreachable,
    Unsupported,
)
from pytest_images.content.home import WORK
from pytest_images.model.platform import Platform
from pytest_images.model.secret import Secret
from pytest_images.sandbox import abilities
from tests.peers import miss, peer, serving_docker, shared_images
from tests.sandbox.conftest import require_sandbox
from tests.sandbox.test_rootless import python_for_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images import Images
    from tests.peers import Docker

NEW = 1_500_000_000  # seconds since 1970: what is in the image is made in the year 2024
BUILD_OF_MOUNTS = (
    "FROM alpine:3.20 AS other\n"
    "RUN mkdir -p /tree/sub && echo bound > /tree/sub/file && ln -s sub/file /tree/link\n"
    "FROM alpine:3.20\n"
    "RUN --mount=type=bind,from=other,source=/tree,target=/mnt/tree"
    " --mount=type=bind,from=other,source=/tree/sub/file,target=/root/one"
    " --mount=type=tmpfs,target=/etc/apk --mount=type=tmpfs,target=/new/place"
    " --mount=type=cache,target=/var/cache/mine,uid=405,mode=0711"
    " --mount=type=secret,id=token --mount=type=secret,id=token,target=/etc/a/secret,mode=0444"
    " cat /mnt/tree/link /root/one > /out && ls -A /etc/apk >> /out"
    " && ! touch /mnt/tree/x && stat -c '%u %a' /var/cache/mine >> /out"
    " && echo 1 > /var/cache/mine/f && echo 2 > /new/place/f && wc -c < /etc/a/secret >> /out"
    " && stat -c '%u %a' /run/secrets/token >> /out && mkdir /run/other\n"
)
TRUE = ("/bin/true",)
SECRET = "c4n4ry-s3cret"
# What engines see in different ways: what is replaced by something else of the same name, names
# that are no text.
CHANGES = r"""
set -e
echo new > /new; chown 12:34 /new; chmod 4751 /new
mkdir -p /deep/er; echo x > /deep/er/x; ln /deep/er/x /deep/hard; ln -s er/x /deep/soft
echo more >> /etc/motd; rm /etc/issue
rm -r /etc/apk; mkdir /etc/apk; echo again > /etc/apk/world
rm -r /var/cache; echo file > /var/cache; rm -r /media; mkfifo /pipe
rm -r /usr/share/apk; ln -s /etc /usr/share/apk
rm /etc/shells; mkdir -p /etc/shells/are/here
mv /etc/profile.d /moved; mkdir /etc/profile.d
rm -r /opt /var/mail; mkdir -m 1777 /opt
mkdir "$(printf '/b\377d')"; touch "$(printf '/b\377d/\303')" "$(printf '/b\377d/\302')"
chmod 0700 /srv; chown 5:6 /home; touch -d "2001-02-03 04:05:06" /etc/profile
printf 'sparse' | dd of=/sparse bs=1 seek=1000000 2>/dev/null
"""
MORE_CHANGES = r"""
set -e
rm /deep/er/x; echo last > /deep/last; rm "$(printf '/b\377d/\303')"
rm /usr/share/apk; mkdir /usr/share/apk; echo folder > /usr/share/apk/again
rm -r /etc/shells; echo file > /etc/shells; rm /var/cache; mkdir /var/cache
rm -r /opt; mv /moved /opt
"""
BUILD_OF_CHANGES = f"FROM alpine:3.20\nRUN <<'EOF'\n{CHANGES}EOF\nRUN <<'EOF'\n{MORE_CHANGES}EOF\n"


@pytest.fixture(scope="session")
def daemon() -> Iterator[Docker]:
    """One daemon for all tests of this process."""
    with serving_docker() as docker:
        yield docker


@pytest.fixture
def docker(daemon: Docker, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """The daemon, and where `DOCKER_HOST` says."""
    monkeypatch.setenv("DOCKER_HOST", daemon.address)
    return daemon


@pytest.fixture(params=["layers", "plain files"])
def images(
    request: pytest.FixtureRequest,
    docker: Docker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Images]:
    """The door of a host whose steps run in Docker, with and without overlays on this machine."""
    monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "docker")
    if request.param == "layers":
        require_sandbox(tmp_path)
    else:
        forbid_sandbox(tmp_path, monkeypatch)
    with Host(home=tmp_path / "home", durability="fast") as host:
        yield host.images
    assert docker("ps", "-aq") == b""
    assert docker("volume", "ls", "-q") == b""
    assert docker("image", "ls", "-aq") == b""
    assert list((tmp_path / "home" / WORK / "steps").iterdir()) == []


def forbid_sandbox(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a machine that confines nothing."""
    refused = Unsupported("RUN", "namespaces are forbidden here")
    monkeypatch.setattr(abilities, "_known", {folder.stat().st_dev: refused})


@pytest.fixture
def alpine(images: Images) -> str:
    archive = alpine_archive()
    images.import_(archive, "alpine:3.20")
    return "alpine:3.20"


def alpine_archive() -> Path:
    shared = shared_images()
    if shared is None:
        miss("shared", "the real images are not at hand")
    [archive] = shared.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
    return archive


def sandboxed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host of the same machine whose steps run in the sandbox."""
    monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "sandbox")
    monkeypatch.setattr(abilities, "_known", {})
    return Host(home=tmp_path / "sandboxed", durability="fast")


def listed(images: Images, name: str) -> dict[str, tuple[object, ...]]:
    """Everything in an image, flattened, but for the times of what was made just now."""
    found: dict[str, tuple[object, ...]] = {}
    for path in images.files(name).rglob("*"):
        info = path.lstat()
        content: object = path.readlink() if path.is_symlink() else None
        if info.kind == "file":
            content = path.read_bytes()
        old = info.mtime if info.mtime < NEW else None
        found[str(path)] = info.kind, oct(info.mode), info.uid, info.gid, old, content
    return found


def both(
    text: str, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[dict[str, tuple[object, ...]], ...]:
    """Build *text* in Docker, then in the sandbox; return what each made."""
    images.build({}, dockerfile_text=text, tags="made", **options)
    monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "sandbox")
    monkeypatch.setattr(abilities, "_known", {})
    require_sandbox(tmp_path)
    with Host(home=tmp_path / "sandboxed", durability="fast") as host:
        host.images.import_(alpine_archive(), "alpine:3.20")
        host.images.build({}, dockerfile_text=text, tags="made", **options)
        return listed(images, "made"), listed(host.images, "made")


def test_what_a_command_changes_is_what_it_changes_in_the_sandbox(
    images: Images, alpine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = both(BUILD_OF_CHANGES, images, tmp_path, monkeypatch)
    assert there == here
    assert there["/new"][:4] == ("file", "0o4751", 12, 34)


def test_a_driver_that_keeps_overlays_tells_the_same_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        serving_docker("overlay2") as docker,
        Host(home=tmp_path / "home", durability="fast") as host,
    ):
        monkeypatch.setenv("DOCKER_HOST", docker.address)
        monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "docker")
        host.images.import_(alpine_archive(), "alpine:3.20")
        there, here = both(BUILD_OF_CHANGES, host.images, tmp_path, monkeypatch)
    assert there == here


@contextmanager
def serving_podman() -> Iterator[str]:
    """Run Podman's service, which speaks Docker's API, with a storage of its own."""
    podman = peer("podman")
    peer("root")
    with tempfile.TemporaryDirectory(prefix="pi-", dir="/tmp") as folder:
        # No limit higher than ours: a machine may forbid that.
        config = Path(folder, "containers.conf")
        limits = '["nofile=1024:1024", "nproc=1024:1024"]'
        config.write_text(f"[containers]\ndefault_ulimits = {limits}\n")
        words = (
            *("unshare", "--mount", podman, "--root", f"{folder}/root", "--runroot"),
            *(f"{folder}/run", "--storage-driver=vfs", "--cgroup-manager=cgroupfs"),
            *("--runtime", peer("runc"), "system", "service", "--time=0", f"unix://{folder}/s"),
        )
        environment = {**os.environ, "CONTAINERS_CONF": str(config)}
        log = Path(folder, "log")
        with (
            log.open("wb") as out,
            subprocess.Popen(words, stdout=out, stderr=out, env=environment) as service,
        ):
            deadline = time.monotonic() + 30
            while not Path(folder, "s").exists():
                assert service.poll() is None and time.monotonic() < deadline, log.read_text()
                time.sleep(0.05)
            try:
                yield f"unix://{folder}/s"
            finally:
                service.terminate()
                service.wait(30)


@pytest.mark.parametrize("build", ["changes", "mounts"])
def test_podman_does_the_same(build: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"changes": BUILD_OF_CHANGES, "mounts": BUILD_OF_MOUNTS}[build]
    secrets = {"token": Secret(SECRET)}
    with serving_podman() as address, Host(home=tmp_path / "home", durability="fast") as host:
        monkeypatch.setenv("DOCKER_HOST", address)
        monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "docker")
        host.images.import_(alpine_archive(), "alpine:3.20")
        there, here = both(text, host.images, tmp_path, monkeypatch, secrets=secrets)
        daemon = Daemon(Address.of_environment())
        assert daemon.ask("GET", "/containers/json", {"all": "1"}) == []
        assert daemon.ask("GET", "/images/json", {"all": "1"}) == []
        assert not daemon.ask("GET", "/volumes")["Volumes"]
    for files in (there, here):
        del files["/etc"]  # its time: Podman makes what it mounts there when the command starts
    assert there == here


def test_a_link_to_what_did_not_change_has_its_content(images: Images, alpine: str) -> None:
    text = f"FROM {alpine}\nRUN ln /etc/issue /a-link && ln /etc/motd /root/z-link\n"
    images.build({}, dockerfile_text=text, tags="linked")
    files = images.files("linked")
    assert (files / "a-link").read_bytes() == (files / "etc/issue").read_bytes() != b""
    assert (files / "root/z-link").read_bytes() == (files / "etc/motd").read_bytes() != b""


def test_mounts_leave_the_same_as_in_the_sandbox(
    images: Images, alpine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = {"token": Secret(SECRET)}
    there, here = both(BUILD_OF_MOUNTS, images, tmp_path, monkeypatch, secrets=secrets)
    assert there == here
    assert there["/out"][-1] == b"bound\nbound\n405 711\n13\n0 400\n"
    assert "/new" not in there


def test_a_cache_is_the_same_folder_in_both(
    images: Images, alpine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount = "RUN --mount=type=cache,target=/root/.cache"
    text = f"FROM {alpine}\n{mount} cd /root/.cache && mkdir a && echo 1 > a/b && ln a/b c\n"
    images.build({}, dockerfile_text=text)
    text = f"FROM {alpine}\n{mount} cd /root/.cache && cat c && rm a/b && echo 2 > new\n"
    assert "1\n" in images.build({}, dockerfile_text=text).log
    text = f"FROM {alpine}\n{mount} cd /root/.cache && find . | sort | tee /list\n"
    images.build({}, dockerfile_text=text, tags="listed")
    assert images.files("listed").joinpath("list").read_text() == ".\n./a\n./c\n./new\n"


def test_a_secret_is_seen_by_its_command_and_nowhere_else(
    images: Images, alpine: str, tmp_path: Path
) -> None:
    text = (
        f"FROM {alpine}\n"
        "RUN --mount=type=secret,id=token --mount=type=secret,id=token,env=TOKEN"
        " cat /run/secrets/token && echo $TOKEN && wc -c < /run/secrets/token > /length\n"
    )
    result = images.build({}, dockerfile_text=text, secrets={"token": Secret(SECRET)}, tags="s")
    assert images.files("s").joinpath("length").read_text() == f"{len(SECRET)}\n"
    assert not images.files("s").joinpath("run/secrets").exists()
    assert "***" in result.log
    assert "secrets lie on the engine's disk" in result.log
    assert SECRET not in result.log
    for path in (tmp_path / "home").rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_a_failed_command_ends_the_build_with_its_log(images: Images, alpine: str) -> None:
    text = f"FROM {alpine}\nRUN echo before; echo after >&2; exit 7\n"
    with pytest.raises(BuildError, match=r"Dockerfile:2: .*status 7") as caught:
        images.build({}, dockerfile_text=text)
    assert caught.value.status == 7
    assert "before" in caught.value.log
    assert "after" in caught.value.log


def test_a_program_that_is_not_there_is_a_status_as_in_a_shell(images: Images, alpine: str) -> None:
    with pytest.raises(BuildError, match="status 127") as caught:
        images.build({}, dockerfile_text=f'FROM {alpine}\nRUN ["/missing"]\n')
    assert "/missing" in caught.value.log


def test_a_user_that_is_not_there_is_named(images: Images, alpine: str) -> None:
    with pytest.raises(SandboxError, match="unable to find user stranger"):
        images.build({}, dockerfile_text=f"FROM {alpine}\nUSER stranger\nRUN id\n")


def test_a_command_has_its_user_folder_hosts_and_no_network_where_it_wants_none(
    images: Images, alpine: str
) -> None:
    text = (
        f"FROM {alpine}\nWORKDIR /work\nRUN chown guest .\nUSER guest\n"
        "RUN --network=none id -un; pwd; grep here.test /etc/hosts; ls /sys/class/net;"
        " grep -E 'NoNewPrivs|Seccomp:' /proc/self/status; touch made\n"
    )
    log = images.build({}, dockerfile_text=text, add_hosts=[("here.test", "10.1.2.3")]).log
    lines = [line.split(" ", 2)[-1] for line in log.splitlines()]
    assert "guest" in lines
    assert "/work" in lines
    assert "10.1.2.3\there.test" in lines
    assert "NoNewPrivs:\t1" in lines
    assert "Seccomp:\t2" in lines
    assert "eth0" not in log


@pytest.fixture
def step(tmp_path: Path) -> RunStep:
    """A step that stands on plain files, for what only a step can say."""
    (tmp_path / "rootfs").mkdir()
    (tmp_path / "scratch").mkdir()
    with tarfile.open(alpine_archive()) as tar:
        tar.extractall(tmp_path / "rootfs", filter="fully_trusted")
    return RunStep(
        tmp_path / "rootfs",
        ("/bin/sh", "-c", "echo on; sleep 60"),
        Platform("linux", "amd64"),
        io.BytesIO(),
        {"PATH": "/bin:/usr/bin"},
        scratch=tmp_path / "scratch",
        timeout=6,
    )


def assert_nothing_is_left(docker: Docker, step: RunStep) -> None:
    assert docker("ps", "-aq") == b""
    assert docker("volume", "ls", "-q") == b""
    assert docker("image", "ls", "-aq") == b""
    assert step.scratch is not None
    assert list(step.scratch.iterdir()) == []


def test_a_step_that_takes_too_long_is_ended(docker: Docker, step: RunStep) -> None:
    with pytest.raises(SandboxError, match="longer than 6 s"):
        run_in_docker(step)
    assert step.log.getvalue() == b"on\n"  # type: ignore[attr-defined] # it is a BytesIO
    assert_nothing_is_left(docker, step)


def test_a_step_that_nobody_hears_any_more_is_ended(docker: Docker, step: RunStep) -> None:
    closing = threading.Timer(3, step.log.close)
    closing.start()
    with pytest.raises(SandboxError, match="nobody waits"):
        run_in_docker(replace(step, timeout=None))
    closing.join()
    assert_nothing_is_left(docker, step)


def test_a_step_outlives_its_output(docker: Docker, step: RunStep) -> None:
    command = ("/bin/sh", "-c", "exec >/dev/null 2>&1; sleep 1; exit 3")
    assert run_in_docker(replace(step, command=command, timeout=60)).status == 3


def test_all_output_goes_to_the_log_which_bounds_itself(docker: Docker, step: RunStep) -> None:
    command = ("/bin/sh", "-c", "head -c 17000000 /dev/zero")
    ran = run_in_docker(replace(step, command=command, timeout=60))
    text: bytes = step.log.getvalue()  # type: ignore[attr-defined] # it is a BytesIO
    assert ran.status == 0
    assert text == bytes(17_000_000)


ALONE = """
import os, sys
from pytest_images import Host, Unsupported
from pytest_images.sandbox import abilities
from pytest_images_docker import DockerPlugin
home, archive, text = sys.argv[1:]
abilities._known[os.stat(home).st_dev] = Unsupported("RUN", "namespaces are forbidden here")
with Host(home=home + "/home", durability="fast", plugins=[DockerPlugin()]) as host:
    host.images.import_(archive, "alpine:3.20")
    host.images.build({}, dockerfile_text=text, tags="made")
    for name in ("closed", "given", "said"):
        path = host.images.files("made") / name
        info = path.lstat()
        print(oct(info.mode), info.uid, info.gid, path.read_text().strip())
"""


PACKAGES = (
    *("pytest_images", "pytest_images_docker"),
    *("filelock", "isal", "platformdirs", "pluggy", "zstandard"),
)


def packages_in(folder: Path) -> Path:
    """Copy what is needed: what is installed may lie where nobody else may look."""
    for name in PACKAGES:
        found = importlib.util.find_spec(name)
        assert found is not None
        assert found.origin is not None
        shutil.copytree(Path(found.origin).parent, folder / name)
    return folder


def test_a_user_who_is_alone_here_has_all_owners_there(daemon: Docker) -> None:
    text = (
        "FROM alpine:3.20\n"
        "RUN echo 1 > /closed && chown 5:6 /closed && chmod 0 /closed && echo 2 > /given"
        " && chown guest:users /given\n"
        "RUN stat -c %u:%g:%a /closed /given > /said && touch /given\n"
    )
    python = python_for_all()
    path = Path(daemon.address.removeprefix("unix://"))
    path.chmod(0o666)
    path.parent.chmod(0o755)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chown(folder, 65534, 65534)
        archive = shutil.copy(alpine_archive(), folder)
        done = subprocess.run(
            [python, "-c", ALONE, folder, archive, text],
            env={
                "PATH": os.environ["PATH"],
                "DOCKER_HOST": daemon.address,
                "HOME": folder,
                "PYTHONPATH": str(packages_in(Path(folder, "site"))),
            },
            cwd=folder,
            check=False,
            capture_output=True,
            text=True,
            user=65534,
            group=65534,
            extra_groups=[],
        )
    assert done.stderr == ""
    said = "5:6:0\n405:100:644"
    assert done.stdout == f"0o0 5 6 1\n0o644 405 100 2\n0o644 0 0 {said}\n"


PROGRAM = """
import io, sys
from pathlib import Path
from pytest_images import RunStep
from pytest_images.model.platform import Platform
from pytest_images_docker.address import Address
from pytest_images_docker.choice import run_in_docker
folder = Path(sys.argv[1])
step = RunStep(folder / "rootfs", ("/bin/sleep", "60"), Platform("linux", "amd64"), io.BytesIO(),
    {"PATH": "/bin"}, scratch=folder / "scratch")
run_in_docker(step)
"""


def running(docker: Docker, folder: Path, besides: bytes = b"") -> subprocess.Popen[bytes]:
    """Start a process whose step runs in Docker, and wait until it does."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, folder], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while len(docker("ps", "-q")) <= len(besides) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert process.poll() is None
    return process


def test_ctrl_c_leaves_nothing(docker: Docker, step: RunStep, tmp_path: Path) -> None:
    process = running(docker, tmp_path)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in said
    assert_nothing_is_left(docker, step)


def test_what_a_killed_process_leaves_is_taken_away_by_the_next(
    docker: Docker, step: RunStep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = running(docker, tmp_path)
    left = docker("ps", "-q")
    living = running(docker, tmp_path, besides=left)
    process.kill()
    process.communicate()
    monkeypatch.setattr(owners, "_swept", set())
    run_in_docker(replace(step, command=TRUE, timeout=60))
    assert docker("ps", "-q") not in (b"", left)  # what another process runs at the time stays
    living.send_signal(signal.SIGINT)
    living.communicate(timeout=60)
    assert docker("ps", "-aq") == b""
    assert docker("image", "ls", "-aq") == b""


def test_a_container_of_somebody_else_is_never_touched(
    docker: Docker, step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "_swept", set())
    docker("import", "--change", "CMD x", alpine_archive(), "theirs")
    other = {owners.SYSTEM: "another.1.0", owners.LOCK: "/nowhere", owners.INODE: "1"}
    labels = [f"--label={key}={value}" for key, value in other.items()]
    docker("create", "--network=host", *labels, "theirs")
    docker("create", "--network=host", f"--label={owners.SYSTEM}={owners.system()}", "theirs")
    try:
        run_in_docker(replace(step, command=("/bin/true",), timeout=60))
        assert len(docker("ps", "-aq").split()) == 2
    finally:
        docker("rm", "-f", *docker("ps", "-aq").decode().split())
        docker("rmi", "theirs")


# Where a step runs.


@pytest.fixture
def door(docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Images]:
    """The door of a host where nothing was chosen."""
    monkeypatch.delenv("PYTEST_IMAGES_BUILD_RUN", raising=False)
    with Host(home=tmp_path / "home", durability="fast") as host:
        yield host.images


def test_without_a_choice_it_is_the_sandbox(
    door: Images, step: RunStep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require_sandbox(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody/listens.sock")
    assert door.run(replace(step, command=TRUE, timeout=60)).isolation != "docker"


def test_where_nothing_can_be_confined_it_is_docker(
    door: Images, step: RunStep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forbid_sandbox(tmp_path, monkeypatch)
    ran = door.run(replace(step, command=TRUE, timeout=60))
    assert ran == Ran(0, "docker", ())


def test_where_neither_can_be_had_both_reasons_are_told(
    door: Images, step: RunStep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forbid_sandbox(tmp_path, monkeypatch)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody/listens.sock")
    with pytest.raises(Unsupported, match="forbidden here") as caught:
        door.run(replace(step, command=TRUE))
    assert "nobody/listens.sock" in caught.value.__notes__[-1]


def test_the_sandbox_can_be_insisted_on(
    door: Images, step: RunStep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forbid_sandbox(tmp_path, monkeypatch)
    monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "sandbox")
    with pytest.raises(Unsupported, match="forbidden here"):
        door.run(replace(step, command=TRUE))


def test_a_docker_that_is_insisted_on_and_not_there_is_unreachable(
    door: Images, step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "docker")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nobody/listens.sock")
    with pytest.raises(Unreachable, match=r"listens\.sock"):
        door.run(replace(step, command=TRUE))


def test_a_choice_that_is_none_is_named(
    door: Images, step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_BUILD_RUN", "podman")
    with pytest.raises(InvalidConfiguration, match='"podman" is none of auto, sandbox, docker'):
        door.run(replace(step, command=TRUE))
