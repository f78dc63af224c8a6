"""The forms of bulk actions, each as what it does to clients."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms

from bellwether.portfolio.activity_drafts import ActivityDraft
from bellwether.portfolio.bulk import LONGEST_SEGMENT, BulkChange
from bellwether.portfolio.choices import ActivityOutcome, ActivityType
from bellwether.portfolio.client_changes import ASSIGN_AE, ASSIGN_CSM, CSM_ROLES, UNSET
from bellwether.staff.models import Role, StaffUser

NOBODY, AS_IS = "nobody", ""


def split_tags(text: str) -> tuple[str, ...]:
    """Return the tags in a text with commas, each once, without empty ones."""
    return tuple(dict.fromkeys(filter(None, (tag.strip() for tag in text.split(",")))))


class TagsForm(forms.Form):
    """Tags to add and to remove, with commas."""

    add = forms.CharField(required=False, label="Add tags", help_text="Separate several with commas.")
    remove = forms.CharField(required=False, label="Remove tags")

    def clean(self) -> dict[str, Any]:
        """Ask for at least one tag."""
        data = super().clean() or {}
        if not split_tags(data.get("add", "")) and not split_tags(data.get("remove", "")):
            raise forms.ValidationError("Name a tag to add or to remove.")
        return data

    def change(self) -> BulkChange:
        """Return what the form asks for."""
        data = self.cleaned_data
        return BulkChange(add_tags=split_tags(data["add"]), remove_tags=split_tags(data["remove"]))


class SegmentForm(forms.Form):
    """The segment; empty takes it away."""

    segment = forms.CharField(
        required=False, max_length=LONGEST_SEGMENT, label="Segment", help_text="Empty takes the segment away."
    )

    def change(self) -> BulkChange:
        """Return what the form asks for."""
        return BulkChange(segment=self.cleaned_data["segment"].strip())


class AssignForm(forms.Form):
    """CSM and account executive, each left as it is unless chosen; only those that the role of `user` may assign."""

    csm = forms.ChoiceField(required=False, label="CSM")
    ae = forms.ChoiceField(required=False, label="Account executive")

    def __init__(self, *args: Any, user: StaffUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, allowed, people in (
            ("csm", user.role in ASSIGN_CSM, _csms(user)),
            ("ae", user.role in ASSIGN_AE, _people([Role.AE])),
        ):
            if not allowed:
                del self.fields[name]
                continue
            options = [(AS_IS, "Leave as it is"), (NOBODY, "Nobody"), *((str(one.pk), one.name) for one in people)]
            self.fields[name].choices = options  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for at least one of the two."""
        data = super().clean() or {}
        if not any(data.get(name) for name in ("csm", "ae")):
            raise forms.ValidationError("Choose whom to assign.")
        return data

    def change(self) -> BulkChange:
        """Return what the form asks for."""
        people: dict[str, Any] = {}
        for name in ("csm", "ae"):
            given = self.cleaned_data.get(name, AS_IS)
            people[f"{name}_id"] = UNSET if given == AS_IS else None if given == NOBODY else UUID(given)
        return BulkChange(**people)


class LogForm(forms.Form):
    """An activity that took place with each of the clients."""

    activity_type = forms.ChoiceField(choices=ActivityType.choices, label="Type", initial=ActivityType.EMAIL)
    subject = forms.CharField(max_length=300, label="Subject")
    outcome = forms.ChoiceField(required=False, choices=[("", "None yet"), *ActivityOutcome.choices], label="Outcome")
    description = forms.CharField(required=False, max_length=20_000, widget=forms.Textarea, label="Notes")
    follow_up_date = forms.DateField(
        required=False, label="Follow up on", widget=forms.DateInput(attrs={"type": "date"})
    )
    follow_up_text = forms.CharField(required=False, max_length=300, label="What to follow up")

    def draft(self, now: datetime) -> ActivityDraft:
        """Return the activity, which took place now."""
        data = self.cleaned_data
        return ActivityDraft(
            activity_type=data["activity_type"],
            subject=data["subject"],
            description=data["description"],
            occurred_at=now,
            outcome=data["outcome"] or None,
            follow_up_required=bool(data["follow_up_date"]),
            follow_up_date=data["follow_up_date"],
            follow_up_text=data["follow_up_text"],
        )


def _people(roles: Sequence[Role]) -> list[StaffUser]:
    return list(StaffUser.objects.filter(is_active=True, role__in=roles))


def _csms(user: StaffUser) -> list[StaffUser]:
    people = _people(sorted(CSM_ROLES))
    if user.role != Role.SENIOR_CSM:
        return people
    return [one for one in people if one.pk == user.pk or (user.team_id and one.team_id == user.team_id)]
