"""Training as a service: what is stored, when it comes into use, and what stays as it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from typer.testing import CliRunner

from bellwether.churn import commands, jobs, training
from bellwether.churn.additive import AdditiveModel
from bellwether.churn.card import Card, Decision
from bellwether.churn.fitting import expert_model, expert_renewal
from bellwether.churn.learning import History, Incumbent, Learned, NotEnoughHistoryError
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.versions import active_model, roll_back
from bellwether.common.jobs import request_job, run_job
from bellwether.common.models import JobRun, JobState
from bellwether.health.configs import main_scorecard
from bellwether.health.models import HealthScore
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff.models import AuditEvent
from bellwether.usage.lake import Lake
from tests.churn.predictions import feature_rows
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db
CLI = CliRunner()


class Learning:
    """Stands in for the fit: says what it is told, and notes what it was given."""

    def __init__(self) -> None:
        self.better, self.missing = True, ""
        self.incumbents: list[Incumbent] = []

    def __call__(self, history: History, incumbent: Incumbent, **_: Any) -> Learned:
        self.incumbents.append(incumbent)
        if self.missing:
            raise NotEnoughHistoryError(self.missing)
        days = history.rows["as_of"]
        card = Card("ok", "12 clients left in the months that the test covers.", first=str(days.min()),
                    last=str(days.max()), until=str(history.until), rows=history.rows.height, clients=4,
                    churned=12)  # fmt: skip
        decision = Decision(self.better, "Hazard model foretold better." if self.better else "Not clearly better.")
        hazard = AdditiveModel(expert_model().features, expert_model().intervals, offset=0.5)
        return Learned("hazard", hazard, expert_renewal(), card, decision)


@pytest.fixture
def learning(monkeypatch: pytest.MonkeyPatch, clients: Clients) -> Learning:
    def read(days: list[date], *, now: datetime, **_: Any) -> Any:
        import polars as pl

        living = list(Client.objects.active().order_by("pk"))
        return pl.concat([feature_rows([]), *(feature_rows(living, day) for day in days)])

    found = Learning()
    monkeypatch.setattr(training, "read_features", read)
    monkeypatch.setattr(training, "learn", found)
    monkeypatch.setattr(training, "first_day", lambda lake, today: today - timedelta(days=200))
    return found


class TestTraining:
    def test_stores_a_version_and_puts_the_better_one_into_use(self, learning: Learning, staff: Staff) -> None:
        done = training.training(now=NOW, by=staff.adam)
        assert done.is_promoted
        assert (done.model.version, done.model.kind, done.model.trained_by) == (2, "HAZARD", staff.adam)
        assert done.sentence == "Hazard model foretold better."
        # 30 June 2026 is a Tuesday; the last Monday before it is the 29th, the first within 200 days 15 December.
        assert (str(done.model.first_as_of), str(done.model.last_as_of)) == ("2025-12-15", "2026-06-29")
        assert done.model.card["until"] == "2026-06-29"
        assert active_model().hazard.offset == 0.5
        assert ChurnModel.objects.get(version=1).state == "RETIRED"
        event = AuditEvent.objects.get(action="churn_model.train")
        assert event.detail["version"] == 2

    def test_the_same_data_teach_nothing_new(self, learning: Learning) -> None:
        training.training(now=NOW)
        again = training.training(now=NOW + timedelta(hours=1))
        assert (again.is_new, again.model.version) == (False, 2)
        assert "Nothing new to learn since version 2" in again.sentence
        assert ChurnModel.objects.count() == 2
        ClientOutcome.objects.filter(client__name="Gone").update(date=date(2026, 4, 1))
        assert training.training(now=NOW + timedelta(hours=2)).is_new is False  # no row of that client, nothing to see
        Client.objects.create(organization_id="more", name="More")
        learning.better = False
        other = training.training(now=NOW + timedelta(hours=2))
        assert (other.is_new, other.is_promoted, other.model.state) == (True, False, "REJECTED")
        assert other.model.reason == "Not clearly better."
        assert active_model().row.version == 2
        assert learning.incumbents[-1].known_until == date(2026, 6, 29)

    @pytest.mark.parametrize(("activate", "state"), [(True, "ACTIVE"), (False, "REJECTED")], ids=["yes", "no"])
    def test_on_request_the_comparison_does_not_decide(self, learning: Learning, activate: bool, state: str) -> None:
        learning.better = not activate
        done = training.training(now=NOW, activate=activate)
        assert done.model.state == state
        assert "as asked" in done.sentence or "on request" in done.sentence

    def test_too_little_history_leaves_the_prior(self, learning: Learning) -> None:
        learning.missing = "Not enough history: 1 client left so far."
        done = training.training(now=NOW)
        assert (done.is_new, done.model.kind, done.sentence) == (False, "PRIOR", learning.missing)
        assert ChurnModel.objects.count() == 1

    def test_where_nobody_has_left_nothing_is_read(self, learning: Learning, monkeypatch: pytest.MonkeyPatch) -> None:
        ClientOutcome.objects.all().delete()
        monkeypatch.setattr(training, "read_features", None)
        done = training.training(now=NOW)
        assert (done.is_new, done.model.kind) == (False, "PRIOR")
        assert "0 clients left so far" in done.sentence
        assert learning.incumbents == []

    def test_without_any_day_to_look_back_on(self, lake: Lake, clients: Clients, settings: Any) -> None:
        settings.BELLWETHER_CHURN_TRAINING_WEEKS = 4
        done = training.training(now=NOW)
        assert not done.is_new
        assert "Not enough history" in done.sentence

    def test_a_version_that_came_into_use_meanwhile_stays(
        self, learning: Learning, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        training.training(now=NOW, activate=False)
        Client.objects.create(organization_id="more", name="More")
        decide = training.learn

        def slow(*arguments: Any, **named: Any) -> Learned:
            found = decide(*arguments, **named)
            roll_back(ChurnModel.objects.get(version=2), actor=None, now=NOW)
            return found

        monkeypatch.setattr(training, "learn", slow)
        done = training.training(now=NOW)
        assert not done.is_promoted
        assert "Another version was put into use" in done.sentence
        assert active_model().row.version == 2

    def test_a_failure_at_the_end_leaves_nothing(self, learning: Learning, monkeypatch: pytest.MonkeyPatch) -> None:
        before = active_model(now=NOW).row.version

        def broken(**_: Any) -> None:
            raise RuntimeError("the log is full")

        monkeypatch.setattr(training, "record", broken)
        with pytest.raises(RuntimeError), transaction.atomic():
            training.training(now=NOW)
        assert ChurnModel.objects.count() == 1
        assert active_model().row.version == before

    def test_two_at_once_are_refused(self, learning: Learning, monkeypatch: pytest.MonkeyPatch) -> None:
        @contextmanager
        def taken(name: str) -> Iterator[bool]:
            yield False

        monkeypatch.setattr(training, "exclusive", taken)
        with pytest.raises(training.TrainingBusyError, match="Another training"):
            training.training(now=NOW)


class TestJobs:
    def test_training_on_request_says_what_came_of_it(self, learning: Learning, staff: Staff) -> None:
        run = request_job("churn_train", {}, requested_by_id=staff.adam.pk, now=NOW)
        counts = run_job("churn_train", now=NOW, run=run)
        assert (counts["version"], counts["new"], counts["promoted"]) == (2, 1, 1)
        run.refresh_from_db()
        assert run.stage == "Hazard model foretold better."
        assert ChurnModel.objects.get(version=2).trained_by == staff.adam

    def test_predicting_waits_for_the_scores_of_the_day(
        self, clients: Clients, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bellwether.churn.predicting.predict_clients", self.predicted)
        early = datetime(2026, 6, 30, 0, 30, tzinfo=UTC)
        Client.objects.update(updated_at=early - timedelta(days=1))
        assert run_job("churn_predict", now=early) == {}
        HealthScore.objects.create(
            client=clients.sturdy, scorecard=main_scorecard(), date=TODAY, overall_score=70, coverage=1,
            components={}, inputs={}, weights_version="v1", created_at=early,
        )  # fmt: skip
        assert run_job("churn_predict", now=early)["whole"] == 1
        assert JobRun.objects.get(name="churn_predict").state == JobState.DONE
        assert run_job("churn_predict", now=early + timedelta(minutes=2)) == {}

    def test_a_day_without_scores_is_predicted_all_the_same(
        self, clients: Clients, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bellwether.churn.predicting.predict_clients", self.predicted)
        assert run_job("churn_predict", now=datetime(2026, 6, 30, 5, 0, tzinfo=UTC)) == {}
        assert run_job("churn_predict", now=datetime(2026, 6, 30, tzinfo=UTC) + jobs.WITHOUT_SCORES_AFTER)["whole"] == 1

    def test_a_new_version_or_client_is_predicted_soon(self, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("bellwether.churn.predicting.predict_clients", self.predicted)
        at = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
        first = active_model(now=at - timedelta(days=1)).row
        Client.objects.update(updated_at=at - timedelta(days=1), churn_predicted_on=TODAY)
        assert run_job("churn_predict", now=at)["whole"] == 1
        ChurnModel.objects.filter(pk=first.pk).update(activated_at=at + timedelta(minutes=1))
        assert run_job("churn_predict", now=at + timedelta(minutes=2))["whole"] == 1
        assert run_job("churn_predict", now=at + timedelta(minutes=4)) == {}
        new = Client.objects.create(organization_id="new", name="New")
        Client.objects.filter(pk=new.pk).update(updated_at=at + timedelta(minutes=5))
        assert run_job("churn_predict", now=at + timedelta(minutes=6))["whole"] == 1

    def test_one_client_on_request(self, clients: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []
        monkeypatch.setattr(
            "bellwether.churn.predicting.predict_clients", lambda **named: asked.append(named["client_ids"]) or 1
        )
        run = request_job("churn_predict", {"client_id": str(clients.sturdy.pk)}, requested_by_id=None, now=NOW)
        assert run_job("churn_predict", now=NOW, run=run)["whole"] == 0
        assert asked == [[clients.sturdy.pk]]
        bad = request_job("churn_predict", {"client_id": "sturdy"}, requested_by_id=None, now=NOW)
        with pytest.raises(Exception, match="no client's that is active"):
            run_job("churn_predict", now=NOW, run=bad)

    @staticmethod
    def predicted(**_: Any) -> int:
        return 0


class TestCommands:
    @pytest.fixture
    def app(self) -> Any:
        import typer

        app = typer.Typer()
        commands.register(app)
        return app

    def test_train_prints_decision_and_figures(self, app: Any, learning: Learning) -> None:
        done = CLI.invoke(app, ["churn", "train"])
        assert done.exit_code == 0, done.output
        assert "Hazard model foretold better." in done.stdout
        assert "Version 2: hazard model, in use." in done.stdout
        again = json.loads(CLI.invoke(app, ["churn", "train", "--json"]).stdout)
        assert (again["version"], again["is_new"], again["state"]) == (2, False, "ACTIVE")

    def test_too_little_history_is_no_success(self, app: Any, learning: Learning) -> None:
        learning.missing = "Not enough history: 0 clients left so far."
        done = CLI.invoke(app, ["churn", "train"])
        assert done.exit_code == 1
        assert learning.missing in done.stdout
        assert "expert prior" in done.stdout

    def test_card_in_markdown_to_a_file_and_of_a_version(self, app: Any, learning: Learning, tmp_path: Any) -> None:
        training.training(now=NOW)
        shown = CLI.invoke(app, ["churn", "card"])
        assert shown.stdout.startswith("# Churn model, version 2")
        target = tmp_path / "card.md"
        assert CLI.invoke(app, ["churn", "card", "--version", "1", "--output", str(target)]).exit_code == 0
        assert target.read_text(encoding="utf-8").startswith("# Churn model, version 1")
        missing = CLI.invoke(app, ["churn", "card", "--version", "9"])
        assert missing.exit_code == 2
        assert "There is no version 9; the newest is 2." in missing.output

    def test_predict_counts_and_one_client(
        self, app: Any, clients: Clients, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = CLI.invoke(app, ["churn", "predict"])
        assert done.exit_code == 0, done.output
        assert f"{ChurnPrediction.objects.count()} new predictions by version 1 (expert prior)." in done.stdout
        one = CLI.invoke(app, ["churn", "predict", "--client", "Sturdy"])
        assert "no figure: Expert prior, no history yet" in one.stdout
        data = json.loads(CLI.invoke(app, ["churn", "predict", "--client", "sturdy", "--json"]).stdout)
        assert (data["precision"], data["probability"]) == ("BAND", None)
        gone = CLI.invoke(app, ["churn", "predict", "--client", "gone"])
        assert gone.exit_code == 2
        assert "Gone is not predicted" in gone.output
        assert CLI.invoke(app, ["churn", "predict", "--client", "nobody"]).exit_code == 2
