"""`build`, end to end in the store."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from pytest_images.builder.scratch import at_work
from pytest_images.errors import BuildError, InvalidDockerfile, InvalidUsage
from pytest_images.images import Images
from pytest_images.model.secret import Secret

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store

SECRET = "c4n4ry-s3cret"


def test_a_mapping_of_names_is_a_context(images: Images) -> None:
    result = images.build(
        {"Dockerfile": b'FROM scratch\nCOPY a/b.txt /c/\nENV X=1\nCMD ["/x"]\n', "a/b.txt": b"hi"},
        tags="built:1",
    )
    assert result.image is not None
    assert (images.files("built:1") / "c/b.txt").read_text() == "hi"
    assert images.config("built:1").settings.environment["X"] == "1"
    assert result.image.tags[0].familiar == "built:1"


def test_building_twice_gives_the_same_image_and_does_nothing(images: Images) -> None:
    context = {"Dockerfile": b"FROM scratch\nCOPY a /\nWORKDIR /w\n", "a": b"1"}
    first, second = images.build(context), images.build(context)
    assert first.image is not None
    assert second.image is not None
    assert first.image.id == second.image.id
    assert "CACHED" not in first.log
    assert second.log.count("CACHED") == 2


def test_a_changed_file_is_no_cache_hit_and_a_changed_time_is(
    images: Images, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY f /\n")
    (tmp_path / "f").write_text("1")
    first = images.build(tmp_path)
    (tmp_path / "f").touch()
    assert "CACHED" in images.build(tmp_path).log
    (tmp_path / "f").write_text("2")
    second = images.build(tmp_path)
    assert "CACHED" not in second.log
    assert first.image != second.image


def test_a_wrong_dockerfile_is_told_by_its_line(images: Images) -> None:
    with pytest.raises(InvalidDockerfile, match=r"Dockerfile:2: .*not found"):
        images.build({"Dockerfile": b"FROM scratch\nCOPY missing /\n"})


def test_run_changes_the_image_and_its_output_is_in_the_log(images: Images, alpine: str) -> None:
    text = f"FROM {alpine}\nARG V=7\nRUN echo made-$V | tee /made\n"
    result = images.build({}, dockerfile_text=text, tags="made")
    assert "made-7" in result.log
    assert (images.files("made") / "made").read_text() == "made-7\n"


def test_a_failed_command_ends_the_build_with_its_log(images: Images, alpine: str) -> None:
    text = f"FROM {alpine}\nRUN echo before; exit 7\n"
    with pytest.raises(BuildError, match=r"Dockerfile:2: .*status 7") as caught:
        images.build({}, dockerfile_text=text)
    assert caught.value.status == 7
    assert "before" in caught.value.log


def test_a_secret_is_seen_by_its_command_and_nowhere_else(images: Images, alpine: str) -> None:
    text = (
        f"FROM {alpine}\n"
        "RUN --mount=type=secret,id=token,required=true"
        " cat /run/secrets/token && wc -c < /run/secrets/token > /length\n"
    )
    result = images.build({}, dockerfile_text=text, secrets={"token": Secret(SECRET)}, tags="s")
    assert (images.files("s") / "length").read_text().strip() == str(len(SECRET))
    assert "***" in result.log
    assert SECRET not in result.log
    assert SECRET not in repr(images.history("s"))


def test_stages_share_files_and_only_what_is_needed_is_built(images: Images, alpine: str) -> None:
    text = (
        f"FROM {alpine} AS unused\nRUN exit 1\n"
        f"FROM {alpine} AS maker\nRUN echo out > /out\n"
        "FROM scratch\nCOPY --from=maker /out /\n"
    )
    images.build({}, dockerfile_text=text, tags="staged")
    assert [path.name for path in images.files("staged").iterdir()] == ["out"]


def test_a_script_stands_in_the_history_by_its_first_line(images: Images, alpine: str) -> None:
    text = f"FROM {alpine}\nRUN <<EOF\nset -e\necho hi > /hi\nEOF\n"
    images.build({}, dockerfile_text=text, tags="scripted")
    assert images.history("scripted")[0].created_by == "RUN /bin/sh -c <<EOF (set -e...)"


def test_what_a_killed_build_left_goes_with_the_next_one(
    images: Images, alpine: str, store: Store
) -> None:
    steps = store.workspace("steps")
    (steps / "run-left" / "inner").mkdir(parents=True)
    (steps / "context-left").touch()
    images.build({}, dockerfile_text=f"FROM {alpine}\nRUN true\n")
    assert {path.name.partition("-")[0] for path in steps.iterdir()} <= {"sandbox"}


def test_what_a_build_at_work_has_on_the_disk_is_its_own(
    images: Images, alpine: str, store: Store
) -> None:
    mine = store.workspace("steps") / "run-mine"
    with at_work(store):
        mine.mkdir()
        images.build({}, dockerfile_text=f"FROM {alpine}\nRUN true\n")
        assert mine.exists()


def test_a_linked_copy_is_no_hit_for_one_that_follows_links(images: Images) -> None:
    """The same files to the same place: with ``--link`` the layer is another one."""
    base = b"FROM scratch\nADD base.tar /\n"
    context = {"base.tar": _with_a_link(), "a": b"1"}
    images.build({**context, "Dockerfile": base + b"COPY a /lib/\n"}, tags="followed")
    images.build({**context, "Dockerfile": base + b"COPY --link a /lib/\n"}, tags="linked")
    assert (images.files("followed") / "usr/lib/a").exists()
    assert not (images.files("linked") / "usr/lib/a").exists()


def _with_a_link() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        link = tarfile.TarInfo("lib")
        link.type, link.linkname = tarfile.SYMTYPE, "usr/lib"
        tar.addfile(link)
    return out.getvalue()


def test_a_path_that_cannot_be_looked_at_is_told_where_it_is_asked_for(
    images: Images, tmp_path: Path
) -> None:
    """A name that no file can have, or a folder that is not for this user."""
    name = "n" * 300
    (tmp_path / "Dockerfile").write_text(f"FROM scratch\nCOPY {name} /\n")
    with pytest.raises(InvalidDockerfile, match=f"Dockerfile:2: {name}: File name too long"):
        images.build(tmp_path)
    with pytest.raises(InvalidUsage, match='": File name too long'):
        images.build(tmp_path, dockerfile=name)
