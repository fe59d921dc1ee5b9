"""Formats of lists, side by side with Docker's client, which is told what our store holds."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images import Host
from pytest_images.cli.formats import formatted, rows_of
from pytest_images.errors import InvalidTemplate
from pytest_images.model.reference import Reference
from pytest_images.testing import samples
from tests.docker_answers import answering
from tests.histories import step, with_history

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.model.image import HistoryLine
    from tests.cli.conftest import Run
    from tests.docker_answers import Answers
    from tests.peers import Docker

ONE, TWO = samples.image("one"), samples.image("two", size=20_000)
THREE = samples.image("three", size=3_456_789)
THEN = "2000-01-02T03:04:05.678Z"
LS = [
    [],
    ["-q"],
    ["--digests"],
    ["--no-trunc"],
    *[
        ["--format", template]
        for template in (
            "table",
            "json",
            "raw",
            "{{.ID}}",
            "{{json .}}",
            "{{json .Tag}}",
            "{{.Repository}}:{{.Tag}} {{.Size}} {{.VirtualSize}}",
            "{{.Digest}}",
            "{{ .Digest }}",
            "{{.CreatedSince}}|{{.CreatedAt}}",
            "{{.SharedSize}} {{.UniqueSize}} {{.Containers}}",
            "table {{.ID}}\t{{.Tag}}",
            "table {{.ID}}\\t{{.Tag}}\\n{{.Size}}",
            "table {{.Repository}} {{.ID}}\\t|",
            "table\t{{.ID}}",
            "table{{.ID}}",
            "tablefoo {{.ID}}",
            " table {{.ID}}",
            "table {{upper .Repository}}\t{{lower .ID}}\t{{title .Tag}}\t{{truncate .Tag 2}}",
            "table {{pad .Tag 1 2}}\t{{len .Tag}}\t{{split .Tag \"A\"}}\t{{json .Size}}",
            "table {{.Repository}}\t{{json .}}",
            'table {{if eq .Tag "1"}}one{{else}}{{.Tag}}{{end}}\t{{.Size}}',
            'table {{printf "%5s" .Tag}}\t{{.CreatedAt}}\t{{.VirtualSize}}\t{{.UniqueSize}}',
            "table {{.Digest}}",
            "",
            " ",
            "x\\ty\\n",
            " {{.ID}} |",
            '{{.ID}}{{"\\n"}}',
            "{{.Foo}}",
            "{{.ID}}{{.Foo}}",
            "table {{.Foo}}",
            "{{.ID.Foo}}",
            '{{.ID "x"}}',
            "{{.ID",
            "{{foo .ID}}",
            "table {{range .ID}}{{end}}",
            "{{with .Tag}}{{.}}{{end}}{{range $i, $p := split .Size \".\"}}[{{$i}}{{$p}}]{{end}}",
            '{{define "t"}}<{{.Tag}}>{{end}}{{template "t" .}}',
            "{{$x := .Tag}}{{$x}}{{$.ID}}",
            '{{printf "%T" .}}',
        )
    ],
    ["-q", "--format", "table"],
    ["-q", "--format", "json"],
    ["-q", "--format", "{{.Tag}}"],
    ["-q", "--format", "raw"],
    ["--digests", "--format", "raw"],
    ["--digests", "--format", "json"],
    ["--digests", "--format", "table {{.Tag}}"],
    ["--digests", "--format", "table {{.Tag}}\t{{.Digest}}"],
    ["--digests", "--format", "table {{.Tag}} {{ .Digest }}"],
    ["--no-trunc", "--format", "{{.ID}}"],
]  # fmt: skip
HISTORY = [
    [],
    ["-q"],
    ["-H=false"],
    ["--no-trunc"],
    *[
        ["--format", template]
        for template in (
            "table",
            "json",
            "{{json .}}",
            "{{.ID}} {{.CreatedAt}} {{.CreatedBy}} {{.Size}} {{.Comment}}",
            "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Comment}}",
            "table {{.CreatedBy}} {{.Foo}}",
            "{{.Foo}}",
            "{{.ID",
        )
    ],
    ["-q", "--format", "table {{.Size}}"],
    ["-H=false", "--format", "{{.Size}} {{.CreatedAt}}"],
    ["-H=false", "--format", "table {{.Size}}\t{{.CreatedSince}}"],
    ["--no-trunc", "--format", "{{.ID}} {{.CreatedBy}}"],
]


@pytest.fixture(scope="module")
def docker() -> Iterator[tuple[Docker, Answers]]:
    with answering() as found:
        yield found


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def listed(store: Store) -> list[dict[str, Any]]:
    """What Docker's engine would say of the images in *store*."""
    return [
        {
            "Id": str(image.id),
            "ParentId": "",
            "RepoTags": [tag.familiar for tag in image.tags],
            "RepoDigests": [name.familiar for name in image.digests],
            "Created": int(image.created.timestamp()) if image.created else 0,
            "Size": image.size,
            "SharedSize": -1,
            "Containers": -1,
            "Labels": None,
        }
        for image in store.images()
    ]


def told(line: HistoryLine) -> dict[str, Any]:
    """What Docker's engine would say of one step."""
    return {
        "Id": str(line.id or "<missing>"),
        "Created": int(datetime.fromisoformat(line.created).timestamp()),
        "CreatedBy": line.created_by,
        "Tags": None,
        "Size": line.size,
        "Comment": line.comment,
    }


def compared(run: Run, docker: Docker, words: list[str]) -> None:
    """Hold our command against Docker's client: all that is printed, and the exit status."""
    theirs, ours = docker.run("image", *words), run(*words)
    assert ours.out == theirs.stdout.decode()
    assert ours.status == theirs.returncode
    error = theirs.stderr.decode()
    assert ours.err.splitlines()[:1] == [f"Error: {line}" for line in error.splitlines()]


@pytest.mark.peer("docker")
@pytest.mark.parametrize("options", LS, ids=" ".join)
def test_ls_prints_what_dockers_client_prints(
    run: Run, store: Store, docker: tuple[Docker, Answers], options: list[str]
) -> None:
    ONE.put(store, "app:1", "app:a-longer-tag")  # more repositories come in no order
    TWO.put(store, "localhost:5000/team/app:2")
    THREE.put(store)
    store.add(ONE.manifest, ONE.config, (), [Reference.parse(f"app@{ONE.manifest.digest}")])
    run("ls")  # which measures
    client, answers = docker
    answers.listed = listed(store)
    compared(run, client, ["ls", *options])


@pytest.mark.peer("docker")
@pytest.mark.parametrize("options", HISTORY, ids=" ".join)
def test_history_prints_what_dockers_client_prints(
    run: Run, store: Store, home: Path, docker: tuple[Docker, Answers], options: list[str]
) -> None:
    sample = with_history(
        samples.image("one", layers=2),
        step(
            "/bin/sh -c #(nop) COPY file:753417d99a1eaf79f4 in / ",
            comment="a",
            created=THEN,
        ),
        step('CMD ["/hello"]', created=THEN, empty_layer=True),
        step("RUN <<E\n\ta\nE", created=THEN),
    )
    sample.put(store, "app:1")
    client, answers = docker
    with Host(home=home, load_entry_points=False) as host:
        answers.history = [told(line) for line in host.images.history("app:1")]
    compared(run, client, ["history", *options, "app:1"])


def test_rows_of_fields_make_lines() -> None:
    kind, rows = rows_of("df.context", {"Type": "TYPE"}, [{"Type": "Images"}, {"Type": "Cache"}])
    assert formatted("table {{.Type}}", kind, rows) == "TYPE\nImages\nCache\n"


def test_a_field_that_is_unknown_is_an_error_where_there_are_lines_alone() -> None:
    kind, none = rows_of("df.context", {"Type": "TYPE"}, [])
    assert formatted("table {{.Foo}}", kind, none) == "<no value>\n"
    kind, rows = rows_of("df.context", {"Type": "TYPE"}, [{"Type": "Images"}])
    with pytest.raises(InvalidTemplate, match=r"in type \*df.context"):
        formatted("{{.Foo}}", kind, rows)
