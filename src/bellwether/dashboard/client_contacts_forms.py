"""What is done to contacts from pages: add, edit, mark as left, take back, archive, restore, merge."""

from datetime import date, datetime
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.time import day_of
from bellwether.dashboard.client_access import client_or_404
from bellwether.dashboard.client_contacts_form import ContactForm
from bellwether.dashboard.client_people_rows import login_words
from bellwether.portfolio import contacts_changes as changes
from bellwether.portfolio.contacts_merging import CHOOSABLE, merge_contacts
from bellwether.portfolio.contacts_reading import Stakeholders, find_contact, stakeholders_of
from bellwether.portfolio.masking import masked_email, masked_phone
from bellwether.portfolio.models import Client, Contact
from bellwether.portfolio.stakeholder_map import successors
from bellwether.staff.models import StaffUser
from bellwether.usage.people import People, people_of, pseudonym_name
from bellwether.usage.workspace import workspace_lake
from bellwether.web.dialogs import done, show_form

MOST_USERS = 200
ACTIONS = {"back": changes.come_back, "archive": changes.archive_contact, "restore": changes.restore_contact}
TOLD = {"back": "{} is marked as there again.", "archive": "{} is archived.", "restore": "{} is restored."}
FORM = "dashboard/client_contact_form.html"


@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """Show the form of a new contact, and add it."""
    user, now = cast(StaffUser, request.user), timezone.now()
    client = client_or_404(user, client_id)
    people = _people(client, now)
    initial = request.POST if request.method == "POST" else None
    form = ContactForm(initial, None, _users(people, None))
    if initial is None and request.GET.get("role"):
        form.initial["role"] = request.GET["role"]
    if initial is not None and form.is_valid():
        try:
            made = changes.add_contact(
                client, form.values(), actor=user, today=_today(now), now=now, link=_link(form, people)
            )
        except (InvalidInputError, ConflictError) as error:
            _take(form, error)
        else:
            return _done(request, made, f"{made.contact.name} is added.")
    values = {"form": form, "action": reverse("contact_new", args=[client_id]), "client": client, "contact": None}
    return show_form(request, FORM, values, invalid=initial is not None)


@require_http_methods(["GET", "POST"])
@login_required
def edit(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Show the form of a contact, and save it."""
    user, now, contact = _opened(request, contact_id)
    people = _people(contact.client, now)
    given = request.POST if request.method == "POST" else None
    form = ContactForm(given, contact, _users(people, contact))
    if given is not None and form.is_valid():
        link = _link(form, people) if form.cleaned_data["user_key"] != contact.user_key else None
        try:
            saved = changes.change_contact(contact, form.values(), actor=user, today=_today(now), now=now, link=link)
        except (InvalidInputError, ConflictError) as error:
            _take(form, error)
        else:
            text = f"{saved.contact.name} is saved." if saved.change else "Nothing was changed."
            return _done(request, saved, text)
    values = {
        "form": form,
        "action": reverse("contact_edit", args=[contact_id]),
        "client": contact.client,
        "contact": contact,
    }
    return show_form(request, FORM, values, invalid=given is not None)


@require_http_methods(["GET", "POST"])
@login_required
def left(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Ask when a contact left and who follows, and write it down."""
    user, now, contact = _opened(request, contact_id)
    zone, today = settings.BELLWETHER_WORKSPACE_ZONE, _today(now)
    errors: dict[str, str] = {}
    given = request.POST if request.method == "POST" else None
    on = request.POST.get("left_company_at", today.isoformat())
    chosen = request.POST.get("successor", "")
    if given is not None:
        try:
            gone = changes.mark_left(
                contact, _day(on), successor_id=_id(chosen), actor=user, today=today, now=now, zone=zone
            )
        except InvalidInputError as error:
            errors = error.errors
        except ConflictError as error:
            errors = {"": str(error)}
        else:
            return _done(request, gone, f"{contact.name} is marked as left.")
    found = stakeholders_of(contact.client, now=now, zone=zone)
    me = found.people.get(contact.pk)
    values = {
        "contact": contact,
        "action": reverse("contact_left", args=[contact_id]),
        "errors": errors,
        "on": on,
        "today": today.isoformat(),
        "chosen": chosen,
        "successors": successors(me, list(found.people.values()), today=today) if me else [],
        "roles": {pk: one.get_role_display() for pk, one in found.contacts.items()},
    }
    return show_form(request, "dashboard/client_contact_left.html", values, invalid=bool(errors))


@require_http_methods(["GET", "POST"])
@login_required
def merge(request: HttpRequest, contact_id: UUID) -> HttpResponse:
    """Compare a contact with another one of the client, and make one of them."""
    user, now, contact = _opened(request, contact_id)
    given = request.POST if request.method == "POST" else None
    others = list(Contact.objects.filter(client=contact.client_id, archived_at__isnull=True).exclude(pk=contact.pk))
    other_id = (given or request.GET).get("other", "")
    other = next((one for one in others if str(one.pk) == other_id), None)
    error = ""
    if given is not None and other is not None and "merge" in given:
        keeps_other = given.get("keep") == str(other.pk)
        stays, goes = (other, contact) if keeps_other else (contact, other)
        taken = [name for name in CHOOSABLE if given.get(name) == str(goes.pk)]
        try:
            merged = merge_contacts(stays, goes, from_other=taken, actor=user, today=_today(now), now=now)
        except (InvalidInputError, ConflictError) as problem:
            error = str(problem)
        else:
            return _done(request, merged, f"{goes.name} is merged into {merged.contact.name}.")
    elif given is not None and other is None:
        error = "Choose the contact who is the same person."
    values = {
        "contact": contact,
        "other": other,
        "others": others,
        "fields": _compared(contact, other) if other else [],
        "suggested": _suggested(
            contact, stakeholders_of(contact.client, now=now, zone=settings.BELLWETHER_WORKSPACE_ZONE)
        ),
        "action": reverse("contact_merge", args=[contact_id]),
        "error": error,
    }
    return show_form(request, "dashboard/client_contact_merge.html", values, invalid=bool(error))


@require_POST
@login_required
def act(request: HttpRequest, contact_id: UUID, action: str) -> HttpResponse:
    """Take back, archive or restore a contact."""
    user, now, contact = _opened(request, contact_id)
    if action not in ACTIONS:
        raise Http404
    try:
        made = ACTIONS[action](contact, actor=user, today=_today(now), now=now)
    except ConflictError as error:
        return done(request, _tab(contact), str(error), failed=True)
    return _done(request, made, TOLD[action].format(contact.name))


def _opened(request: HttpRequest, contact_id: UUID) -> tuple[StaffUser, datetime, Contact]:
    user = cast(StaffUser, request.user)
    return user, timezone.now(), find_contact(user, contact_id)


def _done(request: HttpRequest, made: changes.Done, text: str) -> HttpResponse:
    return done(request, _tab(made.contact), text, undo=made.change.pk if made.change else None)


def _tab(contact: Contact) -> str:
    return reverse("client_contacts", args=[contact.client_id])


def _today(now: datetime) -> date:
    return day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)


def _day(text: str) -> date:
    try:
        found = parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise InvalidInputError("Give a day.", {"left_company_at": "Give a day such as 2026-02-12."})
    return found


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidInputError("Choose a contact.", {"successor": "Choose a contact of this client."}) from None


def _take(form: ContactForm, error: Exception) -> None:
    form.take(error.errors if isinstance(error, InvalidInputError) else {"": str(error)})


def _people(client: Client, now: datetime) -> People:
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    return people_of(client, lake=workspace_lake(), today=_today(now), zone=zone, cache=caches["memory"])


def _users(people: People, contact: Contact | None) -> list[tuple[str, str]]:
    """Return the platform users to choose from: nobody, the one linked now, then the most engaged without a contact."""
    mine = contact.user_key if contact else ""
    known = people.persons(people.frame.sort("rank", "user_key", nulls_last=True).head(MOST_USERS), levels=False)
    linked = people.one(mine) if mine else None
    found = [("", "Not linked")]
    if mine:
        found.append((mine, _user_text(linked) if linked else pseudonym_name(mine)))
    return found + [(p.user_key, _user_text(p)) for p in known if p.contact is None and p.user_key != mine]


def _user_text(person: Any) -> str:
    login = login_words(person)
    return ", ".join(part for part in (person.pseudonym, person.role, login[:1].lower() + login[1:]) if part)


def _link(form: ContactForm, people: People) -> changes.Link:
    key = form.cleaned_data["user_key"]
    person = people.one(key) if key else None
    return changes.Link(key, person.last_login_at if person else None)


def _compared(contact: Contact, other: Contact) -> list[dict[str, Any]]:
    """Return the fields in which the two differ, with both values as they may be shown and which is taken unasked."""
    show = {
        "email": lambda one: masked_email(one.email),
        "phone": lambda one: masked_phone(one.phone),
        "role": lambda one: str(one.get_role_display()),
    }
    rows = []
    for name in CHOOSABLE:
        first, second = getattr(contact, name), getattr(other, name)
        if first == second:
            continue
        read = show.get(name, lambda one, name=name: getattr(one, name))
        rows.append(
            {
                "name": name,
                "label": {"email": "E-mail", "title": "Job title"}.get(name, name.capitalize()),
                "values": [(contact.pk, read(contact)), (other.pk, read(other))],
                "taken": other.pk if not first else contact.pk,
            }
        )
    return rows


def _suggested(contact: Contact, found: Stakeholders) -> list[UUID]:
    pairs = [pair for pair in found.pairs if contact.pk in {pair.first, pair.second}]
    return [pair.second if pair.first == contact.pk else pair.first for pair in pairs]
