"""The digest: when it is due, what it says to whom, sent once."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from bellwether.common.progress import NoProgress
from bellwether.dashboard.digest import digest_day, since_day
from bellwether.dashboard.digest_mail import send_due_digests
from bellwether.health.models import HealthScore
from bellwether.notifications.services import notify
from bellwether.portfolio.models import Activity, Client
from bellwether.staff.models import Digest, DigestMail, StaffUser
from tests.conftest import Clients, Staff

# A Tuesday, 7:30 in UTC.
MORNING = datetime(2026, 6, 30, 7, 30, tzinfo=UTC)
MONDAY_TO_FRIDAY = frozenset({1, 2, 3, 4, 5})


class TestWhen:
    def due(self, digest: Digest, zone: str, now: datetime) -> date | None:
        user = StaffUser(digest=digest, time_zone=zone)
        return digest_day(user, now=now, workspace=UTC, working_days=MONDAY_TO_FRIDAY)  # type: ignore[arg-type]

    def test_from_seven_to_noon_of_the_own_zone(self) -> None:
        assert self.due(Digest.DAILY, "", MORNING) == date(2026, 6, 30)
        assert self.due(Digest.DAILY, "", MORNING.replace(hour=6)) is None
        assert self.due(Digest.DAILY, "", MORNING.replace(hour=12)) is None
        assert self.due(Digest.DAILY, "America/New_York", MORNING) is None
        assert self.due(Digest.DAILY, "America/New_York", MORNING.replace(hour=11)) == date(2026, 6, 30)
        assert self.due(Digest.DAILY, "Pacific/Auckland", MORNING.replace(hour=20)) == date(2026, 7, 1)

    def test_daily_on_working_days_weekly_on_mondays(self) -> None:
        sunday, monday = MORNING - timedelta(days=2), MORNING - timedelta(days=1)
        assert self.due(Digest.DAILY, "", sunday) is None
        assert self.due(Digest.WEEKLY, "", MORNING) is None
        assert self.due(Digest.WEEKLY, "", monday) == date(2026, 6, 29)
        assert self.due(Digest.OFF, "", monday) is None

    def test_looks_back_to_the_last_working_day_or_a_week(self) -> None:
        daily, weekly = StaffUser(digest=Digest.DAILY), StaffUser(digest=Digest.WEEKLY)
        assert since_day(daily, date(2026, 6, 30), MONDAY_TO_FRIDAY) == date(2026, 6, 29)
        assert since_day(daily, date(2026, 6, 29), MONDAY_TO_FRIDAY) == date(2026, 6, 26)
        assert since_day(weekly, date(2026, 6, 29), MONDAY_TO_FRIDAY) == date(2026, 6, 22)


def sweep(now: datetime = MORNING) -> dict[str, int]:
    return send_due_digests(now, clock=lambda: now, progress=NoProgress())


@pytest.fixture
def busy(staff: Staff, clients: Clients) -> Clients:
    """Fading fell from 61 to 58 and renews in 20 days; Ada has an overdue follow-up; Elsewhere, of Cleo, fell too."""
    StaffUser.objects.filter(pk__in=[staff.ada.pk, staff.cleo.pk]).update(digest=Digest.DAILY)
    for client in (clients.fading, clients.elsewhere):
        HealthScore.objects.create(
            client=client, scorecard="prd-015", date=date(2026, 6, 29), overall_score=61, status="MONITOR",
            coverage=1.0, created_at=MORNING, weights_version="x",
        )  # fmt: skip
        Client.objects.filter(pk=client.pk).update(
            current_health_score=58, health_status="AT_RISK", scored_on=date(2026, 6, 30)
        )
    Client.objects.filter(pk=clients.fading.pk).update(next_renewal_date=date(2026, 7, 20))
    Activity.objects.create(
        client=clients.fading, activity_type="CALL", subject="Check-in", performed_by=staff.ada,
        occurred_at=MORNING - timedelta(days=9), completed_at=MORNING - timedelta(days=9),
        follow_up_required=True, follow_up_date=date(2026, 6, 27), follow_up_text="Send the report",
    )  # fmt: skip
    notify(
        [staff.ada], kind="milestone", key="m", title="Sturdy reached First case", client=clients.sturdy, now=MORNING
    )
    return clients


class TestMail:
    def test_says_what_matters_to_its_reader_alone(self, busy: Clients) -> None:
        assert sweep() == {"sent": 2, "empty": 0, "failed": 0}
        ada, cleo = sorted(mail.outbox, key=lambda sent: sent.to)
        text = str(ada.body)
        assert "1 follow-up due, 1 overdue" in text
        assert "Send the report (3 days overdue)" in text
        assert "Fading (from 61 to 58, at risk)" in text
        assert "1 renewal in 30 days" in text
        assert "Fading (20 Jul, $120K)" in text
        assert "Sturdy reached First case" in text
        assert "Elsewhere" not in text
        assert "Fading" not in str(cleo.body)
        assert "Elsewhere (from 61 to 58, at risk)" in str(cleo.body)

    def test_can_be_stopped_with_one_click_and_names_no_client_in_its_subject(self, busy: Clients, client: Any) -> None:
        sweep()
        first = mail.outbox[0]
        assert first.subject == "Your digest, 30 Jun 2026"
        assert first.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        path = first.extra_headers["List-Unsubscribe"].strip("<>").partition("/digest/")[2]
        assert client.post(f"/digest/{path}").status_code == 200
        assert StaffUser.objects.get(email=first.to[0]).digest == Digest.OFF

    def test_comes_once(self, busy: Clients) -> None:
        sweep()
        assert sweep(MORNING + timedelta(minutes=5)) == {"sent": 0, "empty": 0, "failed": 0}
        assert len(mail.outbox) == 2

    def test_nothing_to_say_is_no_mail(self, staff: Staff) -> None:
        StaffUser.objects.filter(pk=staff.ada.pk).update(digest=Digest.DAILY)
        assert sweep() == {"sent": 0, "empty": 1, "failed": 0}
        assert mail.outbox == []

    def test_a_mail_that_cannot_be_handed_over_comes_later(self, busy: Clients, monkeypatch: Any) -> None:
        def refused(*given: Any) -> None:
            raise ConnectionRefusedError

        with monkeypatch.context() as patched:
            patched.setattr("django.core.mail.message.EmailMessage.send", refused)
            assert sweep()["failed"] == 2
        assert sweep(MORNING + timedelta(minutes=5)) == {"sent": 0, "empty": 0, "failed": 0}
        assert sweep(MORNING + timedelta(minutes=10))["sent"] == 2
        assert DigestMail.objects.filter(sent_at__isnull=False).count() == 2
        assert len({sent.extra_headers["Message-ID"] for sent in mail.outbox}) == 2
        assert timezone.is_aware(DigestMail.objects.latest("pk").claimed_at)
