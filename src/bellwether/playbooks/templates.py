"""Templates of messages: find, save, archive, try. Who may define playbooks edits them; every change can be undone."""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.http import Http404
from django.utils.text import slugify

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.playbooks.choices import StepKind
from bellwether.playbooks.definition import Definition
from bellwether.playbooks.models import MessageTemplate
from bellwether.playbooks.rendering import EXAMPLE, Rendered, check, render
from bellwether.playbooks.services import check_may_define
from bellwether.portfolio.changes import changing
from bellwether.portfolio.models import Change
from bellwether.staff.models import StaffUser

KINDS = (StepKind.EMAIL, StepKind.IN_APP)
LONGEST_SUBJECT = 300
RESERVED = frozenset({"new", "preview"})
"""Words that stand in the addresses of pages where keys of templates do."""


def find_template(key: str) -> MessageTemplate:
    """Return the template `key`, archived or not; Http404 if there is none."""
    found: MessageTemplate | None = MessageTemplate.objects.filter(key=key).first()
    if found is None:
        raise Http404("There is no such template.")
    return found


def usable_templates() -> dict[str, MessageTemplate]:
    """Return the templates that are not archived, by key, in the order of their names. One query."""
    return {row.key: row for row in MessageTemplate.objects.filter(archived_at__isnull=True)}


def missing_templates(definition: Definition) -> dict[int, str]:
    """Return the templates that steps name and that there are not, by the place of the step."""
    known = usable_templates()
    return {
        place: step.template
        for place, step in enumerate(definition.steps)
        if step.template and step.template not in known
    }


def save_template(
    *,
    name: str,
    body: str,
    subject: str = "",
    kind: str = StepKind.EMAIL,
    key: str = "",
    actor: StaffUser,
    now: datetime,
) -> tuple[MessageTemplate, Change | None]:
    """Store a new template, or a change of `key`, and return it with the change; None where nothing changed.

    PermissionDenied for people who may not define; InvalidInputError naming the field (name, subject, body, kind).
    """
    check_may_define(actor)
    _check(name, subject, body, kind, key)
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    verb = "changed" if key else "made"
    summary = f"Template {name.strip()} {verb}"
    with changing(actor, kind=f"template.{verb}", summary=summary, today=today, now=now) as work:
        if key:
            row = MessageTemplate.objects.select_for_update().filter(key=key).first()
            if row is None:
                raise Http404("There is no such template.")
            if row.archived_at is not None:
                raise ConflictError(f"{row.name} is archived. Bring it back first.")
            work.keep(row)
        else:
            row = MessageTemplate(key=_free_key(name), created_at=now)
        row.name, row.subject, row.body, row.kind = name.strip(), subject.strip(), body.strip(), kind
        row.updated_at, row.updated_by = now, actor
        if key:
            work.save(row)
        else:
            work.make(row)
    return row, work.change


def archive_template(
    template: MessageTemplate, *, actor: StaffUser, now: datetime
) -> tuple[MessageTemplate, Change | None]:
    """Put a template away and return it with the change. ConflictError while a playbook in force names it."""
    check_may_define(actor)
    used = _used_by(template.key)
    if used:
        raise ConflictError(f"{template.name} is used by {', '.join(used)}. Change the playbook first.")
    today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    summary = f"Template {template.name} archived"
    with changing(actor, kind="template.archived", summary=summary, today=today, now=now) as work:
        row = MessageTemplate.objects.select_for_update().get(pk=template.pk)
        work.keep(row)
        row.archived_at = row.archived_at or now
        work.save(row)
    return row, work.change


def preview(subject: str, body: str, values: Mapping[str, object] = EXAMPLE) -> Rendered:
    """Return what a template makes of `values` (an invented client by default). InvalidInputError by field."""
    return render(subject, body, values)


def _check(name: str, subject: str, body: str, kind: str, key: str) -> None:
    errors: dict[str, str] = {}
    if not 1 <= len(name.strip()) <= 120:
        errors["name"] = "Give 1 to 120 characters."
    elif MessageTemplate.objects.filter(name__iexact=name.strip(), archived_at__isnull=True).exclude(key=key).exists():
        errors["name"] = "Another template has this name."
    if kind not in KINDS:
        errors["kind"] = f"is one of {', '.join(KINDS)}."
    if kind == StepKind.EMAIL and not subject.strip():
        errors["subject"] = "An e-mail needs a subject."
    elif len(subject) > LONGEST_SUBJECT:
        errors["subject"] = f"Give at most {LONGEST_SUBJECT} characters."
    if not body.strip():
        errors["body"] = "Write the text of the message."
    for field, text in (("subject", subject), ("body", body)):
        wrong = check(text)
        if wrong:
            errors.setdefault(field, wrong)
    if not errors:
        try:
            render(subject, body, EXAMPLE)
        except InvalidInputError as error:
            errors |= error.errors
    if errors:
        raise InvalidInputError("The template cannot be saved. " + " ".join(errors.values()), errors)


def _used_by(key: str) -> list[str]:
    from bellwether.playbooks.choices import PlaybookState
    from bellwether.playbooks.models import Playbook

    rows = Playbook.objects.exclude(state=PlaybookState.ARCHIVED).select_related("version")
    return [
        row.name
        for row in rows
        if row.version and any(step.get("template") == key for step in row.version.definition.get("steps", []))
    ]


def _free_key(name: str) -> str:
    base = slugify(name)[:50] or "template"
    taken = {*RESERVED, *MessageTemplate.objects.filter(key__startswith=base).values_list("key", flat=True)}
    return next(key for key in (base, *(f"{base}-{n}" for n in range(2, 10_000))) if key not in taken)
