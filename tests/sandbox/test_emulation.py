"""Commands of another architecture: run where something emulates it, else refused by name."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from pytest_images.errors import Unsupported
from pytest_images.model.platform import Platform
from pytest_images.sandbox import emulation
from pytest_images.sandbox.emulation import header, require_emulation
from tests.peers import peer, shared_images

FOREIGN = "s390x" if os.uname().machine != "s390x" else "amd64"
REGISTERED = Path("/proc/sys/fs/binfmt_misc")


@pytest.mark.parametrize(("folder", "architecture"), [("amd64", "amd64"), ("arm64v8", "arm64")])
def test_a_header_is_of_the_machine_that_real_programs_name(folder: str, architecture: str) -> None:
    peer("shared")
    shared = shared_images()
    assert shared is not None
    real = (shared / "hello-world" / folder / "hello").read_bytes()
    made = header(*emulation._MACHINES[architecture])
    assert made[:7] == real[:7]
    assert struct.unpack_from("<HH", made, 16) == struct.unpack_from("<HH", real, 16)
    assert len(made) == struct.unpack_from("<H", made, 52)[0]


@pytest.mark.parametrize(("architecture", "size"), [("386", 52), ("arm", 52), ("s390x", 64)])
def test_a_header_has_the_length_of_its_kind(architecture: str, size: int) -> None:
    assert len(header(*emulation._MACHINES[architecture])) == size


def test_this_machines_own_programs_need_nothing(tmp_path: Path) -> None:
    require_emulation(Platform.of_machine(os.uname().machine), tmp_path)


def test_what_nothing_emulates_is_refused_with_what_to_do(tmp_path: Path) -> None:
    if (REGISTERED / f"qemu-{FOREIGN}").exists():
        pytest.skip("something emulates it here")
    with pytest.raises(Unsupported, match=f"linux/{FOREIGN} on linux/.*no emulator") as caught:
        require_emulation(Platform("linux", FOREIGN), tmp_path)
    assert "qemu-user-static" in caught.value.__notes__[0]
    assert list(tmp_path.iterdir()) == []


def test_an_architecture_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="no emulator"):
        require_emulation(Platform("linux", "z80"), tmp_path)


@pytest.mark.parametrize(("program", "runs"), [("#!/bin/sh\nexit 3\n", True), ("#!/gone", False)])
def test_what_starts_is_run_however_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, runs: bool
) -> None:
    monkeypatch.setattr(emulation, "header", lambda *_: program.encode())
    assert emulation._runs("s390x", tmp_path) is runs
