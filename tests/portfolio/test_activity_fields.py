"""Which fields the types of activity have, and the dates of the agenda."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from bellwether.portfolio.activity_fields import TYPES, checked_details, checked_tags, types_with
from bellwether.portfolio.agenda import Item, Kind, Phase, by_phase, in_month, phase_of, preset_date, week_end
from bellwether.portfolio.choices import ActivityType
from bellwether.presets import PRESETS, load_preset

pytestmark = pytest.mark.one_database
MONDAY = date(2026, 6, 29)


class TestFields:
    def test_every_type_has_them(self) -> None:
        assert list(TYPES) == ActivityType.values

    @pytest.mark.parametrize(
        ("kind", "names"),
        [
            ("CALL", {"duration_minutes", "client_contacts"}),
            ("EMAIL", {"client_contacts"}),
            ("MEETING", {"duration_minutes", "client_contacts", "participants", "meeting_type", "decisions"}),
            ("TRAINING", {"duration_minutes", "client_contacts", "topic", "completion"}),
            ("SUPPORT_ESCALATION", {"client_contacts", "ticket_id"}),
            ("INTERNAL_DISCUSSION", {"duration_minutes", "participants", "decisions"}),
        ],
    )
    def test_are_those_of_the_requirements(self, kind: str, names: set[str]) -> None:
        assert TYPES[kind].names == names

    def test_say_which_types_have_one(self) -> None:
        assert types_with("topic") == ["TRAINING", "ONBOARDING"]

    def test_details_are_kept_without_blanks(self) -> None:
        given = {"topic": " Reports ", "completion": ""}
        assert checked_details("TRAINING", given) == ({"topic": "Reports"}, {})

    @pytest.mark.parametrize(
        ("kind", "given", "field"),
        [
            ("CALL", {"topic": "Reports"}, "details.topic"),
            ("TRAINING", {"completion": "half"}, "details.completion"),
            ("MEETING", {"decisions": "x" * 2001}, "details.decisions"),
            ("MEETING", {"mood": "good"}, "details.mood"),
        ],
    )
    def test_a_detail_that_cannot_be_used_is_named(self, kind: str, given: dict[str, object], field: str) -> None:
        assert list(checked_details(kind, given)[1]) == [field]

    def test_tags_come_once(self) -> None:
        assert checked_tags(["check-in", " Check-in ", "", "expansion  talk"]) == (["check-in", "expansion talk"], "")
        assert "60 characters" in checked_tags(["x" * 61])[1]
        assert "At most 20" in checked_tags([str(n) for n in range(21)])[1]

    @pytest.mark.parametrize("preset", PRESETS)
    def test_labels_of_presets_stand_over_types(self, preset: str) -> None:
        labels = load_preset(preset)["activities"]["labels"]
        assert labels
        assert {one["type"] for one in labels} <= set(TYPES)


def item(on: date | None, **fields: object) -> Item:
    values: dict[str, object] = {
        "kind": Kind.FOLLOW_UP, "activity_id": UUID(int=1), "client_id": UUID(int=2), "client_name": "Cobalt",
        "activity_type": "CALL", "label": "Call", "what": "Send the summary", "about": "", "on": on,
    }  # fmt: skip
    return Item(**(values | fields))  # type: ignore[arg-type]


class TestAgenda:
    @pytest.mark.parametrize(
        ("on", "phase"),
        [
            (date(2026, 6, 28), Phase.OVERDUE),
            (date(2026, 6, 29), Phase.TODAY),
            (date(2026, 6, 30), Phase.THIS_WEEK),
            (date(2026, 7, 5), Phase.THIS_WEEK),
            (date(2026, 7, 6), Phase.LATER),
            (None, Phase.LATER),
        ],
    )
    def test_phases(self, on: date | None, phase: Phase) -> None:
        assert phase_of(item(on), MONDAY) is phase

    def test_a_week_ends_on_sunday(self) -> None:
        assert (week_end(MONDAY), week_end(date(2026, 7, 5))) == (date(2026, 7, 5), date(2026, 7, 5))

    def test_is_ordered_by_day_and_time(self) -> None:
        early, late = datetime(2026, 7, 1, 8, tzinfo=UTC), datetime(2026, 7, 1, 15, tzinfo=UTC)
        held = [item(None), item(date(2026, 7, 1), at=late), item(date(2026, 7, 1), at=early), item(date(2026, 6, 30))]
        found = by_phase(held, MONDAY)
        assert [(one.on, one.at) for one in found[Phase.THIS_WEEK]] == [
            (date(2026, 6, 30), None),
            (date(2026, 7, 1), early),
            (date(2026, 7, 1), late),
        ]
        assert found[Phase.LATER] == [held[0]]

    def test_what_is_done_is_not_overdue(self) -> None:
        done = item(date(2026, 6, 1), done_at=datetime(2026, 6, 2, tzinfo=UTC))
        assert (phase_of(done, MONDAY), done.overdue_days(MONDAY)) == (Phase.DONE, 0)
        assert item(date(2026, 6, 25)).overdue_days(MONDAY) == 4

    @pytest.mark.parametrize(
        ("day", "after"),
        [
            (date(2026, 1, 31), date(2026, 2, 28)),
            (date(2028, 1, 30), date(2028, 2, 29)),
            (date(2026, 12, 15), date(2027, 1, 15)),
            (date(2026, 3, 31), date(2026, 4, 30)),
        ],
    )
    def test_a_month_later_exists(self, day: date, after: date) -> None:
        assert in_month(day) == after

    def test_usual_dates(self) -> None:
        found = [preset_date(word, MONDAY) for word in ("tomorrow", "week", "two_weeks", "month")]
        assert found == [date(2026, 6, 30), date(2026, 7, 6), date(2026, 7, 13), date(2026, 7, 29)]
