"""The client page as data: read, composed and put into words here, so that the template only places it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.cache import caches

from bellwether.common.time import day_of
from bellwether.dashboard import client_cards as cards
from bellwether.dashboard import client_selectors as read
from bellwether.dashboard.addresses import Address
from bellwether.dashboard.client_head import ClientHead, client_head
from bellwether.dashboard.client_score import (
    DayExplained,
    ScoreCard,
    basis_of,
    explain_day,
    score_card,
)
from bellwether.dashboard.client_timeline import SHOWN, Timeline, timeline_card
from bellwether.dashboard.client_trend import (
    DEFAULT_DAYS,
    PERIODS,
    Trend,
    cohort_words,
    sampled_days,
    trend_card,
)
from bellwether.dashboard.timeline import entries as timeline_entries
from bellwether.health.brief import Sentence, brief
from bellwether.health.cohort_reading import tier_members, tier_scores
from bellwether.health.cohorts import AT_LEAST, daily_medians, peers_of
from bellwether.health.configs import ActiveConfig, config_of
from bellwether.health.gathering import full_facts, with_comparison
from bellwether.health.models import HealthScore
from bellwether.health.risk_factors import Finding, risk_factors
from bellwether.health.score_changes import ScoreDay, compare, component_labels
from bellwether.health.scorecard import Scorecard
from bellwether.portfolio.contacting import last_contact
from bellwether.portfolio.listing import ClientQuery
from bellwether.portfolio.models import Client
from bellwether.portfolio.timeline import score_steps
from bellwether.staff.models import StaffUser
from bellwether.web.formatting import day


@dataclass(frozen=True)
class View:
    """What the reader chose: the trend's period, a day to explain, the timeline's filter and length, all contacts."""

    days: int = DEFAULT_DAYS
    explain: date | None = None
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
    explained: DayExplained | None
    contract: cards.ContractCard
    timeline: Timeline
    contacts: cards.ContactCard
    notes: list[cards.NoteItem]
    brief: list[Sentence]
    factors: list[Finding]
    address: str
    all_contacts: str


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
    last = _last_day(client, records, today, ended=ended)
    first = last - timedelta(days=view.days)
    series = read.score_series(client, config.scorecard.name, first=last - timedelta(days=max(PERIODS)), last=last)
    wanted = [point.day for point in series[-1:]] + ([view.explain] if view.explain else [])
    rows = read.stored_scores(client, config.scorecard.name, wanted)
    newest = series[-1] if series else None
    row = rows.get(newest.day) if newest else None
    scorecard = scorecard_of(row, config)
    basis = basis_of(row, scorecard, now=now, zone=zone) if row else None
    comparison = compare(series, newest, points=scorecard.points)
    tier = str(client.get_contract_tier_display())
    cache = caches["memory"]
    peers = peers_of(client.pk, tier_members(client.contract_tier, cache=cache))
    tier_days = tier_scores(client.contract_tier, scorecard.name, sampled_days(first, last), cache=cache)
    own = {point.day: point.score for point in series}
    median = daily_medians(tier_days, own, counted=True) if len(peers) >= AT_LEAST else {}
    reference, no_reference = cohort_words(tier, len(peers), needed=AT_LEAST)
    entries = timeline_entries(client, records, score_steps(list(own.items())), now=now, zone=zone)
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
            name=client.name,
            address=address,
            days=view.days,
            first=first,
            last=last,
            today=today,
            series=series,
            scorecard=scorecard,
            labels=component_labels(scorecard, tuple(newest.components) if newest else ()),
            median=median,
            tier=tier,
            cohort=reference,
            no_cohort=no_reference,
            entries=entries,
        ),
        explained=_explained(view, rows, series, config, address, now=now, zone=zone),
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
    )


def scorecard_of(row: HealthScore | None, config: ActiveConfig) -> Scorecard:
    """Return the scorecard of the version that the score names, that in force where the version is not there."""
    if row is None or row.weights_version == config.version:
        return config.scorecard
    named = config_of(row.weights_version)
    return named.scorecard if named else config.scorecard


def _last_day(client: Client, records: read.Records, today: date, *, ended: bool) -> date:
    """Return the last day of the trend: today, for a client that has left the last day on which it was scored."""
    return client.scored_on if ended and client.scored_on and client.scored_on < today else today


def _end(client: Client, today: date, zone: ZoneInfo) -> date:
    """Return the day up to which contacts are expected: today, or the day on which the client was archived."""
    return min(today, day_of(client.archived_at, zone)) if client.archived_at else today


def _explained(
    view: View,
    rows: dict[date, HealthScore],
    series: list[ScoreDay],
    config: ActiveConfig,
    address: Address,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> DayExplained | None:
    if view.explain is None:
        return None
    row = rows.get(view.explain)
    scorecard = scorecard_of(row, config)
    return explain_day(
        view.explain,
        basis=basis_of(row, scorecard, now=now, zone=zone) if row else None,
        series=series,
        scorecard=scorecard,
        today=day_of(now, zone),
        close=address.with_(explain=None) + "#trend",
    )
