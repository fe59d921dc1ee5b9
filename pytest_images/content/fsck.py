"""The check of a store, and its repair: remove exactly what is damaged or cannot be whole.

What a kill or a power cut may leave (a change cut short, a dead writer's file, emptied trash)
is not damage: it is put right first, as any other opening would.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_images.content import collect, locks
from pytest_images.content.checks import content, layout, recorded, rows
from pytest_images.content.facts import Problem, Report
from pytest_images.content.failures import translated
from pytest_images.content.names import Record

if TYPE_CHECKING:
    from pytest_images.content.blobs import Blobs
    from pytest_images.content.home import Home
    from pytest_images.content.index import Index


def check(
    home: Home,
    blobs: Blobs,
    index: Index,
    timeout: float,
    *,
    repair: bool = False,
    rebuild: bool = False,
    locked: bool = False,
) -> Report:
    """Check the store at *home*; see `Store.fsck`. *locked*: the collection lock is held."""
    examination = _Examination(home, blobs, index, repair=repair, rebuild=rebuild)
    with translated(home.root):
        if not examination.layout():
            return examination.report()
        suspects = list(content.wrong(home, blobs))  # long, and so without any lock
        with ExitStack() as held:
            if not locked:
                # Shared while looking: nothing is collected. Alone while mending.
                held.enter_context(locks.acquire(home.collect_lock, timeout, shared=not repair))
            held.enter_context(index.exclusive())
            examination.blobs(suspects)
            examination.records()
            examination.index()
            examination.modes()
    return examination.report()


class _Examination:
    """One check under way: what was found and what was done about it."""

    def __init__(
        self, home: Home, blobs: Blobs, index: Index, *, repair: bool, rebuild: bool
    ) -> None:
        self._home, self._blobs, self._index = home, blobs, index
        self._repair, self._rebuild = repair, rebuild
        self.problems: list[Problem] = []
        self.repairs: list[str] = []
        self._bad: set[str] = set()

    def _found(self, problem: Problem) -> bool:
        """Note a problem; says whether it is to be mended."""
        self.problems.append(problem)
        return self._repair

    def _drop(self, path: Path) -> None:
        if path.exists() or path.is_symlink():
            self._blobs.discard(path)
            self.repairs.append(f"removed {path}")

    def report(self) -> Report:
        """Return what was found and done."""
        return Report(tuple(self.problems), tuple(self.repairs))

    def layout(self) -> bool:
        """Check folders and locks; says whether they are in place, so that more can be checked."""
        missing = list(layout.missing(self._home))
        for problem in missing:
            if self._found(problem):
                self.repairs.append(layout.mend_missing(self._home, problem))
        return self._repair or not missing

    def blobs(self, suspects: list[Problem]) -> None:
        """Look at what seemed wrong once more, now that nobody changes it."""
        for suspect in suspects:
            path = Path(suspect.path)
            again = [suspect] if path.parent == self._home.blobs else content.one(path, self._blobs)
            for problem in again:
                self._bad.add(f"{path.parent.name}:{path.name}")
                if self._found(problem):
                    self._drop(path)
        for problem in layout.strangers(self._home):
            if self._found(problem):
                self._drop(Path(problem.path))

    def records(self) -> None:
        """Check the record files of every scope."""
        self._corrupt = list(rows.corrupt(self._home, self._index))
        for problem in self._corrupt:
            self._found(problem)
        documents = recorded.Documents(self._blobs, self._bad)
        self._changed = False
        for run in self._index.everywhere():
            scope = self._index.folder(run)
            scope.drop_leftovers()
            for finding in list(recorded.wrong(scope, documents)):
                if self._found(finding.problem):
                    self._changed = True
                    self._mend(finding)

    def _mend(self, finding: recorded.Finding) -> None:
        if finding.drop is not None:
            self._drop(finding.drop)
        if finding.write is not None:
            self._write(Path(finding.problem.path).parent, finding.write)

    def _write(self, folder: Path, record: Record) -> None:
        for run in self._index.everywhere():
            scope = self._index.folder(run)
            if scope.path == folder:
                change = scope.change([record], [])
                change.apply()
                change.finish()
                self.repairs.append(f"recorded {record.name or record.image}")

    def index(self) -> None:
        """Check the database, or make it again."""
        if self._rebuild or (self._corrupt and self._repair):
            self._index.make_again()
            self.repairs.append("made the index again")
        elif self._corrupt or any(p.kind == recorded.UNREADABLE for p in self.problems):
            return  # cannot be compared with what cannot be read
        wrong = self._index.survey(
            lambda db: list(rows.wrong(self._home, self._blobs, self._index, db))
        )
        for problem in wrong:
            self._found(problem)
        if wrong and self._repair:
            self._index.make_again()
            self.repairs.append("made the index again")

    def modes(self) -> None:
        """Check who may use the files; what is left over goes."""
        for problem in list(layout.open_to_others(self._home)):
            if self._found(problem) and problem.kind == "bad-mode":
                self.repairs.append(layout.mend_mode(problem))
        if self._repair:
            collect.empty_trash(self._home)
