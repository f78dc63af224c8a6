"""Idempotency keys: a creating POST that is sent again gets the first answer again, and nothing is made twice."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.http import HttpResponse, JsonResponse
from django.utils import timezone

from bellwether.common.problems import ProblemError
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.models import IdempotencyRecord

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=1)
LONGEST = 200


class Answer:
    """What a creating endpoint answers: a status, a JSON body and headers."""

    def __init__(self, status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers or {}


def once(request: StaffRequest, make: Callable[[], Answer]) -> HttpResponse:
    """Return the answer of `make`, called at most once per user and Idempotency-Key within 24 hours.

    The same key with another request, or while the first is still at work, is a problem 409. A `make` that raises is
    forgotten, so that it may be tried again. Without the header `make` is simply called.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        return _response(make())
    if len(key) > LONGEST or not key.isprintable():
        raise ProblemError(
            422,
            "The Idempotency-Key cannot be used.",
            errors={"Idempotency-Key": f"1 to {LONGEST} printable characters"},
        )
    now = timezone.now()
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + request.body).hexdigest()
    record = _claim(request, key, digest, now)
    if record.status is not None:
        return _response(Answer(record.status, record.response, {**record.headers, "Idempotent-Replay": "true"}))
    try:
        with transaction.atomic():
            answer = make()
            record.status, record.headers = answer.status, answer.headers
            record.response = json.loads(json.dumps(answer.body, cls=DjangoJSONEncoder))
            record.save(update_fields=["status", "response", "headers"])
    except BaseException:
        record.delete()
        raise
    return _response(answer)


def _claim(request: StaffRequest, key: str, digest: str, now: datetime) -> IdempotencyRecord:
    """Return a new record for this request, or the one of the same request before. Raises a problem 409 on a clash."""
    IdempotencyRecord.objects.filter(created_at__lt=now - KEPT).delete()
    IdempotencyRecord.objects.filter(status__isnull=True, created_at__lt=now - ABANDONED).delete()
    try:
        with transaction.atomic():
            return IdempotencyRecord.objects.create(user=request.user, key=key, digest=digest, created_at=now)
    except IntegrityError:
        known = IdempotencyRecord.objects.filter(user=request.user, key=key).first()
    if known is None or (known.digest == digest and known.status is None):
        detail = "A request with this Idempotency-Key is at work. Try again in a second."
        raise ProblemError(409, detail, kind="idempotency-in-progress", headers={"Retry-After": "1"})
    if known.digest != digest:
        detail = "This Idempotency-Key was used for another request. Use a new key for a new request."
        raise ProblemError(409, detail, kind="idempotency-clash")
    return known


def _response(answer: Answer) -> HttpResponse:
    response = JsonResponse(answer.body, status=answer.status)
    for name, value in answer.headers.items():
        response.headers[name] = value
    return response
