"""Saving, muting and taking back: who may, what is refused, what undo brings back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.http import Http404

from bellwether.alerts.choices import SettingScope
from bellwether.alerts.models import AlertSetting
from bellwether.alerts.settings_changes import Place, may_change, mute, place_of, reset, save, unmute
from bellwether.alerts.settings_checking import Asked
from bellwether.alerts.settings_explaining import View, explain
from bellwether.alerts.settings_reading import read_rules, read_settings
from bellwether.alerts.settings_resolving import Setting
from bellwether.alerts.settings_selectors import muted_clients, muted_count, own_settings
from bellwether.common.errors import ConflictError, InvalidInputError
from bellwether.portfolio.changes import undo
from bellwether.portfolio.choices import AlertLevel
from bellwether.portfolio.client_changes import NotAllowedError
from bellwether.portfolio.models import Change, Client
from bellwether.staff.models import AuditEvent
from tests.conftest import NOW, TODAY, Clients, Staff

ALL = Place(SettingScope.WORKSPACE)
LATER = NOW + timedelta(days=30)


def drop(points: float | None = 15, **fields: Any) -> Asked:
    return Asked("HEALTH_DROP", {"thresholds": {"points": points}, **fields})


def at(client: Client) -> Place:
    return Place(SettingScope.CLIENT, client=client)


def test_what_is_saved_holds_and_undo_takes_it_back(staff: Staff, clients: Clients) -> None:
    made = save(ALL, [drop(severity="MEDIUM")], actor=staff.vera, now=NOW)
    rules = read_rules().filter(alert_type="HEALTH_DROP")
    assert set(rules["severity"]) == {"MEDIUM"}
    assert {row["points"] for row in rules["thresholds"]} == {15}
    assert AuditEvent.objects.filter(action="alert.settings").count() == 1
    undo(staff.vera, made.undo, today=TODAY, now=NOW)  # type: ignore[arg-type]
    assert read_settings() == []


def test_the_same_again_changes_nothing(staff: Staff, clients: Clients) -> None:
    save(ALL, [drop()], actor=staff.adam, now=NOW)
    again = save(ALL, [drop()], actor=staff.vera, now=LATER)
    assert again.change is None
    row = AlertSetting.objects.get()
    assert (row.updated_by, row.updated_at) == (staff.adam, NOW)
    assert Change.objects.count() == 1


def test_fields_that_are_not_given_stay(staff: Staff, clients: Clients) -> None:
    save(ALL, [drop(media=["SLACK", "IN_APP"])], actor=staff.adam, now=NOW)
    save(ALL, [Asked("HEALTH_DROP", {"thresholds": {"days": 14}})], actor=staff.adam, now=NOW)
    row = AlertSetting.objects.get()
    assert (row.thresholds, row.media) == ({"days": 14, "points": 15}, ["IN_APP", "SLACK"])
    save(ALL, [drop(points=None)], actor=staff.adam, now=NOW)
    row.refresh_from_db()
    assert row.thresholds == {"days": 14}


def test_only_vps_and_administrators_set_what_holds_for_many(staff: Staff, clients: Clients) -> None:
    tier = Place(SettingScope.TIER, "ENTERPRISE")
    for person in (staff.ada, staff.ben, staff.ed):
        assert not may_change(person, tier)
        with pytest.raises(NotAllowedError):
            save(tier, [drop()], actor=person, now=NOW)
    assert may_change(staff.vera, tier)
    assert not AlertSetting.objects.exists()


def test_a_csm_sets_own_clients_and_no_others(staff: Staff, clients: Clients) -> None:
    assert save(at(clients.sturdy), [drop()], actor=staff.ada, now=NOW).change
    with pytest.raises(Http404):
        save(at(clients.sturdy), [drop(20)], actor=staff.cleo, now=NOW)
    with pytest.raises(Http404):
        place_of(staff.cleo, client_id=clients.sturdy.pk)
    assert AlertSetting.objects.get().thresholds == {"points": 15}


@pytest.mark.parametrize(("asked", "field"), [
    (Asked("HEALTH_DROP", {"thresholds": {"points": 61}}), "thresholds.points"),
    (Asked("HEALTH_DROP", {"thresholds": {"points": 10.5}}), "thresholds.points"),
    (Asked("HEALTH_DROP", {"thresholds": {"percent": 10}}), "thresholds.percent"),
    (Asked("HEALTH_DROP", {"thresholds": {"points": True}}), "thresholds.points"),
    (Asked("HEALTH_DROP", {"thresholds": 7}), "thresholds"),
    (Asked("", {"thresholds": {"points": 10}}), "thresholds"),
    (Asked("SOMETHING", {}), "alert_type"),
    (Asked("HEALTH_DROP", {"severity": "URGENT"}), "severity"),
    (Asked("HEALTH_DROP", {"media": ["PIGEON"]}), "media"),
    (Asked("HEALTH_DROP", {"respond_within_hours": 0}), "respond_within_hours"),
    (Asked("HEALTH_DROP", {"is_enabled": "yes"}), "is_enabled"),
    (Asked("HEALTH_DROP", {"colour": "red"}), "colour"),
    (Asked("HEALTH_DROP", {"muted_until": LATER, "mute_reason": "x"}), "muted_until"),
    (Asked("RENEWAL_APPROACHING", {"thresholds": {"second_days": 95}}), "thresholds.second_days"),
    (Asked("RENEWAL_APPROACHING", {"thresholds": {"third_days": 60}}), "thresholds.third_days"),
], ids=lambda value: value if isinstance(value, str) else "")  # fmt: skip
def test_what_cannot_be_used_names_its_field(staff: Staff, clients: Clients, asked: Asked, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        save(ALL, [drop(), asked] if asked.alert_type != "HEALTH_DROP" else [asked], actor=staff.adam, now=NOW)
    assert list(refused.value.errors) == [field]
    assert not AlertSetting.objects.exists()


def test_a_type_given_twice_is_refused_with_its_position(staff: Staff, clients: Clients) -> None:
    with pytest.raises(InvalidInputError) as refused:
        save(ALL, [drop(), drop(20)], actor=staff.adam, now=NOW, path="settings")
    assert list(refused.value.errors) == ["settings.1.alert_type"]


@pytest.mark.parametrize(("given", "field"), [
    ({"scope": "PLANET"}, "scope"), ({"scope": "TIER", "value": "GOLD"}, "value"),
    ({"scope": "SEGMENT", "value": "Nowhere"}, "value"), ({"scope": "CLIENT"}, "client_id"),
    ({"scope": "WORKSPACE", "value": "x"}, "value"),
], ids=["scope", "tier", "segment", "client", "workspace"])  # fmt: skip
def test_places_that_there_are_not(staff: Staff, clients: Clients, given: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        place_of(staff.adam, **given)
    assert list(refused.value.errors) == [field]


def test_a_mute_holds_until_its_day_and_is_listed_to_those_who_see_the_client(staff: Staff, clients: Clients) -> None:
    mute(clients.sturdy, until=LATER, reason="Merger until July", actor=staff.ada, now=NOW)
    assert [(one.client, one.alert_type, one.reason, one.by) for one in muted_clients(staff.ada, NOW)] == [
        (clients.sturdy, "", "Merger until July", staff.ada)
    ]
    assert (muted_count(staff.ada, NOW), muted_count(staff.ada, LATER), muted_count(staff.cleo, NOW)) == (1, 0, 0)
    muted = read_rules().filter(client_id=clients.sturdy.pk.hex)["muted_until"]
    assert set(muted) == {LATER}
    done = unmute(clients.sturdy, actor=staff.ada, now=NOW)
    assert muted_clients(staff.ada, NOW) == []
    undo(staff.ada, done.undo, today=TODAY, now=NOW)  # type: ignore[arg-type]
    assert muted_clients(staff.ada, NOW)[0].reason == "Merger until July"


@pytest.mark.parametrize(("until", "reason", "field"), [
    (NOW, "why", "muted_until"), (NOW + timedelta(days=731), "why", "muted_until"), (LATER, " ", "mute_reason"),
    (LATER, "x" * 301, "mute_reason"),
], ids=["past", "years", "no-reason", "long"])  # fmt: skip
def test_a_mute_needs_a_day_to_come_and_a_reason(
    staff: Staff, clients: Clients, until: datetime, reason: str, field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        mute(clients.sturdy, until=until, reason=reason, actor=staff.ada, now=NOW)
    assert list(refused.value.errors) == [field]


def test_an_archived_client_is_not_changed(staff: Staff, clients: Clients) -> None:
    Client.objects.filter(pk=clients.sturdy.pk).update(archived_at=NOW)
    with pytest.raises(ConflictError):
        mute(clients.sturdy, until=LATER, reason="why", actor=staff.ada, now=NOW)


def test_level_and_settings_are_one_change(staff: Staff, clients: Clients) -> None:
    made = save(at(clients.sturdy), [drop()], actor=staff.ada, now=NOW, level=AlertLevel.PROACTIVE)
    clients.sturdy.refresh_from_db()
    assert clients.sturdy.alert_level == "PROACTIVE"
    undo(staff.ada, made.undo, today=TODAY, now=NOW)  # type: ignore[arg-type]
    clients.sturdy.refresh_from_db()
    assert (clients.sturdy.alert_level, read_settings()) == ("DASHBOARD_ONLY", [])


def test_reset_lets_the_wider_scope_hold_and_keeps_a_mute(staff: Staff, clients: Clients) -> None:
    save(at(clients.sturdy), [drop(is_enabled=False, media=[])], actor=staff.ada, now=NOW)
    mute(clients.sturdy, alert_type="HEALTH_DROP", until=LATER, reason="why", actor=staff.ada, now=NOW)
    assert len(own_settings(staff.ada)) == 1
    made = reset(at(clients.sturdy), ["HEALTH_DROP"], actor=staff.ada, now=NOW)
    setting = read_settings()[0]
    assert (setting.is_enabled, setting.media, dict(setting.thresholds), setting.muted_until) == (None, None, {}, LATER)
    assert own_settings(staff.ada) == []
    undo(staff.ada, made.undo, today=TODAY, now=NOW)  # type: ignore[arg-type]
    assert own_settings(staff.ada)[0].thresholds == {"points": 15}
    assert own_settings(staff.cleo) == []


def test_what_is_explained_is_what_is_resolved(staff: Staff, clients: Clients) -> None:
    """Both readings of the same settings agree, for each client and kind."""
    Client.objects.filter(pk=clients.fading.pk).update(segment="Growth", contract_tier="STARTER")
    settings = [
        Setting(scope="WORKSPACE", is_enabled=False),
        Setting(scope="WORKSPACE", alert_type="HEALTH_DROP", is_enabled=True, thresholds={"points": 12}),
        Setting(scope="TIER", scope_value="ENTERPRISE", severity="LOW"),
        Setting(scope="SEGMENT", scope_value="Growth", alert_type="SUPPORT_SPIKE", thresholds={"times": 2.5}),
        Setting(scope="CLIENT", client_id=clients.sturdy.pk.hex, alert_type="HEALTH_DROP", respond_within_hours=3),
    ]
    for one in settings:
        client = Client.objects.get(pk=one.client_id) if one.client_id else None
        AlertSetting.objects.create(
            scope=one.scope, scope_value=one.scope_value, client=client, alert_type=one.alert_type,
            is_enabled=one.is_enabled, thresholds=dict(one.thresholds), severity=one.severity,
            respond_within_hours=one.respond_within_hours, created_at=NOW, updated_at=NOW,
        )  # fmt: skip
    frame = read_rules(Client.objects.all())
    views = {c.pk.hex: View(c.contract_tier, c.segment, c.pk.hex) for c in Client.objects.all()}
    assert frame.height == len(views) * 11
    for row in frame.iter_rows(named=True):
        said = explain(settings, row["alert_type"], views[row["client_id"]])
        assert (said.enabled.value, said.severity.value) == (row["enabled"], row["severity"])
        assert said.respond_within_hours.value == row["respond_within_hours"]
        assert said.numbers == {name: value for name, value in row["thresholds"].items() if value is not None}
    sturdy = explain(settings, "HEALTH_DROP", views[clients.sturdy.pk.hex])
    assert (sturdy.enabled.scope, sturdy.severity.scope, sturdy.thresholds["days"].scope) == (
        "WORKSPACE", "TIER", "DEFAULT",
    )  # fmt: skip


def test_rules_take_two_queries_whatever_the_portfolio(
    staff: Staff, clients: Clients, django_assert_num_queries: Any
) -> None:
    save(at(clients.sturdy), [drop()], actor=staff.ada, now=NOW)
    with django_assert_num_queries(2):
        read_rules()
