"""Sign-ins, sign-outs and failed attempts land in the access log."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.signals import password_changed, password_reset
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser


def _ip(request: HttpRequest | None) -> str:
    return str(get_adapter().get_client_ip(request)) if request and request.META.get("REMOTE_ADDR") else ""


def _note(action: str, user: StaffUser | None, request: HttpRequest | None, **detail: Any) -> None:
    if user is not None and not isinstance(user, StaffUser):
        return
    record(
        actor=None if action == "login.failed" else user,
        action=action,
        object_type="user",
        object_id=user.pk if user else "",
        detail={"ip": _ip(request), **detail},
        now=timezone.now(),
    )


@receiver(user_logged_in)
def note_sign_in(sender: Any, request: HttpRequest, user: StaffUser, **_: Any) -> None:
    """Log a sign-in."""
    _note("login", user, request)


@receiver(user_logged_out)
def note_sign_out(sender: Any, request: HttpRequest, user: StaffUser | None, **_: Any) -> None:
    """Log a sign-out; one without a session is nobody's."""
    if user is not None:
        _note("logout", user, request)


@receiver(user_login_failed)
def note_failure(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Log a failed attempt. An address that nobody has is not kept: people type passwords into the wrong field."""
    email = str(credentials.get("email") or credentials.get("username") or "")
    user = StaffUser.objects.filter(email__iexact=email).first() if email else None
    _note("login.failed", user, request, known_address=user is not None)


@receiver(password_changed)
@receiver(password_reset)
def note_password(sender: Any, request: HttpRequest, user: StaffUser, **_: Any) -> None:
    """Log that somebody has a new password."""
    _note("password.changed", user, request)
