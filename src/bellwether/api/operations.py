"""Addresses for whoever runs the product: is it alive, is it ready, how much of everything."""

import ipaddress
from collections.abc import Iterator
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bellwether import __version__
from bellwether.api.vital_signs import VitalSigns, complaints, take
from bellwether.common.problems import ProblemError, problem
from bellwether.staff.api_auth import BEARER, need_scope
from bellwether.staff.tokens import Scope, find_token

FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that the process lives."""
    return _plain({"status": "ok", "version": __version__})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when work gets done, else 503 with the reasons; figures in both cases."""
    try:
        signs = take(now=timezone.now())
    except DatabaseError as error:
        reason = f"The database does not answer ({type(error).__name__}). Is it running, and are its tables up to date?"
        return _plain({"status": "not ready", "reasons": [reason]}, status=503)
    reasons = complaints(signs)
    body = {
        "status": "not ready" if reasons else "ready",
        "reasons": reasons,
        "spool": {
            "batches": signs.spool_batches,
            "events": signs.spool_events,
            "oldest_s": signs.spool_oldest_s,
        },
        "last_score_age_s": signs.score_age_s,
        "job_age_s": signs.job_age_s,
    }
    return _plain(body, status=503 if reasons else 200)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with Prometheus metrics, to this machine or to a token with the scope admin. No client is named."""
    try:
        _check_reader(request)
    except ProblemError as error:
        return error.response()
    try:
        signs = take(now=timezone.now())
    except DatabaseError:
        return problem(503, "The database does not answer.")
    registry = CollectorRegistry()
    registry.register(_Signs(signs))
    response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    response.headers["Cache-Control"] = "no-store"
    return response


def _plain(body: dict[str, Any], status: int = 200) -> HttpResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _check_reader(request: HttpRequest) -> None:
    """Raise a problem 401 or 403 unless the request comes from this machine or has a token with the scope admin.

    A proxy on this machine forwards for others: its requests do not count as local.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = find_token(secret.strip(), now=timezone.now())
        if token is None:
            raise ProblemError(401, "The token is unknown, expired or revoked.", headers=BEARER)
        need_scope(token, Scope.ADMIN)
        return
    if any(header in request.headers for header in FORWARDED) or not _is_loopback(request.META.get("REMOTE_ADDR", "")):
        raise ProblemError(401, "Metrics are for this machine, or for a token with the scope admin.", headers=BEARER)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class _Signs:
    """Gives one measurement to Prometheus."""

    def __init__(self, signs: VitalSigns) -> None:
        self._signs = signs

    def collect(self) -> Iterator[Metric]:
        """Yield the metric families."""
        signs = self._signs
        yield GaugeMetricFamily("bellwether_spool_batches", "Batches waiting in the spool.", signs.spool_batches)
        yield GaugeMetricFamily("bellwether_spool_events", "Events waiting in the spool.", signs.spool_events)
        oldest = signs.spool_oldest_s or 0
        yield GaugeMetricFamily("bellwether_spool_oldest_seconds", "Age of the oldest waiting batch.", oldest)
        if signs.score_age_s is not None:
            yield GaugeMetricFamily("bellwether_score_age_seconds", "Time since scores were made.", signs.score_age_s)
        age = GaugeMetricFamily("bellwether_job_age_seconds", "Time since the job last began.", labels=["job"])
        for name, seconds in signs.job_age_s.items():
            if seconds is not None:
                age.add_metric([name], seconds)
        yield age
        failing = GaugeMetricFamily("bellwether_job_failing", "1 if the job failed the last time.", labels=["job"])
        for name, fails in signs.job_failing.items():
            failing.add_metric([name], int(fails))
        yield failing
        runs = GaugeMetricFamily("bellwether_job_runs", "Kept job runs by state.", labels=["state"])
        for state, number in signs.job_runs.items():
            runs.add_metric([state], number)
        yield runs
        clients = GaugeMetricFamily("bellwether_clients", "Active clients by health status.", labels=["health_status"])
        for status, number in signs.clients.items():
            clients.add_metric([status], number)
        yield clients
        yield CounterMetricFamily("bellwether_audit_rows", "Rows of the access log.", signs.audit_rows)
        yield GaugeMetricFamily("bellwether_ready", "1 when /readyz answers 200.", int(not complaints(signs)))
