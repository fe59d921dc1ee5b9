"""An error of ours as text, for another process of the run."""

from __future__ import annotations

import base64
import io
import pickle
from typing import Any

from pytest_images.errors import ImagesError


def written(error: ImagesError) -> str:
    """Return the text of an error, for `read`."""
    return base64.b85encode(pickle.dumps(error)).decode()


def read(text: str) -> ImagesError | None:
    """Return an error of ours; None for what is none, and nothing else is ever made of it."""
    try:
        found = _Errors(io.BytesIO(base64.b85decode(text))).load()
    except Exception:  # noqa: BLE001, RUF100 - whatever it is, the work is done again
        return None
    return found if isinstance(found, ImagesError) else None


class _Errors(pickle.Unpickler):
    """Reads errors and the values they carry, and calls nothing but those."""

    def find_class(self, module: str, name: str) -> Any:
        parts = module.split(".")
        is_ours = parts[0] == "pytest_images" and parts[1] in ("errors", "model")
        if is_ours and "." not in name:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an error")
