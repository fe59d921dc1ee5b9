"""A command of a build that fills the disk: a tmpfs in a mount namespace of its own.

Run as ``unshare --mount python -m tests.survival.full_disk_build FOLDER OPTIONS COMMAND``; ends
with 0 when the build failed, the store is whole, and the next build is right.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pytest_images.content.store import Store
from pytest_images.errors import BuildError, StoreFull
from pytest_images.host import Host
from tests.survival.scenarios import build_run
from tests.survival.scenarios.build import build, no_half_layers, right


def main(mount: Path, options: str, command: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(mount)], check=True)
    root = mount / "home/store"
    build_run.prepare(root)
    with Host(home=root, load_entry_points=False) as host:
        try:
            host.images.build({}, dockerfile_text=f"FROM shell:1\nRUN {command}\n")
        except (BuildError, StoreFull) as error:
            print(error, file=sys.stderr)
        else:
            raise AssertionError("the disk is not full")
    with Store.open(root) as store:
        assert list(store.workspace("steps").iterdir()) == []
        assert store.fsck().clean
    build(root, build_run.TEXT, "app:1")
    with Store.open(root) as store:
        right(store, "app:1", build_run.ID)
        no_half_layers(store)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
