"""`bellwether alerts settings`: the rules of alerts as they hold."""

import json
from typing import Annotated

import typer


def list_settings(
    client: Annotated[str, typer.Option(help="For one client: its id, organization id or name.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one kind a line.")] = False,
) -> None:
    """List the kinds of alerts as they hold for all clients, or for one, with what is not the default."""
    from django.db.models import Q

    from bellwether.alerts.defaults import KINDS, rule_words
    from bellwether.alerts.settings_explaining import View, explain
    from bellwether.alerts.settings_reading import read_settings
    from bellwether.alerts.settings_words import SOURCE_WORDS, by_default, difference, hours_words, media_words
    from bellwether.portfolio.models import Client

    view = View()
    if client:
        named = Q(organization_id=client) | Q(name__iexact=client)
        found = Client.objects.filter(named | Q(pk=client) if _is_id(client) else named).first()
        if found is None:
            typer.echo(f"There is no client with the id, organization id or name {client!r}.", err=True)
            raise typer.Exit(2)
        view = View(found.contract_tier, found.segment, found.pk.hex)
    settings = read_settings()
    for kind in KINDS:
        one = explain(settings, kind.alert_type, view)
        differs = difference(one, by_default(kind.alert_type))
        if as_json:
            data = {
                "alert_type": kind.alert_type,
                "is_enabled": one.enabled.value,
                "severity": one.severity.value,
                "thresholds": one.numbers,
                "media": list(one.media.value),
                "respond_within_hours": one.respond_within_hours.value,
                "muted_until": one.muted.value.isoformat() if one.muted else None,
                "scopes": sorted(one.scopes),
            }
            typer.echo(json.dumps(data))
            continue
        state = "on " if one.enabled.value else "OFF"
        hours = hours_words(one.respond_within_hours.value)
        typer.echo(f"{kind.alert_type:26} {state} {one.severity.value:8} {hours:>5}  {media_words(one.media.value)}")
        typer.echo(f"{'':27}{rule_words(kind.alert_type, one.numbers)[0]}")
        if differs:
            said = ", ".join(SOURCE_WORDS[scope].lower() for scope in sorted(one.scopes) if scope != "DEFAULT")
            typer.echo(f"{'':27}Not the default ({said}): {'; '.join(differs)}")


def _is_id(text: str) -> bool:
    from uuid import UUID

    try:
        UUID(text)
    except ValueError:
        return False
    return True
