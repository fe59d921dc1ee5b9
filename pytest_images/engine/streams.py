"""Contexts that come as a stream: a tar, compressed or not, or a Dockerfile alone."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from pytest_images.builder.trees import ImageTree, MemoryTree
from pytest_images.engine.whole import DOCKERFILE, DOCKERFILE_LIMIT, PIECE, whole
from pytest_images.layer.compression import ARCHIVES, Rewound, decompress
from pytest_images.layer.contents import Contents
from pytest_images.layer.files import Files
from pytest_images.layer.header import BLOCK
from pytest_images.layer.limit import expansion_limit
from pytest_images.layer.measure import measure
from pytest_images.layer.scope import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_images.builder.trees import Tree
    from pytest_images.content.store import Store
    from pytest_images.dockerfile.ignore import IgnoreRules

_NAME = "the build context"
_TAR_MAGIC = slice(257, 262)


@contextmanager
def open_stream(
    store: Store, stream: BinaryIO, name: str = _NAME
) -> Iterator[tuple[Callable[[IgnoreRules], Tree], bytes | None]]:
    """Take a tar, compressed or not, or the text of a Dockerfile."""
    limit = expansion_limit(store.root)
    inflated = Rewound(decompress(stream, name, limit, allowed=ARCHIVES))
    if inflated.peek(BLOCK)[_TAR_MAGIC] != b"ustar":
        yield partial(MemoryTree, {}), whole(inflated, DOCKERFILE, DOCKERFILE_LIMIT)
        return
    spool = store.workspace("steps") / f"context-{os.urandom(8).hex()}"
    try:
        with spool.open("xb") as out:
            while piece := inflated.read(PIECE):
                out.write(piece)
        yield partial(_tar_tree, store, spool), None
    finally:
        spool.unlink(missing_ok=True)


def _tar_tree(store: Store, spool: Path, rules: IgnoreRules) -> Tree:
    contents = Contents(_NAME)
    limit = expansion_limit(store.root)
    with spool.open("rb") as stream:
        facts = measure(stream, _NAME, limit, visit=contents.add)
    layer = Layer(
        facts.diff_id,
        facts.diff_id,
        lambda: contents,
        lambda: spool.open("rb"),
        limit=limit,
        folder=store.root,
    )
    return ImageTree(Files([layer], _NAME), rules, has_owners=False)
