from __future__ import annotations

import datetime
import multiprocessing
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import InvalidConfiguration
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.policies.lock_file import LockFile, Pin

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime.date(2024, 5, 1)
ONE, TWO = Digest.of(b"one"), Digest.of(b"two")


def pin(name: str, digest: Digest = ONE, size: int | None = None) -> Pin:
    return Pin(Reference.parse(name), digest, DAY, size)


@pytest.fixture
def file(tmp_path: Path) -> LockFile:
    return LockFile(tmp_path / "images.lock")


def lines(file: LockFile) -> list[str]:
    return [line for line in file.path.read_text().splitlines() if line.startswith('"')]


def test_a_file_that_is_not_there_pins_nothing(file: LockFile) -> None:
    assert file.read() == {}


def test_what_is_written_is_read(file: LockFile) -> None:
    pins = [pin("alpine:3.20", size=7), pin("ghcr.io/a/b:1", TWO), pin("h.example:5000/x")]
    for each in pins:
        assert file.record(each) is None
    assert file.read() == {each.reference: each for each in pins}


def test_a_name_is_one_line_in_the_order_of_names(file: LockFile) -> None:
    for name in ("zebra:1", "ghcr.io/a/b:1", "alpine:3.20", "alpine:3.19"):
        file.record(pin(name, size=5))
    assert lines(file)[0] == (
        f'"alpine:3.19" = {{ digest = "{ONE}", registry = "docker.io", date = 2024-05-01, '
        "size = 5 }"
    )
    names = [line.split('"')[1] for line in lines(file)]
    assert names == ["alpine:3.19", "alpine:3.20", "zebra:1", "ghcr.io/a/b:1"]


def test_a_digest_that_stays_keeps_its_line(file: LockFile) -> None:
    file.record(pin("alpine", size=5))
    before = file.path.stat()
    later = Pin(Reference.parse("alpine"), ONE, datetime.date(2025, 1, 1), 6)
    assert file.record(later) == pin("alpine", size=5)
    assert file.path.stat().st_ino == before.st_ino
    assert file.read()[later.reference] == pin("alpine", size=5)


def test_a_size_that_was_not_known_is_filled_in(file: LockFile) -> None:
    file.record(pin("alpine"))
    file.record(pin("alpine", size=5))
    assert file.read() == {Reference.parse("alpine"): pin("alpine", size=5)}


def test_a_digest_that_moved_gets_a_new_line_and_the_old_is_returned(file: LockFile) -> None:
    file.record(pin("alpine", size=5))
    assert file.record(pin("alpine", TWO)) == pin("alpine", size=5)
    assert file.read() == {Reference.parse("alpine"): pin("alpine", TWO)}


def test_mode_and_link_are_kept(file: LockFile, tmp_path: Path) -> None:
    target = tmp_path / "kept" / "real.lock"
    target.parent.mkdir()
    LockFile(target).record(pin("alpine"))
    target.chmod(0o640)
    file.path.symlink_to(target)
    file.record(pin("busybox"))
    assert file.path.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert len(LockFile(target).read()) == 2


def test_nothing_else_is_left_in_the_folder(file: LockFile) -> None:
    file.record(pin("alpine"))
    assert [path.name for path in file.path.parent.iterdir()] == ["images.lock"]


def _record_many(path: Path, mine: int) -> None:
    for n in range(20):
        LockFile(path).record(pin(f"app-{mine}:{n}"))


def test_processes_that_write_at_once_lose_nothing(file: LockFile) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_record_many, args=(file.path, n)) for n in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(file.read()) == 60


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = LockFile(tmp_path / "none" / "images.lock")
    with pytest.raises(InvalidConfiguration, match=r"none/images\.lock.*No such file"):
        file.record(pin("alpine"))


HEAD = "version = 1\n[images]\n"
LINE = str(pin("alpine:3"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("version = 2\n[images]\n", "its version is 2, known here is 1"),
        ("", "its version is None"),
        ("version = 1\nimages = 3\n", "images is not a table"),
        (f"{HEAD}nonsense\n", "line 3"),
        (f"{HEAD}{LINE}\n{LINE}\n", "line 4"),
        (f"{HEAD}<<<<<<< ours\n{LINE}\n=======\n{LINE}\n>>>>>>> theirs\n", "merge conflict"),
        (f'{HEAD}"alpine:3" = "x"\n', '"alpine:3" is not a table'),
        (f"{HEAD}{LINE.replace('sha256:', 'sha256:0')}\n", "invalid digest"),
        (f"{HEAD}{LINE.replace('2024-05-01', '3')}\n", "date is missing or not of its type"),
        (f"{HEAD}{LINE.replace(' }', ', size = true }')}\n", "size is missing or not of its type"),
        (f"{HEAD}{LINE.replace('docker.io', 'ghcr.io')}\n", "not a name of ghcr.io"),
        (f"{HEAD}{LINE.replace('alpine:3', 'Alpine:3')}\n", "must be lowercase"),
        (f"{HEAD}{LINE.replace('alpine:3', f'alpine@{ONE}')}\n", "without a digest"),
        (f"{HEAD}\ud800", "utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    file: LockFile, text: str, reason: str
) -> None:
    file.path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(InvalidConfiguration) as caught:
        file.read()
    assert str(file.path) in str(caught.value)
    assert reason in str(caught.value).replace("'utf-8'", "utf-8")
    assert "--images-lock=update" in caught.value.__notes__[0]
    before = file.path.read_bytes()
    with pytest.raises(InvalidConfiguration):
        file.record(pin("busybox"))
    assert file.path.read_bytes() == before
