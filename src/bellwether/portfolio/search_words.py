"""The words of a search: taken from what somebody typed, found in text whatever its accents and case, and marked there.

Both databases split and fold text the same way (portfolio.search_index), so that what is marked is what was found.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WORD = re.compile(r"[^\W_]+")
MOST_WORDS, LONGEST = 8, 40
ACCENTS = re.compile("[\u0300-\u036f]+")


@dataclass(frozen=True)
class Part:
    """A piece of a text; `hit` where it is a word that was looked for."""

    text: str
    hit: bool = False


def folded(text: str) -> str:
    """Return `text` in small letters without accents: "Žižkov É" becomes "zizkov e"."""
    bare = ACCENTS.sub("", unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFC", bare).lower()


def words_of(text: str) -> tuple[str, ...]:
    """Return the different words of what was typed, folded, at most MOST_WORDS; everything else in it is ignored."""
    found = dict.fromkeys(word[:LONGEST] for word in WORD.findall(folded(text[:1000])))
    return tuple(found)[:MOST_WORDS]


def found_in(text: str, words: Sequence[str]) -> bool:
    """Return whether each of `words` is the beginning of a word of `text`."""
    there = WORD.findall(folded(text))
    return all(any(one.startswith(word) for one in there) for word in words)


def marked(text: str, words: Sequence[str]) -> list[Part]:
    """Return `text` in pieces, the words of it that begin with one of `words` as hits."""
    whole = unicodedata.normalize("NFC", text)
    return list(_pieces(whole, tuple(words))) if words else [Part(whole)] if whole else []


def _pieces(text: str, words: tuple[str, ...]) -> Iterator[Part]:
    at = 0
    for match in WORD.finditer(text):
        if folded(match[0]).startswith(words):
            if match.start() > at:
                yield Part(text[at : match.start()])
            yield Part(match[0], True)
            at = match.end()
    if at < len(text):
        yield Part(text[at:])


def extract(text: str, words: Sequence[str], *, at_most: int = 160) -> str:
    """Return at most `at_most` characters of `text` in one line, around the first word that was found in it."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if len(line) <= at_most:
        return line
    starts = tuple(words)
    first = next((m.start() for m in WORD.finditer(line) if starts and folded(m[0]).startswith(starts)), 0)
    begin = 0 if first < at_most * 2 // 3 else line.rfind(" ", 0, first - at_most // 4) + 1
    cut = line[begin : begin + at_most]
    if begin + at_most < len(line):
        cut = cut.rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"
    return ("…" if begin else "") + cut
