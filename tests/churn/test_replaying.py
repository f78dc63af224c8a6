"""The demo's past predictions: each by the version of its week, from what was known then."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import polars as pl
import pytest

from bellwether.churn import predicting, replaying
from bellwether.churn.card import Card, Decision
from bellwether.churn.fitting import expert_model, expert_renewal
from bellwether.churn.learning import History, Learned, NotEnoughHistoryError
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.replaying import known_on, replay_weeks
from bellwether.portfolio.models import Client
from tests.churn.predictions import feature_rows
from tests.conftest import NOW, TODAY, Clients

pytestmark = pytest.mark.django_db
MONDAYS = [date(2026, 6, 29) - timedelta(weeks=n) for n in range(30)][::-1]
LEFT_ON = date(2026, 5, 1)


@pytest.fixture
def history(clients: Clients, monkeypatch: pytest.MonkeyPatch) -> History:
    """Thirty weeks; `gone` left on 1 May, yet nobody had written it down, so that it has rows after it."""
    everybody = [clients.sturdy, clients.fading, clients.gone]
    gone = {"client_id": [clients.gone.pk.hex]}
    found = History(
        pl.concat([feature_rows(everybody, day) for day in MONDAYS]),
        pl.DataFrame(gone | {"left_on": [LEFT_ON]}),
        pl.DataFrame(gone | {"last_day": [LEFT_ON]}),
        pl.DataFrame(schema={"client_id": pl.String, "term_end": pl.Date, "outcome": pl.String}),
        TODAY - timedelta(days=1),
    )

    def read(days: list[date], **_: Any) -> pl.DataFrame:
        return feature_rows(list(Client.objects.active().order_by("pk")), days[0])

    monkeypatch.setattr(replaying, "training_days", lambda today: MONDAYS)
    monkeypatch.setattr(replaying, "read_history", lambda days, **_: found)
    monkeypatch.setattr(predicting, "read_features", read)
    return found


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[History]:
    """What each training was given; it comes to a version once somebody had left."""
    found: list[History] = []

    def learn(history: History, *_: Any, **__: Any) -> Learned:
        found.append(history)
        if history.left.is_empty():
            raise NotEnoughHistoryError("Not enough history: 0 clients left so far.")
        card = Card("few", "", until=str(history.until), rows=history.rows.height, churned=12)
        return Learned("hazard", expert_model(), expert_renewal(), card, Decision(True, "better"))

    monkeypatch.setattr(replaying, "learn", learn)
    return found


def test_each_week_by_the_version_of_that_week(history: History, asked: list[History], clients: Clients) -> None:
    counts = replay_weeks(now=NOW)
    rows = list(ChurnPrediction.objects.select_related("model").order_by("as_of"))
    assert counts == {"churn versions": 3, "churn predictions": len(rows)}
    assert {row.as_of for row in rows} == {*MONDAYS[-26:], TODAY}
    for row in rows:
        assert row.model.trained_at <= row.made_at
        if row.as_of < TODAY:
            assert row.made_at == datetime.combine(row.as_of + timedelta(days=1), datetime.min.time(), UTC)
    # Training is tried every fourth week from 5 January: on 27 April nobody had left, on 25 May somebody had.
    assert [one.until + timedelta(days=1) for one in asked] == [
        *(MONDAYS[4] + timedelta(weeks=n) for n in range(0, 24, 4)),
        TODAY,
    ]
    first = ChurnModel.objects.get(version=2)
    assert first.trained_at == datetime(2026, 5, 25, tzinfo=UTC)
    before = [row for row in rows if row.as_of < date(2026, 5, 25)]
    assert {row.model.version for row in before} == {1}
    assert replay_weeks(now=NOW) == {}


def test_nobody_is_foretold_after_having_left(history: History, asked: list[History], clients: Clients) -> None:
    replay_weeks(now=NOW)
    of_gone = ChurnPrediction.objects.filter(client=clients.gone).values_list("as_of", flat=True)
    assert max(of_gone) == date(2026, 4, 27)


def test_a_training_of_the_past_knows_nothing_later(history: History) -> None:
    day = date(2026, 5, 1)
    known = known_on(history, day)
    assert known.until == date(2026, 4, 30)
    assert known.rows["as_of"].max() == date(2026, 4, 27)
    assert (known.left.height, known.last_days.height) == (0, 0)
    assert known_on(history, day + timedelta(days=1)).left["client_id"].to_list() == [
        UUID(str(Client.objects.get(name="Gone").pk)).hex
    ]
