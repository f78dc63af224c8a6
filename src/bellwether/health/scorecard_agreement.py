"""Where several scorecards of one client disagree, in a sentence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

AGREE_WITHIN = 5


@dataclass(frozen=True)
class Verdict:
    """What a scorecard says of a client. `parts`: label and value 0-100 of the components that have one."""

    title: str
    score: int | None
    word: str
    parts: tuple[tuple[str, int], ...] = ()


def disagreement(verdicts: Sequence[Verdict]) -> str:
    """Return where the two that differ most disagree, and what holds the lower and carries the higher one.

    Empty for fewer than two scorecards.
    """
    if len(verdicts) < 2:
        return ""
    scored = [one for one in verdicts if one.score is not None]
    if not scored:
        return "None of the scorecards has a score."
    if len(scored) == 1:
        return f"Only {scored[0].title} has a score, so there is nothing to compare."
    low, high = max(
        (sorted(pair, key=lambda one: one.score or 0) for pair in combinations(scored, 2)),
        key=lambda pair: (pair[1].score or 0) - (pair[0].score or 0),
    )
    apart = (high.score or 0) - (low.score or 0)
    if apart < AGREE_WITHIN:
        names = "Both" if len(scored) == 2 else f"All {len(scored)}"
        agreed = "the same score" if apart == 0 else f"scores within {apart} point{'' if apart == 1 else 's'}"
        return f"{names} agree: {agreed}."
    text = f"{high.title} says {_said(high)}, {low.title} says {_said(low)}: {apart} points apart."
    weakest = min(low.parts, key=lambda part: part[1], default=None)
    strongest = max(high.parts, key=lambda part: part[1], default=None)
    if weakest and strongest and weakest[1] < strongest[1]:
        text += (
            f" {low.title} is held down by {weakest[0]} ({weakest[1]}),"
            f" {high.title} is carried by {strongest[0]} ({strongest[1]})."
        )
    return text


def _said(verdict: Verdict) -> str:
    return f"{verdict.score} ({verdict.word})" if verdict.word else str(verdict.score)
