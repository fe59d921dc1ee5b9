"""The names that may be given to an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import InvalidUsage

if TYPE_CHECKING:
    from pytest_images.model.reference import Reference


def check_given(name: Reference) -> None:
    """Refuse *name* where it cannot be given. Raises InvalidUsage.

    A digest is not ours to give, and ``sha256:…`` would be taken for one.
    """
    if name.digest is not None:
        raise InvalidUsage(name.familiar, "refusing to create a tag with a digest reference")
    if name.familiar_name == "sha256":
        reason = "refusing to create an ambiguous tag using digest algorithm as name"
        raise InvalidUsage(name.familiar, reason)
