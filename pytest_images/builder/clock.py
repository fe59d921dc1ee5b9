"""When an image was created: ``SOURCE_DATE_EPOCH`` where it is set, else now."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from pytest_images.errors import InvalidConfiguration

SETTING = "SOURCE_DATE_EPOCH"  # https://reproducible-builds.org/specs/source-date-epoch/
_LATEST = 253_402_300_799  # seconds: the end of the year 9999


def source_date_epoch() -> int | None:
    """Return the seconds since 1970 that a reproducible build takes for now, None: not set.

    Raises InvalidConfiguration.
    """
    text = os.environ.get(SETTING)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 13) or int(text) > _LATEST:
        raise InvalidConfiguration(SETTING, f'"{text}" is not a number of seconds since 1970')
    return int(text)


def creation_time() -> str:
    """Return the time to write into an image made now, as RFC 3339. Raises InvalidConfiguration."""
    epoch = source_date_epoch()
    if epoch is not None:
        return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
