"""The churn risk of one client as pages and the API show it: read and composed here, so that both say the same.

`newest` is the one query of the client's own page. `explained` adds history, change, actions and what can be asked: a
fixed number of queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import caches

from bellwether.churn import words
from bellwether.churn.advice import Action, recommended
from bellwether.churn.card import from_data as card_from_data
from bellwether.churn.choices import Category, ModelKind, Precision
from bellwether.churn.differences import Difference, Foretold, difference
from bellwether.churn.factors import FEATURES
from bellwether.churn.foretelling import Reference
from bellwether.churn.levers import Offer, changed_inputs, offers
from bellwether.churn.models import ChurnModel, ChurnPrediction
from bellwether.churn.selectors import IN_USE, history, prediction_before
from bellwether.churn.sentences import Facts, facts_of
from bellwether.churn.versions import read_model
from bellwether.churn.what_if import WhatIf, what_if
from bellwether.common.errors import ConflictError
from bellwether.common.time import day_of
from bellwether.health.models import HealthScore
from bellwether.portfolio.contacting import people_of
from bellwether.portfolio.contracts import left_on
from bellwether.portfolio.models import Client, ClientOutcome
from bellwether.web.formatting import plural

PREDICT_JOB = "churn_predict"
NOT_YET = "No churn risk has been predicted yet. Risks are predicted once a day, after the scores."
LEFT_WITHOUT = "The client left before a churn risk was predicted."
RECORD_KEPT_SECONDS = 60
CALENDAR = frozenset(feature.slug for feature in FEATURES if feature.factor == "season")
"""Features that are known of everybody: they say nothing about how much is known of a client."""
NO_HISTORY = "Expert prior, no history yet"
BANDS = {Category.LOW: "under 20%", Category.MEDIUM: "20 to 50%", Category.HIGH: "over 50%"}


@dataclass(frozen=True)
class Risk:
    """A stored prediction with its factors in words; `facts` are the counts behind its ratios."""

    client: Client
    prediction: ChurnPrediction
    facts: Facts = field(default_factory=Facts)

    @property
    def model(self) -> ChurnModel:
        """The version that made the prediction; its parameters and card are loaded only when asked for."""
        found: ChurnModel = self.prediction.model
        return found

    @property
    def is_band(self) -> bool:
        """Whether only the category may be shown."""
        return self.prediction.precision == Precision.BAND

    @property
    def is_prior(self) -> bool:
        """Whether no history stands behind the prediction."""
        return self.model.kind == ModelKind.PRIOR

    @property
    def category(self) -> Category:
        """The category of the 90-day probability."""
        return Category(self.prediction.category)

    @property
    def band(self) -> str:
        """The category with its bounds: "Medium, 20 to 50%"."""
        return f"{self.category.label}, {BANDS[self.category]}"

    @property
    def log_odds(self) -> float:
        """The log-odds of leaving within 90 days, as stored with the contributions."""
        return float(self.prediction.contributions.get("log_odds", 0.0))

    @property
    def reference(self) -> Reference | None:
        """What the contributions are against; None for predictions without."""
        found = self.prediction.contributions.get("reference") or {}
        if "log_odds" not in found:
            return None
        return Reference(
            str(found.get("name", "")), int(found.get("clients") or 0), found["log_odds"], found.get("p90") or 0.0
        )

    @cached_property
    def factors(self) -> list[words.FactorLine]:
        """The factors, the largest rise first."""
        return words.factors(self.prediction, self.facts)


@dataclass(frozen=True)
class Explained:
    """A client's risk in full. `change` None: there is no prediction about a month before to compare with."""

    risk: Risk
    change: Difference | None
    history: Sequence[ChurnPrediction]
    actions: Sequence[Action]
    offers: Sequence[Offer]
    known: Sequence[str]
    unknown: Sequence[str]


def ended_on(client: Client) -> date | None:
    """Return the day on which the client left for good or was archived; None while a client. Two queries at most."""
    if client.archived_at is not None:
        return day_of(client.archived_at, settings.BELLWETHER_WORKSPACE_ZONE)
    ended = list(ClientOutcome.objects.filter(client=client).only("outcome", "date"))
    return left_on(client, ended) if ended else None


def newest(client: Client) -> ChurnPrediction | None:
    """Return the client's newest prediction with its version, of one day that of the version in use; one query."""
    rows = ChurnPrediction.objects.filter(client=client).select_related("model")
    rows = rows.defer("model__parameters", "model__card").annotate(in_use=IN_USE)
    found: ChurnPrediction | None = rows.order_by("-as_of", "-in_use", "-made_at").first()
    return found


def risk_of(client: Client, measures: Mapping[str, Any] | None = None) -> Risk | None:
    """Return the newest risk; `measures` are those of the newest score, for the counts behind the ratios. One query."""
    found = newest(client)
    return None if found is None else _risk(client, found, measures or {})


def _risk(client: Client, prediction: ChurnPrediction, measures: Mapping[str, Any]) -> Risk:
    return Risk(client, prediction, facts_of(measures, modules=len(client.licensed_modules or ())))


def explained(client: Client, *, now: datetime) -> Explained | None:
    """Return the client's risk in full; None where none was foretold yet. A fixed number of queries."""
    found = newest(client)
    if found is None:
        return None
    risk = _risk(client, found, _measures_on(client, found.as_of))
    people = people_of(client)
    executive = client.ae_user.name if client.ae_user else ""
    inputs = found.inputs
    of_model = [slug for slug in read_model(found.model).hazard.features if slug not in CALENDAR]
    known = [slug for slug in of_model if words.number_of(inputs, slug) is not None]
    return Explained(
        risk=risk,
        change=change_of(risk),
        history=history(client),
        actions=recommended(risk.factors, people, category=risk.category, account_executive=executive),
        offers=offers(inputs),
        known=known,
        unknown=[slug for slug in of_model if slug not in known],
    )


def change_of(risk: Risk) -> Difference | None:
    """Return why the risk changed against about a month before, by the model of the newer prediction."""
    before = prediction_before(risk.client, risk.prediction.as_of)
    if before is None:
        return None
    return difference(read_model(risk.model).hazard, _foretold(before), _foretold(risk.prediction), facts=risk.facts)


def _foretold(prediction: ChurnPrediction) -> Foretold:
    log_odds = prediction.contributions.get("log_odds", 0.0)
    return Foretold(prediction.as_of, prediction.inputs, float(log_odds), prediction.p90)


def asked(client: Client, levers: Mapping[str, float], values: Mapping[str, float]) -> tuple[Risk, WhatIf]:
    """Return the newest risk and what it would be with the changes asked for (churn.levers.changed_inputs).

    Raises ConflictError where nothing was foretold yet, InvalidInputError naming each field that cannot be used.
    """
    found = newest(client)
    if found is None:
        raise ConflictError(f"No churn risk of {client.name} has been predicted yet, so none can be asked about.")
    changed = changed_inputs(found.inputs, levers, values)
    models = read_model(found.model)
    renewal = models.renewal if found.renewal_risk is not None else None
    return _risk(client, found, {}), what_if(models.hazard, renewal, found.inputs, changed)


def job_arguments(client: Client) -> dict[str, Any]:
    """Return the arguments of the job that predicts this client anew."""
    return {"client_id": str(client.pk)}


@dataclass(frozen=True)
class Record:
    """How well a version foretold out of time at 90 days: AUC (None: not measured), clients that left in that test."""

    auc: float | None = None
    churned: int = 0

    @property
    def words(self) -> str:
        """The record in a line: "AUC 0.81, 42 clients left"."""
        if self.auc is None:
            return "Not measured yet"
        return f"AUC {self.auc:.2f}, {plural(self.churned, 'client')} left"


def record_of(model_id: UUID) -> Record:
    """Return how well a version foretold, by its card; kept for a minute."""
    key = f"churn-record:{model_id}"
    found: Record | None = caches["memory"].get(key)
    if found is None:
        stored = ChurnModel.objects.values_list("card", flat=True).get(pk=model_id)
        shown = card_from_data(stored).shown
        figures = shown.horizons.get("90") if shown else None
        found = Record(figures.auc.value, figures.churned) if figures else Record()
        caches["memory"].set(key, found, RECORD_KEPT_SECONDS)
    return found


def _measures_on(client: Client, day: date) -> Mapping[str, Any]:
    """Return the measures of the client's main score on the day of the prediction; empty without one."""
    rows = HealthScore.objects.filter(client=client, date=day).order_by("scorecard")
    merged: dict[str, Any] = {}
    for inputs in rows.values_list("inputs", flat=True):
        merged |= {slug: value for slug, value in (inputs or {}).items() if value is not None}
    return merged
