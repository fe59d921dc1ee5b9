"""What a build builds from: the context's files, the Dockerfile, and what is to be left out."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pytest_images.builder.folder import FolderTree
from pytest_images.builder.remote import git_address
from pytest_images.builder.trees import MemoryTree, opened
from pytest_images.dockerfile.ignore import IgnoreRules
from pytest_images.dockerfile.place import without_passwords
from pytest_images.engine.whole import DOCKERFILE, DOCKERFILE_LIMIT, whole
from pytest_images.errors import InvalidUsage, MissingOffline
from pytest_images.layer.changed import Changed
from pytest_images.layer.member import Kind
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from pytest_images.builder.siblings import Item
    from pytest_images.builder.trees import Tree
    from pytest_images.content.store import Store
    from pytest_images.model.request.build import BuildRequest

KEEP_GIT_FOLDER = "BUILDKIT_CONTEXT_KEEP_GIT_DIR"  # a build argument
_IGNORE_LIMIT = 16 << 20
_UNWAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


class Opened(NamedTuple):
    """A context, and the Dockerfile that goes with it; *name* stands for that in errors."""

    tree: Tree
    root: Path  # of the folder, for what is remembered of its files
    text: bytes
    name: str


@contextmanager
def open_context(store: Store, request: BuildRequest, *, offline: bool = False) -> Iterator[Opened]:
    """Open the context of *request*, without what its ignore file leaves out.

    A folder, a tar stream, a Dockerfile as a stream, or names and bytes. Raises InvalidUsage,
    InvalidDockerfile, InvalidLayer, LimitExceeded, OSError.
    """
    with _tree_of(store, request, offline=offline) as (make, root, found):
        whole = make(IgnoreRules())
        name, text = _dockerfile(request, whole, found)
        rules = ignore_rules(whole, name)
        yield Opened(make(rules), root, text, name)


@contextmanager
def _tree_of(
    store: Store, request: BuildRequest, *, offline: bool
) -> Iterator[tuple[Callable[[IgnoreRules], Tree], Path, bytes | None]]:
    """Give what makes the context's tree, its root, and a Dockerfile that came in its place."""
    context = request.context
    if isinstance(context, Path):
        if not context.is_dir():
            reason = "it is not a folder" if context.exists() else "there is no such folder"
            raise InvalidUsage(str(context), f"the build context: {reason}")
        yield partial(FolderTree, context), Path(context.resolve()), None
    elif isinstance(context, str):
        with open_address(store, context, request, lambda: False, offline=offline) as (tree, text):
            yield tree, Path("-"), text
    elif hasattr(context, "read"):
        from pytest_images.engine.streams import open_stream

        with open_stream(store, cast("BinaryIO", context)) as (tree, text):
            yield tree, Path("-"), text
    else:
        yield partial(MemoryTree, dict(context)), Path("-"), None


@contextmanager
def open_address(
    store: Store,
    text: str,
    request: BuildRequest,
    is_over: Callable[[], bool],
    *,
    offline: bool,
) -> Iterator[tuple[Callable[[IgnoreRules], Tree], bytes | None]]:
    """Fetch a repository, a tar or a Dockerfile; give what makes its tree, or the Dockerfile.

    Raises NotFound, Unreachable, and others of the network; InvalidUsage for what is no address.
    """
    from pytest_images.http.address import is_url

    address = git_address(text)
    if address is not None:
        if offline:
            raise MissingOffline(without_passwords(text), ["git may ask other machines"])
        from pytest_images.builder.repository import check_out

        with _scratch(store) as folder:
            keeps = request.args.get(KEEP_GIT_FOLDER, "").lower() in ("1", "true")
            root = check_out(
                address,
                folder / "git",
                keeps_git_folder=keeps,
                secrets=request.secrets,
                is_over=is_over,
            )
            yield partial(FolderTree, root), None
    elif is_url(text):
        from pytest_images.engine.streams import open_stream
        from pytest_images.http.download import Download

        with (
            Download(text, offline=offline) as download,
            open_stream(store, cast("BinaryIO", download), download.name) as found,
        ):
            yield found
    else:
        raise InvalidUsage(text, "it is no address that a build context can be fetched from")


@contextmanager
def _scratch(store: Store) -> Iterator[Path]:
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="fetch-", dir=store.workspace("steps")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _dockerfile(request: BuildRequest, tree: Tree, found: bytes | None) -> tuple[str, bytes]:
    """Return the Dockerfile's name and text. Raises InvalidUsage where there is none."""
    if request.dockerfile_text is not None:
        return DOCKERFILE, request.dockerfile_text.encode("utf-8", "surrogateescape")
    if found is not None:
        return DOCKERFILE, found
    if request.dockerfile is not None and Path(request.dockerfile).is_absolute():
        return request.dockerfile, _named_content(Path(request.dockerfile), DOCKERFILE_LIMIT)
    name = request.dockerfile or DOCKERFILE
    item = _found(tree, name)
    if item is None and request.dockerfile is None:
        item = _found(tree, DOCKERFILE.lower())
    if item is None or item.kind is not Kind.FILE:
        raise InvalidUsage(name, "failed to read dockerfile: there is no such file in the context")
    return name, _content(tree, item, DOCKERFILE_LIMIT)


def ignore_rules(tree: Tree, dockerfile: str = DOCKERFILE) -> IgnoreRules:
    """Return the rules of ``NAME.dockerignore``, else of ``.dockerignore``, else none."""
    beside = Path(f"{dockerfile}.dockerignore")
    if beside.is_absolute() and beside.is_file():
        return IgnoreRules.parse(_named_content(beside, _IGNORE_LIMIT), str(beside))
    for name in (str(beside), ".dockerignore"):
        item = _found(tree, name)
        if item is not None and item.kind is Kind.FILE:
            return IgnoreRules.parse(_content(tree, item, _IGNORE_LIMIT), name)
        if item is not None or tree.is_there(name):
            error = InvalidUsage(name, "it is neither a file of the context nor a link to one")
            error.add_note("without it, what it leaves out would get into the image")
            raise error
    return IgnoreRules()


def _named_content(path: Path, limit: int) -> bytes:
    """Read a file outside of the context: the caller named it by its whole path.

    It may be a pipe; one that nobody writes to is empty.
    """
    try:
        with os.fdopen(os.open(path, _UNWAITING), "rb") as stream:
            os.set_blocking(stream.fileno(), True)
            return whole(stream, str(path), limit)
    except OSError as error:
        reason = f"failed to read dockerfile: {error.strerror}"
        raise InvalidUsage(str(path), reason) from error


def _found(tree: Tree, name: str) -> Item | None:
    try:
        return tree.find(name)
    except Changed as problem:
        raise InvalidUsage(name, problem.reason) from problem


def _content(tree: Tree, item: Item, limit: int) -> bytes:
    try:
        with opened(tree, item) as stream:
            return whole(stream, item.path, limit)
    except Changed as problem:
        raise InvalidUsage(item.path, problem.reason) from problem
