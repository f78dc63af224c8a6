"""API tokens: `bw_` and 43 characters, shown once, kept as SHA-256."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Q, QuerySet

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.staff.audit import record
from bellwether.staff.models import ApiToken, StaffUser

PREFIX = "bw_"
SHOWN = 12
LAST_USED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may do; each scope includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


RANK = {scope: rank for rank, scope in enumerate(Scope)}


def allows(scopes: Iterable[str], needed: Scope) -> bool:
    """Return whether a token with `scopes` may do what `needed` covers: admin includes write, write includes read."""
    return any(RANK[Scope(scope)] >= RANK[needed] for scope in scopes if scope in RANK)


def issue_token(
    user: StaffUser,
    *,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None,
    actor: StaffUser | None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """Return a new token of `user` and its secret, which nobody can show again.

    Raises InvalidInputError for an empty name, no or an unknown scope, a past expiry or a deactivated user.
    """
    wanted = sorted(set(scopes), key=lambda scope: list(RANK).index(Scope(scope)) if scope in RANK else -1)
    problems: dict[str, str] = {}
    if not name.strip() or len(name) > 80:
        problems["name"] = "needs 1 to 80 characters that say what the token is for"
    unknown = [scope for scope in wanted if scope not in RANK]
    if unknown or not wanted:
        instead = f", not {', '.join(unknown)}" if unknown else ""
        problems["scopes"] = f"needs one or more of {', '.join(Scope)}{instead}"
    if expires_at is not None and expires_at <= now:
        problems["expires_at"] = "lies in the past"
    if not user.is_active:
        problems["user"] = f"{user.email} is deactivated"
    if problems:
        raise InvalidInputError(_sentence("The token cannot be made", problems), problems)
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=name.strip(),
            prefix=secret[:SHOWN],
            token_hash=digest(secret),
            scopes=wanted,
            created_at=now,
            expires_at=expires_at,
        )
        detail = {"user": user.email, "prefix": token.prefix, "scopes": wanted, "expires_at": expires_at}
        record(actor=actor, action="token.issued", object_type="token", object_id=token.pk, detail=detail, now=now)
    return token, secret


def find_token(secret: str, *, now: datetime) -> ApiToken | None:
    """Return the token with this `secret` (its user at hand) if it is valid at `now`, else None.

    Valid: neither revoked nor expired, and the user is active. Notes the use, at most once a minute.
    """
    if not secret.startswith(PREFIX):
        return None
    token = ApiToken.objects.select_related("user").filter(valid_at(now), token_hash=digest(secret)).first()
    if token is not None and (token.last_used_at is None or now - token.last_used_at >= LAST_USED_EVERY):
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def valid_at(now: datetime) -> Q:
    """Return the condition for tokens that work at `now`."""
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=now)
    return unexpired & Q(revoked_at__isnull=True, user__is_active=True)


def revoke_tokens(prefix: str, *, actor: StaffUser | None, now: datetime) -> ApiToken:
    """Revoke the one unrevoked token that people recognise by `prefix` (or its id's text) and return it.

    Raises InvalidInputError if no token or more than one begins like that.
    """
    found = list(open_tokens().filter(prefix__startswith=prefix)[:2]) if prefix.startswith(PREFIX) else []
    if len(found) != 1:
        reason = "More than one token begins" if found else "No unrevoked token begins"
        raise InvalidInputError(f"{reason} with {prefix!r}. `bellwether user token list` shows the prefixes.")
    token = found[0]
    with transaction.atomic():
        if not ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=now):
            raise ConflictError(f"The token {token.prefix} was revoked meanwhile.")
        token.revoked_at = now
        detail = {"user": token.user.email, "prefix": token.prefix}
        record(actor=actor, action="token.revoked", object_type="token", object_id=token.pk, detail=detail, now=now)
    return token


def open_tokens() -> QuerySet[ApiToken]:
    """Return the tokens that are not revoked, with their users."""
    return ApiToken.objects.select_related("user").filter(revoked_at__isnull=True).order_by("created_at")


def digest(secret: str) -> str:
    """Return the SHA-256 of `secret`; a token has 256 bits of chance, so no slow hash is needed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _sentence(start: str, problems: dict[str, str]) -> str:
    return f"{start}: " + "; ".join(f"{field} {problem}" for field, problem in problems.items()) + "."
