"""The process that is killed: forks a child for each point, which meets the fault there.

Started by `harness` with the shim preloaded; reads one JSON request a line, answers one a line.
A point is a whole life: a store is prepared, the scenario's steps run under fire, and another
process looks at what is left, then does the steps again unharmed.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import mmap
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.content.store import Store
from pytest_images.errors import ImagesError

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 60  # seconds that one life may take
FAULTS = {"count": 0, "kill": 1, "power": 2, "eio": 3, "full": 4, "eio-read": 5}
FAULTS |= {"short": 7, "interrupted": 8}
WIDE = ("short", "interrupted")  # what is read beside the store meets these too


class Shim:
    """The preloaded library, and the counter it shares with its children."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ["SHIM"])
        self._memory = mmap.mmap(-1, mmap.PAGESIZE)
        self._count = ctypes.c_int.from_buffer(self._memory)

    def arm(self, root: Path, fault: str, at: int, mounted: int = -1) -> None:
        self._count.value = 0
        self._library.shim_arm(
            os.fsencode(root), FAULTS[fault], at, mounted, ctypes.byref(self._count)
        )

    @property
    def count(self) -> int:
        return self._count.value


def in_child(work: Callable[[Callable[[str], None]], None]) -> tuple[list[str], str]:
    """Run *work* in a forked child; returns the words it said and how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            signal.alarm(LIMIT)
            work(lambda word: (os.write(writer, f"{word}\n".encode()), None)[1])
            status = 0
        except BaseException:
            os.write(writer, ("!" + traceback.format_exc()).replace("\n", "\r").encode() + b"\n")
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        words = said.read().decode(errors="replace").splitlines()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    ended = "well" if code == 0 else "failed" if code > 0 else signal.Signals(-code).name
    return words, ended


def live(
    shim: Shim, scene: Any, root: Path, request: dict[str, Any], mounted: int
) -> dict[str, Any]:
    """Prepare and run under fire; ``problem`` is there if the process itself did wrong."""
    fault, at = request["fault"], request["at"]

    def suffer(say: Callable[[str], None]) -> None:
        scene.prepare(root)
        if mounted >= 0:
            ctypes.CDLL(None).syncfs(mounted)
        shim.arm(root.parent if fault in WIDE else root, fault, at, mounted)
        try:
            for word in scene.steps(root):
                say(f"+{word}")
        except ImagesError as error:
            say(f"?{type(error).__name__}: {error}")
            shim.arm(root, "count", 0)
            for word in scene.steps(root):  # the cause is gone: the same process goes on
                say(f"+{word}")

    words, ended = in_child(suffer)
    done = [word[1:] for word in words if word.startswith("+")]
    answer: dict[str, Any] = {"points": shim.count, "ended": ended, "done": done, "words": words}
    dead = fault in ("kill", "power")
    allowed = ("well", "SIGKILL") if dead else ("well",)
    if ended not in allowed:
        answer["problem"] = f"the process ended {ended}: {words}"
        return answer
    answer["ended_by_fault"] = ended == "SIGKILL" or any(word[0] == "?" for word in words)
    return answer


def look(scene: Any, root: Path, done: list[str]) -> str:
    """Open what is left and check it, finish the steps, check again; returns what is wrong."""
    durability = getattr(scene, "DURABILITY", None)

    def check(words: list[str]) -> None:
        with Store.open(root, durability=durability) as store:
            if getattr(scene, "REPAIR", False):
                store.fsck(repair=True)
            report = store.fsck()
            assert report.clean, report.problems
            scene.holds(store, words)

    def examine(say: Callable[[str], None]) -> None:
        if hasattr(scene, "restarted"):
            scene.restarted(root)
        check(done)
        check(list(scene.steps(root)))

    words, ended = in_child(examine)
    return "" if ended == "well" else f"afterwards {ended}: {words}".replace("\r", "\n")


@contextmanager
def disk(folder: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A small ext4 disk of its own: its mount point, and how to mount it again."""
    golden, image, mount = folder / "golden.img", folder / "work.img", folder / "mount"
    if not golden.exists():
        with golden.open("wb") as file:
            file.truncate(24 << 20)
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0", str(golden))
        mount.mkdir(exist_ok=True)
    shutil.copyfile(golden, image)

    def attach() -> None:
        run("mount", "-o", "loop", str(image), str(mount))

    def again() -> None:
        run("umount", str(mount))
        attach()

    attach()
    try:
        yield mount, again
    finally:
        run("umount", str(mount))


def run(*command: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    env["PATH"] = f"{env.get('PATH', '')}:/usr/sbin:/sbin"
    done = subprocess.run(command, check=False, capture_output=True, env=env)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr.decode(errors='replace')}")


def answer(shim: Shim, request: dict[str, Any], folder: Path) -> dict[str, Any]:
    scene = importlib.import_module(request["scenario"])
    if request["fault"] == "power":
        with disk(folder) as (mount, again):
            root = mount / "store"
            top = os.open(mount, os.O_RDONLY | os.O_DIRECTORY)
            try:
                result = live(shim, scene, root, request, top)
            finally:
                os.close(top)
            if result["ended"] == "SIGKILL":
                again()
            if "problem" not in result:
                result["problem"] = look(scene, root, result["done"])
            return result
    home = folder / "home"
    result = live(shim, scene, home / "store", request, -1)
    if "problem" not in result:
        result["problem"] = look(scene, home / "store", result["done"])
    shutil.rmtree(home, ignore_errors=True)
    return result


def main() -> None:
    shim, folder = Shim(), Path(sys.argv[1])
    for line in sys.stdin:
        try:
            result = answer(shim, json.loads(line), folder)
        except Exception:
            result = {"problem": traceback.format_exc(), "points": 0, "broken": True}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
