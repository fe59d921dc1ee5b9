"""A RUN step in a container: its files go there as a stream, what changed comes back as one.

Nothing is shared with the engine: it may be on another machine. So a mounted folder is a
volume that begins with a copy, and what a cache became is copied back.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pytest_images import ImagesError, Ran, SandboxError
from pytest_images.builder.unpack import unpack
from pytest_images.layer.limit import expansion_limit
from pytest_images.layer.member import Kind
from pytest_images.layer.writer import Entry, LayerWriter
from pytest_images.model.request.run import MountKind
from pytest_images.sandbox.removal import remove as remove_folder
from pytest_images.sandbox.run import NETWORKS
from pytest_images.sandbox.users import as_root, usable
from pytest_images_docker.caches import Cache
from pytest_images_docker.changes import Changes, Layer
from pytest_images_docker.container import REPOSITORY, Container, import_image
from pytest_images_docker.owners import owned, remove, sweep
from pytest_images_docker.rootfs import Merged, Root, Sent, pack, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pytest_images import RunStep
    from pytest_images.model.request.run import RunMount
    from pytest_images_docker.daemon import Daemon
    from pytest_images_docker.rootfs import Parts

# What an engine mounts by itself; it makes the places anew, which changes the time of the folder.
OF_THE_ENGINE = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")
NO_FILTER = "no filter of system calls: the engine has none"
NOT_IN_MEMORY = "until the step ends, its secrets lie on the engine's disk"
NOT_FIXED = "a file that is mounted can be written to; what is written is dropped"


def run(step: RunStep, daemon: Daemon) -> Ran:
    """Run the command of *step* in a container of *daemon* and return how it ended.

    Nothing of it is left there when this returns or raises. Raises SandboxError where the
    step cannot be set up or takes too long, Unreachable.
    """
    if step.network not in NETWORKS:
        raise SandboxError(f'network "{step.network}" is none of {", ".join(NETWORKS)}')
    sweep(daemon)
    with _scratch(step.scratch) as scratch, owned(scratch) as labels:
        return _Run(step, daemon, scratch, labels).run()


class _Run:
    def __init__(
        self, step: RunStep, daemon: Daemon, scratch: Path, labels: Mapping[str, str]
    ) -> None:
        self._step, self._daemon, self._scratch, self._labels = step, daemon, scratch, labels
        layers = (str(step.rootfs), *map(str, step.lowers))
        self._merged = Merged(layers, single=usable().users.is_single)
        self._layers = layers
        self._targets = {mount: self._merged.resolve(mount.target) for mount in step.mounts}
        self._files = [self._merged.resolve(path) for path in OF_THE_ENGINE]
        self._caches = {
            _path(parts): self._cache(mount.source, parts)
            for mount, parts in self._targets.items()
            if mount.source is not None and self._is_kept(mount)
        }
        self._name = f"pytest-images-{secrets.token_hex(8)}"

    def run(self) -> Ran:
        """Make an image, a container of it, and take away both."""
        name = f"{REPOSITORY}:{self._name}"
        with _leaving(partial(remove, self._daemon, "images", name), name):
            platform = str(self._step.platform)
            image = import_image(self._daemon, self._name, self._labels, platform, self._send)
            with _leaving(partial(remove, self._daemon, "images", image), image):
                status = self._run(Container(self._daemon, self._name), image)
        return Ran(status, "docker", self._warnings())

    def _run(self, container: Container, image: str) -> int:
        """Run the command in *container* and take back what is of it, then take that away."""
        with self._volumes_leaving(), _leaving(container.remove, self._name):
            container.create(self._document(image))
            times = self._times(container)
            if any(mount.kind is MountKind.SECRET for mount in self._step.mounts):
                container.put(self._send_secrets)
            status = container.run(self._step.log, self._step.timeout)
            self._take_caches(container)
            if status == 0:
                self._take_changes(container, times)
        return status

    def _volumes_leaving(self) -> ExitStack:
        stack = ExitStack()
        for name in self._volume_names():
            stack.enter_context(_leaving(partial(remove, self._daemon, "volumes", name), name))
        return stack

    # What goes there.

    def _send(self, stream: BinaryIO) -> None:
        root = self._root()
        if not usable().by_helper:
            send(root.plan(), stream)
            return
        packed = self._scratch / "root.tar"  # read by another process, as its owners are others
        packed.touch()
        packed.chmod(0o666)
        as_root(pack, root.plan(str(packed)))
        with packed.open("rb") as source:
            shutil.copyfileobj(source, stream, 1 << 20)
        packed.unlink()

    def _root(self) -> Root:
        mounts: list[tuple[str, str | None]] = []
        places: list[str] = []
        for mount, parts in self._targets.items():
            target = _path(parts)
            if mount.kind is MountKind.SECRET:
                places.append(target.rpartition("/")[0])
            else:
                mounts.append((target, None if mount.source is None else str(mount.source)))
        return Root(self._layers, tuple(mounts), tuple(places), self._merged.single)

    def _send_secrets(self, stream: BinaryIO) -> None:
        """Write the secrets as files, the folders around them as they are."""
        writer = LayerWriter(Sent(stream))
        for mount, parts in self._targets.items():
            if mount.kind is not MountKind.SECRET or mount.content is None:
                continue
            above = self._merged.find(parts[:-1])
            if above is not None and parts[:-1]:
                info = above.info
                owner = self._merged.owner(above)
                name, mode = b"/".join(parts[:-1]), info.st_mode & 0o7777
                writer.add(Entry(name, Kind.DIRECTORY, mode, *owner, int(info.st_mtime)))
            content = mount.content.reveal().encode("utf-8", "surrogateescape")
            name = b"/".join(parts)
            entry = Entry(name, Kind.FILE, mount.mode, mount.uid, mount.gid, size=len(content))
            writer.add_bytes(entry, content)
        writer.finish()

    def _document(self, image: str) -> dict[str, Any]:
        """Return the container as Docker's API is told of it (ContainerCreate)."""
        step = self._step
        hidden = {name: secret.reveal() for name, secret in step.secret_environment.items()}
        variables = {**step.environment, **hidden}
        return {
            "Image": image,
            "Cmd": list(step.command),
            "Env": [f"{name}={value}" for name, value in variables.items()],
            "WorkingDir": step.working_directory or "/",
            "User": step.user,
            "Hostname": "build",
            "Labels": dict(self._labels),
            "AttachStdout": True,
            "AttachStderr": True,
            "HostConfig": {
                "NetworkMode": "none" if step.network == "none" else "host",
                "ExtraHosts": [f"{name}:{address}" for name, address in step.add_hosts],
                "LogConfig": {"Type": "none"},  # it is heard, not kept
                "SecurityOpt": ["no-new-privileges"],
                "Mounts": self._volumes(),
                "Tmpfs": {
                    _path(parts): ",".join(_tmpfs(mount))
                    for mount, parts in self._targets.items()
                    if mount.kind is MountKind.TMPFS
                },
            },
        }

    def _volumes(self) -> list[dict[str, Any]]:
        """Return the volumes of mounted folders; they begin with what the image has there."""
        return [
            {
                "Type": "volume",
                "Source": name,
                "Target": _path(self._targets[mount]),
                "ReadOnly": mount.read_only,
                "VolumeOptions": {"Labels": dict(self._labels)},
            }
            for name, mount in self._volume_names().items()
        ]

    def _volume_names(self) -> dict[str, RunMount]:
        folders = [mount for mount in self._targets if _is_volume(mount)]
        return {f"{self._name}-{number}": mount for number, mount in enumerate(folders)}

    # What comes back.

    def _times(self, container: Container) -> dict[Parts, int]:
        """Return when the engine itself changed the folders that it has something in."""
        folders = {parts[:-1] for parts in self._files}
        there = [parts for parts in folders if parts and self._merged.find(parts) is not None]
        return {parts: container.changed_at(_path(parts)) for parts in there}

    def _take_changes(self, container: Container, times: Mapping[Parts, int]) -> None:
        covered = (*self._targets.values(), *self._files)
        changes = Changes(container.changes(), self._merged, covered, times)
        with container.exported() as exported:
            layer = changes.write(exported, self._scratch / "changes.tar")
        if not layer.is_empty:
            self._unpack(layer, self._step.rootfs, self._step.lowers)

    def _take_caches(self, container: Container) -> None:
        """Copy back what the volumes of caches became."""
        for target, cache in self._caches.items():
            path = self._scratch / "cache.tar"
            path.unlink(missing_ok=True)
            with container.archive(target) as archive:
                layer = cache.take_back(archive, path)
            if not layer.is_empty:
                self._unpack(layer, cache.folder, ())

    def _cache(self, source: Path, parts: Parts) -> Cache:
        count = len(parts)
        inner = {each[count:] for each in self._targets.values() if each[:count] == parts}
        return Cache(source, inner - {()})

    def _is_kept(self, mount: RunMount) -> bool:
        """Say whether what is written to a mount is for longer than the step."""
        scratch = self._step.scratch
        if mount.source is None or mount.read_only or not _is_volume(mount):
            return False
        return scratch is None or not mount.source.is_relative_to(scratch)

    def _unpack(self, layer: Layer, folder: Path, lowers: tuple[Path, ...]) -> None:
        as_root(
            unpack,
            {
                "blob": str(layer.path),
                "folder": str(folder),
                "diff_id": layer.diff_id,
                "source": "what the command changed",
                "limit": expansion_limit(self._scratch),
                "below": list(map(str, lowers)),
                "merged": not lowers,
                "single": self._merged.single,
            },
        )

    def _warnings(self) -> tuple[str, ...]:
        options = self._daemon.ask("GET", "/info").get("SecurityOptions") or []
        kinds = {mount.kind for mount in self._step.mounts}
        has_secret = MountKind.SECRET in kinds or self._step.secret_environment
        is_open = any(m.read_only and not _is_volume(m) for m in self._targets if m.source)
        return tuple(
            warning
            for warning, holds in (
                (NO_FILTER, not any("seccomp" in str(option) for option in options)),
                (NOT_IN_MEMORY, has_secret),
                (NOT_FIXED, is_open),
            )
            if holds
        )


@contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    try:
        yield path
    finally:
        remove_folder(path)


@contextmanager
def _leaving(remove: Callable[[], object], name: str) -> Iterator[None]:
    """Take away what the block made, also when it fails; then the block's error counts."""
    try:
        yield
    except BaseException as error:
        try:
            remove()
        except ImagesError as failure:
            error.add_note(f"{name} may be left in Docker: {failure}")
        raise
    remove()


def _is_volume(mount: RunMount) -> bool:
    return mount.source is not None and mount.source.is_dir()


def _tmpfs(mount: RunMount) -> list[str]:
    return ["rw", "exec", "nosuid", "nodev", *([f"size={mount.size}"] if mount.size else [])]


def _path(parts: Parts) -> str:
    return "/" + os.fsdecode(b"/".join(parts))
