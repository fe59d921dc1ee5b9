from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.testing import samples
from tests.cli.processes import finished, running
from tests.layer.raw import member
from tests.layer.views import layer

if TYPE_CHECKING:
    from pytest_images.content.store import Store

BYTES = bytes(range(256)) * 4000


def test_the_bytes_are_those_of_the_file(store: Store) -> None:
    samples.of_tars(layer(member(b"all", BYTES))).put(store, "app:1")
    done = finished("cat", "app:1", "all")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == BYTES


def test_a_reader_that_goes_away_ends_it_quietly(store: Store) -> None:
    samples.of_tars(layer(member(b"all", BYTES * 10))).put(store, "app:1")
    with running("cat", "app:1", "all") as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(60) == 128 + 13
        assert process.stderr is not None
        assert process.stderr.read() == b""
