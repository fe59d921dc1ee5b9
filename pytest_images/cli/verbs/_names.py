"""The name that `pull` and `push` are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import InvalidUsage, Unsupported
from pytest_images.model.reference import DEFAULT_TAG, Reference

if TYPE_CHECKING:
    from pytest_images.cli.options import Parsed


def named(parsed: Parsed) -> Reference:
    """Return the name asked for: with a tag, or without one where all tags are meant.

    Says so when the tag is the default one. Raises InvalidReference, InvalidUsage.
    """
    if parsed.has("disable-content-trust") and not parsed.flag("disable-content-trust"):
        raise Unsupported("content trust", "nothing here checks signatures of names")
    text = parsed.arguments[0]
    reference = Reference.parse_bare(text)
    has_tag = reference.tag is not None or reference.digest is not None
    if parsed.flag("all-tags"):
        if has_tag:
            raise InvalidUsage(text, "tag can't be used with --all-tags/-a")
        return reference
    if not has_tag and not parsed.flag("quiet"):
        print(f"Using default tag: {DEFAULT_TAG}", flush=True)
    return Reference.parse(text)
