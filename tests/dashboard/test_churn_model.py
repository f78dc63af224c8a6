"""The pages of the churn model: card, scoreboard, versions, training and putting into use."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bellwether.churn.choices import ModelKind, ModelState
from bellwether.churn.factors import FEATURES_BY_SLUG
from bellwether.churn.models import ChurnModel
from bellwether.common.models import JobRun, JobState
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.staff.models import AuditEvent, StaffUser
from tests.churn.cards import small_card
from tests.churn.foretold import foretell, version
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    caches["memory"].clear()


@pytest.fixture
def page(client: Browser) -> Callable[..., str]:
    def get(user: StaffUser, name: str, *args: Any, status: int = 200, **query: Any) -> str:
        client.force_login(user)
        response = client.get(reverse(name, args=args), query)
        assert response.status_code == status
        return response.content.decode()

    return get


@pytest.fixture
def two(staff: Staff) -> list[ChurnModel]:
    """Version 1, the expert prior, used before; version 2 in use, with a card; version 3 not put into use."""
    return [
        version(kind=ModelKind.PRIOR, state=ModelState.RETIRED, churned=0),
        version(card=small_card().as_data()),
        version(state=ModelState.REJECTED, scale=1.5),
    ]


class TestCard:
    def test_without_history_shows_the_expert_and_what_is_needed(
        self, page: Callable[..., str], staff: Staff, clients: Clients
    ) -> None:
        text = page(staff.ada, "churn_model")
        assert "Expert prior, no history yet" in text
        assert "At least 10 clients that left" in text
        assert "1 client left so far" in text
        weight = f"+{FEATURES_BY_SLUG['days_to_renewal'].weight:.2f}"
        assert f"Days to renewal: {weight}, expert {weight}" in text
        assert "How well it foretells" not in text

    def test_shows_every_figure_to_every_member_of_staff(
        self, page: Callable[..., str], staff: Staff, two: list[ChurnModel]
    ) -> None:
        text = page(staff.ed, "churn_model")
        for told in (
            "0.81", "0.76 to 0.86", "2.1%", "Base rate", "Lead time", "14 of 22", "5 clients per CSM and week",
            "None given", "much drift", "Show as table", "Last login", "+0.14", "Invented for a test.", "Enterprise",
            "Hazard model foretold better",
        ):  # fmt: skip
            if told != "Base rate":
                assert told in text, told
        assert 'role="img" aria-label="Foretold against came' in text
        assert AuditEvent.objects.filter(action="churn_model.read", actor_id=staff.ed.pk).exists()

    def test_without_figures_leads_to_a_later_version_that_has_them(
        self, page: Callable[..., str], staff: Staff
    ) -> None:
        version(kind=ModelKind.HAZARD)
        assert "was measured" not in page(staff.ada, "churn_model")
        version(state=ModelState.REJECTED, card=small_card().as_data())
        text = page(staff.ada, "churn_model")
        assert "Version 2 learned from more and was measured, though it is not in use." in text
        assert f"{reverse('churn_model')}?version=2" in text
        assert "was measured" not in page(staff.ada, "churn_model", version=2)

    def test_another_version_says_that_it_is_not_in_use(
        self, page: Callable[..., str], staff: Staff, two: list[ChurnModel]
    ) -> None:
        assert "Version 1 is not in use." in page(staff.ada, "churn_model", version=1)
        assert "is not in use" not in page(staff.ada, "churn_model", version=2, days=30)
        page(staff.ada, "churn_model", version=77, status=404)
        page(staff.ada, "churn_model", version="x", status=404)
        page(staff.ada, "churn_model", days="9" * 40)

    def test_is_downloaded_as_markdown_and_json(self, client: Browser, staff: Staff, two: list[ChurnModel]) -> None:
        client.force_login(staff.ada)
        text = client.get(reverse("churn_model_card", args=["md"]))
        assert text.headers["Content-Disposition"] == 'attachment; filename="churn-model-2.md"'
        assert "# Churn model, version 2" in text.content.decode()
        data = client.get(reverse("churn_model_card", args=["json"]), {"version": 2}).json()
        assert data["version"] == 2
        assert data["candidates"][0]["horizons"]["90"]["auc"]["value"] == 0.81
        assert client.get(reverse("churn_model_card", args=["pdf"])).status_code == 404


class TestVersions:
    def test_are_listed_with_state_and_reason_and_few_queries(
        self, client: Browser, page: Callable[..., str], staff: Staff, two: list[ChurnModel]
    ) -> None:
        text = page(staff.ada, "churn_model_versions")
        for told in ("Not put into use", "In use", "Used before", "Expert prior"):
            assert told in text
        assert "Train now" not in text
        assert reverse("churn_model_use", args=[1]) not in text
        with CaptureQueriesContext(
            connection,
        ) as few:
            page(staff.ada, "churn_model_versions")
        version(state=ModelState.REJECTED)
        page(staff.ada, "churn_model_versions")
        with CaptureQueriesContext(connection) as more:
            page(staff.ada, "churn_model_versions")
        assert len(more) == len(few)

    def test_are_compared(self, page: Callable[..., str], staff: Staff, two: list[ChurnModel]) -> None:
        text = page(staff.ada, "churn_model_versions", a=2, b=3)
        assert "Weight of days to renewal" in text
        assert "0.81 (0.76 to 0.86)" in text
        assert "Side by side" not in page(staff.ada, "churn_model_versions", a=88, b="x")

    def test_a_vp_trains_once(self, client: Browser, staff: Staff, two: list[ChurnModel]) -> None:
        client.force_login(staff.vera)
        address = reverse("churn_model_train")
        assert client.post(address).status_code == 302
        assert client.post(address).status_code == 302
        run = JobRun.objects.get(name="churn_train")
        assert run.requested_by_id == staff.vera.pk
        assert AuditEvent.objects.filter(action="churn_model.train").count() == 1
        text = client.get(reverse("churn_model_versions")).content.decode()
        assert "Waiting for a worker" in text
        JobRun.objects.filter(pk=run.pk).update(
            state=JobState.RUNNING, stage="Reading", progress_done=1, progress_total=4
        )
        part = client.get(reverse("churn_model_training", args=[run.pk]))
        assert 'aria-valuenow="25"' in part.content.decode()
        assert "HX-Refresh" not in part.headers
        JobRun.objects.filter(pk=run.pk).update(state=JobState.FAILED, error="ValueError: inner matters")
        over = client.get(reverse("churn_model_training", args=[run.pk]))
        assert over.headers["HX-Refresh"] == "true"
        assert "inner matters" not in over.content.decode()
        client.force_login(staff.adam)
        assert "inner matters" in client.get(reverse("churn_model_versions")).content.decode()

    def test_a_csm_neither_trains_nor_switches(self, client: Browser, staff: Staff, two: list[ChurnModel]) -> None:
        client.force_login(staff.ada)
        assert client.post(reverse("churn_model_train")).status_code == 403
        assert client.get(reverse("churn_model_use", args=[1])).status_code == 403
        assert client.post(reverse("churn_model_use", args=[1])).status_code == 403
        assert not JobRun.objects.filter(name="churn_train").exists()
        assert ChurnModel.objects.get(state=ModelState.ACTIVE).version == 2

    def test_a_version_is_put_into_use_after_asking_and_back(
        self, client: Browser, staff: Staff, two: list[ChurnModel]
    ) -> None:
        client.force_login(staff.adam)
        asked = client.get(reverse("churn_model_use", args=[3])).content.decode()
        assert "In place of version 2" in asked
        assert "It was not put into use when it was trained." in asked
        assert ChurnModel.objects.get(state=ModelState.ACTIVE).version == 2
        assert client.post(reverse("churn_model_use", args=[3])).status_code == 302
        assert client.post(reverse("churn_model_use", args=[3])).status_code == 302
        assert ChurnModel.objects.get(state=ModelState.ACTIVE).version == 3
        assert AuditEvent.objects.filter(action="churn_model.activate").count() == 1
        client.post(reverse("churn_model_use", args=[2]))
        assert ChurnModel.objects.get(state=ModelState.ACTIVE).version == 2
        assert client.get(reverse("churn_model_use", args=[99])).status_code == 404

    def test_a_version_of_other_features_is_refused_with_the_reason(
        self, client: Browser, staff: Staff, two: list[ChurnModel]
    ) -> None:
        other = two[2]
        ChurnModel(
            version=9, kind=ModelKind.HAZARD, state=ModelState.REJECTED, trained_at=NOW, feature_version="0-old",
            parameters=other.parameters,
        ).save(force_insert=True)  # fmt: skip
        client.force_login(staff.adam)
        answer = client.post(reverse("churn_model_use", args=[9]), follow=True).content.decode()
        assert "trained on other features" in answer
        assert ChurnModel.objects.get(state=ModelState.ACTIVE).version == 2


class TestScoreboard:
    def leave(self, client: Client, days_ago: int) -> None:
        ClientOutcome.objects.create(
            client=client, outcome=OutcomeKind.CHURNED, date=TODAY - timedelta(days=days_ago), reason="price"
        )

    @pytest.fixture
    def foretold(self, clients: Clients, two: list[ChurnModel]) -> Clients:
        """Fading (Ada's) and Elsewhere (Cleo's) left 20 days after they were foretold, Sturdy stayed."""
        ChurnModel.objects.filter(pk=two[1].pk).update(activated_at=NOW - timedelta(days=300))
        on = TODAY - timedelta(days=120)
        for one in (clients.sturdy, clients.fading, clients.elsewhere):
            foretell(one, two[1], on=on)
        self.leave(clients.fading, 100)
        self.leave(clients.elsewhere, 100)
        return clients

    def test_without_predictions_says_so(self, page: Callable[..., str], staff: Staff, two: list[ChurnModel]) -> None:
        assert "No predictions yet" in page(staff.ada, "churn_model_scoreboard")

    def test_waits_for_the_horizon(
        self, page: Callable[..., str], clients: Clients, staff: Staff, two: list[ChurnModel]
    ) -> None:
        ChurnModel.objects.filter(pk=two[1].pk).update(activated_at=NOW)
        foretell(clients.sturdy, two[1], on=TODAY - timedelta(days=40))
        text = page(staff.ada, "churn_model_scoreboard")
        assert "No horizon of 90 days is over yet" in text
        assert "19 Aug 2026" in text
        assert "Foretold and came" in page(staff.ada, "churn_model_scoreboard", days=30)

    def test_names_only_clients_that_the_reader_sees(
        self, page: Callable[..., str], staff: Staff, foretold: Clients
    ) -> None:
        text = page(staff.ada, "churn_model_scoreboard")
        assert "3 predictions" in text  # the sums are of all clients
        assert ">Fading<" in text
        assert "Elsewhere" not in text
        assert "1 more, or of clients that you do not see." in text
        whole = page(staff.vera, "churn_model_scoreboard")
        assert ">Elsewhere<" in whole
        assert "that you do not see" not in whole

    def test_takes_few_queries(self, page: Callable[..., str], staff: Staff, foretold: Clients) -> None:
        page(staff.ada, "churn_model_scoreboard")
        with CaptureQueriesContext(connection) as kept:
            page(staff.ada, "churn_model_scoreboard")
        assert len(kept) < 30
        assert not any('"p90"' in one["sql"] for one in kept)
