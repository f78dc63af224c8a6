"""Words are found on both databases, kept by triggers, and never shown to those who may not see them."""

import re
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection

from bellwether.portfolio import search_index
from bellwether.portfolio.models import Activity, Client, Contact, Note, SearchEntry, SupportTicket, SurveyResponse, Tag
from bellwether.portfolio.search import search
from bellwether.portfolio.search_words import extract, found_in, marked, words_of
from tests.conftest import NOW, Clients, Staff


class TestWords:
    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ("Žižkov  Café", ("zizkov", "cafe")),
            ('"NEAR(a b) OR -x* : ^', ("near", "a", "b", "or", "x")),
            ("a a A", ("a",)),
            ("snake_case@mail.example", ("snake", "case", "mail", "example")),
            ("   ", ()),
            ("한국", ("한국",)),
        ],
        ids=["accents", "syntax", "twice", "address", "nothing", "korean"],
    )
    def test_are_letters_and_digits_alone(self, typed: str, words: tuple[str, ...]) -> None:
        assert words_of(typed) == words

    def test_all_have_to_begin_a_word(self) -> None:
        assert found_in("Renewal of the Café terms", ("ren", "cafe"))
        assert not found_in("Renewal of the Café terms", ("newal",))
        assert not found_in("Renewal", ("ren", "cafe"))

    def test_are_marked_where_they_stand(self) -> None:
        parts = marked("The <Café>, cafeteria and decaf", ("cafe",))
        assert [(part.text, part.hit) for part in parts] == [
            ("The <", False),
            ("Café", True),
            (">, ", False),
            ("cafeteria", True),
            (" and decaf", False),
        ]

    def test_an_extract_stands_around_the_first_hit(self) -> None:
        text = " ".join(["filler"] * 100 + ["needle"] + ["more"] * 100)
        cut = extract(text, ("needle",), at_most=80)
        assert "needle" in cut
        assert len(cut) <= 82
        assert cut.startswith("…")
        assert cut.endswith("…")


def names(user: object, text: str, kind: str = "client") -> list[str]:
    return [str(row) for hits in search(user, text, kinds=[kind], limit=20) for row in hits.rows]  # type: ignore[arg-type]


class TestClients:
    def test_are_found_by_beginnings_of_words_in_any_order(self, staff: Staff, clients: Clients) -> None:
        Client.objects.filter(pk=clients.sturdy.pk).update(name="Brasserie Žižkov", organization_id="acct-77")
        assert names(staff.vera, "ziz bra") == ["Brasserie Žižkov"]
        assert names(staff.vera, "acct-77") == ["Brasserie Žižkov"]
        assert names(staff.vera, "izkov") == []
        assert names(staff.vera, "Sturdy") == []

    def test_are_found_by_their_tags_and_by_a_new_name_of_a_tag(self, staff: Staff, clients: Clients) -> None:
        tag = Tag.objects.create(name="Pilot group")
        clients.sturdy.tags.add(tag)
        clients.fading.tags.add(tag)
        assert names(staff.vera, "pilot sturdy") == ["Sturdy"]
        Tag.objects.filter(pk=tag.pk).update(name="Beacon")
        assert sorted(names(staff.vera, "beac")) == ["Fading", "Sturdy"]
        clients.sturdy.tags.clear()
        assert names(staff.vera, "beacon") == ["Fading"]

    def test_what_one_may_not_see_and_archived_clients_are_left_out(self, staff: Staff, clients: Clients) -> None:
        assert names(staff.ada, "elsewhere") == []
        assert names(staff.cleo, "elsewhere") == ["Elsewhere"]
        assert names(staff.ed, "sturdy") == ["Sturdy"]
        assert names(staff.ed, "fading") == []
        assert names(staff.adam, "gone") == []
        staff.ada.is_active = False
        assert names(staff.ada, "sturdy") == []

    def test_the_name_weighs_more_than_the_tags(self, staff: Staff, clients: Clients) -> None:
        clients.fading.tags.add(Tag.objects.create(name="sturdy"))
        assert names(staff.vera, "sturdy") == ["Sturdy", "Fading"]

    def test_whole_words_come_before_beginnings(self, staff: Staff, clients: Clients) -> None:
        for name in ("Site 31", "Site 3", "Site 32"):
            Client.objects.create(organization_id=name, name=name, csm_user=staff.ada)
        assert names(staff.ada, "site 3")[0] == "Site 3"

    @pytest.mark.parametrize(
        "typed",
        [
            '"',
            "'",
            "*",
            "a:b",
            "NOT",
            "a AND",
            "(",
            "^x",
            "-",
            "{title}: x",
            "\\",
            "a\x00b",
            "x" * 5000,
            "' | !",
            "NULL",
        ],
        ids=list("abcdefghijklmno"),
    )
    def test_any_text_is_a_query(self, staff: Staff, clients: Clients, typed: str) -> None:
        search(staff.ada, typed)
        search(staff.vera, typed)


class TestRecords:
    def test_of_bulk_writes_are_found_and_gone_with_them(self, staff: Staff, clients: Clients) -> None:
        made = Activity.objects.bulk_create(
            [
                Activity(
                    client=clients.sturdy,
                    activity_type="QBR",
                    subject="Quarterly talk",
                    next_steps="Send the roadmap",
                    tags=["expansion discussion"],
                    occurred_at=NOW,
                ),
                Activity(client=clients.elsewhere, activity_type="CALL", subject="Roadmap", occurred_at=NOW),
            ]
        )
        assert names(staff.ada, "roadmap", "activity") == ["Quarterly talk"]
        assert names(staff.ada, "qbr expans", "activity") == ["Quarterly talk"]
        assert names(staff.vera, "roadmap", "activity") == ["Roadmap", "Quarterly talk"]
        Activity.objects.filter(pk=made[0].pk).update(next_steps="Nothing", tags=[])
        assert names(staff.ada, "roadmap", "activity") == []
        Activity.objects.filter(pk=made[0].pk).update(archived_at=NOW)
        assert names(staff.ada, "quarterly", "activity") == []
        Activity.objects.filter(pk=made[0].pk).update(archived_at=None)
        assert names(staff.ada, "quarterly", "activity") == ["Quarterly talk"]
        Activity.objects.all().delete()
        assert names(staff.vera, "quarterly", "activity") == []

    def test_private_notes_are_found_by_their_author_alone(self, staff: Staff, clients: Clients) -> None:
        note = Note.objects.create(
            client=clients.sturdy, title="Doubts", content="The sponsor wavers", is_private=True, created_by=staff.ada
        )
        assert names(staff.ada, "wavers", "note") == ["Doubts"]
        assert names(staff.ben, "wavers", "note") == []
        assert names(staff.vera, "wavers", "note") == []
        Note.objects.filter(pk=note.pk).update(is_private=False)
        assert names(staff.ben, "wavers", "note") == ["Doubts"]

    def test_contacts_are_found_by_the_whole_address_only(self, staff: Staff, clients: Clients) -> None:
        Contact.objects.create(client=clients.sturdy, name="Mara Lind", title="CFO", email="mara@cobalt.example")
        assert names(staff.ada, "cfo", "contact") == ["Mara Lind"]
        assert names(staff.ada, "MARA@cobalt.example", "contact") == ["Mara Lind"]
        assert names(staff.ada, "cobalt", "contact") == []
        assert names(staff.cleo, "mara@cobalt.example", "contact") == []

    def test_tickets_and_answers(self, staff: Staff, clients: Clients) -> None:
        SupportTicket.objects.create(client=clients.sturdy, external_id="4821", subject="Export fails", opened_at=NOW)
        SurveyResponse.objects.create(client=clients.sturdy, kind="NPS", score=3, comment="Slow", answered_at=NOW)
        assert names(staff.ada, "482", "ticket") == ["Export fails"]
        assert names(staff.ada, "slow", "answer") == ["NPS 3"]

    def test_pages_and_totals(self, staff: Staff, clients: Clients) -> None:
        Activity.objects.bulk_create(
            Activity(client=clients.sturdy, activity_type="CALL", subject=f"Talk {n}", occurred_at=NOW)
            for n in range(7)
        )
        first, second = (search(staff.ada, "talk", kinds=["activity"], limit=4, offset=offset)[0] for offset in (0, 4))
        assert (first.total, second.total) == (7, 7)
        assert len({row.pk for row in (*first.rows, *second.rows)}) == 7

    def test_an_endless_text_can_be_stored(self, staff: Staff, clients: Clients) -> None:
        content = " ".join(f"word{n}" for n in range(200_000))
        Note.objects.create(client=clients.sturdy, content=content, created_by=staff.ada)
        assert len(names(staff.ada, "word17", "note")) == 1


class TestIndex:
    def test_is_made_again_from_the_records(self, staff: Staff, clients: Clients) -> None:
        SearchEntry.objects.filter(kind="client").delete()
        assert search_index.differences(connection) == {"client": (4, 0)}
        assert search_index.rebuild()["client"] == 4
        assert search_index.differences(connection) == {}
        assert names(staff.ada, "sturdy") == ["Sturdy"]

    def test_says_which_triggers_are_missing_and_makes_them_again(self, staff: Staff, clients: Clients) -> None:
        assert search_index.missing(connection) == set()
        search_index.remove(connection)
        Client.objects.filter(pk=clients.sturdy.pk).update(name="Renamed")
        assert len(search_index.missing(connection)) > 10
        assert search_index.ensure(connection)
        assert not search_index.ensure(connection)
        assert names(staff.ada, "renamed") == ["Renamed"]

    def test_a_score_or_a_save_without_new_words_leaves_the_index_alone(self, clients: Clients) -> None:
        before = set(SearchEntry.objects.values_list("pk", flat=True))
        Client.objects.update(current_health_score=50)
        clients.sturdy.save()
        assert set(SearchEntry.objects.values_list("pk", flat=True)) == before

    @pytest.mark.parametrize("viewer", ["ada", "vera"])
    def test_takes_a_fixed_number_of_queries(
        self, staff: Staff, clients: Clients, viewer: str, django_assert_max_num_queries: object
    ) -> None:
        Activity.objects.bulk_create(
            Activity(client=clients.sturdy, activity_type="CALL", subject=f"Sturdy {n}", occurred_at=NOW - timedelta(n))
            for n in range(30)
        )
        with django_assert_max_num_queries(10):  # type: ignore[operator]
            found = search(getattr(staff, viewer), "sturdy")
        assert [(hits.kind, hits.total) for hits in found] == [("client", 1), ("activity", 30)]

    @pytest.mark.sqlite_only
    def test_sqlites_own_check_finds_it_whole(self, clients: Clients) -> None:
        clients.sturdy.tags.add(Tag.objects.create(name="x"))
        clients.fading.delete()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO portfolio_searchwords(portfolio_searchwords) VALUES ('integrity-check')")

    def test_no_migration_is_owed(self, db: None) -> None:
        call_command("makemigrations", "portfolio", check=True, dry_run=True, verbosity=0)
        assert re.fullmatch(r"\w+", search_index.ENTRIES)
