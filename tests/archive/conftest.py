"""A store, and loading into it: what is found, or a refusal that leaves no trace."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING

import pytest

from pytest_images.archive.load import load_archive
from pytest_images.content.durability import Durability
from pytest_images.content.store import Store
from tests.ledger import Ledger, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pytest_images.archive.found import Found
    from pytest_images.errors import ImagesError
    from pytest_images.model.platform import Platform


class Loading:
    """Loads archives into a store of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __call__(
        self,
        source: bytes | Path,
        platforms: Sequence[Platform] = (),
        limit: int | None = None,
    ) -> tuple[Found, ...]:
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        with self.store.lease() as lease:
            return load_archive(stream, "archive", self.store, lease, platforms, limit=limit)

    @contextlib.contextmanager
    def refused(self, kind: type[ImagesError], *words: str) -> Iterator[None]:
        """Expect a refusal that leaves the store as it was."""
        before = self.content()
        with refused(kind, *words):
            yield
        assert self.content() == before

    def content(self) -> set[str]:
        """Every file of the store that holds content, a name or a lease."""
        folders = ("blobs", "ingest", "records", "leases", "trash")
        return {
            str(path.relative_to(self.store.root))
            for folder in folders
            for path in (self.store.root / folder).rglob("*")
            if path.is_file()
        }


@pytest.fixture
def load(tmp_path: Path, ledger: Ledger) -> Iterator[Loading]:
    """Load into a fresh store, with everything accounted for."""
    with Store.open(tmp_path / "store", durability=Durability.FAST) as store:
        yield Loading(store)
        assert store.fsck().clean
