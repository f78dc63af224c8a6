"""Receivers on this machine, and channels that lead to them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bellwether.delivery.channels import ChannelForm, add_channel
from bellwether.delivery.models import Channel
from tests.conftest import NOW, Staff
from tests.delivery.receivers import MailServer, Receiver, http_receiver, mail_server

AddChannel = Callable[..., Channel]


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with http_receiver() as found:
        settings.BELLWETHER_WEBHOOK_HOSTS = ["127.0.0.1"]
        settings.BELLWETHER_SLACK_API_URL = f"{found.url}/slack/api"
        yield found


@pytest.fixture
def mail_box(settings: Any) -> Iterator[MailServer]:
    with mail_server() as found:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = found.host, found.port, 5
        yield found


@pytest.fixture
def add(staff: Staff, receiver: Receiver) -> AddChannel:
    """Add a channel of the workspace that leads to the receiver."""

    def adding(kind: str = "SLACK_WEBHOOK", own: bool = False, path: str = "/hook", **values: Any) -> Channel:
        bot = kind == "SLACK_BOT"
        given = {"name": "#cs-west", "secret": "xoxb-1-secret" if bot else receiver.url + path, "target": "C1"}
        actor = staff.ada if own else staff.adam
        return add_channel(kind, ChannelForm(**(given | values)), own=own, actor=actor, now=NOW)[0]

    return adding
