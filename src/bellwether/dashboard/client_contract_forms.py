"""The forms of the contract tab. Rules are those of portfolio.contracts and portfolio.outcomes."""

from datetime import date
from typing import Any

from django import forms

from bellwether.dashboard.record_forms import (
    MoneyField,
    RecordForm,
    TextField,
    WordsField,
    day_field,
    shown_money,
    shown_yes_no,
    yes_no,
)
from bellwether.portfolio.choices import ContractTier, OutcomeKind, PaymentStatus
from bellwether.portfolio.contracts import Churn, Commercials, Renewal
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.portfolio.outcomes import REASONS, Ending
from bellwether.portfolio.terms import Term

OTHER = "Other"


def _notes() -> TextField:
    return TextField(label="Notes", required=False, widget=forms.Textarea, max_length=10_000)


def _reason(required: bool = False) -> forms.ChoiceField:
    choices = [("", "Not given"), *((word, word) for word in REASONS)]
    return forms.ChoiceField(label="Reason", required=required, choices=choices)


def _other() -> TextField:
    return TextField(
        label="Reason in other words", required=False, max_length=100, help_text="Takes the place of the choice above."
    )


def _said(values: dict[str, Any]) -> str:
    """Return the reason: the own words, else the choice."""
    return str(values["other"] or values["reason"])


def _split(reason: str) -> dict[str, str]:
    return {"reason": reason, "other": ""} if reason in ("", *REASONS) else {"reason": OTHER, "other": reason}


class TermForm(RecordForm):
    """A term."""

    start_date = day_field("First day")
    end_date = day_field("Last day", required=False, help_text="Leave empty for an open-ended contract.")
    annual_recurring_revenue = MoneyField(label="ARR", required=False, help_text="US dollars a year.")
    contract_tier = forms.ChoiceField(label="Tier", choices=ContractTier.choices)
    licensed_user_count = forms.IntegerField(
        label="Seats", required=False, error_messages={"invalid": "Write a whole number."}
    )
    auto_renew = yes_no("Auto-renew")
    licensed_modules = WordsField(label="Modules", required=False, help_text="With commas between them.")
    wide = ("licensed_modules", "allow_overlap")

    def __init__(self, *args: Any, overlaps: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if overlaps:
            self.fields["allow_overlap"] = forms.BooleanField(label="Save although terms overlap", required=False)

    @staticmethod
    def shown(term: Term) -> dict[str, Any]:
        """Return what the form shows for a term."""
        return {
            "start_date": term.start_date,
            "end_date": term.end_date,
            "annual_recurring_revenue": shown_money(term.annual_recurring_revenue),
            "contract_tier": term.contract_tier,
            "licensed_user_count": term.licensed_user_count,
            "auto_renew": shown_yes_no(term.auto_renew),
            "licensed_modules": ", ".join(str(name) for name in term.licensed_modules),
        }

    @staticmethod
    def term(values: dict[str, Any]) -> Term:
        """Return the term that was typed."""
        names = ("start_date", "end_date", "annual_recurring_revenue", "contract_tier", "licensed_user_count",
                 "auto_renew", "licensed_modules")  # fmt: skip
        return Term(**{name: values[name] for name in names})


class RenewForm(TermForm):
    """A renewal: the new term and how the old one ended."""

    decided_on = day_field("Decided on")
    reason = _reason()
    notes = _notes()
    field_order = ("start_date", "end_date", "annual_recurring_revenue", "licensed_user_count", "contract_tier",
                   "auto_renew", "licensed_modules", "decided_on", "reason", "notes")  # fmt: skip
    wide = ("licensed_modules", "notes")

    @staticmethod
    def renewal(values: dict[str, Any]) -> Renewal:
        """Return the renewal that was typed."""
        return Renewal(
            term=TermForm.term(values), decided_on=values["decided_on"], reason=values["reason"], notes=values["notes"]
        )


class ChurnForm(RecordForm):
    """That a client leaves."""

    date = day_field("Last day")
    reason = _reason(required=True)
    other = _other()
    notes = _notes()
    archive = forms.BooleanField(
        label="Archive the client",
        required=False,
        help_text="Takes it off the lists. Its history is kept, and it can be restored.",
    )
    wide = ("other", "notes", "archive")

    @staticmethod
    def churn(values: dict[str, Any]) -> Churn:
        """Return what was typed."""
        return Churn(date=values["date"], reason=_said(values), notes=values["notes"], archive=values["archive"])


class OutcomeForm(RecordForm):
    """How a term ended."""

    outcome = forms.ChoiceField(label="Outcome", choices=OutcomeKind.choices)
    date = day_field("Date")
    arr_before = MoneyField(label="ARR before", required=False)
    arr_after = MoneyField(label="ARR after", required=False)
    reason = _reason()
    other = _other()
    notes = _notes()
    wide = ("notes",)

    @staticmethod
    def shown(one: ClientOutcome) -> dict[str, Any]:
        """Return what the form shows for an outcome."""
        return {
            "outcome": one.outcome,
            "date": one.date,
            "arr_before": shown_money(one.arr_before),
            "arr_after": shown_money(one.arr_after),
            "notes": one.notes,
            **_split(one.reason),
        }

    @staticmethod
    def ending(values: dict[str, Any]) -> Ending:
        """Return the outcome that was typed."""
        names = ("outcome", "date", "arr_before", "arr_after", "notes")
        return Ending(reason=_said(values), **{name: values[name] for name in names})


class FactsForm(RecordForm):
    """What the client's record says beside the terms."""

    payment_status = forms.ChoiceField(
        label="Payment", required=False, choices=[("", "Not known"), *PaymentStatus.choices]
    )
    renewal_probability = forms.IntegerField(
        label="Renewal probability in %",
        required=False,
        min_value=0,
        max_value=100,
        error_messages={"invalid": "Write a whole number from 0 to 100."},
        help_text="A sync with the CRM may write over it.",
    )
    go_live_date = day_field("Go-live", required=False, help_text="The first day of productive use.")
    licensed_modules = WordsField(label="Modules", required=False, help_text="With commas between them.")
    wide = ("licensed_modules",)

    @staticmethod
    def shown(client: Client) -> dict[str, Any]:
        """Return what the form shows for a client."""
        return {
            "payment_status": client.payment_status or "",
            "renewal_probability": client.renewal_probability,
            "go_live_date": client.go_live_date,
            "licensed_modules": ", ".join(str(name) for name in client.licensed_modules or []),
        }

    @staticmethod
    def commercials(values: dict[str, Any]) -> Commercials:
        """Return what was typed."""
        return Commercials(**values)


def today_or(day: date | None, today: date) -> date:
    """Return the earlier of `day` and `today`."""
    return today if day is None or day > today else day
