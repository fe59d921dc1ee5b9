from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from pytest_images.content.home import FORMAT, locate
from pytest_images.content.store import Store
from pytest_images.errors import (
    InvalidConfiguration,
    InvalidUsage,
    StoreDamaged,
    StoreTooNew,
    StoreUnsafe,
)
from tests.ledger import Ledger, refused


def test_a_new_store_is_its_owners_alone(store: Store) -> None:
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert store.fsck().clean


def test_the_environment_names_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(tmp_path / "home"))
    with Store.open() as store:
        assert store.root == tmp_path / "home"


def test_without_a_name_the_home_is_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_IMAGES_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Store.open() as store:
        assert store.root.name == "pytest-images"
        assert tmp_path in store.root.parents


def test_missing_parents_are_made(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a" / "b" / "c") as store:
        assert store.fsck().clean


def test_a_link_is_not_a_home(tmp_path: Path, ledger: Ledger) -> None:
    """S25."""
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "link").symlink_to(target)
    with refused(StoreUnsafe, "link"):
        Store.open(tmp_path / "link")
    assert not list(target.iterdir())


def test_a_file_is_not_a_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with refused(StoreUnsafe, "file"):
        Store.open(tmp_path / "file")


@pytest.mark.peer("root")
def test_anothers_folder_is_not_a_home(tmp_path: Path) -> None:
    """S25."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, 12345, -1)
    with refused(StoreUnsafe, "12345"):
        Store.open(folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_could_fill_is_refused(tmp_path: Path, mode: int) -> None:
    """S25."""
    folder = tmp_path / "open"
    folder.mkdir()
    (folder / "ingest").mkdir()
    folder.chmod(mode)
    with refused(StoreUnsafe, "others may write"):
        Store.open(folder)


def test_an_empty_folder_that_others_could_fill_is_closed_to_them(tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with Store.open(folder) as store:
        assert store.root.stat().st_mode & 0o777 == 0o700


def test_a_store_that_others_could_read_is_closed_to_them(root: Path) -> None:
    Store.open(root).close()
    root.chmod(0o755)
    with Store.open(root) as store:
        assert store.root.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_bytes(b"years of work")
    tmp_path.chmod(0o755)
    with refused(StoreUnsafe, "thesis.tex"):
        Store.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_newer_format_is_refused_unchanged(root: Path) -> None:
    Store.open(root).close()
    (root / "format").write_text(f"{FORMAT + 1}\n")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    with refused(StoreTooNew, str(FORMAT + 1)):
        Store.open(root)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


@pytest.mark.parametrize("text", ["", "one", "1x", "\0"])
def test_a_format_that_is_no_number_is_damage(root: Path, text: str) -> None:
    Store.open(root).close()
    (root / "format").write_text(text)
    with refused(StoreDamaged, "format"):
        Store.open(root)


def test_an_unknown_durability_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_IMAGES_DURABILITY", "reckless")
    with refused(InvalidConfiguration, "reckless"):
        Store.open(root)


@pytest.mark.parametrize("run", ["", ".", "..", "a/b", "a\0b", "x" * 65, "-x", "a b"])
def test_a_run_that_could_leave_its_folder_is_refused(root: Path, run: str) -> None:
    with refused(InvalidUsage):
        Store.open(root, run=run)


def test_a_store_without_its_format_is_not_made_anew(root: Path) -> None:
    with Store.open(root) as store:
        store.images()
    (root / "format").unlink()
    with refused(StoreUnsafe, "index.sqlite"):
        Store.open(root)


@pytest.mark.parametrize("cache", [None, "", " ", "/elsewhere/cache", "relative"])
def test_the_usual_place_is_where_platformdirs_has_it(
    cache: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_IMAGES_HOME", raising=False)
    if cache is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", cache)
    assert locate(None) == platformdirs.user_cache_path("pytest-images", appauthor=False)
