"""Adding and deactivating members of staff, as a service and as commands."""

import pytest
import typer
from typer.testing import CliRunner

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.staff.commands import register
from bellwether.staff.models import ApiToken, AuditEvent, Role, StaffUser
from bellwether.staff.users import UnknownUserError, add_user, deactivate_user
from tests.conftest import NOW, Staff


class TestAddUser:
    def test_makes_a_one_time_password_when_none_is_given(self, db: None) -> None:
        user, password = add_user(
            "Grace@Bellwether.Example ",
            name="Grace Hopper",
            role="CSM",
            team="West",
            password=None,
            actor=None,
            now=NOW,
        )
        assert password is not None
        assert user.check_password(password)
        assert (user.email, user.first_name, user.last_name) == ("grace@bellwether.example", "Grace", "Hopper")
        assert user.team is not None
        assert user.team.name == "West"
        assert password not in str(AuditEvent.objects.get(action="user.added").detail)

    def test_refuses_a_taken_address(self, staff: Staff) -> None:
        with pytest.raises(ConflictError, match="already"):
            add_user(staff.ada.email, name="Ada", role="CSM", team=None, password=None, actor=None, now=NOW)

    def test_names_every_unusable_field(self, db: None) -> None:
        with pytest.raises(InvalidInputError) as error:
            add_user("nobody", name="", role="BOSS", team=None, password="12345", actor=None, now=NOW)
        assert set(error.value.errors) == {"email", "name", "role", "password"}


class TestDeactivateUser:
    def test_keeps_the_last_administrator(self, staff: Staff) -> None:
        with pytest.raises(ConflictError, match="last active administrator"):
            deactivate_user(staff.adam.email, actor=None, now=NOW)

    def test_knows_only_members_of_staff(self, staff: Staff) -> None:
        with pytest.raises(UnknownUserError, match="user list"):
            deactivate_user("nobody@bellwether.example", actor=None, now=NOW)

    def test_is_done_and_logged_once(self, staff: Staff) -> None:
        deactivate_user("ADA@bellwether.example", actor=staff.adam, now=NOW)
        deactivate_user("ada@bellwether.example", actor=staff.adam, now=NOW)
        assert not StaffUser.objects.get(pk=staff.ada.pk).is_active
        assert AuditEvent.objects.filter(action="user.deactivated").count() == 1


def run(*words: str, stdin: str = "") -> tuple[int, str]:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, list(words), input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


class TestCommands:
    def test_lead_from_a_user_to_a_revoked_token(self, db: None) -> None:
        email = "grace@bellwether.example"
        status, output = run(
            "user",
            "add",
            email,
            "--name",
            "Grace Hopper",
            "--role",
            "admin",
            "--password-stdin",
            stdin="long-enough-1\n",
        )
        assert (status, output) == (0, f"Added {email} as Administrator.\n")
        assert StaffUser.objects.get().role == Role.ADMIN
        assert StaffUser.objects.get().check_password("long-enough-1")
        assert "1 users, 1 active." in run("user", "list")[1]
        secret = run("user", "token", "add", email, "--name", "nightly", "--scope", "write")[1].splitlines()[0]
        assert secret[:12] in run("user", "token", "list", email)[1]
        assert run("user", "token", "revoke", secret[:12])[0] == 0
        assert ApiToken.objects.get().revoked_at is not None
        assert "is whole: 3 rows" in run("audit", "verify")[1]

    def test_ask_for_a_password_that_is_there(self, db: None) -> None:
        assert run("user", "add", "x@bellwether.example", "--name", "X", "--password-stdin")[0] == 2
