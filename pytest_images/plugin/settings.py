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
    "pull": "when to ask the registry: missing, newer, always or never (default: missing)",
    "lock": "what to do with images.lock: use, update, verify, off (default: use, if it is there)",
}
_OFFLINE = "ask registries on loopback only"
_MIRRORS = "REGISTRY = HOST[/PREFIX]: where to look for a registry's images first"
_VALUES = {
    "durability": ("safe", "fast"),
    "pull": ("missing", "newer", "always", "never"),
    "lock": ("use", "update", "verify", "off"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini keys; every option's default is None, so others may speak."""
    group = parser.getgroup("images", "container images")
    for name, meaning in _TEXTS.items():
        group.addoption(f"--images-{name}", default=None, metavar=name.upper(), help=meaning)
        parser.addini(f"images_{name}", meaning, default=None)
    group.addoption("--images-offline", action="store_true", default=None, help=_OFFLINE)
    parser.addini("images_offline", _OFFLINE, default=None)
    group.addoption(
        "--images-mirror",
        action="append",
        dest="images_mirrors",
        metavar="REGISTRY=HOST[/PREFIX]",
        help=f"{_MIRRORS} (repeatable)",
    )
    parser.addini("images_mirrors", f"{_MIRRORS}, one a line", type="linelist", default=[])


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
        self.pull = _chosen(config, "pull")
        self.lock = _chosen(config, "lock")
        self.mirrors = _lines(config, "mirrors")
        for name, values in _VALUES.items():
            if (value := getattr(self, name)) not in (None, *values):
                words = f"{', '.join(values[:-1])} or {values[-1]}"
                raise pytest.UsageError(f"images_{name} is {words}, not {value!r}")
        if any("@" in line for line in self.mirrors):  # and it is not shown
            raise pytest.UsageError("images_mirrors takes no passwords: use docker login")
        if self.offline and self.lock in ("update", "verify"):
            raise pytest.UsageError(f"images_lock = {self.lock} asks registries: not offline")

    def __str__(self) -> str:
        chosen = {**vars(self), "mirrors": "; ".join(self.mirrors)}
        return ", ".join(f"{n} {v}".removesuffix(" True") for n, v in chosen.items() if v)


def _chosen(config: pytest.Config, name: str) -> str | None:
    option = config.getoption(f"images_{name}")
    if option is not None:
        return str(option)
    return (
        os.environ.get(f"PYTEST_IMAGES_{name.upper()}") or config.getini(f"images_{name}") or None
    )


def _lines(config: pytest.Config, name: str) -> tuple[str, ...]:
    """Return a list: the option's, the environment's (lines or commas), or the ini file's."""
    option: list[str] | None = config.getoption(f"images_{name}")
    named = os.environ.get(f"PYTEST_IMAGES_{name.upper()}", "")
    found = option or named.replace(",", "\n").splitlines() or config.getini(f"images_{name}")
    return tuple(filter(None, (line.strip() for line in found)))


def _yes(text: str | None) -> bool:
    if text is None or text.lower() in ("0", "no", "false", "off"):
        return False
    if text.lower() in ("1", "yes", "true", "on"):
        return True
    raise pytest.UsageError(f"images_offline is yes or no, not {text!r}")
