"""Gives outcomes without a code the code of their words. May be run again at any time; codes that are there stay."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from bellwether.portfolio.reason_codes import LOST, code_of


@dataclass(frozen=True)
class Coded:
    """`done`: outcomes coded, by (words, code). `left`: outcomes whose words are not known, by their words."""

    done: dict[tuple[str, str], int]
    left: dict[str, int]


def code_outcomes(model: Any, *, using: str = "default", dry_run: bool = False) -> Coded:
    """Code the churned and downgraded outcomes whose words are known, one write for each wording, and return which.

    `model` is ClientOutcome, also as a migration knows it. Nothing else of the outcomes changes.
    """
    rows = model._base_manager.using(using).filter(reason_code="", outcome__in=LOST).exclude(reason="")
    found = dict(rows.order_by().values_list("reason").annotate(count=Count("pk")))
    done: dict[tuple[str, str], int] = {}
    left: dict[str, int] = {}
    for words, count in sorted(found.items()):
        code = code_of(words)
        if not code:
            left[words] = count
            continue
        done[words, code] = count if dry_run else rows.filter(reason=words).update(reason_code=code)
    return Coded(done, left)
