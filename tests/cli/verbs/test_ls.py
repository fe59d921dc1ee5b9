from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from pytest_images.cli.verbs.ls import Row, listed
from pytest_images.model.digest import Digest
from pytest_images.model.reference import Reference
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from pytest_images.model.image import Image
    from tests.cli.conftest import Run

ONE, TWO = samples.image("one"), samples.image("two", size=20_000)
HEADER = "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n"


def short(sample: samples.Sample) -> str:
    return sample.config.id.encoded[:12]


def cells(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in text.splitlines()]


def test_an_empty_store_shows_the_header(run: Run) -> None:
    assert run("ls") == (0, HEADER, "")


def test_a_line_shows_name_id_age_and_size(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    [_, line] = cells(run("ls").out)
    assert line[:3] == ["app", "1", short(ONE)]
    assert re.fullmatch(r"\d+ \w+ ago", line[3])
    assert line[4] == "1kB"


def test_each_name_has_a_line(run: Run, store: Store) -> None:
    ONE.put(store, "app:1", "app:2", "localhost:5000/team/app:3")
    lines = cells(run("ls").out)[1:]
    assert [line[:2] for line in lines] == [
        ["app", "1"],
        ["app", "2"],
        ["localhost:5000/team/app", "3"],
    ]


def test_an_image_without_a_name_shows_as_none(run: Run, store: Store) -> None:
    ONE.put(store)
    [_, line] = cells(run("ls").out)
    assert line[:3] == ["<none>", "<none>", short(ONE)]


def test_names_of_docker_hub_are_short(run: Run, store: Store) -> None:
    ONE.put(store, "docker.io/library/alpine:3.12", "docker.io/team/app:1")
    assert sorted(line[0] for line in cells(run("ls").out)[1:]) == ["alpine", "team/app"]


@pytest.mark.parametrize("words", [["-q"], ["--quiet"], ["-q", "--format", "table"]])
def test_quiet_shows_the_ids_only(run: Run, store: Store, words: list[str]) -> None:
    ONE.put(store, "app:1")
    assert run("ls", *words).out == f"{short(ONE)}\n"


def test_quiet_shows_an_id_for_each_name(run: Run, store: Store) -> None:
    ONE.put(store, "app:1", "app:2")
    assert run("ls", "-aq").out == f"{short(ONE)}\n" * 2


def test_ids_can_be_shown_whole(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    assert run("ls", "-q", "--no-trunc").out == f"{ONE.config.id}\n"
    assert str(ONE.config.id) in run("ls", "--no-trunc").out


@pytest.mark.parametrize(
    ("pattern", "shown"), [("app", ["1", "2"]), ("app:2", ["2"]), ("a*", ["1", "2"]), ("no", [])]
)
def test_a_pattern_chooses_names(run: Run, store: Store, pattern: str, shown: list[str]) -> None:
    ONE.put(store, "app:1", "other:1")
    TWO.put(store, "app:2")
    assert sorted(line[1] for line in cells(run("ls", pattern).out)[1:]) == shown


def test_filters_choose_images(run: Run, store: Store) -> None:
    ONE.put(store)
    TWO.put(store, "app:2")
    assert run("ls", "-qf", "dangling=true").out == f"{short(ONE)}\n"
    assert run("ls", "-q", "--filter=dangling=false", "-f", "reference=app").out == (
        f"{short(TWO)}\n"
    )


def test_the_key_of_a_filter_may_be_written_in_any_case(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    assert run("ls", "-q", "-f", " Dangling = false").out == f"{short(ONE)}\n"


@pytest.mark.parametrize("words", [["-f", "bad"], ["--filter="]])
def test_a_filter_without_a_value_ends_with_status_125(run: Run, words: list[str]) -> None:
    done = run("ls", *words)
    assert done.status == 125
    assert "bad format of filter (expected name=value)" in done.err


@pytest.mark.parametrize("text", ["nope=1", "dangling=x"])
def test_a_filter_nobody_knows_is_refused(run: Run, text: str) -> None:
    done = run("ls", "--filter", text)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: ")
    assert text.split("=", maxsplit=1)[0] in done.err


def test_json_has_dockers_fields_and_escapes(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    [line] = run("ls", "--format", "json").out.splitlines()
    assert r'"Digest":"\u003cnone\u003e"' in line
    document = json.loads(line)
    assert document | {"CreatedAt": "", "CreatedSince": ""} == {
        "Containers": "N/A",
        "CreatedAt": "",
        "CreatedSince": "",
        "Digest": "<none>",
        "ID": short(ONE),
        "Repository": "app",
        "SharedSize": "N/A",
        "Size": "1kB",
        "Tag": "1",
        "UniqueSize": "N/A",
        "VirtualSize": "1kB",
    }
    assert list(document) == sorted(document)


def test_json_of_nothing_is_nothing(run: Run) -> None:
    assert run("ls", "--format=json") == (0, "", "")


def test_a_template_makes_a_line_for_each_name(run: Run, store: Store) -> None:
    ONE.put(store, "app:1", "team/app:2")
    done = run("ls", "--format", "{{.Repository}}:{{.Tag}} {{.Size}}")
    assert done == (0, "app:1 1kB\nteam/app:2 1kB\n", "")


def test_a_template_has_all_fields_that_docker_has(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    [document] = map(json.loads, run("ls", "--format", "json").out.splitlines())
    for name, value in document.items():
        assert run("ls", "--format", f"{{{{.{name}}}}}").out == f"{value}\n"
    assert json.loads(run("ls", "--format", "{{json .}}").out) == document


@pytest.mark.parametrize("options", [["-q"], ["--no-trunc"], []])
def test_quiet_means_nothing_to_a_template(run: Run, store: Store, options: list[str]) -> None:
    ONE.put(store, "app:1")
    shown = str(ONE.config.id) if "--no-trunc" in options else short(ONE)
    assert run("ls", *options, "--format", "{{.ID}}").out == f"{shown}\n"
    assert run("ls", *options, "--format", "table {{.ID}}").out.split() == ["IMAGE", "ID", shown]


def test_a_table_of_chosen_columns_has_their_headers(run: Run, store: Store) -> None:
    ONE.put(store, "app:1", "a-much-longer-name:2")
    done = run("ls", "--format", "table {{.Repository}}\\t{{upper .Tag}}\\t{{.Size}}")
    assert done.out == (
        "REPOSITORY           TAG       SIZE\n"
        "a-much-longer-name   2         1kB\n"
        "app                  1         1kB\n"
    )


def test_a_table_shows_digests_where_they_are_asked_for(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    store.add(ONE.manifest, ONE.config, (), [Reference.parse(f"app@{ONE.manifest.digest}")])
    chosen = run("ls", "--digests", "--format", "table {{.Tag}}").out
    assert cells(chosen) == [["TAG", "DIGEST"], ["1", str(ONE.manifest.digest)]]
    assert run("ls", "--format", "{{.Digest}}").out == f"{ONE.manifest.digest}\n"
    assert run("ls", "--format", "{{ .Digest }}").out == "<none>\n"


def test_an_unknown_field_names_those_there_are(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    done = run("ls", "--format", "{{.ID}} {{.Name}}")
    assert (done.status, done.out) == (1, "")
    [error, note] = done.err.splitlines()
    assert error == (
        'Error: template parsing error: template: :1:10: executing "" at <.Name>: '
        "can't evaluate field Name in type *formatter.imageContext"
    )
    assert ".Repository" in note


def test_a_template_that_cannot_be_read_says_where(run: Run) -> None:
    done = run("ls", "--format", "{{.ID")
    error = "Error: template parsing error: template: :1: unclosed action\n"
    assert done == (1, "", error)


def test_raw_lists_the_fields_of_each_image(run: Run, store: Store) -> None:
    ONE.put(store, "app:1")
    lines = run("ls", "--format", "raw").out.splitlines()
    assert lines[:3] == ["repository: app", "tag: 1", f"image_id: {short(ONE)}"]
    assert run("ls", "--format", "raw", "-q").out == f"image_id: {short(ONE)}\n"


def test_more_than_one_pattern_is_refused(run: Run) -> None:
    done = run("ls", "a", "b")
    assert done.status == 1
    assert done.err.startswith("pytest-images: 'pytest-images ls' requires at most 1 argument\n")


PIN = Digest.of(b"a manifest")
OTHER_PIN = Digest.of(b"another")


def image(tags: list[str], digests: list[str]) -> Image:
    from pytest_images.model.image import Image

    return Image(
        ONE.config.id,
        ONE.manifest.descriptor,
        ONE.config.platform,
        tags=tuple(map(Reference.parse, tags)),
        digests=tuple(map(Reference.parse, digests)),
    )


def texts(found: list[Row]) -> list[tuple[str, str, str]]:
    return [(row.repository, row.tag, row.digest) for row in found]


def test_digests_stand_beside_the_tags_of_their_repository() -> None:
    both = image(["app:1", "other:1"], [f"app@{PIN}"])
    assert texts(listed([both], digests=True)) == [
        ("app", "1", str(PIN)),
        ("other", "1", "<none>"),
    ]


def test_several_digests_have_a_line_each() -> None:
    both = image(["app:1"], [f"app@{PIN}", f"app@{OTHER_PIN}"])
    assert texts(listed([both], digests=True)) == [
        ("app", "1", str(PIN)),
        ("app", "1", str(OTHER_PIN)),
    ]
    assert texts(listed([both], digests=False)) == [("app", "1", "<none>")]


def test_a_repository_known_by_digest_only_has_a_line_without_a_tag() -> None:
    pinned = image(["x:1"], [f"app@{PIN}", f"app@{OTHER_PIN}"])
    assert texts(listed([pinned], digests=False))[1:] == [("app", "<none>", "<none>")]
    assert texts(listed([pinned], digests=True))[1:] == [
        ("app", "<none>", str(PIN)),
        ("app", "<none>", str(OTHER_PIN)),
    ]
