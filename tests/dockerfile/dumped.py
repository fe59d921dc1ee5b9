"""What a Dockerfile says, as plain JSON: what has its default is left out."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pytest_images.dockerfile.instructions import Instruction, OnBuild

if TYPE_CHECKING:
    from pytest_images.dockerfile.stages import Dockerfile


def dump(dockerfile: Dockerfile) -> dict[str, Any]:
    """Everything that was read, with the lines it stood on."""
    found = {
        "directives": dict(dockerfile.directives),
        "arguments": [_instruction(arg) for arg in dockerfile.arguments],
        "stages": [
            {"FROM": _value(stage.start), "then": [_instruction(i) for i in stage.instructions]}
            for stage in dockerfile.stages
        ],
        "warnings": [f"{warning.rule}:{warning.place.first}" for warning in dockerfile.warnings],
    }
    return {key: value for key, value in found.items() if value}


def _instruction(instruction: Instruction) -> dict[str, Any]:
    place = instruction.place
    lines = f"{place.first}" if place.first == place.last else f"{place.first}-{place.last}"
    return {f"{instruction.keyword}:{lines}": _value(instruction)}


def _value(value: Any) -> Any:
    if hasattr(value, "_field_defaults"):  # a named tuple
        defaults = value._field_defaults
        held = value._asdict().items()
        return {k: _value(v) for k, v in held if k not in defaults or v != defaults[k]}
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    if not is_dataclass(value) or isinstance(value, type):
        return value
    found = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if field.name != "place" and (field.default is MISSING or held != field.default):
            is_trigger = isinstance(value, OnBuild) and isinstance(held, Instruction)
            found[field.name] = _instruction(held) if is_trigger else _value(held)
    return found
