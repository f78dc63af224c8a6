"""Back-tests from the database and the lake: rows, job and command, on forty clients of which twelve leave."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from bellwether.common.errors import InvalidInputError
from bellwether.common.jobs import run_job
from bellwether.common.models import JobRun
from bellwether.common.progress import NoProgress
from bellwether.health import backtest as service
from bellwether.health import jobs
from bellwether.health.backtest_parameters import Parameters
from bellwether.health.commands import register
from bellwether.health.configs import ensure_default_config
from bellwether.health.models import BacktestRun, ConfigActivation, HealthScoreConfig
from bellwether.health.replay import score_frames
from bellwether.health.scorecard import definition_digest, load_scorecard, shipped_definition
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff.models import StaffUser
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.backtest_world import left_on, make_world

pytestmark = pytest.mark.django_db(databases="__all__")
assert jobs.KEPT_DAYS  # importing them declares them
DEFINITION = shipped_definition("usage-only")
WEEKLY = Parameters(step_days=7, horizons=(30,), against=("last-login", "usage-drop"), as_known=False)


@pytest.fixture
def world(lake: Lake, staff: Staff, settings: Any) -> list[Client]:
    settings.BELLWETHER_SCORECARD = "usage-only"
    return make_world(lake, staff)


def run(parameters: Parameters = WEEKLY, by: StaffUser | None = None, **given: Any) -> BacktestRun:
    given = {"definition": DEFINITION, "now": NOW, "progress": NoProgress()} | given
    return service.run_backtest(parameters=parameters, by=by, **given)


def result(**given: Any) -> dict[str, Any]:
    found = run(**given).result
    assert found is not None
    return found


class TestFigures:
    @pytest.mark.usefixtures("world")
    def test_a_silence_before_leaving_is_found(self) -> None:
        found = result()
        (horizon,) = found["horizons"]
        assert (horizon["state"], horizon["days"], found["horizon"]) == ("few", 30, 30)
        assert (horizon["sample"]["clients"], horizon["sample"]["churned"]) == (40, 12)
        tested = horizon["tested"]
        # Everybody else is at 100. Of the 30 days before a churn the first five are before the silence, and on the next
        # two nothing shows yet: about 23 of 30 rows stand out.
        assert 0.8 < tested["auc"]["value"] < 0.97
        # On the last Monday before leaving a client was silent for 18 days at least, and its score below 60.
        assert tested["losses"] == {"total": 12, "flagged": 12, "missed": 0, "without_score": 0}
        # The first client's outcome says 5,000, the others' records 1,000 each.
        assert tested["arr"] == {"lost": 16000.0, "missed": 0.0, "missed_share": 0.0, "unknown": 0}
        assert tested["false_alarms"]["false"] == 0
        assert tested["false_alarms"]["per"] == "CSM"
        assert tested["false_alarms"]["watchers"] == 1
        assert [one["key"] for one in horizon["against"]] == ["last-login", "usage-drop"]
        assert found["suggestion"]["state"] == "not enough history"

    def test_as_of_days_begin_when_windows_are_full_and_end_today(self, world: list[Client]) -> None:
        found = result()
        # 300 days of facts: the first is 299 days ago, the windows are full 30 days after.
        assert found["first"] >= str(TODAY - timedelta(days=269))
        assert found["first"] <= str(TODAY - timedelta(days=263))
        assert found["last"] == "2026-06-29"  # the Monday before TODAY
        assert found["dates"] == 39

    def test_rows_are_those_of_living_clients_whose_horizon_is_over(self, world: list[Client]) -> None:
        (horizon,) = result()["horizons"]
        last = TODAY - timedelta(days=30)
        frames = list(score_frames(_mondays(result()), now=NOW, scorecard=load_scorecard("usage-only")))
        rows = [row for _, scored in frames for row in scored.select("client_id", "date").rows()]
        leaving = {(c.pk.hex, left_on(n)) for n, c in enumerate(world)}
        rows = [row for row in rows if row not in leaving]
        assert horizon["sample"]["rows"] == sum(day <= last for _, day in rows)
        assert horizon["sample"]["undecided"] == sum(day > last for _, day in rows)

    @pytest.mark.usefixtures("world")
    def test_rests_on_what_had_arrived_unless_hindsight_is_asked_for(self) -> None:
        late = result(parameters=replace(WEEKLY, step_days=28))
        known = result(parameters=replace(WEEKLY, step_days=28, as_known=True))
        assert late["notes"] == ["Scores rest on everything known today: what arrived late is in them."]
        assert (known["as_known"], known["notes"]) == (True, [])
        # Nothing arrived late here but the word that clients had left, which makes no rows of days after that.
        assert known["horizons"] == late["horizons"]

    def test_names_no_client(self, world: list[Client]) -> None:
        text = json.dumps(result())
        for one in world:
            assert one.name not in text
            assert one.organization_id not in text
            assert one.pk.hex not in text
            assert str(one.pk) not in text

    def test_says_not_enough_history_with_counts(self, clients: Clients, lake: Lake) -> None:
        found = result()
        (horizon,) = found["horizons"]
        assert horizon["state"] == "not enough history"
        assert horizon["tested"] is None
        # Gone left on 1 May; Newborn began five days ago, so that its horizon is not over.
        assert horizon["message"].startswith("Not enough history: 1 of 4 clients left within 30 days")

    @pytest.mark.usefixtures("world")
    def test_a_draft_is_compared_with_the_version_in_use(self) -> None:
        service.definition_in_use("usage-only", now=NOW)
        draft = json.loads(json.dumps(DEFINITION))
        for component, weight in zip(draft["components"], (20, 0, 80), strict=True):
            component["weight"] = weight
        found = result(definition=draft)
        assert found["scorecard"]["version"] is None
        (horizon,) = found["horizons"]
        assert horizon["in_use"]["title"] == "Usage health (usage-only v1)"
        assert horizon["in_use"]["difference"]["rows"] == horizon["sample"]["rows"]

    def test_what_is_in_use_scores_each_client_by_its_scope(self, world: list[Client]) -> None:
        first = ensure_default_config("usage-only", now=NOW)
        of_starters = json.loads(json.dumps(DEFINITION))
        for component, weight in zip(of_starters["components"], (0, 100, 0), strict=True):
            component["weight"] = weight
        second = HealthScoreConfig.objects.create(
            scorecard="usage-only", version=2, name="Starters", definition=of_starters, applies_to_tier="STARTER",
            digest=definition_digest(of_starters), previous_version=first, created_at=NOW,
        )  # fmt: skip
        ConfigActivation.objects.create(
            scorecard="usage-only", applies_to_tier="STARTER", config=second, activated_at=NOW
        )
        Client.objects.filter(organization_id="org-00").update(contract_tier="STARTER")
        (horizon,) = result()["horizons"]
        assert horizon["in_use"]["title"] == "Usage health (usage-only v1 and 1 of scopes)"
        # Only org-00 is scored otherwise: by recency alone it stays above 60 until 26 days of silence (61 at 25).
        assert horizon["tested"]["losses"]["flagged"] == 12
        assert horizon["in_use"]["losses"] == {"total": 12, "flagged": 11, "missed": 1, "without_score": 0}
        assert horizon["in_use"]["arr"]["missed"] == 5000

    @pytest.mark.usefixtures("world")
    def test_other_scorecards_are_measured_beside_it(self) -> None:
        (horizon,) = result(parameters=Parameters(horizons=(90,), as_known=False))["horizons"]
        keys = [one["key"] for one in horizon["against"]]
        assert keys == ["prd-015", "operations", "suppliers", "last-login", "usage-drop"]


def _mondays(found: dict[str, Any]) -> list[Any]:
    from datetime import date

    first = date.fromisoformat(found["first"])
    return [first + timedelta(days=7 * n) for n in range(found["dates"])]


class TestRuns:
    @pytest.mark.usefixtures("world")
    def test_the_same_again_is_the_same_row_until_the_data_change(self, staff: Staff) -> None:
        one = run()
        assert run(by=staff.vera).pk == one.pk
        assert run(again=True).pk != one.pk
        other = Client.objects.get(organization_id="org-39")
        ClientOutcome.objects.create(client=other, outcome=OutcomeKind.CHURNED, date=TODAY - timedelta(days=1))
        assert run().pk not in {one.pk, BacktestRun.objects.order_by("created_at")[1].pk}

    @pytest.mark.usefixtures("world")
    def test_the_figures_are_the_same_when_made_again(self) -> None:
        one, two = result(), result(again=True)
        assert one | {"seconds": 0} == two | {"seconds": 0}

    @pytest.mark.usefixtures("world")
    def test_a_request_is_queued_made_by_the_worker_and_found(self, staff: Staff) -> None:
        asked = service.request_backtest(DEFINITION, parameters=WEEKLY, by=staff.vera, now=NOW)
        assert service.state_of(asked).state == "queued"
        assert service.request_backtest(DEFINITION, parameters=WEEKLY, by=staff.adam, now=NOW).pk == asked.pk
        job = JobRun.objects.get(pk=asked.job_id)
        assert run_job("backtest", now=NOW, run=job)["dates"] == 39
        asked.refresh_from_db()
        assert service.state_of(asked).state == "done"
        assert asked.finished_at is not None
        assert service.newest_run(asked.digest, finished=True) == asked
        assert asked.result is not None
        assert asked.result["horizons"] == result()["horizons"]

    @pytest.mark.usefixtures("world")
    def test_a_job_that_failed_is_said_and_can_be_asked_for_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = service.request_backtest(DEFINITION, parameters=WEEKLY, by=None, now=NOW)

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("the disk is full")

        monkeypatch.setattr(service, "make_backtest", fail)
        with pytest.raises(RuntimeError):
            run_job("backtest", now=NOW, run=JobRun.objects.get(pk=asked.job_id))
        assert service.state_of(asked).state == "failed"
        assert "disk is full" in service.state_of(asked).error
        assert service.request_backtest(DEFINITION, parameters=WEEKLY, by=None, now=NOW).pk != asked.pk

    @pytest.mark.usefixtures("world")
    def test_a_run_at_a_terminal_that_fails_leaves_no_row(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service, "make_backtest", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run()
        assert not BacktestRun.objects.exists()

    @pytest.mark.parametrize(
        ("parameters", "field"),
        [
            (Parameters(first=TODAY, last=TODAY - timedelta(days=1)), "first"),
            (Parameters(last=TODAY + timedelta(days=1)), "last"),
            (Parameters(step_days=0), "step_days"),
            (Parameters(horizons=()), "horizons"),
            (Parameters(horizons=(0,)), "horizons"),
            (Parameters(against=("gut-feeling",)), "against"),
        ],
        ids=["first", "last", "step", "none", "zero", "against"],
    )
    def test_parameters_that_cannot_be_used_name_their_field(
        self, parameters: Parameters, field: str, clients: Clients, lake: Lake
    ) -> None:
        with pytest.raises(InvalidInputError) as found:
            run(parameters)
        assert field in found.value.errors
        assert not BacktestRun.objects.exists()

    def test_a_definition_that_cannot_be_used_is_refused(self, clients: Clients, lake: Lake) -> None:
        wrong = json.loads(json.dumps(DEFINITION))
        wrong["components"][0]["weight"] = 41
        with pytest.raises(InvalidInputError) as found:
            run(definition=wrong)
        assert found.value.errors == {"weights": "sum to 101; they must sum to 100."}

    def test_the_job_needs_a_run(self, clients: Clients) -> None:
        with pytest.raises(InvalidInputError, match="run_id"):
            run_job("backtest", now=NOW)


def command(*arguments: str) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["backtest", *arguments])


@pytest.fixture
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.mark.usefixtures("_noon")
class TestCommand:
    @pytest.mark.usefixtures("world")
    def test_prints_a_table(self) -> None:
        done = command("--horizon", "30", "--step-days", "7", "--against", "last-login", "--hindsight")
        assert done.exit_code == 0, done.output
        assert "Usage health (usage-only v1), scores of 39 days" in done.output
        assert "12 of 12" in done.output
        assert "Last login" in done.output
        assert "Usage drop" not in done.output

    @pytest.mark.usefixtures("world")
    def test_prints_json_of_labels_from_a_file(self, tmp_path: Path) -> None:
        labels = tmp_path / "labels.csv"
        lines = ["organization_id,as_of,quits_next_60d"]
        for n in range(40):
            left = left_on(n)
            for back in (150, 120, 90, 60):
                day = TODAY - timedelta(days=back)
                if left is None or day < left:
                    lines.append(f"org-{n:02},{day},{int(left is not None and (left - day).days <= 60)}")
        lines.append(f"nobody,{TODAY - timedelta(days=90)},0")
        labels.write_text("\n".join(lines), "utf-8")
        done = command(
            "--labels", str(labels), "--label", "quits_next_60d", "--against", "none", "--json", "--hindsight"
        )
        assert done.exit_code == 0, done.output
        found = json.loads(done.stdout)
        (horizon,) = found["horizons"]
        assert (horizon["days"], horizon["label"], found["dates"]) == (60, "quits_next_60d", 4)
        assert horizon["sample"]["rows"] == len(lines) - 2
        assert horizon["sample"]["churned"] == 12
        assert found["notes"][0] == "1 clients of the labels are not clients here; their rows were left out."

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--scorecard", "tarot"], "There is no scorecard 'tarot'"),
            (["--labels", "x.csv"], "belong together"),
            (["--labels", "no-such.csv", "--label", "x"], "cannot be read"),
            (["--config", "no-such.toml"], "cannot be read"),
            (["--horizon", "0", "--hindsight"], "horizons: must be whole days"),
            (["--from", "2027-01-01"], "is after today"),
        ],
        ids=["scorecard", "label", "file", "config", "horizon", "from"],
    )
    def test_wrong_usage_is_said(self, arguments: list[str], words: str, clients: Clients, lake: Lake) -> None:
        done = command(*arguments)
        assert done.exit_code == 2
        assert words in " ".join(done.output.replace("│", " ").split())
