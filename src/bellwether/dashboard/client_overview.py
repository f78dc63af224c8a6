"""The client page as data: read, composed and put into words here, so that the template only places it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import caches

from bellwether.common.time import day_of
from bellwether.dashboard import client_cards as cards
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_explained import AskedDays, DayExplained, day_explained
from bellwether.dashboard.client_head import ClientHead, client_head
from bellwether.dashboard.client_score import ScoreCard, basis_of, score_card
from bellwether.dashboard.client_scorecards import ScorecardsCard, scorecards_card
from bellwether.dashboard.client_timeline import SHOWN, Timeline, timeline_card
from bellwether.dashboard.client_trend import Trend, trend_card
from bellwether.dashboard.client_trend_day import Moved
from bellwether.dashboard.client_trend_reading import (
    ShownTrend,
    TrendView,
    card_of,
    export_addresses,
    last_day,
    read_series,
    read_trend,
    scorecard_choices,
    timeline_of,
)
from bellwether.health.brief import Sentence, brief
from bellwether.health.cohort_reading import shown_components, shown_peers
from bellwether.health.configs import ActiveConfig
from bellwether.health.gathering import full_facts, with_comparison
from bellwether.health.published_groups import HELD_BACK
from bellwether.health.risk_factors import Finding, risk_factors
from bellwether.health.score_changes import compare
from bellwether.portfolio.contacting import last_contact
from bellwether.portfolio.listing import ClientQuery
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day


@dataclass(frozen=True)
class View:
    """What the reader chose: of the trend, a day to explain, the timeline's filter and length, all contacts."""

    trend: TrendView = field(default_factory=TrendView)
    explain: AskedDays = field(default_factory=AskedDays)
    show: str = ""
    entries: int = SHOWN
    all_contacts: bool = False


@dataclass(frozen=True)
class ClientPage:
    """Everything that the page shows, as text where it is text."""

    head: ClientHead
    score: ScoreCard
    figures: list[cards.Figure]
    trend: Trend
    moved: Moved | None
    explained: DayExplained | None
    scorecards: ScorecardsCard | None
    contract: cards.ContractCard
    timeline: Timeline
    contacts: cards.ContactCard
    notes: list[cards.NoteItem]
    brief: list[Sentence]
    factors: list[Finding]
    address: str
    all_contacts: str
    measures: Mapping[str, Any]


def client_page(
    client: Client,
    *,
    user: StaffUser,
    config: ActiveConfig,
    view: View,
    query: ClientQuery,
    address: Address,
    now: datetime,
    zone: ZoneInfo,
    revealed: Collection[UUID] = (),
) -> ClientPage:
    """Return the page of a client that `user` may see. `query` is the list the reader came from.

    Scores are explained with the version of the scorecard that they name; `config` is the one in force.

    The number of queries does not depend on the client: see tests/dashboard/test_client_page.py.
    """
    today = day_of(now, zone)
    records = read.records(client, user, people_of=view.entries)
    ended = client.archived_at is not None
    last = last_day(client, today)
    series = read_series(client, config.scorecard.name, view.trend, last)
    entries = timeline_of(client, records, series, last, now=now, zone=zone)
    newest = series[-1] if series else None
    trend = read_trend(
        client,
        user=user,
        config=config,
        view=view.trend,
        series=series,
        records=records,
        entries=entries,
        last=last,
        now=now,
        zone=zone,
        also={view.explain.day} if view.explain.day else (),
    )
    row = trend.newest if trend.is_main else read.newest_of(client, config.scorecard.name, newest)
    scorecard = card_of(row.weights_version if row else "", config)
    basis = basis_of(row, scorecard, now=now, zone=zone) if row else None
    comparison = compare(series, newest, points=scorecard.points)
    tier = str(client.get_contract_tier_display())
    cache = caches["memory"]
    peers, held_back = shown_peers(user, client, "tier", cache=cache)
    contact = last_contact(client, records.activities, now)
    facts = full_facts(
        client,
        scorecard,
        row=row,
        contacts=records.contacts,
        tickets=records.tickets,
        contact=contact,
        empty=basis.empty if basis else (),
        today=today,
        zone=zone,
    )
    facts = with_comparison(facts, comparison, scorecard)
    inputs = basis.inputs if basis else {}
    score = score_card(
        basis=basis,
        status_word=client.health_status,
        comparison=comparison,
        scorecard=scorecard,
        tier=tier,
        peers=peers,
        parts=shown_components(user, client.contract_tier, peers),
        held_back=HELD_BACK if held_back else "",
        today=today,
        ended=ended,
    )
    return ClientPage(
        head=client_head(
            client,
            user=user,
            tab="client",
            listed=address.query.get("from", ""),
            query=query,
            today=today,
            zone=zone,
            outcomes=records.outcomes,
            status=score.status,
            kept={"days": address.query.get("days", "")},
        ),
        score=score,
        figures=[
            cards.arr_figure(client, inputs, today),
            cards.renewal_figure(client, today, ended=ended),
            cards.contact_figure(contact, today, zone),
            cards.usage_figure(inputs, measured=day(basis.day, today) if basis and basis.day != today else ""),
        ],
        trend=trend_card(
            trend.course,
            address=address,
            asked=view.trend.asked,
            today=today,
            scorecards=scorecard_choices(address, view.trend.scorecard),
            exports=export_addresses(client.pk, address),
            on=view.trend.on,
        ),
        moved=trend.moved(address, today),
        explained=_explained(client, view, trend, address, now=now, zone=zone),
        scorecards=scorecards_card(client, address=address, last=last, today=today),
        contract=cards.contract_card(client, records.periods, inputs, today),
        timeline=timeline_card(
            entries, show=view.show, limit=view.entries, address=address, today=today, until=_end(client, today, zone)
        ),
        contacts=cards.contact_card(
            records.contacts, today=today, zone=zone, everyone=view.all_contacts, revealed=revealed
        ),
        notes=cards.note_items(records.notes, now=now, zone=zone),
        brief=brief(facts),
        factors=risk_factors(facts),
        address=str(address),
        all_contacts=address.with_(contacts="all") + "#contacts",
        measures=inputs,
    )


def _end(client: Client, today: date, zone: ZoneInfo) -> date:
    """Return the day up to which contacts are expected: today, or the day on which the client was archived."""
    return min(today, day_of(client.archived_at, zone)) if client.archived_at else today


def _explained(
    client: Client, view: View, trend: ShownTrend, address: Address, *, now: datetime, zone: ZoneInfo
) -> DayExplained | None:
    asked = view.explain
    if not asked.given:
        return None
    row = trend.rows.get(asked.day) if asked.day else None
    scorecard = card_of(row.weights_version if row else "", trend.config)
    return day_explained(
        client,
        asked,
        scorecard=scorecard,
        basis=basis_of(row, scorecard, now=now, zone=zone) if row else None,
        address=address,
        today=day_of(now, zone),
    )
