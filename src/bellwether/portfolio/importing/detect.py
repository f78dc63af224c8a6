"""Which kind of records a file holds, from the names of its columns and of itself. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bellwether.portfolio.importing.columns import Field, folded_column

ENOUGH = 1.2
MOSTLY_KNOWN = 2 / 3
FILE_NAME_COUNTS = 1.5
MISSING_COUNTS = 0.75
NAMED = 4
IDS = frozenset({"organization_id", "external_id", "message_id", "is_deleted"})
"""Fields that alone make no record: a file with nothing else joins other files."""
FILE_WORDS: dict[str, tuple[str, ...]] = {
    "clients": ("account", "compan", "client", "customer", "organi"),
    "contacts": ("contact", "people", "person", "stakeholder"),
    "tickets": ("ticket", "case", "support", "issue"),
    "surveys": ("survey", "nps", "csat", "answer", "satisfaction"),
    "contracts": ("subscription", "contract", "order", "term"),
    "outcomes": ("churn", "outcome", "cancel", "opportunit", "renewal"),
    "activities": ("activit", "engagement", "task", "call", "meeting", "touch"),
    "features": ("entitlement", "licen", "module"),
    "events": ("usage", "event", "track", "log"),
}
ORDER = ("clients", "contracts", "contacts", "features", "outcomes", "tickets", "surveys", "activities", "events")
"""By dependence: records of a kind name those of kinds before it."""


@dataclass(frozen=True)
class Guess:
    """A kind that a file may hold. `confidence` is 0-1 against the other kinds; `reason` says what speaks for it."""

    kind: str
    score: float
    confidence: float
    reason: str


def detect_kind(columns: Sequence[str], file_name: str, kinds: Mapping[str, Sequence[Field]]) -> list[Guess]:
    """Return the kinds that a file may hold, the likeliest first; empty where its columns say nothing.

    A column counts the more, the fewer kinds know its name; a required field that no column fills counts against.
    """
    folded = {folded_column(column): column for column in reversed(columns)}
    known = {kind: _names(fields) for kind, fields in kinds.items()}
    scores: dict[str, tuple[float, list[str]]] = {}
    lacking = {kind: _missing(fields, folded) for kind, fields in kinds.items()}
    for kind, fields in kinds.items():
        score, found = _score(fields, folded, known)
        if score and any(word in file_name.lower() for word in FILE_WORDS.get(kind, ())):
            score += FILE_NAME_COUNTS
        known_share = len(found) / max(len(columns), 1)
        complete = known_share >= MOSTLY_KNOWN and not lacking[kind]
        scores[kind] = (max(score, ENOUGH) if score > 0 and complete else score, found)
    ranked = sorted(scores.items(), key=lambda item: -item[1][0])
    likely = {kind: (max(score, 0.0) * (0.5 if lacking[kind] else 1.0)) ** 2 for kind, (score, _) in ranked}
    whole = sum(likely.values()) or 1.0
    return [
        Guess(kind, score, likely[kind] / whole, _reason(kind, found, file_name))
        for kind, (score, found) in ranked
        if score >= ENOUGH
    ]


def _missing(fields: Sequence[Field], folded: Mapping[str, str]) -> bool:
    """Return whether a field that every record needs has no column."""
    return any(f.required and not {folded_column(f.name), *f.aliases} & folded.keys() for f in fields)


def _names(fields: Sequence[Field]) -> frozenset[str]:
    return frozenset(name for f in fields for name in (folded_column(f.name), *f.aliases))


def _score(
    fields: Sequence[Field], folded: Mapping[str, str], known: Mapping[str, frozenset[str]]
) -> tuple[float, list[str]]:
    score, found, used, telling = 0.0, [], set(), False
    for f in fields:
        names = [n for n in (folded_column(f.name), *f.aliases) if n in folded and n not in used]
        if not names:
            score -= MISSING_COUNTS if f.required else 0.0
            continue
        best = min(names, key=lambda n: sum(n in names_of for names_of in known.values()))
        used.add(best)
        telling = telling or f.name not in IDS
        weight = 1.0 / sum(best in names_of for names_of in known.values())
        score += weight
        found.append((weight, folded[best]))
    return score if telling else 0.0, [column for _, column in sorted(found, key=lambda item: -item[0])]


def _reason(kind: str, found: Sequence[str], file_name: str) -> str:
    if not found:
        return f"the file is called {file_name}"
    return ", ".join(found[:NAMED])
