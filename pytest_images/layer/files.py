"""Looking into an image: its files as paths, read from the layers, nothing unpacked.

The names are those of `pathlib` and of ``importlib.resources``. Links lead where they would
in a container: an absolute one starts at the image's root and none leaves it.
"""

from __future__ import annotations

import io
from fnmatch import translate
from re import compile as compiled
from typing import TYPE_CHECKING, Literal, overload

from pytest_images.errors import IsADirectory, NotADirectory, PathError, PathNotFound, shown
from pytest_images.layer.contents import OPAQUE, is_whiteout
from pytest_images.layer.member import Kind, readable
from pytest_images.layer.paths import WHITEOUT
from pytest_images.layer.reading import LayerReader
from pytest_images.layer.scope import FileStat, Layer, Scope
from pytest_images.layer.tree import NOT_A_DIRECTORY, Directory, Lost, parts_of
from pytest_images.namedtuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TextIO

    from pytest_images.layer.tree import Node, Parts


class InLayer(NamedTuple):
    """What one layer does to a path: adds it (the kind is said), or takes it away."""

    layer: int
    change: str


class ImagePath:
    """A path inside an image, there or not; ``/`` joins, as with `pathlib.Path`.

    It cannot be opened by the host: `read_text`, `read_bytes` and `open` read from the layers.
    All methods follow links inside the image. They raise PathNotFound, NotADirectory,
    IsADirectory, PathError (each also the builtin of `pathlib`), and what reading a layer can:
    InvalidLayer, DigestMismatch, LimitExceeded, BlobNotFound.
    """

    def __init__(self, scope: Scope, parts: tuple[str, ...]) -> None:
        self._scope, self.parts = scope, parts

    # The path itself.

    def __truediv__(self, other: str) -> ImagePath:
        return self.joinpath(other)

    def joinpath(self, *others: str) -> ImagePath:
        """Return the path further down; a leading slash makes no difference."""
        more = (part for other in others for part in str(other).split("/"))
        return ImagePath(self._scope, (*self.parts, *(p for p in more if p not in ("", "."))))

    @property
    def name(self) -> str:
        """The last part, empty for the root."""
        return self.parts[-1] if self.parts else ""

    @property
    def suffix(self) -> str:
        """The end of the name from its last dot on."""
        stem, dot, end = self.name.rpartition(".")
        return dot + end if stem and end else ""

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return self.name.removesuffix(self.suffix)

    @property
    def parent(self) -> ImagePath:
        """The path above; of the root, itself."""
        return ImagePath(self._scope, self.parts[:-1])

    def __str__(self) -> str:
        return "/" + "/".join(self.parts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImagePath):
            return NotImplemented
        return self._scope is other._scope and self.parts == other.parts

    def __lt__(self, other: ImagePath) -> bool:
        return self.parts < other.parts

    def __hash__(self) -> int:
        return hash((id(self._scope), self.parts))

    def __repr__(self) -> str:
        return f"<{shown(self)} in {shown(self._scope.name)}: {self._described()}>"

    def _described(self) -> str:
        from pytest_images.errors import ImagesError

        try:
            found = self.lstat()
        except PathError as error:
            return error.reason
        except ImagesError as error:
            return str(error)
        target = f" -> {shown(found.target)}" if found.target else ""
        return f"{found.filemode} {found.uid}:{found.gid} {found.size} bytes{target}"

    # What is there.

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether there is something; a link that leads nowhere is nothing, unless not followed."""
        return self._kind(follow=follow_symlinks) is not None

    def is_file(self) -> bool:
        """Whether there is a regular file."""
        return self._kind() is Kind.FILE

    def is_dir(self) -> bool:
        """Whether there is a directory."""
        return self._kind() is Kind.DIRECTORY

    def is_symlink(self) -> bool:
        """Whether there is a symbolic link, wherever it leads."""
        return self._kind(follow=False) is Kind.SYMLINK

    def stat(self, *, follow_symlinks: bool = True) -> FileStat:
        """Return what the image says of the file."""
        return self._scope.stat(self._find(follow=follow_symlinks)[1])

    def lstat(self) -> FileStat:
        """Return what the image says of the file, of a link itself."""
        return self.stat(follow_symlinks=False)

    def readlink(self) -> str:
        """Return where a symbolic link leads, as it is written there."""
        found = self.lstat()
        if found.kind != Kind.SYMLINK.value:
            raise self._error(PathError, f"it is a {found.kind}, not a link")
        return found.target

    def resolve(self) -> ImagePath:
        """Return the path without links and ``..``."""
        parts, _ = self._find()
        return ImagePath(self._scope, tuple(map(readable, parts)))

    # What is in it.

    def read_bytes(self) -> bytes:
        """Return the content of a file, at most 1 GiB; `open` gives it in pieces."""
        reader, index = self._content()
        return reader.read(index)

    def read_each(self, names: Iterable[str]) -> Iterator[bytes]:
        """Yield the contents of the files *names* in the directory, as `read_bytes` returns one."""
        children = self._directory()[1].children
        for name in names:
            node = children.get(_encoded(name))
            reader, index = (self / name)._content() if node is None else self._reader(node)
            yield reader.read(index)

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the content of a file as text; line ends stay as they are."""
        return self.read_bytes().decode(encoding, errors)

    @overload
    def open(self, mode: Literal["rb"]) -> io.BufferedReader: ...
    @overload
    def open(self, mode: Literal["r"] = "r", encoding: str = "utf-8") -> TextIO: ...
    def open(
        self, mode: Literal["r", "rb"] = "r", encoding: str = "utf-8"
    ) -> io.BufferedReader | TextIO:
        """Open a file for reading, to be closed; it can be read forward only."""
        if mode not in ("r", "rb"):
            raise self._error(PathError, f"an image cannot be opened with {mode!r}")
        reader, index = self._content()
        stream = reader.open(index)
        return stream if mode == "rb" else io.TextIOWrapper(stream, encoding)

    def described(self) -> tuple[FileStat, str]:
        """As `lstat`, and what stands for a file's content: where that is the same, it is too."""
        _, node = self._find(follow=False)
        return self._scope.described(node)

    def scandir(self) -> Iterator[tuple[str, FileStat, str]]:
        """Give the names in the directory, in order, each with what `described` says of it."""
        children = self._directory()[1].children
        for name, raw in sorted((readable(raw), raw) for raw in children):
            node = children[raw]
            yield name, *self._scope.described(node)

    def iterdir(self) -> Iterator[ImagePath]:
        """Give what is in the directory, by name."""
        for name in sorted(map(readable, self._directory()[1].children)):
            yield self / name

    def walk(self) -> Iterator[tuple[ImagePath, list[str], list[str]]]:
        """Give each directory from here on with the names of its directories and other files.

        A directory comes before what is in it; links to directories are among the files.
        """
        _, top = self._directory()
        for names, directory in self._scope.tree.below((), top):
            folders: list[str] = []
            files: list[str] = []
            for name, child in directory.children.items():
                (folders if isinstance(child, Directory) else files).append(readable(name))
            yield self._below(names), sorted(folders), sorted(files)

    def glob(self, pattern: str) -> Iterator[ImagePath]:
        """Give what matches: ``*`` and ``?`` within a name, ``**`` for any directories."""
        yield from self._glob(tuple(p for p in pattern.split("/") if p not in ("", ".")))

    def rglob(self, pattern: str) -> Iterator[ImagePath]:
        """Give what matches at any depth below."""
        yield from self.glob(f"**/{pattern}")

    def __contains__(self, path: str) -> bool:
        """Whether there is something at *path* below."""
        return (self / path).exists()

    # Below: how it is found.

    def _find(self, *, follow: bool = True) -> tuple[Parts, Node]:
        try:
            return self._scope.tree.find(map(_encoded, self.parts), follow=follow)
        except Lost as lost:
            raise self._lost(lost) from None

    def _kind(self, *, follow: bool = True) -> Kind | None:
        try:
            return self._scope.tree.kind(self._find(follow=follow)[1])
        except PathError:
            return None

    def _directory(self) -> tuple[Parts, Directory]:
        parts, node = self._find()
        if not isinstance(node, Directory):
            kind = self._scope.tree.kind(node).value
            raise self._error(NotADirectory, f"it is a {kind}, not a directory")
        return parts, node

    def _content(self) -> tuple[LayerReader, int]:
        """Return who reads the file, and its place there."""
        return self._reader(self._find()[1])

    def _reader(self, node: Node) -> tuple[LayerReader, int]:
        kind = self._scope.tree.kind(node)
        if kind is Kind.DIRECTORY:
            raise self._error(IsADirectory, "it is a directory")
        entry = self._scope.tree.entry(node)
        if kind is Kind.HARDLINK:
            target = shown(self._scope.stat(node).target)
            raise self._error(PathNotFound, f"it is a hard link to {target}, which is not there")
        if kind is not Kind.FILE or entry is None:
            raise self._error(PathError, f"it is a {kind.value} and has no content")
        return self._scope.layers[entry.layer].reader, entry.place

    def _below(self, names: Parts) -> ImagePath:
        return ImagePath(self._scope, (*self.parts, *map(readable, names)))

    def _glob(self, patterns: tuple[str, ...]) -> Iterator[ImagePath]:
        if not patterns:
            if self.exists(follow_symlinks=False):
                yield self
            return
        first, rest = patterns[0], patterns[1:]
        if first == "**":
            yield from self._glob_below(rest)
        elif not set(first) & set("*?["):
            yield from (self / first)._glob(rest)
        elif self.is_dir():
            matches = compiled(translate(first)).match
            for path in self.iterdir():
                if matches(path.name):
                    yield from path._glob(rest)

    def _glob_below(self, rest: tuple[str, ...]) -> Iterator[ImagePath]:
        """Match *rest* in this directory and all below, each path once, links not followed."""
        if not self.is_dir():
            return
        seen: set[ImagePath] = set()
        for folder, _, files in self.walk():
            found = folder._glob(rest) if rest else (folder, *(folder / name for name in files))
            for path in found:
                if path not in seen:
                    seen.add(path)
                    yield path

    def _lost(self, lost: Lost) -> PathError:
        nearest = "/" + "/".join(map(readable, lost.nearest))
        if lost.reason == NOT_A_DIRECTORY:
            return self._error(NotADirectory, f"{nearest} is not a directory")
        if lost.reason == "loop":
            return self._error(PathError, f"too many links, the last in {nearest}")
        return self._error(PathNotFound, f"there is no such file; {nearest} is there")

    def _error(self, kind: type[PathError], reason: str) -> PathError:
        return kind(str(self), self._scope.name, reason)


class Files(ImagePath):
    """The root of an image's file system, all layers merged; made by ``images.files(image)``.

    ``layers`` are its layers alone, the lowest first: each is the root of what it adds.
    """

    def __init__(self, layers: Sequence[Layer], name: str, below: Files | None = None) -> None:
        """*below* are the files of the first of *layers*, put together already perhaps."""
        super().__init__(Scope(layers, name, below._scope if below else None), ())
        self.layers = tuple(LayerFiles(number, layer, name) for number, layer in enumerate(layers))

    def in_layers(self, path: str) -> tuple[InLayer, ...]:
        """Say which layers hold *path* or take it away, the lowest first.

        Also what a higher layer replaced or took away is found: ``()`` says that it is in
        no layer at all. *path* is compared with the names that layers list: no link is
        followed. The change is a kind as in `FileStat`, ``whiteout`` or ``opaque`` (all that
        lower layers have in the directory, or in one above, is hidden).
        """
        name = b"/".join(parts_of(_encoded(path)))
        return tuple(
            InLayer(layer.number, change)
            for layer in self.layers
            for change in layer._changes(name)
        )


class LayerFiles(ImagePath):
    """The root of what one layer adds; ``number`` counts from 0, the lowest layer.

    A hard link to a file of a lower layer leads nowhere here.
    """

    def __init__(self, number: int, layer: Layer, image: str) -> None:
        super().__init__(Scope([layer], f"layer {number} of {image}"), ())
        self.number, self._layer = number, layer
        self.digest, self.diff_id = layer.digest, layer.diff_id

    @property
    def listed(self) -> int:
        """How many members were listed so far: none before the first question."""
        return self._layer.listed

    @property
    def whiteouts(self) -> tuple[str, ...]:
        """The paths that it takes away; one that ends in ``/`` is of an opaque directory."""
        taken = (name.rpartition(b"/") for name in self._layer.contents.whiteouts)
        return tuple(
            "/" + readable(folder + slash + (b"" if base == OPAQUE else base[len(WHITEOUT) :]))
            for folder, slash, base in taken
        )

    def _changes(self, name: bytes) -> Iterator[str]:
        contents = self._layer.contents
        whiteouts = self._layer.whiteouts
        if whiteouts:
            pieces = name.split(b"/")
            above = [b"/".join(pieces[:count]) for count in range(len(pieces) + 1)]
            if any(_whiteout_of(path) in whiteouts for path in above[1:]):
                yield "whiteout"
            if any(b"/".join(filter(None, (path, OPAQUE))) in whiteouts for path in above[:-1]):
                yield "opaque"
        index = contents.find(name)
        if index is not None and not is_whiteout(name):
            yield contents.kind(index).value
        elif contents.has_below(name):
            yield Kind.DIRECTORY.value


def _encoded(part: str) -> bytes:
    return part.encode("utf-8", "surrogateescape")


def _whiteout_of(path: bytes) -> bytes:
    folder, slash, base = path.rpartition(b"/")
    return folder + slash + WHITEOUT + base
