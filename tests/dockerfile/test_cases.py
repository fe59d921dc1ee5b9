"""Each rule of the reference in a folder: a Dockerfile, and what it says or the error it gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_images.dockerfile.stages import parse
from pytest_images.errors import InvalidDockerfile
from tests.dockerfile.dumped import dump
from tests.dockerfile.rules import RULES

CASES = Path(__file__).parent / "cases"
JUDGES = {"classic", "buildah", "buildkit", "ours"}


def test_each_rule_has_a_case_and_each_case_a_rule() -> None:
    assert {folder.name for folder in CASES.iterdir()} == set(RULES)


def test_each_rule_names_its_judge_and_stands_once() -> None:
    assert {judge for _, judge in RULES.values()} <= JUDGES
    assert len({rule for rule, _ in RULES.values()}) == len(RULES)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_dockerfile_says_what_its_rule_says(name: str) -> None:
    folder = CASES / name
    text = (folder / "Dockerfile").read_bytes()
    if (folder / "error").exists():
        with pytest.raises(InvalidDockerfile) as caught:
            parse(text)
        assert str(caught.value) == (folder / "error").read_text().removesuffix("\n")
    else:
        assert dump(parse(text)) == json.loads((folder / "expected.json").read_text())
