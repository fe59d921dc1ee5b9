"""What is taken from the cache of builds, and what never is (row B19)."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.testing import samples
from tests.engine.hostile import saying, tar

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.images import Images
    from tests.ledger import Ledger


@pytest.fixture(autouse=True)
def _account(ledger: Ledger) -> None:
    """Every test here leaves nothing, and the canary as it was."""


def build(images: Images, text: str, files: dict[str, bytes] | None = None, **options: Any) -> str:
    return images.build({"a": b"1", **(files or {})}, dockerfile_text=text, **options).log


BASE = "FROM scratch\n"
MISSES: list[tuple[str, str]] = [
    ("COPY a /", "COPY a /b"),
    ("COPY a /", "COPY --chmod=600 a /"),
    ("COPY a /", "COPY --chown=1 a /"),
    ("COPY a /", "COPY --link a /"),
    ("COPY a /", "COPY --chown=1:2 a /"),
    ("COPY a /", "ADD a.tar /"),
    ("ENV A=1\nCOPY a /", "ENV A=2\nCOPY a /"),
    ("ARG A=1\nENV B=$A\nCOPY a /", "ARG A=2\nENV B=$A\nCOPY a /"),
    ("HEALTHCHECK CMD a\nCOPY a /", "HEALTHCHECK --retries=2 CMD a\nCOPY a /"),
    ("ONBUILD RUN a\nCOPY a /", "ONBUILD RUN b\nCOPY a /"),
    ("USER 1\nCOPY a /", "USER 2\nCOPY a /"),
    ('SHELL ["a"]\nCOPY a /', 'SHELL ["b"]\nCOPY a /'),
    ("WORKDIR /a", "WORKDIR /b"),
    ("COPY <<A /a\n1\nA", "COPY <<A /a\n2\nA"),
]


@pytest.mark.parametrize(("one", "other"), MISSES)
def test_whatever_differs_is_no_hit(images: Images, one: str, other: str) -> None:
    """B19."""
    files = {"a.tar": tar(a=b"1")}
    assert "CACHED" not in build(images, f"{BASE}{one}\n", files)
    assert "CACHED" not in build(images, f"{BASE}{other}\n", files)
    assert "CACHED" in build(images, f"{BASE}{one}\n", files)


def test_mode_bits_links_and_names_of_a_context_count(images: Images, tmp_path: Path) -> None:
    """B19."""
    text = "FROM scratch\nCOPY . /\n"
    context = tmp_path / "context"
    context.mkdir()
    (context / "a").write_text("1")
    changes = [
        "chmod 755 a",
        "chmod 4755 a",
        "ln -s a b",
        "ln -sfn ./a b",
        "rm b; mkdir b",
        "chmod 700 b",
        "mv a c",
    ]
    assert "CACHED" not in images.build(context, dockerfile_text=text).log
    for change in changes:
        subprocess.run(change, shell=True, cwd=context, check=True)
        assert "CACHED" not in images.build(context, dockerfile_text=text).log
        assert "CACHED" in images.build(context, dockerfile_text=text).log


def test_platforms_and_times_count(images: Images) -> None:
    """B19: the time of what is made stands in its layer."""
    text = "FROM scratch\nCOPY a /\n"
    given: list[dict[str, Any]] = [
        {},
        {"platforms": "linux/arm64"},
        {"platforms": "linux/arm/v6"},
        {"args": {"SOURCE_DATE_EPOCH": "1"}},
        {"args": {"SOURCE_DATE_EPOCH": "2"}},
    ]
    for options in given:
        assert "CACHED" not in build(images, text, **options)
    for options in given:
        assert "CACHED" in build(images, text, **options)


def test_whatever_a_command_sees_counts(images: Images, alpine: str) -> None:
    """B19: arguments it uses or not, mounts, the network, hosts; not who asks, nor secrets."""
    run = f"FROM {alpine}\n{{}}RUN {{}} true\n"
    texts = [
        run.format("", ""),
        run.format("ARG A=1\n", ""),
        run.format("ARG A=2\n", ""),
        run.format("", "--network=none"),
        run.format("", "--mount=type=tmpfs,target=/t"),
        run.format("", "--mount=type=tmpfs,target=/t,size=1m"),
        run.format("", "--mount=type=cache,target=/t"),
        run.format("", "--mount=type=bind,target=/t"),
        run.format("", "--mount=type=secret,id=a"),
        run.format("", "--mount=type=secret,id=a,mode=0440"),
    ]
    for text in texts:
        assert "CACHED" not in build(images, text), text
    for text in texts:
        assert "CACHED" in build(images, text), text
    hosts = [("db.test", "10.0.0.7")]
    assert "CACHED" not in build(images, texts[0], add_hosts=hosts)
    assert "CACHED" in build(images, texts[0], add_hosts=hosts)
    assert "CACHED" not in build(images, texts[7], {"b": b"2"})


def test_an_image_whose_history_says_the_same_is_no_hit(images: Images, store: Store) -> None:
    """B19: a step is known by what was done here, never by what an image says of itself."""
    text = "FROM scratch\nCOPY a /\n"
    build(images, text, tags="ours:1")
    [line] = json.loads(images.config("ours:1").raw)["history"]
    poisoned = saying(samples.of_tars(tar(a=b"poison")), history=[line])
    poisoned.put(store, "ours:1")
    result = images.build({"a": b"2"}, dockerfile_text=text)
    assert result.image is not None
    assert "CACHED" not in result.log
    assert (images.files(result.image) / "a").read_bytes() == b"2"


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b'[10, "sha256:0"]', b'["x", "y"]', b"null"])
def test_half_an_entry_of_the_cache_is_none(images: Images, store: Store, damage: bytes) -> None:
    """B19: nor is one whose layer has gone, or that names something else."""
    text = "FROM scratch\nCOPY a /\n"
    build(images, text, tags="app:1")
    [entry] = [path for path in store.workspace("results").rglob("*") if path.is_file()]
    entry.write_bytes(damage)
    log = build(images, text, tags="app:1")
    assert "CACHED" not in log
    assert (images.files("app:1") / "a").read_bytes() == b"1"
