"""Settings: an option, the environment, the ini file, a default, in this order."""

from __future__ import annotations

import os

import pytest

# Name, help. The option is --images-NAME, the ini key images_NAME, PYTEST_IMAGES_NAME in the
# environment.
_TEXTS = {
    "home": "the store's folder (default: the user's cache folder)",
    "engine": "the engine that does the verbs (default: embedded)",
    "durability": "safe, or fast: without fsync, for disks that are thrown away (default: safe)",
    "platform": "the platforms that images are wanted for, best first (default: this machine's)",
}
_OFFLINE = "ask registries on loopback only"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys; every option's default is None, so others may speak."""
    group = parser.getgroup("images", "container images")
    for name, meaning in _TEXTS.items():
        group.addoption(f"--images-{name}", default=None, metavar=name.upper(), help=meaning)
        parser.addini(f"images_{name}", meaning, default=None)
    group.addoption("--images-offline", action="store_true", default=None, help=_OFFLINE)
    parser.addini("images_offline", _OFFLINE, default=None)


class Settings:
    """What the user chose; None is nobody's choice. *offline* is a yes or no.

    A plain class: it is made at every start of pytest, and a dataclass takes a millisecond.
    """

    def __init__(self, config: pytest.Config) -> None:
        """Read the settings of this run. Raises pytest.UsageError."""
        home = _chosen(config, "home")
        self.home = home and str(config.invocation_params.dir / os.path.expanduser(home))  # noqa: PTH111 - text
        self.engine = _chosen(config, "engine")
        self.durability = _chosen(config, "durability")
        self.platform = _chosen(config, "platform")
        self.offline = _yes(_chosen(config, "offline"))
        if self.durability not in (None, "safe", "fast"):
            raise pytest.UsageError(f"images_durability is safe or fast, not {self.durability!r}")

    def __str__(self) -> str:
        chosen = {name: value for name, value in vars(self).items() if value}
        return ", ".join(f"{n} {v}".removesuffix(" True") for n, v in chosen.items())


def _chosen(config: pytest.Config, name: str) -> str | None:
    option = config.getoption(f"images_{name}")
    if option is not None:
        return str(option)
    return (
        os.environ.get(f"PYTEST_IMAGES_{name.upper()}") or config.getini(f"images_{name}") or None
    )


def _yes(text: str | None) -> bool:
    if text is None or text.lower() in ("0", "no", "false", "off"):
        return False
    if text.lower() in ("1", "yes", "true", "on"):
        return True
    raise pytest.UsageError(f"images_offline is yes or no, not {text!r}")
