"""Predictions and versions stay as they were stored: in Python, and in the database whoever writes to it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import Error, connection, transaction

from bellwether.churn import guard
from bellwether.churn.models import ChurnModel, ChurnPrediction, PredictionRemoval
from bellwether.churn.querysets import UnchangeableError
from bellwether.churn.versions import active_model
from tests.churn.predictions import another_version, stored_prediction
from tests.conftest import NOW, TODAY, Clients

pytestmark = pytest.mark.django_db


@pytest.fixture
def prediction(clients: Clients) -> ChurnPrediction:
    return stored_prediction(clients.sturdy)


def execute(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


class TestPredictions:
    def test_python_refuses_to_change_or_remove(self, prediction: ChurnPrediction) -> None:
        prediction.p90 = 0.99
        for attempt in (
            prediction.save,
            prediction.delete,
            lambda: ChurnPrediction.objects.update(p90=0.99),
            lambda: ChurnPrediction.objects.bulk_update([prediction], ["p90"]),
            lambda: ChurnPrediction.objects.all().delete(),
        ):
            with pytest.raises(UnchangeableError, match="stays as it was made"):
                attempt()
        assert ChurnPrediction.objects.get().p90 != 0.99

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE churn_churnprediction SET p90 = 0.99",
            "UPDATE churn_churnprediction SET made_at = '2020-01-01'",
            "UPDATE churn_churnprediction SET category = category",
            "DELETE FROM churn_churnprediction",
        ],
        ids=["figure", "instant", "the same again", "delete"],
    )
    def test_database_refuses(self, prediction: ChurnPrediction, statement: str) -> None:
        with pytest.raises(Error, match=guard.NO_CHANGE):
            execute(statement)
        again = ChurnPrediction.objects.get()
        assert (again.p90, again.made_at) == (prediction.p90, prediction.made_at)

    @pytest.mark.sqlite_only
    def test_replacing_is_refused_too(self, prediction: ChurnPrediction) -> None:
        columns = [field.column for field in ChurnPrediction._meta.concrete_fields if field.column != "id"]
        chosen = ", ".join("0.99" if name == "p90" else name for name in columns)
        with pytest.raises(Error, match=guard.NO_CHANGE):
            execute(
                f"INSERT OR REPLACE INTO churn_churnprediction ({', '.join(columns)}) "
                f"SELECT {chosen} FROM churn_churnprediction"
            )

    @pytest.mark.postgresql_only
    def test_truncating_is_refused(self, prediction: ChurnPrediction) -> None:
        execute("SET CONSTRAINTS ALL IMMEDIATE")  # checks of foreign keys that wait would refuse it as well
        with pytest.raises(Error, match=guard.NO_CHANGE):
            execute("TRUNCATE churn_churnprediction CASCADE")

    def test_only_what_an_earlier_row_of_the_week_stands_for_goes(self, clients: Clients) -> None:
        monday = TODAY - timedelta(days=TODAY.weekday())
        first, second = (stored_prediction(clients.sturdy, monday + timedelta(days=n)) for n in (1, 3))
        sunday_before = stored_prediction(clients.sturdy, monday - timedelta(days=1))
        for kept in (first, sunday_before):
            with pytest.raises(Error, match=guard.NO_CHANGE):
                execute("DELETE FROM churn_churnprediction WHERE id = %s", kept.pk)
        assert ChurnPrediction.objects.filter(pk=second.pk).thin() == 1
        assert set(ChurnPrediction.objects.values_list("pk", flat=True)) == {first.pk, sunday_before.pk}

    def test_another_client_or_version_stands_for_nothing(self, clients: Clients) -> None:
        monday = TODAY - timedelta(days=TODAY.weekday())
        stored_prediction(clients.fading, monday)
        prior = active_model(now=NOW)
        stored_prediction(clients.sturdy, monday, version=prior)
        other = another_version(2, state="REJECTED")
        from bellwether.churn.versions import read_model

        late = stored_prediction(clients.sturdy, monday + timedelta(days=2), version=read_model(other))
        with pytest.raises(Error, match=guard.NO_CHANGE):
            execute("DELETE FROM churn_churnprediction WHERE id = %s", late.pk)

    def test_they_go_with_a_client_that_is_taken_back_and_it_is_noted(self, clients: Clients) -> None:
        gone, stays = stored_prediction(clients.sturdy), stored_prediction(clients.fading)
        rows = ChurnPrediction.objects.filter(client=clients.sturdy)
        assert rows.erase(reason="The client was taken back.", now=NOW) == 1
        assert list(ChurnPrediction.objects.values_list("pk", flat=True)) == [stays.pk]
        assert PredictionRemoval.objects.get().client_id == gone.client_id


class TestVersions:
    def test_only_the_state_changes(self, db: None) -> None:
        row = another_version(2)
        row.state, row.activated_at = "RETIRED", NOW
        row.save(update_fields=["state", "activated_at"])
        row.card = {"auc": 0.99}
        for attempt in (row.save, row.delete, ChurnModel.objects.all().delete):
            with pytest.raises(UnchangeableError, match="stays as it was trained"):
                attempt()
        with pytest.raises(UnchangeableError):
            ChurnModel.objects.update(card={"auc": 0.99})
        assert ChurnModel.objects.get(version=2).card == {}

    @pytest.mark.parametrize("column", ["parameters", "card"])
    def test_database_refuses_other_figures(self, db: None, column: str) -> None:
        another_version(2)
        with pytest.raises(Error, match=guard.NO_VERSION_CHANGE):
            execute(f"UPDATE churn_churnmodel SET {column} = '{{\"auc\": 1}}' WHERE version = 2")
        with pytest.raises(Error, match=guard.NO_VERSION_CHANGE):
            execute("UPDATE churn_churnmodel SET seconds = 1 WHERE version = 2")
        with pytest.raises(Error, match=guard.NO_VERSION_CHANGE):
            execute("DELETE FROM churn_churnmodel WHERE version = 2")

    @pytest.mark.sqlite_only
    def test_the_version_in_use_is_not_replaced(self, db: None) -> None:
        active_model(now=NOW)
        another_version(2)
        for statement in (
            "UPDATE OR REPLACE churn_churnmodel SET state = 'ACTIVE' WHERE version = 2",
            "INSERT OR REPLACE INTO churn_churnmodel SELECT * FROM churn_churnmodel WHERE version = 2",
        ):
            with pytest.raises(Error, match=guard.NO_VERSION_CHANGE):
                execute(statement)


@pytest.fixture
def unguarded() -> Iterator[None]:
    guard.remove(connection)
    yield
    guard.install(connection)


class TestTriggers:
    def test_missing_ones_are_named_and_come_back(self, db: None, unguarded: None) -> None:
        assert len(guard.missing(connection)) == 6
        guard.install(connection)
        guard.install(connection)
        assert guard.missing(connection) == set()
