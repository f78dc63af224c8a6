"""The what-if of a client's churn risk as the page shows it: the form, what was wrong with it, what comes out."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from bellwether.churn.client_risk import Risk, asked
from bellwether.churn.levers import LEVERS_BY_SLUG, Offer, told
from bellwether.churn.what_if import NOTE, Horizons, WhatIf
from bellwether.common.errors import InvalidInputError
from bellwether.dashboard.client_churn_view import ChangePart, signed_odds
from bellwether.portfolio.models import Client
from bellwether.web.chances import chance
from bellwether.web.chances import risk_of as look_of
from bellwether.web.formatting import Delta, Status, change

PREFIX = "if_"


@dataclass(frozen=True)
class Field:
    """A field of the form: a checkbox, or a number from `minimum` to `maximum`. `value` is what was typed."""

    name: str
    label: str
    is_number: bool
    unit: str
    value: str
    now: str
    maximum: str
    problem: str


@dataclass(frozen=True)
class Outcome:
    """What would come out. Horizons and points are left out at a band."""

    before: Status
    after: Status
    horizons: list[tuple[str, str, str]]
    total: Delta | None
    summary: str
    changed: list[tuple[str, str, str]]
    parts: list[ChangePart]


@dataclass(frozen=True)
class WhatIfForm:
    """The form with what came out of it; `outcome` None before anything was asked or where it cannot be."""

    fields: list[Field]
    outcome: Outcome | None
    problem: str
    note: str = NOTE


def what_if_form(client: Client, offers: Sequence[Offer], values: QueryDict) -> WhatIfForm:
    """Return the form as filled in by the address, with its outcome. Numbers left empty or as they are ask nothing."""
    given, problems = _given(offers, values)
    outcome = None
    if given and not problems:
        try:
            risk, found = asked(client, given, {})
        except InvalidInputError as error:
            problems = {name.removeprefix("levers."): text for name, text in error.errors.items()}
        else:
            outcome = _outcome(risk, found)
    fields = [_field(offer, values, problems.get(offer.lever.slug, "")) for offer in offers]
    shown = {field.name.removeprefix(PREFIX) for field in fields}
    rest = " ".join(f"{slug}: {text}" for slug, text in problems.items() if slug not in shown)
    return WhatIfForm(fields, outcome, rest)


def _given(offers: Sequence[Offer], values: QueryDict) -> tuple[dict[str, float], dict[str, str]]:
    """Return the levers that the address asks for, and what cannot be read, by slug."""
    now = {offer.lever.slug: offer.value for offer in offers}
    found: dict[str, float] = {}
    problems: dict[str, str] = {}
    for name in values:
        slug = name.removeprefix(PREFIX)
        text = values.get(name, "").strip()
        if slug == name or not text:
            continue
        if slug not in LEVERS_BY_SLUG:
            problems[slug] = "There is no lever of this name."
            continue
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            problems[slug] = "Give a number."
            continue
        if LEVERS_BY_SLUG[slug].number and number == now.get(slug):
            continue
        found[slug] = number
    return found, problems


def _field(offer: Offer, values: QueryDict, problem: str) -> Field:
    lever = offer.lever
    name = f"{PREFIX}{lever.slug}"
    now = "" if offer.value is None else f"{offer.value:g}"
    return Field(
        name=name,
        label=lever.label,
        is_number=lever.number,
        unit=lever.unit,
        value=values.get(name, "")[:20],
        now=now,
        maximum=f"{offer.maximum:g}",
        problem=problem,
    )


def _outcome(risk: Risk, found: WhatIf) -> Outcome:
    hidden = risk.is_band
    before, after = look_of(found.before.category), look_of(found.after.category)
    points = found.points
    if not found.changed:
        summary = "Nothing would change: these figures are as they are."
    elif hidden:
        moved = "lower" if found.log_odds < 0 else "higher" if found.log_odds > 0 else "the same"
        summary = f"The risk would be {moved}: {before.label.lower()} now, {after.label.lower()} then."
    else:
        now, then = chance(found.before.days[-1].p), chance(found.after.days[-1].p)
        summary = f"{now} now, {then} then, within 90 days."
        if not found.lines:
            summary = f"No difference: {now} within 90 days. The model sees none between these figures."
    return Outcome(
        before=before,
        after=after,
        horizons=[] if hidden else _horizons(found.before, found.after),
        total=None if hidden else change(points, better="down", text=f"{abs(points):.1f} pts"),
        summary=summary,
        changed=told(risk.prediction.inputs, found.changed),
        parts=[
            ChangePart(
                heading=line.heading,
                before=line.before,
                after=line.after,
                points=None if hidden else change(line.points, better="down", text=f"{abs(line.points):.1f} pts"),
                log_odds="" if hidden else signed_odds(line.log_odds),
                raises=line.log_odds > 0,
            )
            for line in found.lines
        ],
    )


def _horizons(before: Horizons, after: Horizons) -> list[tuple[str, str, str]]:
    """Return label, probability now and then of each horizon."""
    rows = [
        (f"{days} days", chance(was.p), chance(then.p))
        for days, was, then in zip((30, 60, 90), before.days, after.days, strict=True)
    ]
    if before.renewal is not None:
        rows.append(("Renewal", chance(before.renewal.p), chance(after.renewal.p) if after.renewal else "settled"))
    return rows
