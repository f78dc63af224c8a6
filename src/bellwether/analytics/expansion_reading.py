"""Reads which clients could grow, from their newest features, licences and use, for the page and the API alike.

A fixed number of queries whatever the number of clients; what was read is kept for a minute (analytics.keeping).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl
from django.core.cache import caches

from bellwether.analytics import reading
from bellwether.analytics.churn_query import ChurnQuery, in_scope
from bellwether.analytics.churn_reading import churn_book
from bellwether.analytics.keeping import kept
from bellwether.analytics.reading import Scope, key_of
from bellwether.churn.expansion import Growth, GrowthFacts, UnlicensedUse, growth_of, trouble
from bellwether.churn.models import ChurnPrediction
from bellwether.health.loading import workspace_settings
from bellwether.health.portfolio_reading import portfolio_use
from bellwether.portfolio.choices import PaymentStatus
from bellwether.portfolio.models import Client
from bellwether.usage.catalogue import features
from bellwether.usage.models import Feature, FeatureAdoption


@dataclass(frozen=True)
class Opening:
    """A client that could grow, as a row of ROWS (analytics.churn_reading), or why it is held back ("" if not)."""

    row: Mapping[str, Any]
    facts: GrowthFacts
    growth: Growth
    trouble: str

    @property
    def signs(self) -> frozenset[str]:
        """The words of its signals."""
        return frozenset(signal.sign.value for signal in self.growth.signals)


@dataclass(frozen=True)
class Openings:
    """The clients that show a sign of need, by name, also those that are held back; `rows`: ROWS of all clients."""

    found: tuple[Opening, ...]
    rows: pl.DataFrame
    today: date

    def ranked(self, query: ChurnQuery, *, sign: str = "") -> list[Opening]:
        """Return those that are not held back and that the filters let through, by strength × ARR.

        An unknown ARR counts as the average of the list. `sign`: only clients that show it.
        """
        free = [one for one in self._fitting(query) if not one.trouble and (not sign or sign in one.signs)]
        known = [one.facts.arr for one in free if one.facts.arr is not None]
        typical = sum(known) / len(known) if known else 1.0

        def worth(one: Opening) -> float:
            return one.growth.strength * (typical if one.facts.arr is None else one.facts.arr)

        return sorted(free, key=lambda one: (-worth(one), one.row["name"], one.row["key"]))

    def held_back(self, query: ChurnQuery) -> list[Opening]:
        """Return those that the filters let through and that are in trouble."""
        return [one for one in self._fitting(query) if one.trouble]

    def _fitting(self, query: ChurnQuery) -> list[Opening]:
        keys = set(in_scope(self.rows, query, self.today)["key"])
        return [one for one in self.found if one.row["key"] in keys]


def openings(scope: Scope, *, today: date, since: datetime | None) -> Openings:
    """Return the clients of `scope` that could grow."""
    key = ("expansion", scope.key, today)
    return kept(key, lambda: _read(scope, today, since), seconds=reading.KEPT_SECONDS, since=since)


def _read(scope: Scope, today: date, since: datetime | None) -> Openings:
    book = churn_book(scope, today=today, since=since)
    inputs = _inputs(book.rows)
    before = _inputs(book.before) if book.before is not None else {}
    clients = {
        key: rest
        for key, *rest in Client.objects.active()
        .filter(scope.condition())
        .values_list(key_of("id"), "licensed_user_count", "payment_status", "licensed_modules")
    }
    unlicensed = _unlicensed({key: rest[2] for key, rest in clients.items()}, today)
    found = []
    for row in book.rows.iter_rows(named=True):
        seats, payment, _ = clients.get(row["key"], (None, "", []))
        own, earlier = inputs.get(row["key"], {}), before.get(row["key"], {})
        facts = GrowthFacts(
            arr=row["arr"],
            seats=seats,
            seat_use=own.get("seat_use"),
            seat_use_before=earlier.get("seat_use"),
            daily_users=own.get("daily_users"),
            daily_change=own.get("usage_change_month"),
            breadth=own.get("feature_breadth"),
            nps=own.get("nps_latest"),
            score=row["score"],
            status=row["status"],
            category=row["category"] or "",
            payment_overdue=payment == PaymentStatus.OVERDUE,
            unlicensed=tuple(unlicensed.get(row["key"], ())),
        )
        growth = growth_of(facts)
        if growth is not None:
            found.append(Opening(row, facts, growth, trouble(facts)))
    return Openings(tuple(found), book.rows, today)


def _inputs(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the features that the predictions of `rows` were made from, by client."""
    ids = rows["prediction"].drop_nulls().to_list()
    if not ids:
        return {}
    found = ChurnPrediction.objects.filter(pk__gte=min(ids), pk__lte=max(ids)).values_list(
        "pk", key_of("client_id"), "inputs"
    )
    wanted = set(ids)
    return {key: values for pk, key, values in found if pk in wanted}


def _unlicensed(modules: Mapping[str, Sequence[str]], today: date) -> dict[str, list[UnlicensedUse]]:
    """Return the features that clients use without a licence, by client; `modules` are those of their contracts.

    Clients of which nothing is known to be licensed are left out: they would look as if they used everything so.
    """
    catalogue = features()
    measured = workspace_settings(catalogue)
    use = portfolio_use(measured, day=today, cache=caches["memory"])
    licensed = _licensed(modules, catalogue, today)
    days = {spec.key: spec.days for spec in measured.features}
    names = {spec.key: spec.name for spec in measured.features}
    found: dict[str, list[UnlicensedUse]] = {}
    for tier in use.tiers.values():
        for key, uses in tier.use.items():
            for client, count in zip(tier.client_ids, uses, strict=True):
                own = licensed.get(client)
                if count and own and key not in own and key in names:
                    found.setdefault(client, []).append(UnlicensedUse(names[key], count, days[key]))
    return found


def _licensed(
    modules: Mapping[str, Sequence[str]], catalogue: Sequence[Feature], today: date
) -> dict[str, frozenset[str]]:
    """Return the keys of the features that each client has licensed today, as usage.licences.effective_licences says:
    by its own rows where it has any, else by the modules of its contract."""
    by_module: dict[str, set[str]] = {}
    for feature in catalogue:
        by_module.setdefault(feature.module.lower(), set()).add(feature.key)
    rows: dict[str, set[str]] = {}
    stored = FeatureAdoption.objects.values_list(key_of("client_id"), "feature_key", "is_licensed", "licensed_at")
    for client, key, is_licensed, since in stored:
        own = rows.setdefault(client, set())
        if is_licensed and (since is None or since <= today):
            own.add(key)
    return {
        client: frozenset(rows[client])
        if client in rows
        else frozenset().union(*(by_module.get(str(one).lower(), set()) for one in named or ()))
        for client, named in modules.items()
    }
