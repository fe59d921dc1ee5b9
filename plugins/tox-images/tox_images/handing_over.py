"""The variables by which commands find the images."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tox.tox_env.errors import Fail

if TYPE_CHECKING:
    from tox.config.set_env import SetEnv
    from tox.tox_env.api import ToxEnv
    from tox.util.json_types import JsonValue

    from pytest_images import Digest, Image
    from tox_images.needs import Build, Needs, Pull
    from tox_images.preparation import Preparation

HOME = "PYTEST_IMAGES_HOME"
RUN = "PYTEST_IMAGES_RUN"


def hand_over(
    tox_env: ToxEnv, preparation: Preparation, needs: Needs, images: dict[str, Image]
) -> None:
    """Set the variables of the images, and of the store and the run they are in. Raises Fail."""
    set_env: SetEnv = tox_env.conf["set_env"]
    home = str(preparation.home)
    if HOME in set_env and set_env.load(HOME) != home:
        raise Fail(
            f"images of {tox_env.name}: {HOME} in set_env is another store than the one they are"
            f" in, {home}\n  say it for all environments: images_home in the section tox"
        )
    set_env.update(preparation.settings.for_commands(), override=False)
    set_env.update({HOME: home, RUN: preparation.run})
    told: dict[str, JsonValue] = {}
    for name, need in needs:
        values = _values(f"IMAGES_{name}", need, images[name])
        set_env.update(values)
        told.update(values)
        logging.warning("images> %s is %s", need, images[name].id)
    if tox_env.journal:
        tox_env.journal["images"] = told


def _values(name: str, need: Pull | Build, image: Image) -> dict[str, str]:
    """Return the variables of one image."""
    from tox_images.needs import ENDS

    values = (str(need), str(image.id), str(_digest(need, image)))
    return {f"{name}{end}": value for end, value in zip(ENDS, values, strict=True)}


def _digest(need: Pull | Build, image: Image) -> Digest:
    """Return what the registry calls the image by, else the digest of its manifest."""
    said = (each.digest for each in image.digests if each.name == need.reference.name)
    return next(filter(None, said), image.digest)
