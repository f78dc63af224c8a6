"""Changes to contracts: stored whole, refused by field, and taken back."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.health.records import load_records
from bellwether.portfolio import contracts, outcomes
from bellwether.portfolio.changes import undo
from bellwether.portfolio.contract_jobs import begin_terms
from bellwether.portfolio.contracts import Churn, Commercials, Renewal
from bellwether.portfolio.models import Change, Client, ClientOutcome, ContractPeriod
from bellwether.portfolio.outcomes import Ending
from bellwether.portfolio.terms import Term
from bellwether.staff.models import AuditEvent
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.health.builders import SETTINGS

pytestmark = pytest.mark.django_db


@pytest.fixture
def by(staff: Staff) -> dict[str, object]:
    return {"actor": staff.ada, "today": TODAY, "now": NOW}


@pytest.fixture
def client(clients: Clients) -> Client:
    """The sturdy client with a term that ended and one in force until 30 September."""
    sturdy = clients.sturdy
    for start, end, arr, seats in (
        (date(2024, 10, 1), date(2025, 9, 30), 100_000, 40),
        (date(2025, 10, 1), date(2026, 9, 30), 120_000, 50),
    ):
        ContractPeriod.objects.create(
            client=sturdy, start_date=start, end_date=end, annual_recurring_revenue=arr, licensed_user_count=seats,
            contract_tier="ENTERPRISE", licensed_modules=["Cases"],
        )  # fmt: skip
    return sturdy


def term(start: date, end: date | None = None, arr: int | None = 150_000, **fields: object) -> Term:
    given = Decimal(arr) if arr is not None else None
    return Term(start_date=start, end_date=end, annual_recurring_revenue=given, contract_tier="ENTERPRISE", **fields)


NEXT = term(date(2026, 10, 1), date(2027, 9, 30), licensed_user_count=60, licensed_modules=("Cases", "API"))


def own(client: Client) -> tuple[object, ...]:
    row = Client.objects.get(pk=client.pk)
    return row.annual_recurring_revenue, row.licensed_user_count, row.next_renewal_date


class TestTerms:
    def test_the_client_follows_the_term_that_counts(self, client: Client, by: dict[str, object]) -> None:
        period = contracts.periods_of(client)[1]
        made = contracts.change_term(period, term(date(2025, 10, 1), date(2026, 12, 31), 130_000), **by)
        assert own(client) == (130_000, 50, date(2026, 12, 31))
        undo(by["actor"], made.undo, today=TODAY, now=NOW)
        assert own(client) == (120_000, 50, date(2026, 9, 30))
        assert list(AuditEvent.objects.values_list("action", flat=True)) == ["contract.changed", "change.undone"]

    def test_what_was_added_to_a_client_without_terms_is_undone_to_its_own_values(
        self, clients: Clients, by: dict[str, object]
    ) -> None:
        made = contracts.add_term(clients.fading, term(date(2026, 1, 1), date(2026, 12, 31), 99_000), **by)
        assert own(clients.fading) == (99_000, 50, date(2026, 12, 31))
        undo(by["actor"], made.undo, today=TODAY, now=NOW)
        assert own(clients.fading) == (120_000, 50, date(2026, 9, 30))
        assert not ContractPeriod.objects.filter(client=clients.fading).exists()

    def test_an_overlap_is_refused_until_it_is_allowed(self, client: Client, by: dict[str, object]) -> None:
        over = term(date(2026, 9, 1), date(2027, 8, 31))
        with pytest.raises(InvalidInputError) as caught:
            contracts.add_term(client, over, **by)
        assert "Overlaps with 1 Oct 2025 to 30 Sep 2026" in caught.value.errors["start_date"]
        contracts.add_term(client, over, allow_overlap=True, **by)
        assert ContractPeriod.objects.filter(client=client).count() == 3

    def test_a_natural_key_twice_changes_nothing_or_names_what_is_there(
        self, client: Client, by: dict[str, object]
    ) -> None:
        first = contracts.add_term(client, NEXT, external_id="c-3", **by)
        again = contracts.add_term(client, NEXT, external_id="c-3", **by)
        assert (again.repeated, again.record.pk, again.change) == (True, first.record.pk, None)
        with pytest.raises(ConflictError, match=str(first.record.pk)):
            contracts.add_term(client, term(date(2028, 1, 1)), external_id="c-3", **by)

    def test_the_last_term_that_goes_leaves_the_record_as_it_is(self, client: Client, by: dict[str, object]) -> None:
        for period in contracts.periods_of(client):
            contracts.remove_term(period, **by)
        assert own(client)[0] == 120_000  # of the term that was left at the end

    def test_archived_clients_are_not_changed(self, clients: Clients, by: dict[str, object]) -> None:
        with pytest.raises(ConflictError, match="archived"):
            contracts.add_term(clients.gone, NEXT, **by)
        assert not Change.objects.exists()


class TestRenew:
    def test_is_one_change_with_term_and_outcome(self, client: Client, by: dict[str, object]) -> None:
        made = contracts.renew(client, Renewal(term=NEXT, notes="Signed early"), **by)
        ended = ClientOutcome.objects.get(client=client)
        assert (ended.outcome, ended.date, ended.arr_before, ended.arr_after) == ("RENEWED", TODAY, 120_000, 150_000)
        assert own(client) == (120_000, 50, date(2026, 9, 30))  # the present term counts until its end
        assert Change.objects.count() == 1
        undo(by["actor"], made.undo, today=TODAY, now=NOW)
        assert (
            ContractPeriod.objects.filter(client=client).count(),
            ClientOutcome.objects.filter(client=client).count(),
        ) == (2, 0)

    def test_for_less_is_a_downgrade(self, client: Client, by: dict[str, object]) -> None:
        less = term(date(2026, 10, 1), date(2027, 9, 30), 119_999)
        contracts.renew(client, Renewal(term=less, reason="Fewer seats"), **by)
        assert ClientOutcome.objects.get(client=client).outcome == "DOWNGRADED"

    def test_that_begins_early_closes_the_present_term(self, client: Client, by: dict[str, object]) -> None:
        contracts.renew(client, Renewal(term=term(date(2026, 6, 30), date(2027, 6, 29))), **by)
        assert contracts.periods_of(client)[1].end_date == date(2026, 6, 29)
        assert own(client) == (150_000, 50, date(2027, 6, 29))
        assert ClientOutcome.objects.get(client=client).date == date(2026, 6, 29)

    def test_twice_is_refused(self, client: Client, by: dict[str, object]) -> None:
        contracts.renew(client, Renewal(term=NEXT), **by)
        with pytest.raises(ConflictError, match="recorded already: 1 Oct 2026"):
            contracts.renew(client, Renewal(term=term(date(2027, 10, 1))), **by)

    @pytest.mark.parametrize(
        ("new", "decided", "field"),
        [
            (term(date(2025, 10, 1)), None, "start_date"),
            (term(date.min), None, "start_date"),
            (term(date(2026, 10, 1), date(2026, 9, 1)), None, "end_date"),
            (NEXT, TODAY + timedelta(days=1), "decided_on"),
        ],
        ids=["not-later", "slip", "order", "ahead"],
    )
    def test_is_stored_whole_or_not_at_all(
        self, client: Client, by: dict[str, object], new: Term, decided: date | None, field: str
    ) -> None:
        with pytest.raises(InvalidInputError) as caught:
            contracts.renew(client, Renewal(term=new, decided_on=decided), **by)
        assert field in caught.value.errors
        assert ContractPeriod.objects.filter(client=client).count() == 2
        assert not Change.objects.exists()


class TestChurn:
    def left(self, client: Client, last: date) -> date | None:
        """The last day on which the client is scored."""
        frame = load_records(last, last, SETTINGS).clients
        return dict(frame.select("client_id", "last_day").iter_rows())[client.pk.hex]

    def test_ends_terms_and_scores_and_is_undone(self, client: Client, by: dict[str, object]) -> None:
        contracts.add_term(client, NEXT, **by)
        made = contracts.mark_churned(client, Churn(date=date(2026, 6, 15), reason="Price", archive=True), **by)
        ended = made.record
        assert (ended.outcome, ended.arr_before, ended.arr_after, ended.reason) == ("CHURNED", 120_000, 0, "Price")
        assert [one.end_date for one in contracts.periods_of(client)] == [date(2025, 9, 30), date(2026, 6, 15)]
        assert Client.objects.get(pk=client.pk).archived_at == NOW
        assert self.left(client, TODAY) == date(2026, 6, 15)
        undo(by["actor"], made.undo, today=TODAY, now=NOW)
        assert [one.end_date for one in contracts.periods_of(client)] == [
            date(2025, 9, 30),
            date(2026, 9, 30),
            date(2027, 9, 30),
        ]
        assert Client.objects.get(pk=client.pk).archived_at is None
        assert self.left(client, TODAY) is None

    def test_may_lie_ahead_but_is_not_archived_then(self, client: Client, by: dict[str, object]) -> None:
        with pytest.raises(InvalidInputError) as caught:
            contracts.mark_churned(client, Churn(date=date(2026, 8, 31), archive=True), **by)
        assert "stays until 31 Aug 2026" in caught.value.errors["archive"]
        contracts.mark_churned(client, Churn(date=date(2026, 8, 31)), **by)
        assert own(client)[2] == date(2026, 8, 31)

    def test_twice_is_refused_unless_it_came_back(self, client: Client, by: dict[str, object]) -> None:
        contracts.mark_churned(client, Churn(date=date(2026, 6, 1)), **by)
        with pytest.raises(ConflictError, match="churned on 1 Jun 2026 already"):
            contracts.mark_churned(client, Churn(date=date(2026, 6, 2)), **by)
        contracts.add_term(client, term(date(2026, 6, 20)), **by)
        contracts.mark_churned(client, Churn(date=date(2026, 6, 28)), **by)

    def test_restores_an_archived_client(self, clients: Clients, by: dict[str, object]) -> None:
        contracts.restore_client(clients.gone, **by)
        assert Client.objects.get(pk=clients.gone.pk).archived_at is None


class TestFacts:
    def test_are_stored_and_the_modules_go_to_the_term(self, client: Client, by: dict[str, object]) -> None:
        given = Commercials(
            payment_status="late", renewal_probability=70, go_live_date=date(2024, 11, 1), licensed_modules=["API"]
        )
        contracts.change_commercials(client, given, **by)
        row = Client.objects.get(pk=client.pk)
        assert (row.payment_status, row.renewal_probability, row.licensed_modules) == ("late", 70, ["API"])
        assert contracts.periods_of(client)[1].licensed_modules == ["API"]
        assert contracts.periods_of(client)[0].licensed_modules == ["Cases"]

    def test_are_refused_by_field(self, client: Client, by: dict[str, object]) -> None:
        given = Commercials(
            payment_status="paid", renewal_probability=101, go_live_date=date(1066, 1, 1), licensed_modules=["x" * 101]
        )
        with pytest.raises(InvalidInputError) as caught:
            contracts.change_commercials(client, given, **by)
        assert sorted(caught.value.errors) == [
            "go_live_date",
            "licensed_modules",
            "payment_status",
            "renewal_probability",
        ]

    def test_take_what_the_terms_say(self, client: Client, by: dict[str, object]) -> None:
        Client.objects.filter(pk=client.pk).update(annual_recurring_revenue=1)
        contracts.take_terms(client, **by)
        assert own(client)[0] == 120_000


class TestOutcomes:
    @pytest.mark.parametrize(
        ("ending", "field"),
        [
            (Ending(outcome="RENEWED", date=TODAY + timedelta(days=1)), "date"),
            (Ending(outcome="CHURNED", date=TODAY, arr_after=Decimal(5)), "arr_after"),
            (Ending(outcome="DOWNGRADED", date=TODAY, arr_before=Decimal(5), arr_after=Decimal(6)), "arr_after"),
            (Ending(outcome="RENEWED", date=TODAY, arr_before=Decimal(-5)), "arr_before"),
            (Ending(outcome="LOST", date=TODAY), "outcome"),
            (Ending(outcome="CHURNED", date=date(2026, 5, 1)), "date"),
            (Ending(outcome="RENEWED", date=TODAY, reason="x" * 101), "reason"),
        ],
        ids=["ahead", "rest", "more", "negative", "word", "twice", "long"],
    )
    def test_are_refused_by_field(self, clients: Clients, by: dict[str, object], ending: Ending, field: str) -> None:
        with pytest.raises(InvalidInputError) as caught:
            outcomes.add_outcome(clients.gone, ending, **by)
        assert list(caught.value.errors) == [field]
        assert ClientOutcome.objects.count() == 1

    def test_of_archived_clients_are_corrected_and_taken_back(self, clients: Clients, by: dict[str, object]) -> None:
        known = ClientOutcome.objects.get()
        made = outcomes.change_outcome(known, Ending(outcome="CHURNED", date=known.date, reason="Competitor"), **by)
        assert ClientOutcome.objects.get().reason == "Competitor"
        undo(by["actor"], made.undo, today=TODAY, now=NOW)
        assert ClientOutcome.objects.get().reason == "price"

    def test_what_was_removed_comes_back_known_since_then(self, clients: Clients, by: dict[str, object]) -> None:
        known = ClientOutcome.objects.get()
        ClientOutcome.objects.update(created_at=NOW - timedelta(days=40))
        made = outcomes.remove_outcome(known, **by)
        undo(by["actor"], made.undo, today=TODAY, now=NOW)
        assert ClientOutcome.objects.get().created_at == NOW - timedelta(days=40)


class TestAsDaysPass:
    def test_the_client_follows_the_term_that_begins(self, client: Client, by: dict[str, object]) -> None:
        contracts.renew(client, Renewal(term=NEXT), **by)
        assert begin_terms(today=date(2026, 9, 30), now=NOW) == []
        assert begin_terms(today=date(2026, 10, 1), now=NOW) == [client.pk]
        assert own(client) == (150_000, 60, date(2027, 9, 30))

    def test_a_record_that_differs_is_left_to_people(self, client: Client) -> None:
        Client.objects.filter(pk=client.pk).update(annual_recurring_revenue=1)
        begin_terms(today=TODAY, now=NOW)
        assert own(client)[0] == 1
