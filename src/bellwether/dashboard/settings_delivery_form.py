"""The form for how somebody wants to be told: media by topic and severity, quiet hours, digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from django import forms

from bellwether.delivery.choices import Medium
from bellwether.delivery.planning import DIGESTS, MEDIA, NEVER, TOPICS, Preferences, QuietHours

LEAST = {
    "LOW": "All",
    "MEDIUM": "Medium and graver",
    "HIGH": "High and critical",
    "CRITICAL": "Critical only",
    NEVER: "None",
}
PLAIN = {"LOW": "All", NEVER: "None"}
WITHOUT_SEVERITY = ("playbook",)
WEEKDAYS = {1: "Monday", 2: "Tuesday", 3: "Wednesday", 4: "Thursday", 5: "Friday", 6: "Saturday", 7: "Sunday"}


@dataclass(frozen=True)
class Cell:
    """One choice of the table: a topic over a medium."""

    name: str
    label: str
    options: Mapping[str, str]
    chosen: str


class QuietForm(forms.Form):
    """Quiet hours and digest as they are typed in. Times are those of the receiver's zone."""

    quiet = forms.BooleanField(label="Keep quiet hours", required=False)
    start = forms.TimeField(label="From", widget=forms.TimeInput(format="%H:%M"))
    end = forms.TimeField(label="To", widget=forms.TimeInput(format="%H:%M"))
    days = forms.TypedMultipleChoiceField(
        label="And all day on",
        choices=list(WEEKDAYS.items()),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    digest = forms.ChoiceField(label="Otherwise messages come", choices=list(DIGESTS.items()))
    critical = forms.BooleanField(label="Critical ones always come at once", required=False)

    def clean(self) -> dict[str, Any]:
        """A week has a day that is not quiet; without quiet hours it does not matter what stands in their fields."""
        given: dict[str, Any] = super().clean() or {}
        if not given.get("quiet"):
            for name in ("start", "end", "days"):
                self.errors.pop(name, None)
        elif len(given.get("days") or ()) == len(WEEKDAYS):
            self.add_error("days", "Leave a day on which messages may come, or choose None above.")
        return given


def start_values(preferences: Preferences) -> dict[str, Any]:
    """Return what QuietForm shows at first."""
    quiet = preferences.quiet
    return {
        "quiet": quiet is not None,
        "start": quiet.start if quiet else time(19),
        "end": quiet.end if quiet else time(8),
        "days": sorted(quiet.days) if quiet else [],
        "digest": preferences.digest,
        "critical": preferences.critical_at_once,
    }


def table(preferences: Preferences) -> list[tuple[str, list[Cell]]]:
    """Return the topics with a choice for each medium."""
    return [
        (label, [_cell(topic, label, medium, preferences.least.get(topic, {})) for medium in MEDIA])
        for topic, label in TOPICS.items()
    ]


def wanted(posted: Mapping[str, Any], form: QuietForm, before: Preferences) -> Preferences:
    """Return the preferences of a form that is valid; a choice that cannot be used stays as it was `before`."""
    least = {topic: {medium: _chosen(posted, topic, medium, before) for medium in MEDIA} for topic in TOPICS}
    given = form.cleaned_data
    hours = QuietHours(given["start"], given["end"], frozenset(given["days"])) if given["quiet"] else None
    return Preferences(least, hours, given["digest"], given["critical"])


def _cell(topic: str, label: str, medium: str, least: Mapping[str, str]) -> Cell:
    chosen = least.get(medium, NEVER)
    options = PLAIN if topic in WITHOUT_SEVERITY else LEAST
    text = f"{label}, {Medium(medium).label.lower()}"
    return Cell(_name(topic, medium), text, options, chosen if chosen in options else "LOW")


def _chosen(posted: Mapping[str, Any], topic: str, medium: str, before: Preferences) -> str:
    options = PLAIN if topic in WITHOUT_SEVERITY else LEAST
    value = posted.get(_name(topic, medium), "")
    return value if value in options else before.least.get(topic, {}).get(medium, NEVER)


def _name(topic: str, medium: str) -> str:
    return f"least-{topic}-{medium}"
