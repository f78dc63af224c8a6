"""The main scorecard and those beside it: which, and that they are scored."""

from datetime import timedelta
from typing import Any

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.config.schedule import run_job
from bellwether.health.models import HealthScore
from bellwether.health.scorecards_in_use import other_scorecards, scorecard_in_use, scorecards_in_use
from bellwether.portfolio.models import Client
from bellwether.usage.lake import Lake
from tests.conftest import NOW, TODAY, Clients


@pytest.fixture
def beside(settings: Any) -> None:
    settings.BELLWETHER_OTHER_SCORECARDS = ["usage-only", "prd-015", "operations", "usage-only"]


class TestInUse:
    def test_is_the_main_one_alone_by_default(self) -> None:
        assert scorecards_in_use() == ["prd-015"]

    def test_names_each_once_the_main_one_first(self, beside: None) -> None:
        assert other_scorecards() == ["usage-only", "operations"]
        assert scorecards_in_use() == ["prd-015", "usage-only", "operations"]

    @pytest.mark.parametrize(("given", "name"), [(None, "prd-015"), ("", "prd-015"), ("operations", "operations")])
    def test_finds_the_one_that_is_asked_for(self, beside: None, given: str | None, name: str) -> None:
        assert scorecard_in_use(given) == name

    def test_refuses_one_that_is_not_in_use_and_says_which_are(self, beside: None) -> None:
        with pytest.raises(InvalidInputError) as caught:
            scorecard_in_use("suppliers")
        assert "in use are prd-015, usage-only, operations" in caught.value.errors["scorecard"]


@pytest.mark.django_db
class TestScoring:
    def test_scores_all_in_use_and_keeps_the_current_columns_of_the_main_one(
        self, beside: None, clients: Clients, lake: Lake
    ) -> None:
        run_job("score", now=NOW)
        found = HealthScore.objects.filter(client=clients.sturdy).values_list("scorecard", "date")
        assert sorted(found) == [("operations", TODAY), ("prd-015", TODAY), ("usage-only", TODAY)]
        main = HealthScore.objects.get(client=clients.sturdy, scorecard="prd-015")
        assert Client.objects.get(pk=clients.sturdy.pk).current_health_score == main.overall_score
        assert run_job("score", now=NOW + timedelta(minutes=61))["changed"] == 0
