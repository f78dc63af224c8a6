"""Progress and tables for people at a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

console = Console()
errors = Console(stderr=True)


class TerminalProgress:
    """Progress drawn as a bar on stderr; one bar a stage."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def start(self, what: str, total: int | None) -> None:
        """Begin a stage with a bar of its own; the bar of the stage before is completed."""
        if self._task is not None:
            task = self._bars.tasks[self._task]
            self._bars.update(self._task, completed=task.total or task.completed, total=task.total or task.completed)
        self._task = self._bars.add_task(what, total=total)

    def advance(self, steps: int = 1) -> None:
        """Move the bar of the current stage."""
        if self._task is not None:
            self._bars.advance(self._task, steps)


@contextmanager
def terminal_progress() -> Iterator[TerminalProgress]:
    """Show progress bars on stderr while the block runs; nothing is drawn when stderr is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=errors, disable=not errors.is_terminal) as bars:
        yield TerminalProgress(bars)
