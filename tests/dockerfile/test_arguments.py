from __future__ import annotations

import pytest

from pytest_images.dockerfile.arguments import Scope, global_arguments, platform_arguments
from pytest_images.dockerfile.instructions import Arg, Instruction
from pytest_images.dockerfile.stages import parse
from pytest_images.errors import InvalidDockerfile
from pytest_images.model.platform import Platform

AMD64 = Platform.parse("linux/amd64")


def args(text: str) -> list[Arg]:
    instructions: tuple[Instruction, ...] = parse(f"FROM a\n{text}").stages[0].instructions
    return [one for one in instructions if isinstance(one, Arg)]


def test_arguments_before_from_see_those_before_them_and_what_was_given() -> None:
    dockerfile = parse("ARG A=1\nARG B=$A$A C\nARG D=${C:-none}\nFROM x:$B\n")
    assert global_arguments(dockerfile, {}, {}) == {"A": "1", "B": "11", "D": "none"}
    given = {"A": "2", "C": "c", "OTHER": "x"}
    assert global_arguments(dockerfile, given, {}) == {"A": "2", "B": "22", "C": "c", "D": "c"}


def test_the_platform_may_be_used_before_from_and_overridden() -> None:
    dockerfile = parse("ARG A=$TARGETARCH\nFROM x\n")
    automatic = platform_arguments(AMD64, Platform.parse("linux/arm64"))
    assert global_arguments(dockerfile, {}, automatic)["A"] == "arm64"
    assert global_arguments(dockerfile, {"TARGETARCH": "s390x"}, automatic)["A"] == "s390x"


# The reference, "Automatic platform ARGs"; containerd's way to write a platform
@pytest.mark.parametrize(
    ("platform", "text", "variant"),
    [
        ("linux/amd64", "linux/amd64", ""),
        ("linux/arm64", "linux/arm64", ""),
        ("linux/arm/v7", "linux/arm/v7", "v7"),
        ("linux/arm64/v9", "linux/arm64/v9", "v9"),
    ],
)
def test_platforms_are_written_as_docker_writes_them(
    platform: str, text: str, variant: str
) -> None:
    found = platform_arguments(AMD64, Platform.parse(platform), "app")
    assert (found["TARGETPLATFORM"], found["TARGETVARIANT"]) == (text, variant)
    assert (found["BUILDPLATFORM"], found["BUILDOS"]) == ("linux/amd64", "linux")
    assert found["TARGETSTAGE"] == "app"


def test_an_argument_outside_is_seen_inside_when_declared_without_a_default() -> None:
    scope = Scope({"V": "3", "W": "4"}, {})
    assert scope.expander.word("$V") == ""
    [arg] = args("ARG V W=5 X")
    assert scope.declare(arg) == (("V", "3"), ("W", "5"), ("X", None))
    assert scope.expander.word("$V$W$X") == "35"
    assert scope.arguments == {"V": "3", "W": "5", "X": None}


def test_what_was_given_wins_over_a_default() -> None:
    scope = Scope({"V": "outside"}, {"V": "given"})
    [arg] = args("ARG V=default")
    assert scope.declare(arg) == (("V", "given"),)


def test_the_default_of_what_was_given_is_not_even_expanded() -> None:
    [arg] = args("ARG V=${X:?needed}")
    assert Scope({}, {"V": "1"}).declare(arg) == (("V", "1"),)
    with pytest.raises(InvalidDockerfile, match="X: needed"):
        Scope({}, {}).declare(arg)


def test_a_default_sees_the_arguments_before_it_on_its_line() -> None:
    [arg] = args("ARG A=1 B=$A")
    assert Scope({}, {}).declare(arg) == (("A", "1"), ("B", "1"))


def test_what_was_said_last_counts() -> None:
    scope = Scope({}, {})
    scope.set("A", "env")
    scope.declare(args("ARG A=arg")[0])
    assert scope.expander.word("$A") == "arg"
    scope.set("A", "env again")
    assert scope.expander.word("$A") == "env again"


def test_a_stage_on_a_stage_begins_with_its_variables_and_keeps_its_own() -> None:
    below = Scope({}, {})
    below.declare(args("ARG A=1")[0])
    above = below.inherited()
    above.set("A", "2")
    assert (below.expander.word("$A"), above.expander.word("$A")) == ("1", "2")


def test_proxies_need_no_argument_but_are_no_variables() -> None:
    scope = Scope({}, {"HTTP_PROXY": "http://p", "no_proxy": "x", "Http_Proxy": "y"})
    assert scope.proxies() == {"HTTP_PROXY": "http://p", "no_proxy": "x"}
    assert scope.expander.word("$HTTP_PROXY") == ""
