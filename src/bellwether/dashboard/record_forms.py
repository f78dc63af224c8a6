"""Forms of records over the page: fields that take what people type, and errors of the rules by field."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.text import storable_text
from bellwether.portfolio.record_changes import Made
from bellwether.web.dialogs import done, next_address, show_form

TEMPLATE = "dashboard/record_form.html"
NOT_NUMBER = "Write a number such as 120000 or 120,000."


class MoneyField(forms.CharField):
    """An amount as people write it: 120000, 120,000 or $120,000.50. Empty is None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "maxlength": 24}), **options
        )

    def clean(self, value: Any) -> Decimal | None:
        """Return the amount; ValidationError where it is none."""
        text = super().clean(value).replace(",", "").replace("$", "").replace(" ", "").replace("−", "-")
        if not text:
            return None
        try:
            amount = Decimal(text)
        except InvalidOperation:
            raise ValidationError(NOT_NUMBER) from None
        if not amount.is_finite() or abs(amount) > 10**15:
            raise ValidationError(NOT_NUMBER)
        return amount


class WordsField(forms.CharField):
    """Words with commas between them, each once, in the order given."""

    def clean(self, value: Any) -> list[str]:
        """Return the words."""
        words = [storable_text(word).strip() for word in super().clean(value).split(",")]
        return list(dict.fromkeys(word for word in words if word))


class TextField(forms.CharField):
    """Text without characters that a database refuses."""

    def clean(self, value: Any) -> str:
        """Return the text."""
        return storable_text(super().clean(value))


class MomentField(forms.DateTimeField):
    """A time as typed in the reader's zone."""

    def __init__(self, **options: Any) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
        super().__init__(widget=widget, input_formats=formats, **options)


def day_field(label: str, **options: Any) -> forms.DateField:
    """Return a field for a date, written like 2026-02-12 where the browser has no calendar."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    wrong = {"invalid": "Write the date like 2026-02-12."}
    return forms.DateField(label=label, widget=widget, error_messages=wrong, **options)


def yes_no(label: str, unknown: str = "Not known") -> forms.TypedChoiceField:
    """Return a choice of yes, no and None."""
    return forms.TypedChoiceField(
        label=label,
        required=False,
        choices=[("", unknown), ("yes", "Yes"), ("no", "No")],
        coerce=lambda word: {"yes": True, "no": False}[word],
        empty_value=None,
    )


def shown_money(amount: Decimal | None) -> str:
    """Return an amount as a form shows it: 120,000 or 120,000.50."""
    return "" if amount is None else f"{amount:,.2f}".removesuffix(".00")


def shown_yes_no(value: bool | None) -> str:
    """Return the word of `yes_no` for a value."""
    return {True: "yes", False: "no", None: ""}[value]


def typed(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return what a form shows for an instant: its local time in `zone`, without one."""
    return moment.astimezone(zone).replace(tzinfo=None) if moment else None


class RecordForm(forms.Form):
    """A form whose rules live in a service: their errors are put to their fields.

    `wide` names the fields that take both columns, `long` those with several lines.
    """

    wide: Sequence[str] = ()

    def take(self, error: InvalidInputError) -> None:
        """Put the errors of a service to the fields they name; those of no field stand above the form."""
        for name, text in error.errors.items():
            text = text[:1].upper() + text[1:]
            self.add_error(name if name in self.fields else None, text)
        if not error.errors:
            self.add_error(None, str(error))


Save = Callable[[dict[str, Any]], Made[Any]]


def answer_form(
    request: HttpRequest,
    form: RecordForm,
    *,
    title: str,
    submit: str,
    said: str | Callable[[Made[Any]], str],
    back: str,
    save: Save,
    lead: str = "",
    extra: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Show the form; when it was sent and can be used, `save` its values, say so and go `back`.

    What the rules refuse stays in the form, with the reason at its field. `extra` may hold `remove`, the address that
    takes the record away, and `template`.
    """
    values = dict(extra or {})
    template = values.pop("template", TEMPLATE)
    if request.method == "POST" and form.is_valid():
        try:
            made = save(form.cleaned_data)
        except InvalidInputError as error:
            form.take(error)
        except ConflictError as error:
            form.add_error(None, str(error))
        else:
            return said_done(request, back, made, said)
    context = {"form": form, "title": title, "lead": lead, "submit": submit, "action": request.path, **values}
    context["next"] = next_address(request, back)
    return show_form(request, template, context, invalid=form.is_bound)


def said_done(request: HttpRequest, back: str, made: Made[Any], said: str | Callable[[Made[Any]], str]) -> HttpResponse:
    """Say what was done, with the button that takes it back, and go on."""
    text = said if isinstance(said, str) else said(made)
    return done(
        request, back, text if made.change else "Nothing was different, so nothing was changed.", undo=made.undo
    )


def act(
    request: HttpRequest, back: str, said: str | Callable[[Made[Any]], str], do: Callable[[], Made[Any]]
) -> HttpResponse:
    """Do something that needs no form and go back; what stands in the way is said there."""
    try:
        made = do()
    except (ConflictError, InvalidInputError) as error:
        reasons = " ".join(error.errors.values()) if isinstance(error, InvalidInputError) else ""
        return done(request, back, reasons or str(error), failed=True)
    return said_done(request, back, made, said)
