"""Contacts of a client who may be the same person, by e-mail address and by name. Pure."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

TITLES = frozenset({"dr", "prof", "mr", "mrs", "ms", "mx", "sir"})


@dataclass(frozen=True)
class Named:
    """What is compared of a contact."""

    id: UUID
    name: str
    email: str


@dataclass(frozen=True)
class Pair:
    """Two contacts who may be one person; `reason` is "email" or "name"."""

    first: UUID
    second: UUID
    reason: str


def plain_email(address: str) -> str:
    """Return the mailbox that `address` reaches: lower case, without what follows a plus in the name."""
    name, at, domain = address.strip().lower().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}" if at else address.strip().lower()


def plain_name(name: str) -> str:
    """Return `name` for comparing: lower case without accents, titles and punctuation, its words sorted."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in bare).split()
    return " ".join(sorted(word for word in words if word not in TITLES))


def duplicates(people: Sequence[Named]) -> list[Pair]:
    """Return the pairs that share a mailbox, then those that share a name of two words or more; each pair once."""
    found: dict[tuple[UUID, UUID], Pair] = {}
    for reason, key in (("email", _email_key), ("name", _name_key)):
        groups: dict[str, list[UUID]] = {}
        for person in people:
            if word := key(person):
                groups.setdefault(word, []).append(person.id)
        for pair in _pairs(groups.values()):
            found.setdefault(pair, Pair(*pair, reason))
    return list(found.values())


def _email_key(person: Named) -> str:
    return plain_email(person.email)


def _name_key(person: Named) -> str:
    name = plain_name(person.name)
    return name if " " in name else ""


def _pairs(groups: Iterable[list[UUID]]) -> Iterable[tuple[UUID, UUID]]:
    for group in groups:
        yield from combinations(group[:10], 2)
