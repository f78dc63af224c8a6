"""`bellwether webhook`: endpoints that are told what happens here."""

from typing import Annotated
from uuid import UUID

import typer
from django.utils import timezone

from bellwether.common.errors import InvalidInputError
from bellwether.webhooks import endpoints as acts
from bellwether.webhooks.kinds import KINDS
from bellwether.webhooks.models import WebhookEndpoint

Which = Annotated[str, typer.Argument(help="The webhook's address, or its id or the beginning of it.")]


def register(app: typer.Typer) -> None:
    """Add `webhook` to `app`."""
    webhook = typer.Typer(no_args_is_help=True, help="Addresses that are told what happens here, signed and retried.")
    webhook.command("add")(add)
    webhook.command("list")(list_endpoints)
    webhook.command("test")(test)
    webhook.command("replay")(replay)
    webhook.command("rotate")(rotate)
    webhook.command("on")(on)
    webhook.command("off")(off)
    webhook.command("remove")(remove)
    webhook.command("types")(types)
    app.add_typer(webhook, name="webhook")


def add(
    url: Annotated[str, typer.Argument(help="https://…")],
    types: Annotated[list[str] | None, typer.Option("--type", help="Only this type of event. Repeatable.")] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Add an endpoint and print the secret that signs what it gets."""
    now = timezone.now()
    made = acts.add_endpoint(url, event_types=types or [], description=description, actor=None, now=now)
    typer.echo(f"Added {made.url} ({str(made.pk)[:8]}). Its secret: {acts.secret_of(made, actor=None, now=now)}")


def list_endpoints() -> None:
    """List the endpoints with what they want and how they do."""
    for one in acts.endpoints():
        state = "on" if one.is_enabled else f"off: {one.disabled_reason or 'by hand'}"
        waiting = one.deliveries.exclude(state="DELIVERED").count()
        wanted = ", ".join(one.event_types) or "all types"
        typer.echo(f"{str(one.pk)[:8]}  {one.url}  {wanted}  {state}  {waiting} not delivered")


def test(which: Which) -> None:
    """Send a test event; the worker posts it within seconds."""
    acts.try_out(_found(which), actor=None, now=timezone.now())
    typer.echo("A test event is on its way.")


def replay(which: Which) -> None:
    """Send again what did not arrive."""
    count = acts.replay(_found(which), actor=None, now=timezone.now())
    typer.echo(f"{count} on their way.")


def rotate(which: Which) -> None:
    """Make and print a new secret; the old one signs too for a day."""
    typer.echo(acts.rotate(_found(which), actor=None, now=timezone.now()))


def on(which: Which) -> None:
    """Switch an endpoint on."""
    acts.switch(_found(which), on=True, actor=None, now=timezone.now())


def off(which: Which) -> None:
    """Switch an endpoint off."""
    acts.switch(_found(which), on=False, actor=None, now=timezone.now())


def remove(which: Which) -> None:
    """Take an endpoint away."""
    acts.remove(_found(which), actor=None, now=timezone.now())


def types() -> None:
    """List the types of events."""
    for name, kind in KINDS.items():
        typer.echo(f"{name:24}{kind.sentence}")


def _found(which: str) -> WebhookEndpoint:
    """Return the one endpoint that `which` names."""
    known = acts.endpoints()
    found = [one for one in known if which == one.url or str(one.pk).startswith(which.lower())]
    if len(found) != 1 or not which:
        reason = "names more than one webhook" if found else "names no webhook"
        raise InvalidInputError(f"{which!r} {reason}. See: bellwether webhook list")
    return acts.endpoint_or_404(UUID(str(found[0].pk)))
