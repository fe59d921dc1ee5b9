from __future__ import annotations

import pickle
from typing import Any

import pytest

from pytest_images.errors import InvalidDocument, LimitExceeded
from pytest_images.model.settings import NUMBER_LIMIT, USER_LIMIT, Settings
from tests.ledger import refused

BAD: dict[str, Any] = {
    "user 2^32": {"User": "4294967296"},
    "user 2^32 + 0 as a group": {"User": "0:4294967296"},
    "user 2^31": {"User": str(NUMBER_LIMIT + 1)},
    "user negative": {"User": "-1"},
    "user of 1000 digits": {"User": "9" * 1000},
    "group negative": {"User": "root:-1"},
    "user, group and more": {"User": "0:0:0"},
    "user with NUL": {"User": "root\0x"},
    "user a number": {"User": 0},
    "env with NUL": {"Env": ["A=1\0B=2"]},
    "env a map": {"Env": {"A": "1"}},
    "env of numbers": {"Env": [1]},
    "env null inside": {"Env": [None]},
    "command with NUL": {"Cmd": ["a\0b"]},
    "command a number": {"Cmd": 1},
    "entrypoint an object": {"Entrypoint": {}},
    "directory with NUL": {"WorkingDir": "/a\0/b"},
    "directory a list": {"WorkingDir": ["/"]},
    "labels a list": {"Labels": ["a=1"]},
    "labels of numbers": {"Labels": {"a": 1}},
    "volumes text": {"Volumes": "/data"},
    "volume with NUL": {"Volumes": {"/a\0": {}}},
    "one setting in two cases": {"Cmd": ["a"], "cmd": ["b"]},
}
# Shapes that real images have, and what Docker makes of them.
GOOD: dict[str, tuple[Any, dict[str, Any]]] = {
    "nothing": (None, {}),
    "all null": ({"User": None, "Env": None, "Cmd": None, "Labels": None, "Volumes": None}, {}),
    "a user by name": ({"User": "nobody:nogroup"}, {"user": "nobody:nogroup"}),
    "a user by number": ({"User": "65532:65532"}, {"user": "65532:65532"}),
    "the highest number": ({"User": str(NUMBER_LIMIT)}, {"user": str(NUMBER_LIMIT)}),
    "a group alone": ({"User": ":0"}, {"user": ":0"}),
    "a user of windows": ({"User": "NT AUTHORITY\\SYSTEM"}, {"user": "NT AUTHORITY\\SYSTEM"}),
    "digits of another script are a name": ({"User": "٣"}, {"user": "٣"}),
    "a variable of many lines": ({"Env": ["A=1\n2"]}, {"environment": {"A": "1\n2"}}),
    "a variable without a value": ({"Env": ["A="]}, {"environment": {"A": ""}}),
    "a variable without =": ({"Env": ["A", "B=1"]}, {"environment": {"B": "1"}}),
    "a variable without a name": ({"Env": ["=1", ""]}, {"environment": {}}),
    "= in a value": ({"Env": ["A=b=c"]}, {"environment": {"A": "b=c"}}),
    "the last of two counts": ({"Env": ["A=1", "A=2"]}, {"environment": {"A": "2"}}),
    "command as one text": ({"Cmd": "sh"}, {"command": ("sh",)}),
    "settings in lower case": ({"cmd": ["sh"], "env": ["A=1"]}, {"command": ("sh",)}),
    "an empty argument": ({"Entrypoint": ["sh", ""]}, {"entrypoint": ("sh", "")}),
    "a directory that climbs": ({"WorkingDir": "../../etc"}, {"working_directory": "../../etc"}),
    "volumes and ports": (
        {"Volumes": {"/data": {}}, "ExposedPorts": {"80/tcp": {}}},
        {"volumes": ("/data",), "exposed_ports": ("80/tcp",)},
    ),
    "unknown settings": ({"Healthcheck": {"Test": ["CMD"]}, "Tty": False}, {}),
}


@pytest.mark.parametrize("document", BAD.values(), ids=BAD.keys())
def test_a_setting_that_no_image_can_mean_is_refused(document: Any) -> None:
    with refused(InvalidDocument, "config.json"):
        Settings.from_json(document, "config.json")


@pytest.mark.parametrize("document", [[], "", 1, True], ids=repr)
def test_settings_are_an_object(document: Any) -> None:
    with refused(InvalidDocument, "config is not an object"):
        Settings.from_json(document, "x")


@pytest.mark.parametrize(("document", "expected"), GOOD.values(), ids=GOOD.keys())
def test_what_real_images_say_is_taken_as_docker_takes_it(
    document: Any, expected: dict[str, Any]
) -> None:
    settings = Settings.from_json(document, "x")
    assert {name: getattr(settings, name) for name in expected} == expected


def test_a_user_of_a_megabyte_is_refused() -> None:
    with refused(LimitExceeded, str(USER_LIMIT)):
        Settings.from_json({"User": "a" * 10**6}, "x")


def test_settings_travel_hash_and_do_not_change() -> None:
    settings = Settings.from_json({"Env": ["A=1"], "Labels": {"a": "1"}}, "x")
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert hash(settings) == hash(pickle.loads(pickle.dumps(settings)))
    with pytest.raises(TypeError):
        settings.environment["A"] = "2"  # type: ignore[index]  # the attempt is the test
