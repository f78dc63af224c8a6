"""What changed between two texts, word by word, as parts that a page marks. Pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

KEPT_AROUND = 60
MOST_WORDS = 4_000
WORDS = re.compile(r"\s+|[^\s]+")


@dataclass(frozen=True)
class Part:
    """A piece of text: `kind` is same, added, removed, or left out (same text that is not shown, `text` is "…")."""

    kind: str
    text: str


def differences(before: str, after: str) -> list[Part]:
    """Return the parts that lead from `before` to `after`, in reading order, whitespace kept.

    Long stretches without a change are cut to KEPT_AROUND characters beside each change. Texts of more than MOST_WORDS
    words are shown as removed and added whole, because comparing them takes too long.
    """
    old, new = WORDS.findall(before), WORDS.findall(after)
    if len(old) + len(new) > MOST_WORDS:
        return [Part("removed", before), Part("added", after)]
    parts: list[Part] = []
    for kind, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(Part("same", "".join(old[first:last])))
            continue
        if last > first:
            parts.append(Part("removed", "".join(old[first:last])))
        if end > start:
            parts.append(Part("added", "".join(new[start:end])))
    return _cut(parts)


def _cut(parts: list[Part]) -> list[Part]:
    found: list[Part] = []
    last = len(parts) - 1
    for place, part in enumerate(parts):
        if part.kind != "same" or len(part.text) <= 2 * KEPT_AROUND:
            found.append(part)
            continue
        head = part.text[:KEPT_AROUND].rsplit(" ", 1)[0] if place else ""
        tail = part.text[-KEPT_AROUND:].split(" ", 1)[-1] if place < last else ""
        found += [Part("same", head), Part("left out", "…"), Part("same", tail)]
    return [part for part in found if part.text]
