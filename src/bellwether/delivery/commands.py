"""`bellwether delivery`: messages by mail and to channels, and those that could not be delivered."""

from typing import Annotated

import typer
from django.utils import timezone

from bellwether.common.errors import InvalidInputError
from bellwether.delivery.choices import MessageState
from bellwether.delivery.handling import resend as send_again
from bellwether.delivery.handling import try_channel, try_mail
from bellwether.delivery.models import Channel, Message
from bellwether.delivery.selectors import dead_letters, receiver_name
from bellwether.staff.models import StaffUser


def register(app: typer.Typer) -> None:
    """Add `delivery` to `app`."""
    delivery = typer.Typer(no_args_is_help=True, help="Messages by mail, Slack, Teams and webhook.")
    delivery.command("list")(list_messages)
    delivery.command("resend")(resend)
    delivery.command("test")(test)
    app.add_typer(delivery, name="delivery")


def list_messages(
    state: Annotated[str, typer.Option(help="PENDING, HELD, DIGEST, SENT, FAILED or CANCELLED.")] = "FAILED",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """List messages in a state, newest first; those that were given up unless told otherwise."""
    if state.upper() not in MessageState.values:
        raise InvalidInputError(f"There is no state {state!r}; there are {', '.join(MessageState.values)}.")
    rows = Message.objects.filter(state=state.upper()).select_related("user", "contact", "channel").order_by("-id")
    for one in rows[:limit]:
        title = one.payload.get("title", "")
        typer.echo(
            f"{one.pk}  {one.medium}  {receiver_name(one)}  {title}  {one.attempts} attempts  {one.last_error}".rstrip()
        )
    typer.echo(f"{rows.count()} in all.")


def resend(
    message: Annotated[
        int | None, typer.Argument(help="A message's number; without one all that were given up.")
    ] = None,
) -> None:
    """Send again what was given up."""
    rows = dead_letters() if message is None else Message.objects.filter(pk=message)
    if message is not None and not rows.exists():
        raise InvalidInputError(f"There is no message {message}. See: bellwether delivery list")
    typer.echo(f"{send_again(rows, actor=None, now=timezone.now())} on the way again.")


def test(
    which: Annotated[
        str, typer.Argument(help="A channel's name or the beginning of its id, or a colleague's address.")
    ],
) -> None:
    """Send a test now and print the answer."""
    now = timezone.now()
    person = StaffUser.objects.filter(email__iexact=which).first()
    if person is not None:
        message = try_mail(person, actor=None, now=now)
    else:
        known = Channel.objects.filter(removed_at__isnull=True)
        found = [one for one in known if which and (one.name == which or str(one.pk).startswith(which.lower()))]
        if len(found) != 1:
            reason = "names more than one channel" if found else "names no channel and nobody here"
            raise InvalidInputError(f"{which!r} {reason}.")
        message = try_channel(found[0], actor=None, now=now)
    if message.state != MessageState.SENT:
        raise InvalidInputError(f"It did not arrive. {message.last_error}")
    typer.echo("It was taken.")
