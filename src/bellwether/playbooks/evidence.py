"""What may be said of a playbook: that it works, harms, or that it is too early to tell. Pure.

Figures that are looked at again and again cross a line by chance sooner or later. So the words are decided at fixed
looks, when the smaller arm has 20, 40, 80, 160 ... known outcomes in the order of enrolment, and they ask for the
99.5 % interval, not the 95 % one that is shown: over all looks up to 1,280 a playbook without effect is then said to
work or to harm in less than 5 % of cases (docs/adr/0043, docs/reference/uplift.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bellwether.playbooks.uplift import SHOWN_CONFIDENCE, Estimate, difference

FEWEST = 20
"""Known outcomes that each arm needs before a difference is shown."""
WORD_CONFIDENCE = 0.995
Word = Literal["works", "unclear", "harmful", "too_early", "not_started"]
LABELS: dict[Word, str] = {
    "works": "Works",
    "unclear": "Unclear",
    "harmful": "Does harm",
    "too_early": "Too early to tell",
    "not_started": "Not started",
}


@dataclass(frozen=True)
class Evidence:
    """What is known of a playbook's effect. `shown` is the difference of all known outcomes with its 95 % interval,
    `decided` that at the last look with its 99.5 % interval, which decides the `word`; None before the first look.

    `look` is the size of the smaller arm at the last look (0: none yet), `next_look` that at the next one. `reason` is
    for people.
    """

    word: Word
    reason: str
    shown: Estimate | None
    decided: Estimate | None
    look: int
    next_look: int

    @property
    def label(self) -> str:
        """The word for people."""
        return LABELS[self.word]


def evidence(values: Sequence[float] | np.ndarray, held_out: Sequence[bool] | np.ndarray, *, binary: bool) -> Evidence:
    """Return what `values` (known outcomes in the order of enrolment) say; `held_out` tells the arm of each.

    Outcomes are 0 or 1 if `binary`, else differences; more is better. The order must not depend on the outcomes.
    """
    outcomes, held = np.asarray(values, float), np.asarray(held_out, bool)
    smaller = np.minimum(np.cumsum(held), np.cumsum(~held))
    reached = int(smaller[-1]) if smaller.size else 0
    look = last_look(reached)
    following = 2 * look if look else FEWEST
    if not look:
        return Evidence("too_early", _too_few(held), None, None, 0, following)
    shown = _difference(outcomes, held, binary, SHOWN_CONFIDENCE)
    upto = int(np.searchsorted(smaller, look)) + 1
    decided = _difference(outcomes[:upto], held[:upto], binary, WORD_CONFIDENCE)
    word: Word = "works" if decided.above else "harmful" if decided.below else "unclear"
    return Evidence(word, _reason(word, shown, look, following), shown, decided, look, following)


def last_look(reached: int) -> int:
    """Return the greatest of 20, 40, 80 ... that is at most `reached`, 0 if there is none."""
    look = FEWEST
    while 2 * look <= reached:
        look *= 2
    return look if reached >= look else 0


def _difference(outcomes: np.ndarray, held: np.ndarray, binary: bool, confidence: float) -> Estimate:
    return difference(outcomes[~held], outcomes[held], binary=binary, confidence=confidence)


def _too_few(held: np.ndarray) -> str:
    treated, other = int((~held).sum()), int(held.sum())
    if other <= treated:
        return f"{other} held out with a known outcome, {FEWEST} are needed"
    return f"{treated} treated with a known outcome, {FEWEST} are needed"


def _reason(word: Word, shown: Estimate, look: int, following: int) -> str:
    if word == "works":
        return f"The 99.5% interval lay above zero when each arm had {look}"
    if word == "harmful":
        return f"The 99.5% interval lay below zero when each arm had {look}"
    if shown.above or shown.below:
        side = "above" if shown.above else "below"
        return (
            f"The 95% interval lies {side} zero, but figures that are looked at again and again need more: "
            f"decided when each arm has {following}"
        )
    return f"The interval holds zero; decided again when each arm has {following}"
