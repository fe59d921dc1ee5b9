from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import ImageNotFound, NotLocked, TagMoved
from pytest_images.model.reference import Reference
from pytest_images.policies.lock import Lock
from pytest_images.policies.lock_file import LockFile
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.server import FaultRegistry
    from tests.policies.conftest import Hosting

NAME = "registry.test/app:1"
TAG = "/v2/app/manifests/1"
ONE, TWO = samples.image("one"), samples.image("two")
BOTH = samples.index(samples.image("arm", platform="linux/arm64"), samples.image("amd"))


@pytest.fixture
def file(tmp_path: Path) -> LockFile:
    return LockFile(tmp_path / "images.lock")


@pytest.fixture
def locked(hosting: Hosting, file: LockFile) -> LockFile:
    """The lock file in which ``registry.test/app:1`` is the first image."""
    hosting(lock=Lock(file, "update"), home=file.path.with_name("other")).images.get(NAME)
    return file


def tags_asked(registry: FaultRegistry) -> list[str]:
    return [seen.method for seen in registry.seen if seen.path == TAG]


def test_update_asks_and_writes_down(hosting: Hosting, file: LockFile) -> None:
    lock = Lock(file, "update")
    hosting(lock=lock).images.get(NAME)
    [pin] = file.read().values()
    assert (pin.reference, pin.digest) == (Reference.parse(NAME), ONE.manifest.digest)
    assert pin.size == len(ONE.config.raw) + sum(map(len, ONE.layers))
    assert lock.changes == {NAME: f"added, {ONE.manifest.digest}"}


def test_an_index_is_locked_as_a_whole(
    hosting: Hosting, registry: FaultRegistry, file: LockFile
) -> None:
    registry.serve(BOTH)
    hosting(lock=Lock(file, "update")).images.get(NAME, platform="linux/arm64")
    [pin] = file.read().values()
    assert pin.digest == BOTH.index.digest


def test_update_asks_once_a_process_though_the_image_is_here(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    hosting().images.get(NAME)
    registry.seen.clear()
    images = hosting(lock=Lock(locked, "update")).images
    for _ in range(3):
        images.get(NAME)
    assert tags_asked(registry) == ["HEAD"]


def test_a_tag_that_moved_is_written_down_and_told(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    registry.serve(TWO)
    lock = Lock(locked, "update")
    assert hosting(lock=lock).images.get(NAME).id == TWO.config.id
    assert lock.changes[NAME].splitlines()[0] == "moved"
    assert f"- {ONE.manifest.digest}" in lock.changes[NAME]
    assert f"+ {TWO.manifest.digest}" in lock.changes[NAME]


def test_with_a_lock_a_tag_is_never_asked_for(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    registry.serve(TWO)
    registry.seen.clear()
    images = hosting(lock=Lock(locked, "use")).images
    assert [images.get(NAME).id, images.pull(NAME).id] == [ONE.config.id] * 2
    assert images.resolve(NAME).digest == ONE.manifest.digest
    assert tags_asked(registry) == []


def test_what_is_here_under_the_name_but_not_as_locked_is_not_used(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    registry.serve(TWO)
    assert hosting().images.get(NAME).id == TWO.config.id
    images = hosting(lock=Lock(locked, "use")).images
    with pytest.raises(ImageNotFound) as caught:
        images.get(NAME, "never")
    assert "not what is locked" in caught.value.__notes__[1]
    assert images.get(NAME).id == ONE.config.id
    assert images.get(NAME, "never").id == ONE.config.id


def test_newer_does_not_fall_back_on_what_is_not_locked(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    registry.serve(TWO)
    hosting().images.get(NAME)
    mirrors = ["registry.test = http://127.0.0.1:1 only"]
    with pytest.raises(ConnectionError):
        hosting(lock=Lock(locked, "use"), mirrors=mirrors).images.get(NAME, "newer")


def test_a_base_image_is_the_locked_one(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    registry.serve(TWO)
    hosting().images.get(NAME)
    registry.seen.clear()
    images = hosting(lock=Lock(locked, "use")).images
    built = images.build({"Dockerfile": f"FROM {NAME}\nLABEL a=b".encode()}).image
    assert built is not None
    assert images.config(built).diff_ids == ONE.config.diff_ids
    assert tags_asked(registry) == []


@pytest.mark.parametrize("mode", ["use", "verify"])
def test_a_name_that_is_not_in_the_file_is_an_error(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile, mode: str
) -> None:
    registry.serve(TWO, tag="2")
    images = hosting(lock=Lock(locked, mode)).images  # type: ignore[arg-type] # both are modes
    with pytest.raises(NotLocked, match=r"registry\.test/app:2.*images\.lock") as caught:
        images.get("registry.test/app:2")
    assert "pytest-images lock registry.test/app:2" in caught.value.__notes__[0]


def test_a_name_that_is_here_but_not_in_the_file_is_an_error(
    hosting: Hosting, file: LockFile
) -> None:
    hosting().images.get(NAME)
    images = hosting(lock=Lock(file, "use")).images
    for policy in ("missing", "never"):
        with pytest.raises(NotLocked):
            images.get(NAME, policy)


def test_verify_passes_where_nothing_moved(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    before = locked.path.read_text()
    registry.seen.clear()
    images = hosting(lock=Lock(locked, "verify")).images
    assert images.get(NAME).id == images.get(NAME).id == ONE.config.id
    assert len(tags_asked(registry)) == 1
    assert locked.path.read_text() == before


def test_verify_shows_a_moved_tag_as_a_difference(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    before = locked.path.read_text()
    registry.serve(TWO)
    with pytest.raises(TagMoved) as caught:
        hosting(lock=Lock(locked, "verify")).images.get(NAME)
    assert str(caught.value).startswith(f"{NAME} has moved: from {ONE.manifest.digest} (locked 2")
    old, new, _ = caught.value.__notes__
    assert old.startswith(f"- {ONE.manifest.digest}  2")
    assert new.startswith(f"+ {TWO.manifest.digest}  2")
    assert locked.path.read_text() == before


@pytest.mark.parametrize("mode", ["use", "update", "verify"])
def test_what_was_made_here_needs_no_lock(
    hosting: Hosting, registry: FaultRegistry, file: LockFile, mode: str
) -> None:
    images = hosting(lock=Lock(file, mode)).images  # type: ignore[arg-type] # all are modes
    images.load(BytesIO(ONE.archive("app:1")))
    images.tag("app:1", NAME)
    assert images.get("app:1").id == images.get(NAME).id == ONE.config.id
    assert images.pull(f"{registry}/app:1").id == ONE.config.id  # of this machine
    assert images.pull(f"{registry}/app:1@{ONE.manifest.digest}").id == ONE.config.id
    assert not file.path.exists()


def test_never_asks_nobody_to_verify_or_update(
    hosting: Hosting, registry: FaultRegistry, locked: LockFile
) -> None:
    hosting().images.get(NAME)
    registry.seen.clear()
    for mode in ("update", "verify"):
        images = hosting(lock=Lock(locked, mode)).images
        assert images.get(NAME, "never").id == ONE.config.id
    assert registry.seen == []
