"""Commands about clients and their records."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
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
