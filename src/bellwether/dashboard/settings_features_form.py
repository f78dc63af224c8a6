"""The form of a feature: what was typed, turned into a checked draft or into errors by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.choices import ContractTier
from bellwether.usage.catalogue_changes import TIERS
from bellwether.usage.catalogue_data import FeatureDraft, draft_from_data
from bellwether.usage.event_match import EventMatch, match_from_data, match_from_text

PERIODS = (("month", "month (30 days)"), ("quarter", "quarter (91 days)"), ("year", "year (365 days)"))
TARGETS = (
    ("expected", "A number of uses is expected", "Light under a quarter of it, power over three quarters."),
    ("share", "A share of the uses should go well", "The labels below say which; 80 means 80%."),
    ("any", "Any use counts", "Active from the first use on. Services count too."),
)


@dataclass(frozen=True)
class FeatureForm:
    """What the form shows. `errors` by name of the field; `draft` is None until everything is right."""

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    draft: FeatureDraft | None = None
    tiers: Sequence[tuple[str, str]] = tuple(ContractTier.choices)


def form_of(draft: FeatureDraft) -> FeatureForm:
    """Return the form filled with a stored feature."""
    times = 100 if draft.target == "share" else 1
    values = {
        "key": draft.key,
        "name": draft.name,
        "module": draft.module,
        "category": draft.category,
        "description": draft.description,
        "events": "\n".join(str(event) for event in draft.events),
        "target": draft.target,
        "expected": "" if draft.target == "any" else _plain(draft.expected * times),
        "within": ", ".join(draft.within),
        "period": draft.period,
        **{f"expected_{tier}": _plain(number * times) for tier, number in draft.expected_by_tier.items()},
    }
    return FeatureForm(values, draft=draft)


def new_form(event: str = "") -> FeatureForm:
    """Return an empty form, with `event` (as text) as what counts as use."""
    name = event.split(" where ")[0]
    return FeatureForm({"events": event, "name": name, "target": "expected", "expected": "10", "period": "month"})


def read_form(posted: QueryDict, *, key: str = "") -> FeatureForm:
    """Return what was typed with its draft, or with its errors; `key` is that of the feature that is changed.

    Events picked from the list of those seen (`more`) join those typed.
    """
    typed = {name: str(value) for name, value in posted.dict().items()}
    lines = [line.strip() for line in typed.get("events", "").splitlines() if line.strip()]
    lines += [line for line in posted.getlist("more") if line.strip() and line not in lines]
    values = typed | {"events": "\n".join(lines)} | ({"key": key} if key else {})
    errors: dict[str, str] = {}
    target = values.get("target", "")
    data: dict[str, Any] = {
        "key": key or values.get("key", "").strip(),
        "name": values.get("name", ""),
        "module": values.get("module", ""),
        "category": values.get("category", ""),
        "description": values.get("description", ""),
        "events": _events(lines, errors),
        "target": target,
        "within": [label.strip() for label in values.get("within", "").split(",") if label.strip()],
        "period": values.get("period", ""),
    }
    if target != "any":
        data["expected"] = _number(values.get("expected", ""), "expected", target, errors)
        by_tier = {t: _number(values.get(f"expected_{t}", ""), f"expected_{t}", target, errors) for t in TIERS}
        data["expected_by_tier"] = {tier: number for tier, number in by_tier.items() if number is not None}
    draft = None
    try:
        draft = draft_from_data(data, tiers=TIERS)
    except InvalidInputError as error:
        told = {name.replace("expected_by_tier.", "expected_"): text for name, text in error.errors.items()}
        errors = told | errors
    return FeatureForm(values, errors, None if errors else draft)


def _events(lines: Sequence[str], errors: dict[str, str]) -> list[str | dict[str, str]]:
    found: list[EventMatch] = []
    for line in lines:
        try:
            found.append(match_from_data(match_from_text(line).as_data()))
        except ValueError as error:
            errors["events"] = f"{line!r} {error}."
    return [match.as_data() for match in found]


def _number(text: str, name: str, target: str, errors: dict[str, str]) -> float | None:
    typed = text.strip().removesuffix("%").replace(",", "").strip()
    if not typed:
        return None
    try:
        number = float(typed)
    except ValueError:
        errors[name] = f"{text.strip()!r} is no number."
        return None
    return number / 100 if target == "share" else number


def _plain(number: float) -> str:
    return f"{round(number, 6):g}" if number < 1e6 else f"{number:.0f}"
