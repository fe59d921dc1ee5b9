"""A build copies files, by hand, by the kernel and at once, over an image; one step is old."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_images.builder.cache import Cache
from pytest_images.content.store import Store
from pytest_images.host import Host
from pytest_images.model.digest import Digest
from pytest_images.model.selector import Selector
from pytest_images.testing import samples
from tests.survival.scenarios.put import whole

BASE = samples.image("base")
OLD = "FROM base:1\nCOPY small /\n"
TEXT = (
    f"{OLD}WORKDIR /made\nCOPY large folder /copied/\nCOPY many /many/\n"
    "FROM base:1\nCOPY --from=0 /copied /\nCOPY --from=0 /many /\n"
)
LARGE = bytes(range(256)) * 2000  # the kernel copies it
MANY = 200  # files that are written while they are hashed


def prepare(root: Path) -> None:
    root.parent.mkdir(exist_ok=True)
    with Store.open(root) as store:
        BASE.put(store, "base:1")
    context(root)
    build(root, OLD, "old:1")


def steps(root: Path) -> Iterator[str]:
    yield f"built {build(root, TEXT, 'app:1')}"


def holds(store: Store, done: list[str]) -> None:
    whole(store, BASE, "base:1")
    right(store, "old:1", OLD_ID)
    assert set(done) <= {f"built {ID}"}
    if done:
        right(store, "app:1", ID)
    no_half_layers(store)


def context(root: Path) -> Path:
    """Make the context beside the store: its own faults are not for these scenes."""
    folder = root.with_name("context")
    (folder / "folder/inner").mkdir(parents=True, exist_ok=True)
    (folder / "small").write_bytes(b"small")
    (folder / "large").write_bytes(LARGE)
    (folder / "folder/inner/file").write_bytes(b"inner")
    (folder / "many").mkdir(exist_ok=True)
    for number in range(MANY):
        (folder / f"many/{number}").write_bytes(b"%d" % number)
    (folder / "folder/link").unlink(missing_ok=True)
    (folder / "folder/link").symlink_to("inner/file")
    return folder


def build(root: Path, text: str, name: str) -> str:
    """Build *text* in the store *root*; return the image's ID."""
    with Host(home=root, load_entry_points=False) as host:
        result = host.images.build(root.with_name("context"), dockerfile_text=text, tags=name)
    assert result.image is not None
    return str(result.image.id)


def expected(text: str) -> str:
    """Return the ID of what *text* builds where nothing ever fails."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "home/store"
        root.parent.mkdir()
        with Store.open(root) as store:
            BASE.put(store, "base:1")
        context(root)
        return build(root, text, "app:1")


def right(store: Store, name: str, image_id: str) -> None:
    """Assert that an image is the one it should be, with every byte of it."""
    image = store.image(Selector.parse(name))
    assert str(image.id) == image_id
    manifest = store.manifest_of(image.id)
    for digest in (manifest.config.digest, *(layer.digest for layer in manifest.layers)):
        assert Digest.of(store.read(digest, 1 << 30)) == digest


def no_half_layers(store: Store) -> None:
    """Assert that every result of a step that is remembered is a whole layer."""
    with store.lease() as lease:
        cache = Cache(store, lease)
        for path in store.workspace("results").rglob("*"):
            found = cache.get(path.name) if len(path.name) == 64 else None
            if found is not None and found.layer is not None:
                digest = found.layer.digest
                raw = store.read(digest, 1 << 30)
                assert Digest.of(raw) == digest
                assert len(raw) == found.layer.descriptor.size


OLD_ID, ID = expected(OLD), expected(TEXT)
