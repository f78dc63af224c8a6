"""Errors of the HTTP interfaces: RFC 9457 problem+json, always of one shape and with a stable `type`."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Field, Schema

from bellwether.common.errors import BellwetherError

CONTENT_TYPE = "application/problem+json"
PREFIX = "urn:bellwether:problem:"
KINDS: dict[int, tuple[str, str]] = {
    400: ("malformed", "The request cannot be read"),
    401: ("unauthenticated", "Sign in first"),
    403: ("forbidden", "Not allowed"),
    404: ("not-found", "Not found"),
    405: ("method-not-allowed", "The method is not supported here"),
    409: ("conflict", "The state does not allow this"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "The content type is not supported"),
    422: ("invalid", "Some values cannot be used"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal", "Something went wrong here"),
    503: ("not-ready", "The service is not ready"),
}


class FieldProblem(Schema):
    """What is wrong with one field; `field` is its path, such as "tags.0"."""

    field: str
    message: str


class Problem(Schema):
    """An error. `type` is stable and meant for programs, `detail` is a sentence for people."""

    type: str = Field(json_schema_extra={"format": "uri"})
    title: str
    status: int
    detail: str
    errors: list[FieldProblem]


class ProblemError(BellwetherError):
    """Raised by an endpoint to answer with a problem of `status`; `kind` overrides the usual type of that status."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Mapping[str, str] | None = None,
        kind: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.kind = status, detail, kind
        self.errors, self.headers = dict(errors or {}), dict(headers or {})

    def response(self) -> HttpResponse:
        """Return the answer."""
        return problem(self.status, self.detail, errors=self.errors, kind=self.kind, headers=self.headers)


def problem(
    status: int,
    detail: str,
    *,
    errors: Mapping[str, str] | None = None,
    kind: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return a problem+json answer; `errors` maps field path to sentence."""
    usual, title = KINDS.get(status, ("error", "The request failed"))
    body: dict[str, Any] = {
        "type": PREFIX + (kind or usual),
        "title": title,
        "status": status,
        "detail": detail,
        "errors": [{"field": field, "message": message} for field, message in (errors or {}).items()],
    }
    response = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    for name, value in {"Cache-Control": "no-store", **(headers or {})}.items():
        response.headers[name] = value
    return response


DETAILS = {
    400: "The request cannot be read. Check its address, headers and body.",
    403: "You may not do this.",
    404: "There is nothing at this address, or it is not yours to see.",
    413: "The body is too large. Send less at once.",
    429: "Too many requests. Wait a little and try again.",
    500: "An unexpected error happened and was logged. Try again, or tell an administrator.",
}


class ProblemResponses:
    """Middleware: an error answer of an HTTP interface that is not problem+json yet becomes it.

    This covers what happens outside the endpoints: unknown addresses, wrong methods, hosts and bodies that Django
    refuses, and unexpected errors.
    """

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer, errors under /api/ as problem+json."""
        response: HttpResponse = self.get_response(request)
        if not request.path.startswith("/api/") or response.status_code < 400:
            return response
        if response.headers.get("Content-Type", "").startswith(CONTENT_TYPE):
            return response
        detail = DETAILS.get(response.status_code, "The request failed.")
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            detail = f"{request.method} is not supported here" + (f"; use {allowed}." if allowed else ".")
        kept = {name: response.headers[name] for name in ("Allow", "Retry-After") if name in response.headers}
        answer = problem(response.status_code, detail, headers=kept)
        response.close()
        return answer
