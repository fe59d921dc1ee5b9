from __future__ import annotations

import re

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


def test_of_much_output_the_start_and_the_end_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """X14."""
    monkeypatch.setattr(logs, "STEP_LIMIT", 5000)
    monkeypatch.setattr(logs, "TAIL", 100)
    log, told = made("s3cret-7")
    step = log.step("x")
    for number in range(1000):
        step.write(b"line %d s3cret-%d\n" % (number, number % 10))
    step.done()
    lines = [line.text.split(" ", 2)[-1] for line in told[1:-1]]
    assert lines[:2] == ["line 0 s3cret-0", "line 1 s3cret-1"]
    assert lines[-3:] == ["line 997 ***", "line 998 s3cret-8", "line 999 s3cret-9"]
    assert len(lines) < 50
    assert "s3cret-7" not in repr(told)
    [left] = re.findall(r"\[(\d+) more bytes of output are left out\]", str(log))
    shown = [line.replace("***", "s3cret-7") for line in lines if line.startswith("line")]
    printed = [f"line {number} s3cret-{number % 10}" for number in range(1000)]
    assert len("".join(printed)) + 1000 == len("".join(shown)) + len(shown) + int(left)


def test_output_that_ends_soon_after_the_limit_is_told_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "STEP_LIMIT", 100)
    log, told = made()
    step = log.step("x")
    for number in range(10):
        step.write(b"line %d\n" % number)
    step.done()
    assert [line.text.split(" ")[-1] for line in told[1:-1]] == list("0123456789")
