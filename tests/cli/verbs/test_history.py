from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from pytest_images.testing import samples
from tests.histories import step, with_history

if TYPE_CHECKING:
    from pytest_images.content.store import Store
    from tests.cli.conftest import Run

EMPTY = {"empty_layer": True}
LONG = "/bin/sh -c #(nop) COPY file:753417d99a1eaf79f48f9ad6e7bec05a5f7a63c30f5f13bf42b in / "
SAMPLE = with_history(
    samples.image("one", size=1234),
    step(LONG, created="2000-01-02T03:04:05.678Z", comment="first"),
    step('/bin/sh -c #(nop)  CMD ["/hello"]', created="1970-01-01T00:00:00Z", **EMPTY),
)
ID = SAMPLE.config.id.encoded


def cells(text: str) -> list[list[str]]:
    return [re.split(r" {3,}", line.rstrip()) for line in text.splitlines()]


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_the_newest_step_has_the_id_and_the_others_are_missing(run: Run, store: Store) -> None:
    SAMPLE.put(store, "app:1")
    done = run("history", "app:1")
    assert (done.status, done.err) == (0, "")
    header, newest, oldest = cells(done.out)
    assert header == ["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"]
    assert newest == [ID[:12], "N/A", '/bin/sh -c #(nop)  CMD ["/hello"]', "0B"]
    assert re.fullmatch(r"\d\d years ago", oldest.pop(1))
    assert oldest == ["<missing>", LONG[:44] + "…", "1.23kB", "first"]


def test_sizes_and_times_can_be_plain(run: Run, store: Store) -> None:
    SAMPLE.put(store, "app:1")
    header, newest, oldest = cells(run("history", "--human=false", "app:1").out)
    assert header[1] == "CREATED AT"
    assert (newest[1], newest[3]) == ("1970-01-01T00:00:00Z", "0")
    assert (oldest[1], oldest[3]) == ("2000-01-02T03:04:05Z", "1234")
    assert run("history", "-H", "app:1") == run("history", "app:1")


def test_nothing_is_cut_when_asked(run: Run, store: Store) -> None:
    SAMPLE.put(store, "app:1")
    _, newest, oldest = cells(run("history", "--no-trunc", "app:1").out)
    assert newest[0] == f"sha256:{ID}"
    assert oldest[2] == LONG.rstrip()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-q"], [ID[:12], "<missing>"]),
        (["-q", "--no-trunc"], [f"sha256:{ID}", "<missing>"]),
        (["--quiet", "--format", "table"], [ID[:12], "<missing>"]),
    ],
)
def test_ids_alone(run: Run, store: Store, options: list[str], expected: list[str]) -> None:
    SAMPLE.put(store, "app:1")
    assert run("history", *options, "app:1").out.splitlines() == expected


def test_json_has_dockers_fields_and_escapes(run: Run, store: Store) -> None:
    SAMPLE.put(store, "app:1")
    newest, oldest = run("history", "--format", "json", "app:1").out.splitlines()
    assert newest == (
        '{"Comment":"","CreatedAt":"1970-01-01T00:00:00Z",'
        '"CreatedBy":"/bin/sh -c #(nop)  CMD [\\"/hello\\"]","CreatedSince":"N/A",'
        f'"ID":"{ID[:12]}","Size":"0B"}}'
    )
    assert oldest.endswith('"ID":"\\u003cmissing\\u003e","Size":"1.23kB"}')
    assert json.loads(oldest)["CreatedBy"] == LONG[:44] + "…"


def test_a_step_of_several_lines_breaks_the_table_as_with_docker(run: Run, store: Store) -> None:
    sample = with_history(samples.image("one"), step("RUN <<E\n\ta\nE"))
    sample.put(store, "app:1")
    lines = run("history", "app:1").out.splitlines()
    assert lines[1].endswith("RUN <<E")
    assert lines[2] == " a"
    assert lines[3].split() == ["E", "1kB"]


def test_a_step_cannot_move_the_cursor(run: Run, store: Store) -> None:
    with_history(samples.image("one"), step("RUN \x1b[2J", comment="\x9b")).put(store, "app:1")
    for options in ([], ["--no-trunc"], ["--format", "json"]):
        out = run("history", *options, "app:1").out
        assert "\x1b" not in out and "\x9b" not in out


def test_an_image_without_a_history_has_a_header_alone(run: Run, store: Store) -> None:
    with_history(samples.image("one")).put(store, "app:1")
    assert len(run("history", "app:1").out.splitlines()) == 1


def test_a_template_makes_a_line_for_each_step(run: Run, store: Store) -> None:
    SAMPLE.put(store, "app:1")
    assert run("history", "--format", "{{.ID}} {{.Size}}", "app:1").out.splitlines() == [
        f"{ID[:12]} 0B",
        "<missing> 1.23kB",
    ]
    table = run("history", "-q", "--format", "table {{.ID}}\\t{{.Size}}", "app:1").out
    assert table.splitlines()[0] == "IMAGE          SIZE"
    assert "historyContext" in run("history", "--format", "{{.Foo}}", "app:1").err


def test_what_is_missing_is_named(run: Run) -> None:
    done = run("history", "missing")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("Error: No such image: missing")


@pytest.mark.parametrize(("platform", "status"), [("linux/amd64", 0), ("linux/s390x", 1)])
def test_another_platform_than_the_images_is_refused(
    run: Run, store: Store, platform: str, status: int
) -> None:
    SAMPLE.put(store, "app:1")
    assert run("history", "--platform", platform, "app:1").status == status
