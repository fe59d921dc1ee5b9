"""Instructions that reach for more than is theirs (rows B06 to B10, B13 and B16)."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from pytest_images.errors import BuildError, ImageNotFound, ImagesError, InvalidDockerfile
from pytest_images.hookspecs import hookimpl
from pytest_images.testing import samples
from tests.engine.hostile import holders, refused_whole, saying, tar
from tests.faults.server import Fault, FaultRegistry
from tests.ledger import refused

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_images.content.store import Store
    from pytest_images.host import Host
    from pytest_images.images import Images
    from pytest_images.model.reference import Reference
    from tests.engine.conftest import Put
    from tests.ledger import Ledger

CANARY = b"outside of everything"


@pytest.fixture(autouse=True)
def _account(ledger: Ledger) -> None:
    """Every test here leaves nothing, and the canary as it was."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the host, with the canary's text in a file."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "host").write_bytes(CANARY)
    return folder


def planted(outside: Path) -> bytes:
    """Return the tar of a root whose links lead to *outside*, and to the real root."""
    return tar(out=str(outside), up="../../../..", root="/", fd="/proc/self/fd/3", a=b"1")


# B06: files of stages and images.


@pytest.mark.parametrize(
    "link", ["out/host", "up{}/host", "root{}/host", "fd", "proc/self/environ"]
)
def test_a_stage_gives_only_its_own_files(
    images: Images, outside: Path, home: Path, link: str
) -> None:
    """B06: links lead inside of the stage, wherever they would lead on the host."""
    text = (
        "FROM scratch AS other\nADD root.tar /\n"
        f"FROM scratch\nCOPY --from=other /{link.format(outside)} /x\n"
    )
    with refused(InvalidDockerfile, "Dockerfile:4", "not found"):
        images.build({"root.tar": planted(outside)}, dockerfile_text=text)
    assert holders(home, CANARY) == []


def test_a_whole_stage_is_copied_with_its_links_as_links(
    images: Images, outside: Path, home: Path
) -> None:
    """B06."""
    text = "FROM scratch AS other\nADD root.tar /\nFROM scratch\nCOPY --from=other /root/ /all/\n"
    images.build({"root.tar": planted(outside)}, dockerfile_text=text, tags="app:1")
    assert (images.files("app:1") / "all/out").readlink() == str(outside)
    assert (images.files("app:1") / "all/a").read_bytes() == b"1"
    assert holders(home, CANARY) == []


class Strict:
    """Knows no image, and remembers who was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @hookimpl
    def registry_resolve(self, images: Images, reference: Reference) -> Reference:
        self.asked.append(str(reference))
        raise ImageNotFound(str(reference), "the list of what may be used")


@pytest.mark.parametrize(
    "line", ["COPY --from=never.test/a:1 / /", "RUN --mount=from=never.test/a:1,target=/m true"]
)
def test_an_image_that_files_are_taken_of_is_asked_for_as_every_other(
    host: Host, images: Images, store: Store, line: str
) -> None:
    """B06: whoever decides which images may be used decides here too."""
    strict = Strict()
    host.register(strict)
    with refused_whole(store, ImageNotFound, "never.test/a:1"):
        images.build({}, dockerfile_text=f"FROM scratch\n{line}\n")
    assert strict.asked == ["never.test/a:1"]


# B07: destinations through links.

PLANTED = ["COPY a {}/x", "ADD a {}/x", "ADD more.tar {}/", "WORKDIR {}/w", "COPY --link a {}/x"]


@pytest.mark.parametrize("line", PLANTED)
@pytest.mark.parametrize("way", ["/out", "/up{}", "/root{}", "/chain"])
def test_a_destination_through_a_link_is_a_place_inside(
    images: Images, outside: Path, home: Path, line: str, way: str
) -> None:
    """B07: links that an earlier step planted."""
    root = tar(out=str(outside), up="../../..", root="/", chain="out", a=b"1")
    text = f"FROM scratch\nADD root.tar /\n{line.format(way.format(outside))}\n"
    context = {"root.tar": root, "a": b"1", "more.tar": tar(x=b"2")}
    images.build(context, dockerfile_text=text, tags="app:1")
    assert [path.name for path in outside.iterdir()] == ["host"]
    assert holders(home, CANARY) == []


def test_a_command_on_planted_links_writes_inside_too(
    images: Images, alpine: str, outside: Path, home: Path
) -> None:
    """B07: by a base image and by a step; the layers lie on the disk for it."""
    root = tar(out=str(outside), up="../../../..")
    images.build(
        {"root.tar": root}, dockerfile_text=f"FROM {alpine}\nADD root.tar /\n", tags="planted:1"
    )
    text = (
        f"FROM planted:1\nRUN ln -s {outside} /again\nCOPY a /again/x\nCOPY a /out/y\n"
        f"RUN ls /again/ > /seen; echo 1 > /out/z; echo 1 > /up{outside}/w\n"
    )
    images.build({"a": b"1"}, dockerfile_text=text, tags="app:1")
    files = images.files("app:1")
    assert (files / "seen").read_text().split() == ["x", "y"]
    found = sorted(path.name for path in (files / str(outside)[1:]).iterdir())
    assert found == ["w", "x", "y", "z"]
    assert [path.name for path in outside.iterdir()] == ["host"]
    assert holders(home, CANARY) == []


# B08 to B10: mounts.


@pytest.mark.parametrize(
    "source", ["source=../..", "source=out", "source=up", "from=other,source=/out", "from=other"]
)
def test_what_is_bound_is_of_the_context_or_stage(
    images: Images, alpine: str, outside: Path, home: Path, source: str
) -> None:
    """B08: a source above, one that is a link, a stage whose root has one to ``/``."""
    context = outside.parent / "context"
    context.mkdir()
    (context / "root.tar").write_bytes(planted(outside))
    (context / "out").symlink_to(outside)
    (context / "up").symlink_to("../outside")
    text = (
        "FROM scratch AS other\nADD root.tar /\n"
        f"FROM {alpine}\nRUN --mount={source},target=/m,rw ls -a /m; cat /m/host /m/out/host "
        "/m/up/outside/host /m/host > /seen 2>&1; echo changed > /m/new; true\n"
    )
    try:
        result = images.build(context, dockerfile_text=text, tags="app:1")
    except InvalidDockerfile as error:
        assert source not in ("source=../..", "from=other")
        assert "not found" in str(error)
    else:
        assert "root.tar" in result.log or "fd" in result.log
    assert [path.name for path in outside.iterdir()] == ["host"]
    assert sorted(path.name for path in context.iterdir()) == ["out", "root.tar", "up"]
    assert holders(home, CANARY) == []


def test_a_cache_is_a_folder_of_the_store_whatever_it_is_called(
    images: Images, alpine: str, store: Store, tmp_path: Path
) -> None:
    """B09."""
    names = ["../../x", "/etc", "a" * 5000, "..", "\u202e"]
    for name in names:
        text = (
            f"FROM {alpine}\nRUN --mount=type=cache,id={name},target=/c echo {len(name)} > /c/f\n"
        )
        images.build({}, dockerfile_text=text)
    found = list(store.workspace("caches").iterdir())
    assert sorted(len(path.name) for path in found) == [64] * len(names)
    assert not (tmp_path / "x").exists()


def test_what_one_build_puts_into_a_cache_leads_another_nowhere(
    images: Images, alpine: str, outside: Path, home: Path
) -> None:
    """B09: a link in the place of a folder, where the next build mounts something."""
    mount = "--mount=type=cache,id=shared,target=/c"
    plant = f"FROM {alpine}\nRUN {mount} ln -s {outside} /c/dir; ln -s {outside}/host /c/token\n"
    images.build({}, dockerfile_text=plant)
    inner = "--mount=type=cache,id=inner,target=/c/dir/deep --mount=type=tmpfs,target=/c/dir/mem"
    text = f"FROM {alpine}\nRUN {mount} {inner} echo 1 > /c/dir/deep/f; cat /c/token || true\n"
    with suppress(BuildError):  # a runtime may make no folder where a link leads
        images.build({}, dockerfile_text=text)
    assert [path.name for path in outside.iterdir()] == ["host"]
    assert holders(home, CANARY) == []


def test_a_cache_that_another_build_changes_all_the_time_leads_nowhere(
    images: Images, alpine: str, outside: Path, home: Path
) -> None:
    """B09: while it is mounted, a folder in it and a link change places."""
    mount = "--mount=type=cache,id=raced,target=/c"
    swap = (
        f"FROM {alpine}\nRUN {mount} mkdir -p /c/a; ln -s {outside} /c/b; touch /c/begun;"
        " i=0; while [ $i -lt 300 ]; do mv /c/a /c/s; mv /c/b /c/a; mv /c/s /c/b;"
        " mv /c/a /c/s; mv /c/b /c/a; mv /c/s /c/b; i=$((i+1)); done\n"
    )
    swapper = threading.Thread(target=images.build, args=({},), kwargs={"dockerfile_text": swap})
    swapper.start()
    number = 0
    while swapper.is_alive():
        number += 1
        text = f"FROM {alpine}\nRUN {mount} --mount=type=tmpfs,target=/c/a/deep true {number}\n"
        try:
            images.build({}, dockerfile_text=text)
        except ImagesError:
            time.sleep(0.01)  # the place was none in that moment
    swapper.join()
    assert number
    assert [path.name for path in outside.iterdir()] == ["host"]
    assert holders(home, CANARY) == []


FLAGS = [
    ("type=bind,bind-propagation=shared,target=/m", "unexpected key 'bind-propagation'"),
    ("type=bind,target=/m,suid", "invalid field 'suid'"),
    ("type=bind,target=/m,options=suid", "unexpected key 'options'"),
    ("type=bind,target=/m,dev=true", "unexpected key 'dev'"),
    ("type=proc,target=/m", "unsupported mount type"),
    ("type=bind,type=ssh,target=/m", "ssh is not supported"),
    ("type=cache,target=/m,sharing=shared,sharing=rshared", "unsupported sharing value"),
    ("type=tmpfs,target=/m,size=1,size=-1", "invalid value for size"),
    ("type=cache,target=/m,mode=0755,mode=rwx", "invalid value rwx for mode"),
    ("type=cache,target=/m,uid=0,uid=4294967296", "invalid value 4294967296 for uid"),
    ("type=secret,id=a,target=/m,exec=1", "unexpected key 'exec'"),
    ("type=tmpfs,target=/m,uid=0", "uid not allowed"),
    ("type=bind,from=$A,target=/m", "doesn't support variable expansion"),
    ('type=bind,"target=/m,suid', "must be a key=value pair"),
]


@pytest.mark.parametrize(("mount", "words"), FLAGS)
def test_a_mount_takes_what_it_knows_and_nothing_else(
    images: Images, store: Store, mount: str, words: str
) -> None:
    """B10: of a key that is there twice the last counts, and is held to the same list."""
    with refused_whole(store, InvalidDockerfile, "Dockerfile:2", words):
        images.build({}, dockerfile_text=f"FROM scratch\nRUN --mount={mount} true\n")


# B13: passwords in addresses.


def test_who_is_in_an_address_stands_nowhere(images: Images, home: Path) -> None:
    """B13: in what ADD takes, in arguments before and after FROM, in a variable, in a command."""
    with FaultRegistry() as web:
        web.on("GET", "/a", Fault(status=200, body=b"hi"))
        address = f"http://me:c4n4ry@{web}/a"
        text = (
            f"ARG BASE=scratch\nARG PLACE={address}\nFROM $BASE\nARG PLACE\nARG OTHER\n"
            f"ADD $PLACE /a\nADD {address} /b\nADD $OTHER /c\n"
        )
        result = images.build({}, dockerfile_text=text, args={"OTHER": address}, tags="app:1")
    assert b"c4n4ry" not in images.config("app:1").raw
    assert "c4n4ry" not in repr(images.history("app:1")) + result.log
    assert holders(home, b"c4n4ry") == []
    created = [line.created_by for line in images.history("app:1")]
    assert f"ADD http://{web}/a /b" in created


@pytest.mark.parametrize(
    "line",
    [
        "ADD http://me:c4n4ry@127.0.0.1:9/a /",
        "ADD http://me:c4n4ry@127.0.0.1:9/a.git /",
        "ADD --checksum=sha256:0 http://me:c4n4ry@127.0.0.1:9/a /",
        "COPY http://me:c4n4ry@127.0.0.1:9/a /",
        "ADD http://me:c4n4ry@[/a /",
        "FORM http://me:c4n4ry@a",
        "RUN --wrong=http://me:c4n4ry@a x",
        "USER ${http://me:c4n4ry@a}",
    ],
)
def test_an_error_about_an_address_does_not_say_who(images: Images, home: Path, line: str) -> None:
    """B13."""
    with pytest.raises(ImagesError) as caught:
        images.build({}, dockerfile_text=f"FROM scratch\n{line}\n")
    error: BaseException | None = caught.value
    while error is not None:
        said = (str(error), repr(error.args), repr(vars(error)), getattr(error, "excerpt", ""))
        assert not [text for text in said if "c4n4ry" in text]
        error = error.__cause__
    assert holders(home, b"c4n4ry") == []


# B16: stages.


def test_stages_never_stand_on_themselves(images: Images, store: Store) -> None:
    """B16: before anything is built."""
    cycles = [
        ("COPY --from=a / /\n", "circular dependency"),
        ("COPY --from=b / /\nFROM scratch AS b\n", "needs to be defined before"),
        ("COPY --from=0 / /\n", "circular dependency"),
        ("COPY --from=1 / /\nFROM scratch\n", "needs to be defined before"),
        ("COPY --from=2 / /\nFROM scratch\n", "invalid stage index"),
        ("RUN --mount=from=a,target=/m x\n", "circular dependency"),
    ]
    for text, words in cycles:
        with refused_whole(store, InvalidDockerfile, "Dockerfile:2", words):
            images.build({}, dockerfile_text=f"FROM scratch AS a\n{text}", target="a")


def test_a_base_is_never_a_later_stage(images: Images, put: Put) -> None:
    """B16: the name is an image's then; of two stages each on the other one is an image."""
    sample = samples.image("b")
    put(sample, "b:latest")
    text = "FROM b AS a\nFROM a AS b\nLABEL x=y\n"
    result = images.build({}, dockerfile_text=text)
    assert result.image is not None
    assert images.config(result.image).diff_ids == sample.config.diff_ids


def test_ten_thousand_stages_are_built_as_one(images: Images) -> None:
    """B16: each on the one before."""
    text = "FROM scratch AS s0\nCOPY a /\n"
    text += "".join(f"FROM s{number} AS s{number + 1}\n" for number in range(10_000))
    started = time.monotonic()
    images.build({"a": b"1"}, dockerfile_text=text, tags="app:1")
    assert time.monotonic() - started < 30
    assert (images.files("app:1") / "a").read_bytes() == b"1"


def test_stages_that_nobody_needs_cost_nothing(images: Images, store: Store) -> None:
    """B16."""
    text = "".join(f"FROM never.test/{number} AS s{number}\nRUN x\n" for number in range(10_000))
    images.build({}, dockerfile_text=f"{text}FROM scratch\nLABEL a=b\n", tags="app:1")
    assert len(list(store.images())) == 1


def test_a_command_needs_something_to_run(images: Images, alpine: str) -> None:
    """B16: on nothing there is no shell."""
    with refused(BuildError, "Dockerfile:2"):
        images.build({}, dockerfile_text="FROM scratch\nRUN true\n")
    assert [line.reference for line in images.ls()] == [
        line.reference for line in images.ls(alpine)
    ]


@pytest.mark.parametrize("trigger", ["ONBUILD RUN x", "FROM scratch", "MAINTAINER me", "WHAT x"])
def test_a_trigger_is_no_trigger_and_no_base(images: Images, store: Store, trigger: str) -> None:
    """B16: neither as it is written nor as a base image has it; before anything is built."""
    if trigger != "WHAT x":  # Docker, too, finds that out when it is used
        with refused_whole(store, InvalidDockerfile, "Dockerfile:2"):
            images.build({}, dockerfile_text=f"FROM scratch\nONBUILD {trigger}\n")
    saying(samples.image("base"), config={"OnBuild": [trigger]}).put(store, "base:1")
    text = "FROM scratch AS other\nCOPY a /\nFROM base:1\nCOPY --from=other a /\n"
    with refused_whole(store, InvalidDockerfile, "base:1"):
        images.build({"a": b"1"}, dockerfile_text=text)
