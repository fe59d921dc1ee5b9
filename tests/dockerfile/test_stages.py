from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_images.dockerfile.lines import FILE_LIMIT
from pytest_images.dockerfile.place import Place
from pytest_images.dockerfile.stages import Dockerfile, parse
from pytest_images.errors import ImagesError, InvalidDockerfile, LimitExceeded

HERE = Place("Dockerfile", 9, 9, "COPY --from=x / /")
THREE = "FROM alpine AS a\nFROM alpine\nFROM a AS c\n"


def test_the_last_stage_is_built_unless_a_name_in_any_case_says_otherwise() -> None:
    dockerfile = parse(THREE)
    assert dockerfile.target(None).label == "c"
    assert dockerfile.target("A").number == 0


def test_an_unknown_target_is_named_with_the_nearest_stage() -> None:
    with pytest.raises(
        InvalidDockerfile, match=r'stage "biuld" could not .*mean build\?'
    ) as caught:
        parse("FROM alpine AS build\nFROM alpine\n").target("biuld")
    assert caught.value.__notes__ == ["the stages with names are: build"]


def test_where_no_stage_has_a_name_none_is_near() -> None:
    with pytest.raises(InvalidDockerfile, match='"x" could not be found: FROM') as caught:
        parse("FROM alpine\n").target("x")
    assert caught.value.__notes__ == ["no stage has a name"]


def test_a_number_is_no_target() -> None:
    with pytest.raises(InvalidDockerfile, match='target stage "0"'):
        parse(THREE).target("0")


def test_a_base_is_an_earlier_stage_or_an_image() -> None:
    dockerfile = parse("FROM b AS a\nFROM a AS b\nFROM a AS a\n")
    found = [dockerfile.base(stage, stage.start.base) for stage in dockerfile.stages]
    assert [stage and stage.number for stage in found] == [None, 0, 0]


def test_a_base_in_capitals_is_an_image() -> None:
    dockerfile = parse("FROM alpine AS a\nFROM A\n")
    assert dockerfile.base(dockerfile.stages[1], "A") is None


@pytest.mark.parametrize(
    ("name", "number"), [("a", 0), ("A", 0), ("0", 0), ("1", 1), ("x:1", None)]
)
def test_from_means_a_stage_by_name_or_number_or_an_image(name: str, number: int | None) -> None:
    dockerfile = parse(THREE)
    found = dockerfile.origin(dockerfile.stages[2], name, HERE)
    assert (found and found.number) == number


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("c", "needs to be defined before current stage"),
        ("2", "needs to be defined before current stage"),
        ("1", "circular dependency"),
        ("3", "invalid stage index 3"),
        ("9" * 5000, "invalid stage index"),
    ],
)
def test_from_can_not_mean_a_later_stage_or_itself(name: str, reason: str) -> None:
    dockerfile = parse(THREE)
    with pytest.raises(InvalidDockerfile, match=reason) as caught:
        dockerfile.origin(dockerfile.stages[1], name, HERE)
    assert caught.value.line == 9


def test_a_dockerfile_travels_between_processes() -> None:
    dockerfile = parse("# escape=`\nARG A\nFROM x\nRUN <<EOF\na\nEOF\nHEALTHCHECK CMD a\n")
    other: Dockerfile = pickle.loads(pickle.dumps(dockerfile))
    assert other == dockerfile
    assert other.target(None) == dockerfile.stages[0]


def test_ten_thousand_stages_are_found_in_linear_time() -> None:
    text = "FROM s AS s\n" + "".join(f"FROM s{n} AS s{n + 1}\n" for n in range(10_000))
    started = time.process_time()
    dockerfile = parse(text)
    assert dockerfile.base(dockerfile.stages[-1], "s9999") == dockerfile.stages[-2]
    assert all(dockerfile.base(stage, stage.start.base) for stage in dockerfile.stages[2:])
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    "text",
    [
        "FROM a" + "\n" * 1_000_000,
        "FROM a\n" + "# c\n" * 200_000,
        "FROM a\nRUN a" + " \\\n" * 300_000,
        "FROM a\nRUN a \\\n" + "\n" * 1_000_000,
        "FROM a\n" + "RUN a\n" * 50_000,
        "FROM a\nCOPY " + "<<A " * 15_000 + "/a\n" + "A\n" * 15_000,
        "FROM a\nENV " + "A=b " * 16_000,
        "FROM a\nRUN " + '"' * 60_000,
        "FROM a\nRUN <<" + "'" * 60_000,
        "FROM a\nCMD " + "[" * 60_000,
        "FROM a\nCMD " + "[" * 30_000 + "]" * 30_000,
        "FROM a\nCMD [" + "1" * 60_000 + "]",
        "FROM a\nRUN --mount=" + "a," * 30_000 + " x",
        "FROM a\nCOPY " + "--link " * 9_000 + "a b",
        "#" + " " * 60_000 + "escape=`\nFROM a\n",
        "# escape =" + " x" * 30_000 + "\nFROM a\n",
        "FROM a\n" + "X" * 60_000,
        "FROM a\nHEALTHCHECK --interval=" + "1s" * 30_000 + " CMD a",
    ],
    ids=range(18),
)
def test_large_files_are_read_or_refused_in_linear_time(text: str) -> None:
    started = time.process_time()
    try:
        parse(text)
    except ImagesError as error:
        assert len(str(error)) < 5000
    assert time.process_time() - started < 10


def test_a_file_over_the_limit_is_refused() -> None:
    parse("FROM a\n#" + "\n" * (FILE_LIMIT - 8))
    with pytest.raises(LimitExceeded, match="size of the Dockerfile"):
        parse("FROM a\n#" + "\n" * (FILE_LIMIT - 7))


def test_a_line_may_have_65535_bytes_and_no_more() -> None:
    def lines(size: int) -> bytes:
        return b"FROM a\nLABEL a=" + b"b" * (size - 8) + b"\n"

    parse(lines(65_535))
    with pytest.raises(InvalidDockerfile, match="max allowed size of 65535") as caught:
        parse(lines(65_536))
    assert caught.value.line == 2
    with pytest.raises(InvalidDockerfile):
        parse("FROM a\nLABEL a=" + "é" * 32_764)


WORDS = st.sampled_from(
    ["FROM a", "RUN", "COPY", "ADD", "ENV", "ARG", "LABEL", "ONBUILD", "HEALTHCHECK", "CMD",
     "EXPOSE", "VOLUME", "SHELL", "--mount=", "--from=", "--interval=1s", "type=cache", "target=/a",
     "<<EOF", "<<-'E'", "EOF", "E", "[", "]", '"a"', ",", "'", '"', "\\", "`", "$A", "${A:-", "}",
     "a=b", "=", "a", "# escape=`", "#", "AS", "NONE", "\r", "\0", "é", "\u2028", "--", "80-90/tcp"]
)  # fmt: skip
TEXTS = st.lists(
    st.tuples(WORDS, st.sampled_from([" ", "\n", "", "\\\n", "\r\n"])), max_size=25
).map(lambda parts: "".join(word + gap for word, gap in parts))


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.booleans())
def test_any_text_is_read_or_refused_with_the_line_where_it_is_wrong(
    text: str, start: bool
) -> None:
    text = f"FROM a\n{text}" if start else text
    try:
        dockerfile = parse(text, "my.Dockerfile")
    except InvalidDockerfile as error:
        assert error.source == "my.Dockerfile"
        assert 1 <= error.line <= text.count("\n") + 1
    else:
        assert parse(text.encode()).stages == dockerfile.stages


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        parse(b"FROM a\n" + raw)
    except InvalidDockerfile as error:
        assert str(error).isprintable()
