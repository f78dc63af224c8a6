"""Reads what outcomes are measured in: facts of use, scores and records, in a fixed number of queries a kind."""

from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import polars as pl
from django.conf import settings

from bellwether.common.time import day_of
from bellwether.health.configs import main_scorecard
from bellwether.health.loading import workspace_settings
from bellwether.health.models import HealthScore
from bellwether.health.rows import read_frame
from bellwether.playbooks import outcome_measuring as measuring
from bellwether.playbooks.models import Enrolment
from bellwether.portfolio.choices import OutcomeKind, SurveyKind
from bellwether.portfolio.models import ClientOutcome, Contact, ContractPeriod, SurveyResponse
from bellwether.usage.event_match import EventMatch, match_from_data
from bellwether.usage.facts import read_client_days, read_event_days, read_user_days
from bellwether.usage.kept import FACTS, kept_from
from bellwether.usage.models import Feature, PlatformUser
from bellwether.usage.workspace import workspace_lake

SAME_RENEWAL_DAYS = 14
NO_LONGER_KEPT = "The days of that time are no longer kept"


def measured(kind: str, due: pl.DataFrame, *, zone: ZoneInfo) -> pl.DataFrame:
    """Return MEASURED of `due`, whose outcomes are all of `kind`; days are those of `zone`."""
    if kind not in FROM_FACTS:
        return _measure[kind](due, zone)
    since = kept_from(workspace_lake(), FACTS)
    begins = pl.col("enrolled_on") - timedelta(days=FROM_FACTS[kind])
    gone = begins < since if since else pl.lit(False)
    lost = due.filter(gone).select("enrolment_id", value=pl.lit(None, pl.Float64), detail=pl.lit(NO_LONGER_KEPT))
    rest = due.filter(~gone)
    return pl.concat([lost, _measure[kind](rest, zone)]) if rest.height else lost


def people_of(rows: Sequence[Enrolment]) -> dict[UUID, str]:
    """Return the pseudonym of the person that each enrolment is about, where its subject is a linked contact."""
    subjects = ((row.pk, row.baseline) for row in rows if row.baseline.get("subject_type") == "contact")
    contacts = {pk: found for pk, said in subjects if (found := _id(str(said.get("subject_id") or "")))}
    linked = Contact.objects.filter(pk__in=set(contacts.values())).exclude(user_key="")
    keys = dict(linked.values_list("pk", "user_key"))
    return {pk: keys[contact] for pk, contact in contacts.items() if contact in keys}


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _span(due: pl.DataFrame, before: int = 0) -> tuple[date, date, list[str]]:
    """Return the first and last day of all windows, with `before` days more, and whose they are."""
    first, last = due["enrolled_on"].min(), due["last_on"].max()
    assert isinstance(first, date)  # noqa: S101 - there is a row
    assert isinstance(last, date)  # noqa: S101
    return first - timedelta(days=before), last, due["organization_id"].unique().to_list()


def _logins(due: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    first, last, ids = _span(due)
    lake, about = workspace_lake(), due.filter(pl.col("user_key").is_not_null())
    people = measuring.empty(measuring.PERSON_DAYS)
    if about.height:
        columns = list(measuring.PERSON_DAYS)
        days = read_user_days(lake, first, last, organization_ids=about["organization_id"].unique(), columns=columns)
        people = days.filter(pl.col("user_key").is_in(about["user_key"].unique().to_list()))
    names = workspace_settings().login_events
    if names:
        events = read_event_days(
            lake, first, last, organization_ids=ids, columns=["organization_id", "date", "event", "is_service"]
        )
        days = events.filter(pl.col("event").is_in(list(names)) & ~pl.col("is_service"))
    else:
        days = read_client_days(lake, first, last, organization_ids=ids, columns=["organization_id", "date", "dau"])
        days = days.filter(pl.col("dau") > 0)
    clients = days.select(list(measuring.LOGIN_DAYS)).unique()
    return measuring.logins(due, people=people, clients=clients, seen=_seen(ids))


def _seen(organization_ids: Collection[str]) -> set[str]:
    rows = PlatformUser.objects.filter(organization_id__in=organization_ids).order_by()
    return set(rows.values_list("organization_id", flat=True).distinct())


def _score_changes(due: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    first, last, ids = _span(due, measuring.SCORE_AGE)
    rows = HealthScore.objects.filter(
        scorecard=main_scorecard(), date__range=(first, last), client__organization_id__in=ids
    ).order_by()
    return measuring.score_changes(due, read_frame(rows, measuring.SCORES, {"score": "overall_score"}))


def _ends(due: pl.DataFrame) -> pl.DataFrame:
    """Return ENDS, with new terms that no outcome tells about as renewals."""
    clients = [UUID(pk) for pk in due["client_id"].unique()]
    rows = list(ClientOutcome.objects.filter(client__in=clients).order_by().values_list("client_id", "date", "outcome"))
    told: dict[UUID, list[date]] = {}
    for pk, on, _ in rows:
        told.setdefault(pk, []).append(on)
    seen: set[UUID] = set()
    terms = ContractPeriod.objects.filter(client__in=clients).order_by("client_id", "start_date")
    for pk, start in terms.values_list("client_id", "start_date"):
        known = any(abs((start - on).days) <= SAME_RENEWAL_DAYS for on in told.get(pk, ()))
        if pk in seen and not known:
            rows.append((pk, start, OutcomeKind.RENEWED))
        seen.add(pk)
    return pl.DataFrame([(pk.hex, on, str(what)) for pk, on, what in rows], schema=measuring.ENDS, orient="row")


def _features(due: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    first, last, ids = _span(due)
    wanted = Feature.objects.filter(key__in=due["feature"].unique().to_list())
    matches = {row.key: [match_from_data(one) for one in row.events] for row in wanted}
    columns = ["organization_id", "date", "event", "module", "feature"]
    events = read_event_days(workspace_lake(), first, last, organization_ids=ids, columns=columns)
    parts = [
        events.filter(pl.any_horizontal([_fits(one) for one in found])).select(
            "organization_id", pl.lit(key).alias("feature"), "date"
        )
        for key, found in matches.items()
        if found
    ]
    uses = pl.concat([measuring.empty(measuring.USES), *parts]).unique()
    return measuring.features_used(due, uses, known=matches.keys())


def _fits(match: EventMatch) -> pl.Expr:
    asked = [
        (pl.col(name) == value).fill_null(False)
        for name in ("event", "module", "feature")
        if (value := getattr(match, name))
    ]
    return pl.all_horizontal(asked)


def _recovered(due: pl.DataFrame, zone: ZoneInfo) -> pl.DataFrame:
    first, last, ids = _span(due, FROM_FACTS["usage_recovered"])
    columns = list(measuring.DAU)
    days = read_client_days(workspace_lake(), first, last, organization_ids=ids, columns=columns)
    return measuring.recovered(due, days, working_days=settings.BELLWETHER_WORKING_DAYS)


def _answers(due: pl.DataFrame, kind: SurveyKind, zone: ZoneInfo) -> pl.DataFrame:
    clients = [UUID(pk) for pk in due["client_id"].unique()]
    rows = SurveyResponse.objects.filter(kind=kind, client__in=clients).order_by("answered_at", "pk")
    found = [
        (pk.hex, day_of(at, zone), score) for pk, at, score in rows.values_list("client_id", "answered_at", "score")
    ]
    return pl.DataFrame(found, schema=measuring.ANSWERS, orient="row")


FROM_FACTS = {"login": 0, "feature_used": 0, "usage_recovered": measuring.BEFORE_DAYS + measuring.LAST_DAYS}
"""Outcomes that are measured in daily facts, with how many days before the enrolment they look at."""
_measure: dict[str, Callable[[pl.DataFrame, ZoneInfo], pl.DataFrame]] = {
    "login": _logins,
    "score_change": _score_changes,
    "churn": lambda due, zone: measuring.churned(due, _ends(due)),
    "renewed": lambda due, zone: measuring.renewals(due, _ends(due)),
    "feature_used": _features,
    "usage_recovered": _recovered,
    "csat": lambda due, zone: measuring.good_answers(due, _answers(due, SurveyKind.CSAT, zone)),
    "nps_improved": lambda due, zone: measuring.better_answers(due, _answers(due, SurveyKind.NPS, zone)),
}
