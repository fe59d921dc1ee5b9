"""Settings: what stands in tox's configuration, and the environment, which wins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tox.config.sets import ConfigSet, CoreConfigSet, EnvConfigSet

    from pytest_images.host import Host
    from pytest_images.images import Policy
    from tox_images.needs import Needs

OFFLINE = "images_offline"


def add_core_keys(conf: ConfigSet) -> None:
    """Add the keys that hold for all environments, for one store serves them all."""
    texts = {
        "images_home": "folder of the store of images (default: the user's cache folder)",
        "images_durability": "safe, or fast: without fsync, for disks that are thrown away",
    }
    for key, meaning in texts.items():
        conf.add_config(key, of_type=str, default="", desc=meaning)
    meaning = "ask registries on loopback only"
    conf.add_config(OFFLINE, of_type=bool, default=False, desc=meaning)


def add_env_keys(conf: EnvConfigSet) -> None:
    """Add the keys that say what an environment needs."""
    lines = {
        "images": "images to pull before the commands: [NAME =] REFERENCE [--platform P]",
        "images_build": "images to build before the commands: NAME = FOLDER [--target T] "
        "[--build-arg A=B] [--file F] [--platform P]",
    }
    for key, meaning in lines.items():
        conf.add_config(key, of_type=list[str], default=[], desc=meaning)
    meaning = "when registries are asked: missing, newer, always or never"
    conf.add_config("images_pull", of_type=str, default="missing", desc=meaning)


def needs_of(conf: EnvConfigSet, core: CoreConfigSet) -> Needs:
    """Return what an environment needs. Raises ImagesError naming the line."""
    from tox_images.needs import Needs

    return Needs.read(
        conf["images"],
        conf["images_build"],
        cast("Path", core["tox_root"]),
        policy=cast("Policy", os.environ.get("PYTEST_IMAGES_PULL") or conf["images_pull"]),
    )


class Settings:
    """What was chosen for all environments; read where the first one needs images."""

    def __init__(self, core: CoreConfigSet) -> None:
        """Read them. Raises InvalidUsage."""
        self.root = cast("Path", core["tox_root"])
        home = os.environ.get("PYTEST_IMAGES_HOME")
        if not home and core["images_home"]:
            home = str(self.root / Path(core["images_home"]).expanduser())
        self.home = home or None
        self.durability = _chosen("durability", core["images_durability"]) or None
        self.offline = _yes(_chosen("offline", str(core[OFFLINE])))

    def make_host(self, run: str) -> Host:
        """Make the host of this process. Raises HookError, InvalidUsage."""
        from pytest_images import Host
        from pytest_images.policies.locked import lock_in

        mirrors = os.environ.get("PYTEST_IMAGES_MIRRORS", "").replace(",", "\n").splitlines()
        return Host(
            home=self.home,
            run=run,
            durability=self.durability,
            offline=self.offline,
            lock=lock_in(self.root, os.environ.get("PYTEST_IMAGES_LOCK") or None),
            mirrors=filter(str.strip, mirrors),
        )

    def for_commands(self) -> dict[str, str]:
        """Return what the commands shall hold to as well, as environment variables."""
        chosen = {"DURABILITY": self.durability, "OFFLINE": "1" if self.offline else None}
        return {f"PYTEST_IMAGES_{name}": value for name, value in chosen.items() if value}


def _chosen(name: str, configured: str) -> str:
    return os.environ.get(f"PYTEST_IMAGES_{name.upper()}") or configured


def _yes(text: str) -> bool:
    from pytest_images.errors import InvalidUsage

    if text.lower() in ("", "0", "no", "false", "off"):
        return False
    if text.lower() in ("1", "yes", "true", "on"):
        return True
    raise InvalidUsage(text, f"{OFFLINE} is yes or no")
