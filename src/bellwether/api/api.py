"""The staff API, put together from the routers of each capability."""

from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from bellwether.alerts.api import router as alerts_router
from bellwether.alerts.config_api import router as alert_config_router
from bellwether.analytics.api import router as analytics_router
from bellwether.analytics.churn_api import router as churn_analytics_router
from bellwether.api.clients import router as clients_router
from bellwether.api.data import router as data_router
from bellwether.api.jobs import router as jobs_router
from bellwether.api.portal_features import router as portal_features_router
from bellwether.api.portal_health import router as portal_health_router
from bellwether.api.portal_success import router as portal_success_router
from bellwether.api.portal_usage import router as portal_usage_router
from bellwether.api.problems import add_handlers
from bellwether.api.supplier_interventions import router as supplier_interventions_router
from bellwether.api.suppliers import router as suppliers_router
from bellwether.benchmarks.api import router as benchmarks_router
from bellwether.churn.api import router as churn_router
from bellwether.churn.model_api import router as churn_models_router
from bellwether.common.problems import CONTENT_TYPE, KINDS, Problem, ProblemError
from bellwether.health.adoption_api import router as adoption_router
from bellwether.health.api import router as health_router
from bellwether.health.backtest_api import router as backtest_router
from bellwether.health.config_api import router as config_router
from bellwether.health.custom_api import router as measures_router
from bellwether.health.explain_api import router as explain_router
from bellwether.health.simulation_api import router as simulation_router
from bellwether.health.usage_api import router as usage_router
from bellwether.milestones.api import router as milestones_router
from bellwether.playbooks.api import router as playbooks_router
from bellwether.playbooks.results_api import router as playbook_results_router
from bellwether.portfolio.activities_api import router as activities_router
from bellwether.portfolio.bulk_api import router as bulk_router
from bellwether.portfolio.contacts_api import router as contacts_router
from bellwether.portfolio.contracts_api import router as contracts_router
from bellwether.portfolio.notes_api import router as notes_router
from bellwether.portfolio.support_api import router as support_router
from bellwether.portfolio.timeline_api import router as timeline_router
from bellwether.staff.api_auth import STAFF_AUTH
from bellwether.usage.people_api import router as people_router

CLIENT_SUCCESS = "/v1/client-success"
PORTAL, PORTAL_HEALTH = "/v1/internal/client-success", "/v1/internal/client-health"
SUPPLIER_SUCCESS = "/customer-success"
DESCRIPTION = """\
What Bellwether knows about your clients, for programs.

Sign in with a session cookie (and the CSRF token in `X-CSRFToken` for everything but GET) or send
`Authorization: Bearer bw_…`. GET needs the scope `read`, everything else `write`. You see the clients that your role
lets you see; anything else answers 404. Errors are `application/problem+json` (RFC 9457) with a stable `type`.
Lists take `page` and `limit` (at most 200). POSTs that create take an `Idempotency-Key`: the same request again within
24 hours gets the first answer again.
"""
ALWAYS = (400, 401, 403, 429)
ON_OBJECTS = (404,)
NAME_OBJECTS = frozenset(
    (
        "changeClients",
        "changeAlerts",
        "getAlertConfig",
        "setAlertConfig",
        "replayAlertRule",
        "makeSupplierIntervention",
        "getAlertConfig",
        "setAlertConfig",
        "replayAlertRule",
        "getPortfolioAnalytics",
        "getHealthDistribution",
        "getAtRisk",
        "getRenewals",
        "getChurnRiskAnalytics",
        "getExpansion",
    )
)
"""Operations without an id in their address that take ids in the query or the body."""
WITH_QUERY = (422,)
WITH_BODY = (409, 413, 415, 422)
ON_A_SCORECARD, ON_SCORECARD = ("operations portal", "suppliers"), (409,)
"""Tags of operations that need a scorecard which the workspace may not use, and what they answer then."""


class JsonParser(Parser):
    """Reads JSON bodies and nothing else."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the parsed body; raises a problem 415 for another content type, ValueError if it is not JSON."""
        if request.content_type != "application/json":
            raise ProblemError(415, "Send the body as application/json.")
        return super().parse_body(request)


class StaffAPI(NinjaAPI):
    """NinjaAPI whose description names the problems that every operation may answer with."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Return the OpenAPI 3.1 document."""
        schema = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        components = schema.setdefault("components", {}).setdefault("schemas", {})
        definition = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components.update(definition.pop("$defs", {}))
        components["Problem"] = definition
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                for status in _statuses(path, method, operation):
                    operation["responses"].setdefault(status, _problem_response(status))
        return schema

    def create_response(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the answer, never kept by a cache: it shows what one member of staff may see."""
        response = super().create_response(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response


def _statuses(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    found = set(ALWAYS)
    if "{" in path or operation["operationId"] in NAME_OBJECTS:
        found.update(ON_OBJECTS)
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        found.update(WITH_QUERY)
    if method != "get":
        found.update(WITH_BODY)
    if set(operation.get("tags", ())) & set(ON_A_SCORECARD):
        found.update(ON_SCORECARD)
    return sorted(found)


def _problem_response(status: int) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": KINDS[status][1],
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == 429:
        response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return response


api = StaffAPI(
    title="Bellwether",
    version="1",
    description=DESCRIPTION,
    auth=STAFF_AUTH,
    parser=JsonParser(),
    urls_namespace="api",
    docs_url="/docs",
    openapi_url="/openapi.json",
)
add_handlers(api)
api.add_router(CLIENT_SUCCESS, bulk_router)  # before the addresses of one client, which would take its word for an id
api.add_router(CLIENT_SUCCESS, clients_router)
api.add_router(CLIENT_SUCCESS, health_router)
api.add_router(CLIENT_SUCCESS, explain_router)
api.add_router(CLIENT_SUCCESS, jobs_router)
api.add_router(CLIENT_SUCCESS, measures_router)
api.add_router(CLIENT_SUCCESS, backtest_router)
api.add_router(CLIENT_SUCCESS, config_router)
api.add_router(CLIENT_SUCCESS, alert_config_router)
api.add_router(CLIENT_SUCCESS, simulation_router)
api.add_router(CLIENT_SUCCESS, data_router)
api.add_router(CLIENT_SUCCESS, usage_router)
api.add_router(CLIENT_SUCCESS, people_router)
api.add_router(CLIENT_SUCCESS, activities_router)
api.add_router(CLIENT_SUCCESS, contacts_router)
api.add_router(CLIENT_SUCCESS, notes_router)
api.add_router(CLIENT_SUCCESS, timeline_router)
api.add_router(CLIENT_SUCCESS, contracts_router)
api.add_router(CLIENT_SUCCESS, support_router)
api.add_router(PORTAL, portal_usage_router)
api.add_router(CLIENT_SUCCESS, adoption_router)
api.add_router(CLIENT_SUCCESS, benchmarks_router)
api.add_router(CLIENT_SUCCESS, alerts_router)
api.add_router(CLIENT_SUCCESS, milestones_router)
api.add_router(CLIENT_SUCCESS, playbook_results_router)  # before the other: "results" is no id
api.add_router(CLIENT_SUCCESS, playbooks_router)
api.add_router(CLIENT_SUCCESS, analytics_router)
api.add_router(CLIENT_SUCCESS, churn_router)
api.add_router(CLIENT_SUCCESS, churn_analytics_router)
api.add_router(CLIENT_SUCCESS, churn_models_router)
api.add_router(PORTAL, portal_features_router)
api.add_router(PORTAL, portal_success_router)
api.add_router(PORTAL_HEALTH, portal_health_router)
api.add_router(SUPPLIER_SUCCESS, suppliers_router)
api.add_router(SUPPLIER_SUCCESS, supplier_interventions_router)
