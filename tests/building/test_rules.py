"""The rules of building against their cases: none is without one, and no case is about none."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_images.dockerfile.reading import _KINDS  # every instruction, with its flags
from tests.building.differences import REFUSED_BY
from tests.building.differences import RULES as DIFFERENCES
from tests.building.rules import RULES
from tests.differential.differences import explained

# Refused (tests/dockerfile), or only for what is fetched.
ELSEWHERE = {"security", "device", "keep-git-dir"}
CASES = Path(__file__).parent / "cases"


def test_each_rule_has_a_case_and_each_case_a_rule() -> None:
    assert {folder.name for folder in CASES.iterdir()} == set(RULES)


def test_each_rule_names_its_judge_and_stands_once() -> None:
    assert {rule.judge for rule in RULES.values()} == {"docker", "buildah", "documented"}
    assert len({rule.text for rule in RULES.values()}) == len(RULES)


def test_what_is_documented_is_written_down_with_its_source() -> None:
    for name, rule in RULES.items():
        written = {"expected", "error"} & {path.name for path in (CASES / name).iterdir()}
        assert bool(written) == (rule.judge == "documented"), name
        assert bool(rule.source) == (rule.judge == "documented"), name


def test_the_differences_that_cases_name_are_explained() -> None:
    named = {difference for rule in RULES.values() for difference in rule.differs}
    assert named == {*DIFFERENCES, *REFUSED_BY} == set(explained(1))


def test_every_instruction_and_flag_stands_in_a_case() -> None:
    text = "\n".join((CASES / name / "Dockerfile").read_text() for name in RULES)
    for keyword, (known, _) in _KINDS.items():
        lines = re.findall(rf"^(?:ONBUILD )?{keyword} .*", text, re.MULTILINE | re.IGNORECASE)
        assert lines, keyword
        for flag in (known.texts | known.lists | known.switches) - ELSEWHERE:
            assert any(f"--{flag}" in line for line in lines), f"{keyword} --{flag}"
