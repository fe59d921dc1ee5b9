"""A credential helper for tests: keeps what it is told in a file beside it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
#!{python}
import json, pathlib, sys
kept = pathlib.Path(__file__).with_suffix(".json")
known = json.loads(kept.read_text()) if kept.exists() else {{}}
action, said = sys.argv[1], sys.stdin.read()
if action == "store":
    told = json.loads(said)
    known[told.pop("ServerURL")] = told
elif said not in known:
    print("credentials not found in native keychain")
    raise SystemExit(1)
elif action == "erase":
    del known[said]
else:
    print(json.dumps({{"ServerURL": said, **known[said]}}))
kept.write_text(json.dumps(known))
"""


def install_helper(folder: Path, name: str = "test") -> dict[str, str]:
    """Install the helper *name* in *folder*; return the environment that finds it."""
    path = folder / f"docker-credential-{name}"
    path.write_text(PROGRAM.format(python=sys.executable))
    path.chmod(0o700)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def kept_by_helper(folder: Path, name: str = "test") -> str:
    """Return what the helper keeps, as JSON."""
    path = folder / f"docker-credential-{name}.json"
    return path.read_text() if path.exists() else "{}"
