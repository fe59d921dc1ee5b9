"""What a command sees, may do and leaves, in each way it can be confined."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pytest_images.errors import SandboxError
from pytest_images.model.request.run import MountKind, RunMount
from pytest_images.model.secret import Secret
from tests.sandbox.conftest import Room

CAPABILITIES = "00000000a80425fb"  # Docker's fourteen
NONE = "0000000000000000"


def test_the_exit_status_and_the_output_are_the_commands(any_room: Room) -> None:
    ran = any_room.run("echo out; echo err >&2; exit 3")
    assert ran.status == 3
    assert sorted(any_room.log.splitlines()) == ["err", "out"]


def test_a_full_confinement_warns_of_nothing_and_ours_of_the_missing_filter(any_room: Room) -> None:
    ran = any_room.run("true")
    missing = [warning for warning in ran.warnings if "filter of system calls" in warning]
    assert bool(missing) is (ran.isolation == "namespaces")


def test_only_the_change_is_in_the_upper_folder(any_room: Room) -> None:
    any_room.printed("mkdir -p /srv/app && echo hi > /srv/app/file")
    assert any_room.changed == {"srv", "srv/app", "srv/app/file"}


def test_a_command_that_changes_nothing_leaves_nothing_and_no_time_changed(any_room: Room) -> None:
    any_room.printed("cat /etc/resolv.conf /etc/hosts > /dev/null")
    assert any_room.changed == set()


def test_the_environment_is_the_declared_one_and_nothing_else(
    any_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X03."""
    monkeypatch.setenv("CANARY", "of the host")
    environment = {"PATH": "/bin", "A": "b c"}
    any_room.run_command("cat", "/proc/self/environ", environment=environment)
    assert set(filter(None, any_room.log.split("\0"))) == {"PATH=/bin", "A=b c", "HOME=/root"}


def test_only_three_descriptors_are_open(any_room: Room) -> None:
    """X01."""
    opened = [os.open("/", os.O_RDONLY) for _ in range(50)]
    for descriptor in opened:
        os.set_inheritable(descriptor, True)
    try:
        log = any_room.printed("ls /proc/self/fd")
    finally:
        for descriptor in opened:
            os.close(descriptor)
    assert log.split()[:3] == ["0", "1", "2"]
    assert len(log.split()) <= 4  # the listing's own folder


def test_root_has_dockers_capabilities_and_no_more(any_room: Room) -> None:
    """X09."""
    log = any_room.printed("cat /proc/self/status")
    found = dict(line.split(":\t", 1) for line in log.splitlines() if ":\t" in line)
    assert found["CapPrm"] == found["CapEff"] == found["CapBnd"] == CAPABILITIES
    assert found["CapInh"] == found["CapAmb"] == NONE
    assert found["NoNewPrivs"] == "1"


def test_another_user_has_no_capabilities(any_room: Room) -> None:
    """X09."""
    log = any_room.printed("id -u; id -g; cat /proc/self/status", user="guest:users")
    assert log.splitlines()[:2] == ["405", "100"]
    assert f"CapEff:\t{NONE}" in log


@pytest.mark.parametrize(
    "user", ["nobody-here", "0:nobody-here", "4294967296", "-1", "2147483648", "0:99999999999"]
)
def test_a_user_that_is_not_there_is_refused(room: Room, user: str) -> None:
    """M12."""
    with pytest.raises(SandboxError, match=r"unable to find|must be in range"):
        room.run("true", user=user)


def test_a_number_needs_no_entry(room: Room) -> None:
    assert room.printed("id -u; id -g", user="1234").split() == ["1234", "0"]


@pytest.mark.parametrize("path", ["/sys/canary", "/proc/sysrq-trigger", "/sys/fs/cgroup/x"])
def test_the_kernel_cannot_be_written_to(any_room: Room, path: str) -> None:
    """X04."""
    assert any_room.run(f"echo x > {path}").status != 0


def test_what_the_kernel_would_act_on_is_read_only(any_room: Room) -> None:
    """X04."""
    assert any_room.run("echo x > /proc/sys/kernel/core_pattern").status != 0
    assert "Read-only" in any_room.log or "ermission" in any_room.log


def test_devices_of_the_host_cannot_be_made(any_room: Room) -> None:
    """X08."""
    assert any_room.run("mknod /tmp/disk b 8 0 && cat /tmp/disk").status != 0


def test_mounting_is_not_permitted(any_room: Room) -> None:
    """X08."""
    any_room.run(
        "mount -t tmpfs none /tmp; mount -t proc proc /tmp; umount /proc; cat /proc/mounts"
    )
    assert " /tmp tmpfs" not in any_room.log
    assert " /proc proc" in any_room.log


def test_processes_outside_are_not_seen(any_room: Room) -> None:
    """X03."""
    pids = [name for name in any_room.printed("ls /proc").split() if name.isdigit()]
    assert 1 <= len(pids) <= 4


def test_what_the_command_leaves_running_is_killed_and_not_waited_for(any_room: Room) -> None:
    """X11."""
    started = time.monotonic()
    any_room.printed("(trap '' TERM; sleep 987.1) & sleep 0")
    assert time.monotonic() - started < 10
    assert not running("987.1")


def test_without_a_network_nothing_is_reached(any_room: Room) -> None:
    """X15."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = f"{server.getsockname()[1]:04X}"
        assert port in any_room.printed("cat /proc/net/tcp")
        assert port not in any_room.printed("cat /proc/net/tcp", network="none")


def test_an_unknown_network_is_refused(room: Room) -> None:
    with pytest.raises(SandboxError, match="bridge0"):
        room.run("true", network="bridge0")


def test_hosts_are_added_for_the_command_alone(any_room: Room) -> None:
    log = any_room.printed("cat /etc/hosts", add_hosts=(("db.test", "10.0.0.7"),))
    assert "10.0.0.7\tdb.test" in log
    assert "localhost" in log


def test_the_working_directory_is_where_the_command_starts(any_room: Room) -> None:
    assert any_room.printed("pwd", working_directory="/etc").strip() == "/etc"


@pytest.mark.parametrize("path", ["/proc/self/fd/8", "/proc/1/cwd/../..", "/nowhere"])
def test_a_working_directory_outside_is_no_way_out(any_room: Room, path: str) -> None:
    """X02."""
    ran = any_room.run("pwd; ls", working_directory=path)
    assert ran.status != 0 or any_room.log.startswith("/")
    assert "pytest_images" not in any_room.log


def test_a_program_that_is_not_there_ends_with_127(room: Room) -> None:
    ran = room.run_command("nowhere-to-be-found")
    assert ran.status in (127, 1)
    assert "nowhere-to-be-found" in room.log


def test_a_folder_is_mounted_and_written_to_and_leaves_nothing_in_the_layer(
    any_room: Room, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    mount = RunMount(MountKind.BIND, "/var/cache/deep/er", cache)
    any_room.printed("echo kept > /var/cache/deep/er/file", mounts=(mount,))
    assert (cache / "file").read_text() == "kept\n"
    assert "var/cache/deep" not in any_room.changed


def test_a_read_only_mount_cannot_be_written_to(any_room: Room, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    mount = RunMount(MountKind.BIND, "/mnt", source, read_only=True)
    assert any_room.run("touch /mnt/x", mounts=(mount,)).status != 0
    assert list(source.iterdir()) == []


def test_a_secret_is_a_file_for_the_command_and_in_no_layer(any_room: Room) -> None:
    mount = RunMount(
        MountKind.SECRET, "/run/secrets/token", content=Secret("s3cret"), mode=0o440, gid=100
    )
    log = any_room.printed("cat /run/secrets/token; ls -ln /run/secrets/token", mounts=(mount,))
    assert log.startswith("s3cret-r--r-----")
    assert " 100 " in log
    assert "run/secrets" not in any_room.changed


def test_a_secret_in_the_environment_is_seen_by_the_command(any_room: Room) -> None:
    step = {"secret_environment": {"TOKEN": Secret("s3cret")}}
    assert any_room.printed("echo $TOKEN", **step) == "s3cret\n"
    assert "s3cret" not in repr(any_room.step("true", **step))


def test_memory_is_mounted_within_its_size(any_room: Room) -> None:
    mount = RunMount(MountKind.TMPFS, "/scratch", size=65536)
    ran = any_room.run("cat /dev/zero > /scratch/full", mounts=(mount,))
    assert ran.status != 0
    assert "No space" in any_room.log
    assert "scratch" not in any_room.changed


@pytest.mark.parametrize("target", ["dev", "proc", "sys"])
def test_an_image_whose_system_folder_is_a_link_is_refused(
    any_room: Room, tmp_path: Path, target: str
) -> None:
    """X05."""
    canary = tmp_path / "canary"
    canary.mkdir()
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    (hostile / target).symlink_to(canary)
    with pytest.raises(SandboxError, match=f"/{target} is not a folder in this image, but a link"):
        any_room.run("true", lowers=(hostile, any_room.rootfs))
    assert list(canary.iterdir()) == []


@pytest.mark.parametrize("name", ["resolv.conf", "hosts"])
def test_a_link_in_etc_leads_to_no_file_of_the_host(
    any_room: Room, tmp_path: Path, name: str
) -> None:
    """X05."""
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    hostile = tmp_path / "hostile"
    (hostile / "etc").mkdir(parents=True)
    (hostile / "etc" / name).symlink_to(canary)
    any_room.run(f"echo changed > /etc/{name}", lowers=(hostile, any_room.rootfs))
    assert canary.read_text() == "untouched"


def test_a_fifo_as_passwd_is_refused_and_not_waited_for(any_room: Room, tmp_path: Path) -> None:
    """B20."""
    hostile = tmp_path / "hostile"
    (hostile / "etc").mkdir(parents=True)
    os.mkfifo(hostile / "etc/passwd")
    with pytest.raises(SandboxError, match="/etc/passwd is not a regular file"):
        any_room.run("true", lowers=(hostile, any_room.rootfs))


@pytest.mark.parametrize("name", ["passwd", "group"])
def test_accounts_behind_a_link_are_looked_for_inside(
    any_room: Room, tmp_path: Path, name: str
) -> None:
    """B20: a link to a file of the host leads nowhere."""
    (tmp_path / "accounts").write_text("canary:x:77:78::/:/bin/sh\n")
    hostile = tmp_path / "hostile"
    (hostile / "etc").mkdir(parents=True)
    (hostile / "etc" / name).symlink_to(tmp_path / "accounts")
    user = "canary" if name == "passwd" else "0:canary"
    with pytest.raises(SandboxError, match="unable to find"):
        any_room.run("true", user=user, lowers=(hostile, any_room.rootfs))


def test_of_accounts_a_mebibyte_is_read(any_room: Room, tmp_path: Path) -> None:
    """B20: who stands behind that is nobody; ten GiB take no time and no memory."""
    hostile = tmp_path / "hostile"
    (hostile / "etc").mkdir(parents=True)
    with (hostile / "etc/passwd").open("wb") as out:
        out.write(b"first:x:77:78::/:/bin/sh\n")
        out.truncate(10 << 30)
        out.seek(0, os.SEEK_END)
        out.write(b"\nlast:x:79:80::/:/bin/sh\n")
    lowers = (hostile, any_room.rootfs)
    ran = any_room.run("id -u", user="first", lowers=lowers)
    assert any_room.log.split() == ["77"] if ran.status == 0 else "token too long" in any_room.log
    with pytest.raises(SandboxError, match="unable to find user last"):
        any_room.run("true", user="last", lowers=lowers)


def test_a_working_directory_that_is_a_link_out_is_no_way_out(
    any_room: Room, tmp_path: Path
) -> None:
    """B20: a link that an image has, to a descriptor that the sandbox may have open."""
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    for number in range(3, 20):
        (hostile / f"fd{number}").symlink_to(f"/proc/self/fd/{number}")
    lowers = (hostile, any_room.rootfs)
    for number in range(3, 20):
        ran = any_room.run("pwd; ls ..", working_directory=f"/fd{number}", lowers=lowers)
        assert ran.status != 0
        assert "scratch" not in any_room.log


def test_a_step_that_takes_too_long_is_ended(any_room: Room) -> None:
    """X12."""
    with pytest.raises(SandboxError, match=r"longer than 0\.5 s"):
        any_room.run("trap '' TERM INT; sleep 987.2", timeout=0.5)
    assert_gone("987.2")


def test_a_stopped_command_is_ended_too(any_room: Room) -> None:
    """X12."""
    with pytest.raises(SandboxError, match="longer than"):
        any_room.run("sleep 987.3 & kill -STOP $!; wait", timeout=0.5)
    assert_gone("987.3")


def test_an_interrupt_ends_the_command(room: Room) -> None:
    timer = threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        room.run("sleep 987.4")
    assert_gone("987.4")


def test_a_killed_owner_takes_everything_with_it(any_room: Room, tmp_path: Path) -> None:
    from pytest_images.sandbox import abilities

    program = tmp_path / "owner.py"
    program.write_text(
        "import io, sys\n"
        "from pathlib import Path\n"
        "from pytest_images.sandbox import abilities, run\n"
        "from pytest_images.model.request.run import RunStep\n"
        "from pytest_images.model.platform import Platform\n"
        f"abilities.RUNTIMES = {abilities.RUNTIMES!r}\n"
        "step = RunStep(Path(sys.argv[1]), ('/bin/sh', '-c', 'sleep 987.5'),"
        " Platform('linux', 'amd64'), io.BytesIO(), lowers=(Path(sys.argv[2]),),"
        " scratch=Path(sys.argv[3]), environment={'PATH': '/bin'})\n"
        "run.run(step)\n"
    )
    arguments = [any_room.upper, any_room.rootfs, any_room.scratch]
    owner = subprocess.Popen([sys.executable, program, *arguments])
    try:
        deadline = time.monotonic() + 20
        while not running("987.5") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert running("987.5")
    finally:
        owner.kill()
        owner.wait()
    assert_gone("987.5")
    assert str(any_room.scratch) not in Path("/proc/self/mounts").read_text()


def test_without_an_overlay_the_folder_itself_is_changed(any_room: Room) -> None:
    import shutil

    whole = any_room.upper.parent / "whole"
    shutil.copytree(any_room.rootfs, whole, symlinks=True)
    before = {path for path in whole.rglob("*") if not path.is_symlink()}
    any_room.upper = whole
    any_room.printed("echo hi > /tmp/new", lowers=())
    after = {path for path in whole.rglob("*") if not path.is_symlink()}
    assert {str(path.relative_to(whole)) for path in after - before} == {"tmp/new"}
    assert stat.S_IMODE((whole / "tmp/new").stat().st_mode) == 0o644


def running(marker: str) -> bool:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:1] and words[0].endswith(b"sleep") and marker.encode() in words:
                return True
    return False


def assert_gone(marker: str) -> None:
    deadline = time.monotonic() + 10
    while running(marker) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not running(marker)
