from __future__ import annotations

import pytest

from pytest_images.builder.changes import ALLOWED, changed
from pytest_images.errors import InvalidDockerfile


def test_changes_act_one_after_the_other_and_see_each_other() -> None:
    made = changed(["ENV A=1", "ENV B=$A C=$PATH", "WORKDIR /a", "WORKDIR $B", "CMD x"]).to_json()
    assert made == {
        "Env": ["A=1", "B=1", "C="],
        "Cmd": ["/bin/sh", "-c", "x"],
        "WorkingDir": "/a/1",
    }


def test_one_change_may_hold_several_lines() -> None:
    assert changed(["VOLUME /x\nCMD y \\\n  z"]).to_json() == {
        "Cmd": ["/bin/sh", "-c", "y   z"],
        "Volumes": {"/x": {}},
    }


def test_without_changes_nothing_is_set() -> None:
    assert changed([]).to_json() == {}


def test_the_changes_are_those_that_docker_takes() -> None:
    taken = "cmd entrypoint healthcheck env expose label onbuild stopsignal user volume workdir"
    assert {name.lower() for name in ALLOWED} == set(taken.split())


@pytest.mark.parametrize(
    "change",
    ["RUN x", "FROM y", "COPY a b", "ADD a b", "ARG A", 'SHELL ["a"]', "MAINTAINER x", "WHAT"],
)  # fmt: skip
def test_another_instruction_is_refused_in_docker_s_words(change: str) -> None:
    word = change.split(maxsplit=1)[0].lower()
    with pytest.raises(InvalidDockerfile, match=f"{word} is not a valid change command") as caught:
        changed(["ENV A=1", change])
    assert (caught.value.source, caught.value.line) == ("--change", 2)
    assert "allowed are CMD, ENTRYPOINT" in caught.value.__notes__[0]


@pytest.mark.parametrize("change", ["", "# only a comment", "\n\n"])
def test_a_change_that_says_nothing_is_refused(change: str) -> None:
    with pytest.raises(InvalidDockerfile, match="file with no instructions"):
        changed([change])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ENV", "requires at least one argument"),
        ("ENV A", "must have two arguments"),
        ("WORKDIR", "requires exactly one argument"),
        ("EXPOSE x", "invalid containerPort: x"),
        ("ONBUILD FROM x", "isn't allowed as an ONBUILD trigger"),
        ('VOLUME [""]', "can not be an empty string"),
        ("ENV A=${B", "missing '}'"),
        ("LABEL a", "must have two arguments"),
        ("STOPSIGNAL NOPE", "Invalid signal: NOPE"),
    ],
)
def test_a_change_that_means_nothing_is_refused(change: str, reason: str) -> None:
    with pytest.raises(InvalidDockerfile, match=reason):
        changed([change])
