"""Changes to answers to surveys: made, changed, taken away. As portfolio.contracts does them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from bellwether.common.errors import InvalidInputError
from bellwether.portfolio.changes import changing
from bellwether.portfolio.choices import SurveyKind
from bellwether.portfolio.models import Client, SurveyResponse
from bellwether.portfolio.record_changes import Made, fresh, locked_client, repeated, same, write
from bellwether.portfolio.survey_figures import as_asked, bounds, to_percent
from bellwether.portfolio.terms import LONGEST_ID
from bellwether.portfolio.tickets import EARLIEST, SLACK, contact_problem
from bellwether.staff.models import StaffUser

LONGEST_COMMENT, LONGEST_RESPONDENT = 20_000, 200


@dataclass(frozen=True, kw_only=True)
class AnswerValues:
    """An answer. `score` is on the scale on which it was asked: NPS 0-10, CSAT on `scale` ("1-5"; empty: 0-100)."""

    kind: str
    score: float
    answered_at: datetime
    scale: str = ""
    contact_id: UUID | None = None
    respondent: str = ""
    comment: str = ""


def values_of(answer: SurveyResponse) -> AnswerValues:
    """Return what a stored answer says, its score as it was asked."""
    return AnswerValues(
        kind=answer.kind,
        score=asked_score(answer),
        answered_at=answer.answered_at,
        scale=answer.scale,
        contact_id=answer.contact_id,
        respondent=answer.respondent,
        comment=answer.comment,
    )


def asked_score(answer: SurveyResponse) -> float:
    """Return the score on the scale on which it was asked; CSAT of which that is not known on 0-100."""
    return answer.score if answer.kind == SurveyKind.NPS else as_asked(answer.score, answer.scale)


def add_answer(
    client: Client, values: AnswerValues, *, actor: StaffUser, today: date, now: datetime, external_id: str = ""
) -> Made[SurveyResponse]:
    """Store a new answer. The same under the same `external_id` again changes nothing; another one is a ConflictError
    naming the one that is there."""
    made = Made[SurveyResponse]()
    with changing(
        actor, kind="survey.added", summary=f"{values.kind} answer of {client.name} added", today=today, now=now
    ) as work:
        owner = locked_client(client)
        columns = _checked(owner, values, None, now, external_id)
        if external_id and (known := repeated(SurveyResponse, owner, external_id)):
            made.record, made.repeated = same(known, columns, "survey answer"), True
            return made
        made.record = SurveyResponse(client=owner, external_id=external_id, **columns)
        work.make(made.record)
    made.change = work.change
    return made


def change_answer(
    answer: SurveyResponse, values: AnswerValues, *, actor: StaffUser, today: date, now: datetime
) -> Made[SurveyResponse]:
    """Store new values of an answer."""
    made = Made[SurveyResponse]()
    with changing(
        actor, kind="survey.changed", summary=f"{answer.kind} answer of {answer.client.name} changed", today=today,
        now=now,
    ) as work:  # fmt: skip
        owner = locked_client(answer.client)
        stored = fresh(SurveyResponse, answer.pk)
        write(work, stored, _checked(owner, values, stored, now))
        made.record = stored
    made.change = work.change
    return made


def remove_answer(answer: SurveyResponse, *, actor: StaffUser, today: date, now: datetime) -> Made[SurveyResponse]:
    """Take an answer away."""
    made = Made[SurveyResponse]()
    with changing(
        actor, kind="survey.removed", summary=f"{answer.kind} answer of {answer.client.name} removed", today=today,
        now=now,
    ) as work:  # fmt: skip
        locked_client(answer.client)
        work.remove(fresh(SurveyResponse, answer.pk))
    made.change = work.change
    return made


def _checked(
    client: Client, values: AnswerValues, before: SurveyResponse | None, now: datetime, external_id: str = ""
) -> dict[str, Any]:
    found: dict[str, str] = {}
    scale = values.scale if values.kind == SurveyKind.CSAT else ""
    if values.kind not in SurveyKind.values:
        found["kind"] = f"is one of {', '.join(SurveyKind.values)}."
    if scale and bounds(scale) is None:
        found["scale"] = "Write the lowest and the highest answer, such as 1-5."
    stored = 0.0
    if not found:
        asked = "0-10" if values.kind == SurveyKind.NPS else scale or "0-100"
        try:
            stored = values.score if values.kind == SurveyKind.NPS else to_percent(values.score, asked)
            to_percent(values.score, asked)
        except ValueError:
            low, _, high = asked.partition("-")
            found["score"] = f"{values.score:g} is not on the scale from {low} to {high}."
    if values.answered_at > now + SLACK:
        found["answered_at"] = "The answer lies ahead."
    elif values.answered_at < EARLIEST:
        found["answered_at"] = "The answer is too long ago; check the year."
    if problem := contact_problem(client, values.contact_id, before.contact_id if before else None):
        found["contact_id"] = problem
    if "@" in values.respondent:
        found["respondent"] = "No e-mail addresses here; choose the contact instead."
    for name, longest in (("comment", LONGEST_COMMENT), ("respondent", LONGEST_RESPONDENT)):
        if len(getattr(values, name)) > longest:
            found[name] = f"is longer than {longest:,} characters."
    if len(external_id) > LONGEST_ID:
        found["external_id"] = f"is longer than {LONGEST_ID} characters."
    if found:
        raise InvalidInputError("The answer cannot be stored.", found)
    return {
        "kind": values.kind,
        "score": stored,
        "answered_at": values.answered_at,
        "scale": scale,
        "contact_id": values.contact_id,
        "respondent": values.respondent,
        "comment": values.comment,
    }
