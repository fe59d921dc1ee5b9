"""The end of a process and of a run: what was made goes, what was counted is added up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_images.errors import ImagesError
from pytest_images.plugin.outcomes import forget
from pytest_images.policies.report import Counts

if TYPE_CHECKING:
    from pytest_images.host.host import Host
    from pytest_images.plugin.workers import Workers
    from pytest_images.policies.report import Report


def end_worker(host: Host, report: Report | None) -> dict[str, Any]:
    """Close a worker's host; return what its controller must know."""
    counts = (report.counts if report is not None else Counts()).to_plain()
    locked = host.lock.changes if host.lock is not None else {}
    return {"counts": counts, "trouble": _closing(host), "locked": locked}


def end_run(host: Host, report: Report | None, workers: Workers | None) -> str:
    """Drop what the run made and close the host; return what went wrong, to be shown."""
    counts = report.counts if report is not None else Counts()
    outputs = [] if workers is None else workers.outputs
    troubles = [str(output["trouble"]) for output in outputs]
    for output in outputs:
        counts.add(Counts.from_plain(output["counts"]))
    try:
        if host.is_open or outputs or (workers is not None and _has_store(host)):
            forget(host, host.run or "")
            counts.cleaned += len(host.end_run())
    except ImagesError as error:
        troubles.append(_text(error))
    troubles.append(_closing(host))
    return "; ".join(dict.fromkeys(filter(None, troubles)))


def locked(host: Host, workers: Workers | None) -> dict[str, str]:
    """Return what this run wrote into the lock file, by name."""
    changes = dict(host.lock.changes) if host.lock is not None else {}
    for output in [] if workers is None else workers.outputs:
        changes.update(output["locked"])
    return changes


def _has_store(host: Host) -> bool:
    """Whether there is a store that a silent worker may have left something in."""
    from pytest_images.content.home import locate

    return locate(None if host.home is None else Path(host.home)).is_dir()


def _closing(host: Host) -> str:
    """Close *host*; return what went wrong, for an error here would hide the tests' results."""
    try:
        host.close()
    except Exception as error:  # noqa: BLE001, RUF100 - shown in the summary, whatever it is
        return _text(error)
    return ""


def _text(error: Exception) -> str:
    return "; ".join((f"{type(error).__name__}: {error}", *getattr(error, "__notes__", [])))
