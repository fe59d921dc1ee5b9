"""The plan: what the selected tests need, what of it is here, and what the rest will cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_images.errors import ImagesError
from pytest_images.namedtuple import NamedTuple
from pytest_images.plugin.needs import asks, factories_of, needs_of, needs_of_one
from pytest_images.policies.report import size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

    from pytest_images.host.host import Host
    from pytest_images.model.digest import Digest
    from pytest_images.plugin.needs import Need


class Line(NamedTuple):
    """One image of the plan: bytes in all and to fetch, None where unknown; requests."""

    name: str
    is_here: bool
    size: int | None
    missing: int | None
    least: int
    most: int

    def __str__(self) -> str:
        state = "here" if self.is_here else "cached" if self.missing == 0 else "to fetch"
        return f"{state:<8}  {'?' if self.size is None else size(self.size):>7}  {self.name}"


def lines(host: Host, items: Sequence[pytest.Item]) -> Iterator[str]:
    """Give the plan of the selected tests as text. No registry is asked."""
    planned = [_line(host, need) for need in needs_of(items, host.policy)]
    using = sum(1 for item in items if next(needs_of_one(item), None) is not None)
    fetched = [line for line in planned if not line.is_here and line.missing != 0]
    least, most = sum(line.least for line in planned), sum(line.most for line in planned)
    count = str(least) if least == most else f"{least} to {most}"
    yield (
        f"images plan: {len(planned)} for {using} of {len(items)} tests, "
        f"{len(fetched)} to fetch ({_total(fetched)}), manifest requests: {count}"
    )
    for line in planned:
        yield f"  {line}"
    for place in _unknown(items):
        yield f"  ?               ?  known when it runs: {place}"


def unneeded_first(items: list[pytest.Item]) -> None:
    """Put the tests that need no image before the others; each keep their order."""
    needing = [item for item in items if next(needs_of_one(item), None) is not None]
    chosen = set(map(id, needing))
    items[:] = [*(item for item in items if id(item) not in chosen), *needing]


def _line(host: Host, need: Need) -> Line:
    from pytest_images.model.request.pull import PullRequest

    name = " ".join((need.reference.familiar, *map(str, need.platforms)))
    platforms = need.platforms or host.platforms
    if not host.is_there:
        return Line(name, False, None, None, 1, 2)
    is_here = _is_here(host, need)
    pinned = need.reference.digest or _locked(host, need)
    found = None
    if host.images.engine == "embedded":
        from pytest_images.engine.foreseen import foreseen

        found = foreseen(host.embedded.store, PullRequest(need.reference, platforms), pinned)
    total, missing = (None, None) if found is None else found
    if is_here:
        return Line(name, True, total, 0, int(asks(host, need)), int(asks(host, need)))
    # What is known costs a HEAD, and nothing by digest; else a GET, and one more for an index.
    least, most = (1, 2) if found is None else (0, 0) if pinned else (1, 1)
    return Line(name, False, total, missing, least, most)


def _locked(host: Host, need: Need) -> Digest | None:
    """Return the digest that the lock file in use has for a name."""
    if host.lock is None or host.lock.mode != "use":
        return None
    pin = host.lock.pins.get(need.reference)
    return None if pin is None else pin.digest


def _is_here(host: Host, need: Need) -> bool:
    try:
        host.images.at(need.place).get(need.reference, "never", platform=need.platforms)
    except ImagesError:
        return False
    return True


def _total(fetched: list[Line]) -> str:
    if any(line.missing is None for line in fetched):
        return "?"
    return size(sum(line.missing or 0 for line in fetched))


def _unknown(items: Sequence[pytest.Item]) -> list[str]:
    """Name the factories whose images depend on the values of fixtures."""
    found = [
        str(factory.site)
        for item in items
        for factory, param in factories_of(item)
        if factory.word == "pulled" and not factory.needs(param)
    ]
    return list(dict.fromkeys(found))
