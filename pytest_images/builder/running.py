"""RUN: what a command sees, its key, and its changes as a layer."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.builder import snapshot
from pytest_images.builder.cache import BuiltLayer, Result, plain_layer
from pytest_images.builder.command import SCRIPTS, Command
from pytest_images.builder.export import export
from pytest_images.builder.roots import Roots, Unpackable
from pytest_images.dockerfile.mounts import Mount, MountType, Sharing
from pytest_images.layer.writer import LayerWriter
from pytest_images.model.request.run import MountKind, RunMount, RunStep
from pytest_images.model.secret import Secret
from pytest_images.sandbox.abilities import has_overlay
from pytest_images.sandbox.removal import remove
from pytest_images.sandbox.users import as_root, usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pytest_images.builder.copying import Copying
    from pytest_images.content.leases import Lease
    from pytest_images.content.store import Store
    from pytest_images.model.request.run import Ran


class Runner:
    """Runs the commands of one build over layers of *store*."""

    def __init__(
        self,
        store: Store,
        lease: Lease,
        run: Callable[[RunStep], Ran],
        secrets: Mapping[str, Secret],
        latest: int,
    ) -> None:
        self._store, self._lease, self._run = store, lease, run
        self._secrets, self._latest = secrets, latest
        self._roots = Roots(store)
        self._roots.clear()

    def run(
        self,
        command: Command,
        layers: Sequence[BuiltLayer],
        bound: Mapping[Mount, Copying],
        log: object,
    ) -> tuple[Ran, Result]:
        """Run *command* over *layers* (lowest first); return how it ended, and its layer.

        *bound* are the files of bind mounts. What a failed command changed is dropped.
        """
        with ExitStack() as stack:
            scratch = stack.enter_context(self._scratch())
            mounts, secrets = self._mounts(command.mounts, bound, scratch, stack)
            mounts += _script(command, scratch)
            unpackables = [Unpackable(each.digest, each.diff_id) for each in layers]
            upper = scratch / "upper"
            upper.mkdir(0o755)
            before: Path | None = None
            lowers: tuple[Path, ...] = ()
            if layers and has_overlay(scratch, self._store.workspace("steps")):
                lowers = stack.enter_context(self._roots.unpacked(unpackables))
            else:
                self._roots.merge(unpackables, upper)
                before = self._remembered(upper, scratch)
            step = RunStep(
                rootfs=upper,
                command=command.words,
                platform=command.platform,
                log=log,  # type: ignore[arg-type]  # a raw stream will do
                environment=command.environment,
                working_directory=command.directory or "/",
                user=command.user,
                network=command.network,
                lowers=lowers,
                scratch=scratch,
                add_hosts=command.add_hosts,
                mounts=mounts,
                secret_environment=secrets,
            )
            ran = self._run(step)
            if ran.status:
                return ran, Result(None)
            return ran, self._taken(upper, lowers, before, scratch)

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        path = Path(tempfile.mkdtemp(prefix="run-", dir=self._store.workspace("steps")))
        try:
            yield path
        finally:
            remove(path)

    def _remembered(self, upper: Path, scratch: Path) -> Path:
        """Note what a whole root file system is before the command changes it."""
        before = scratch / "before.json"
        before.touch()
        before.chmod(0o666)
        as_root(snapshot.remember_as_root, {"upper": str(upper), "before": str(before)})
        return before

    def _taken(
        self,
        upper: Path,
        lowers: tuple[Path, ...],
        before: Path | None,
        scratch: Path,
    ) -> Result:
        """Write what changed as a layer of the store."""
        who, noted = usable(), None
        with self._store.ingest() as ingest:
            if who.by_helper:  # its owners are seen rightly from inside only
                packed = scratch / "layer.tar"
                packed.touch()
                packed.chmod(0o666)
                argument = {
                    "upper": str(upper),
                    "lowers": list(map(str, lowers)),
                    "out": str(packed),
                    "latest": self._latest,
                    "before": None if before is None else str(before),
                }
                as_root(snapshot.write_as_root, argument)
                with packed.open("rb") as stream:
                    shutil.copyfileobj(stream, ingest, 1 << 20)
                changed = ingest.offset > _EMPTY
            else:
                writer, single = LayerWriter(ingest), who.users.is_single
                if before is None:
                    changed = snapshot.write_upper(
                        upper, lowers, writer, self._latest, single=single
                    )
                else:
                    known = snapshot.Before.load(before)
                    changed = snapshot.write_folder(
                        upper, known, writer, self._latest, single=single
                    )
                writer.finish()
                noted = writer.noted
            if not changed:
                return Result(None)
            size = ingest.offset
            self._lease.hold(ingest.digest())
            digest = ingest.commit()
        return Result(plain_layer(digest, size), noted)

    def _mounts(
        self,
        mounts: Sequence[Mount],
        bound: Mapping[Mount, Copying],
        scratch: Path,
        stack: ExitStack,
    ) -> tuple[tuple[RunMount, ...], dict[str, Secret]]:
        """Find or make the sources of mounts; secrets may become variables."""
        found: list[RunMount] = []
        variables: dict[str, Secret] = {}
        for number, mount in enumerate(mounts):
            if mount.type is MountType.SECRET:
                self._secret(mount, found, variables)
            elif mount.type is MountType.TMPFS:
                found.append(RunMount(MountKind.TMPFS, mount.target, size=mount.size or None))
            elif mount.type is MountType.CACHE:
                first = bound.get(mount)
                source = self._cache(mount, first, scratch / f"cache{number}", stack)
                found.append(RunMount(MountKind.BIND, mount.target, source, mount.is_read_only))
            else:
                source = _exported(bound[mount], scratch / f"mount{number}")
                found.append(RunMount(MountKind.BIND, mount.target, source, mount.is_read_only))
        return tuple(found), variables

    def _secret(self, mount: Mount, found: list[RunMount], variables: dict[str, Secret]) -> None:
        secret = self._secrets.get(mount.id)
        if secret is None:
            return  # not required, or it was refused before
        if mount.environment is not None:
            variables[mount.environment or mount.id] = secret
        if mount.target:
            found.append(
                RunMount(
                    MountKind.SECRET,
                    mount.target,
                    content=secret,
                    mode=0o400 if mount.mode is None else mount.mode,
                    uid=mount.uid or 0,
                    gid=mount.gid or 0,
                )
            )

    def _cache(self, mount: Mount, first: Copying | None, private: Path, stack: ExitStack) -> Path:
        """Return the folder of a cache; a new one holds the files of *first*."""
        if mount.sharing is Sharing.PRIVATE:
            return _new_cache(mount, first, private)
        name = hashlib.sha256(mount.id.encode()).hexdigest()
        path = self._store.workspace("caches") / name
        if mount.sharing is Sharing.LOCKED:
            stack.enter_context(self._store.guard("cache", name))
        if not path.exists():
            with self._store.guard("new cache", name):
                if not path.exists():
                    fresh = path.with_suffix(".new")  # another user's folder moves nowhere else
                    remove(fresh)
                    _new_cache(mount, first, fresh).rename(path)
        return path


def _new_cache(mount: Mount, first: Copying | None, path: Path) -> Path:
    """Make the folder of a cache, with the mode and owner that are asked for."""
    if first:
        _exported(first, path)
    else:
        path.mkdir()
    _dress(
        path, [("", 0o755 if mount.mode is None else mount.mode, mount.uid or 0, mount.gid or 0)]
    )
    return path


def _exported(copying: Copying, path: Path) -> Path:
    """Copy the files of *copying* to the new *path*, with their owners where there are several."""
    export(copying, path)
    _dress(
        path,
        [
            (each.path, each.item.mode, each.item.uid, each.item.gid)
            for each in copying.chosen
            if each.item.uid or each.item.gid
        ],
    )
    return path


def _dress(folder: Path, files: Sequence[tuple[str, int, int, int]]) -> None:
    """Give *files* below *folder* their modes, users and groups."""
    if files:
        argument = {"folder": str(folder), "files": files, "single": usable().users.is_single}
        as_root(dress_as_root, argument)


def _script(command: Command, scratch: Path) -> tuple[RunMount, ...]:
    """Return the mount of the command's script, none where it is no program."""
    if command.script is None or command.words != (f"{SCRIPTS}/{command.script.name}",):
        return ()
    path = scratch / "script"
    path.write_text(command.script.text, "utf-8", "surrogateescape")
    path.chmod(0o755)
    return (RunMount(MountKind.BIND, command.words[0], path, read_only=True),)


_EMPTY = 1024  # bytes of a tar without members


def dress_as_root(argument: Mapping[str, Any]) -> None:
    """Give ``files`` below ``folder`` what `_dress` says; ``single``: all have one owner."""
    for path, mode, uid, gid in argument["files"]:
        name = os.path.join(argument["folder"], path).rstrip("/")  # noqa: PTH118 - as text
        if not argument["single"]:
            os.chown(name, uid, gid, follow_symlinks=False)
        if not os.path.islink(name):  # noqa: PTH114 - as text
            os.chmod(name, mode)  # noqa: PTH101 - after chown, which takes setuid away
