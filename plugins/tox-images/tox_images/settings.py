"""Settings: what stands in tox's configuration, and the environment, which wins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tox.config.sets import ConfigSet, CoreConfigSet, EnvConfigSet

    from pytest_images.arguments import Policy
    from pytest_images.host import Host
    from tox_images.needs import Needs

# Key, meaning; the environment has PYTEST_IMAGES_ and the end of the key in capitals.
TEXTS = {
    "images_home": "folder of the store of images (default: the user's cache folder)",
    "images_durability": "safe (default), or fast: without fsync, for disks that are thrown away",
    "images_platform": "the platforms wanted, best first (default: this machine's)",
    "images_pull": "when registries are asked: missing (default), newer, always or never",
    "images_lock": "what to do with images.lock: use (default, where it is), update, verify, off",
}
OFFLINE = ("images_offline", "ask registries on loopback only")
MIRRORS = (
    "images_mirrors",
    "REGISTRY = HOST[/PREFIX], one a line: where to look for a registry's images first",
)
VALUES = {
    "durability": ("safe", "fast"),
    "pull": ("missing", "newer", "always", "never"),
}


def add_core_keys(conf: ConfigSet) -> None:
    """Add the keys that hold for all environments: they share one store and its policies."""
    for key, meaning in TEXTS.items():
        conf.add_config(key, of_type=str, default="", desc=meaning)
    conf.add_config(OFFLINE[0], of_type=bool, default=False, desc=OFFLINE[1])
    conf.add_config(MIRRORS[0], of_type=list[str], default=[], desc=MIRRORS[1])


def add_env_keys(conf: EnvConfigSet) -> None:
    """Add the keys that say what an environment needs."""
    lines = {
        "images": "images to pull before the commands: [NAME =] REFERENCE [--platform P] "
        "[--pull WHEN]",
        "images_build": "images to build before the commands: NAME = FOLDER [--target T] "
        "[--build-arg A=B] [--file F] [--platform P]",
    }
    for key, meaning in lines.items():
        conf.add_config(key, of_type=list[str], default=[], desc=meaning)


def needs_of(conf: EnvConfigSet, core: CoreConfigSet) -> Needs:
    """Return what an environment needs. Raises ImagesError naming the line."""
    from tox_images.needs import Needs

    return Needs.read(conf["images"], conf["images_build"], cast("Path", core["tox_root"]))


class Settings:
    """What was chosen for all environments; read where the first one needs images."""

    def __init__(self, core: CoreConfigSet) -> None:
        """Read them. Raises InvalidUsage."""
        self.root = cast("Path", core["tox_root"])
        home = os.environ.get("PYTEST_IMAGES_HOME")
        if not home and core["images_home"]:
            home = str(self.root / Path(core["images_home"]).expanduser())
        self.home = home or None
        self.durability = _one_of("durability", core)
        self.platform = _chosen("platform", core["images_platform"]) or None
        self.pull = _one_of("pull", core)
        self.lock = _chosen("lock", core["images_lock"]) or None
        self.offline = _yes(_chosen("offline", str(core["images_offline"])))
        mirrors = os.environ.get("PYTEST_IMAGES_MIRRORS", "").replace(",", "\n").splitlines()
        self.mirrors = tuple(filter(None, map(str.strip, mirrors or core["images_mirrors"])))
        if self.offline and self.lock in ("update", "verify"):
            from pytest_images.errors import InvalidUsage

            raise InvalidUsage(self.lock, "this images_lock asks registries: not offline")

    def make_host(self, run: str) -> Host:
        """Make the host of this process. Raises HookError, InvalidPlatform, InvalidUsage."""
        from pytest_images import Host
        from pytest_images.arguments import platforms_of
        from pytest_images.policies.locked import lock_in

        return Host(
            home=self.home,
            run=run,
            durability=self.durability,
            platforms=platforms_of(self.platform),
            policy=cast("Policy", self.pull or "missing"),
            offline=self.offline,
            lock=lock_in(self.root, self.lock),
            mirrors=self.mirrors,
        )

    def for_commands(self) -> dict[str, str]:
        """Return what the commands shall hold to as well, as environment variables.

        Not when to pull: what was pulled here shall not be pulled again.
        """
        chosen = {
            "DURABILITY": self.durability,
            "LOCK": self.lock,
            "MIRRORS": "\n".join(self.mirrors),
            "OFFLINE": "1" if self.offline else None,
            "PLATFORM": self.platform,
        }
        return {f"PYTEST_IMAGES_{name}": value for name, value in chosen.items() if value}


def _chosen(name: str, configured: str) -> str:
    return os.environ.get(f"PYTEST_IMAGES_{name.upper()}") or configured


def _one_of(name: str, core: CoreConfigSet) -> str | None:
    """Return what was chosen, None where nothing was. Raises InvalidUsage."""
    from pytest_images.errors import InvalidUsage

    value = _chosen(name, core[f"images_{name}"])
    if value and value not in VALUES[name]:
        raise InvalidUsage(value, f"images_{name} is one of {', '.join(VALUES[name])}")
    return value or None


def _yes(text: str) -> bool:
    from pytest_images.errors import InvalidUsage

    if text.lower() in ("0", "no", "false", "off"):
        return False
    if text.lower() in ("1", "yes", "true", "on"):
        return True
    raise InvalidUsage(text, "images_offline is yes or no")
