"""Links a contact to a platform user: by name, reversibly, and so that no two people can undo each other unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils.dateparse import parse_datetime

from bellwether.common.errors import BellwetherError, ConflictError
from bellwether.portfolio.masking import short_pseudonym
from bellwether.portfolio.models import Client, Contact
from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser
from bellwether.usage.people import Person

SALT = "people-link"
UNDO_SECONDS = 3_600


class NoSuchContactError(BellwetherError):
    """The client has no such contact."""


@dataclass(frozen=True)
class Change:
    """What happened to one contact's link: pseudonyms and last logins before and after; "" is no link."""

    contact_id: UUID
    before: str
    after: str
    login_before: datetime | None
    login_after: datetime | None


@dataclass(frozen=True)
class Done:
    """What was done or, from FAILURES, why not. `user` is what pages call the user; `undo` takes `changes` back."""

    what: str
    user: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether nothing was done."""
        return self.what in FAILURES


FAILURES = {
    "changed": "The link has been changed since, so it was left as it is.",
    "archived": "The client is archived; archived clients are not changed.",
    "late": "That was too long ago to be taken back here. Change the link instead.",
}


def link_contact(client: Client, person: Person, contact_id: UUID, *, actor: StaffUser, now: datetime) -> Done:
    """Link `person`, somebody at `client`, to the contact and return what changed; nothing if it was linked already.

    The actor may see the client. A user has one contact at most: the one linked before is let go, and the contact
    leaves the user that it was linked to before. Raises NoSuchContactError for a contact that the client does not have
    and ConflictError for an archived client.
    """
    with transaction.atomic():
        contacts = _locked(client)
        chosen = next((contact for contact in contacts if contact.pk == contact_id), None)
        if chosen is None:
            raise NoSuchContactError("The client has no such contact.")
        others = [other for other in contacts if other.user_key == person.user_key and other.pk != chosen.pk]
        changes = [_set(other, "", other.last_platform_login) for other in others]
        if chosen.user_key != person.user_key:
            changes.append(_set(chosen, person.user_key, person.last_login_at or chosen.last_platform_login))
        if changes:
            _note("contact.linked", client, changes, actor, now)
    return Done("linked", person.pseudonym, tuple(changes))


def unlink_contact(client: Client, person: Person, *, actor: StaffUser, now: datetime) -> Done:
    """Take away the link of `person` and return what changed; nothing if there was none. Raises as `link_contact`."""
    with transaction.atomic():
        linked = [contact for contact in _locked(client) if contact.user_key == person.user_key]
        changes = [_set(contact, "", contact.last_platform_login) for contact in linked]
        if changes:
            _note("contact.unlinked", client, changes, actor, now)
    return Done("unlinked", person.pseudonym, tuple(changes))


def undo(client: Client, changes: Sequence[Change], *, actor: StaffUser, now: datetime) -> Done:
    """Take `changes` of the client back; ConflictError if one of the links has been changed since."""
    with transaction.atomic():
        contacts = {contact.pk: contact for contact in _locked(client)}
        touched = {change.contact_id for change in changes}
        for change in changes:
            contact = contacts.get(change.contact_id)
            taken = change.before and any(
                other.user_key == change.before and other.pk not in touched for other in contacts.values()
            )
            if contact is None or contact.user_key != change.after or taken:
                raise ConflictError(FAILURES["changed"])
        back = []
        for change in sorted(changes, key=lambda change: change.before != ""):
            contact = contacts[change.contact_id]
            untouched = contact.last_platform_login == change.login_after
            login = change.login_before if untouched else contact.last_platform_login
            back.append(_set(contact, change.before, login))
        _note("contact.link_undone", client, back, actor, now)
    return Done("undone")


def in_words(done: Done) -> str:
    """Return the sentence that tells what was done; names are read now, so that no address carries them."""
    if done.failed:
        return FAILURES[done.what]
    if done.what == "undone":
        return "The link is as it was before."
    ids = [change.contact_id for change in done.changes if (change.after != "") == (done.what == "linked")]
    names = " and ".join(Contact.objects.filter(pk__in=ids).values_list("name", flat=True)) or "The contact"
    return (
        f"{names} is {'linked' if done.what == 'linked' else 'no longer linked'} to {done.user.replace('U', 'u', 1)}."
    )


def token_of(client: Client, done: Done) -> str:
    """Return `done` as a signed text that an address can carry."""
    rows = [[str(c.contact_id), c.before, c.after, _iso(c.login_before), _iso(c.login_after)] for c in done.changes]
    return signing.dumps(
        {"client": str(client.pk), "what": done.what, "user": done.user, "rows": rows}, salt=SALT, compress=True
    )


def read_token(token: str, client: Client) -> Done | None:
    """Return what `token_of` was given; None if the token is too old, not ours or of another client."""
    try:
        data = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        return None
    if data["client"] != str(client.pk):
        return None
    changes = tuple(
        Change(UUID(contact), before, after, _instant(login_before), _instant(login_after))
        for contact, before, after, login_before, login_after in data["rows"]
    )
    return Done(data["what"], data["user"], changes)


def _locked(client: Client) -> list[Contact]:
    """Return the client's contacts; other changes to its links wait until this transaction ends."""
    held = Client.objects.select_for_update().get(pk=client.pk)
    if held.archived_at is not None:
        raise ConflictError(f"{held.name} is archived; archived clients are not changed.")
    return list(Contact.objects.filter(client=client, archived_at__isnull=True))


def _set(contact: Contact, user_key: str, login: datetime | None) -> Change:
    before, login_before = contact.user_key, contact.last_platform_login
    contact.user_key = user_key
    contact.last_platform_login = login
    contact.save(update_fields=["user_key", "last_platform_login", "updated_at"])
    return Change(contact.pk, before, user_key, login_before, contact.last_platform_login)


def _note(action: str, client: Client, changes: Sequence[Change], actor: StaffUser, now: datetime) -> None:
    record(
        actor=actor,
        action=action,
        object_type="contact",
        object_id=changes[-1].contact_id,
        client_id=client.pk,
        detail={
            "links": [
                {"contact": str(c.contact_id), "user": [short_pseudonym(c.before), short_pseudonym(c.after)]}
                for c in changes
            ]
        },
        now=now,
    )


def _iso(instant: datetime | None) -> str:
    return instant.isoformat() if instant else ""


def _instant(text: str) -> datetime | None:
    return parse_datetime(text) if text else None
