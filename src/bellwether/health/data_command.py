"""The command `bellwether data`: the state of the data, for operators."""

import json
from typing import Annotated

import typer
from django.conf import settings
from django.core.cache import caches
from django.utils import timezone

from bellwether.health.data_quality import data_quality
from bellwether.usage.quality import Quality
from bellwether.usage.quality_finding import listed
from bellwether.usage.quality_words import KINDS, SEVERITIES, lag_text
from bellwether.web.formatting import moment, number, percent


def data(json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Print the state of the data: verdict, sources, findings. Exit status 1 if a finding is critical."""
    quality = data_quality(now=timezone.now(), cache=caches["memory"])
    typer.echo(_json(quality) if json_ else _text(quality))
    if any(one.severity == "critical" for one in quality.findings):
        raise typer.Exit(1)


def _json(quality: Quality) -> str:
    return json.dumps(
        {
            "severity": quality.severity,
            "verdict": quality.verdict,
            "findings": [vars(one) for one in quality.findings],
            "sources": [vars(one) for one in quality.sources],
        },
        indent=2,
        default=str,
    )


def _text(quality: Quality) -> str:
    now, zone = quality.facts.now, settings.BELLWETHER_WORKSPACE_ZONE
    lines = [quality.verdict]
    for one in quality.sources:
        last = moment(one.last_received_at, now, zone) if one.last_received_at else "never"
        lines.append(
            f"source {one.name}: {KINDS[one.kind].lower()}, {number(one.today)} events today,"
            f" {number(one.week)} in 7 days,"
            f" last {last}, lag {lag_text(one.lag_median)}, repeated {percent(one.duplicate_share, 1)},"
            f" rejected {percent(one.reject_share, 1)}"
        )
    for found in quality.findings:
        lines.append(f"{SEVERITIES[found.severity].lower()}: {found.title}. {found.meaning}")
        lines.append(f"  {found.action}" + (f" ({listed(found)})" if found.items else ""))
    return "\n".join(lines)
