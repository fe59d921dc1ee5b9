from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.faults.server import FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Run

ONE, TWO = samples.image("one"), samples.image("two")
NAMES = [f"registry.test/app:{n}" for n in (1, 2)]


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultRegistry]:
    """The mirror of registry.test; the current folder is empty."""
    monkeypatch.chdir(tmp_path)
    with FaultRegistry() as registry:
        monkeypatch.setenv("PYTEST_IMAGES_MIRRORS", f"registry.test = http://{registry} only")
        yield registry.serve(ONE).serve(ONE, "app", "2")


def test_names_are_written_down_and_no_other_is_asked(
    run: Run, registry: FaultRegistry, tmp_path: Path
) -> None:
    done = run("lock", NAMES[0])
    assert (done.status, done.err) == (0, "")
    assert done.out == f"{NAMES[0]}: added, {ONE.manifest.digest}\n"
    registry.serve(TWO).seen.clear()
    assert run("lock", NAMES[1]).status == 0
    assert {seen.path for seen in registry.seen} == {"/v2/app/manifests/2"}
    lines = (tmp_path / "images.lock").read_text().splitlines()
    assert [line.split('"')[1] for line in lines if line.startswith('"')] == NAMES


def test_without_names_all_in_the_file_are_asked(run: Run, registry: FaultRegistry) -> None:
    run("lock", *NAMES)
    registry.serve(TWO)
    out = run("lock").out.splitlines()
    assert out[0] == f"{NAMES[0]}: moved"
    assert out[1].startswith(f"- {ONE.manifest.digest}")
    assert out[2].startswith(f"+ {TWO.manifest.digest}")
    assert len(out) == 3
    assert run("lock").out == ""


def test_check_shows_every_difference_and_changes_nothing(
    run: Run, registry: FaultRegistry, tmp_path: Path
) -> None:
    file = tmp_path / "deps" / "images.lock"
    file.parent.mkdir()
    words = ("lock", "--file", str(file))
    run(*words, *NAMES)
    assert run(*words, "--check") == (0, "", "")
    before = file.read_text()
    registry.serve(TWO).serve(TWO, "app", "2").serve(TWO, "app", "3")
    names = [*NAMES, "registry.test/app:3"]
    done = run(*words, "--check", *names)
    assert done.status == 1
    heads = [line for line in done.out.splitlines() if line.startswith("registry.test/")]
    assert [head.split()[0].removesuffix(":") for head in heads] == names
    assert file.read_text() == before


@pytest.mark.parametrize("words", [(), ("--check",)], ids=["write", "check"])
def test_a_file_without_names_is_no_success(
    run: Run, registry: FaultRegistry, words: tuple[str, ...]
) -> None:
    done = run("lock", *words)
    assert done.status == 1
    assert "images.lock" in done.err
    assert "pytest-images lock NAME" in done.err


@pytest.mark.parametrize("name", ["127.0.0.1:5000/app:1", f"app@{ONE.manifest.digest}"])
def test_a_name_that_needs_no_lock_is_refused(
    run: Run, registry: FaultRegistry, tmp_path: Path, name: str
) -> None:
    done = run("lock", name)
    assert done.status == 1
    assert "needs no lock" in done.err
    assert not (tmp_path / "images.lock").exists()
