"""A feature of the catalogue as data: read from TOML, JSON or a form, checked field by field, written again. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from bellwether.common.errors import InvalidInputError
from bellwether.usage.event_match import EventMatch, match_from_data

KEY = re.compile(r"^[a-z0-9][a-z0-9_-]{0,79}$")
PERIODS = ("month", "quarter", "year")
TARGETS = ("expected", "share", "any")
LENGTHS = {"name": 120, "module": 120, "category": 120, "description": 300}
MOST_EVENTS, MOST_EXPECTED = 50, 1_000_000_000
KNOWN = {
    "key", "name", "module", "category", "description", "events", "target", "expected", "expected_by_tier",
    "target_share", "within", "any_use", "period",
}  # fmt: skip


@dataclass(frozen=True)
class FeatureDraft:
    """A feature as it is to be stored; `expected` is uses a period, or a share 0-1, and 1 where any use counts."""

    key: str
    name: str
    module: str = ""
    category: str = ""
    description: str = ""
    events: tuple[EventMatch, ...] = ()
    target: str = "expected"
    expected: float = 1.0
    expected_by_tier: Mapping[str, float] = field(default_factory=dict)
    within: tuple[str, ...] = ()
    period: str = "month"

    def as_data(self) -> dict[str, Any]:
        """Return the feature as a preset writes it."""
        data: dict[str, Any] = {"key": self.key, "name": self.name, "module": self.module, "category": self.category}
        if self.description:
            data["description"] = self.description
        data |= {"events": [event.as_data() for event in self.events], "period": self.period}
        if self.target == "any":
            return data | {"any_use": True}
        by_tier = {"expected_by_tier": dict(self.expected_by_tier)} if self.expected_by_tier else {}
        if self.target == "share":
            return data | {"target_share": self.expected, "within": list(self.within)} | by_tier
        return data | {"expected": self.expected} | by_tier


def key_of(name: str) -> str:
    """Return a key for a name: "Case creation" becomes case_creation; empty if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:80].strip("_")


def draft_from_data(data: object, *, tiers: Sequence[str]) -> FeatureDraft:
    """Return the feature that `data` says, as presets write it (or with `target` and `expected` as the API does).

    `tiers` are the words that expected_by_tier may use. Raises InvalidInputError with a sentence for each wrong field.
    """
    if not isinstance(data, Mapping):
        raise InvalidInputError("A feature needs to be a table.", {"feature": "needs to be a table."})
    problems: dict[str, str] = {}
    unknown = sorted(str(name) for name in set(data) - KNOWN)
    for name in unknown:
        problems[name] = "is no field of a feature."
    texts = {name: _text(data, name, limit, problems) for name, limit in LENGTHS.items()}
    key = str(data.get("key") or key_of(texts["name"]))
    if not texts["name"]:
        problems.setdefault("name", "is needed.")
    if not KEY.match(key) and (data.get("key") or "name" not in problems):
        problems["key"] = f"is {key!r}; use lower-case letters, digits, _ and -, at most 80, not beginning with _ or -."
    target = _target(data, problems)
    expected = _expected(data, target, problems)
    draft = FeatureDraft(
        key=key,
        **texts,
        events=_events(data.get("events"), problems),
        target=target,
        expected=expected,
        expected_by_tier=_by_tier(data.get("expected_by_tier"), target, tiers, problems),
        within=_within(data.get("within"), target, problems),
        period=_one_of("period", data.get("period", "month"), PERIODS, problems),
    )
    if problems:
        said = "; ".join(f"{name} {sentence}" for name, sentence in problems.items())
        raise InvalidInputError(f"The feature {key or texts['name']!r} cannot be used: {said}", problems)
    return draft


def _text(data: Mapping[str, Any], name: str, limit: int, problems: dict[str, str]) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        problems[name] = "needs to be text."
        return ""
    text = " ".join(value.split())
    if len(text) > limit:
        problems[name] = f"has {len(text)} characters; at most {limit} fit."
    return text


def _target(data: Mapping[str, Any], problems: dict[str, str]) -> str:
    if "target" in data:
        return _one_of("target", data["target"], TARGETS, problems)
    return "share" if "target_share" in data else "any" if data.get("any_use") is True else "expected"


def _expected(data: Mapping[str, Any], target: str, problems: dict[str, str]) -> float:
    if target == "any":
        return 1.0
    name = "target_share" if "target_share" in data else "expected"
    value = _number(data.get(name))
    if value is None:
        problems[name] = "is needed, as a number over 0."
        return 1.0
    if sentence := _outside(value, target):
        problems[name] = sentence
    return value


def _outside(value: float, target: str) -> str:
    if target == "share" and not 0 < value <= 1:
        return "needs to be a share over 0 and up to 1, such as 0.8."
    return "" if 0 < value <= MOST_EXPECTED else f"needs to be over 0 and at most {MOST_EXPECTED:,}."


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def _by_tier(value: object, target: str, tiers: Sequence[str], problems: dict[str, str]) -> dict[str, float]:
    if not value or target == "any":
        return {}
    if not isinstance(value, Mapping):
        problems["expected_by_tier"] = "needs a number for each tier."
        return {}
    found = {}
    for tier, expected in value.items():
        number = _number(expected)
        sentence = "needs a number over 0." if number is None else _outside(number, target)
        if tier not in tiers:
            sentence = f"is no tier; there are {', '.join(tiers)}."
        if sentence or number is None:
            problems[f"expected_by_tier.{tier}"] = sentence
        else:
            found[str(tier)] = number
    return found


def _within(value: object, target: str, problems: dict[str, str]) -> tuple[str, ...]:
    if target != "share":
        return ()
    labels = value if isinstance(value, list | tuple) else []
    if not labels or not all(isinstance(label, str) and label.strip() for label in labels):
        problems["within"] = "is needed for a share: the labels of events that count as going well."
        return ()
    return tuple(dict.fromkeys(label.strip() for label in labels))


def _events(value: object, problems: dict[str, str]) -> tuple[EventMatch, ...]:
    if not isinstance(value, list | tuple) or not value:
        problems["events"] = "is needed: at least one event that counts as use."
        return ()
    if len(value) > MOST_EVENTS:
        problems["events"] = f"has {len(value)}; at most {MOST_EVENTS} fit."
        return ()
    found = []
    for number, event in enumerate(value, start=1):
        try:
            found.append(match_from_data(event))
        except ValueError as error:
            problems["events"] = f"number {number} {error}."
    return tuple(dict.fromkeys(found))


def _one_of(name: str, value: object, words: Sequence[str], problems: dict[str, str]) -> str:
    if value not in words:
        problems[name] = f"is {value!r}; it needs one of {', '.join(words)}."
        return words[0]
    return str(value)
