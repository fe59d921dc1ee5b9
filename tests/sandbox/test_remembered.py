"""What works on this machine is found out once, and anew as soon as anything may have changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_images.sandbox import abilities
from pytest_images.sandbox.ids import alone
from pytest_images.sandbox.remembered import Memory, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sandbox.conftest import Room

WAY = Way((), overlay=True)


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    path = tmp_path / "runtime"
    path.write_text("a program")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "steps"
    path.mkdir(0o700)
    return path


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The isolations that are tried."""
    found: list[str] = []
    original = abilities._try

    def spy(folder: Path, runtime: tuple[str, ...], *others: object, overlay: bool) -> None:
        found.append(runtime[0] if runtime else "namespaces")
        original(folder, runtime, *others, overlay=overlay)  # type: ignore[arg-type]

    monkeypatch.setattr(abilities, "_try", spy)
    yield found


@pytest.fixture
def begun(any_room: Room, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Begins another process, as far as what it knows is concerned; it was begun once."""

    def begin() -> None:
        monkeypatch.setattr(abilities, "_known", {})
        abilities.abilities(any_room.scratch, folder)

    monkeypatch.setattr(abilities, "_memories", {})
    begin()
    return begin


def test_a_second_process_tries_nothing(
    any_room: Room, begun: Callable[[], None], tried: list[str]
) -> None:
    begun()
    assert any_room.printed("echo a") == "a\n"
    assert tried == []


def test_after_a_command_that_failed_the_next_process_tries_again(
    any_room: Room, begun: Callable[[], None], tried: list[str]
) -> None:
    assert any_room.run("exit 3").status == 3
    begun()
    assert len(tried) == 1


def test_a_memory_of_what_is_not_there_any_more_is_none(
    folder: Path, begun: Callable[[], None], tried: list[str]
) -> None:
    [note] = folder.iterdir()
    note.write_text('[["/gone/runtime"], true]')
    begun()
    assert len(tried) == 1


def test_what_was_found_is_recalled_until_it_is_forgotten(folder: Path, runtime: Path) -> None:
    Memory(folder, alone(), [str(runtime)]).note(WAY)
    assert Memory(folder, alone(), [str(runtime)]).recall() == WAY
    Memory(folder, alone(), [str(runtime)]).forget()
    assert Memory(folder, alone(), [str(runtime)]).recall() is None


@pytest.mark.parametrize("change", ["another program", "another time", "another runtime"])
def test_a_runtime_that_changed_is_not_the_one_that_worked(
    folder: Path, runtime: Path, change: str
) -> None:
    Memory(folder, alone(), [str(runtime)]).note(WAY)
    if change == "another program":
        runtime.write_text("another one")
    elif change == "another time":
        os.utime(runtime, (1, 1))
    runtimes = [] if change == "another runtime" else [str(runtime)]
    assert Memory(folder, alone(), runtimes).recall() is None


def test_nothing_is_taken_from_where_others_may_write(folder: Path) -> None:
    Memory(folder, alone(), []).note(WAY)
    folder.chmod(0o777)
    memory = Memory(folder, alone(), [])
    assert memory.recall() is None
    memory.note(WAY)
    folder.chmod(0o700)
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("content", ["", "[", "{}", "[[]]", "null", "[1, true]"])
def test_half_a_memory_is_none(folder: Path, content: str) -> None:
    Memory(folder, alone(), []).note(WAY)
    [note] = folder.iterdir()
    note.write_text(content)
    assert Memory(folder, alone(), []).recall() is None
