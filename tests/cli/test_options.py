from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.cli.options import Command, Option, Parsed, UsageError, check_arguments, parse

COMMAND = Command(
    "ls",
    "[NAME]",
    (
        Option("all", "Show all", short="a"),
        Option("quiet", "Show less", short="q"),
        Option("filter", "Show some", short="f", kind="filter", repeats=True),
        Option("format", "Show so", kind="string"),
    ),
    most=1,
)


def read(*words: str) -> Parsed:
    return parse(COMMAND, words)


def refusal(*words: str) -> str:
    with pytest.raises(UsageError) as caught:
        read(*words)
    assert caught.value.code == 125
    return caught.value.message


@pytest.mark.parametrize(
    "words", [["-aq"], ["-a", "-q"], ["--all", "--quiet"], ["-a=true", "--quiet=1"], ["-qa=T"]]
)
def test_flags_may_be_combined_and_have_values(words: list[str]) -> None:
    parsed = read(*words)
    assert (parsed.flag("all"), parsed.flag("quiet")) == (True, True)


@pytest.mark.parametrize("words", [["--quiet=false"], ["-q=0"], ["-q", "--quiet=F"], []])
def test_a_flag_can_be_put_out_again(words: list[str]) -> None:
    assert not read(*words).flag("quiet")


@pytest.mark.parametrize(
    "words",
    [
        ["--filter", "a=b"],
        ["--filter=a=b"],
        ["-f", "a=b"],
        ["-fa=b"],
        ["-f=a=b"],
        ["-aqf", "a=b"],
        ["-aqfa=b"],
    ],
)
def test_a_value_may_be_written_in_each_way_docker_takes(words: list[str]) -> None:
    assert read(*words).texts("filter") == ("a=b",)


def test_an_option_that_repeats_keeps_every_value_in_order() -> None:
    assert read("-f", "a=1", "name", "--filter", "b=2").texts("filter") == ("a=1", "b=2")


def test_of_an_option_that_does_not_repeat_the_last_counts() -> None:
    assert read("--format", "table", "--format", "json").text("format") == "json"


def test_options_may_stand_between_and_after_arguments() -> None:
    parsed = read("one", "-q", "two", "--all")
    assert (parsed.arguments, parsed.flag("all")) == (["one", "two"], True)


def test_two_dashes_end_the_options() -> None:
    assert read("-q", "--", "-a", "--").arguments == ["-a", "--"]


def test_one_dash_is_an_argument() -> None:
    assert read("-").arguments == ["-"]


def test_a_value_may_begin_with_a_dash() -> None:
    assert read("--format", "--all").text("format") == "--all"


def test_before_a_command_the_first_argument_ends_the_options() -> None:
    parsed = parse(COMMAND, ["-q", "verb", "--nope"], interspersed=False)
    assert parsed.arguments == ["verb", "--nope"]


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["-q", "--help"], ["--help=true", "x"]])
def test_help_can_be_asked_for_anywhere(words: list[str]) -> None:
    assert read(*words).wants_help


def test_help_can_be_declined() -> None:
    assert not read("--help=false").wants_help


@pytest.mark.parametrize(
    ("words", "message"),
    [  # as `docker image ls` of 28.2 says it, but for Go's own words on booleans
        (["--nope"], "unknown flag: --nope"),
        (["--nope=1"], "unknown flag: --nope"),
        (["--quie"], "unknown flag: --quie"),
        (["-z"], "unknown shorthand flag: 'z' in -z"),
        (["-aqz"], "unknown shorthand flag: 'z' in -z"),
        (["-zaq"], "unknown shorthand flag: 'z' in -zaq"),
        (["--filter"], "flag needs an argument: --filter"),
        (["-f"], "flag needs an argument: 'f' in -f"),
        (["-qf"], "flag needs an argument: 'f' in -f"),
        (["--=x"], "bad flag syntax: --=x"),
        (["---"], "bad flag syntax: ---"),
        (
            ["--quiet=maybe"],
            'invalid argument "maybe" for "-q, --quiet" flag: it is neither true nor false',
        ),
        (
            ["--quiet="],
            'invalid argument "" for "-q, --quiet" flag: it is neither true nor false',
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_dockers_words(words: list[str], message: str) -> None:
    assert refusal(*words) == message


def test_what_is_repeated_in_an_error_is_escaped() -> None:
    assert "\x1b" not in refusal("--quiet=\x1b[2J")
    assert "\x1b" not in refusal("--\x1b[2J")
    assert "\x1b" not in refusal("-\x1b")
    assert "\x1b" not in refusal("--=\x1b")


@pytest.mark.parametrize(
    ("least", "most", "count", "wanted"),
    [
        (0, 0, 1, "accepts no arguments"),
        (1, 1, 0, "requires 1 argument"),
        (2, 2, 1, "requires 2 arguments"),
        (1, None, 0, "requires at least 1 argument"),
        (0, 1, 2, "requires at most 1 argument"),
    ],
)
def test_a_wrong_number_of_arguments_is_refused_with_status_1(
    least: int, most: int | None, count: int, wanted: str
) -> None:
    with pytest.raises(UsageError) as caught:
        check_arguments(Command("verb", "", least=least, most=most), count)
    assert caught.value.message == f"pytest-images: 'pytest-images verb' {wanted}"
    assert caught.value.code == 1


@given(st.lists(st.text(max_size=8), max_size=6))
def test_any_words_are_read_or_refused(words: list[str]) -> None:
    try:
        parsed = parse(COMMAND, words)
    except UsageError as error:
        assert error.code == 125
        assert error.message.isprintable()
    else:
        assert set(parsed.arguments) <= set(words)
