"""The kinds tickets and surveys."""

from typing import Any

from bellwether.portfolio.choices import (
    SurveyKind,
    TicketPriority,
    TicketStatus,
)
from bellwether.portfolio.importing.columns import Field, folded_column
from bellwether.portfolio.importing.kinds import (
    Kind,
    Prepared,
    RowContext,
    RowError,
    Values,
    client_field,
    day_of_instant,
    deleted_field,
    external_id_field,
    only_given,
    refuse_deleted,
)
from bellwether.portfolio.importing.values import (
    BOOLEAN,
    END_INSTANT,
    INSTANT,
    NUMBER,
    WHOLE,
    one_of,
    text,
)
from bellwether.portfolio.models import SupportTicket, SurveyResponse

PRIORITY = one_of(
    dict(TicketPriority.choices),
    {"critical": "urgent", "p1": "urgent", "sev1": "urgent", "emergency": "urgent", "blocker": "urgent"}
    | {"major": "high", "p2": "high", "sev2": "high", "medium": "normal", "p3": "normal", "sev3": "normal"}
    | {"minor": "low", "trivial": "low", "p4": "low", "p5": "low", "sev4": "low"},
)
STATUS = one_of(
    dict(TicketStatus.choices),
    {"new": "open", "in progress": "open", "working": "open", "escalated": "open", "reopened": "open"}
    | {"waiting": "pending", "on hold": "pending", "hold": "pending", "waiting on customer": "pending"}
    | {"resolved": "solved", "done": "solved", "fixed": "solved", "completed": "solved", "cancelled": "closed"},
)
SURVEY_KIND = one_of(
    dict(SurveyKind.choices), {"net promoter score": "NPS", "relationship": "NPS", "satisfaction": "CSAT"}
)


def _prepare_ticket(values: Values, context: RowContext) -> Prepared:
    refuse_deleted(values)
    columns = only_given(
        values,
        context,
        "subject",
        "priority",
        "status",
        "opened_at",
        "solved_at",
        "first_response_minutes",
        "is_escalated",
    )
    opened, solved = columns["opened_at"], columns.get("solved_at")
    if solved and solved < opened:
        raise RowError(f"solved_at {solved:%Y-%m-%d %H:%M} is before opened_at {opened:%Y-%m-%d %H:%M}")
    if "status" not in columns and "solved_at" in columns:
        columns["status"] = TicketStatus.SOLVED.value if solved else TicketStatus.OPEN.value
    return Prepared(columns=columns)


TICKETS = Kind(
    name="tickets",
    about="Support tickets.",
    model=SupportTicket,
    key_text="client and external_id, else client, opened_at and subject",
    identity=("opened_at", "subject"),
    repeats=True,
    prepare=_prepare_ticket,
    affected=lambda ticket: day_of_instant(ticket.opened_at),
    fields=(
        client_field(),
        external_id_field("ticketid", "caseid", "casenumber", "ticketnumber", "issueid"),
        Field(name="subject", parser=text(300), default="", aliases=("title", "summary", "name"), about=""),
        Field(
            name="priority",
            parser=PRIORITY,
            default=TicketPriority.NORMAL.value,
            aliases=("ticketpriority", "hsticketpriority", "severity", "urgency"),
            about="Critical is read as urgent, medium as normal.",
        ),
        Field(
            name="status",
            parser=STATUS,
            default=TicketStatus.OPEN.value,
            aliases=("ticketstatus", "state"),
            about="Without the column: solved if solved_at is given, else open.",
        ),
        Field(
            name="opened_at",
            parser=INSTANT,
            required=True,
            aliases=("submittedat", "createdat", "createddate", "createdate", "opened", "openedat", "created", "date"),
            about="",
        ),
        Field(
            name="solved_at",
            parser=END_INSTANT,
            aliases=("closedat", "resolvedat", "closeddate", "solved", "closed", "resolved", "resolutiondate"),
            about="",
        ),
        Field(
            name="first_response_minutes",
            parser=WHOLE,
            aliases=("firstresponsetimeminutes", "firstreplyminutes", "firstreplytimeminutes"),
            about="Minutes until the first answer.",
        ),
        Field(
            name="is_escalated",
            parser=BOOLEAN,
            default=False,
            aliases=("escalationflag", "escalated", "isescalation"),
            about="",
        ),
        deleted_field(),
    ),
)


def _prepare_survey(values: Values, context: RowContext) -> Prepared:
    refuse_deleted(values)
    columns = only_given(values, context, "kind", "comment", "answered_at")
    score: float = values["score"]
    low, high = (0.0, 10.0) if columns["kind"] == SurveyKind.NPS else context.options.reading.csat_scale
    if not low <= score <= high:
        scale = "" if columns["kind"] == SurveyKind.NPS else " (say another with --csat-scale)"
        raise RowError(f"score '{score:g}' is not on the {columns['kind']} scale {low:g} to {high:g}{scale}")
    columns["score"] = score if columns["kind"] == SurveyKind.NPS else (score - low) / (high - low) * 100
    if columns["kind"] == SurveyKind.CSAT and (low, high) != (0.0, 100.0):
        columns["scale"] = f"{low:g}-{high:g}"[:12]
    if "respondent" in context.given:
        columns |= _respondent(values["respondent"], context)
    return Prepared(columns=columns)


def _respondent(respondent: str, context: RowContext) -> dict[str, Any]:
    """Return respondent and contact: an e-mail links the contact and is not kept itself, but its pseudonym is."""
    if "@" not in respondent:
        return {"respondent": respondent}
    contact = context.contact(respondent)
    return {
        "respondent": context.options.pseudonym(respondent.lower()),
        "contact_id": contact.pk if contact else None,
    }


def _infer_survey(columns: dict[str, str]) -> dict[str, str]:
    score = folded_column(columns.get("score", ""))
    if "kind" in columns:
        return {}
    if "nps" in score:
        return {"kind": SurveyKind.NPS.value}
    return {"kind": SurveyKind.CSAT.value} if "csat" in score or "satisfaction" in score else {}


SURVEYS = Kind(
    name="surveys",
    about="Answers to NPS and CSAT surveys.",
    model=SurveyResponse,
    key_text="client and external_id, else client, kind, answered_at and respondent",
    identity=("kind", "answered_at", "respondent"),
    repeats=True,
    needs_contacts=True,
    prepare=_prepare_survey,
    affected=lambda answer: day_of_instant(answer.answered_at),
    infer=_infer_survey,
    fields=(
        client_field(),
        external_id_field("surveyid", "responseid", "answerid", "ticketid"),
        Field(
            name="kind",
            parser=SURVEY_KIND,
            required=True,
            aliases=("surveykind", "surveytype", "type", "metric"),
            about="Without the column: seen in the name of the score's column (nps…, csat…, satisfaction…).",
        ),
        Field(
            name="score",
            parser=NUMBER,
            required=True,
            aliases=("npsscore", "nps", "csatscore", "csat", "satisfactionscore", "rating", "value", "response"),
            about="NPS 0 to 10; CSAT on the scale of --csat-scale, stored as 0 to 100.",
        ),
        Field(
            name="respondent",
            parser=text(200),
            default="",
            aliases=("contactid", "userid", "respondentid", "email", "respondentemail"),
            about="An e-mail address links the contact and is stored as a pseudonym.",
        ),
        Field(name="comment", parser=text(), default="", aliases=("feedback", "feedbacktext", "verbatim"), about=""),
        Field(
            name="answered_at",
            parser=INSTANT,
            required=True,
            aliases=("respondedat", "submittedat", "createdat", "createddate", "timestamp", "date", "closedat"),
            about="",
        ),
        deleted_field(),
    ),
)
