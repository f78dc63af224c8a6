"""One change for many clients: what it does, what it refuses, that it is one change and can be undone."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.common.jobs import run_job
from bellwether.common.models import JobState
from bellwether.portfolio.bulk import BulkChange, apply_bulk, clean_change, describe, plan_bulk
from bellwether.portfolio.bulk_jobs import request_bulk
from bellwether.portfolio.changes import undo
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.portfolio.models import Change, Client, Tag
from bellwether.staff.models import AuditEvent, StaffUser
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = pytest.mark.django_db


def apply(user: StaffUser, ids: list[Any], **change: Any) -> tuple[list[str], Change | None]:
    plan, made = apply_bulk(user, ids, clean_change(BulkChange(**change), user), today=TODAY, now=NOW)
    return [row.result for row in plan.rows], made


def tags(client: Client) -> list[str]:
    return sorted(client.tags.values_list("name", flat=True))


class TestApply:
    def test_tags_and_segments_are_one_change_that_is_undone_whole(self, staff: Staff, clients: Clients) -> None:
        clients.fading.tags.add(Tag.objects.create(name="Pilot"), Tag.objects.create(name="Old"))
        Client.objects.filter(pk=clients.fading.pk).update(segment="Small")
        ids = [clients.sturdy.pk, clients.fading.pk]
        results, made = apply(staff.ada, ids, add_tags=("Pilot", "New"), remove_tags=("Old",), segment="Large")
        assert results == ["changed", "changed"]
        assert tags(clients.sturdy) == tags(clients.fading) == ["New", "Pilot"]
        assert set(Client.objects.filter(pk__in=ids).values_list("segment", flat=True)) == {"Large"}
        assert made is not None
        assert made.summary == ("Tags Pilot, New added to, tag Old removed from, segment Large set for 2 clients")
        event = AuditEvent.objects.get(action="client.bulk_changed")
        assert event.detail["count"] == 2
        undo(staff.ada, made.pk, today=TODAY, now=NOW)
        assert tags(clients.sturdy) == []
        assert tags(clients.fading) == ["Old", "Pilot"]
        assert list(Client.objects.filter(pk__in=ids).order_by("name").values_list("segment", flat=True)) == [
            "Small",
            "",
        ]

    def test_is_not_undone_over_a_later_edit_of_one_of_them(self, staff: Staff, clients: Clients) -> None:
        ids = [clients.sturdy.pk, clients.fading.pk]
        _, made = apply(staff.vera, ids, segment="Large", csm_id=staff.cleo.pk)
        assert made is not None
        Client.objects.filter(pk=clients.fading.pk).update(segment="Small")
        with pytest.raises(ConflictError, match="Fading was changed since"):
            undo(staff.vera, made.pk, today=TODAY, now=NOW)
        assert Client.objects.get(pk=clients.sturdy.pk).segment == "Large"
        done = undo(staff.vera, made.pk, today=TODAY, now=NOW, partial=True)
        assert (done.restored, done.left) == (
            1,
            ("Fading was changed since. Undo that first, or change it by hand.",),
        )
        sturdy = Client.objects.get(pk=clients.sturdy.pk)
        assert (sturdy.segment, sturdy.csm_user_id) == ("", staff.ada.pk)

    def test_undoing_takes_as_many_queries_for_many_clients(self, staff: Staff, clients: Clients) -> None:
        def count(ids: list[Any], tag: str) -> int:
            _, made = apply(staff.vera, ids, add_tags=(tag,), segment=tag)
            assert made is not None
            with CaptureQueriesContext(connection) as queries:
                undo(staff.vera, made.pk, today=TODAY, now=NOW)
            return len(queries)

        few = count([clients.sturdy.pk, clients.fading.pk], "one")
        made = Client.objects.bulk_create(Client(organization_id=f"o{n}", name=f"C{n}") for n in range(60))
        assert count([client.pk for client in made], "two") <= few

    def test_tells_each_row_what_happened(self, staff: Staff, clients: Clients) -> None:
        Client.objects.filter(pk=clients.sturdy.pk).update(segment="Large")
        unknown = uuid4()
        ids = [clients.sturdy.pk, clients.gone.pk, clients.elsewhere.pk, unknown, clients.fading.pk, clients.fading.pk]
        results, _ = apply(staff.ada, ids, segment="Large")
        assert results == ["unchanged", "refused", "not_found", "not_found", "changed"]
        assert Client.objects.get(pk=clients.elsewhere.pk).segment == ""
        assert Client.objects.get(pk=clients.gone.pk).segment == ""

    def test_again_changes_nothing(self, staff: Staff, clients: Clients) -> None:
        apply(staff.ada, [clients.sturdy.pk], add_tags=("New",))
        results, made = apply(staff.ada, [clients.sturdy.pk], add_tags=("New",))
        assert (results, made) == (["unchanged"], None)
        assert Change.objects.count() == 1

    def test_planning_writes_nothing(self, staff: Staff, clients: Clients) -> None:
        plan = plan_bulk(staff.ada, [clients.sturdy.pk], BulkChange(add_tags=("New",)))
        assert plan.count("changed") == 1
        assert not Tag.objects.exists()

    def test_takes_as_many_queries_for_many_clients(self, staff: Staff, clients: Clients) -> None:
        def count(ids: list[Any], tag: str) -> int:
            with CaptureQueriesContext(connection) as queries:
                apply(staff.vera, ids, add_tags=(tag,), segment=tag)
            return len(queries)

        few = count([clients.sturdy.pk, clients.fading.pk], "one")
        made = Client.objects.bulk_create(Client(organization_id=f"o{n}", name=f"C{n}") for n in range(60))
        assert count([client.pk for client in made], "two") <= few


class TestRoles:
    def test_people_are_assigned_by_those_who_may(self, staff: Staff, clients: Clients) -> None:
        with pytest.raises(NotAllowedError):
            apply(staff.ada, [clients.sturdy.pk], csm_id=staff.ben.pk)
        with pytest.raises(NotAllowedError):
            apply(staff.ben, [clients.sturdy.pk], csm_id=staff.cleo.pk)  # of another team
        with pytest.raises(NotAllowedError):
            apply(staff.ben, [clients.sturdy.pk], ae_id=staff.ed.pk)
        results, _ = apply(staff.vera, [clients.sturdy.pk, clients.fading.pk], csm_id=staff.cleo.pk, ae_id=None)
        assert results == ["changed", "changed"]
        sturdy = Client.objects.get(pk=clients.sturdy.pk)
        assert (sturdy.csm_user_id, sturdy.ae_user_id) == (staff.cleo.pk, None)

    def test_nobody_of_another_role_becomes_a_csm(self, staff: Staff, clients: Clients) -> None:
        with pytest.raises(InvalidInputError) as failure:
            apply(staff.vera, [clients.sturdy.pk], csm_id=staff.ed.pk)
        assert list(failure.value.errors) == ["csm_id"]


class TestCleanChange:
    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({}, ""),
            ({"add_tags": ("x" * 61,)}, "add_tags"),
            ({"add_tags": ("a",), "remove_tags": ("a",)}, "remove_tags"),
            ({"segment": "x" * 101}, "segment"),
            ({"add_tags": tuple(f"t{n}" for n in range(51))}, "add_tags"),
        ],
        ids=["nothing", "long tag", "both", "long segment", "many tags"],
    )
    def test_names_the_field(self, change: dict[str, Any], field: str, staff: Staff) -> None:
        with pytest.raises(InvalidInputError) as failure:
            clean_change(BulkChange(**change), staff.ada)
        assert list(failure.value.errors) == [field]

    def test_describes_itself(self, staff: Staff) -> None:
        assert describe(BulkChange(segment=""), 1) == "Segment taken from 1 client"
        assert describe(BulkChange(csm_id=staff.cleo.pk), 2) == "CSM Cleo Example set for 2 clients"


class TestJob:
    def test_changes_what_was_confirmed_and_leaves_the_change(self, staff: Staff, clients: Clients) -> None:
        ids = [clients.sturdy.pk, clients.elsewhere.pk]
        run = request_bulk(staff.ada, ids, BulkChange(add_tags=("New",), segment="Large"), NOW)
        run_job("bulk_change", now=NOW, run=run)
        run.refresh_from_db()
        assert run.state == JobState.DONE
        assert run.counts == {"clients": 1, "unchanged": 0, "not_found": 1, "refused": 0}
        assert run.progress_done == 1
        assert tags(clients.sturdy) == ["New"]
        assert "ids" not in run.arguments
        undo(staff.ada, run.arguments["change_id"], today=TODAY, now=NOW)
        assert tags(clients.sturdy) == []
