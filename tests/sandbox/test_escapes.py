"""Ways out that runtimes once had (rows X): tried in each way a command can be confined."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_images.errors import SandboxError, Unsupported
from pytest_images.model.request.run import MountKind, RunMount
from pytest_images.model.secret import Secret
from pytest_images.sandbox import abilities
from tests.sandbox.conftest import Room
from tests.sandbox.test_run import assert_gone, running


def digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_the_programs_of_the_host_cannot_be_overwritten(any_room: Room) -> None:
    """X07: through the links of /proc to what a process was started from."""
    before = digest(sys.executable)
    any_room.run(
        "for pid in 1 self $PPID; do"
        " (echo changed > /proc/$pid/exe) 2>&1; (cat /proc/$pid/exe > /tmp/copy) 2>&1; done; true"
    )
    assert digest(sys.executable) == before
    assert "changed" not in Path(sys.executable).read_bytes()[:64].decode("latin-1")


def test_the_memory_and_environment_of_process_1_stay_closed(
    any_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X03: what starts the command is out of its reach; it is the command itself in a runtime."""
    monkeypatch.setenv("CANARY", "of the host")
    any_room.run("cat /proc/1/environ; echo; cat /proc/1/maps /proc/1/mem; ls -l /proc/1/fd/")
    assert "of the host" not in any_room.log
    assert "/memory" not in any_room.log


def test_a_setuid_program_gives_no_rights(any_room: Room) -> None:
    """X10: no-new-privs holds for a user who is not root."""
    any_room.printed("mkdir /suid; cp -L /bin/cat /suid/cat; chmod 4755 /suid/cat")
    assert (any_room.upper / "suid/cat").stat().st_mode & 0o4000
    log = any_room.printed("/suid/cat /proc/self/status", user="1000")
    lines = dict(line.split(":\t", 1) for line in log.splitlines() if ":\t" in line)
    assert lines["Uid"].split() == ["1000"] * 4
    assert lines["NoNewPrivs"] == "1"


def test_new_namespaces_give_no_way_to_mount(any_room: Room) -> None:
    """X10, X16: neither unshare nor a remount loosens what is mounted."""
    any_room.run(
        "unshare -m mount -t tmpfs none /tmp; unshare -Ur mount -t tmpfs none /tmp;"
        " mount -o remount,rw /sys; echo x > /sys/kernel/canary; cat /proc/mounts"
    )
    assert "none /tmp" not in any_room.log


def test_mounts_of_the_sandbox_are_not_seen_outside_nor_those_of_the_host_inside(
    any_room: Room, tmp_path: Path
) -> None:
    """X16."""
    log = any_room.printed("cat /proc/self/mountinfo")
    assert str(tmp_path) not in "".join(line.split(" ")[4] for line in log.splitlines())
    assert str(any_room.scratch) not in Path("/proc/self/mountinfo").read_text()


COVERED = [
    *("/", "/dev", "/proc", "/proc/", "/sys", "/dev/null", "/proc/sys", "/sys/firmware"),
    *("/etc/../proc", "/kernel", "/kernel/firmware", "/devices/null", "/devices"),
]


@pytest.mark.parametrize("target", COVERED)
@pytest.mark.parametrize("kind", [MountKind.BIND, MountKind.TMPFS, MountKind.SECRET])
def test_nothing_is_mounted_over_what_hides_the_kernel(
    any_room: Room, tmp_path: Path, kind: MountKind, target: str
) -> None:
    """X06: a folder that other builds write to, in the place of /dev; also through a link."""
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / "kernel").symlink_to("sys")
    (hostile / "devices").symlink_to("/dev")
    source = tmp_path / "source"
    source.mkdir()
    (source / "null").symlink_to("/proc/sysrq-trigger")
    content = Secret("x") if kind is MountKind.SECRET else None
    mount = RunMount(kind, target, source if kind is MountKind.BIND else None, content=content)
    with pytest.raises(SandboxError):
        any_room.run("true", mounts=(mount,), lowers=(hostile, any_room.rootfs))


MASKED = """
for file in kcore keys timer_list interrupts; do
    if [ -e /proc/$file ]; then [ -c /proc/$file ] && echo hidden || echo seen; fi
done
[ -z "$(ls -A /sys/firmware 2>/dev/null)" ] && echo hidden || echo seen
[ -c /dev/null ] && echo x > /dev/null && [ -z "$(cat /dev/null)" ] && echo hidden || echo seen
"""


def test_what_is_hidden_stays_hidden_though_its_names_become_links(
    any_room: Room, tmp_path: Path
) -> None:
    """X06: in the image's folders, all the time while commands start."""
    outside = tmp_path / "outside"
    outside.write_text("of the host")
    over = threading.Event()
    names = ("dev/null", "proc/kcore", "proc/keys", "sys/firmware", "proc/sys", "dev/shm")
    for name in names:
        (any_room.upper / name).parent.mkdir(exist_ok=True)

    def race() -> None:
        while not over.is_set():
            for name in names:
                path = any_room.upper / name
                try:
                    path.symlink_to(outside)
                    path.unlink()
                except OSError:  # the sandbox made something there
                    time.sleep(0)

    racer = threading.Thread(target=race)
    racer.start()
    started = 0
    try:
        for _ in range(12):
            try:
                assert any_room.run(MASKED).status == 0
            except SandboxError:
                continue
            started += 1
            assert "seen" not in any_room.log
            assert any_room.log.count("hidden") > 2
    finally:
        over.set()
        racer.join()
    assert started
    assert outside.read_text() == "of the host"


@pytest.mark.parametrize("is_file", [True, False])
@pytest.mark.parametrize("moved", ["/deep", "/deep/er"])
def test_what_was_made_for_a_mount_is_taken_away_where_it_is_and_nowhere_else(
    any_room: Room, tmp_path: Path, moved: str, *, is_file: bool
) -> None:
    """B11: a folder above it is put elsewhere, and a link to the host in its place."""
    outside = tmp_path / "outside"
    (outside / "er").mkdir(parents=True)
    source = tmp_path / "source"
    for folder in (outside, outside / "er"):
        (folder / "x").touch() if is_file else (folder / "x").mkdir()
    source.touch() if is_file else source.mkdir()
    mount = RunMount(MountKind.BIND, "/deep/er/x", source)
    text = f"mv {moved} /moved && ln -s {outside} {moved}; touch /kept"
    any_room.printed(text, mounts=(mount,))
    assert sorted(path.name for path in outside.rglob("*")) == ["er", "x", "x"]
    assert not any_room.changed & {"moved/er/x", "moved/x", "deep/er/x"}
    assert "kept" in any_room.changed


@pytest.mark.parametrize(
    "text",
    [
        "quotes \" ' \\ `id` $(id)",
        "a\nnew line\tand \x7f control",
        '{"json": [1, {}]}',
        "ünïcode \u2028 ☃",
        "x" * 100_000,
    ],
)
def test_words_arrive_as_they_are(any_room: Room, text: str) -> None:
    """X19: nothing in an argument or variable is read as something else."""
    environment = {"PATH": "/bin:/usr/bin", "TEXT": text}
    any_room.run_command(
        *("/bin/sh", "-c", 'printf "%s|%s" "$1" "$TEXT"', "sh", text), environment=environment
    )
    assert any_room.log == f"{text}|{text}"


@pytest.mark.parametrize(
    "program",
    [
        "#!/bin/sh\nexit 1\n",
        "#!/bin/sh\necho garbage; exit 0\n",
        "#!/bin/sh\nsleep 987.6\n",
        "not a program",
    ],
)
def test_a_runtime_that_does_not_work_is_not_used(
    rootfs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """X17: found by running it once. What runs nothing at all is no sandbox either."""
    broken = tmp_path / "bin" / "runc"
    broken.parent.mkdir()
    broken.write_text(program)
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:/usr/bin:/bin")
    monkeypatch.setattr(abilities, "RUNTIMES", (("runc",),))
    monkeypatch.setattr(abilities, "_known", {})
    monkeypatch.setattr(abilities, "_PROBE_SECONDS", 5.0)
    found = abilities.abilities(tmp_path)
    assert found.isolation == "namespaces"
    assert_gone("987.6")


def test_without_namespaces_nothing_runs_and_everything_tried_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X18: closed, not open."""

    def refused(*_: object) -> int:
        raise SandboxError("a user namespace cannot be made here")

    monkeypatch.setattr(abilities, "confined", refused)
    monkeypatch.setattr(abilities, "_known", {})
    with pytest.raises(Unsupported, match=r"namespaces with overlay: .*user namespace") as caught:
        abilities.abilities(tmp_path)
    assert "kernel.unprivileged_userns_clone" in caught.value.__notes__[0]


def test_ctrl_c_reaches_us_and_not_the_command_alone(room: Room) -> None:
    """X20: the command is in a session of its own, and is ended by us."""
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        room.run("trap '' INT; sleep 987.7")
    assert_gone("987.7")


OWNER = """
import io, sys
from pathlib import Path
from pytest_images.model.platform import Platform
from pytest_images.model.request.run import RunStep
from pytest_images.sandbox.run import run
upper, rootfs, scratch = map(Path, sys.argv[1:])
step = RunStep(
    upper, ("/bin/sh", "-c", "sleep 987.8"), Platform("linux", "amd64"), io.BytesIO(),
    lowers=(rootfs,), scratch=scratch, environment={"PATH": "/bin:/usr/bin"},
)
run(step)
"""


def test_an_owner_killed_at_any_moment_leaves_no_process_and_no_mount(
    room: Room, tmp_path: Path
) -> None:
    """X13: twenty moments between the start and the middle of a step."""
    program = tmp_path / "owner.py"
    program.write_text(OWNER)
    for moment in range(20):
        arguments = [str(path) for path in (room.upper, room.rootfs, room.scratch)]
        owner = subprocess.Popen([sys.executable, str(program), *arguments])
        time.sleep(moment * 0.04)
        owner.kill()
        owner.wait()
    assert_gone("987.8")
    assert not running("987.8")
    assert str(room.scratch) not in Path("/proc/self/mounts").read_text()
