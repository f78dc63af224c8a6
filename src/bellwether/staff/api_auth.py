"""Who calls the staff API: a session with CSRF token, or a bearer token with scopes and a rate limit."""

import math
from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db.models import F, Q
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from bellwether.common.problems import ProblemError
from bellwether.staff.models import ApiToken, StaffUser
from bellwether.staff.tokens import Scope, allows, find_token

READING = frozenset({"GET", "HEAD", "OPTIONS"})
WINDOW = timedelta(minutes=1)
BEARER = {"WWW-Authenticate": 'Bearer realm="bellwether"'}


class StaffRequest(HttpRequest):
    """A request whose user is known: what endpoints get after authentication."""

    user: StaffUser  # type: ignore[assignment]
    token: ApiToken | None


class BearerAuth(HttpBearer):
    """`Authorization: Bearer bw_…`. GET needs the scope read, everything else write."""

    openapi_description = "A token made with `bellwether user token add`."

    def authenticate(self, request: HttpRequest, token: str) -> StaffUser:
        """Return the token's user and put both on the request; raises a problem 401, 403 or 429."""
        now = timezone.now()
        found = find_token(token.strip(), now=now)
        if found is None:
            raise ProblemError(401, "The token is unknown, expired or revoked.", headers=BEARER)
        need_scope(found, Scope.READ if request.method in READING else Scope.WRITE)
        count_request(found, limit=settings.BELLWETHER_API_REQUESTS_PER_MINUTE, now=now)
        request.user = found.user
        cast(StaffRequest, request).token = found
        return found.user


class SessionAuth(APIKeyCookie):
    """The session of a signed-in browser; what changes something also needs the CSRF token in X-CSRFToken."""

    param_name = settings.SESSION_COOKIE_NAME

    def __call__(self, request: HttpRequest) -> StaffUser | None:
        """Return the signed-in user, None if nobody is; raises a problem 403 without CSRF token."""
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> StaffUser | None:
        """Return the signed-in user, None if nobody is; raises a problem 403 without CSRF token."""
        user = request.user
        if not isinstance(user, StaffUser) or not user.is_active:
            return None
        if request.method not in READING and check_csrf(request):
            raise ProblemError(403, "The CSRF token is missing or wrong: send it in the header X-CSRFToken.")
        cast(StaffRequest, request).token = None
        return user


STAFF_AUTH = [BearerAuth(), SessionAuth()]


def need_scope(token: ApiToken, needed: Scope) -> None:
    """Raise a problem 403 unless `token` has the scope `needed`."""
    if not allows(token.scopes, needed):
        has = ", ".join(token.scopes)
        raise ProblemError(403, f"This needs a token with the scope {needed}; {token.prefix}… has {has}.")


def count_request(token: ApiToken, *, limit: int, now: datetime) -> None:
    """Count one request of `token`; raises a problem 429 with Retry-After over `limit` requests in a minute.

    The count lives in the token's row and changes by conditional updates, so it holds across processes.
    """
    ours, opened = ApiToken.objects.filter(pk=token.pk), now - WINDOW
    within = ours.filter(window_started_at__gt=opened, window_requests__lt=limit)
    if within.update(window_requests=F("window_requests") + 1):
        return
    over = Q(window_started_at__isnull=True) | Q(window_started_at__lte=opened)
    if ours.filter(over).update(window_started_at=now, window_requests=1):
        return
    started = ours.values_list("window_started_at", flat=True).first() or now
    wait = max(1, math.ceil((started + WINDOW - now).total_seconds()))
    raise ProblemError(
        429,
        f"The token {token.prefix}… may make {limit} requests a minute. Try again in {wait} seconds.",
        headers={"Retry-After": str(wait)},
    )
