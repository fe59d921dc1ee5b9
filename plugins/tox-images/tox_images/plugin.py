"""The hooks of tox: keys, an option, and what happens before the commands."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from tox.plugin import impl
from tox.session.env_select import CliEnv, register_env_select_flags
from tox.tox_env.errors import Fail

from tox_images.handing_over import hand_over
from tox_images.interrupts import interruptible
from tox_images.settings import add_core_keys, add_env_keys, needs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tox.config.cli.parser import ToxParser
    from tox.config.sets import ConfigSet, CoreConfigSet, EnvConfigSet
    from tox.session.state import State
    from tox.tox_env.api import ToxEnv

    from tox_images.preparation import Preparation

# What the commands need to find the same store, and registries as we find them.
PASSED = ("PYTEST_IMAGES_*", "DOCKER_CONFIG")

_lock = threading.Lock()
_preparations: dict[int, tuple[CoreConfigSet, Preparation]] = {}


@impl
def tox_add_option(parser: ToxParser) -> None:
    """Add ``--skip-images``, and the command that prepares and runs nothing."""
    parser.add_argument(
        "--skip-images",
        action="store_true",
        help="prepare no images (of the plugin tox-images): commands run without them",
    )
    command = parser.add_command("images", [], "pull and build the images of environments", fetch)
    register_env_select_flags(command, default=CliEnv())


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:
    """Add the keys of ``[tox]``."""
    add_core_keys(core_conf)


@impl
def tox_add_env_config(env_conf: EnvConfigSet, state: State) -> None:
    """Add the keys of an environment."""
    add_env_keys(env_conf)


@impl
def tox_before_run_commands(tox_env: ToxEnv) -> None:
    """Prepare the images of an environment and hand them to its commands. Raises Fail."""
    tox_env.conf["pass_env"].extend(PASSED)
    if not tox_env.options.skip_images:
        prepare(tox_env)


def fetch(state: State) -> int:
    """Prepare the images of the environments that were selected: ``tox images``."""
    failed = False
    for name in state.envs.iter():
        with state.envs[name].display_context(suspend=False):
            try:
                prepare(state.envs[name])
            except Fail as error:
                logging.error("failed with %s", error)
                failed = True
    return int(failed)


def prepare(tox_env: ToxEnv) -> None:
    """Have the images of an environment, and set the variables of its commands. Raises Fail."""
    from pytest_images import ImagesError
    from tox_images.preparation import NotPrepared

    try:
        needs = needs_of(tox_env.conf, tox_env.core)
        if not needs:
            return
        preparation = _preparation(tox_env.core)
        with interruptible(tox_env) as stopped:
            images = preparation.meet(needs, stopped)
        hand_over(tox_env, preparation, needs, images)
    except (ImagesError, NotPrepared) as error:
        raise Fail("\n  ".join(_text(tox_env.name, error))) from error


def _text(name: str, error: Exception) -> Iterator[str]:
    """Say what failed, and what to do next."""
    yield f"images of {name}: {error}"
    yield from getattr(error, "__notes__", [])
    yield "commands run without them: tox run --skip-images"


def _preparation(core: CoreConfigSet) -> Preparation:
    """Return the one preparation of this run of tox."""
    with _lock:
        if id(core) not in _preparations:
            from tox_images.preparation import Preparation
            from tox_images.settings import Settings

            _preparations[id(core)] = core, Preparation(Settings(core))
        return _preparations[id(core)][1]
