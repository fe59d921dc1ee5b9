"""Whole runs of tox, in processes of their own, on a store of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_images import Digest, Host, Registry
from pytest_images.content.store import Store
from pytest_images.testing import samples
from tests.peers import DockerRegistry, serving_docker_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
# What a command sees of us, into a file named by its environment.
SHOW = """
import json, os, pathlib, sys
shown = {k: v for k, v in os.environ.items() if "IMAGES" in k}
pathlib.Path(sys.argv[1] + ".json").write_text(json.dumps(shown))
"""
# As long as tox lives.
WAIT = """
import os, pathlib, time
tox = os.getppid()
pathlib.Path("started").touch()
while os.getppid() == tox:
    time.sleep(0.05)
"""
HEAD = """
[tox]
env_list = {env_list}
{core}

[testenv]
package = skip
allowlist_externals = *
commands = {commands}
{env}
"""
SHOWN = f"{sys.executable} show.py {{env_name}}"


class Project:
    """A folder with a tox.ini. Its environments are kept from test to test: making one is slow."""

    def __init__(self, folder: Path, work: Path, home: Path) -> None:
        self.folder, self.home, self._work = folder, home, work
        (folder / "show.py").write_text(SHOW)

    def write(self, env: str = "", *commands: str, core: str = "", env_list: str = "a") -> None:
        """Write tox.ini, with lines for the environments, their commands, and for tox itself."""
        lines = "".join(f"\n    {command}" for command in commands or (SHOWN,))
        text = HEAD.format(env_list=env_list, core=core, env=env, commands=lines)
        (self.folder / "tox.ini").write_text(text)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start tox."""
        command = [sys.executable, "-m", "tox", *words, "--workdir", str(self._work)]
        environment = {**os.environ, "NO_COLOR": "1", "VIRTUALENV_PIP": "embed"}
        for name in [name for name in environment if name.startswith(("TOX_", "PYTEST_ADDOPTS"))]:
            del environment[name]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *words: str, code: int = 0) -> str:
        """Run tox, which is to exit with *code*; return what it says."""
        process = self.start(*words)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == code, said
        return said

    def shown(self, env: str = "a") -> dict[str, str]:
        """Return what the command of an environment saw."""
        variables: dict[str, str] = json.loads((self.folder / f"{env}.json").read_text())
        return variables

    def is_clean(self) -> bool:
        """Say whether no run, name, lease or half-written blob is left, and all is sound."""
        with Store.open(self.home) as store:
            left = [*(self.home / "runs").iterdir(), *(self.home / "ingest").iterdir()]
            left += (self.home / "leases").iterdir()
            report = store.fsck()
            assert report.clean, report.problems
            assert left == []
            assert store.images() == ()
        return True


@pytest.fixture
def project(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """An empty project."""
    home, folder = tmp_path / "store", tmp_path / "project"
    folder.mkdir()
    monkeypatch.setenv("PYTEST_IMAGES_HOME", str(home))
    return Project(folder, tmp_path_factory.getbasetemp() / "tox-work", home)


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A throw-away registry."""
    with Registry.serving() as registry:
        yield registry


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A real registry, whose access log counts."""
    with serving_docker_registry(tmp_path_factory.mktemp("docker-registry")) as registry:
        yield registry


@pytest.fixture
def app(registry: Registry, tmp_path: Path) -> str:
    """The name of an image there."""
    name = f"{registry}/team/app:1"
    publish(name, "app", tmp_path / "publisher")
    return name


def publish(name: str, seed: str, home: Path) -> None:
    """Push an image that is made of *seed*."""
    with Host(home=home, load_entry_points=False) as host:
        sample = samples.image(seed, layers=3, size=50_000)
        host.images.load(BytesIO(sample.archive(name)))
        host.images.push(name)


# What commands see.


def test_an_image_is_pulled_before_the_commands_and_told_by_variables(
    project: Project, app: str
) -> None:
    project.write(f"images = {app}")
    said = project.run("run")
    shown, sample = project.shown(), samples.image("app", layers=3, size=50_000)
    assert shown["IMAGES_APP"] == app
    assert shown["IMAGES_APP_ID"] == str(sample.config.id)
    assert shown["IMAGES_APP_DIGEST"] == str(sample.manifest.digest)
    assert said.index("a: images> ") < said.index("a: commands[0]> ")


def test_an_image_is_built_and_seen_by_name_and_id(project: Project, app: str) -> None:
    folder = project.folder / "docker"
    folder.mkdir()
    text = f"FROM {app} AS one\nARG V\nLABEL v=$V\nFROM one AS two\nLABEL two=yes\n"
    (folder / "Dockerfile").write_text(text)
    inspect = f"{sys.executable} -m pytest_images inspect --format"
    project.write(
        f"images = {app}\nimages_build = web:test = docker --target one --build-arg V=7",
        inspect + r' "labels \{\{json .Config.Labels\}\}" web:test',
        inspect + r' "id \{\{.Id\}\}" {env:IMAGES_WEB_ID}',
        SHOWN,
    )
    said = project.run("run")
    assert 'labels {"v":"7"}' in said
    assert f"id {project.shown()['IMAGES_WEB_ID']}" in said
    assert project.shown()["IMAGES_WEB"] == "web:test"


def test_pytest_sees_what_was_prepared_and_keeps_its_own_names_apart(
    project: Project, app: str, registry: Registry
) -> None:
    (project.folder / "test_it.py").write_text(
        """
import os
from pytest_images import pulled

app = pulled(os.environ["IMAGES_APP"], policy="never")

def test_it(app, images):
    assert str(app.id) == os.environ["IMAGES_APP_ID"]
    images.tag(app, "ours:1")
    images.rm(os.environ["IMAGES_APP"])
    assert not images.exists(os.environ["IMAGES_APP"])
"""
    )
    project.write(
        f"images = {app}",
        f"{sys.executable} -m pytest -p no:cacheprovider -p no:randomly test_it.py",
        sys.executable + r' -m pytest_images ls --format "here: \{\{.Repository\}\}"',
    )
    said = project.run("run")
    assert "1 passed" in said
    assert re.findall("^here: (.*)", said, re.MULTILINE) == [app.rpartition(":")[0]]


def test_a_line_can_name_its_variable(project: Project, app: str) -> None:
    project.write(f"images =\n    {app}\n    data-base = {app}")
    project.run("run")
    assert project.shown()["IMAGES_DATA_BASE"] == project.shown()["IMAGES_APP"] == app


def test_an_environment_without_images_opens_no_store(project: Project) -> None:
    project.write(core="requires =\n    tox>=4")
    project.run("run")
    shown = project.shown()
    shown.pop("PYTEST_IMAGES_PEERS", None)  # what this test run itself was promised
    assert shown == {"PYTEST_IMAGES_HOME": str(project.home)}
    assert not project.home.exists()


def test_a_store_can_be_chosen_for_all(
    project: Project, app: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_IMAGES_HOME")
    project.write(f"images = {app}", core="images_home = {tox_root}/here")
    project.run("run")
    assert project.shown()["PYTEST_IMAGES_HOME"] == str(project.folder / "here")


def test_a_store_of_one_environment_alone_is_refused(project: Project, app: str) -> None:
    project.write(f"images = {app}\nset_env = PYTEST_IMAGES_HOME=elsewhere")
    assert "say it for all environments: images_home" in project.run("run", code=1)


def test_the_result_file_tells_the_images(project: Project, app: str) -> None:
    project.write(f"images = {app}")
    project.run("run", "--result-json", "result.json")
    result = json.loads((project.folder / "result.json").read_text())
    assert result["testenvs"]["a"]["images"]["IMAGES_APP"] == app


# Once.


@pytest.mark.parametrize("words", [("run",), ("run-parallel", "--parallel-no-spinner")])
def test_environments_download_each_blob_and_manifest_once(
    project: Project, docker_registry: DockerRegistry, tmp_path: Path, words: tuple[str, ...]
) -> None:
    repository = f"once/{words[0]}"
    publish(f"{docker_registry}/{repository}:1", words[0], tmp_path / "publisher")
    project.write(f"images = {docker_registry}/{repository}:1", env_list="a,b,c")
    before = len(docker_registry.access_log())
    project.run(*words)
    asked = docker_registry.access_log()[before:]
    assert len([line for line in asked if f'"GET /v2/{repository}/blobs/' in line]) == 4
    assert len([line for line in asked if f"/v2/{repository}/manifests/" in line]) == 1
    assert len({project.shown(env)["PYTEST_IMAGES_RUN"] for env in "abc"}) == 1


def test_several_processes_of_tox_download_each_blob_once(
    project: Project, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    publish(f"{docker_registry}/many/app:1", "many", tmp_path / "publisher")
    project.write(f"images = {docker_registry}/many/app:1", env_list="a,b,c")
    processes = [project.start("run", "-e", env) for env in "abc"]
    for process in processes:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert len(docker_registry.access_log('"GET /v2/many/app/blobs/')) == 4
    assert len({project.shown(env)["PYTEST_IMAGES_RUN"] for env in "abc"}) == 3
    assert len({project.shown(env)["IMAGES_APP_ID"] for env in "abc"}) == 1


# What is left.


def test_names_go_with_tox_and_the_content_stays_as_cache(project: Project, app: str) -> None:
    project.write(f"images = {app}")
    project.run("run")
    assert project.is_clean()
    with Store.open(project.home) as store:
        assert store.usage().cache_blobs > 0


def test_what_a_killed_tox_left_is_swept_by_the_next(project: Project, app: str) -> None:
    (project.folder / "wait.py").write_text(WAIT)
    project.write(f"images = {app}", f"{sys.executable} wait.py")
    process = project.start("run")
    until((project.folder / "started").exists)
    process.kill()
    process.communicate(timeout=60)
    assert len(list((project.home / "runs").iterdir())) == 1
    project.write(f"images = {app}")
    project.run("run")
    assert project.is_clean()


@pytest.mark.parametrize("words", [("run",), ("run-parallel", "--parallel-no-spinner")])
def test_ctrl_c_while_a_registry_is_silent_ends_tox_at_once(
    project: Project, words: tuple[str, ...]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        project.write(f"images = 127.0.0.1:{silent.getsockname()[1]}/app:1", env_list="a,b")
        process = project.start(*words)
        silent.settimeout(60)
        connection, _ = silent.accept()
        with connection:
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            since = time.monotonic()
            said, _ = process.communicate(timeout=60)
    assert time.monotonic() - since < 20, said
    assert process.returncode != 0
    assert "commands[0]" not in said
    assert project.is_clean()


def test_ctrl_c_in_the_middle_of_a_download_leaves_nothing(project: Project) -> None:
    sample = samples.image("slow", layers=1, size=20_000_000)
    with dribbling(sample) as address:
        project.write(f"images = {address}/app:1")
        process = project.start("run")
        until(lambda: any((project.home / "ingest").glob("*")))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode != 0, said
    assert "commands[0]" not in said
    assert project.is_clean()


# What cannot be prepared.


def test_a_missing_image_fails_its_environment_alone(
    project: Project, app: str, registry: Registry
) -> None:
    missing = f"{registry}/team/app:2"
    project.write(f"images =\n    a: {missing}\n    b: {app}", env_list="a,b")
    said = project.run("run", code=1)
    assert f"a: failed with images of a: No such image: {missing}" in said
    assert "tox run --skip-images" in said
    assert "a: FAIL" in said
    assert "b: OK" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("images = Alpine:1", "Alpine:1"),
        ("images = 3 x = app:1", "3 x"),
        ("images = 3x = app:1", "'3x' cannot be part of a variable's name"),
        ("images = app:1 --plattform x", "--plattform"),
        ("images = app:1 --platform", "expected one argument"),
        ("images = app:1 --platform a/b/c/d", "a/b/c/d"),
        ("images =\n    app:1\n    app:2", "another image has variables of the name APP"),
        ("images_build = docker/app", "expected NAME = FOLDER"),
        ("images_build = app:1 = nowhere", "there is no such folder"),
        ("images_build = app@1 = docker", "app@1"),
        ("images = app:1 --pull sometimes", "sometimes"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(project: Project, line: str, reason: str) -> None:
    project.write(line)
    said = project.run("run", code=1)
    assert "failed with images of a: " in said
    assert reason in said
    assert "Traceback" not in said


def test_a_build_that_fails_tells_the_line(project: Project) -> None:
    (project.folder / "Dockerfile").write_text("FROM scratch\nCOPPY a b\n")
    project.write("images_build = app:1 = .")
    said = project.run("run", code=1)
    assert "failed with images of a: app:1: " in said
    assert "COPPY" in said


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("images_pull = sometimes", "images_pull is one of missing, newer, always, never"),
        ("images_lock = perhaps", "images_lock is one of use, update, verify, off"),
        ("images_platform = a/b/c/d", "a/b/c/d"),
        ("images_durability = none", "images_durability is one of safe, fast"),
        ("images_mirrors = docker.io", "expected REGISTRY = "),
        ("images_offline = yes\nimages_lock = update", "not offline"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(project: Project, line: str, reason: str) -> None:
    project.write("images = app:1", core=line)
    said = project.run("run", code=1)
    assert "failed with images of a: " in said
    assert reason in said
    assert "Traceback" not in said


# Policies.


def test_a_policy_says_when_the_registry_is_asked(project: Project, app: str) -> None:
    project.write(f"images = {app}", core="images_pull = never")
    assert "the pull policy is never" in project.run("run", code=1)
    project.write(f"images = {app} --pull always", core="images_pull = never")
    project.run("run")


def test_offline_what_is_missing_is_named_and_what_was_fetched_is_taken(
    project: Project, app: str
) -> None:
    mirror = f"docker.io = http://{app.partition('/')[0]}"
    project.write("images = team/app:1", core=f"images_mirrors = {mirror}")
    project.run("images")
    project.write("images = team/app:1\nimages_build = web:1 = .", core="images_offline = yes")
    (project.folder / "Dockerfile").write_text("FROM team/app:1\nLABEL a=b\n")
    project.run("run")
    assert project.shown()["PYTEST_IMAGES_OFFLINE"] == "1"
    project.write("images = team/none:1", core="images_offline = yes")
    said = project.run("run", code=1)
    assert "team/none:1" in said
    assert "fetch it where there is a network: pytest-images " in said


def test_the_lock_file_decides_what_a_tag_stands_for(
    project: Project, app: str, tmp_path: Path
) -> None:
    (project.folder / "Dockerfile").write_text("FROM registry.test/team/app:1\nLABEL a=b\n")
    core = f"images_mirrors = registry.test = http://{app.partition('/')[0]} only"
    project.write("images_build = web:1 = .", core=core + "\nimages_lock = update")
    said = project.run("run")
    assert "images.lock: registry.test/team/app:1: added, sha256:" in said
    assert project.shown()["PYTEST_IMAGES_LOCK"] == "update"
    lock = (project.folder / "images.lock").read_text()
    before = samples.image("app", layers=3, size=50_000)
    assert str(before.manifest.digest) in lock
    publish(app, "moved", tmp_path / "mover")
    project.write("images = registry.test/team/app:1", core=core)
    project.run("run")
    assert project.shown()["IMAGES_APP_ID"] == str(before.config.id)
    project.write("images = registry.test/team/app:1", core=core + "\nimages_lock = verify")
    said = project.run("run", code=1)
    assert str(before.manifest.digest) in said
    assert "pytest-images lock registry.test/team/app:1" in said
    assert (project.folder / "images.lock").read_text() == lock


# Other ways to run.


def test_images_can_be_skipped(project: Project) -> None:
    project.write("images = 127.0.0.1:1/app:1")
    project.run("run", "--skip-images")
    assert "IMAGES_APP" not in project.shown()


def test_without_commands_nothing_is_prepared(project: Project) -> None:
    project.write("images = 127.0.0.1:1/app:1")
    project.run("run", "--notest")
    assert not project.home.exists()


def test_a_command_prepares_and_runs_nothing(
    project: Project, app: str, registry: Registry
) -> None:
    project.write(f"images = {app}", env_list="a,b")
    said = project.run("images", "-e", "a")
    assert f"a: images> {app} is sha256:" in said
    assert "b:" not in said
    assert not (project.folder / "a.json").exists()
    project.write(f"images = {registry}/team/none:1")
    assert "failed with images of a" in project.run("images", code=1)


@pytest.mark.parametrize("page", ["docs/tox.md", "plugins/tox-images/README.md"])
def test_the_examples_of_the_pages_work(
    project: Project, registry: Registry, tmp_path: Path, page: str
) -> None:
    for name in ("library/alpine:3.20", "library/postgres:16"):
        publish(f"{registry}/{name}", name.replace(":", "-"), tmp_path / "publisher")
    folder = project.folder / "docker" / "web"
    folder.mkdir(parents=True)
    text = "FROM alpine:3.20 AS runtime\nARG VERSION\nLABEL v=$VERSION\nFROM none:1\n"
    (folder / "Dockerfile").write_text(text)
    [example] = re.findall("^```ini\n(.*?)^```$", (ROOT / page).read_text(), re.DOTALL | re.M)
    mirrors = f"[tox]\nimages_mirrors = docker.io = http://{registry} only\n"
    example = re.sub(r"\[tox\]\nrequires =\n( .*\n)+", mirrors, example)
    (project.folder / "tox.ini").write_text(example)
    said = project.run("images", "-e", "integration")
    assert re.findall(r"images> (\S+) is sha256:", said) == [
        "alpine:3.20",
        "postgres:16",
        "web:test",
    ]


def test_the_keys_are_shown(project: Project) -> None:
    project.write("images =\n    app:1\n    db = db:2")
    said = project.run("config", "--core", "-k", "images", "images_pull", "images_offline")
    assert "images =\n  app:1\n  db = db:2\n" in said
    assert "images_offline = False" in said


def test_a_command_given_by_hand_sees_the_images(project: Project, app: str) -> None:
    project.write(f"images = {app}")
    project.run("exec", "-e", "a", "--", sys.executable, "show.py", "a")
    assert project.shown()["IMAGES_APP"] == app


def test_loading_the_plugin_loads_nothing_of_pytest_images() -> None:
    seen = "import sys, tox_images.plugin; print([m for m in sys.modules if 'pytest' in m])"
    done = subprocess.run([sys.executable, "-c", seen], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def dribbling(sample: samples.Sample) -> Iterator[str]:
    """Serve an image slowly: a megabyte a second."""

    class Dribbles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, name = self.path.rpartition("/")
            raw = sample.manifest.raw
            if kind.endswith("/blobs"):
                raw = sample.blobs[Digest.parse(name)]
            self.send_response(200)
            self.send_header("Content-Type", sample.manifest.media_type)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            with suppress(OSError):  # it was stopped
                for start in range(0, len(raw), 100_000):
                    self.wfile.write(raw[start : start + 100_000])
                    time.sleep(0.1 if len(raw) > 100_000 else 0)

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Dribbles) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
