"""The kind activities."""

from typing import Any

from bellwether.portfolio.choices import (
    ActivityOutcome,
    ActivityType,
)
from bellwether.portfolio.importing.columns import Field
from bellwether.portfolio.importing.kinds import (
    Kind,
    Prepared,
    RowContext,
    RowError,
    Values,
    archived,
    client_field,
    day_of_instant,
    deleted_field,
    external_id_field,
    only_given,
    staff_member,
)
from bellwether.portfolio.importing.values import (
    BOOLEAN,
    DATE,
    EMAIL,
    INSTANT,
    WHOLE,
    WORDS,
    Parser,
    Reading,
    folded,
    one_of,
    plain,
    text,
)
from bellwether.portfolio.models import Activity

TYPE = one_of(
    dict(ActivityType.choices),
    {"phone call": "CALL", "phone": "CALL", "check-in": "CALL", "onboarding call": "ONBOARDING"}
    | {"e-mail": "EMAIL", "mail": "EMAIL", "incoming email": "EMAIL", "forwarded email": "EMAIL", "list email": "EMAIL"}
    | {"demo": "MEETING", "event": "MEETING", "upgrade discussion": "MEETING", "business review": "QBR"}
    | {"kick-off": "ONBOARDING", "technical support": "SUPPORT_ESCALATION", "escalation": "SUPPORT_ESCALATION"}
    | {"executive": "EXECUTIVE_TOUCHPOINT", "internal": "INTERNAL_DISCUSSION", "note": "INTERNAL_DISCUSSION"}
    | {"task": "OTHER", "communication": "OTHER", "todo": "OTHER"},
)
LABELS = {folded(label): label for label in ("check-in", "technical support", "upgrade discussion", "onboarding call")}


def _type_and_label(value: Any, reading: Reading) -> tuple[str, str]:
    """Return our type, and the word itself where it is one of those that workspaces keep beside the type."""
    return TYPE.read(value, reading), LABELS.get(folded(plain(value)), "")


ACTIVITY_TYPE = Parser(f"{TYPE.label}; or {', '.join(LABELS.values())}", _type_and_label, TYPE.choices)


def _prepare_activity(values: Values, context: RowContext) -> Prepared:
    columns = only_given(
        values,
        context,
        "label",
        "description",
        "scheduled_for",
        "completed_at",
        "duration_minutes",
        "outcome",
        "outcome_notes",
        "follow_up_required",
        "follow_up_date",
        "follow_up_completed_at",
        "salesforce_activity_id",
        "hubspot_engagement_id",
    )
    occurred = values.get("occurred_at") or values.get("completed_at") or values.get("scheduled_for")
    if occurred is None:
        raise RowError("occurred_at is empty, and so are completed_at and scheduled_for")
    columns["occurred_at"] = occurred
    word, label = values.get("activity_type", (ActivityType.OTHER.value, ""))
    kind = ActivityType(word)
    if "activity_type" in context.given:
        columns["activity_type"] = kind.value
        columns.setdefault("label", label)
    if values.get("subject") or "subject" in context.given:
        columns["subject"] = values["subject"] or str(kind.label)
    on_create: dict[str, Any] = {"subject": str(kind.label), "activity_type": kind.value}
    if "completed_at" not in context.given and values.get("scheduled_for") is None:
        done = occurred <= context.options.now
        columns["completed_at"] = occurred if done else None
        on_create["scheduled_for"] = None if done else occurred
    user = staff_member(values, "performed_by", context)
    if "performed_by" in context.given:
        columns["performed_by_id"] = user.pk if user else None
    columns |= archived(values, context)
    return Prepared(columns=columns, on_create=on_create, links=_met(values, context))


def _met(values: Values, context: RowContext) -> list[Any] | None:
    """Return the contacts that took part, by e-mail; None when the file does not say."""
    if "contact_emails" not in context.given:
        return None
    found = []
    for email in values["contact_emails"]:
        contact = context.contact(email)
        if contact is None:
            raise RowError(f"contact_emails '{email}' is no contact of this client (import contacts first)")
        found.append(contact.pk)
    return found


ACTIVITIES = Kind(
    name="activities",
    about="Calls, meetings, e-mails and other touches.",
    model=Activity,
    key_text="client and external_id, else client, occurred_at, activity_type and subject",
    identity=("occurred_at", "activity_type", "subject"),
    repeats=True,
    needs_contacts=True,
    link="client_contacts",
    prepare=_prepare_activity,
    affected=lambda activity: day_of_instant(activity.occurred_at),
    fields=(
        client_field(),
        external_id_field("activityid", "engagementid", "taskid", "eventid", "callid"),
        Field(
            name="activity_type",
            parser=ACTIVITY_TYPE,
            default=(ActivityType.OTHER.value, ""),
            aliases=("type", "engagementtype", "tasksubtype", "eventsubtype", "kind"),
            about="Internal discussions do not count as contact.",
        ),
        Field(name="label", parser=text(60), default="", about="The workspace's own word, such as check-in."),
        Field(name="subject", parser=text(300), default="", aliases=("title", "summary", "name"), about=""),
        Field(name="description", parser=text(), default="", aliases=("body", "notes", "details"), about=""),
        Field(
            name="performed_by",
            parser=EMAIL,
            aliases=("performedbyemail", "owneremail", "csmemail", "useremail", "assignedto"),
            about="A member of staff.",
        ),
        Field(
            name="contact_emails",
            parser=WORDS,
            default=[],
            aliases=("contacts", "attendees", "participants", "contactemail"),
            about="Contacts of the client who took part.",
        ),
        Field(
            name="occurred_at",
            parser=INSTANT,
            aliases=(
                "activitydate",
                "starttime",
                "startdatetime",
                "activitydatetime",
                "hstimestamp",
                "timestamp",
                "date",
            ),
            about="Else completed_at, else scheduled_for.",
        ),
        Field(name="scheduled_for", parser=INSTANT, aliases=("scheduledat", "duedate"), about=""),
        Field(
            name="completed_at",
            parser=INSTANT,
            aliases=("completeddatetime", "completeddate", "completedon"),
            about="Without the column, what lies in the past is completed.",
        ),
        Field(name="duration_minutes", parser=WHOLE, aliases=("durationinminutes", "duration", "minutes"), about=""),
        Field(name="outcome", parser=one_of(dict(ActivityOutcome.choices)), about=""),
        Field(name="outcome_notes", parser=text(), default="", about=""),
        Field(name="follow_up_required", parser=BOOLEAN, default=False, aliases=("followup",), about=""),
        Field(name="follow_up_date", parser=DATE, aliases=("followupby", "nextstepdate"), about=""),
        Field(name="follow_up_completed_at", parser=INSTANT, about=""),
        Field(name="salesforce_activity_id", parser=text(40), default="", about=""),
        Field(name="hubspot_engagement_id", parser=text(40), default="", about=""),
        deleted_field(),
    ),
)
