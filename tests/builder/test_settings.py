"""What each instruction makes of the settings, as Docker 20.10 and BuildKit do it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_images.builder.settings import SettingsDraft
from pytest_images.builder.signals import is_signal
from pytest_images.dockerfile.expand import Expander
from pytest_images.dockerfile.stages import parse
from pytest_images.errors import InvalidDockerfile, InvalidDocument


def applied(text: str, base: dict[str, Any] | None = None, os: str = "linux") -> dict[str, Any]:
    """The settings after all instructions of *text*."""
    draft = SettingsDraft.of(base, "base", os)
    for instruction in parse(f"FROM base\n{text}\n").stages[0].instructions:
        draft.apply(instruction.expand(Expander(draft.environment)))
    return draft.to_json()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('ENV A=1 B="x y"', {"Env": ["A=1", "B=x y"]}),
        ("ENV A=1\nENV B=$A\nENV A=2", {"Env": ["A=2", "B=1"]}),
        ("LABEL b=1 a=2\nLABEL b=3", {"Labels": {"a": "2", "b": "3"}}),
        ("WORKDIR /a\nWORKDIR b/../c/", {"WorkingDir": "/a/c"}),
        ("WORKDIR a\nWORKDIR ../../b", {"WorkingDir": "/b"}),
        ("WORKDIR //a", {"WorkingDir": "/a"}),
        ("USER 1:2", {"User": "1:2"}),
        ("USER $NONE", {}),
        ("EXPOSE 80 90/udp\nEXPOSE 80", {"ExposedPorts": {"80/tcp": {}, "90/udp": {}}}),
        ('VOLUME ["/b"]\nVOLUME /a', {"Volumes": {"/a": {}, "/b": {}}}),
        ("CMD run it", {"Cmd": ["/bin/sh", "-c", "run it"]}),
        ('CMD ["run", "it"]', {"Cmd": ["run", "it"]}),
        ("CMD", {"Cmd": ["/bin/sh", "-c"]}),
        ("CMD []", {}),
        ("ENTRYPOINT run it", {"Entrypoint": ["/bin/sh", "-c", "run it"]}),
        ("ENTRYPOINT", {}),
        ('SHELL ["bash"]\nCMD a', {"Cmd": ["bash", "a"], "Shell": ["bash"]}),
        ("STOPSIGNAL SIGINT", {"StopSignal": "SIGINT"}),
        (
            "HEALTHCHECK --interval=5s --retries=3 CMD a",
            {"Healthcheck": {"Test": ["CMD-SHELL", "a"], "Interval": 5 * 10**9, "Retries": 3}},
        ),
        ('HEALTHCHECK CMD ["a"]', {"Healthcheck": {"Test": ["CMD", "a"]}}),
        ("HEALTHCHECK NONE", {"Healthcheck": {"Test": ["NONE"]}}),
        ("ONBUILD RUN a\nONBUILD COPY b c", {"OnBuild": ["RUN a", "COPY b c"]}),
        ("COPY a b\nADD c d\nRUN e\nARG f\nMAINTAINER me", {}),
    ],
)  # fmt: skip
def test_an_instruction_changes_the_settings(text: str, expected: dict[str, Any]) -> None:
    assert applied(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ENTRYPOINT a", ["/bin/sh", "-c", "a"]),
        ('CMD b\nENTRYPOINT ["a"]', ["a"]),
    ],
)
def test_an_entrypoint_takes_the_command_of_the_base_away_not_its_own(
    text: str, expected: list[str]
) -> None:
    made = applied(text, {"Cmd": ["sh"], "Entrypoint": ["init"]})
    assert made["Entrypoint"] == expected
    assert made.get("Cmd") == (["/bin/sh", "-c", "b"] if "CMD" in text else None)


def test_a_base_gives_its_settings_in_any_case_but_not_its_triggers() -> None:
    base = {"cmd": ["sh"], "Env": ["A=1", "ODD"], "OnBuild": ["RUN x"], "ArgsEscaped": True}
    assert applied("ENV B=$A", base) == {
        "Env": ["A=1", "ODD=", "B=1"],
        "Cmd": ["sh"],
        "ArgsEscaped": True,
    }
    with pytest.raises(InvalidDocument):
        applied("", {"Cmd": [], "cmd": []})


def test_a_base_is_left_as_it_was() -> None:
    base: dict[str, Any] = {"Labels": {"a": "1"}, "Volumes": {"/a": {}}, "Env": ["A=1"]}
    applied("LABEL b=2\nVOLUME /b\nENV B=2", base)
    assert base == {"Labels": {"a": "1"}, "Volumes": {"/a": {}}, "Env": ["A=1"]}


def test_windows_has_a_shell_of_its_own() -> None:
    assert applied("CMD dir", os="windows") == {"Cmd": ["cmd", "/S", "/C", "dir"]}


@pytest.mark.parametrize("text", ["9", "64", "+9", "SIGTERM", "term", "SIGRTMIN+15", "RTMAX-14"])
def test_a_signal_is_a_name_or_a_number(text: str) -> None:
    assert is_signal(text)


@pytest.mark.parametrize("text", ["", "0", "65", "-1", "SIG", "NOPE", "RTMIN+16", "٩", "9" * 50])
def test_what_is_no_signal_is_refused_at_its_line(text: str) -> None:
    assert not is_signal(text)
    if text:
        with pytest.raises(InvalidDockerfile, match="Invalid signal") as caught:
            applied(f"CMD a\nSTOPSIGNAL {text}")
        assert caught.value.line == 3
