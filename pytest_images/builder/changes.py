"""``--change``: the few instructions that need no build, as ``docker import`` takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.builder.settings import SettingsDraft
from pytest_images.dockerfile import words
from pytest_images.dockerfile.expand import Expander
from pytest_images.dockerfile.lines import Lines
from pytest_images.dockerfile.place import Place
from pytest_images.dockerfile.reading import read_instruction

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = "--change"
ALLOWED = frozenset({"CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD"}) | {
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
}


def changed(changes: Sequence[str], os: str = "linux") -> SettingsDraft:
    """Return the settings that the instructions *changes* make, each seeing those before it.

    Raises InvalidDockerfile, whose line counts all lines of *changes*; LimitExceeded.

    >>> changed(["ENV A=1", "ENV B=$A"]).to_json()
    {'Env': ['A=1', 'B=1']}
    """
    draft = SettingsDraft(os)
    lines = Lines("\n".join(changes), SOURCE)
    found = list(lines)
    if changes and not found:
        raise Place(SOURCE, 1, 1, "").error("file with no instructions")
    escape = lines.directives.escape
    for line in found:
        keyword = words.split(line.text, escape).keyword
        if keyword.upper() not in ALLOWED:
            note = f"allowed are {', '.join(sorted(ALLOWED))}"
            raise line.place.error(f"{keyword.lower()} is not a valid change command", note)
    for instruction in [read_instruction(line, escape) for line in found]:
        draft.apply(instruction.expand(Expander(draft.environment, escape)))
    return draft
