"""Three measures to begin with, made of what this workspace's clients do. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

LEAST_CLIENTS = 2


@dataclass(frozen=True)
class Example:
    """A measure that one click fills in: its name, why one would want it, and the fields of the form."""

    name: str
    why: str
    fields: tuple[tuple[str, str], ...]

    @property
    def query(self) -> str:
        """The fields as the query of an address."""
        return "?" + urlencode(self.fields)


def examples(seen: Sequence[tuple[str, int]], *, preferred: Collection[str]) -> list[Example]:
    """Return up to three examples. `seen`: events with the number of clients that have them, the most frequent first.

    Events in `preferred` (those that the catalogue of features counts) come before others.
    """
    common = [event for event, clients in seen if clients >= LEAST_CLIENTS] or [event for event, _ in seen]
    order = [event for event in common if event in preferred] + [event for event in common if event not in preferred]
    if not order:
        return []
    first, second, third = (order[min(place, len(order) - 1)] for place in range(3))
    return [
        Example(
            f"{first} for each seat",
            "Shows who makes use of what they pay for, whatever their size.",
            _fields(f"{first} for each seat", kind="ratio", events=first, per="seats"),
        ),
        Example(
            f"People with {second}",
            "How many different people did it in a month: one enthusiast is not adoption.",
            _fields(f"People with {second}", kind="users", events=second),
        ),
        Example(
            f"Days since {third}",
            "A habit that stops is an early warning.",
            _fields(f"Days since {third}", kind="days_since", events=third),
        ),
    ]


def _fields(name: str, **fields: str) -> tuple[tuple[str, str], ...]:
    return (("name", name), *fields.items())
