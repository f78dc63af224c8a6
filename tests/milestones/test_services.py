"""Milestones are found in all of the past, kept once, told while they are news, and celebrated once."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bellwether.common.errors import InvalidInputError
from bellwether.milestones.definitions import definitions, draft_from_data, save_definition
from bellwether.milestones.mail import NAMES, check_template, draft
from bellwether.milestones.models import Milestone, MilestoneProgress
from bellwether.milestones.rules import Kind
from bellwether.milestones.selectors import MilestoneQuery, coming, rules_and_names, steps_of
from bellwether.milestones.services import celebrate, detect_milestones
from bellwether.notifications.models import Notification
from bellwether.portfolio.changes import undo
from bellwether.portfolio.models import Client, ClientOutcome, ContractPeriod
from bellwether.staff.models import AuditEvent
from bellwether.usage.kept import FACTS, keep_from
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.use_facts import store_use, use


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


@pytest.fixture
def used(clients: Clients, lake: Lake) -> Clients:
    """Sturdy: 99 cases 40 days ago, 1 three days ago. Fading: 5 cases 3 days ago. Gone: a case after it left."""
    store_use(lake, [
        use("sturdy", ago(40), "Case Created", 99), use("sturdy", ago(3), "Case Created"),
        use("fading", ago(3), "Case Created", 5), use("gone", date(2026, 5, 9), "Case Created"),
        use("sturdy", ago(400), "Page Viewed", is_service=True),
    ])  # fmt: skip
    Client.objects.update(contract_start_date=ago(60))
    return clients


def days(key: str) -> dict[str, tuple[date, bool]]:
    rows = Milestone.objects.filter(milestone_type=key).select_related("client")
    return {row.client.name: (row.achieved_on, row.exact) for row in rows}


class TestDetecting:
    def test_finds_the_past_once(self, used: Clients) -> None:
        done = detect_milestones(now=NOW)
        assert days("first_case") == {"Sturdy": (ago(40), True), "Fading": (ago(3), True)}
        assert days("cases_100") == {"Sturdy": (ago(3), True)}
        assert done.new == Milestone.objects.count()
        again = detect_milestones(now=NOW + timedelta(hours=1))
        assert (again.new, again.earlier, again.kept, again.progress, again.told) == (0, 0, 0, 0, 0)

    def test_tells_the_csm_what_is_news_and_records_the_rest_silently(self, used: Clients, staff: Staff) -> None:
        detect_milestones(now=NOW)
        told = set(Notification.objects.filter(kind="milestone").values_list("user__first_name", "title"))
        assert told == {("Ada", "Sturdy created its 100th case"), ("Ada", "Fading created its first case")}

    def test_a_late_event_moves_the_day_back_unless_it_was_celebrated(
        self, used: Clients, staff: Staff, lake: Lake
    ) -> None:
        detect_milestones(now=NOW)
        celebrate(Milestone.objects.get(milestone_type="cases_100"), actor=staff.ada, now=NOW)
        store_use(lake, [
            use("sturdy", ago(40), "Case Created", 99), use("sturdy", ago(39), "Case Created", 3),
            use("fading", ago(41), "Case Created"), use("fading", ago(3), "Case Created", 5),
        ])  # fmt: skip
        done = detect_milestones(now=NOW)
        assert (done.new, done.earlier, done.kept, done.told) == (0, 1, 1, 0)
        assert days("first_case")["Fading"] == (ago(41), True)
        assert days("cases_100")["Sturdy"] == (ago(3), True)
        assert Milestone.objects.get(milestone_type="first_case", client=used.fading).detail["moved_from"] == str(
            ago(3)
        )

    def test_what_was_reached_stays_reached(self, used: Clients, lake: Lake, staff: Staff) -> None:
        detect_milestones(now=NOW)
        store_use(lake, [use("sturdy", ago(1), "Page Viewed")])
        row = next(one for one in definitions() if one.key == "first_case")
        rule = {"kind": "uses", "events": ["Never"], "times": 1}
        data = {"name": row.name, "sentence": row.sentence, "rule": rule}
        changed, _ = save_definition(draft_from_data(data), key=row.key, actor=staff.adam, now=NOW)
        assert changed.version == 2
        detect_milestones(now=NOW)
        assert days("first_case")["Sturdy"] == (ago(40), True)

    def test_folded_months_say_on_or_before(self, used: Clients, lake: Lake) -> None:
        """All of May is folded: the first case is on its day, the 99th then or until the end of the month."""
        keep_from(lake, FACTS, date(2026, 6, 1))
        store_use(lake, [use("sturdy", date(2026, 5, 21), "Case Created", 99), use("sturdy", ago(3), "Page Viewed")])
        detect_milestones(now=NOW)
        assert days("first_case")["Sturdy"] == (date(2026, 5, 21), True)
        assert days("cases_10")["Sturdy"] == (date(2026, 5, 31), False)

    def test_renewals_are_outcomes_and_terms_without_one(self, clients: Clients, lake: Lake) -> None:
        for start in (date(2023, 7, 1), date(2024, 7, 1), date(2025, 7, 1)):
            ContractPeriod.objects.create(client=clients.sturdy, start_date=start)
        ClientOutcome.objects.create(client=clients.sturdy, outcome="RENEWED", date=date(2025, 6, 25))
        detect_milestones(now=NOW)
        assert days("renewal_1") == {"Sturdy": (date(2024, 7, 1), True)}
        assert days("renewal_2") == {"Sturdy": (date(2025, 6, 25), True)}

    def test_reads_no_client_by_itself(self, used: Clients, staff: Staff) -> None:
        with CaptureQueriesContext(connection) as few:
            detect_milestones(now=NOW)
        Milestone.objects.all().delete()
        for n in range(40):
            Client.objects.create(
                organization_id=f"c{n}", name=f"C{n}", csm_user=staff.ada, contract_start_date=ago(60)
            )
        with CaptureQueriesContext(connection) as many:
            detect_milestones(now=NOW)
        assert len(many) <= len(few)  # the first run also makes the definitions

    def test_what_comes_next_is_kept_for_clients_that_are_still_there(self, used: Clients, staff: Staff) -> None:
        detect_milestones(now=NOW)
        known = rules_and_names()
        steps = {row.client.name: steps_of(row, known) for row in coming(staff.ada, MilestoneQuery())}
        assert set(steps) == {"Sturdy", "Fading", "Newborn"}
        soon = {step.key: (step.text, step.expected_on) for step in steps["Fading"]}
        assert soon["cases_10"] == ("5 of 10", TODAY + timedelta(days=30))  # 5 in 30 days
        assert soon["days_90"] == ("60 of 90 days", TODAY + timedelta(days=30))
        assert not MilestoneProgress.objects.filter(client=used.gone).exists()


class TestCelebrating:
    def test_once_with_undo_and_a_line_in_the_log(self, used: Clients, staff: Staff) -> None:
        detect_milestones(now=NOW)
        found = Milestone.objects.get(milestone_type="cases_100")
        row, change = celebrate(found, actor=staff.ada, now=NOW)
        assert (row.celebrated_at, row.celebrated_by) == (NOW, staff.ada)
        later, nothing = celebrate(found, actor=staff.vera, now=NOW + timedelta(hours=1))
        assert (later.celebrated_by, nothing) == (staff.ada, None)
        assert AuditEvent.objects.filter(action="milestone.celebrated", client_id=used.sturdy.pk).count() == 1
        undo(staff.ada, change.pk, today=TODAY, now=NOW)
        found.refresh_from_db()
        assert found.celebrated_at is None

    def test_mails_are_made_in_a_sandbox(self) -> None:
        values = {name: f"<{name}>" for name in NAMES}
        mail = draft(Kind.RENEWAL, values, text="Hi {{ contact }},\n\n{{ sentence }} & more")
        assert mail.text == "Hi <contact>,\n\n<sentence> & more"
        assert "&lt;sentence&gt; &amp; more</p>" in mail.html
        assert mail.mailto("mara@sturdy.example").startswith("mailto:mara@sturdy.example?subject=Thank%20you")
        attack = "{{ client.__class__.__mro__ }}"
        assert "cannot be used" in check_template(attack)
        assert draft(Kind.USES, values, text=attack).text.startswith("Hello <contact>")
        assert check_template("{{ phone }}")
        assert check_template("{% if contact %}Hello {{ contact }}{% endif %}") == ""

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": ""}, "name"),
            ({"sentence": "Somebody went live"}, "sentence"),
            ({"rule": {"kind": "activity", "activity": "PARTY", "times": 1}}, "activity"),
            ({"mail_text": "{{ client"}, "mail_text"),
        ],
        ids=["name", "sentence", "rule", "mail"],
    )
    def test_a_definition_that_cannot_be_used_names_its_field(self, changes: dict[str, Any], field: str) -> None:
        good = {"name": "Live", "sentence": "{client} is live", "rule": {"kind": "go_live"}}
        with pytest.raises(InvalidInputError) as found:
            draft_from_data(good | changes)
        assert list(found.value.errors) == [field]


def test_the_job_waits_for_an_hour_or_a_change(used: Clients, staff: Staff) -> None:
    from bellwether.common.jobs import run_job
    from bellwether.common.models import JobRun
    from bellwether.milestones import jobs  # noqa: F401 (declares the job)
    from tests.dashboard.portfolio_cast import give_scores

    def ran(at: datetime) -> bool:
        before = JobRun.objects.filter(name="milestones").count()
        run_job("milestones", now=at)
        return JobRun.objects.filter(name="milestones").count() > before

    assert not ran(NOW)  # no scores yet
    give_scores(used, TODAY, NOW)
    assert ran(NOW)
    assert not ran(NOW + timedelta(minutes=30))
    row = definitions()[0]
    data = {"name": "Another name", "sentence": row.sentence, "rule": row.rule}
    save_definition(draft_from_data(data), key=row.key, actor=staff.adam, now=NOW + timedelta(minutes=31))
    assert ran(NOW + timedelta(minutes=32))
    assert not ran(NOW + timedelta(minutes=50))
    assert ran(NOW + timedelta(minutes=95))
    runs = JobRun.objects.filter(name="milestones").order_by("started_at")
    assert [run.counts["whole"] for run in runs] == [1, 1, 0]


def test_an_hourly_run_finds_the_same_as_a_whole_one(used: Clients) -> None:
    """Sturdy scores 90 for 36 days; a row of 30 days ended 6 days ago, on the 30th of its scores."""
    from tests.dashboard.portfolio_cast import give_scores

    give_scores(used, TODAY, NOW)
    row = next(one for one in definitions() if one.key == "healthy_90")
    row.rule = {"kind": "health_streak", "at_least": 80, "days": 30}
    row.save()
    found = []
    for whole in (False, True):
        Milestone.objects.all().delete()
        detect_milestones(now=NOW, whole=whole)
        found.append(sorted(Milestone.objects.values_list("client__name", "milestone_type", "achieved_on", "exact")))
    assert found[0] == found[1]
    assert ("Sturdy", "healthy_90", ago(6), False) in found[0]
