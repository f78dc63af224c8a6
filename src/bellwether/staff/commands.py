"""Commands about people, their tokens and the access log."""

import sys
from datetime import timedelta
from typing import Annotated

import typer
from django.utils import timezone

from bellwether.common.terminal import terminal_progress
from bellwether.staff.audit import verify
from bellwether.staff.models import ApiToken, Role, StaffUser
from bellwether.staff.tokens import Scope, issue_token, open_tokens, revoke_tokens
from bellwether.staff.users import add_user, deactivate_user, user_by_email


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    user = typer.Typer(no_args_is_help=True, help="People who may sign in, and the tokens of their programs.")
    user.command("add")(user_add)
    user.command("list")(user_list)
    user.command("deactivate")(user_deactivate)
    token = typer.Typer(no_args_is_help=True, help="API tokens.")
    token.command("add")(token_add)
    token.command("list")(token_list)
    token.command("revoke")(token_revoke)
    user.add_typer(token, name="token")
    app.add_typer(user, name="user")
    audit = typer.Typer(no_args_is_help=True, help="The access log.")
    audit.command("verify")(audit_verify)
    app.add_typer(audit, name="audit")


def user_add(
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    name: Annotated[str, typer.Option(help="First and last name.")],
    role: Annotated[str, typer.Option(help=f"One of {', '.join(Role.values)}.")] = Role.CSM.value,
    team: Annotated[str | None, typer.Option(help="Name of the team; made if new.")] = None,
    password_stdin: Annotated[bool, typer.Option(help="Read the password from the first line of stdin.")] = False,
) -> None:
    """Add a member of staff. Without --password-stdin a one-time password is made and printed."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password_stdin and not password:
        typer.echo("Error: --password-stdin was given, but there is nothing on stdin.", err=True)
        raise typer.Exit(2)
    user, made = add_user(
        email, name=name, role=role.upper(), team=team, password=password, actor=None, now=timezone.now()
    )
    if made:
        typer.echo(f"Password, shown once; change it after signing in: {made}")
    typer.echo(f"Added {user.email} as {user.get_role_display()}.")


def user_list() -> None:
    """List everybody who may or once might sign in."""
    users = list(StaffUser.objects.select_related("team").order_by("-is_active", "email"))
    for user in users:
        state = "" if user.is_active else "  deactivated"
        team = f"  team {user.team.name}" if user.team else ""
        typer.echo(f"{user.email}  {user.name}  {user.role}{team}{state}")
    typer.echo(f"{len(users)} users, {sum(user.is_active for user in users)} active.")


def user_deactivate(email: Annotated[str, typer.Argument(help="The address of the user.")]) -> None:
    """Deactivate a member of staff: sessions and tokens stop at once; nothing is deleted."""
    user = deactivate_user(email, actor=None, now=timezone.now())
    typer.echo(f"{user.email} is deactivated.")


def token_add(
    email: Annotated[str, typer.Argument(help="The user whose rights the token has.")],
    name: Annotated[str, typer.Option(help="What the token is for.")],
    scope: Annotated[list[Scope] | None, typer.Option(help="May be given several times.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=3650, help="Days until it expires; default never.")] = None,
) -> None:
    """Make an API token and print it, once. Default scope: read."""
    now = timezone.now()
    expires_at = now + timedelta(days=days) if days else None
    scopes = scope or [Scope.READ]
    token, secret = issue_token(
        user_by_email(email), name=name, scopes=[str(s) for s in scopes], expires_at=expires_at, actor=None, now=now
    )
    typer.echo(secret)
    typer.echo(f"Made token {token.prefix} ({', '.join(token.scopes)}) for {token.user.email}. It is not shown again.")


def token_list(
    email: Annotated[str | None, typer.Argument(help="Only the tokens of this user.")] = None,
) -> None:
    """List the tokens that are not revoked."""
    tokens = open_tokens()
    if email:
        tokens = tokens.filter(user=user_by_email(email))
    rows = list(tokens)
    for token in rows:
        typer.echo(_token_line(token))
    typer.echo(f"{len(rows)} tokens.")


def _token_line(token: ApiToken) -> str:
    until = f"until {token.expires_at:%Y-%m-%d}" if token.expires_at else "without end"
    used = f"used {token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never used"
    return f"{token.prefix}  {token.name}  {','.join(token.scopes)}  {token.user.email}  {until}  {used}"


def token_revoke(prefix: Annotated[str, typer.Argument(help="The beginning of the token, as listed.")]) -> None:
    """Revoke a token: it stops working at once."""
    token = revoke_tokens(prefix, actor=None, now=timezone.now())
    typer.echo(f"Revoked {token.prefix} of {token.user.email}.")


def audit_verify(
    head: Annotated[
        str | None, typer.Option(help="A head printed by an earlier verification, seq:hash: must still be in the log.")
    ] = None,
) -> None:
    """Prove that no row of the access log was changed, removed, inserted or moved."""
    with terminal_progress() as progress:
        result = verify(progress=progress, known_head=head)
    for finding in result.findings:
        typer.echo(f"Problem: {finding.message}.", err=True)
    if result.findings:
        typer.echo(f"The access log is NOT whole: {result.rows} rows read, {len(result.findings)} problems.")
        raise typer.Exit(1)
    typer.echo(f"The access log is whole: {result.rows} rows verified. Head {result.head}")
