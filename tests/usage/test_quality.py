"""What is wrong with the data: the rules, on worked examples. Today is a Wednesday."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bellwether.usage.event_match import EventMatch
from bellwether.usage.quality import Quality, assess
from bellwether.usage.quality_facts import (
    FILE,
    SENT,
    TABLE,
    ClientFacts,
    Facts,
    JobFacts,
    NameFacts,
    PeopleFacts,
    PipelineFacts,
    RejectFacts,
    SourceFacts,
    Stranger,
    Use,
)
from bellwether.usage.quality_finding import Finding, finding, listed
from bellwether.usage.quality_names import name_states, nearest, unseen_events
from bellwether.usage.quality_rejects import advice
from bellwether.usage.quality_sources import source_state
from bellwether.usage.source_tally import Tally

TODAY = date(2026, 7, 1)
NOW = datetime(2026, 7, 1, 14, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def sending(
    usual: Callable[[date], int] = lambda day: 1_000,
    *,
    upto: int = 0,
    changed: dict[int, int] | None = None,
    **more: Any,
) -> SourceFacts:
    """A source with `usual` events a day for nine weeks until `upto` days ago; `changed` by days ago."""
    days = {TODAY - n * DAY: Tally(events=usual(TODAY - n * DAY), lags={"10": 10}) for n in range(upto, 63)}
    for ago, events in (changed or {}).items():
        days[TODAY - ago * DAY] = Tally(events=events)
    values: dict[str, Any] = {
        "name": "web", "kind": SENT, "days": {day: one for day, one in days.items() if one.events},
        "last_received_at": NOW - upto * DAY, "key": "working", "created_at": NOW - 90 * DAY,
    }  # fmt: skip
    return SourceFacts(**(values | more))


def judged(*sources: SourceFacts, **more: Any) -> Quality:
    return assess(Facts(now=NOW, today=TODAY, sources=sources, **more))


def keys(quality: Quality) -> dict[str, str]:
    return {one.key: one.severity for one in quality.findings}


def one_week(**numbers: Any) -> SourceFacts:
    """A young source that brought these numbers today."""
    return sending(days={TODAY: Tally(**numbers)})


class TestSilence:
    def test_is_no_finding_while_events_come(self) -> None:
        quality = judged(sending())
        assert (keys(quality), quality.severity) == ({}, "healthy")

    def test_of_the_only_source_is_critical_after_a_day(self) -> None:
        quality = judged(
            sending(upto=2),
        )
        assert keys(quality) == {"silent:web": "critical"}
        assert quality.verdict == "Do not trust scores until this is solved: nothing has arrived from web for 2 days."

    def test_of_one_of_two_is_serious_and_critical_after_two_days(self) -> None:
        assert keys(judged(sending(upto=2), sending(name="server")))["silent:web"] == "risk"
        assert keys(judged(sending(upto=3), sending(name="server")))["silent:web"] == "critical"

    def test_is_no_finding_on_weekends_of_a_source_for_working_days(self) -> None:
        def workdays(day: date) -> int:
            return 1_000 if day.isoweekday() < 6 else 0

        monday = Facts(
            now=NOW - 2 * DAY, today=TODAY - 2 * DAY,  # Monday, 14:00: last event on Friday
            sources=(sending(workdays, upto=5, last_received_at=NOW - 5 * DAY),),
        )  # fmt: skip
        state = source_state(monday.sources[0], now=NOW - 3 * DAY, today=TODAY - 3 * DAY)  # Sunday
        assert (state.is_silent, state.silent_days) == (False, 0)
        assert keys(assess(monday)) == {"silent:web": "critical"}  # but a Monday without events is none

    def test_on_the_first_weekend_of_a_new_source_is_none(self) -> None:
        friday = TODAY - 5 * DAY
        days = {friday - n * DAY: Tally(events=500) for n in range(4)}
        new = sending(days=days, last_received_at=NOW - 5 * DAY)
        monday = TODAY - 2 * DAY
        assert not source_state(new, now=NOW - 2 * DAY, today=monday).is_silent
        tuesday = source_state(new, now=NOW - DAY, today=TODAY - DAY)
        assert (tuesday.is_silent, tuesday.silent_days) == (True, 1)  # Monday; the weekend does not count

    def test_within_the_first_hours_of_a_day_is_none(self) -> None:
        early = datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
        source = sending(upto=1, last_received_at=early - timedelta(minutes=40))
        assert not source_state(source, now=early, today=TODAY).is_silent

    @pytest.mark.parametrize("more", [{"kind": FILE}, {"kind": TABLE}, {"key": "revoked"}], ids=str)
    def test_means_nothing_for_files_tables_and_revoked_keys(self, more: dict[str, Any]) -> None:
        assert "silent:web" not in keys(judged(sending(upto=5, **more)))

    def test_of_a_key_that_never_sent_is_told_apart(self) -> None:
        new = SourceFacts(name="new", kind=SENT, days={}, key="working", created_at=NOW - timedelta(hours=3))
        old = SourceFacts(name="old", kind=SENT, days={}, key="working", created_at=NOW - 3 * DAY)
        found = judged(new, old).findings
        assert [(one.key, one.items) for one in found] == [("unused_keys", ("old",))]


class TestStale:
    def test_usage_of_all_clients_is_serious_after_a_weekend(self) -> None:
        old = name("Odd", 0, last=TODAY - 4 * DAY, total=7)
        quality = judged(sending(kind=FILE), names=(old,), ignored=frozenset({"Odd"}))
        assert keys(quality) == {"stale": "risk"}
        assert quality.verdict == "Scores may be off: the newest usage of any client is 4 days old."
        fresh = name("Odd", 0, last=TODAY - 3 * DAY, total=7)
        assert keys(judged(sending(kind=FILE), names=(fresh,), ignored=frozenset({"Odd"}))) == {}

    def test_usage_is_explained_by_the_source_that_is_silent(self) -> None:
        old = name("Odd", 0, last=TODAY - 4 * DAY, total=7)
        quality = judged(sending(upto=4), names=(old,), ignored=frozenset({"Odd"}))
        assert keys(quality) == {"silent:web": "critical"}


class TestVolume:
    def test_far_below_the_usual_of_the_weekday_is_serious(self) -> None:
        quality = judged(sending(changed={1: 300}))
        assert keys(quality) == {"volume:web": "risk"}
        assert "300 events yesterday, 1,000 are usual" in quality.findings[0].meaning

    def test_far_above_is_worth_a_look(self) -> None:
        assert keys(judged(sending(changed={1: 1_501}))) == {"volume:web": "monitor"}

    def test_within_half_of_the_usual_is_nothing(self) -> None:
        assert keys(judged(sending(changed={1: 500}))) == {}
        assert keys(judged(sending(changed={1: 1_500}))) == {}

    def test_compares_with_the_same_weekday_only(self) -> None:
        def tuesdays_low(day: date) -> int:
            return 100 if day.isoweekday() == 2 else 5_000

        assert keys(judged(sending(tuesdays_low))) == {}

    def test_allows_for_a_source_that_varies(self) -> None:
        weeks = {1 + 7 * n: value for n, value in enumerate((200, 400, 1_600, 500, 1_500, 600, 1_400, 700, 1_300))}
        # The eight Tuesdays before have the median 1,000 and the median deviation 450: 4 × 1.4826 × 450 = 2,669 > 800.
        assert keys(judged(sending(changed=weeks))) == {}

    def test_says_nothing_without_four_weeks(self) -> None:
        young = {TODAY - n * DAY: Tally(events=1_000 if n != 1 else 10) for n in range(25)}
        assert keys(judged(sending(days=young))) == {}


class TestShares:
    @pytest.mark.parametrize(
        ("numbers", "key", "severity"),
        [
            ({"events": 960, "lags": {"10": 912, "604800": 48}}, "late", "monitor"),  # 5%
            ({"events": 1_000, "lags": {"10": 740, "more": 260}}, "late", "risk"),
            ({"events": 950, "duplicates": 50}, "duplicates", "monitor"),
            ({"events": 800, "duplicates": 200}, "duplicates", "risk"),
            ({"events": 1_000, "unassigned": 10}, "unassigned", "monitor"),
            ({"events": 1_000, "unassigned": 100}, "unassigned", "risk"),
            ({"events": 1_000, "userless": 200}, "userless", "monitor"),
            ({"events": 1_000, "ahead": 10}, "ahead", "monitor"),
            ({"events": 998, "rejected": 2}, "rejects", "monitor"),
            ({"events": 950, "rejected": 50}, "rejects", "risk"),
            ({"events": 750, "rejected": 250}, "rejects", "critical"),
        ],
        ids=lambda value: str(value) if isinstance(value, str) else None,
    )
    def test_become_findings_at_their_limits(self, numbers: dict[str, Any], key: str, severity: str) -> None:
        assert keys(judged(one_week(**numbers))) == {f"{key}:web": severity}

    def test_below_their_limits_are_none(self) -> None:
        numbers = {"events": 1_000, "duplicates": 52, "unassigned": 9, "userless": 199, "ahead": 9, "rejected": 2}
        quality = judged(one_week(**numbers, lags={"10": 951, "more": 49}))
        assert keys(quality) == {}

    def test_of_a_few_events_say_nothing(self) -> None:
        assert "rejects:web" not in keys(judged(one_week(events=9, rejected=9)))

    def test_of_rejects_name_the_most_frequent_reason(self) -> None:
        rejects = (
            RejectFacts(reason="groupId: missing", source="web", count=3, newest=NOW),
            RejectFacts(reason="timestamp: is not an ISO 8601 time", source="web", count=40, newest=NOW),
            RejectFacts(reason="event: missing", source="server", count=99, newest=NOW),
        )
        found = next(
            one for one in judged(one_week(events=957, rejected=43), rejects=rejects).findings if one.about == "rejects"
        )
        assert "The time of the event cannot be read" in found.meaning
        assert found.items == ("timestamp: is not an ISO 8601 time: 40", "groupId: missing: 3")

    def test_of_a_file_that_was_imported_twice_are_none(self) -> None:
        assert (
            keys(judged(sending(kind=FILE, days={TODAY: Tally(events=100, duplicates=900, lags={"more": 100})}))) == {}
        )


def name(text: str, recent: int = 100, **more: Any) -> NameFacts:
    values: dict[str, Any] = {
        "total": recent,
        "first": TODAY - 90 * DAY,
        "last": TODAY,
        "recent": recent,
        "recent_clients": 3,
    }
    return NameFacts(name=text, **(values | more))


def feature(label: str, *events: str, **match: str) -> Use:
    found = tuple(EventMatch(event=event) for event in events) or (EventMatch(**match),)
    return Use(label=label, matches=found, is_feature=True, key=label.lower())


class TestNames:
    def test_are_used_ignored_or_unused(self) -> None:
        uses = [feature("Cases", "Case Created"), Use(label="count cases", matches=(EventMatch(event="Case Created"),))]
        states = name_states([name("Case Created", 5), name("Page Viewed", 9), name("Odd", 7)], uses, {"Odd"})
        assert [(one.facts.name, one.state, one.uses) for one in states] == [
            ("Page Viewed", "unused", ()),
            ("Odd", "ignored", ()),
            ("Case Created", "used", ("Cases", "count cases")),
        ]

    def test_count_as_used_by_a_feature_that_takes_any_event_of_a_module(self) -> None:
        states = name_states([name("commit", modules=frozenset({"docs"}))], [feature("Docs", module="docs")], ())
        assert states[0].state == "used"

    def test_leave_out_what_is_no_action(self) -> None:
        assert name_states([name("identify"), name("group"), name("alias")], [], ()) == []

    def test_that_nothing_uses_are_good_to_know_or_to_improve_by_their_share(self) -> None:
        uses = (feature("Cases", "Case Created"),)
        few = judged(sending(), names=(name("Case Created", 90), name("Odd", 10)), uses=uses)
        assert keys(few) == {"unused_names": "info"}
        assert (few.findings[0].events, few.unused_names) == (10, 1)
        assert keys(judged(sending(), names=(name("Case Created", 75), name("Odd", 25)), uses=uses)) == {
            "unused_names": "monitor"
        }
        old = judged(sending(), names=(name("Odd", 0, total=40), name("Case Created", 0, total=60)), uses=uses)
        assert next(one for one in old.findings if one.key == "unused_names").meaning.startswith("40% of all events.")
        assert keys(judged(sending(), names=(name("Odd", 25),), ignored=frozenset({"Odd"}))) == {}

    def test_that_a_feature_waits_for_get_the_nearest_name_that_arrives(self) -> None:
        uses = (feature("Cases", "Case Created"), feature("Reports", "Report Exported"))
        quality = judged(sending(), names=(name("case_created"),), uses=uses, ignored=frozenset({"case_created"}))
        assert keys(quality) == {"misspelt": "risk", "never_seen": "monitor"}
        assert quality.findings[0].items == ("Case Created (Cases): is it case_created?",)
        assert quality.findings[1].items == ("Cases", "Reports")

    def test_are_no_question_while_nothing_arrived(self) -> None:
        assert keys(judged(uses=(feature("Cases", "Case Created"),))) == {}

    def test_of_a_feature_with_several_events_may_miss_one(self) -> None:
        uses = (feature("Cases", "Case Created", "Investigation Started"),)
        quality = judged(sending(), names=(name("Case Created"),), uses=uses)
        assert keys(quality) == {}
        assert [one.event for one in unseen_events(quality.facts.names, uses)] == ["Investigation Started"]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [("Case Created", "case-created"), ("Reports Exported", "Report Exported"), ("Login", "")],
    )
    def test_are_alike_whatever_case_and_separators(self, wanted: str, found: str) -> None:
        assert nearest(wanted, ["case-created", "Report Exported", "Chatbot"]) == found


class TestClients:
    def test_without_events_ever_or_for_a_month_are_told_while_others_have_some(self) -> None:
        clients = tuple(
            ClientFacts(id=str(n), name=f"C{n}", organization_id=f"c{n}", last=last)
            for n, last in enumerate([None, TODAY - 30 * DAY, TODAY - 29 * DAY, TODAY])
        )
        quality = judged(sending(), names=(name("Odd"),), ignored=frozenset({"Odd"}), clients=clients)
        assert keys(quality) == {"clients_never": "monitor", "clients_quiet": "monitor"}
        assert {one.key: (one.clients, one.items) for one in quality.findings} == {
            "clients_never": (1, ("C0",)),
            "clients_quiet": (1, ("C1, last 30 days ago",)),
        }
        nobody = judged(sending(), names=(name("Odd"),), ignored=frozenset({"Odd"}), clients=clients[1:2])
        assert keys(nobody) == {}

    def test_that_events_name_and_nobody_knows_are_told(self) -> None:
        strangers = (Stranger(organization_id="acme", events=3, last=TODAY),)
        quality = judged(sending(), names=(name("Odd"),), ignored=frozenset({"Odd"}), strangers=strangers)
        assert keys(quality) == {"strangers": "monitor"}
        assert quality.findings[0].title == "1 organization in the events is no client"


class TestPeople:
    def test_in_several_organizations_and_services_are_good_to_know(self) -> None:
        people = PeopleFacts(users=100, in_several=5)
        assert keys(judged(sending(), people=people, service_share=0.5)) == {"several": "info", "services": "info"}
        few = PeopleFacts(users=100, in_several=4)
        assert keys(judged(sending(), people=few, service_share=0.49)) == {}


class TestPipeline:
    def test_waiting_events_are_critical_after_five_minutes(self) -> None:
        late = PipelineFacts(spool_batches=1, spool_events=12, spool_oldest=NOW - timedelta(minutes=6))
        assert keys(judged(sending(), pipeline=late)) == {"spool": "critical"}
        soon = PipelineFacts(spool_batches=1, spool_events=12, spool_oldest=NOW - timedelta(minutes=4))
        assert keys(judged(sending(), pipeline=soon)) == {}

    def test_days_that_owe_are_told_after_ten_minutes_and_serious_after_an_hour(self) -> None:
        owed = PipelineFacts(
            days_owing_facts=2, facts_owed_since=NOW - timedelta(minutes=61),
            days_owing_scores=1, scores_owed_since=NOW - timedelta(minutes=11),
        )  # fmt: skip
        quality = judged(sending(), pipeline=owed)
        assert keys(quality) == {"owed_facts": "risk", "owed_scores": "monitor"}
        assert quality.findings[1].title == "1 day waits to be scored"

    def test_a_worker_that_stopped_and_a_job_that_fails_are_serious(self) -> None:
        def job(ago: float, error: str = "") -> JobFacts:
            return JobFacts(name="flush", every_seconds=2, last_started_at=NOW - timedelta(minutes=ago), error=error)

        assert keys(judged(sending(), pipeline=PipelineFacts(jobs=(job(11),)))) == {"worker": "risk"}
        assert keys(judged(sending(), pipeline=PipelineFacts(jobs=(job(9),)))) == {}
        assert keys(judged(sending(), pipeline=PipelineFacts(jobs=(job(0, "OSError: full"),)))) == {"jobs": "risk"}


class TestVerdict:
    def test_says_that_nothing_arrived(self) -> None:
        quality = judged()
        assert (quality.is_empty, quality.severity) == (True, "na")

    def test_counts_what_could_be_better(self) -> None:
        quality = judged(one_week(events=998, rejected=2))
        assert quality.severity == "monitor"
        assert quality.verdict == "Events arrive as they should. 1 thing could be better."

    def test_has_the_worst_first(self) -> None:
        owed = PipelineFacts(days_owing_scores=1, scores_owed_since=NOW - timedelta(minutes=11))
        quality = judged(sending(upto=3), pipeline=owed, service_share=0.9)
        assert [one.severity for one in quality.findings] == ["critical", "monitor", "info"]

    def test_reads_a_table_that_fails(self) -> None:
        quality = judged(sending(kind=TABLE, error="no such table"))
        assert keys(quality) == {"table:web": "risk"}
        assert "no such table" in quality.findings[0].action

    @pytest.mark.parametrize(("hours", "expected"), [(26, {}), (27, {"unread:web": "risk"})])
    def test_notices_a_table_that_is_not_read_any_more(self, hours: int, expected: dict[str, str]) -> None:
        assert keys(judged(sending(kind=TABLE, last_received_at=NOW - timedelta(hours=hours)))) == expected


class TestFinding:
    def test_lists_the_first_few(self) -> None:
        found: Finding = finding("k", "info", "t", "m", "a", "names", items=[str(n) for n in range(10)])
        assert listed(found) == "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"


class TestAdvice:
    @pytest.mark.parametrize(
        ("reason", "what"),
        [
            ("event: missing, a track event needs its name", "A tracked action has no name"),
            ("event: over 32,768 bytes of JSON", "One event is too large"),
            ("timestamp: lies before 1970", "The time lies before 1970"),
            ("timestamp: is not an ISO 8601 time", "The time of the event cannot be read"),
            ("groupId: over 200 characters", "The account id is too long"),
            ("Expected `str`, got `int` - at `$.event`", "The event has another form than the protocol asks for"),
        ],
        ids=["no name", "large", "before 1970", "time", "account", "form"],
    )
    def test_says_reasons_in_plain_words(self, reason: str, what: str) -> None:
        assert advice(reason).what == what
