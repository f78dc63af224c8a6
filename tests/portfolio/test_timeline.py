"""One stream out of a client's records."""

from datetime import date, timedelta

from bellwether.portfolio.timeline import (
    Entry,
    Group,
    ScoreStep,
    chosen_marks,
    clipped,
    merge,
    score_steps,
    silences,
)

TODAY = date(2026, 6, 30)


def entry(
    key: str,
    days_ago: int,
    group: Group = Group.ACTIVITIES,
    *,
    contact: bool = False,
    rank: float = 0.5,
    weight: int = 0,
) -> Entry:
    return Entry(
        key=key,
        on=TODAY - timedelta(days=days_ago),
        group=group,
        icon="phone",
        title=key,
        is_contact=contact,
        rank=rank,
        weight=weight,
    )


class TestMerge:
    def test_puts_the_newest_first_and_orders_a_day_by_time(self) -> None:
        found = merge(
            [entry("old", 9), entry("morning", 2, rank=0.3), entry("evening", 2, rank=0.8), entry("new", 1)],
            today=TODAY,
            limit=10,
        )
        assert [e.key for e in found.entries] == ["new", "evening", "morning", "old"]

    def test_counts_everything_and_shows_as_many_as_asked(self) -> None:
        found = merge([entry(str(n), n) for n in range(7)], today=TODAY, limit=3)
        assert (len(found.entries), found.total) == (3, 7)

    def test_narrows_to_a_group(self) -> None:
        found = merge([entry("call", 1), entry("ticket", 2, Group.SUPPORT)], today=TODAY, group=Group.SUPPORT, limit=9)
        assert [e.key for e in found.entries] == ["ticket"]

    def test_marks_a_silence_between_the_contacts_it_lies_between(self) -> None:
        entries = [
            entry("before", 100, contact=True),
            entry("ticket", 60, Group.SUPPORT),
            entry("after", 38, contact=True),
        ]
        titles = [e.title for e in merge(entries, today=TODAY, limit=9).entries]
        assert titles == ["after", "No contact for 62 days", "ticket", "before"]

    def test_marks_no_silence_among_the_tickets(self) -> None:
        entries = [entry("call", 100, contact=True), entry("ticket", 60, Group.SUPPORT)]
        found = merge(entries, today=TODAY, group=Group.SUPPORT, limit=9)
        assert [e.title for e in found.entries] == ["ticket"]


class TestSilences:
    def test_begins_at_forty_five_days(self) -> None:
        assert silences([entry("call", 44, contact=True)], today=TODAY) == []
        assert [s.title for s in silences([entry("call", 45, contact=True)], today=TODAY)] == ["No contact for 45 days"]

    def test_says_of_the_current_one_that_it_lasts(self) -> None:
        [found] = silences([entry("call", 50, contact=True)], today=TODAY)
        assert (found.on, found.detail, found.status) == (TODAY, "Until today.", "risk")

    def test_ignores_planned_contacts_and_what_is_no_contact(self) -> None:
        entries = [entry("call", 50, contact=True), entry("internal", 20), entry("planned", -3, contact=True)]
        assert [s.title for s in silences(entries, today=TODAY)] == ["No contact for 50 days"]

    def test_says_nothing_without_any_contact(self) -> None:
        assert silences([entry("internal", 20)], today=TODAY) == []


class TestScoreSteps:
    @staticmethod
    def series(*scores: int | None) -> list[tuple[date, int | None]]:
        return [(TODAY - timedelta(days=len(scores) - 1 - n), score) for n, score in enumerate(scores)]

    def test_reports_a_fall_once_on_the_day_it_was_greatest(self) -> None:
        scores = self.series(70, 70, 70, 70, 70, 70, 70, 66, 64, 60, 63, 66)
        [step] = score_steps(scores)
        assert step == ScoreStep(TODAY - timedelta(days=2), TODAY - timedelta(days=9), 70, 60)
        assert step.change == -10

    def test_separates_a_fall_from_the_rise_after_it(self) -> None:
        scores = self.series(*[70] * 7, 60, 60, 60, 60, 60, 60, 60, 70, 70)
        assert [step.change for step in score_steps(scores)] == [-10, 10]

    def test_stays_quiet_under_five_points(self) -> None:
        assert score_steps(self.series(*[70] * 7, 66)) == []

    def test_compares_nothing_across_a_day_without_a_score(self) -> None:
        assert score_steps(self.series(None, 70, 70, 70, 70, 70, 70, 60)) == []


class TestChosenMarks:
    def test_takes_the_weightiest_and_puts_them_in_order_of_time(self) -> None:
        entries = [entry("light", 1, weight=1), entry("heavy", 5, weight=9), entry("middle", 9, weight=5)]
        found = chosen_marks(entries, first=TODAY - timedelta(days=30), last=TODAY, at_most=2)
        assert [e.key for e in found] == ["middle", "heavy"]

    def test_leaves_out_what_has_no_weight_or_lies_outside(self) -> None:
        entries = [entry("plain", 1), entry("early", 31, weight=9), entry("planned", -1, weight=9)]
        assert chosen_marks(entries, first=TODAY - timedelta(days=30), last=TODAY, at_most=8) == []


class TestClipped:
    def test_keeps_the_first_line(self) -> None:
        assert clipped("\n  First line \nsecond") == "First line"

    def test_cuts_at_a_word_and_says_so(self) -> None:
        assert clipped("alpha beta gamma", at_most=12) == "alpha beta…"
