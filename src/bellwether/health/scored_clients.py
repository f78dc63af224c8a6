"""Clients as one scorecard of the workspace sees them: what the console and the suppliers' page show, and their APIs.

The scorecard may be the main one or one that is scored beside it. Callers give the clients that the reader may see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Max, OuterRef, QuerySet, Subquery

from bellwether.common.errors import ConflictError
from bellwether.common.rounding import half_up
from bellwether.health.configs import config_of
from bellwether.health.data_marks import without_data
from bellwether.health.engine import CERTAIN_COVERAGE
from bellwether.health.models import HealthScore
from bellwether.health.scorecard import Scorecard, load_scorecard
from bellwether.health.scorecards_in_use import scorecards_in_use
from bellwether.portfolio.models import Client
from bellwether.staff.models import StaffUser

OPERATIONS, SUPPLIERS = "operations", "suppliers"
GREEN, AMBER, RED = "green", "amber", "red"
LIGHTS = (GREEN, AMBER, RED)
WHOLE = 1 - 1e-9
CLIENT_FIELDS = (
    "organization_id", "name", "contract_tier", "industry", "employee_count", "alert_level", "last_activity_at",
    "archived_at",
)  # fmt: skip
SCORE_FIELDS = (
    "client_id", "scorecard", "date", "overall_score", "status", "trend", "trend_change", "previous_score", "risk",
    "coverage", "no_score_reason", "components", "weights_snapshot", "weights_version", "created_at",
)  # fmt: skip


class ScorecardNotInUseError(ConflictError):
    """The scorecard is not scored in this workspace; the text says how to switch it on."""


@dataclass(frozen=True)
class ScoredClient:
    """A client and its newest score; `row` is None before the first one.

    `no_data` names the components that rest on no data, whatever number the rule gave them.
    """

    client: Client
    row: HealthScore | None
    no_data: tuple[str, ...] = ()

    @property
    def score(self) -> int | None:
        """The score 0-100, half-up; None without one."""
        return self.row.overall_score if self.row else None

    @property
    def certain(self) -> bool:
        """Whether half of the weight or more rests on data."""
        return self.row is not None and self.row.coverage >= CERTAIN_COVERAGE - 1e-9

    @property
    def light(self) -> str | None:
        """The traffic light, None without a score; green is never shown while the score is not certain."""
        if self.row is None or self.row.overall_score is None:
            return None
        return AMBER if self.held_back else self.row.status

    @property
    def held_back(self) -> bool:
        """Whether the light would be green but for the data that is missing."""
        return self.row is not None and self.row.status == GREEN and not self.certain

    @property
    def change(self) -> int:
        """Points against the previous stored score, 0 without one."""
        return (self.row.trend_change or 0) if self.row else 0

    @property
    def reason(self) -> str:
        """Why there is no score; empty where there is one."""
        if self.row is None:
            return "No score has been made yet."
        return "" if self.row.overall_score is not None else self.row.no_score_reason or "Nothing is known yet."

    def component(self, key: str) -> int | None:
        """The score of a component, half-up; None where it has no value."""
        value = self.row.components.get(key) if self.row else None
        return None if value is None else half_up(float(value))


def in_use(scorecard: str) -> bool:
    """Return whether `scorecard` is scored in this workspace, as the main one or beside it."""
    return scorecard in scorecards_in_use()


def need_scorecard(scorecard: str) -> None:
    """Raise ScorecardNotInUseError unless `scorecard` is scored in this workspace."""
    if not in_use(scorecard):
        raise ScorecardNotInUseError(
            f"The {scorecard} scorecard is not scored in this workspace. An administrator switches it on with "
            f"BELLWETHER_OTHER_SCORECARDS={scorecard} (beside the main one) or BELLWETHER_PRESET={scorecard}, "
            "and a restart."
        )


def scored_clients(user: StaffUser, scorecard: str, *, with_inputs: bool = False) -> list[ScoredClient]:
    """Return the active clients that `user` sees, by name, each with its newest score.

    Three queries, one more each where a client has no score of the newest scored day and where a score lacks data.
    `with_inputs` reads the measures behind the scores too.
    """
    clients = list(Client.objects.visible_to(user).active().order_by("name", "pk").only(*CLIENT_FIELDS))
    newest = HealthScore.objects.filter(scorecard=scorecard).aggregate(newest=Max("date"))["newest"]
    if newest is None:
        return [ScoredClient(client, None) for client in clients]
    fields = (*SCORE_FIELDS, "inputs") if with_inputs else SCORE_FIELDS
    stored = HealthScore.objects.visible_to(user).filter(scorecard=scorecard, date=newest)
    rows = {row.client_id: row for row in stored.only(*fields)}
    without = [client.pk for client in clients if client.pk not in rows]
    if without:
        rows |= {row.client_id: row for row in _older(without, scorecard).only(*fields)}
    marks = _marks(list(rows.values()), with_inputs=with_inputs)
    return [ScoredClient(client, rows.get(client.pk), marks.get(client.pk, ())) for client in clients]


def _older(client_ids: Sequence[UUID], scorecard: str) -> QuerySet[HealthScore]:
    """Return the newest score of each of `client_ids`, of whatever day: those that left are not scored any more."""
    theirs = HealthScore.objects.filter(client=OuterRef("pk"), scorecard=scorecard).order_by("-date")
    found = Client.objects.filter(pk__in=client_ids).annotate(newest=Subquery(theirs.values("pk")[:1]))
    rows: QuerySet[HealthScore] = HealthScore.objects.filter(pk__in=found.values("newest"))
    return rows


def scored_client(client: Client, scorecard: str) -> ScoredClient:
    """Return `client` with its newest score of `scorecard`."""
    row = HealthScore.objects.filter(client=client, scorecard=scorecard).order_by("-date").first()
    if row is None:
        return ScoredClient(client, None)
    return ScoredClient(client, row, _marks([row], with_inputs=True).get(client.pk, ()))


def score_days(client: Client, scorecard: str, *, days: int, today: date) -> list[ScoredClient]:
    """Return the client's stored scores of the `days` days that end on `today`, oldest first."""
    first = today - timedelta(days=days - 1)
    rows = list(
        HealthScore.objects.filter(client=client, scorecard=scorecard, date__range=(first, today)).order_by("date")
    )
    cards = _cards(rows)
    marks: dict[int, tuple[str, ...]] = {}
    for version, card in cards.items():
        of_version = [row for row in rows if row.weights_version == version]
        found = without_data(card, [row.inputs for row in of_version])
        marks |= {row.pk: keys for row, keys in zip(of_version, found, strict=True)}
    return [ScoredClient(client, row, marks[row.pk]) for row in rows]


def score_lines(
    client_ids: Sequence[UUID], scorecard: str, *, last: date, days: int = 30
) -> dict[UUID, list[int | None]]:
    """Return the scores of each of `client_ids` on the `days` days to `last`, oldest first, None on a day without."""
    first = last - timedelta(days=days - 1)
    found: dict[UUID, list[int | None]] = {client_id: [None] * days for client_id in client_ids}
    stored = HealthScore.objects.filter(client_id__in=client_ids, scorecard=scorecard, date__range=(first, last))
    for client_id, day, score in stored.values_list("client_id", "date", "overall_score"):
        found[client_id][(day - first).days] = score
    return found


def card_of(scorecard: str, row: HealthScore | None) -> Scorecard:
    """Return the version of `scorecard` that a stored score names; the shipped one if there is none."""
    config = config_of(row.weights_version) if row else None
    return config.scorecard if config else load_scorecard(scorecard)


def cards_of(found: Sequence[ScoredClient]) -> dict[str, Scorecard]:
    """Return the scorecards that the scores of `found` name, by version: clients may have weights of their own."""
    return _cards([one.row for one in found if one.row])


def _cards(rows: Sequence[HealthScore]) -> dict[str, Scorecard]:
    """Return the scorecards that `rows` name, by version; each is looked up once."""
    return {version: card_of(row.scorecard, row) for version, row in {row.weights_version: row for row in rows}.items()}


def _marks(rows: Sequence[HealthScore], *, with_inputs: bool) -> dict[UUID, tuple[str, ...]]:
    """Return what rests on no data by client, of those rows that are not whole; whole ones are not looked into."""
    partial = [row for row in rows if row.coverage < WHOLE]
    inputs = (
        {row.pk: row.inputs for row in partial}
        if with_inputs
        else dict(HealthScore.objects.filter(pk__in=[row.pk for row in partial]).values_list("pk", "inputs"))
        if partial
        else {}
    )
    found: dict[UUID, tuple[str, ...]] = {}
    for version, card in _cards(partial).items():
        of_version = [row for row in partial if row.weights_version == version]
        marked = without_data(card, [inputs.get(row.pk, {}) for row in of_version])
        found |= {row.client_id: keys for row, keys in zip(of_version, marked, strict=True)}
    return found
