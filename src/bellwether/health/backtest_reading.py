"""What a back-test reads beside measures: outcomes, ARR, who looks after the clients, and since when there is data."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from django.db.models import Count, FloatField, Max, Sum
from django.db.models.functions import Cast, Coalesce

from bellwether.common.models import JobRun, JobState
from bellwether.health.backtest_alarms import CLIENTS_PER_CSM
from bellwether.health.backtest_evaluation import Watch
from bellwether.health.backtest_outcomes import CHURNS
from bellwether.health.configs import ConfigsInForce, in_force
from bellwether.health.inputs import Schema
from bellwether.health.loading import workspace_settings
from bellwether.health.models import HealthScoreConfig
from bellwether.health.records import load_licences
from bellwether.health.rows import read_frame
from bellwether.health.scorecard import SCORECARDS, Scorecard, load_scorecard
from bellwether.portfolio.choices import OutcomeKind
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.usage.facts import read_client_days, stored_months
from bellwether.usage.lake import Lake

WINDOW_DAYS = 30
"""The measures of the first days look back on nothing; a back-test begins when their 30 days are full."""

KEPT_DAYS = 1_095


@dataclass(frozen=True)
class Rival:
    """A scorecard to compare with: its name, title with version, and itself.

    `in_force` is given where scopes of their own have other configurations.
    """

    name: str
    title: str
    card: Scorecard
    in_force: ConfigsInForce | None = None


def churns() -> pl.DataFrame:
    """Return CHURNS of all clients; ARR as the outcome says, else as the client's record does."""
    rows = ClientOutcome.objects.filter(outcome=OutcomeKind.CHURNED).order_by("date", "client_id")
    arr = Cast(Coalesce("arr_before", "client__annual_recurring_revenue"), FloatField())
    return read_frame(rows, CHURNS, {"arr": arr})


def watch_of(rows: pl.DataFrame) -> Watch:
    """Return the CSMs who look after the clients of `rows` (client_id, as_of) today, however many weeks they are about.

    Where nobody does: the clients of an average as-of day, by 25.
    """
    wanted = set(rows["client_id"].unique())
    csms = Client.objects.filter(csm_user__isnull=False).order_by().values_list("pk", "csm_user_id")
    found = {csm for client, csm in csms if client.hex in wanted}
    if found or rows.is_empty():
        return Watch(float(len(found)), "CSM")
    return Watch(rows.height / rows["as_of"].n_unique() / CLIENTS_PER_CSM, f"{CLIENTS_PER_CSM} clients")


def ids_by_organization() -> pl.DataFrame:
    """Return organization_id and client_id (32 hex digits) of all clients."""
    schema: Schema = {"organization_id": pl.String, "client_id": pl.String}
    return read_frame(Client.objects.order_by("organization_id"), schema, {"client_id": "id"})


def last_days() -> pl.DataFrame:
    """Return client_id and last_day of all clients by what is known now, null while a client."""
    return load_licences(workspace_settings()).clients.select("client_id", "last_day")


def places(rows: pl.DataFrame) -> pl.DataFrame:
    """Return client_id, tier and segment of each row's client as they are today, by which scopes are chosen."""
    schema: Schema = {"client_id": pl.String, "tier": pl.String, "segment": pl.String}
    clients = read_frame(
        Client.objects.order_by("organization_id"), schema, {"client_id": "id", "tier": "contract_tier"}
    )
    return rows.select("client_id").join(clients, on="client_id", how="left", maintain_order="left")


def first_day(lake: Lake, today: date) -> date:
    """Return the day from which a back-test can look back: 30 days of facts before it, at most three years ago."""
    earliest = today - timedelta(days=KEPT_DAYS)
    months = stored_months(lake, "client_days")
    if not months:
        return earliest
    begin = date.fromisoformat(f"{min(months)}-01")
    end = (begin + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    found = read_client_days(lake, begin, end)["date"].min()
    facts = found if isinstance(found, date) else begin
    return max(earliest, facts + timedelta(days=WINDOW_DAYS))


def data_stamp(today: date) -> str:
    """Return a text that differs when outcomes, clients or facts changed since, or another day began."""
    outcomes = ClientOutcome.objects.aggregate(
        count=Count("pk"), newest=Max("date"), arr=Sum("arr_before"), clients=Count("client_id", distinct=True)
    )
    done = JobRun.objects.filter(state=JobState.DONE, finished_at__isnull=False)
    counted: datetime | None = done.filter(name="rollup").aggregate(last=Max("finished_at"))["last"]
    changed = done.filter(name="score", counts__changed__gt=0).aggregate(last=Max("finished_at"))["last"]
    return f"{today} {sorted(outcomes.items())} {Client.objects.count()} {counted} {changed}"


def rivals(*, now: datetime) -> dict[str, Rival]:
    """Return by name the scorecards that could be compared with: those configured here, and those shipped.

    A shipped scorecard that nobody configured is taken as shipped; nothing is stored.
    """
    configured = set(HealthScoreConfig.objects.filter(is_active=True).order_by().values_list("scorecard", flat=True))
    found = {}
    for name in [*SCORECARDS, *sorted(configured - set(SCORECARDS))]:
        if name in configured:
            used = in_force(name, now=now)
            config, scopes = used.default, len(used.scoped)
            more = f" and {scopes} of scopes" if scopes else ""
            title = f"{config.scorecard.title} ({config.version}{more})"
            found[name] = Rival(name, title, config.scorecard, used if scopes else None)
        else:
            card = load_scorecard(name)
            found[name] = Rival(name, f"{card.title} (as shipped)", card)
    return found
