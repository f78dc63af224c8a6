"""Commands about people, their tokens and the access log."""

from typing import Annotated

import typer

from bellwether.common.terminal import terminal_progress
from bellwether.staff.audit import verify


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    audit = typer.Typer(no_args_is_help=True, help="The access log.")
    audit.command("verify")(audit_verify)
    app.add_typer(audit, name="audit")


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
