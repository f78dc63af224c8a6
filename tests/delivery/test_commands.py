"""`bellwether delivery`, and what the doctor says about it."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from bellwether.common.encryption import encrypt
from bellwether.common.errors import InvalidInputError
from bellwether.config.doctor import examine
from bellwether.delivery.commands import register
from bellwether.delivery.models import Channel, Message
from bellwether.delivery.outbox import Draft, send
from tests.conftest import NOW, Staff
from tests.delivery.receivers import Receiver, Said


def run(*words: str) -> str:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, ["delivery", *words], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def given_up(staff: Staff) -> Message:
    send([Draft(key="a", topic="alert", title="Fading fell", user_id=staff.ada.pk, medium="EMAIL")], now=NOW)
    Message.objects.update(state="FAILED", last_error="Refused (550).", attempts=4)
    return Message.objects.get()


def test_what_was_given_up_is_listed_and_sent_again(staff: Staff) -> None:
    message = given_up(staff)
    listed = run("list")
    assert f"{message.pk}  EMAIL  Ada Example  Fading fell  4 attempts  Refused (550).\n1 in all." in listed
    assert "0 in all." in run("list", "--state", "held")
    assert run("resend") == "1 on the way again.\n"
    assert run("resend", str(message.pk)) == "0 on the way again.\n"
    assert Message.objects.get().state == "PENDING"


@pytest.mark.parametrize("words", [["list", "--state", "LOST"], ["resend", "999"], ["test", "#nowhere"]])
def test_what_there_is_not_is_said(words: list[str], db: None) -> None:
    with pytest.raises(InvalidInputError, match=r"There is no|names no"):
        run(*words)


def test_a_test_says_what_came_back(staff: Staff, receiver: Receiver) -> None:
    secret = encrypt(json.dumps({"url": receiver.url}))
    Channel.objects.create(kind="TEAMS_WORKFLOW", name="Team", secret=secret, created_at=NOW)
    receiver.answers = [Said(202, "")]
    assert run("test", "Team") == "It was taken.\n"
    Message.objects.all().delete()
    receiver.answers = [Said(404)]
    with pytest.raises(InvalidInputError, match=r"does not take messages any more \(404\)"):
        run("test", "Team")
    assert run("test", "ada@bellwether.example") == "It was taken.\n"


def test_the_doctor_names_messages_that_were_given_up(staff: Staff) -> None:
    def found() -> Any:
        return next(one for one in examine(NOW) if one.subject == "delivery")

    assert found().cure == ""
    given_up(staff)
    assert found().state == "1 message could not be delivered"
    assert "bellwether delivery resend" in found().cure
