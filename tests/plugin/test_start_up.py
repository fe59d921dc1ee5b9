"""A session that uses no images pays next to nothing for the plugin."""

from __future__ import annotations

import pytest

LISTS = """
    import sys

    def pytest_sessionfinish():
        heavy = ["requests", "urllib3", "rich", "sqlite3", "filelock", "tarfile"]
        print("heavy:", [name for name in heavy if name in sys.modules])
        print("ours:", sorted(name for name in sys.modules if name.startswith("pytest_images")))
"""
LOADED = [
    "pytest_images",
    "pytest_images.namedtuple",
    "pytest_images.plugin",
    "pytest_images.plugin.ahead",
    "pytest_images.plugin.fixtures",
    "pytest_images.plugin.interrupts",
    "pytest_images.plugin.owners",
    "pytest_images.plugin.places",
    "pytest_images.plugin.session",
    "pytest_images.plugin.settings",
]


def test_nothing_is_imported_that_is_not_used(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(LISTS)
    pytester.makepyfile("def test_it(): pass")
    only_us = ["-p", "no:xdist", "-p", "no:cov", "-p", "no:hypothesispytest", "-p", "no:randomly"]
    result = pytester.runpytest_subprocess("-s", "-q", *only_us)
    result.stdout.fnmatch_lines(["*heavy: []*"])
    assert f"ours: {LOADED}" in result.stdout.str()
