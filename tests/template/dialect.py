"""What templates say of one image: a line of dialect.jsonl is a template and what Docker prints.

The lines were written down from the client of Docker 28.2; `tests/cli/test_inspected.py` holds
this package and, where there is one, the client against them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCUMENT: dict[str, Any] = {
    "Id": "sha256:" + "a" * 64,
    "RepoTags": ["app:1", "app:2"],
    "RepoDigests": [],
    "Parent": "",
    "Comment": "buildkit.dockerfile.v0",
    "Created": "2024-05-01T10:00:00Z",
    "DockerVersion": "",
    "Author": "me",
    "Config": {
        "User": "",
        "Env": ["PATH=/usr/bin", "A=<b>"],
        "Cmd": ["sh"],
        "Volumes": {"/data": {}},
        "ExposedPorts": {"80/tcp": {}},
        "WorkingDir": "/",
        "Entrypoint": None,
        "OnBuild": None,
        "Labels": {"a": "b", "c.d": "e"},
    },
    "Architecture": "amd64",
    "Os": "linux",
    "Size": 12345678,
    "GraphDriver": {"Data": None, "Name": "overlay2"},
    "RootFS": {"Type": "layers", "Layers": ["sha256:" + "b" * 64]},
    "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
    # What no type of Docker's names is found by the names of the JSON alone.
    "Extra": {"n": 1.5, "big": 12345678901234567890, "l": [1, "x", None, True], "z": None},
}
LINES = (Path(__file__).parent / "dialect.jsonl").read_text().splitlines()
CASES: list[tuple[str, str]] = [tuple(json.loads(line)) for line in LINES]
