"""Facts of alerts from the records and the lake, and the commands on top of them. Days are before TODAY, a Tuesday."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl
import pytest
import typer
from django.db import connection
from django.test.utils import CaptureQueriesContext
from typer.testing import CliRunner

from bellwether.alerts.commands import register
from bellwether.alerts.detecting import detect
from bellwether.alerts.frames import default_rules
from bellwether.alerts.models import AlertSetting
from bellwether.alerts.reading import read_facts
from bellwether.alerts.replays import replay_rules
from bellwether.common.errors import InvalidInputError
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client, ClientOutcome, Contact, ContractPeriod, SupportTicket, SurveyResponse
from bellwether.usage.lake import Lake
from bellwether.usage.models import FeatureAdoption
from tests.conftest import NOW, TODAY, Clients
from tests.health.use_facts import store_use, use
from tests.usage.daily_facts import back, keep_people, keep_user_day

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
USER = "f" * 64


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def at(days: int) -> datetime:
    return datetime.combine(ago(days), time(10), UTC)


def score(client: Client, days: int, value: int, **inputs: Any) -> None:
    HealthScore.objects.create(
        client=client, scorecard="prd-015", date=ago(days), overall_score=value, status="MONITOR", coverage=1,
        inputs=inputs, weights_version="prd-015 v1", created_at=NOW,
    )  # fmt: skip


@pytest.fixture
def told(clients: Clients, lake: Lake) -> Client:
    """Sturdy, at which every type of alert can be found."""
    client = clients.sturdy
    Client.objects.filter(pk=client.pk).update(payment_status="overdue", contract_start_date=ago(400))
    for days, value in ((40, 74), (10, 75), (6, 62), (3, 39), (0, 39)):
        score(client, days, value, payment_status="current" if days > 3 else "late")
    weekdays = {day: (20 if day < ago(6) else 8) for day in back(TODAY, 100)}
    keep_people(lake, "sturdy", weekdays, wau=20, mau=20)
    keep_people(lake, "fading", dict.fromkeys(back(TODAY, 100), 30), wau=30, mau=40)
    store_use(lake, [use("sturdy", ago(on), "Case Created", 3) for on in (90, 80, 70, 60, 50)])
    champion = Contact.objects.create(
        client=client, external_id="c", name="Kim Example", role="CHAMPION", user_key=USER, known_since=ago(300)
    )
    for days in (50, 45, 40):
        keep_user_day(lake, "sturdy", USER, ago(days), actions=10)
    keep_user_day(lake, "sturdy", USER, ago(20), actions=1)
    for number in range(4):
        SupportTicket.objects.create(client=client, external_id=f"t{number}", opened_at=at(2))
    SupportTicket.objects.create(client=clients.elsewhere, external_id="old", opened_at=at(200))
    SurveyResponse.objects.create(
        client=client, external_id="n", kind="NPS", score=4, contact=champion, answered_at=at(5)
    )
    ContractPeriod.objects.create(
        client=client, external_id="p", start_date=ago(325), end_date=TODAY + timedelta(days=40), licensed_user_count=50
    )
    FeatureAdoption.objects.create(
        client=client, feature_key="case_creation", is_licensed=True, licensed_at=ago(400), is_configured=True
    )
    return client


def found(client: Client, *, days: int = 60) -> dict[str, pl.DataFrame]:
    facts = read_facts(ago(days), TODAY, today=TODAY)
    rows = detect(facts, default_rules(facts.clients["client_id"]), first=ago(days), last=TODAY)
    mine = rows.filter(pl.col("client_id") == client.pk.hex)
    return {str(name): part for (name,), part in mine.partition_by("alert_type", as_dict=True).items()}


def test_every_type_is_found_in_records_and_facts(told: Client) -> None:
    rows = found(told)
    opened = {name: sorted(part["opened_on"]) for name, part in rows.items()}
    assert opened == {
        "HEALTH_DROP": [ago(6)],  # 75 to 62
        "CRITICAL_HEALTH": [ago(3)],  # 39 is under 40
        # Friday: five working days of 20, 20, 8, 8, 8 give 12.8; 19 of 20 and 3 of 8 in 22 give 18.36: -30.3 %.
        "USAGE_DECLINE": [ago(4)],
        "KEY_USER_INACTIVE": [ago(26), ago(6)],  # fourteen days after the logins 40 and 20 days ago
        "CHAMPION_RISK": [ago(10)],  # 1 action in 30 days after 30; the day before it was 11 after 20
        "SUPPORT_SPIKE": [ago(2)],
        "NPS_DETRACTOR": [ago(5)],
        "PAYMENT_ISSUE": [ago(3)],
        "RENEWAL_APPROACHING": [ago(50), ago(20)],  # it is in 40 days
        "FEATURE_ABANDONED": [ago(20)],  # last used 50 days ago
        "CONTRACT_UTILIZATION_LOW": [ago(41)],  # 20 of 50 seats; the first 30 days are full 70 days ago
    }
    assert rows["PAYMENT_ISSUE"]["severity"].to_list() == ["CRITICAL"]  # late when scored, overdue today
    assert rows["NPS_DETRACTOR"]["related_type"].to_list() == ["contact"]
    assert json.loads(rows["HEALTH_DROP"]["evidence"][0])["from"] == 75


def test_missing_sources_are_no_decline(clients: Clients, lake: Lake) -> None:
    facts = read_facts(ago(60), TODAY, today=TODAY)
    rows = detect(facts, default_rules(facts.clients["client_id"]), first=ago(60), last=TODAY)
    assert set(rows["alert_type"]) <= {"RENEWAL_APPROACHING"}


def test_some_clients_alone_have_the_same_facts(told: Client) -> None:
    everybody = read_facts(ago(60), TODAY, today=TODAY).of([told.pk.hex])
    alone = read_facts(ago(60), TODAY, today=TODAY, clients=[told.pk.hex])
    rules = default_rules([told.pk.hex])
    assert detect(alone, rules, first=ago(60), last=TODAY).equals(detect(everybody, rules, first=ago(60), last=TODAY))


def test_the_number_of_queries_does_not_depend_on_clients(told: Client, clients: Clients) -> None:
    read_facts(ago(60), TODAY, today=TODAY)
    with CaptureQueriesContext(
        connection,
    ) as few:
        read_facts(ago(60), TODAY, today=TODAY)
    for number in range(20):
        one = Client.objects.create(organization_id=f"more-{number}", name=f"More {number}")
        score(one, 1, 50)
        SupportTicket.objects.create(client=one, external_id="t", opened_at=at(3))
    with CaptureQueriesContext(connection) as many:
        read_facts(ago(60), TODAY, today=TODAY)
    assert len(many) == len(few) <= 20


def test_a_settled_renewal_and_the_next_term(clients: Clients, lake: Lake) -> None:
    client = clients.sturdy
    ContractPeriod.objects.create(client=client, external_id="1", start_date=ago(380), end_date=ago(16))
    ContractPeriod.objects.create(client=client, external_id="2", start_date=ago(15), end_date=TODAY + timedelta(350))
    ClientOutcome.objects.create(client=client, external_id="o", outcome="RENEWED", date=ago(30))
    terms = read_facts(ago(90), TODAY, today=TODAY).terms.filter(pl.col("client_id") == client.pk.hex)
    assert terms.select("starts_on", "renews_on", "settled_on").rows() == [
        (ago(380), ago(16), ago(30)),
        (ago(15), TODAY + timedelta(350), None),
    ]


class TestReplay:
    def test_a_candidate_stands_beside_the_rules_in_force(self, told: Client) -> None:
        asked: dict[str, Any] = {"now": NOW, "types": ["HEALTH_DROP"], "first": ago(20), "last": TODAY}
        done = replay_rules(**asked, thresholds={"HEALTH_DROP": {"points": 15}})
        assert done.candidate is not None
        assert (done.present.total.alerts, done.candidate.total.alerts) == (1, 1)
        assert done.present.episodes["opened_on"].to_list() == [ago(6)]
        assert done.candidate.episodes["opened_on"].to_list() == [ago(3)]  # 75 is in the seven days before
        AlertSetting.objects.create(
            scope="WORKSPACE", alert_type="HEALTH_DROP", is_enabled=False, created_at=NOW, updated_at=NOW
        )
        off = replay_rules(**asked, thresholds={"HEALTH_DROP": {"points": 10}})
        assert off.candidate is not None
        assert (off.present.total.alerts, off.candidate.total.alerts) == (0, 1)

    def test_wrong_questions_are_refused(self, clients: Clients, lake: Lake) -> None:
        for given in (
            {"types": ["HEALTH"]},
            {"first": TODAY, "last": ago(3)},
            {"last": TODAY + timedelta(3)},
            {"thresholds": {"HEALTH_DROP": {"points": 0}}},
            {"thresholds": {"HEALTH_DROP": {"pints": 3}}},
        ):
            with pytest.raises(InvalidInputError):
                replay_rules(now=NOW, **given)  # type: ignore[arg-type]


class TestCommands:
    @pytest.fixture
    def app(self) -> typer.Typer:
        app = typer.Typer()
        register(app)
        return app

    def test_replay_prints_the_load_and_the_candidate(self, told: Client, app: typer.Typer) -> None:
        words = ["alerts", "replay", "--type", "HEALTH_DROP", "--from", str(ago(20)), "--to", str(TODAY)]
        text = CliRunner().invoke(app, [*words, "--set", "points=15"])
        assert text.exit_code == 0, text.output
        assert "1 alerts at 1 clients" in text.output
        assert "With the candidate's thresholds:" in text.output
        data = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
        assert (data["present"]["total"]["alerts"], data["present"]["first"]) == (1, str(ago(20)))
        earlier = json.loads(CliRunner().invoke(app, [*words[:4], "--from", str(ago(90)), *words[6:], "--json"]).stdout)
        assert earlier["present"]["first"] == str(ago(26))  # scores begin 40 days ago, and 14 days settle

    def test_wrong_words_name_what_is_wrong(self, told: Client, app: typer.Typer) -> None:
        for words, said in (
            (["replay", "--set", "points=15"], "exactly one --type"),
            (["replay", "--type", "NO_SUCH"], "no type of alert"),
            (["replay", "--type", "HEALTH_DROP", "--set", "points=many"], "NAME=NUMBER"),
            (["replay", "--label", "churn_next_90d"], "belong together"),
            (["detect"], "--dry-run"),
        ):
            done = CliRunner().invoke(app, ["alerts", *words])
            assert done.exit_code == 2
            assert said in " ".join(done.output.replace("│", " ").split())

    def test_detect_lists_what_is_open_and_stores_nothing(
        self, told: Client, app: typer.Typer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
        done = CliRunner().invoke(app, ["alerts", "detect", "--dry-run", "--type", "NPS_DETRACTOR"])
        assert done.exit_code == 0, done.output
        assert "NPS_DETRACTOR" in done.output
        assert "1 open." in done.output
        assert told.alerts.count() == 0
