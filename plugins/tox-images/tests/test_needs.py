"""What the lines of a tox.ini mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tox_images.needs import Build, Needs, Pull

from pytest_images import ImagesError, InvalidUsage, Platform, Reference

ROOT = Path("/project")
ALPINE = Reference.parse("alpine:3.20")


def read(*images: str, builds: tuple[str, ...] = ()) -> dict[str, Pull | Build]:
    return dict(Needs.read(images, builds, ROOT))


@pytest.mark.parametrize(
    ("line", "variable"),
    [
        ("alpine:3.20", "ALPINE"),
        ("docker.io/library/alpine:3.20", "ALPINE"),
        ("base = alpine:3.20", "BASE"),
        ("base=alpine:3.20", "BASE"),
        ("data-base.1 = alpine:3.20", "DATA_BASE_1"),
    ],
)
def test_a_pull_is_called_by_its_name_or_its_repository(line: str, variable: str) -> None:
    assert read(line) == {variable: Pull(ALPINE)}


@pytest.mark.parametrize("option", ["--platform linux/arm64", "--platform=linux/arm64"])
def test_a_pull_has_a_platform(option: str) -> None:
    wanted = Pull(ALPINE, Platform.parse("linux/arm64"))
    assert read(f"alpine:3.20 {option}") == {"ALPINE": wanted}
    assert read(f"base = alpine:3.20 {option}") == {"BASE": wanted}


def test_a_digest_and_a_port_are_part_of_a_reference() -> None:
    text = f"127.0.0.1:5000/team/my-app@sha256:{'a' * 64}"
    assert read(text) == {"MY_APP": Pull(Reference.parse(text))}


def test_a_build_is_called_by_its_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERE", "there")
    monkeypatch.delenv("NOWHERE", raising=False)
    options = "--target t -f other/Dockerfile --build-arg A=b=c --build-arg HERE"
    line = f"registry.test/team/web:test = docker/web {options} --build-arg NOWHERE"
    assert read(builds=(line,)) == {
        "WEB": Build(
            Reference.parse("registry.test/team/web:test"),
            ROOT / "docker/web",
            "other/Dockerfile",
            "t",
            (("A", "b=c"), ("HERE", "there")),
        )
    }


def test_words_are_quoted_as_in_a_shell() -> None:
    [build] = read(builds=("app = 'my folder' --build-arg \"A=b c\"",)).values()
    assert isinstance(build, Build)
    assert (build.folder, build.args) == (ROOT / "my folder", (("A", "b c"),))


def test_pulls_come_before_builds() -> None:
    assert list(read("z", builds=("a = .",))) == ["Z", "A"]


@pytest.mark.parametrize("other", ["db = b", "db-id = b", "db.digest = b"])
def test_no_two_images_have_a_variable_in_common(other: str) -> None:
    for lines in (("db = a", other), (other, "db = a")):
        with pytest.raises(InvalidUsage, match="another image has variables"):
            read(*lines)


@settings(deadline=None)
@given(st.text())
def test_any_line_is_read_or_refused(line: str) -> None:
    for images, builds in ((line,), ()), ((), (line,)):
        try:
            Needs.read(images, builds, ROOT)
        except ImagesError as error:
            assert str(error)
