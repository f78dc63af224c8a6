"""API tokens: kept as a hash, limited by scope, expiry, revocation and their user."""

import hashlib
from datetime import timedelta

import pytest
from django.test import TestCase

from bellwether.common.errors import InvalidInputError
from bellwether.staff.models import ApiToken, AuditEvent, StaffUser
from bellwether.staff.tokens import Scope, allows, find_token, issue_token, revoke_tokens
from tests.conftest import NOW, Staff


def issue(user: StaffUser, *scopes: str, days: int | None = None) -> tuple[ApiToken, str]:
    expires_at = NOW + timedelta(days=days) if days else None
    return issue_token(user, name="reports", scopes=scopes or ["read"], expires_at=expires_at, actor=None, now=NOW)


class TestAllows:
    @pytest.mark.parametrize(
        ("scopes", "needed", "allowed"),
        [
            (["read"], Scope.READ, True),
            (["read"], Scope.WRITE, False),
            (["write"], Scope.READ, True),
            (["write"], Scope.ADMIN, False),
            (["admin"], Scope.WRITE, True),
            ([], Scope.READ, False),
            (["everything"], Scope.READ, False),
        ],
    )
    def test_includes_the_lesser_scopes(self, scopes: list[str], needed: Scope, allowed: bool) -> None:
        assert allows(scopes, needed) is allowed


class TestIssueToken:
    def test_keeps_the_hash_and_a_visible_beginning_only(self, staff: Staff) -> None:
        token, secret = issue(staff.ada)
        assert secret.startswith("bw_")
        assert len(secret) == 46
        assert token.prefix == secret[:12]
        assert token.token_hash == hashlib.sha256(secret.encode()).hexdigest()
        assert secret not in str(ApiToken.objects.values().get())

    def test_is_written_to_the_access_log_without_the_secret(self, staff: Staff) -> None:
        _, secret = issue(staff.ada, "write")
        event = AuditEvent.objects.get(action="token.issued")
        assert event.detail["scopes"] == ["write"]
        assert secret not in str(event.detail)

    def test_names_every_unusable_field(self, staff: Staff) -> None:
        staff.cleo.is_active = False
        with pytest.raises(InvalidInputError) as error:
            issue_token(staff.cleo, name=" ", scopes=["all"], expires_at=NOW, actor=None, now=NOW)
        assert set(error.value.errors) == {"name", "scopes", "expires_at", "user"}
        assert not ApiToken.objects.exists()


class TestFindToken:
    def test_returns_the_token_and_its_user_in_one_query(self, staff: Staff) -> None:
        token, secret = issue(staff.ada)
        find_token(secret, now=NOW)
        with TestCase().assertNumQueries(1):
            found = find_token(secret, now=NOW)
            assert found == token
            assert found.user == staff.ada

    @pytest.mark.parametrize("wrong", ["", "bw_", "bw_unknown", "Bearer x", "\x00", "bw_\udc80"])
    def test_knows_no_other_text(self, staff: Staff, wrong: str) -> None:
        issue(staff.ada)
        assert find_token(wrong, now=NOW) is None

    def test_stops_at_the_expiry(self, staff: Staff) -> None:
        _, secret = issue(staff.ada, days=1)
        assert find_token(secret, now=NOW + timedelta(hours=23)) is not None
        assert find_token(secret, now=NOW + timedelta(days=1)) is None

    def test_stops_when_revoked(self, staff: Staff) -> None:
        token, secret = issue(staff.ada)
        revoke_tokens(token.prefix, actor=staff.adam, now=NOW)
        assert find_token(secret, now=NOW) is None
        assert AuditEvent.objects.get(action="token.revoked").actor == staff.adam.email

    def test_stops_when_the_user_is_deactivated(self, staff: Staff) -> None:
        _, secret = issue(staff.ada)
        StaffUser.objects.filter(pk=staff.ada.pk).update(is_active=False)
        assert find_token(secret, now=NOW) is None

    def test_notes_the_use_once_a_minute(self, staff: Staff) -> None:
        token, secret = issue(staff.ada)
        for seconds in (0, 59, 60, 61):
            find_token(secret, now=NOW + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used_at == NOW + timedelta(seconds=60)


class TestRevokeTokens:
    def test_wants_exactly_one_match(self, staff: Staff) -> None:
        issue(staff.ada)
        issue(staff.ada)
        for prefix in ("bw_", "", "x", "bw_nothing"):
            with pytest.raises(InvalidInputError, match="token list"):
                revoke_tokens(prefix, actor=None, now=NOW)
        assert not ApiToken.objects.filter(revoked_at__isnull=False).exists()
