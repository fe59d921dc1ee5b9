from __future__ import annotations

import threading
from typing import cast

import pytest

from pytest_images.cli.progress import LOAD, PULL, PUSH, Lines, Silent, Words, reporter, short
from pytest_images.images import Images
from pytest_images.model.digest import Digest
from pytest_images.model.progress import Phase, Progress

NOBODY = cast("Images", None)
LAYER = str(Digest.of(b"a layer"))


def event(phase: Phase, item: str = LAYER, *, text: str = "", kind: str = "layer") -> Progress:
    return Progress("pull", "app:1", item, phase, 5, 10, text, kind)


def said(words: Words, *events: Progress) -> None:
    lines = Lines(words)
    for each in events:
        lines.images_progress(NOBODY, each)


@pytest.mark.parametrize(
    ("words", "phases", "states"),
    [
        (
            PULL,
            [Phase.WAITING, Phase.MOVING, Phase.DONE],
            ["Pulling fs layer", "Download complete", "Pull complete"],
        ),
        (PULL, [Phase.EXISTS], ["Already exists"]),
        (PUSH, [Phase.WAITING, Phase.MOVING, Phase.DONE], ["Preparing", "Pushed"]),
        (PUSH, [Phase.WAITING, Phase.EXISTS], ["Preparing", "Layer already exists"]),
        (PUSH, [Phase.WAITING, Phase.MOUNTED], ["Preparing", "Mounted"]),
        (LOAD, [Phase.STARTED, Phase.MOVING, Phase.DONE], []),
    ],
)
def test_a_layers_states_are_said_in_dockers_words(
    words: Words, phases: list[Phase], states: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said(words, *map(event, phases))
    prefix = Digest.parse(LAYER).short
    assert capsys.readouterr().out.splitlines() == [f"{prefix}: {state}" for state in states]


def test_a_state_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    said(PULL, event(Phase.STARTED), event(Phase.WAITING), event(Phase.WAITING))
    assert capsys.readouterr().out.count("\n") == 1


def test_configs_and_manifests_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    said(PULL, event(Phase.DONE, kind="config"), event(Phase.DONE, kind="manifest"))
    said(PULL, event(Phase.DONE, item=""))
    assert capsys.readouterr().out == ""


def test_what_a_server_said_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    said(PULL, event(Phase.RETRYING, text="503 \x1b[2J"), event(Phase.FAILED, text="\x9b"))
    out = capsys.readouterr().out
    assert "Retrying: 503 " in out
    assert "\x1b" not in out
    assert "\x9b" not in out


def test_an_item_that_is_no_digest_is_shown_as_it_is() -> None:
    assert (short(LAYER), short("step\x07")) == (Digest.parse(LAYER).short, r"step\x07")


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with reporter(PULL, quiet=True) as show:
        assert isinstance(show, Silent)
        show.say("a line")
        show.images_progress(NOBODY, event(Phase.DONE))
    assert capsys.readouterr().out == ""


def test_lines_of_threads_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(PULL)

    def tell(number: int) -> None:
        for part in range(50):
            lines.images_progress(NOBODY, event(Phase.EXISTS, item=f"{number}-{part}"))

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = capsys.readouterr().out.splitlines()
    assert sorted(found) == sorted(f"{n}-{p}: Already exists" for n in range(4) for p in range(50))
