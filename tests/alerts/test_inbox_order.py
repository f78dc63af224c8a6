"""The order of the inbox and the clock of a snooze: pure."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from bellwether.alerts.inbox_order import Facts, Phase, arranged, phase_of
from bellwether.alerts.snoozing import snooze_until
from bellwether.common.errors import InvalidInputError

pytestmark = pytest.mark.one_database
NOW = datetime(2026, 2, 12, 15, 0, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")  # 10:00 there


def facts(number: int, *, client: int = 1, cause: str = "", **other: object) -> Facts:
    values: dict[str, object] = {
        "alert_id": UUID(int=number),
        "client_id": UUID(int=1_000 + client),
        "root_cause": cause,
        "rank": 1,
        "arr": Decimal(100),
        "created_at": NOW - timedelta(hours=1),
        "respond_by": NOW + timedelta(hours=1),
        "acknowledged": False,
    }
    return Facts(**(values | other))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "phase"),
    [
        pytest.param({"respond_by": NOW}, Phase.OVERDUE, id="the moment has come"),
        pytest.param({"respond_by": datetime(2026, 2, 13, 4, 59, tzinfo=UTC)}, Phase.TODAY, id="before midnight there"),
        pytest.param({"respond_by": datetime(2026, 2, 13, 5, 0, tzinfo=UTC)}, Phase.LATER, id="midnight there"),
        pytest.param({"respond_by": None}, Phase.LATER, id="no time is asked for"),
        pytest.param({"respond_by": NOW - timedelta(days=2), "answered": True}, Phase.TODAY, id="back from a snooze"),
        pytest.param({"respond_by": NOW, "acknowledged": True}, Phase.ACKNOWLEDGED, id="taken on"),
    ],
)
def test_phase(given: dict[str, object], phase: Phase) -> None:
    assert phase_of(facts(1, **given), NOW, NEW_YORK) is phase


def test_order_is_phase_then_severity_then_revenue_then_age() -> None:
    order = arranged(
        [
            facts(1, rank=1, arr=Decimal(50)),
            facts(2, rank=1, arr=Decimal(900)),
            facts(3, rank=0, arr=None),
            facts(4, rank=1, arr=Decimal(900), created_at=NOW - timedelta(hours=2)),
            facts(5, rank=3, respond_by=NOW - timedelta(minutes=1)),
        ],
        NOW,
        NEW_YORK,
    )
    assert [bundle.head.int for bundle in order] == [5, 3, 4, 2, 1]


def test_alerts_of_one_client_and_cause_are_one_row_as_urgent_as_the_most_urgent() -> None:
    order = arranged(
        [
            facts(1, cause="usage", rank=2),
            facts(2, cause="usage", rank=1),
            facts(3, cause="usage", rank=3, respond_by=NOW - timedelta(hours=1)),
            facts(4, cause="usage", client=2),
            facts(5, cause="support"),
            facts(6, cause="usage", acknowledged=True),
            facts(7),
            facts(8),
        ],
        NOW,
        NEW_YORK,
    )
    assert [(bundle.phase, [one.int for one in bundle.alerts]) for bundle in order] == [
        (Phase.OVERDUE, [2, 1, 3]),
        (Phase.TODAY, [4]),
        (Phase.TODAY, [5]),
        (Phase.TODAY, [7]),
        (Phase.TODAY, [8]),
        (Phase.ACKNOWLEDGED, [6]),
    ]


@pytest.mark.parametrize(
    ("word", "now", "until"),
    [
        # New York: 10:00 is 15:00 UTC in winter and 14:00 UTC in summer; the clocks change on 8 March and 1 November.
        pytest.param("day", "2026-02-12T15:00", "2026-02-13T15:00", id="24 hours"),
        pytest.param("day", "2026-03-07T15:00", "2026-03-08T14:00", id="23 hours, the clocks go forward"),
        pytest.param("day", "2026-10-31T14:00", "2026-11-01T15:00", id="25 hours, the clocks go back"),
        pytest.param("week", "2026-03-05T15:00", "2026-03-12T14:00", id="a week with the change in it"),
        # 02:30 on 8 March is left out: half an hour past two in the old time is half past three in the new one.
        pytest.param("day", "2026-03-07T07:30", "2026-03-08T07:30", id="a time that is left out"),
        # 01:30 comes twice on 1 November; the first one is meant.
        pytest.param("day", "2026-10-31T05:30", "2026-11-01T05:30", id="a time that comes twice"),
        pytest.param("2026-03-09 09:00", "2026-03-07T15:00", "2026-03-09T13:00", id="a time of the reader's clock"),
    ],
)
def test_snooze_keeps_the_time_by_the_clock(word: str, now: str, until: str) -> None:
    def instant(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert snooze_until(word, instant(now), NEW_YORK) == instant(until)


@pytest.mark.parametrize("word", ["", "soon", "2026-02-12 09:59", "2028-02-12 10:00", "9999-99-99"])
def test_snooze_refuses_what_it_cannot_use(word: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        snooze_until(word, NOW, NEW_YORK)
    assert set(refused.value.errors) == {"until"}
