from __future__ import annotations

import pytest

from pytest_images.builder import log as logs
from pytest_images.builder.hiding import Hiding
from pytest_images.builder.log import BuildLog, Line
from pytest_images.model.progress import Phase


def made(*secrets: str) -> tuple[BuildLog, list[Line]]:
    told: list[Line] = []
    return BuildLog(told.append, Hiding(secrets)), told


def test_an_empty_line_stands_where_another_step_goes_on() -> None:
    log, told = made()
    first, second = log.step("one"), log.step("two")
    first.say("a")
    second.say("b")
    second.say("c")
    assert str(log) == "#1 one\n\n#2 two\n\n#1 a\n\n#2 b\n#2 c\n"
    assert [line.step for line in told] == [1, 2, 1, 2, 2]


def test_what_a_command_prints_comes_by_lines_however_it_is_cut() -> None:
    log, told = made()
    step = log.step("run")
    for piece in (b"on", b"e\ntwo\r\nthr", b"ee"):
        step.write(piece)
    step.done()
    assert [line.text.split(" ")[-1] for line in told[1:-1]] == ["one", "two", "three"]
    assert told[-1].phase is Phase.DONE


def test_no_line_speaks_to_a_terminal() -> None:
    log, _ = made()
    log.step("a\x1b[2J\nb").write(b"\x1b]0;x\x07 \xff\n")
    assert "\x1b" not in str(log)
    assert r"a\x1b[2J\nb" in str(log)


def test_secrets_are_hidden_whole_though_one_begins_another() -> None:
    log, told = made("key", "key-2\nother")
    log.step("key-2 key").write(b"other\n")
    assert str(log).splitlines()[0] == "#1 *** ***"
    assert str(log).splitlines()[1].endswith(" ***")
    assert "key" not in repr(told)


def test_a_step_says_once_why_it_failed() -> None:
    log, told = made()
    step = log.step("run")
    step.failed("exit code: 1")
    step.failed("again")
    assert [line.text for line in told] == ["#1 run", "#1 ERROR: exit code: 1"]


def test_a_step_that_is_ended_for_another_was_cancelled() -> None:
    log, told = made()
    step = log.step("run")
    log.close()
    assert step.closed
    step.failed("nobody waits")
    assert told[-1] == Line(1, Phase.FAILED, "#1 CANCELED")


def test_a_log_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "LOG_LIMIT", 5000)
    log, _ = made()
    step = log.step("x")
    for _ in range(10):
        step.say("y" * 1000)
    assert len(str(log)) < 6000
    assert "more characters are left out]" in str(log)
