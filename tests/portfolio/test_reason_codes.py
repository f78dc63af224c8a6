"""Reasons why contracts ended: words and codes, in the services, the import, the API and the move of old records."""

from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio import contracts, outcomes
from bellwether.portfolio.choices import OutcomeReason
from bellwether.portfolio.models import ClientOutcome
from bellwether.portfolio.outcomes import Ending
from bellwether.portfolio.reason_codes import REASONS, WORDS, code_of, coded, folded, said
from bellwether.portfolio.reason_moves import code_outcomes
from bellwether.staff.models import AuditEvent
from tests.conftest import NOW, TODAY, Clients, Staff
from tests.portfolio.importing.test_import_records import Run, numbers, run  # noqa: F401


@pytest.mark.one_database
class TestWords:
    @pytest.mark.parametrize(
        ("words", "code"),
        [
            ("Budget", "PRICE"), ("pricing ", "PRICE"), ("Champion  left", "CHAMPION_LEFT"), ("acquired", "ACQUIRED"),
            ("features", "PRODUCT"), ("Built in-house", "IN_HOUSE"), ("COMPETITOR", "COMPETITOR"),
            ("Non-payment", "NON_PAYMENT"), ("Fewer seats", "FEWER_SEATS"), ("Needs less", "FEWER_SEATS"),
            ("champion_left", "CHAMPION_LEFT"), ("Other", "OTHER"), ("unknown", ""), ("", ""), ("They moved", ""),
        ],
    )  # fmt: skip
    def test_known_words_have_a_code_and_others_none(self, words: str, code: str) -> None:
        assert code_of(words) == code

    def test_every_wording_has_one_code_and_every_code_its_own_name(self) -> None:
        assert all(folded(word) == word for word in WORDS)
        assert {code: (code_of(code), code_of(label)) for code, label in OutcomeReason.choices} == {
            code: (code, code) for code in OutcomeReason.values
        }
        assert len(OutcomeReason.values) == 13

    def test_no_wording_stands_for_two_codes(self) -> None:
        from bellwether.portfolio.reason_codes import _SYNONYMS

        seen: dict[str, str] = {}
        for code, words in _SYNONYMS.items():
            for word in (REASONS[code], *words):
                assert seen.setdefault(folded(word), code) == code

    def test_a_given_code_wins_and_renewals_get_none_from_words(self) -> None:
        assert coded("OTHER", "budget", "CHURNED") == "OTHER"
        assert (coded("", "budget", "CHURNED"), coded("", "budget", "RENEWED")) == ("PRICE", "")

    @pytest.mark.parametrize(
        ("code", "words", "shown"),
        [
            ("PRICE", "budget", "Price or budget"),
            ("PRICE", "Discount refused", "Price or budget: Discount refused"),
            ("OTHER", "Moved abroad", "Moved abroad"),
            ("", "Moved  abroad", "Moved abroad"),
            ("PRICE", "unknown", "Price or budget"),
            ("", "", ""),
        ],
        ids=["same", "more", "other", "words", "unsaid", "none"],
    )
    def test_what_is_shown_says_nothing_twice(self, code: str, words: str, shown: str) -> None:
        assert said(code, words) == shown


@pytest.mark.django_db
class TestStored:
    @pytest.fixture
    def by(self, staff: Staff) -> dict[str, Any]:
        return {"actor": staff.ada, "today": TODAY, "now": NOW}

    def test_known_words_bring_their_code_and_a_repeat_changes_nothing(
        self, clients: Clients, by: dict[str, Any]
    ) -> None:
        ending = Ending(outcome="CHURNED", date=date(2026, 1, 5), reason="Budget cut")
        made = outcomes.add_outcome(clients.sturdy, ending, external_id="E-1", **by)
        assert made.record is not None
        assert made.record.reason_code == "PRICE"
        assert outcomes.add_outcome(clients.sturdy, ending, external_id="E-1", **by).repeated
        other = Ending(outcome="CHURNED", date=date(2026, 1, 5), reason="Budget cut", reason_code="COMPETITOR")
        with pytest.raises(ConflictError):
            outcomes.add_outcome(clients.sturdy, other, external_id="E-1", **by)

    def test_an_unknown_code_is_refused_at_its_field(self, clients: Clients, by: dict[str, Any]) -> None:
        with pytest.raises(InvalidInputError) as refused:
            contracts.mark_churned(clients.sturdy, contracts.Churn(date=TODAY, reason_code="MOOD"), **by)
        assert list(refused.value.errors) == ["reason_code"]
        assert not ClientOutcome.objects.filter(client=clients.sturdy).exists()

    def test_old_records_are_coded_once_and_nothing_else_changes(self, clients: Clients) -> None:
        ClientOutcome.objects.all().delete()
        for day, words, outcome, code in (
            (1, "budget", "CHURNED", ""),
            (2, "Budget", "DOWNGRADED", ""),
            (3, "they moved", "CHURNED", ""),
            (4, "price", "RENEWED", ""),
            (5, "price", "CHURNED", "CHAMPION_LEFT"),
            (6, "", "CHURNED", ""),
        ):
            ClientOutcome.objects.create(
                client=clients.sturdy, outcome=outcome, date=date(2026, 1, day), reason=words, reason_code=code
            )
        stored = dict(ClientOutcome.objects.values_list("pk", "updated_at"))
        dry = code_outcomes(ClientOutcome, dry_run=True)
        assert not ClientOutcome.objects.filter(reason_code="PRICE").exists()
        done = code_outcomes(ClientOutcome)
        assert dry == done
        assert done.done == {("budget", "PRICE"): 1, ("Budget", "PRICE"): 1}
        assert done.left["they moved"] == 1
        ours = ClientOutcome.objects.filter(client=clients.sturdy).order_by("date")
        assert list(ours.values_list("reason_code", flat=True)) == ["PRICE", "PRICE", "", "", "CHAMPION_LEFT", ""]
        assert dict(ClientOutcome.objects.values_list("pk", "updated_at")) == stored
        assert code_outcomes(ClientOutcome).done == {}

    def test_the_command_says_what_it_does_and_is_logged(self, clients: Clients) -> None:
        import typer

        from bellwether.portfolio.commands import register

        app = typer.Typer()
        register(app)
        ClientOutcome.objects.all().delete()
        ClientOutcome.objects.create(client=clients.sturdy, outcome="CHURNED", date=TODAY, reason="merger")
        for options, words, rows in ((["--dry-run"], "1 would be coded", 0), ([], "1 coded", 1), ([], "0 coded", 1)):
            said_so = CliRunner().invoke(app, ["outcomes", "code", *options])
            assert words in said_so.output
            assert AuditEvent.objects.filter(action="outcome.coded").count() == rows


@pytest.mark.django_db
class TestImport:
    def test_reads_words_as_codes_and_keeps_what_it_does_not_know(self, run: Run, clients: Clients) -> None:  # noqa: F811
        run(
            "outcomes",
            "client_id,outcome,date,reason_code,reason\n"
            "sturdy,churned,2026-05-01,budget,\n"
            "sturdy,churned,2026-05-02,R17,Cheaper elsewhere\n"
            "sturdy,churned,2026-05-03,,Acquired\n"
            "sturdy,churned,2026-05-04,R18,\n"
            "sturdy,renewed,2026-05-05,,price\n"
            "sturdy,downgraded,2026-05-06,CHAMPION_LEFT,Merger\n",
        )
        rows = ClientOutcome.objects.filter(client=clients.sturdy).order_by("date")
        assert list(rows.values_list("reason_code", "reason")) == [
            ("PRICE", ""),
            ("", "R17: Cheaper elsewhere"),
            ("ACQUIRED", "Acquired"),
            ("", "R18"),
            ("", "price"),
            ("CHAMPION_LEFT", "Merger"),
        ]

    def test_a_repeat_changes_nothing_and_leaves_a_code_that_was_set_by_hand(self, run: Run, clients: Clients) -> None:  # noqa: F811
        text = "client_id,outcome,date,reason\nsturdy,churned,2026-05-01,they moved\n"
        run("outcomes", text)
        ClientOutcome.objects.filter(client=clients.sturdy).update(reason_code="CLOSED")
        assert numbers(run("outcomes", text)) == (0, 0, 1, 0)
        assert ClientOutcome.objects.get(client=clients.sturdy).reason_code == "CLOSED"

    def test_words_that_do_not_fit_are_refused_with_the_row(self, run: Run, clients: Clients) -> None:  # noqa: F811
        run("outcomes", f"client_id,outcome,date,reason_code,reason\nsturdy,churned,2026-05-01,R17,{'x' * 98}\n")
        assert "reason_code 'R17' is no known reason and does not fit beside reason" in run.reasons[0]

    def test_all_reasons_of_a_public_set_of_churn_events_are_read(self) -> None:
        words = ("budget", "pricing", "competitor", "features", "support", "unknown")
        assert [code_of(word) for word in words] == ["PRICE", "PRICE", "COMPETITOR", "PRODUCT", "SUPPORT", ""]
