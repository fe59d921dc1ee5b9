"""What was made, and how it is taken back: last first, and only what is still ours."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pytest_images.dataclass import dataclass
from pytest_images.errors import ImageNotFound, ImagesError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_images.images import Images
    from pytest_images.model.digest import Digest
    from pytest_images.model.reference import Reference


@dataclass(frozen=True, slots=True)
class Product:
    """One name that a verb moved to *image*; *before* is the ID it stood for, None: new.

    Without a *reference* the product is the image itself.
    """

    image: Digest
    reference: Reference | None = None
    before: Digest | None = None


class Ledger:
    """The products of one scope."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._products: list[Product] = []

    def __len__(self) -> int:
        return len(self._products)

    def add(self, products: Iterable[Product]) -> None:
        """Remember *products*; one that is known already stays one."""
        with self._lock:
            self._products += [p for p in products if p not in self._products]

    def undo(self, images: Images) -> None:
        """Take everything back, last first.

        A name that stands for something else by now is left alone: someone else moved it.
        A name that stood for another image before gets that one back. All is tried; the first
        error is raised at the end.
        """
        failures: list[ImagesError] = []
        while self._products:
            with self._lock:
                product = self._products.pop()
            try:
                _take_back(images, product)
            except ImagesError as error:
                failures.append(error)
        if failures:
            raise failures[0]


def standing(images: Images, name: Reference | Digest) -> Digest | None:
    """Return the ID of the image that *name* stands for now, None: there is none."""
    try:
        return images.inspect(name).image.id
    except ImageNotFound:
        return None


def _take_back(images: Images, product: Product) -> None:
    name = product.reference or product.image
    if standing(images, name) != product.image:
        return
    if product.reference is not None and product.before is not None:
        try:
            images.tag(product.before, product.reference)
        except ImageNotFound:  # the image before is gone, so the name goes too
            images.rm(name)
    else:
        images.rm(name)
