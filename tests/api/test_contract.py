"""The API against its own description: generated requests, in process, with the cast's data."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from bellwether.api.api import api
from bellwether.common.models import JobRun
from bellwether.config.wsgi import django_application
from bellwether.staff.tokens import issue_token
from tests.api.portal_cast import ORGANIZATION, SUPPLIER, keep_score
from tests.conftest import NOW, TODAY, Clients, Staff

pytestmark = [pytest.mark.slow, pytest.mark.django_db(databases="__all__")]

DOCUMENT = api.get_openapi_schema(path_prefix="/api/")
schema = schemathesis.openapi.from_dict(DOCUMENT)
schema.app = django_application
# Each value just inside and just outside of what is described, once: on the stricter of the two databases.
schema.config.phases.coverage.enabled = connection.vendor == "postgresql"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    unsupported_method,
]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the connection of the test's transaction over requests, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def known(staff: Staff, scored: Clients, settings: Any) -> dict[str, str]:
    """Headers of an administrator, and ids that exist."""
    settings.BELLWETHER_API_REQUESTS_PER_MINUTE = 1_000_000
    secret = issue_token(staff.adam, name="x", scopes=["admin"], expires_at=None, actor=None, now=NOW)[1]
    run = JobRun.objects.create(name="score", requested_by_id=staff.ada.pk, created_at=NOW)
    settings.BELLWETHER_OTHER_SCORECARDS = ("operations", "suppliers")
    keep_score(scored.sturdy, "operations", TODAY, ORGANIZATION)
    keep_score(scored.sturdy, "suppliers", TODAY, SUPPLIER)
    organization = {"organization_id": "sturdy", "org_id": "sturdy"}
    return {"secret": secret, "client_id": str(scored.sturdy.pk), "job_id": str(run.pk), **organization}


@schema.parametrize()
@settings(
    max_examples=12 if connection.vendor == "sqlite" else 8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_answers_every_request_as_described(case: Any, known: dict[str, str]) -> None:
    for name in ("client_id", "job_id", "organization_id", "org_id"):
        # Every second request meets an id that exists; the other ones stay as generated.
        if name in (case.path_parameters or {}) and len(str(case.query)) % 2 == 0:
            case.path_parameters[name] = known[name]
    headers = {"Authorization": f"Bearer {known['secret']}"}
    case.call_and_validate(headers=headers, checks=CHECKS)
