from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

ONE, TWO = samples.image("one", labels={"moves": "\x9b2J", "name": "größe"}), samples.image("two")


def test_an_image_is_printed_as_an_array_indented_by_four(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    done = run("inspect", "app:1")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f'[\n    {{\n        "Id": "{ONE.config.id}",\n')
    assert done.out.endswith("    }\n]\n")
    [document] = json.loads(done.out)
    assert document["RepoTags"] == ["app:1"]
    assert document["Config"]["Labels"] == {"moves": "\x9b2J", "name": "größe"}


def test_labels_cannot_move_the_cursor(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    assert "\x9b" not in run("inspect", "app:1").out


def test_several_are_printed_in_the_order_asked(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    TWO.put(store, "app:2")
    found = json.loads(run("inspect", "app:2", ONE.config.id.encoded[:8], "app:2").out)
    assert [document["Id"] for document in found] == [
        str(TWO.config.id),
        str(ONE.config.id),
        str(TWO.config.id),
    ]


def test_what_is_missing_leaves_an_empty_array(run: Run) -> None:
    done = run("inspect", "missing")
    assert (done.status, done.out) == (1, "[]\n")
    assert done.err.startswith("Error: No such image: missing")


def test_what_is_there_is_printed_though_another_is_missing(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    done = run("inspect", "first", "app:1", "last")
    assert done.status == 1
    assert [document["RepoTags"] for document in json.loads(done.out)] == [["app:1"]]
    assert [line.split(",")[0] for line in done.err.splitlines() if "Error" in line] == [
        line for line in done.err.splitlines() if "Error" in line
    ]
    assert "first" in done.err
    assert "last" in done.err


def test_json_is_printed_in_one_line(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    [line] = run("inspect", "--format", "json", "app:1").out.splitlines()
    assert json.loads(line)[0]["Id"] == str(ONE.config.id)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{.Id}}", str(ONE.config.id)),  # by the name in JSON
        ("{{.ID}}", str(ONE.config.id)),  # by the name in Docker's source
        ("{{.Id}} {{json .RepoTags}}", f'{ONE.config.id} ["app:1"]'),
        ("{{range .RepoTags}}<{{.}}>{{end}}", "<app:1>"),
        ('{{index .Config.Labels "name"}}', "größe"),
        ("{{.Config.Labels.missing}}", "<no value>"),
        ("{{.Variant}}|{{.Config.User}}", "|"),
        ("{{.Config.Entrypoint}} {{json .Config.Entrypoint}}", "[] null"),
        (
            "{{.Architecture}}/{{.Os}} {{.RootFS.Type}} {{len .RootFS.Layers}}",
            "amd64/linux layers 1",
        ),
        ('{{printf "%T %d" .Size .Size}}', "int64 1000"),
        ("{{.Metadata}}", "{0001-01-01 00:00:00 +0000 UTC}"),
        ("table {{.Os}}", "table linux"),
    ],
)
def test_a_template_is_filled_in(run: Run, store: Store, template: str, expected: str) -> None:
    ONE.put(store, "app:1")
    done = run("inspect", "-f", template, "app:1")
    assert done == (0, f"{expected}\n", "")


def test_a_field_that_is_not_there_is_said_and_the_others_are_printed(
    run: Run, store: Store
) -> None:
    ONE.put(store, "app:1")
    done = run("inspect", "-f", "{{.Foo}}", "app:1")
    assert (done.status, done.out) == (1, "\n")
    assert done.err == (
        'Error: template parsing error: template: :1:2: executing "" at <.Foo>: '
        'map has no entry for key "Foo"\n'
    )
    done = run("inspect", "-f", "{{.Id}}", "missing", "app:1")
    assert (done.status, done.out) == (1, f"{ONE.config.id}\n")


def test_a_template_that_cannot_be_read_ends_as_dockers_does(run: Run) -> None:
    done = run("inspect", "-f", "{{.Id", "app:1")
    assert done == (64, "", "Error: template parsing error: template: :1: unclosed action\n")


@pytest.mark.parametrize(("platform", "status"), [("linux/amd64", 0), ("linux/s390x", 1)])
def test_another_platform_than_the_images_is_refused(
    run: Run, store: Store, platform: str, status: int
) -> None:
    ONE.put(store, "app:1")
    assert run("inspect", "--platform", platform, "app:1").status == status


def test_a_platform_that_is_none_is_refused(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    done = run("inspect", "--platform", "a/b/c/d", "app:1")
    assert done.status == 1
    assert "invalid platform" in done.err
