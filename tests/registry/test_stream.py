"""Both byte loops give the same bytes: the kernel's and the plain one."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images.content.store import Store
from pytest_images.http.address import Address
from pytest_images.http.proxies import Proxies
from pytest_images.http.session import Request, Session
from pytest_images.model.digest import Digest
from pytest_images.registry import stream
from tests.faults.rig import SMALL
from tests.faults.server import Fault, FaultRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = random.Random("stream").randbytes(9_000_001)


class Counter:
    def __init__(self) -> None:
        self.total = 0

    def moved(self, count: int) -> None:
        self.total += count


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store") as store:
        yield store


def fetched(store: Store, fault: Fault | None = None) -> int:
    session, counter = Session(SMALL, Proxies()), Counter()
    with FaultRegistry() as server:
        server.blobs["x"] = CONTENT
        if fault:
            server.on("GET", "/blobs/x", fault)
        request = Request("GET", Address.parse(f"http://{server}/v2/a/blobs/x"))
        ingesting = store.ingest(Digest.of(CONTENT), len(CONTENT))
        with session.send(request) as response, ingesting as ingest:
            stream.receive(response, ingest, len(CONTENT), SMALL, counter)
            ingest.commit()
    session.close()
    return counter.total


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize(
    "fault", [None, Fault(chunked=True), Fault(headers={"Connection": "close"})]
)
def test_all_bytes_arrive_and_are_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch, kernel: bool, fault: Fault | None
) -> None:
    if not kernel:
        monkeypatch.delattr(os, "splice", raising=False)
    assert fetched(store, fault) == len(CONTENT)
    assert store.size(Digest.of(CONTENT)) == len(CONTENT)


@pytest.mark.skipif(not hasattr(os, "splice"), reason="splice is Linux's")
def test_a_file_system_that_cannot_splice_gets_the_bytes_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, count = os.splice, iter(range(1000))

    def refuses(*args: int, **options: int) -> int:
        if "offset_dst" in options and next(count) == 2:
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(*args, **options)

    monkeypatch.setattr(os, "splice", refuses)
    assert fetched(store) == len(CONTENT)
