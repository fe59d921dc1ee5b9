from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.notes import Notes
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store

APP = Reference.parse("app:1")
ONE = samples.image("one")


def test_a_note_is_read_by_its_key_and_nothing_else(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "new")
    assert notes.read("a", "b") == {}
    notes.write({"x": 1}, "a", "b")
    notes.write({"x": 2}, "a", "b")
    assert Notes(tmp_path / "new").read("a", "b") == {"x": 2}
    assert notes.read("ab") == notes.read("a") == {}


@pytest.mark.parametrize("torn", [b"", b"\0" * 64, b'{"digest": "sha', b"[]", b"\xff", b'"x"'])
def test_a_torn_note_is_none(tmp_path: Path, torn: bytes) -> None:
    notes = Notes(tmp_path)
    notes.write({"x": 1}, "a")
    [path] = tmp_path.iterdir()
    path.write_bytes(torn)
    assert notes.read("a") == {}


@pytest.mark.parametrize("note", [{}, {"digest": 1, "at": 2}, {"digest": "sha256:0", "at": 1}])
def test_what_a_registry_said_is_not_known_from_a_note_of_another_kind(
    store: Store, note: dict[str, object]
) -> None:
    store.remember(APP, ONE.manifest.digest)
    Notes(store.workspace("resolved")).write(note, str(APP))
    assert store.remembered(APP) is None


def test_writers_at_once_leave_one_whole_note_and_no_other_file(tmp_path: Path) -> None:
    notes = Notes(tmp_path)

    def write(number: int) -> None:
        for _ in range(50):
            notes.write({"all": [number] * 300}, "a")
            assert len(set(notes.read("a")["all"])) == 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(notes.read("a")["all"])) == 1
    assert len(list(tmp_path.iterdir())) == 1
