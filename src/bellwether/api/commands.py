"""The command that keeps the API's description."""

import json
from pathlib import Path
from typing import Annotated

import typer

DOCUMENT = Path("docs/reference/openapi.json")


def document() -> str:
    """Return the OpenAPI document as it is kept in the repository."""
    from bellwether.api.api import api

    schema = api.get_openapi_schema(path_prefix="/api/")
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""

    @app.command()
    def openapi(
        check: Annotated[bool, typer.Option(help="Write nothing; status 1 if the file is not up to date.")] = False,
        file: Annotated[Path, typer.Option(help="Where the document is kept.")] = DOCUMENT,
    ) -> None:
        """Write the description of the staff API (OpenAPI 3.1)."""
        text = document()
        if check:
            if not file.exists() or file.read_text("utf-8") != text:
                typer.echo(f"{file} is not up to date. Run `bellwether openapi` and look at the difference.")
                raise typer.Exit(1)
            typer.echo(f"{file} is up to date.")
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        typer.echo(f"Wrote {file}.")
