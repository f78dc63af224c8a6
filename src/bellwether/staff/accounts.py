"""How django-allauth signs staff in: no sign-up, attempts counted aloud, nothing said about who exists."""

import math
import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.core.internal import ratelimit
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone

from bellwether.staff.audit import record
from bellwether.staff.models import StaffUser

FAILED = {"app": "allauth.account", "action": "login_failed"}


class StaffAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Staff are added by an administrator; nobody signs up. Attempts are counted per address, known or not."""

    _attempts_left: int | None = None
    _wait_seconds: float = 0

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: accounts are made with `bellwether user add` or in the settings."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt, or refuse it while the address or the computer is locked out (and log that)."""
        self._attempts_left, self._wait_seconds = self._standing(request, credentials)
        if self._attempts_left == 0:
            known = StaffUser.objects.filter(email__iexact=credentials.get("email", "")).first()
            record(
                actor=None,
                action="login.locked_out",
                object_type="user",
                object_id=known.pk if known else "",
                detail={"ip": self.get_client_ip(request)},
                now=timezone.now(),
            )
            raise self.validation_error("too_many_login_attempts")
        super().pre_authenticate(request, **credentials)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> StaffUser | None:
        """Return the active user with these credentials, else None: a deactivated one looks like a wrong password."""
        self.pre_authenticate(request, **credentials)
        user = authenticate(request, **credentials)
        AuthenticationBackend.unstash_authenticated_user()
        if not isinstance(user, StaffUser):
            self._attempts_left, self._wait_seconds = self._standing(request, credentials)
            self.authentication_failed(request, **credentials)
            return None
        self._rollback_login_failed_rl_usage()
        return user

    def validation_error(self, code: str, *args: Any) -> ValidationError:
        """Return the error for `code`; for sign-in it says how many attempts are left, or how long to wait."""
        if code == "too_many_login_attempts":
            minutes = max(1, math.ceil(self._wait_seconds / 60))
            wait = f"{minutes} minute{'s' * (minutes != 1)}"
            return ValidationError(f"Too many failed attempts. Try again in {wait}, or reset the password.", code=code)
        if code == "email_password_mismatch" and self._attempts_left is not None:
            left = self._attempts_left
            rest = f"{left} attempt{'s' * (left != 1)} left." if left else "No attempts left: wait a few minutes."
            return ValidationError(f"The e-mail address or the password is not right. {rest}", code=code)
        error: ValidationError = super().validation_error(code, *args)
        return error

    def _standing(self, request: HttpRequest, credentials: dict[str, Any]) -> tuple[int, float]:
        """Return how many failed attempts are still free, and the seconds until one more is."""
        key = self._get_login_attempts_cache_key(request, **credentials)
        left, wait, now = math.inf, 0.0, time.time()
        for rate in ratelimit.get_rates(**FAILED):
            history: list[float] = cache.get(ratelimit.get_cache_key(request, **FAILED, rate=rate, key=key), [])
            recent = [instant for instant in history if instant > now - rate.duration]
            left = min(left, max(0, rate.amount - len(recent)))
            if len(recent) >= rate.amount:
                wait = max(wait, min(recent) + rate.duration - now)
        return (int(left) if left != math.inf else 1), wait
