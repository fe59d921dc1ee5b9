from __future__ import annotations

import io
import json
import re
import signal
import subprocess
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.processes import COMMAND, LIMIT, on_terminal, read_terminal, running, stalling_server
from tests.peers import miss, shared_images
from tests.sandbox.conftest import require_sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Run

SECRET = "c4n4ry-s3cret"
ID = r"sha256:[0-9a-f]{64}"


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nARG V=1\nENV V=$V\nCOPY page /srv/\n")
    (folder / "page").write_text("hi\n")
    return folder


@pytest.fixture
def alpine(run: Run, tmp_path: Path) -> str:
    """The name of an image in which commands run."""
    require_sandbox(tmp_path)
    shared = shared_images()
    if shared is None:
        miss("shared", "the real images are not at hand")
    [archive] = shared.glob("alpine/alpine-minirootfs-3.20*x86_64.tar.gz")
    assert run("import", str(archive), "alpine:3.20").status == 0
    return "alpine:3.20"


def dockerfile(folder: Path, text: str) -> str:
    (folder / "Dockerfile").write_text(text)
    return str(folder)


def test_lines_are_buildkits_and_go_to_standard_error(run: Run, web: Path) -> None:
    done = run("build", "-t", "web:1", "-t", "web:2", str(web))
    assert (done.status, done.out) == (0, "")
    found = run("inspect", "-f", "{{.ID}}", "web:1", "web:2").out.split()
    assert len(set(found)) == 1
    shown = re.sub(r"\d+\.\ds", "0.0s", done.err)
    assert shown == (
        "#1 [internal] load build definition from Dockerfile\n"
        "#1 transferring dockerfile: 46B done\n"
        "#1 DONE 0.0s\n\n"
        "#2 [1/2] FROM scratch\n"
        "#2 DONE 0.0s\n\n"
        "#3 [2/2] COPY page /srv/\n"
        "#3 DONE 0.0s\n\n"
        "#4 exporting to image\n"
        f"#4 writing image {found[0]} done\n"
        "#4 naming to docker.io/library/web:1 done\n"
        "#4 naming to docker.io/library/web:2 done\n"
        "#4 DONE 0.0s\n"
    )


def test_quiet_prints_the_id_and_nothing_else(run: Run, web: Path) -> None:
    done = run("build", "-q", str(web))
    assert (done.status, done.err) == (0, "")
    assert re.fullmatch(f"{ID}\n", done.out)
    assert run("ls", "-q", "--no-trunc").out == done.out


def test_a_second_build_does_nothing(run: Run, web: Path) -> None:
    first = run("build", "-q", str(web))
    done = run("build", str(web))
    assert "#3 [2/2] COPY page /srv/\n#3 CACHED\n" in done.err
    assert run("build", "-q", str(web)) == first
    assert "CACHED" not in run("build", "--no-cache", str(web)).err


@pytest.mark.parametrize(
    ("words", "value"),
    [([], "1"), (["--build-arg", "V=2"], "2"), (["--build-arg", "V"], "3"),
     (["--build-arg", "W"], "1"), (["--build-arg", "V=2", "--build-arg=V="], "")],
)  # fmt: skip
def test_an_argument_has_its_value_or_that_of_the_environment(
    run: Run, web: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], value: str
) -> None:
    monkeypatch.setenv("V", "3")
    run("build", "-t", "web:1", *words, str(web))
    assert f'"V={value}"' in run("inspect", "-f", "{{json .Config.Env}}", "web:1").out


def test_labels_and_files_about_the_result_are_written(run: Run, web: Path, tmp_path: Path) -> None:
    iid, facts = tmp_path / "iid", tmp_path / "facts.json"
    words = ["--iidfile", str(iid), "--metadata-file", str(facts), "--label", "a=b", "--label=c"]
    assert run("build", "-t", "web:1", *words, str(web)).status == 0
    template = "{{.ID}} {{json .Config.Labels}}"
    assert run("inspect", "-f", template, "web:1").out == f'{iid.read_text()} {{"a":"b","c":""}}\n'
    found = json.loads(facts.read_text())
    assert found["containerimage.config.digest"] == iid.read_text()
    assert found["containerimage.digest"] == found["containerimage.descriptor"]["digest"]
    assert found["image.name"] == "docker.io/library/web:1"


def test_a_build_that_fails_leaves_no_old_id(run: Run, web: Path, tmp_path: Path) -> None:
    (tmp_path / "iid").write_text("sha256:old")
    dockerfile(web, "FROM scratch\nCOPY missing /\n")
    assert run("build", "--iidfile", str(tmp_path / "iid"), str(web)).status == 1
    assert not (tmp_path / "iid").exists()


def test_the_dockerfile_may_lie_outside_of_the_context(run: Run, web: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.Dockerfile"
    other.write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / "other.Dockerfile.dockerignore").write_text("page\n")
    assert run("build", "-t", "web:1", "-f", str(other), str(web)).status == 0
    assert run("files", "web:1").out == "Dockerfile\n"


def test_the_dockerfile_is_named_from_where_one_is(
    run: Run, web: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (web / "second").write_text("FROM scratch\nCOPY page /second\n")
    monkeypatch.chdir(web.parent)
    assert run("build", "-t", "web:1", "-f", "web/second", "web").status == 0
    assert run("files", "web:1").out == "second\n"


def test_a_dockerfile_that_is_a_link_out_of_the_context_is_read_where_it_is_named(
    run: Run, web: Path, tmp_path: Path
) -> None:
    (tmp_path / "real").write_text("FROM scratch\nCOPY page /linked\n")
    (web / "Dockerfile").unlink()
    (web / "Dockerfile").symlink_to(tmp_path / "real")
    assert "there is no such file in the context" in run("build", str(web)).err
    words = ["-f", str(web / "Dockerfile"), str(web)]
    assert run("build", "-t", "web:1", *words).status == 0
    assert run("files", "web:1").out == "linked\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-"], "FROM scratch\nLABEL by=stdin\n"),
        (["-f", "-", "CONTEXT"], "FROM scratch\nCOPY page /\nLABEL by=stdin\n"),
    ],
)
def test_a_dockerfile_may_come_from_standard_input(
    run: Run, web: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], text: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    words = [str(web) if word == "CONTEXT" else word for word in words]
    assert run("build", "-t", "web:1", *words).status == 0
    assert run("inspect", "-f", "{{json .Config.Labels}}", "web:1").out == '{"by":"stdin"}\n'


def test_a_context_may_come_as_a_tar(
    run: Run, web: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open(tmp_path / "context.tar.gz", "w:gz") as tar:
        tar.add(web / "page", "page")
        tar.add(web / "Dockerfile", "docker/file")
    with (tmp_path / "context.tar.gz").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert run("build", "-t", "web:1", "-f", "docker/file", "-").status == 0
    assert run("cat", "web:1", "srv/page").out == "hi\n"


def test_standard_input_cannot_be_two_things(run: Run) -> None:
    done = run("build", "-f", "-", "-")
    assert (done.status, done.out) == (1, "")
    assert "can't use stdin for both build context and dockerfile" in done.err


@pytest.mark.parametrize("to", ["OUT", "type=local,dest=OUT"])
def test_files_go_into_a_folder_and_not_into_the_store(
    run: Run, web: Path, tmp_path: Path, to: str
) -> None:
    out = tmp_path / "out"
    (out / "srv").mkdir(parents=True)
    (out / "srv/kept").write_text("kept")
    (out / "srv/page").symlink_to(tmp_path / "elsewhere")
    assert run("build", "-o", to.replace("OUT", str(out)), str(web)).status == 0
    assert (out / "srv/page").read_text() == "hi\n"
    assert (out / "srv/kept").read_text() == "kept"
    assert not (tmp_path / "elsewhere").exists()
    assert run("ls", "-q").out == ""


def test_a_folder_is_not_written_through_a_link(run: Run, web: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "srv").symlink_to(elsewhere)
    assert run("build", "-o", str(out), str(web)).status == 0
    assert list(elsewhere.iterdir()) == []
    assert (out / "srv/page").read_text() == "hi\n"


@pytest.mark.parametrize("kind", ["tar", "oci", "docker"])
def test_an_archive_is_written_and_can_be_read(
    run: Run, web: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / "out.tar"
    words = ["-t", "web:1", "-o", f"type={kind},dest={out}"]
    assert run("build", *words, str(web)).status == 0
    assert run("ls", "-q").out == ""
    done = run("import" if kind == "tar" else "load", *([] if kind == "tar" else ["-i"]), str(out))
    assert done.status == 0, done.err
    name = done.out.strip() if kind == "tar" else "web:1"
    assert run("cat", name, "srv/page").out == "hi\n"


def test_an_archive_may_go_to_standard_output(web: Path) -> None:
    command = [*COMMAND, "build", "-o", "-", str(web)]
    done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        assert tar.getnames() == ["srv", "srv/page"]


def test_load_keeps_the_image_beside_other_outputs(run: Run, web: Path, tmp_path: Path) -> None:
    done = run("build", "-q", "--load", "-o", str(tmp_path / "out"), str(web))
    assert re.fullmatch(f"{ID}\n", done.out)
    assert (tmp_path / "out/srv/page").exists()


def test_options_about_containers_change_nothing(run: Run, web: Path) -> None:
    plain = run("build", "-q", str(web)).out
    assert run("build", "-q", "--rm", "--force-rm", str(web)).out == plain
    assert run("build", "-q", "--rm=false", str(web)).out == plain


@pytest.mark.parametrize("option", ["--provenance", "--sbom"])
def test_that_nothing_is_attested_may_be_said(run: Run, web: Path, option: str) -> None:
    plain = run("build", "-q", str(web)).out
    assert run("build", "-q", f"{option}=false", str(web)).out == plain
    done = run("build", "-q", f"{option}=true", str(web))
    assert done.err == f"Error: build: not supported: an attestation, as {option} asks for\n"
    assert (done.status, done.out) == (1, "")


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["-o", "type=nonsense,dest=x"], 1, "the type of an output is one of local, tar"),
        (["-o", "type=registry"], 1, "build with a tag, then push it"),
        (["-o", "dest=x"], 125, "type is required for output"),
        (["-o", "type=tar,dest=x,deep=1"], 125, "unexpected key 'deep'"),
        (["--progress", "loud"], 125, "it is none of auto, plain, tty, quiet"),
        (["--secret", "src=x,nonsense=1,id=a"], 125, "unexpected key 'nonsense'"),
        (["--secret", "id=a,src=missing"], 1, "missing: no such file"),
        (["--secret", "id=a,src=."], 1, "a secret is a regular file"),
        (["--secret", "id=a,env=MISSING"], 1, "is not set"),
        (["--add-host", "one"], 125, "bad format for add-host"),
        (["--add-host", "one:two"], 125, 'invalid IP address in add-host: "two"'),
        (["--build-context", "one"], 125, "expected name=value"),
        (["--timestamp", "noon"], 125, "it is no number of seconds"),
        (["--platform", "linux/amd64,linux/arm64"], 1, "once for each platform, under a name"),
        (["--target", "none"], 1, 'target stage "none" could not be found'),
        (["-t", "Not A Name"], 1, "invalid reference"),
        (["-t", f"web@sha256:{'0' * 64}"], 1, "refusing to create a tag with a digest reference"),
        (["-t", "sha256:1"], 1, "refusing to create an ambiguous tag"),
        (["--label", "=1"], 1, "empty key"),
        (["--build-arg", "=1"], 1, "empty key"),
        (["--iidfile", "missing/id"], 1, "Error: missing/id: no such file"),
        (["--metadata-file", "missing/facts"], 1, "Error: missing/facts: no such file"),
        (["-o", "type=oci,dest=missing/tar"], 1, "Error: missing/tar: no such file"),
        (["-f", "missing"], 1, "failed to read dockerfile: no such file"),
        (["-f", "/missing"], 1, "failed to read dockerfile: no such file"),
    ],
)
def test_what_cannot_be_used_is_refused(
    run: Run, web: Path, words: list[str], status: int, reason: str
) -> None:
    done = run("build", *words, str(web))
    assert (done.status, done.out) == (status, "")
    assert re.search(reason, done.err, re.IGNORECASE), done.err


def test_an_archive_is_not_written_to_a_terminal(
    run: Run, web: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    done = run("build", "-o", "type=oci", str(web))
    assert done.status == 1
    assert "refusing to write" in done.err


@pytest.mark.parametrize("where", ["missing", "Dockerfile"])
def test_a_context_that_is_no_folder_is_refused(run: Run, web: Path, where: str) -> None:
    done = run("build", str(web / where))
    assert done.status == 1
    assert "the build context" in done.err


def test_time_is_fixed_unless_asked_for(run: Run, web: Path) -> None:
    def created(*words: str) -> str:
        assert run("build", "-t", "web:1", *words, str(web)).status == 0
        return run("inspect", "-f", "{{.Created}}", "web:1").out.strip()

    assert created() == "1980-01-01T00:00:00Z"
    assert created("--timestamp", "0") == "1970-01-01T00:00:00Z"
    assert created("--timestamp", "now")[:4] == time.strftime("%Y", time.gmtime())


def test_a_wrong_line_is_shown_where_it_stands(run: Run, web: Path) -> None:
    dockerfile(web, "FROM scratch\nLABEL a=b\nCOPPY page /\nLABEL c=d\n")
    done = run("build", str(web))
    assert done.status == 1
    assert "   3 | >>> COPPY page /\n" in done.err
    last = done.err.splitlines()[-1]
    assert last.startswith("Error: Dockerfile:3: unknown instruction: COPPY (did you mean COPY?)")


def test_a_failed_command_is_shown_with_what_it_printed(run: Run, web: Path, alpine: str) -> None:
    dockerfile(web, f"FROM {alpine}\nRUN echo one && \\\n    echo two && false\nLABEL a=b\n")
    done = run("build", "--progress", "quiet", str(web))
    assert (done.status, done.out) == (1, "")
    assert re.sub(r"^\d\.\d{3}", "0.123", done.err, flags=re.MULTILINE) == (
        "------\n"
        " > [2/2] RUN echo one &&     echo two && false:\n"
        "0.123 one\n"
        "0.123 two\n"
        "------\n"
        "Dockerfile:2\n"
        "--------------------\n"
        f"   1 |     FROM {alpine}\n"
        "   2 | >>> RUN echo one && \\\n"
        "   3 | >>>     echo two && false\n"
        "   4 |     LABEL a=b\n"
        "--------------------\n"
        "Error: Dockerfile:2: the command ended with status 1: "
        "RUN echo one &&     echo two && false\n"
    )


def test_secrets_hosts_and_the_network_reach_a_command(
    run: Run, web: Path, alpine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    monkeypatch.setenv("WORD", f"{SECRET}-2")
    dockerfile(
        web,
        f"FROM {alpine}\n"
        "RUN --mount=type=secret,id=a --mount=type=secret,id=WORD,env=WORD"
        " cat /run/secrets/a && echo $WORD && grep db.test /etc/hosts && ls /sys/class/net\n",
    )
    words = ["--secret", f"id=a,src={tmp_path / 'token'}", "--secret", "id=WORD"]
    words += ["--add-host", "db.test:192.0.2.7", "--network", "none"]
    done = run("build", *words, str(web))
    assert done.status == 0, done.err
    assert SECRET not in done.err
    lines = re.findall(r"^#4 \d+\.\d{3} (.*)", done.err, re.MULTILINE)
    assert lines == ["***", "***", "192.0.2.7\tdb.test", "lo"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_command_and_leaves_nothing(
    run: Run, web: Path, alpine: str, home: Path, number: int
) -> None:
    dockerfile(web, f"FROM {alpine}\nRUN echo begun; sleep 4242\n")
    with running("build", "-t", "web:1", "--progress=plain", str(web)) as process:
        assert process.stderr is not None
        while b"begun" not in (line := process.stderr.readline()) or b"RUN" in line:
            assert line
        process.send_signal(number)
        assert process.wait(LIMIT) == 128 + number
    assert list((home / "work/steps").iterdir()) == []
    assert not [name for name in Path("/proc").glob("[0-9]*/cmdline") if _sleeps(name)]
    assert "web" not in run("ls").out


def _sleeps(cmdline: Path) -> bool:
    try:
        return cmdline.read_bytes() == b"sleep\x004242\x00"
    except OSError:
        return False


def test_on_a_terminal_steps_move_and_the_cursor_comes_back(web: Path) -> None:
    with on_terminal("build", str(web), columns=60) as (process, far):
        text = read_terminal(far).decode()
        assert process.wait(LIMIT) == 0
    assert "FINISHED" in text
    assert "=> [2/2] COPY page /srv/" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1


def test_ctrl_c_on_a_terminal_leaves_the_steps_as_they_are(web: Path) -> None:
    """The terminal writes ^C where the cursor is; at the end of a full line it would wrap."""
    with stalling_server() as (address, came):
        dockerfile(web, f"FROM {address}/base:1\n")
        with on_terminal("build", str(web), columns=60) as (process, far):
            assert came.wait(LIMIT)
            process.send_signal(signal.SIGINT)
            text = read_terminal(far).decode()
            assert process.wait(LIMIT) == 130
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").split("\n")
    assert f" => CANCELED [internal] load metadata for {address}"[:50] in {x[:50] for x in lines}
    assert max(map(len, lines)) == 60 - len("^C")


def test_when_a_stage_fails_the_others_are_ended(run: Run, web: Path, alpine: str) -> None:
    stage = f"FROM {alpine} AS slow\nRUN sleep 4243\n"
    dockerfile(web, f"{stage}FROM {alpine}\nRUN false\nCOPY --from=slow /etc/hosts /\n")
    begun = time.monotonic()
    done = run("build", str(web))
    assert done.status == 1
    assert time.monotonic() - begun < 60
    assert "CANCELED" in done.err
    assert done.err.count("load metadata") == 1
    assert " > [stage-1 2/3] RUN false:" in done.err
