"""`python -m pytest_images`: the command line."""

from __future__ import annotations

import sys

from pytest_images.cli import main

if __name__ == "__main__":
    sys.exit(main())
