"""Commands about clients and their records."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    outcomes = typer.Typer(no_args_is_help=True, help="How contracts ended, and why.")
    app.add_typer(outcomes, name="outcomes")

    @outcomes.command()
    def code(
        dry_run: bool = typer.Option(False, "--dry-run", help="Only say what would be coded."),
    ) -> None:
        """Give churned and downgraded outcomes without a reason code the code of their words, where these are known.
        May be run again; codes that are there stay."""
        from django.utils import timezone

        from bellwether.portfolio.models import ClientOutcome
        from bellwether.portfolio.reason_codes import label_of
        from bellwether.portfolio.reason_moves import code_outcomes
        from bellwether.staff import audit

        found = code_outcomes(ClientOutcome, dry_run=dry_run)
        for (words, reason), count in found.done.items():
            typer.echo(f"{words}: {label_of(reason)}, {count:,}")
        for words, count in found.left.items():
            typer.echo(f"{words}: no code, {count:,}")
        total = sum(found.done.values())
        if total and not dry_run:
            detail = {"count": total}
            audit.record(
                actor=None, action="outcome.coded", object_type="clientoutcome", detail=detail, now=timezone.now()
            )
        verb = "would be coded" if dry_run else "coded"
        typer.echo(f"{total:,} {verb}, {sum(found.left.values()):,} in words that are not known.")

    search = typer.Typer(no_args_is_help=True, help="The index of words that search and timelines use.")
    app.add_typer(search, name="search")

    @search.command()
    def rebuild() -> None:
        """Make the index anew from the records. The product may run meanwhile; writes wait."""
        from bellwether.portfolio.search_index import rebuild as rebuild_index

        for kind, count in rebuild_index().items():
            typer.echo(f"{kind}: {count:,}")
        typer.echo("The search index is whole.")

    @search.command()
    def check() -> None:
        """Compare the index with the records; exit status 1 if they differ."""
        from django.db import connections

        from bellwether.portfolio.search_index import differences, missing

        connection = connections["default"]
        gone, wrong = missing(connection), differences(connection)
        for name in sorted(gone):
            typer.echo(f"The trigger {name} is missing.")
        for kind, (records, entries) in wrong.items():
            typer.echo(f"{kind}: {records:,} records, {entries:,} in the index")
        if gone or wrong:
            typer.echo("Run `bellwether search rebuild`.")
            raise typer.Exit(1)
        typer.echo("The search index is whole.")
