from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.cli.inspected import filled, typed
from pytest_images.errors import InvalidTemplate
from pytest_images.template.functions import FUNCTIONS
from pytest_images.template.lexer import KEYWORDS
from pytest_images.template.template import Template
from tests.docker_answers import answering
from tests.template.dialect import CASES, DOCUMENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker_answers import Answers
    from tests.peers import Docker

ADDRESS = re.compile(r"0xc[0-9a-f]{9}")
FULL: dict[str, Any] = {
    **DOCUMENT,
    "Variant": "v8",
    "OsVersion": "10.0",
    "Config": {
        **DOCUMENT["Config"],
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 90_000_000_000, "Retries": 3},
        "Shell": ["/bin/sh", "-c"],
        "StopSignal": "SIGINT",
    },
    "Metadata": {"LastTagTime": "2024-05-01T10:00:00.5+02:00"},
    "Descriptor": {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": "sha256:" + "c" * 64,
        "size": 524,
        "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
    },
}
ABOUT_FULL = [
    "{{.Variant}} {{.OsVersion}}",
    "{{.Config.Healthcheck}} {{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Timeout}}",
    "{{json .Config.Healthcheck}} {{json .Config.Shell}} {{.Config.StopSignal}}",
    '{{printf "%d %s %v %T" .Config.Healthcheck.Interval .Config.Healthcheck.Interval 1 .Size}}',
    "{{.Metadata.LastTagTime}} {{json .Metadata}}",
    "{{.Descriptor.Digest}} {{.Descriptor.MediaType}} {{.Descriptor.Size}}",
    "{{.Descriptor.Platform.OS}} {{.Descriptor.Platform}} {{json .Descriptor}}",
    "{{.Descriptor.platform.os}} {{.Descriptor.digest}}",
    "{{json .}}",
]


def ours(template: str, document: dict[str, Any]) -> str:
    try:
        return filled(Template.parse(template), document)
    except InvalidTemplate as error:
        return str(error)


@pytest.fixture(scope="module")
def docker() -> Iterator[tuple[Docker, Answers]]:
    with answering() as found:
        yield found


def theirs(docker: Docker, template: str) -> str:
    done = docker.run("image", "inspect", "image", "--format", template)
    if done.returncode:
        return done.stderr.decode().removesuffix("\n")
    return ADDRESS.sub("0xc000000000", done.stdout.decode("utf-8", "surrogateescape")[:-1])


@pytest.mark.parametrize(("template", "expected"), CASES, ids=[case[0] for case in CASES])
def test_a_template_prints_what_docker_prints(template: str, expected: str) -> None:
    assert ours(template, DOCUMENT) == expected


@pytest.mark.peer("docker")
@pytest.mark.parametrize("part", range(4))
def test_the_table_is_what_docker_prints(docker: tuple[Docker, Answers], part: int) -> None:
    client, answers = docker
    answers.inspected = DOCUMENT
    cases = CASES[part::4]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda case: theirs(client, case[0]), cases))
    assert dict(zip([case[0] for case in cases], found, strict=True)) == dict(cases)


@pytest.mark.peer("docker")
def test_what_images_seldom_have_prints_as_dockers_client_prints_it(
    docker: tuple[Docker, Answers],
) -> None:
    client, answers = docker
    answers.inspected = FULL
    for template in ABOUT_FULL:
        assert ours(template, FULL) == theirs(client, template)


def test_the_table_has_each_function_and_keyword() -> None:
    text = " ".join(template for template, _ in CASES)
    assert [word for word in (*FUNCTIONS, *KEYWORDS) if not re.search(rf"\b{word}\b", text)] == []


@pytest.mark.parametrize(
    ("changed", "template", "expected"),
    [
        ({"RepoTags": "app"}, "{{.RepoTags}}", "app"),
        ({"Size": 1.5}, "{{.Size}}", "1.5"),
        ({"Config": []}, "{{.Config}}", "[]"),
        ({"Config": {"Labels": {"a": 1}}}, "{{.Config.Labels.a}}", "1"),
    ],
)
def test_what_has_other_types_than_dockers_is_filled_in_without_them(
    changed: dict[str, Any], template: str, expected: str
) -> None:
    assert typed(DOCUMENT | changed) is None
    assert ours(template, DOCUMENT | changed) == expected
