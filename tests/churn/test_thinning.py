"""Of old predictions the first of each week stays."""

from collections import Counter
from datetime import date, timedelta

import pytest

from bellwether.churn.models import ChurnPrediction
from bellwether.churn.thinning import thin
from tests.churn.predictions import stored_prediction
from tests.conftest import NOW, TODAY, Clients

pytestmark = pytest.mark.django_db


def test_keeps_the_first_of_each_week_older_than_sixty_days(clients: Clients) -> None:
    days = [TODAY - timedelta(days=n) for n in range(85)]
    for day in days:
        stored_prediction(clients.sturdy, day)
    stored_prediction(clients.fading, TODAY - timedelta(days=80))
    # 30 June 2026 is a Tuesday: 60 days before is Friday 1 May, whose week begins on Monday 27 April.
    removed = thin(now=NOW)
    kept = sorted(ChurnPrediction.objects.filter(client=clients.sturdy).values_list("as_of", flat=True))
    assert [day for day in kept if day < date(2026, 4, 27)] == [
        date(2026, 4, 7),  # a Tuesday, the first day that there is
        date(2026, 4, 13),
        date(2026, 4, 20),
    ]
    assert [day for day in kept if day >= date(2026, 4, 27)] == sorted(day for day in days if day >= date(2026, 4, 27))
    assert removed == 85 - len(kept) == 17
    assert ChurnPrediction.objects.filter(client=clients.fading).count() == 1
    assert thin(now=NOW) == 0
    weeks = Counter(day.isocalendar()[:2] for day in kept if day < date(2026, 4, 27))
    assert set(weeks.values()) == {1}
