from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.model.digest import Digest
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE = samples.image("one")
LAYER = Digest.of(ONE.layers[0])


def damage(store: Store) -> None:
    path = store.path(LAYER)
    path.chmod(0o600)
    path.write_bytes(b"something else")


def test_a_sound_store_is_clean(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    assert run("fsck") == (0, f"{store.root}: clean\n", "")


def test_a_damaged_blob_is_named(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    damage(store)
    done = run("fsck")
    assert done.status == 1
    assert LAYER.encoded in done.out
    assert "Run 'pytest-images fsck --repair'" in done.out


def test_a_repair_says_what_it_did_and_whether_it_was_enough(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    damage(store)
    done = run("fsck", "--repair")
    assert "repaired: " in done.out
    assert done.status == run("fsck").status


def test_the_database_can_be_made_anew(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    store.close()
    assert run("fsck", "--rebuild").status == 0
    assert run("ls", "-q").out == f"{ONE.config.id.encoded[:12]}\n"
