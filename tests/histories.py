"""Samples with a history of the test's own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_images.model.config import Config
from pytest_images.model.manifest import Manifest

if TYPE_CHECKING:
    from pytest_images.testing.samples import Sample


def step(created_by: str, **fields: object) -> dict[str, Any]:
    """One line of a history, as a config has it."""
    return {"created_by": created_by, **fields}


def with_history(sample: Sample, *steps: dict[str, Any]) -> Sample:
    """Return *sample* with these steps, the oldest first."""
    return with_config(sample, history=list(steps))


def with_config(sample: Sample, **fields: object) -> Sample:
    """Return *sample* with other fields in its config, and a manifest that fits."""
    raw = json.dumps(sample.config.document | fields).encode()
    config = Config.parse(raw)
    document = json.loads(sample.manifest.raw)
    document["config"] |= {"digest": str(config.id), "size": len(raw)}
    return replace(sample, config=config, manifest=Manifest.parse(json.dumps(document).encode()))
