"""Dockerfiles made to be slow, huge or misread (rows B17 and B18)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pytest_images.dockerfile.arguments import global_arguments
from pytest_images.dockerfile.expand import DEPTH_LIMIT, Allowance, Expander
from pytest_images.dockerfile.lines import FILE_LIMIT, LINE_LIMIT
from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.stages import parse
from pytest_images.errors import ImagesError, InvalidDockerfile, LimitExceeded
from tests.ledger import MEMORY_LIMIT, TIME_LIMIT, peak_memory, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ledger import Ledger

FROM = "FROM scratch\n"


@pytest.fixture(autouse=True)
def _account(ledger: Ledger) -> None:
    """Every test here leaves nothing."""


@contextmanager
def bounded(seconds: float = TIME_LIMIT) -> Iterator[None]:
    """Hold a block to the time and the memory of a refusal."""
    started, memory = time.process_time(), peak_memory()
    yield
    assert time.process_time() - started < seconds
    assert peak_memory() - memory < MEMORY_LIMIT


REFUSED: dict[str, tuple[str | bytes, int, str]] = {
    "a line of 65,536 bytes": (f"{FROM}RUN {'a' * (LINE_LIMIT + 1 - 4)}", 2, "greater than max"),
    "the same in two-byte letters": (f"{FROM}RUN {'é' * 32_766}", 2, "greater than max"),
    "a NUL byte": (f"{FROM}\nRUN a\0b", 3, "a NUL byte"),
    "a NUL byte in a document": (f"{FROM}COPY <<A /a\n\0\nA\n", 3, "a NUL byte"),
    "bytes that are not UTF-8": (FROM.encode() + b"RUN \xff", 2, "not UTF-8"),
    "such bytes in a document": (FROM.encode() + b"COPY <<A /a\n\xc3\nA\n", 3, "not UTF-8"),
    "half a surrogate pair": (f"{FROM}RUN \ud800", 2, "not UTF-8"),
    "a document without an end": (f"{FROM}RUN <<EOF\nEOF \n", 2, "unterminated heredoc"),
    "its name at the end of the file": (f"{FROM}RUN <<EOF", 2, "unterminated heredoc"),
    "the second of two": (f"{FROM}RUN <<A <<B\nA\n", 2, "unterminated heredoc"),
    "half a million lines without an end": (f"{FROM}RUN <<A\n" + "x\n" * 500_000, 2, "untermin"),
    "line ends of an old Mac": ("FROM scratch\rRUN a\r", 1, "one or three arguments"),
    "an escape and nothing before it": (f"{FROM}\\", 2, "unknown instruction"),
    "half a million of them": (FROM + "\\\n" * 500_000, 2, "unknown instruction"),
    "a keyword of 65,000 letters": (f"{FROM}{'R' * 65_000}", 2, "unknown instruction"),
    "a number of 65,000 digits": (f"{FROM}RUN [{'9' * 65_000}]", 2, "strings only"),
    "a time of 65,000 digits": (
        f"{FROM}HEALTHCHECK --interval={'9' * 65_000}h CMD a",
        *(2, "invalid duration"),
    ),
    "a size of 65,000 digits": (
        f"{FROM}RUN --mount=type=tmpfs,size={'9' * 65_000} a",
        *(2, "invalid value for size"),
    ),
    "16,000 documents without an end": (f"{FROM}RUN {'<<A ' * 16_000}", 2, "unterminated"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused_by_its_line(name: str) -> None:
    """B17."""
    text, line, words = REFUSED[name]
    with refused(InvalidDockerfile, f"Dockerfile:{line}: ", words):
        parse(text)


def test_a_file_of_more_than_a_mebibyte_is_refused_before_it_is_read() -> None:
    """B17."""
    with refused(LimitExceeded, "Dockerfile", str(FILE_LIMIT)):
        parse("#\n" * 1_000_000)


READ: dict[str, str] = {
    "a line of 65,535 bytes": f"{FROM}RUN {'a' * (LINE_LIMIT - 4)}",
    "an escape at the end": f"{FROM}RUN a\\",
    "a carriage return inside": f"{FROM}RUN a\rb\r\n",
    "a million empty lines": "\n" * 1_000_000 + "FROM scratch",
    "500,000 comments": "#\n" * 500_000 + "FROM scratch",
    "a million empty lines in one instruction": f"{FROM}RUN a\\\n" + "\n" * 1_000_000 + "b",
    "300,000 lines in one instruction": FROM + "RUN a\\\n" + "a\\\n" * 300_000 + "b",
    "a document of 500,000 lines": f"{FROM}RUN <<A\n" + "x\n" * 500_000 + "A\n",
    "40,000 documents": FROM + "RUN <<A\nA\n" * 40_000,
    "65,000 stages of one name": "FROM a AS b\n" * 65_000,
    "50,000 stages": "".join(f"FROM a AS s{number}\n" for number in range(50_000)),
    "130,000 instructions": FROM + "CMD a\n" * 130_000,
    "16,000 variables": FROM + "ENV " + "a=b " * 16_000,
    "16,000 words in a list": f"{FROM}RUN [" + '"a",' * 16_000 + '"a"]',
    "65,000 brackets, which a shell is given": f"{FROM}RUN {'[' * 65_000}",
    "quotes": f"{FROM}ENV a=" + "'" * 65_000,
    "escapes": f"{FROM}ENV a=" + "\\" * 65_000,
    "2,000 mounts": FROM + "RUN " + "--mount=type=tmpfs,target=/a " * 2_000 + "a",
}


@pytest.mark.parametrize("name", READ)
def test_what_is_long_is_read_in_linear_time(name: str) -> None:
    """B17: what is a mebibyte takes seconds at most, and the memory of a refusal."""
    assert len(READ[name]) <= FILE_LIMIT
    with bounded():
        parse(READ[name])


def test_a_target_that_no_stage_has_is_refused_however_many_names_there_are() -> None:
    """B17: the names that are near are looked for among all."""
    text = "".join(f"FROM a AS {'s' * 60}{number}\n" for number in range(10_000))
    text += f"FROM a AS {'x' * 65_000}\n"
    dockerfile = parse(text)
    with refused(InvalidDockerfile, "could not be found"):
        dockerfile.target("t" * 60)


DEEP: dict[str, Callable[[int], str]] = {
    "defaults": lambda depth: "${a:-" * depth + "x" + "}" * depth,
    "alternatives": lambda depth: "${A:+" * depth + "x" + "}" * depth,
    "messages": lambda depth: "${A:?" * depth + "x" + "}" * depth,
    "in quotes": lambda depth: '"${a:-' * depth + "x" + '}"' * depth,
    "patterns": lambda depth: "${A#" * depth + "x" + "}" * depth,
    "replacements": lambda depth: "${A/" * depth + "x" + "/y}" * depth,
}


@pytest.mark.parametrize("name", DEEP)
def test_forms_nest_a_hundred_deep_and_no_deeper(name: str) -> None:
    """B18."""
    expander = Expander({"A": "x"})
    expander.word(DEEP[name](DEPTH_LIMIT))
    with bounded(), pytest.raises(Malformed, match="nested more than 100 deep"):
        expander.word(DEEP[name](10_000))


BIG = "a" * (1 << 20)
PATTERNS = [
    *("${A##*a*a*a*a*a*b}", "${A#*b}", "${A%%b*a*a*a*a}", "${A%b*}", "${A/a*a*a*a*b/x}"),
    *("${A//a*b/x}", "${A//a/}", "${A//*/x}", "${N//*a/b}", "${A//a?a/xyz}", "${A//b/x}"),
    *("${A##" + "*a" * 1000 + "}", "${A%%" + "a*" * 1000 + "b}"),
    *("${A##" + "?" * 60_000 + "}", "${A//" + "a*" * 1000 + "b/x}"),
]


@pytest.mark.parametrize("text", PATTERNS, ids=range(len(PATTERNS)))
def test_patterns_take_linear_time_on_a_mebibyte(text: str) -> None:
    """B18: each of these is the time of hours, or more, where a matcher backtracks."""
    with bounded():
        assert len(Expander({"A": BIG, "N": "\n" * 500_000}).word(text)) <= len(BIG)


@pytest.mark.parametrize("text", ["$A$A", '"$A$A"', "${A}x", "${A//a/aa}", "${B:-$A$A}"])
def test_an_expansion_has_a_mebibyte_at_most(text: str) -> None:
    """B18."""
    with bounded(), pytest.raises(Malformed, match="longer than 1048576 characters"):
        Expander({"A": BIG}).word(text)


TOO_MUCH = ["$A" * 30_000, '"' + "$A" * 30_000 + '"', "${A##*a}" * 8_000, "${A//*/}" * 8_000]


@pytest.mark.parametrize("text", TOO_MUCH, ids=["plain", "quoted", "prefixes", "replaced"])
def test_one_line_does_not_read_a_value_ten_thousand_times(text: str) -> None:
    """B18: gigabytes in quotes, minutes in patterns."""
    with bounded(), pytest.raises(Malformed, match=r"(more|longer) than"):
        Expander({"A": BIG}).word(text)


def test_all_expansions_of_a_build_have_one_allowance() -> None:
    """B18: a value that was doubled ten times is not used in a thousand further lines."""
    text = f"ARG A={'a' * 1024}\n" + "ARG A=$A$A\n" * 10
    text += "".join(f"ARG B{number}=$A\n" for number in range(1000))
    with refused(InvalidDockerfile, "Dockerfile:4", "more than 33554432 characters"):
        global_arguments(parse(text + FROM), {}, {}, Allowance())


def test_a_value_doubled_thirty_times_is_refused() -> None:
    """B18."""
    with refused(InvalidDockerfile, "Dockerfile:", "longer than"):
        global_arguments(parse(f"ARG A={'a' * 64_000}\n" + "ARG A=$A$A\n" * 30 + FROM), {}, {})


def test_any_error_of_a_long_line_shows_its_start_alone() -> None:
    """B17: nor does it repeat control characters."""
    with pytest.raises(ImagesError) as caught:
        parse(f"{FROM}RUM \x1b[31m{'a' * 60_000}")
    assert len(str(caught.value)) < 2000
    assert "\x1b" not in str(caught.value)
