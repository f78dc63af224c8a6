"""The forms of the contract tab. Rules are those of portfolio.contracts and portfolio.outcomes."""

from collections.abc import Sequence
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
from bellwether.portfolio.choices import ContractTier, OutcomeKind, OutcomeReason, PaymentStatus
from bellwether.portfolio.contracts import Churn, Commercials, Renewal
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.portfolio.outcomes import LONGEST_REASON, Ending
from bellwether.portfolio.reason_codes import LOST, coded
from bellwether.portfolio.terms import Term, is_downgrade

CHOOSE = "Choose why. Where nothing fits, choose Other and say it in words."
SAY = "Say in a few words what it was."


def _notes() -> TextField:
    return TextField(label="Notes", required=False, widget=forms.Textarea, max_length=10_000)


def _code() -> forms.ChoiceField:
    return forms.ChoiceField(label="Reason", required=False, choices=[("", "Not given"), *OutcomeReason.choices])


def _words() -> TextField:
    return TextField(
        label="In other words", required=False, max_length=LONGEST_REASON, help_text="What the choice leaves unsaid."
    )


def _need_reason(form: forms.Form, *, kept: str = "") -> None:
    """Ask for the reason of a term that was lost or made smaller: for its code, and for words with Other. Words that
    were recorded before codes were (`kept`) are enough while they stand."""
    values = form.cleaned_data
    code, words = values.get("reason_code", ""), values.get("reason", "")
    if not code and not (words and words == kept):
        form.add_error("reason_code", CHOOSE)
    elif code == OutcomeReason.OTHER and not words and not values.get("notes"):
        form.add_error("reason", SAY)


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
    wide: Sequence[str] = ("licensed_modules", "allow_overlap")

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
    reason_code = _code()
    reason = _words()
    notes = _notes()
    field_order = ("start_date", "end_date", "annual_recurring_revenue", "licensed_user_count", "contract_tier",
                   "auto_renew", "licensed_modules", "decided_on", "reason_code", "reason", "notes")  # fmt: skip
    wide = ("licensed_modules", "reason", "notes")

    def __init__(self, *args: Any, before: Term | None = None, **options: Any) -> None:
        """`before` is the present term: less than it needs a reason."""
        super().__init__(*args, **options)
        self.before = before
        self.fields["reason_code"].help_text = "Needed where the client takes less."

    def clean(self) -> dict[str, Any]:
        """Return the values; a downgrade without a reason is refused."""
        values = super().clean() or self.cleaned_data
        if self.before is not None and not self.errors and is_downgrade(self.before, self.term(values)):
            _need_reason(self)
        return self.cleaned_data

    @staticmethod
    def renewal(values: dict[str, Any]) -> Renewal:
        """Return the renewal that was typed."""
        return Renewal(
            term=TermForm.term(values),
            decided_on=values["decided_on"],
            reason_code=values["reason_code"],
            reason=values["reason"],
            notes=values["notes"],
        )


class ChurnForm(RecordForm):
    """That a client leaves."""

    date = day_field("Last day")
    reason_code = _code()
    reason = _words()
    notes = _notes()
    archive = forms.BooleanField(
        label="Archive the client",
        required=False,
        help_text="Takes it off the lists. Its history is kept, and it can be restored.",
    )
    wide = ("notes", "archive")

    def clean(self) -> dict[str, Any]:
        """Return the values; leaving without a reason is refused."""
        super().clean()
        _need_reason(self)
        return self.cleaned_data

    @staticmethod
    def churn(values: dict[str, Any]) -> Churn:
        """Return what was typed."""
        names = ("date", "reason_code", "reason", "notes", "archive")
        return Churn(**{name: values[name] for name in names})


class OutcomeForm(RecordForm):
    """How a term ended."""

    outcome = forms.ChoiceField(label="Outcome", choices=OutcomeKind.choices)
    date = day_field("Date")
    arr_before = MoneyField(label="ARR before", required=False)
    arr_after = MoneyField(label="ARR after", required=False)
    reason_code = _code()
    reason = _words()
    notes = _notes()
    wide = ("notes",)

    def clean(self) -> dict[str, Any]:
        """Return the values; a term that was lost or made smaller needs a reason, and keeps the words it had."""
        super().clean()
        if self.cleaned_data.get("outcome") in LOST:
            _need_reason(self, kept=str(self.initial.get("reason", "")))
        return self.cleaned_data

    @staticmethod
    def shown(one: ClientOutcome) -> dict[str, Any]:
        """Return what the form shows for an outcome."""
        return {
            "outcome": one.outcome,
            "date": one.date,
            "arr_before": shown_money(one.arr_before),
            "arr_after": shown_money(one.arr_after),
            "reason_code": one.reason_code or coded("", one.reason, one.outcome),
            "reason": one.reason,
            "notes": one.notes,
        }

    @staticmethod
    def ending(values: dict[str, Any]) -> Ending:
        """Return the outcome that was typed."""
        names = ("outcome", "date", "arr_before", "arr_after", "reason_code", "reason", "notes")
        return Ending(**{name: values[name] for name in names})


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
