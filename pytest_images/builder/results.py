"""The layers of one stage's steps: found in the cache, or made and put there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.builder.cache import Result, plain_layer
from pytest_images.builder.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_images.builder.copying import Copying
    from pytest_images.builder.log import Step
    from pytest_images.builder.state import State
    from pytest_images.builder.workshop import Workshop
    from pytest_images.layer.files import ImagePath
    from pytest_images.layer.writer import LayerWriter

_MADE = Result(None)  # what is noted of an outline: it was made once


class Results:
    """What the steps of the stage *state* made."""

    def __init__(self, shop: Workshop, state: State) -> None:
        self._shop, self._state = shop, state

    @property
    def base(self) -> ImagePath | None:
        """The files that the next step finds, None: there are none."""
        return self._shop.files(self._state.layers) if self._state.layers else None

    def get(self, key: str, step: Step, make: Callable[[], Result]) -> Result:
        """Take the result of a step from the cache, or make it: of many that want it, one does."""
        found = self._cached(key)
        if found is None:
            with self._shop.store.guard("build", key):
                found = self._cached(key)  # made meanwhile?
                if found is None:
                    found = self._learnt(make())
                    self._shop.cache.put(key, found)
                    step.done()
                    return found
        step.cached()
        return found

    def copied(self, copying: Copying, step: Step) -> Result:
        """Return the result of a COPY, and make its key part of the state.

        Files of which nothing is known would be read for the key, and once more for the layer.
        Where nothing of the same names and sizes was ever copied here, nothing can be in
        the cache: then many of them, or a large one, are written at once, and the key is of what
        was written.
        """
        if not copying.is_large(self._shop.fingerprints):
            return self._by_key(copying, step)
        outline = key_of("outline", parent=self._state.key, shape=copying.outline())
        if self._cached(outline) is None:
            with self._shop.store.guard("build", outline):
                if self._cached(outline) is None:
                    return self._at_once(copying, step, outline)
        return self._by_key(copying, step)

    def _by_key(self, copying: Copying, step: Step) -> Result:
        content = copying.digest(self._shop.fingerprints)
        return self.get(self._key(copying, content), step, lambda: self._written(copying))

    def _at_once(self, copying: Copying, step: Step, outline: str) -> Result:
        found = self._learnt(self._written(copying, learns=True))
        content = copying.digest(self._shop.fingerprints)
        self._shop.cache.put(self._key(copying, content), found)
        self._shop.cache.put(outline, _MADE)
        step.done()
        return found

    def _key(self, copying: Copying, content: str) -> str:
        order = copying.order
        return self._state.advance(
            "copy",
            content=content,
            destination=order.destination,
            linked=order.is_linked,
            owner=order.owner,
            mode=order.mode,
        )

    def _written(self, copying: Copying, *, learns: bool = False) -> Result:
        learn = self._shop.fingerprints if learns else None
        base, latest = self.base, self._shop.latest
        return self.write(lambda writer: copying.write(writer, base, latest, learn))

    def write(self, write: Callable[[LayerWriter], None]) -> Result:
        """Store what *write* writes as a layer; none where it wrote no member."""
        from pytest_images.content.ingest import FOLLOW_FROM
        from pytest_images.layer.writer import LayerWriter

        with self._shop.store.ingest() as ingest:
            writer = LayerWriter(ingest)
            write(writer)
            if writer.is_empty:
                return Result(None)
            writer.finish()
            size = ingest.offset
            if size >= FOLLOW_FROM:
                ingest.flush()  # while the rest is hashed
            self._shop.lease.hold(ingest.digest())
            return Result(plain_layer(ingest.commit(), size), writer.noted)

    def _learnt(self, made: Result) -> Result:
        """Let what was made be known to who looks into it."""
        if made.layer is not None and made.noted is not None:
            self._shop.learn(made.layer, made.noted)
        return made

    def _cached(self, key: str) -> Result | None:
        return self._shop.cache.get(key) if self._shop.uses_cache else None
