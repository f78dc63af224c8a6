"""What came of an attempt, whatever the medium. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from bellwether.webhooks.sending import Answer


class Outcome(StrEnum):
    """SENT: the receiver took it. AGAIN: worth trying again. FAILED: this message never will go. DEAD: nothing goes to
    this channel any more until somebody mends it."""

    SENT = "SENT"
    AGAIN = "AGAIN"
    FAILED = "FAILED"
    DEAD = "DEAD"


@dataclass(frozen=True)
class Result:
    """An attempt's end. `status` is the one of HTTP or SMTP, `retry_after` seconds that the receiver asks for,
    `remote_id` how it names the message, `answer` its first words; `error` is a sentence for people."""

    outcome: Outcome
    status: int | None = None
    error: str = ""
    retry_after: float | None = None
    remote_id: str = ""
    answer: str = ""


def from_answer(answer: Answer, outcome: Outcome, error: str = "", remote_id: str = "") -> Result:
    """Return the result of an HTTP attempt, with the answer's own words as the error where none is given."""
    said = "" if outcome == Outcome.SENT else (error or answer.error)
    return Result(outcome, answer.status, said[:300], answer.retry_after, remote_id[:200], answer.text[:300])
