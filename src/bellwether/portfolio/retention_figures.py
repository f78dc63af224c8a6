"""How contracts ended, added up: what was kept quarter by quarter, and why clients left. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bellwether.portfolio.reason_codes import code_of, is_unsaid, label_of

QUARTERS = 8
NOT_GIVEN = "Not given"


@dataclass(frozen=True)
class End:
    """How one term ended; money is US dollars a year, None where it is not known."""

    outcome: str
    day: date
    reason: str = ""
    arr_before: Decimal | None = None
    arr_after: Decimal | None = None
    reason_code: str = ""

    @property
    def kept(self) -> Decimal | None:
        """ARR afterwards, nothing for a client that left; None where it is not known."""
        return Decimal(0) if self.outcome == "CHURNED" else self.arr_after


@dataclass(frozen=True)
class Quarter:
    """The terms that ended in a quarter. Shares are 0-1 (net retention may be more), None where nothing is known.

    `clients_kept`: of the terms that ended, those that went on. `gross`: of the ARR that ended, what went on without
    counting increases; `net` counts them; `lost` is the ARR that did not go on. They rest on ends whose ARR is known
    before and after, `with_arr` of them.
    """

    label: str
    renewed: int
    downgraded: int
    churned: int
    arr_before: Decimal
    arr_after: Decimal
    lost: Decimal
    with_arr: int
    clients_kept: float | None
    gross: float | None
    net: float | None

    @property
    def ended(self) -> int:
        """All terms that ended."""
        return self.renewed + self.downgraded + self.churned


@dataclass(frozen=True)
class Reason:
    """Why ARR was lost: clients that left and that took less, and the ARR lost with them.

    `code` is the reason's code, "" for words without one; `words` are the free words that add to the code, the most
    frequent first, each once.
    """

    text: str
    churned: int
    downgraded: int
    lost: Decimal
    code: str = ""
    words: tuple[str, ...] = ()


def quarter_of(day: date) -> tuple[int, int]:
    """Return (year, quarter)."""
    return day.year, (day.month - 1) // 3 + 1


def quarters(ends: Sequence[End], *, today: date, count: int = QUARTERS) -> list[Quarter]:
    """Return the last `count` quarters, the present one so far included, newest first."""
    found = []
    year, quarter = quarter_of(today)
    for _ in range(count):
        inside = [one for one in ends if quarter_of(one.day) == (year, quarter) and one.day <= today]
        found.append(total(inside, f"Q{quarter} {year}"))
        year, quarter = (year, quarter - 1) if quarter > 1 else (year - 1, 4)
    return found


def total(ends: Sequence[End], label: str) -> Quarter:
    """Return what `ends` add up to under a label."""
    numbers = {kind: sum(one.outcome == kind for one in ends) for kind in ("RENEWED", "DOWNGRADED", "CHURNED")}
    known = [(one.arr_before, one.kept) for one in ends if one.arr_before is not None and one.kept is not None]
    before = sum((was for was, _ in known), Decimal(0))
    after = sum((now for _, now in known), Decimal(0))
    least = sum((min(was, now) for was, now in known), Decimal(0))
    return Quarter(
        label=label,
        renewed=numbers["RENEWED"],
        downgraded=numbers["DOWNGRADED"],
        churned=numbers["CHURNED"],
        arr_before=before,
        arr_after=after,
        lost=before - least,
        with_arr=len(known),
        clients_kept=(len(ends) - numbers["CHURNED"]) / len(ends) if ends else None,
        gross=float(least / before) if before else None,
        net=float(after / before) if before else None,
    )


def reasons(ends: Iterable[End]) -> list[Reason]:
    """Return why ARR was lost, most of it first, then the most frequent.

    Ends with a code are counted under it, others under their words; capitals, spaces and punctuation make no
    difference, and words that say nothing ("unknown") are NOT_GIVEN.
    """
    found: dict[tuple[str, str], list[End]] = {}
    for one in ends:
        if one.outcome != "RENEWED":
            words = "" if one.reason_code or is_unsaid(one.reason) else " ".join(one.reason.split()).casefold()
            found.setdefault((one.reason_code, words), []).append(one)
    listed = [_reason(code, bool(words), group) for (code, words), group in found.items()]
    return sorted(listed, key=lambda one: (-one.lost, -(one.churned + one.downgraded), one.text))


def _reason(code: str, in_words: bool, group: Sequence[End]) -> Reason:
    lost = sum(
        (max(Decimal(0), one.arr_before - one.kept) for one in group if one.arr_before and one.kept is not None),
        Decimal(0),
    )
    churned = sum(one.outcome == "CHURNED" for one in group)
    text = " ".join(group[-1].reason.split()) if in_words else label_of(code) or NOT_GIVEN
    return Reason(
        text=text[:1].upper() + text[1:],
        churned=churned,
        downgraded=len(group) - churned,
        lost=lost,
        code=code,
        words=_words(code, group) if code else (),
    )


def _words(code: str, group: Iterable[End]) -> tuple[str, ...]:
    said = [" ".join(one.reason.split()) for one in group if not is_unsaid(one.reason) and code_of(one.reason) != code]
    folded = Counter(words.casefold() for words in said)
    shown = {words.casefold(): words for words in said}
    return tuple(shown[key] for key, _ in folded.most_common())
