"""Dockerfiles as they are written: the two that everybody knows, a service, a compiled program."""

from __future__ import annotations

import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest

from pytest_images.sandbox import abilities
from tests.peers import is_required, miss, peer, shared_images
from tests.sandbox.conftest import require_sandbox

if TYPE_CHECKING:
    from pytest_images.images import Images

NATIVE = {"x86_64": "amd64", "aarch64": "arm64v8"}.get(platform.machine(), "")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    require_sandbox(tmp_path)
    return shared_images() or miss("shared", "the real images are not at hand")


def runs(images: Images, image: str, *words: str) -> str:
    """Run a command in an image; return the log of the step."""
    line = ", ".join(f'"{word}"' for word in words)
    return images.build({}, dockerfile_text=f"FROM {image}\nRUN [{line}]\n", no_cache=True).log


def test_hello_world(images: Images, shared: Path) -> None:
    folder = shared / "hello-world" / NATIVE
    text = 'FROM scratch\nCOPY hello /\nCMD ["/hello"]\n'
    images.build(folder, dockerfile_text=text, tags="hello-world")
    assert images.config("hello-world").settings.command == ("/hello",)
    assert [path.name for path in images.files("hello-world").iterdir()] == ["hello"]
    assert "Hello from Docker!" in runs(images, "hello-world", "/hello")


def test_alpine(images: Images, shared: Path) -> None:
    [archive] = shared.glob(f"alpine/alpine-minirootfs-3.20*{platform.machine()}.tar.gz")
    text = f'FROM scratch\nADD {archive.name} /\nCMD ["/bin/sh"]\n'
    images.build(archive.parent, dockerfile_text=text, tags="alpine:3.20")
    files = images.files("alpine:3.20")
    with tarfile.open(archive) as tar:
        for member in tar:
            found = (files / member.name).lstat()
            assert (found.mode, found.uid, found.gid) == (member.mode, member.uid, member.gid)
            assert found.target == (member.linkname if member.issym() else found.target)
    assert "3.20" in runs(images, "alpine:3.20", "cat", "/etc/alpine-release")


# A service on this machine's own Python: what needs no network of it.

SERVICE = r"""# syntax=docker/dockerfile:1
FROM python:3 AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app

FROM base AS build
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/wheels \
    --mount=type=secret,id=token,required=true,env=TOKEN <<EOF
set -e
cached=/root/.cache/wheels/$(cat requirements.txt)
if [ -e "$cached" ]; then echo "from the cache"; else echo "fetched with a token" > "$cached"; fi
test -n "$TOKEN"
mkdir -p /install && echo 'def greet(): return "hello"' > /install/greeting.py
EOF

FROM base
COPY --from=build /install /app/lib
COPY --chmod=644 service.py .
RUN --mount=type=bind,target=/context python3 /context/check.py
ENV PYTHONPATH=/app/lib
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=10s CMD ["python3", "-c", "import service"]
ENTRYPOINT ["python3", "service.py"]
"""
PROGRAM = b"import sys\nsys.path.insert(0, '/app/lib')\nimport greeting\nprint(greeting.greet())\n"


@pytest.fixture
def python(images: Images, tmp_path: Path) -> str:
    """An image of this Python and its library beside a shell: what Debian's has, and no more."""
    require_sandbox(tmp_path)
    out = io.BytesIO()
    names = "encodings collections json importlib re urllib http email concurrent ctypes"
    library = Path(os.__file__).parent
    with tarfile.open(fileobj=out, mode="w", dereference=True) as tar:
        for tool in ("sh", "cat", "mkdir"):
            add_program(tar, shutil.which(tool) or "", f"bin/{tool}")
        add_program(tar, str(Path(sys.executable).resolve()), "usr/bin/python3")
        version = f"usr/lib/python{sys.version_info.major}.{sys.version_info.minor}"
        for name in (*sorted(path.name for path in library.glob("*.py")), *names.split()):
            tar.add(library / name, f"{version}/{name}", filter=without_bytecode)
        (folder,) = {Path(path) for path in sys.path if path.endswith("lib-dynload")}
        tar.add(folder, f"{version}/lib-dynload")
    out.seek(0)
    images.import_(out, "python:3", changes=["ENV PATH=/usr/bin:/bin PYTHONHOME=/usr"])
    return "python:3"


def without_bytecode(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if "__pycache__" in member.name else member


def add_program(tar: tarfile.TarFile, found: str, name: str) -> None:
    """Add a program and what it is linked to."""
    linked = subprocess.run(["ldd", found], capture_output=True, text=True, check=False).stdout
    tar.add(found, name)
    known = set(tar.getnames())
    for library in re.findall(r"(/\S+) \(", linked):
        if library.lstrip("/") not in known:
            tar.add(library, library.lstrip("/"))


def test_a_python_service_with_caches_and_secrets(images: Images, python: str) -> None:
    context = {
        "Dockerfile": SERVICE.encode(),
        "requirements.txt": b"greeting",
        "service.py": PROGRAM,
        "check.py": PROGRAM.replace(b"print", b"assert 'hello' == "),
    }
    secrets = {"token": "c4n4ry-t0ken"}
    first = images.build(context, tags="service:1", secrets=secrets)
    assert "c4n4ry" not in first.log
    assert "from the cache" not in first.log
    settings = images.config("service:1").settings
    assert settings.entrypoint == ("python3", "service.py")
    assert settings.user == "1000:1000"
    assert settings.working_directory == "/app"
    names = {path.name for path in (images.files("service:1") / "app").iterdir()}
    assert names == {"lib", "service.py"}
    assert not (images.files("service:1") / "root/.cache").exists()
    assert "hello" in runs(images, "service:1", "python3", "service.py")
    again = images.build(context, tags="service:2", secrets=secrets)
    assert again.image is not None
    assert first.image is not None
    assert (again.image.id, again.log.count("CACHED")) == (first.image.id, 6)
    assert "from the cache" in images.build(context, secrets=secrets, no_cache=True).log


SOCKETS = """
import errno, socket
for family, kind, protocol in ((16, 3, 9), (40, 1, 0), (2, 2, 0)):
    try:
        socket.socket(family, kind, protocol).close()
        print(family, "opened")
    except OSError as error:
        print(family, errno.errorcode[error.errno])
"""


def test_sockets_are_those_of_docker(images: Images, python: str, tmp_path: Path) -> None:
    """useradd wants one to the kernel's audit; one to a hypervisor leads out."""
    if abilities.abilities(tmp_path).isolation == "namespaces":
        miss("crun", "no runtime here filters system calls")
    log = runs(images, python, "python3", "-c", SOCKETS.replace("\n", "\\n").replace('"', "'"))
    assert re.findall(r" (\d+) (\w+)\n", log) == [
        ("16", "opened"),
        ("40", "EPERM"),
        ("2", "opened"),
    ]


# A C program, by this machine's own compiler, without a library.

SOURCE = b"""
static const char text[] = "compiled\\n";
void _start(void) {
#ifdef __x86_64__
    __asm__ volatile("syscall" :: "a"(1), "D"(1), "S"(text), "d"(sizeof text - 1) : "rcx", "r11");
    __asm__ volatile("syscall" :: "a"(60), "D"(0));
#else
    register long call __asm__("x8") = 64, one __asm__("x0") = 1;
    register long from __asm__("x1") = (long)text, size __asm__("x2") = sizeof text - 1;
    __asm__ volatile("svc 0" : "+r"(one) : "r"(call), "r"(from), "r"(size) : "memory");
    call = 93; one = 0;
    __asm__ volatile("svc 0" :: "r"(call), "r"(one));
#endif
}
"""
COMPILED = """FROM compiler AS build
ARG FLAGS="-O2 -Wall -Werror"
WORKDIR /src
COPY *.c .
RUN gcc $FLAGS -static -nostdlib -ffreestanding -o /hello main.c
FROM scratch
COPY --from=build /hello /bin/
ENTRYPOINT ["/bin/hello"]
"""


@pytest.fixture
def compiler(images: Images, tmp_path: Path) -> str:
    """An image of this machine's compiler."""
    require_sandbox(tmp_path)
    peer("cc")
    gcc = shutil.which("gcc") or miss("cc", "gcc is not on this machine")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", dereference=True) as tar:
        for tool in ("sh", "as", "ld"):
            add_program(tar, shutil.which(tool) or "", f"usr/bin/{tool}")
        add_program(tar, gcc, "usr/bin/gcc")
        for part in ("prog-name=cc1", "prog-name=collect2", "file-name=liblto_plugin.so"):
            words = [gcc, f"-print-{part}"]
            found = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            add_program(tar, found.strip(), found.strip().lstrip("/"))
        tar.addfile(directory("tmp", 0o1777))
        shell = tarfile.TarInfo("bin")
        shell.type, shell.linkname = tarfile.SYMTYPE, "usr/bin"
        tar.addfile(shell)
    out.seek(0)
    images.import_(out, "compiler", changes=["ENV PATH=/usr/bin"])
    return "compiler"


def directory(name: str, mode: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.mode = tarfile.DIRTYPE, mode
    return made


def test_a_c_program_is_compiled_in_a_stage_of_its_own(images: Images, compiler: str) -> None:
    context = {"Dockerfile": COMPILED.encode(), "main.c": SOURCE}
    images.build(context, tags="hello:1")
    assert "compiled" in runs(images, "hello:1", "/bin/hello")
    [layer] = images.config("hello:1").diff_ids
    assert [str(path) for path in images.files("hello:1").glob("**/*")] == ["/bin", "/bin/hello"]
    again = images.build(context, tags="hello:2", no_cache=True)
    assert images.config("hello:2").diff_ids == (layer,)
    assert again.log.count("CACHED") == 0


def test_a_compiler_that_complains_ends_the_build_with_what_it_said(
    images: Images, compiler: str
) -> None:
    from pytest_images.errors import BuildError

    with pytest.raises(BuildError) as caught:
        images.build({"Dockerfile": COMPILED.encode(), "main.c": b"int main(void) { no }\n"})
    assert "main.c:1" in caught.value.log
    assert caught.value.line == 5


# A C program with its library, by the compiler of a base as Debian's own tool makes one.

MADE = """FROM debian AS build
RUN useradd --create-home builder
WORKDIR /src
RUN chown builder: .
USER builder
COPY --chown=builder:builder . .
ARG CFLAGS="-O2 -Wall -Werror -static"
RUN --mount=type=tmpfs,target=/tmp <<EOF
set -e
make CFLAGS="$CFLAGS" greet
./greet $(whoami) | tee greeting.txt
EOF
FROM debian AS runtime
COPY --from=build /src/greet /usr/local/bin/
CMD ["greet", "nobody"]
FROM scratch
COPY --from=build --chown=0:0 /src/greet /src/greeting.txt /
ENTRYPOINT ["/greet"]
"""
GREETING = rb"""
#include <stdio.h>
int main(int count, char **words) {
    return count < 2 || printf("hello %s of %lu bits\n", words[1], 8 * sizeof(long)) < 0;
}
"""


@pytest.fixture
def debian(images: Images, tmp_path: Path) -> str:
    """A base with a compiler, fetched from Debian and set up by debootstrap.

    That takes the network and a minute: only for runs that promise it, as those in CI do.
    """
    if not is_required("debootstrap"):
        pytest.skip("fetches 100 MB from Debian, unless PYTEST_IMAGES_PEERS names debootstrap")
    require_sandbox(tmp_path)
    peer("root")
    folder = tmp_path / "debian"
    command = [
        *(peer("debootstrap"), "--variant=minbase", "--include=gcc,libc6-dev,make"),
        *("bookworm", str(folder), "http://deb.debian.org/debian"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        miss("debootstrap", f"debootstrap does not work here: {done.stdout[-500:]}")
    pack = ["tar", "--create", "--one-file-system", f"--directory={folder}", "."]
    with subprocess.Popen(pack, stdout=subprocess.PIPE) as tar:
        images.import_(cast("BinaryIO", tar.stdout), "debian", changes=["ENV LC_ALL=C.UTF-8"])
    assert tar.returncode == 0
    return "debian"


def test_a_c_program_is_compiled_on_a_base_made_by_debootstrap(images: Images, debian: str) -> None:
    context = {"Dockerfile": MADE.encode(), "greet.c": GREETING, "Makefile": b""}
    images.build(context, tags="greet:1")
    files = images.files("greet:1")
    assert [str(path) for path in files.glob("**/*")] == ["/greet", "/greeting.txt"]
    assert {path.stat().uid for path in files.iterdir()} == {0}
    greeting = (files / "greeting.txt").read_text()
    assert re.fullmatch(r"hello builder of (32|64) bits\n", greeting)
    assert "hello world" in runs(images, "greet:1", "/greet", "world")
    again = images.build(context, tags="greet:2")
    assert images.config("greet:2").diff_ids == images.config("greet:1").diff_ids
    assert again.log.count("CACHED") == 6
    images.build(context, tags="greet:debian", target="runtime")
    assert "hello you" in runs(images, "greet:debian", "greet", "you")


def test_unchanged_inputs_run_nothing(images: Images, alpine: str, tmp_path: Path) -> None:
    """A changed line runs what stands after it."""
    lines = ["FROM alpine:3.20", "RUN date +%s%N > /time", "COPY a /", "RUN echo hi"]
    (tmp_path / "a").write_text("1")
    first = images.build(tmp_path, dockerfile_text="\n".join(lines), tags="app:1")
    again = images.build(tmp_path, dockerfile_text="\n".join(lines), tags="app:2")
    assert first.image is not None
    assert again.image is not None
    assert again.image.id == first.image.id
    assert again.log.count("CACHED") == 3
    lines[3] = "RUN echo hello"
    changed = images.build(tmp_path, dockerfile_text="\n".join(lines), tags="app:3")
    assert changed.log.count("CACHED") == 2
    times = {(images.files(name) / "time").read_text() for name in ("app:1", "app:3")}
    assert len(times) == 1
