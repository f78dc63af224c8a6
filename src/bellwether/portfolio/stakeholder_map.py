"""Who matters at a client and how well each is known: lanes by role, coverage of the key roles, warnings. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

ROLES = ("EXECUTIVE_SPONSOR", "CHAMPION", "ADMIN", "USER", "BILLING", "OTHER")
KEY_ROLES = ("EXECUTIVE_SPONSOR", "CHAMPION", "ADMIN")
COVERED_DAYS = 90
QUIET_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class Stakeholder:
    """A contact. `met_on` is the day of the last completed conversation (none internal), `login_on` of the last login.

    `present`: has not left and is active; `known_since` None: always known. Days are days of the workspace.
    """

    id: UUID
    name: str
    role: str
    title: str = ""
    is_primary: bool = False
    present: bool = True
    known_since: date | None = None
    engagement: str = ""
    met_on: date | None = None
    login_on: date | None = None

    def is_there(self, today: date) -> bool:
        """Return whether the contact counts on `today`."""
        return self.present and (self.known_since is None or self.known_since <= today)

    def is_met(self, today: date) -> bool:
        """Return whether a conversation with the contact was completed in the 90 days up to `today`."""
        return self.met_on is not None and 0 <= (today - self.met_on).days < COVERED_DAYS


@dataclass(frozen=True)
class Lane:
    """The contacts of one role who are there, the primary one first."""

    role: str
    people: tuple[Stakeholder, ...]


@dataclass(frozen=True)
class Caution:
    """Something to act on. `key` is no_champion, no_sponsor, single_threaded, nobody or quiet_champion; `who` whom it
    is about."""

    key: str
    who: tuple[Stakeholder, ...] = ()


@dataclass(frozen=True)
class StakeholderMap:
    """The lanes in the order of ROLES, the share of key contacts met in 90 days (stakeholder_coverage_90d of the
    formulas; None without key contacts, or while `recorded` is false), who is not, and what to do about it."""

    lanes: tuple[Lane, ...]
    met: tuple[Stakeholder, ...]
    uncovered: tuple[Stakeholder, ...]
    recorded: bool
    warnings: tuple[Caution, ...] = field(default=())

    @property
    def coverage(self) -> float | None:
        """The share of key contacts met in 90 days, 0-1."""
        keys = len(self.met) + len(self.uncovered)
        return len(self.met) / keys if keys and self.recorded else None


def stakeholder_map(people: Sequence[Stakeholder], *, today: date, recorded: bool = True) -> StakeholderMap:
    """Return the map of `people` on `today`. `recorded`: the workspace has a completed activity, so that no meeting
    means something."""
    there = [person for person in people if person.is_there(today)]
    keys = [person for person in there if person.role in KEY_ROLES]
    lanes = tuple(
        Lane(
            role, tuple(sorted((p for p in there if p.role == role), key=lambda p: (not p.is_primary, p.name.lower())))
        )
        for role in ROLES
    )
    return StakeholderMap(
        lanes=lanes,
        met=tuple(person for person in keys if person.is_met(today)),
        uncovered=tuple(sorted((p for p in keys if not p.is_met(today)), key=_longest_unmet)),
        recorded=recorded,
        warnings=tuple(_warnings(there, today, recorded=recorded)),
    )


def _primary_first(person: Stakeholder) -> tuple[bool, str]:
    return not person.is_primary, person.name.lower()


def _longest_unmet(person: Stakeholder) -> tuple[int, date, str]:
    return KEY_ROLES.index(person.role), person.met_on or date.min, person.name.lower()


def _warnings(there: Sequence[Stakeholder], today: date, *, recorded: bool) -> list[Caution]:
    if not there:
        return [Caution("nobody")]
    found = []
    champions = [person for person in there if person.role == "CHAMPION"]
    if not champions:
        found.append(Caution("no_champion"))
    if not any(person.role == "EXECUTIVE_SPONSOR" for person in there):
        found.append(Caution("no_sponsor"))
    met = [person for person in there if person.is_met(today)]
    if len(there) == 1 or (recorded and len(met) == 1):
        found.append(Caution("single_threaded", tuple(met or there)))
    quiet = tuple(p for p in champions if p.login_on is not None and (today - p.login_on).days >= QUIET_DAYS)
    if champions and len(quiet) == len(champions):
        found.append(Caution("quiet_champion", quiet))
    return found


def successors(leaving: Stakeholder, people: Sequence[Stakeholder], *, today: date) -> list[Stakeholder]:
    """Return who might follow `leaving`, the likeliest first: the same role, then a word of the title in common, then
    engaged, then whoever was seen last in a conversation or in the product."""
    words = _title_words(leaving.title)

    def rank(person: Stakeholder) -> tuple[bool, bool, bool, int, str]:
        seen = max((day for day in (person.met_on, person.login_on) if day), default=date.min)
        return (
            person.role != leaving.role,
            not (words & _title_words(person.title)),
            person.engagement == "INACTIVE",
            -seen.toordinal(),
            person.name.lower(),
        )

    return sorted((p for p in people if p.id != leaving.id and p.is_there(today)), key=rank)


DULL = frozenset({"and", "chief", "director", "for", "head", "manager", "of", "senior", "the", "vice"})


def _title_words(title: str) -> set[str]:
    return {word for word in title.lower().replace(",", " ").split() if len(word) > 2} - DULL
