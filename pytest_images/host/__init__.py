"""Who is asked, in what order: the host, its plugin manager, and views of the hooks."""

from __future__ import annotations

from pytest_images.host.engines import EMBEDDED
from pytest_images.host.host import Host

__all__ = ["EMBEDDED", "Host"]
