"""Reads what alerts are found in: a fixed number of queries and the facts of use, whatever the number of clients."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
from django.conf import settings as django_settings
from django.db.models import CharField, FloatField, Min, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from bellwether.alerts.defaults import KINDS
from bellwether.alerts.frames import (
    ANSWERS,
    CLIENTS,
    CONTACTS,
    OUTCOMES,
    PAYMENTS,
    SCORES,
    TERMS,
    Facts,
    Rules,
    empty,
    typed,
)
from bellwether.alerts.reading_use import read_actions, read_tickets, read_use
from bellwether.common.time import day_of, end_of, start_of
from bellwether.health.configs import active_config, in_force, main_scorecard
from bellwether.health.inputs import INSTANT, MeasureSettings, Schema
from bellwether.health.loading import workspace_settings
from bellwether.health.models import HealthScore
from bellwether.health.records import LicenceRecords, load_licences, of_clients
from bellwether.health.replay import score_frames
from bellwether.health.rows import Sources, read_frame
from bellwether.portfolio.choices import KEY_ROLES, OutcomeKind, SurveyKind
from bellwether.portfolio.models import Client, ClientOutcome, Contact, SupportTicket, SurveyResponse
from bellwether.usage.workspace import workspace_lake

LOOK_BACK_DAYS = 7
"""With facts of so many days more than the windows of the rules, a span goes on as if it had been one with the days
before it (alerts.detecting.detect)."""
TICKET_DAYS = 127
SAME_RENEWAL_DAYS = 14
"""An outcome so soon after the start of a term belongs to the term before (as milestones.reading has it)."""


def read_facts(
    first: date,
    last: date,
    *,
    clients: Iterable[str] | None = None,
    rules: Rules | None = None,
    types: Sequence[str] = (),
    today: date | None = None,
    anew: bool = False,
) -> Facts:
    """Return what alerts of the days from `first` to `last` are found in, of all clients or some (32 hex digits).

    `types`: what those need, by default all. `rules` say how far back their windows reach; by default those of
    alerts.defaults. What the CRM shows only as of now counts on `today` (by default the workspace's day), what was
    stored with scores on the days before. Roles of contacts, licensed seats without terms and who looks after a client
    are those of today on all days. `anew`: scores are not those stored but made anew with what is known today.
    """
    settings = workspace_settings()
    today = today or day_of(timezone.now(), django_settings.BELLWETHER_WORKSPACE_ZONE)
    ids = None if clients is None else sorted(clients)
    asked = set(types) or {one.alert_type for one in KINDS}
    records = load_licences(settings, client_ids=ids)
    windows = _windows(rules)
    lake = workspace_lake()
    earlier = first - timedelta(days=LOOK_BACK_DAYS)
    use = read_use(
        lake,
        records,
        settings,
        first,
        last,
        usage_from=earlier,
        seats_from=earlier - timedelta(days=windows["CONTRACT_UTILIZATION_LOW"]),
        with_features="FEATURE_ABANDONED" in asked,
    )
    facts = Facts(
        clients=typed(use.lives.join(_csms(ids), on="client_id", how="left"), CLIENTS),
        usage=use.usage,
        seats=use.seats,
        feature_gaps=use.feature_gaps,
        silent=use.silent,
        outcomes=_outcomes(ids),
    )
    if asked & {"HEALTH_DROP", "CRITICAL_HEALTH", "PAYMENT_ISSUE"}:
        since = earlier - timedelta(days=windows["HEALTH_DROP"])
        if anew:
            scores, payments = _scores_anew(since, last, ids)
        else:
            scores, payments = _scores(since, last, ids, with_payments="PAYMENT_ISSUE" in asked)
        seen = _payments(payments, today, ids) if last >= today else payments
        facts = replace(facts, scores=scores, payments=seen)
    if asked & {"KEY_USER_INACTIVE", "CHAMPION_RISK"}:
        actions_from = earlier - timedelta(days=2 * windows["CHAMPION_RISK"])
        contacts, linked = _contacts(ids, records, settings, actions_from)
        actions = read_actions(lake, linked, actions_from, last)
        facts = replace(facts, contacts=contacts, actions=actions, actions_from=actions_from)
    if "SUPPORT_SPIKE" in asked:
        facts = replace(facts, tickets=_tickets(earlier, last, ids, records.clients, settings))
    if "RENEWAL_APPROACHING" in asked:
        facts = replace(facts, terms=_terms(records, ids))
    if "NPS_DETRACTOR" in asked:
        facts = replace(facts, answers=_answers(last, ids, settings))
    return facts


def _windows(rules: Rules | None) -> dict[str, int]:
    """Return the longest `days` of each type that has such a threshold."""
    defaults = {one.alert_type: one.defaults["days"] for one in KINDS if "days" in one.defaults}
    if rules is None:
        return {name: int(days) for name, days in defaults.items()}
    longest = dict(rules.frame.group_by("alert_type").agg(pl.col("thresholds").struct.field("days").max()).iter_rows())
    return {name: int(max(days, longest.get(name) or 0)) for name, days in defaults.items()}


def _csms(ids: list[str] | None) -> pl.DataFrame:
    schema: Schema = {"client_id": pl.String, "csm": pl.String}
    rows = of_clients(Client.objects.order_by(), ids, "pk").values_list("pk", "csm_user_id")
    return pl.DataFrame([(pk.hex, csm.hex if csm else None) for pk, csm in rows], schema=schema, orient="row")


def _scores(
    first: date, last: date, ids: list[str] | None, *, with_payments: bool
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return SCORES and PAYMENTS from the stored main scores."""
    scorecard = main_scorecard()
    stored = HealthScore.objects.filter(scorecard=scorecard, date__range=(first, last)).order_by()
    schema: Schema = {
        "client_id": pl.String,
        "date": pl.Date,
        "score": pl.Int64,
        "status": pl.String,
        "version": pl.String,
        "coverage": pl.Float64,
        "payment": pl.String,
    }
    sources: Sources = {
        "score": "overall_score",
        "version": "weights_version",
        "payment": KeyTextTransform("payment_status", "inputs") if with_payments else Value(None, CharField()),
    }
    rows = read_frame(of_clients(stored, ids), schema, sources)
    used = in_force(scorecard, now=timezone.now())
    below = {version: config.scorecard.thresholds.at_risk for version, config in used.by_version.items()}
    default = used.default.scorecard.thresholds.at_risk
    limit = pl.col("version").replace_strict(below, default=default, return_dtype=pl.Int64)
    payments = rows.filter(pl.col("payment").is_not_null()).rename({"payment": "paid"})
    return (
        typed(rows.with_columns(critical_below=limit), SCORES),
        typed(payments.select("client_id", "date", status="paid"), PAYMENTS),
    )


def _scores_anew(first: date, last: date, ids: list[str] | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return SCORES and PAYMENTS of the configuration in force for all clients, over the whole span."""
    now = timezone.now()
    card = active_config(main_scorecard(), now=now).scorecard
    dates = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    scores, payments = [empty(SCORES)], [empty(PAYMENTS)]
    for measures, scored in score_frames(dates, now=now, scorecard=card):
        below = pl.lit(card.thresholds.at_risk, pl.Int64)
        scores.append(typed(scored.with_columns(critical_below=below), SCORES))
        payments.append(typed(measures.select("client_id", "date", status="payment_status").drop_nulls(), PAYMENTS))
    mine = pl.lit(True) if ids is None else pl.col("client_id").is_in(ids)
    return pl.concat(scores).filter(mine), pl.concat(payments).filter(mine)


def _payments(stored: pl.DataFrame, today: date, ids: list[str] | None) -> pl.DataFrame:
    """Return PAYMENTS with what the clients' records say today."""
    clients = of_clients(Client.objects.filter(payment_status__isnull=False).order_by(), ids, "pk")
    sources: Sources = {"client_id": "id", "date": Value(today), "status": "payment_status"}
    now = read_frame(clients, PAYMENTS, sources)
    return pl.concat([stored.filter(pl.col("date") != today), now])


def _contacts(
    ids: list[str] | None, records: LicenceRecords, settings: MeasureSettings, actions_from: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return CONTACTS, and those linked to a user with organization_id and user_key."""
    schema: Schema = {
        "client_id": pl.String,
        "contact_id": pl.String,
        "role": pl.String,
        "user_key": pl.String,
        "is_active": pl.Boolean,
        "since": pl.Date,
        "left_at": INSTANT,
        "archived_at": INSTANT,
        "login_at": INSTANT,
    }
    key_contacts = Contact.objects.filter(role__in=KEY_ROLES, merged_into__isnull=True).order_by()
    sources: Sources = {
        "contact_id": "id",
        "since": "known_since",
        "left_at": "left_company_at",
        "login_at": "last_platform_login",
    }
    zone = str(settings.zone)
    rows = read_frame(of_clients(key_contacts, ids), schema, sources).with_columns(
        pl.col(name).dt.convert_time_zone(zone).dt.date().alias(f"{name[:-3]}_on")
        for name in ("left_at", "archived_at", "login_at")
    )
    # Whoever is inactive without having left has been so since nobody knows when: there is nothing to tell.
    rows = rows.filter(pl.col("is_active") | pl.col("left_on").is_not_null())
    contacts = rows.with_columns(
        gone_on=pl.min_horizontal("left_on", "archived_on"),
        last_login=pl.when(pl.col("login_on") < actions_from).then("login_on"),
    )
    organizations = records.clients.select("client_id", "organization_id")
    linked = rows.filter(pl.col("user_key") != "").join(organizations, on="client_id", how="inner")
    return typed(contacts, CONTACTS), linked.select("client_id", "contact_id", "organization_id", "user_key")


def _tickets(
    first: date, last: date, ids: list[str] | None, clients: pl.DataFrame, settings: MeasureSettings
) -> pl.DataFrame:
    since = start_of(first - timedelta(days=TICKET_DAYS), settings.zone)
    tickets = SupportTicket.objects.filter(opened_at__gte=since, opened_at__lt=end_of(last, settings.zone))
    schema: Schema = {"client_id": pl.String, "opened_at": INSTANT}
    rows = read_frame(of_clients(tickets.order_by(), ids), schema)
    opened = rows.select("client_id", date=pl.col("opened_at").dt.convert_time_zone(str(settings.zone)).dt.date())
    earliest = SupportTicket.objects.aggregate(at=Min("opened_at"))["at"]
    dates = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    return read_tickets(opened, clients, day_of(earliest, settings.zone) if earliest else None, dates)


def _answers(last: date, ids: list[str] | None, settings: MeasureSettings) -> pl.DataFrame:
    answers = SurveyResponse.objects.filter(kind=SurveyKind.NPS, answered_at__lt=end_of(last, settings.zone))
    schema: Schema = {
        "client_id": pl.String,
        "respondent": pl.String,
        "answer_id": pl.String,
        "contact": pl.String,
        "answered_at": INSTANT,
        "score": pl.Float64,
    }
    sources: Sources = {
        "answer_id": Cast("id", CharField()),
        "contact": Coalesce(Cast("contact_id", CharField()), Value("")),
    }
    rows = read_frame(of_clients(answers.order_by("answered_at", "id"), ids), schema, sources).with_columns(
        pl.col("answer_id", "contact").str.replace_all("-", "", literal=True),
        date=pl.col("answered_at").dt.convert_time_zone(str(settings.zone)).dt.date(),
    )
    # One person may be known by contact and by name: the contact says more.
    rows = rows.with_columns(
        respondent=pl.when(pl.col("contact") != "").then("contact").otherwise("respondent"), contact_id="contact"
    )
    named = rows.filter(pl.col("respondent") != "").unique(
        ["client_id", "respondent", "date"], keep="last", maintain_order=True
    )
    return typed(pl.concat([named, rows.filter(pl.col("respondent") == "")]), ANSWERS)


def _outcomes(ids: list[str] | None) -> pl.DataFrame:
    rows = of_clients(ClientOutcome.objects.order_by("date", "client_id"), ids)
    arr = Cast(Coalesce("arr_before", "client__annual_recurring_revenue"), FloatField())
    return read_frame(rows, OUTCOMES, {"arr": arr})


def _terms(records: LicenceRecords, ids: list[str] | None) -> pl.DataFrame:
    """Return TERMS: each term's end, the client's own renewal date where no term says one, and when it was settled."""
    own = records.clients.select("client_id", renewal=pl.coalesce("next_renewal_date", "contract_end_date"))
    terms = records.contracts.sort("client_id", "start_date").join(own, on="client_id", how="left")
    known = terms.select(
        "client_id",
        starts_on="start_date",
        renews_on=pl.coalesce("end_date", "renewal"),
        next_start=pl.col("start_date").shift(-1).over("client_id"),
    )
    without = own.join(terms.select("client_id").unique(), on="client_id", how="anti").select(
        "client_id", starts_on=pl.lit(None, pl.Date), renews_on="renewal", next_start=pl.lit(None, pl.Date)
    )
    rows = pl.concat([known, without]).drop_nulls("renews_on").with_row_index("row")
    ended = ClientOutcome.objects.filter(outcome__in=(OutcomeKind.RENEWED, OutcomeKind.CHURNED)).order_by()
    settled = read_frame(of_clients(ended, ids), {"client_id": pl.String, "date": pl.Date})
    later = (
        rows.join(settled, on="client_id", how="inner")
        .filter(
            (pl.col("date") > pl.col("starts_on") + pl.duration(days=SAME_RENEWAL_DAYS)).fill_null(
                pl.col("date") > pl.col("renews_on") - pl.duration(days=365)
            )
        )
        .group_by("row")
        .agg(pl.col("date").min())
    )
    rows = rows.join(later, on="row", how="left").with_columns(settled_on=pl.min_horizontal("next_start", "date"))
    return typed(rows, TERMS)
