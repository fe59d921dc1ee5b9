"""`python -m pytest_images`: the command line."""

from __future__ import annotations

from pytest_images.cli import command

if __name__ == "__main__":
    command()
