"""Bars, on a real terminal: the far end of a pseudo-terminal."""

from __future__ import annotations

import re
import signal
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from pytest_images.host import Host
from pytest_images.model.digest import Digest
from pytest_images.server.registry import Registry
from pytest_images.testing import samples
from tests.cli.processes import LIMIT, on_terminal, read_terminal, stalling_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMPLE = samples.image("drawn", layers=3, size=300_000)
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def name(tmp_path: Path) -> Iterator[str]:
    with Registry.serving() as registry, Host(home=tmp_path / "pushing") as host:
        host.images.load(BytesIO(SAMPLE.archive(f"{registry}/app:1")))
        host.images.push(f"{registry}/app:1")
        yield f"{registry}/app:1"


def lines(text: bytes) -> list[str]:
    return ESCAPES.sub(b"", text).decode().replace("\r", "\n").split("\n")


def test_a_pull_draws_a_bar_for_each_layer_and_gives_the_cursor_back(name: str) -> None:
    with on_terminal("pull", name) as (process, far):
        text = read_terminal(far)
        assert process.wait(LIMIT) == 0
    shown = lines(text)
    for layer in SAMPLE.layers:
        last = [line for line in shown if line.startswith(Digest.of(layer).short)][-1]
        assert "Pull complete" in last
    assert text.rindex(SHOW) > text.rindex(HIDE)
    order = ["1: Pulling from app", f"Digest: {SAMPLE.manifest.digest}", "Status: ", name]
    positions = [max(i for i, line in enumerate(shown) if line.startswith(o)) for o in order]
    assert positions == sorted(positions)


def test_a_terminal_that_cannot_draw_gets_lines(name: str) -> None:
    with on_terminal("pull", name, term="dumb") as (process, far):
        text = read_terminal(far)
        assert process.wait(LIMIT) == 0
    assert not ESCAPES.search(text)
    assert text.count(b": Pull complete\r\n") == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_gives_the_cursor_back(number: int) -> None:
    with stalling_server() as (address, came), on_terminal("pull", f"{address}/app:1") as started:
        process, far = started
        assert came.wait(LIMIT)
        process.send_signal(number)
        text = read_terminal(far)
        assert process.wait(5) == 128 + number
    assert b"Traceback" not in text
    assert text.count(SHOW) >= text.count(HIDE)
    if HIDE in text:
        assert text.rindex(SHOW) > text.rindex(HIDE)


def test_a_load_draws_a_bar_for_each_layer(tmp_path: Path) -> None:
    archive = tmp_path / "app.tar"
    archive.write_bytes(SAMPLE.archive("app:1", form="docker"))
    with on_terminal("load", "-i", str(archive)) as (process, far):
        text = read_terminal(far)
        assert process.wait(LIMIT) == 0
    shown = lines(text)
    for layer in SAMPLE.layers:
        last = [line for line in shown if line.startswith(Digest.of(layer).short)][-1]
        assert "Loaded" in last
    assert text.rindex(SHOW) > text.rindex(HIDE)
    assert text.rstrip().endswith(b"Loaded image: app:1")


def test_a_save_refuses_to_write_to_a_terminal() -> None:
    with on_terminal("save", "app:1") as (process, far):
        text = read_terminal(far)
        assert process.wait(LIMIT) == 1
    assert b"cowardly refusing to save to a terminal. Use the -o flag or redirect" in text


def test_a_load_refuses_to_read_from_a_terminal() -> None:
    with on_terminal("load") as (process, far):
        text = read_terminal(far)
        assert process.wait(LIMIT) == 1
    assert b"requested load from stdin, but stdin is empty" in text
