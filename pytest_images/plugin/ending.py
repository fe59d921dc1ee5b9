"""The end of a process and of a run: what was made goes, what was counted is added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_images.errors import ImagesError
from pytest_images.namedtuple import NamedTuple
from pytest_images.policies.journal import Deed
from pytest_images.policies.report import Counts, Report

if TYPE_CHECKING:
    from pytest_images.host.host import Host
    from pytest_images.plugin.workers import Workers


class Ended(NamedTuple):
    """What a run came to: *locked* is what it wrote into the lock file, *trouble* went wrong."""

    counts: Counts
    deeds: list[Deed]
    locked: dict[str, str]
    trouble: str


def end_worker(host: Host, report: Report | None, failed: set[str]) -> dict[str, Any]:
    """Close a worker's host; return what its controller must know."""
    report = report or Report()
    return {
        "counts": report.counts.to_plain(),
        "deeds": [deed.to_plain() for deed in report.journal.deeds],
        "failed": sorted(failed),
        "locked": {} if host.lock is None else host.lock.changes,
        "trouble": _closing(host),
    }


def end_run(
    host: Host, report: Report | None, workers: Workers | None, keep: str | None, failed: set[str]
) -> Ended:
    """Drop what the run made, but for what is kept, and close the host."""
    report = report or Report()
    counts, deeds = report.counts, report.journal.deeds
    outputs = [] if workers is None else workers.outputs
    locked = {} if host.lock is None else dict(host.lock.changes)
    troubles = []
    for output in outputs:
        counts.add(Counts.from_plain(output["counts"]))
        deeds += map(Deed.from_plain, output["deeds"])
        failed |= set(output["failed"])
        locked |= output["locked"]
        troubles.append(str(output["trouble"]))
    try:
        if host.is_open or outputs or (workers is not None and host.is_there):
            stay = _keep(host, keep, failed, counts)
            gone = [str(one.untagged or one.deleted) for one in host.end_run()]
            counts.cleaned += sum(1 for one in gone if one not in stay)
    except ImagesError as error:
        troubles.append(_text(error))
    troubles.append(_closing(host))
    return Ended(counts, deeds, locked, "; ".join(dict.fromkeys(filter(None, troubles))))


def _keep(host: Host, keep: str | None, failed: set[str], counts: Counts) -> set[str]:
    """Keep and count what shall be kept; return all that stays: names, digests and images."""
    if keep not in ("failed", "always"):
        return set()
    images = host.keep(None if keep == "always" else failed)
    counts.kept |= {str(name) for one in images for name in one.tags or (one.id,)}
    return {str(what) for one in images for what in (one.id, *one.tags, *one.digests)}


def _closing(host: Host) -> str:
    """Close *host*; return what went wrong, for an error here would hide the tests' results."""
    try:
        host.close()
    except Exception as error:  # noqa: BLE001, RUF100 - shown in the summary, whatever it is
        return _text(error)
    return ""


def _text(error: Exception) -> str:
    return "; ".join((f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])))
