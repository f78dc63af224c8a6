"""The form of a contact. E-mail and phone are not in it: an empty field keeps what is stored, a tick takes it away."""

from collections.abc import Mapping
from typing import Any

from django import forms

from bellwether.portfolio.choices import ContactRole, EngagementStatus
from bellwether.portfolio.contact_fields import FIELDS, LENGTHS
from bellwether.portfolio.masking import masked_email, masked_phone
from bellwether.portfolio.models import Contact

MASKED = {"email": masked_email, "phone": masked_phone}
KEEP = "Stored: {}. Leave empty to keep it."


class ContactForm(forms.Form):
    """What staff give of a contact; errors of the rules in portfolio.contact_fields are put on its fields."""

    name = forms.CharField(strip=True)
    title = forms.CharField(required=False, label="Job title")
    role = forms.ChoiceField(choices=ContactRole.choices, initial=ContactRole.OTHER)
    email = forms.CharField(required=False, label="E-mail")
    email_remove = forms.BooleanField(required=False, label="Remove the e-mail address")
    phone = forms.CharField(required=False)
    phone_remove = forms.BooleanField(required=False, label="Remove the phone number")
    is_primary = forms.BooleanField(required=False, label="Primary contact")
    is_billing = forms.BooleanField(required=False, label="Billing contact")
    is_technical = forms.BooleanField(required=False, label="Technical contact")
    user_key = forms.ChoiceField(required=False, label="Platform user")
    engagement_status = forms.ChoiceField(
        required=False, label="Engagement", choices=[("", "Not known"), *EngagementStatus.choices]
    )
    known_since = forms.DateField(required=False, widget=forms.DateInput(format="%Y-%m-%d"))
    salesforce_contact_id = forms.CharField(required=False, label="Salesforce id")
    hubspot_contact_id = forms.CharField(required=False, label="HubSpot id")
    notes = forms.CharField(required=False, widget=forms.Textarea)

    def __init__(self, data: Mapping[str, Any] | None, contact: Contact | None, users: list[tuple[str, str]]) -> None:
        super().__init__(data, initial=_initial(contact) if contact else {})  # type: ignore[arg-type]
        self.contact = contact
        self.fields["user_key"].choices = users  # type: ignore[attr-defined]
        for name, mask in MASKED.items():
            stored = getattr(contact, name) if contact else ""
            if stored:
                self.fields[name].help_text = KEEP.format(mask(stored))
            else:
                del self.fields[f"{name}_remove"]
        for name, most in LENGTHS.items():
            self.fields[name].widget.attrs["maxlength"] = most
        self.fields["email"].widget.attrs["autocomplete"] = "off"

    def values(self) -> dict[str, Any]:
        """Return the fields as portfolio.contacts_changes takes them; for e-mail and phone only what is new."""
        given = {name: self.cleaned_data[name] for name in FIELDS if name in self.cleaned_data}
        for name in MASKED:
            if self.cleaned_data.get(f"{name}_remove") and not given[name]:
                given[name] = ""
            elif self.contact is not None and not given[name]:
                del given[name]
        if self.contact is None and given["known_since"] is None:
            del given["known_since"]
        return given

    def take(self, errors: Mapping[str, str]) -> None:
        """Put the errors of the rules on their fields, others on the form."""
        for name, text in errors.items():
            self.add_error(name if name in self.fields else None, text)


def _initial(contact: Contact) -> dict[str, Any]:
    shown = [name for name in FIELDS if name not in MASKED]
    return {name: getattr(contact, name) for name in [*shown, "user_key"]}
