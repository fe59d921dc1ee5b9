"""Everything in its place for one command, by our own hands or a runtime's."""

from __future__ import annotations

import os

from pytest_images.sandbox import bundle, own, syscalls
from pytest_images.sandbox.accounts import account
from pytest_images.sandbox.memory import Memory
from pytest_images.sandbox.places import Places, Refused
from pytest_images.sandbox.tree import Opened, bind, here, mount_root, pinned, view_of_sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from pytest_images.sandbox.spec import MountSpec, Spec

_KERNEL = ("/proc", "/sys", "/dev")
_CGROUPS = "/sys/fs/cgroup"
_UNIFIED = "/sys/fs/cgroup/unified"


class Setup:
    """The root file system of a step, mounted bare, and what will be mounted into it.

    Every place is made before anything lies over it, and taken away by `clear`.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._sources = {
            mount: pinned(mount, spec.scratch) for mount in spec.mounts if mount.source
        }
        self._merged = mount_root(spec)
        self._places = Places(self._open_root())
        self._account = account(self._open_root(), spec.user)
        self._sysfs = view_of_sys(spec) if spec.has_network else ""
        self._memory = Memory(spec.scratch)
        self._make_places()

    def start(self) -> int:
        """Start the command; return its process."""
        start = self._become_runtime if self.spec.runtime else self._become_command
        child = os.fork()
        if child:
            return child
        try:
            start()
        except (OSError, Refused) as error:
            own.end(f"the sandbox could not be set up: {error}", own.NOT_EXECUTABLE)

    def clear(self) -> None:
        """Take away the places that were made for mounts, and what nobody else may remove."""
        self._places.clear()
        if self.spec.lowers:
            _remove(os.path.join(self.spec.scratch, "work"))

    def _open_root(self) -> int:
        return os.open(self._merged, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)

    def _make_places(self) -> None:
        for path in _KERNEL:
            self._places.real_folder(path)
        for path in self.spec.files:
            self._places.file(path)
        for mount in self.spec.mounts:
            self._require_own(mount, self._place(self._places, mount))

    def _require_own(self, mount: MountSpec, place: int) -> None:
        """Refuse a mount over what the sandbox itself has there: it hides other things by that."""
        path = os.readlink(here(place)).removeprefix(self._merged) or "/"
        top = "/".join(path.split("/")[:2])
        if path in ("/", "/dev", "/dev/null") or top in ("/proc", "/sys"):
            raise Refused(f"{mount.target}: nothing can be mounted over {path}")

    def _place(self, places: Places, mount: MountSpec) -> int:
        """Open where *mount* goes: a file for a file, a folder for a folder."""
        source = self._sources.get(mount)
        is_file = mount.kind == "secret" or (source is not None and not os.path.isdir(source))
        return places.file(mount.target) if is_file else places.folder(mount.target)

    def _source(self, mount: MountSpec) -> str:
        if mount.kind == "secret":
            return self._memory.put(mount.content, mount.mode, mount.uid, mount.gid)
        return self._sources[mount]

    # Without a runtime.

    def _become_command(self) -> NoReturn:
        """Mount everything in a mount namespace of the command's own, and be the command."""
        syscalls.unshare(syscalls.CLONE_NEWNS)
        places = Places(self._open_root())  # sees what is mounted from here on
        own.mount_kernel(places, self._sysfs)
        for path, text in self.spec.files.items():
            bind(self._memory.put(text.encode(), 0o644), here(places.file(path)))
            syscalls.make_read_only(places.file(path))
        for mount in self.spec.mounts:
            target = here(self._place(places, mount))
            if mount.kind == "tmpfs":
                syscalls.mount("tmpfs", target, "tmpfs", syscalls.MS_NOSUID, _size(mount))
                continue
            bind(self._source(mount), target)
            if mount.read_only or mount.kind == "secret":
                syscalls.make_read_only(self._place(places, mount))
        own.enter(self._merged)
        own.hide_kernel()
        own.become(self.spec, self._account)

    # With one.

    def _become_runtime(self) -> NoReturn:
        """Write a bundle and be the runtime that runs it.

        In memory, and the runtime's own notes too: the environment may hold secrets.
        """
        memory = self._memory.folder
        folder = os.path.join(memory, "bundle")
        os.mkdir(folder, 0o700)
        config = bundle.config(self.spec, self._merged, self._account, self._mounts())
        with open(os.path.join(folder, "config.json"), "wb") as out:
            out.write(config)
        _calm_cgroups()
        state = os.path.join(memory, "state")
        words = [*self.spec.runtime, "--root", state, "run", "--bundle", folder, "build"]
        path = os.environ.get("PATH", os.defpath)
        os.execve(words[0], words, {"PATH": path, "XDG_RUNTIME_DIR": memory})

    def _mounts(self) -> list[dict[str, Any]]:
        """Return our mounts as the runtime is told of them."""
        mounts = [bundle.sysfs(self._sysfs)]
        for path, text in self.spec.files.items():
            mounts.append(bundle.bind(self._memory.put(text.encode(), 0o644), path, read_only=True))
        for mount in self.spec.mounts:
            if mount.kind == "tmpfs":
                options = ["nosuid", *filter(None, [_size(mount)])]
                mounts.append(bundle.mount(mount.target, "tmpfs", "tmpfs", options))
            else:
                fixed = mount.read_only or mount.kind == "secret"
                mounts.append(bundle.bind(self._source(mount), mount.target, read_only=fixed))
        return mounts


def _size(mount: MountSpec) -> str:
    return f"size={mount.size}" if mount.size else ""


def _calm_cgroups() -> None:
    """Let no runtime make a cgroup, which it would leave behind if it was killed.

    Where there are two trees of them the second is hidden: crun does not start with both.
    """
    if os.path.isdir(_CGROUPS):
        with Opened(_CGROUPS) as mounted:
            syscalls.make_read_only(mounted)
    if os.path.isdir(_UNIFIED):
        syscalls.mount("tmpfs", _UNIFIED, "tmpfs")


def _remove(work: str) -> None:
    """Take away the folder that an overlay worked in: it may be entered from here only."""
    try:
        for name in os.listdir(work):
            os.rmdir(os.path.join(work, name))
        os.rmdir(work)
    except OSError:  # it left more there than an empty folder
        from pytest_images.sandbox.removal import remove_as_root

        remove_as_root({"folder": work})
