"""Adding and deactivating members of staff. Users are never deleted: the access log names them."""

import secrets
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.staff.audit import record
from bellwether.staff.models import Role, StaffUser, Team


class UnknownUserError(InvalidInputError):
    """No member of staff has this e-mail address."""


def add_user(
    email: str,
    *,
    name: str,
    role: str,
    team: str | None,
    password: str | None,
    actor: StaffUser | None,
    now: datetime,
) -> tuple[StaffUser, str | None]:
    """Return a new member of staff and, if no `password` was given, the one-time password made for them.

    `name` is split at its first space; `team` is made if there is none of that name. Raises InvalidInputError naming
    every unusable field, ConflictError if the address is taken.
    """
    made = None if password else secrets.token_urlsafe(12)
    first, _, last = " ".join(name.split()).partition(" ")
    user = StaffUser(email=email.strip().lower(), first_name=first, last_name=last, role=role)
    problems = _problems(user, password)
    if problems:
        sentence = "; ".join(f"{field}: {problem}" for field, problem in problems.items())
        raise InvalidInputError(f"The user cannot be added. {sentence}", problems)
    user.set_password(password or made)
    try:
        with transaction.atomic():
            if team and team.strip():
                user.team = Team.objects.get_or_create(name=team.strip())[0]
            user.save(force_insert=True)
            detail = {"email": user.email, "role": user.role, "team": team}
            record(actor=actor, action="user.added", object_type="user", object_id=user.pk, detail=detail, now=now)
    except IntegrityError:
        raise ConflictError(f"{user.email} is a member of staff already. Choose another address.") from None
    return user, made


def deactivate_user(email: str, *, actor: StaffUser | None, now: datetime) -> StaffUser:
    """Deactivate the user with this address and return it: open sessions and tokens stop working at once.

    Raises UnknownUserError, or ConflictError for the last active administrator.
    """
    with transaction.atomic():
        user = user_by_email(email)
        admins = StaffUser.objects.filter(role=Role.ADMIN, is_active=True)
        if user.role == Role.ADMIN and not admins.exclude(pk=user.pk).exists():
            raise ConflictError(f"{user.email} is the last active administrator. Add another one first.")
        if user.is_active:
            StaffUser.objects.filter(pk=user.pk).update(is_active=False, updated_at=now)
            user.is_active = False
            record(
                actor=actor,
                action="user.deactivated",
                object_type="user",
                object_id=user.pk,
                detail={"email": user.email},
                now=now,
            )
    return user


def user_by_email(email: str) -> StaffUser:
    """Return the member of staff with this address, whatever its case. Raises UnknownUserError."""
    user = StaffUser.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise UnknownUserError(f"Nobody has the address {email!r}. `bellwether user list` shows everybody.")
    return user


def _problems(user: StaffUser, password: str | None) -> dict[str, str]:
    problems: dict[str, str] = {}
    try:
        validate_email(user.email)
    except ValidationError as error:
        problems["email"] = " ".join(error.messages)
    if not user.first_name or len(user.first_name) > 80 or len(user.last_name) > 80:
        problems["name"] = "Give a first and a last name of at most 80 characters each."
    if user.role not in Role.values:
        problems["role"] = f"Choose one of {', '.join(Role.values)}."
    if password:
        try:
            validate_password(password, user)
        except ValidationError as error:
            problems["password"] = " ".join(error.messages)
    return problems
