"""The images that a factory's build stands on, read from its Dockerfile before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.dockerfile.arguments import platform_arguments
from pytest_images.engine.choose import host_platform
from pytest_images.plugin.needs import Need
from pytest_images.plugin.requested import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_images.dockerfile.stages import Dockerfile


def bases(file: str, **given: Any) -> Iterator[Need]:
    """Give what the FROM lines name that the target needs, where that is known.

    *given*: the arguments of `built`. Raises InvalidDockerfile, and then the build does too.
    """
    dockerfile = _dockerfile(file, given)
    if dockerfile is None:
        return
    from pytest_images.arguments import platform_of
    from pytest_images.builder.plan import make_plan

    wanted = platform_of(given["platforms"]) or host_platform()
    args = {key: value for key, value in given["args"].items() if value is not LEFT_OUT}
    automatic = platform_arguments(host_platform(), wanted, given["target"] or "")
    plan = make_plan(dockerfile, given["target"], args, automatic, given["contexts"])
    policy = "always" if given["pull"] else None
    for stage in plan.stages:
        named = stage.start.base
        if stage.base is None and named != "scratch" and named not in given["contexts"]:
            platform = stage.start.platform or given["platforms"]
            yield Need.of(named, policy, platform, file)  # type: ignore[arg-type] # one of two


def _dockerfile(file: str, given: Mapping[str, Any]) -> Dockerfile | None:
    """Read the Dockerfile of a build; None where it is not in a folder of this machine."""
    from pytest_images.dockerfile.stages import parse

    context, name = given["context"], given["dockerfile"] or "Dockerfile"
    text: str | bytes | None = given["dockerfile_text"]
    if text is None and isinstance(context, Mapping):
        text = context.get(name)
    elif text is None and isinstance(context, str | Path) and "://" not in str(context):
        try:
            text = (Path(file).parent / context / name).read_bytes()
        except OSError:
            return None
    if text is None:
        return None
    return parse(text, name)
