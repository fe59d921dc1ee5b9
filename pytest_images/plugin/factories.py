"""Factories of fixtures: assign the result to a name in a conftest.py or test module."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from pytest_images.plugin.places import FILE

if TYPE_CHECKING:
    from pytest_images.images import Images, Policy
    from pytest_images.model.image import Image
    from pytest_images.model.platform import Platform
    from pytest_images.model.reference import Reference


def pulled(
    reference: str | Reference,
    *,
    policy: Policy = "missing",
    platform: str | Platform | None = None,
) -> Any:
    """Make a session fixture of an image, pulled once a run, whatever the number of workers.

    >>> alpine = pulled("alpine:3.20")  # in a conftest.py: a fixture named alpine

    *policy*: when the registry is asked, as of `Images.get`. *platform*: the one wanted.
    Nothing is pulled before a test uses the fixture. Raises InvalidReference at once.
    """
    from pytest_images.arguments import reference_of

    named = reference_of(reference)
    caller = sys._getframe(1)
    where = f"{caller.f_code.co_filename}, line {caller.f_lineno}"

    def image(images: Images) -> Image:
        __tracebackhide__ = True
        from pytest_images.errors import ImagesError

        try:
            return images.get(named, policy, platform=platform)
        except ImagesError as error:
            error.add_note(f"wanted by pulled({str(reference)!r}) in {where}")
            raise

    image.__doc__ = f"The image {named.familiar}."
    setattr(image, FILE, caller.f_code.co_filename)
    return pytest.fixture(scope="session")(image)
