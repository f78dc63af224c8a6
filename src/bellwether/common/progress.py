"""Progress of long work, reported the same way to a terminal, a job row or nobody."""

from typing import Protocol


class Progress(Protocol):
    """Receives progress; implementations must be cheap to call often."""

    def start(self, what: str, total: int | None) -> None:
        """Begin a stage named `what` (such as "Scoring 250 clients") of `total` steps, None if unknown."""

    def advance(self, steps: int = 1) -> None:
        """Say that `steps` more steps of the current stage are done."""


class NoProgress:
    """Progress that nobody watches."""

    def start(self, what: str, total: int | None) -> None:
        """Ignore the stage."""

    def advance(self, steps: int = 1) -> None:
        """Ignore the steps."""
