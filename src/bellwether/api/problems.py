"""Every failure of an endpoint becomes problem+json."""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from bellwether.common.errors import BellwetherError, ConflictError, InvalidInputError
from bellwether.common.problems import DETAILS, ProblemError, problem
from bellwether.staff.api_auth import BEARER

logger = logging.getLogger(__name__)


def add_handlers(api: NinjaAPI) -> None:
    """Register a handler for each kind of failure."""
    handlers: Mapping[type[Exception], Any] = {
        ProblemError: lambda request, error: error.response(),
        ValidationError: _invalid,
        InvalidInputError: lambda request, error: problem(422, str(error), errors=error.errors),
        ConflictError: lambda request, error: problem(409, str(error)),
        BellwetherError: lambda request, error: problem(409, str(error)),
        AuthenticationError: _unauthenticated,
        PermissionDenied: lambda request, error: problem(403, str(error) or DETAILS[403]),
        Http404: lambda request, error: problem(404, DETAILS[404]),
        HttpError: _http_error,
        RequestDataTooBig: lambda request, error: problem(413, DETAILS[413]),
        UnreadablePostError: lambda request, error: problem(400, DETAILS[400]),
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        api.add_exception_handler(kind, handler)


def _unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    detail = "Sign in, or send a token made with `bellwether user token add` as Authorization: Bearer bw_…"
    return problem(401, detail, headers=BEARER)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer with the status; a body that the parser refused for a reason of its own keeps that reason."""
    if isinstance(error.__cause__, ProblemError):
        return error.__cause__.response()
    return problem(error.status_code, "The body is not JSON." if error.status_code == 400 else str(error))


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.exception("Unexpected error in %s %s", request.method, request.path)
    return problem(500, DETAILS[500])


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Return 422 with the path of each field; an id in the address that is none cannot exist: 404."""
    if any(entry["loc"][:1] == ("path",) for entry in error.errors):
        return problem(404, DETAILS[404])
    errors: dict[str, str] = {}
    for entry in error.errors:
        where, *path = (str(part) for part in entry["loc"])
        field = ".".join(path[1:] if where == "body" else path)
        errors.setdefault(field, _sentence(entry))
    number = len(errors)
    return problem(422, f"{number} value{'s' * (number != 1)} cannot be used; see errors.", errors=errors)


def _sentence(entry: Mapping[str, Any]) -> str:
    message = str(entry.get("msg", "cannot be used"))
    return message.removeprefix("Value error, ")
