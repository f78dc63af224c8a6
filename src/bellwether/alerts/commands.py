"""`bellwether alerts`: look for them now, list them, and replay rules."""

import json
import time
from typing import Annotated, Any

import typer
from django.utils import timezone

from bellwether.alerts import replay_command
from bellwether.alerts.settings_command import list_settings
from bellwether.common.terminal import terminal_progress


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Alerts of clients.")
    group.command("evaluate")(evaluate_now)
    group.command("list")(list_alerts)
    replay_command.register(group)
    group.command("settings")(list_settings)
    app.add_typer(group, name="alerts")


def evaluate_now() -> None:
    """Look for alerts of all clients and store what changed. Doing it again changes nothing."""
    from bellwether.alerts.services import evaluate

    started = time.perf_counter()
    with terminal_progress() as progress:
        done = evaluate(now=timezone.now(), progress=progress)
    typer.echo(
        f"{done.opened:,} opened ({done.earlier:,} of them had begun earlier), {done.fired_again:,} fired again, "
        f"{done.escalated:,} escalated, {done.cleared:,} cleared, {done.reopened:,} hold again, "
        f"{done.told:,} messages; {1000 * (time.perf_counter() - started):,.0f} ms."
    )


def list_alerts(
    client: Annotated[str, typer.Option(help="Of one client only: its id, organization id or name.")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="Only those that wait for somebody.")] = False,
    alert_type: Annotated[str, typer.Option("--type", help="Of one type only, such as HEALTH_DROP.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one alert a line.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
) -> None:
    """List alerts, the most severe and newest first; silent ones are marked."""
    from django.db.models import Q

    from bellwether.alerts.choices import OPEN, AlertType
    from bellwether.alerts.models import Alert
    from bellwether.portfolio.models import Client

    rows = Alert.objects.select_related("client", "assigned_to")
    if alert_type:
        if alert_type.upper() not in AlertType.values:
            _refuse(f"There is no type {alert_type!r}; there are {', '.join(AlertType.values)}.")
        rows = rows.filter(alert_type=alert_type.upper())
    if client:
        named = Q(organization_id=client) | Q(name__iexact=client)
        found = Client.objects.filter(named | Q(pk=client) if _is_id(client) else named)
        if not found.exists():
            _refuse(f"There is no client with the id, organization id or name {client!r}.")
        rows = rows.filter(client__in=found)
    if only_open:
        rows = rows.filter(status__in=OPEN, is_silent=False)
    total = rows.count()
    for row in rows[:limit]:
        typer.echo(json.dumps(_data(row), ensure_ascii=False) if as_json else _line(row))
    if not as_json:
        typer.echo(f"{min(total, limit):,} of {total:,} alerts." if total else "No alerts.")


def _line(row: Any) -> str:
    silent = "  (silent)" if row.is_silent else ""
    since = row.opened_on.isoformat()
    return f"{row.severity:8}  {row.status:12}  {since}  {row.client.name[:28]:28}  {row.description}{silent}"


def _data(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "client_id": str(row.client_id),
        "client": row.client.name,
        "alert_type": row.alert_type,
        "subject": row.subject,
        "severity": row.severity,
        "status": row.status,
        "title": row.title,
        "description": row.description,
        "root_cause": row.root_cause,
        "assigned_to": row.assigned_to.email if row.assigned_to else None,
        "opened_on": row.opened_on.isoformat(),
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "respond_by": row.respond_by.isoformat() if row.respond_by else None,
        "times_fired": row.times_fired,
        "is_silent": row.is_silent,
        "evidence": row.evidence,
    }


def _is_id(text: str) -> bool:
    from uuid import UUID

    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _refuse(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
