"""`bellwether churn`: train the model, print its card, predict."""

import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from django.utils import timezone

from bellwether.common.errors import BellwetherError
from bellwether.common.terminal import terminal_progress


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    group = typer.Typer(no_args_is_help=True, help="Churn risk: the model, its card, predictions.")
    group.command("train")(train_model)
    group.command("card")(print_card)
    group.command("predict")(predict)
    app.add_typer(group, name="churn")


def train_model(
    activate: Annotated[
        bool | None,
        typer.Option("--activate/--keep", help="Put the version into use whatever the comparison says, or do not."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Train a version on the history; it is put into use if it foretells better out of time than the one in use.

    Ends with 0 where a version was stored or nothing is new, with 1 where there is too little history.
    """
    from bellwether.churn.training import training

    with terminal_progress() as progress:
        done = training(now=timezone.now(), progress=progress, activate=activate)
    row = done.model
    if as_json:
        typer.echo(json.dumps(_trained(done), ensure_ascii=False, indent=2))
    else:
        typer.echo(done.sentence)
        for line in _version_lines(row, done.is_new):
            typer.echo(line)
    if not done.is_new and row.kind == "PRIOR":
        raise typer.Exit(1)


def _trained(done: Any) -> dict[str, Any]:
    row = done.model
    return {
        "version": row.version,
        "kind": str(row.kind),
        "state": str(row.state),
        "is_new": done.is_new,
        "reason": done.sentence,
        "rows": row.rows,
        "clients": row.clients,
        "churned_clients": row.churned_clients,
        "first_as_of": str(row.first_as_of) if row.first_as_of else None,
        "last_as_of": str(row.last_as_of) if row.last_as_of else None,
        "seconds": row.seconds,
        "candidates": [_figures(one) for one in row.card.get("candidates", [])],
    }


def _figures(one: dict[str, Any]) -> dict[str, Any]:
    horizon = one["horizons"].get("90", {})
    names = ("auc", "pr_auc", "brier", "log_loss", "ece", "lift")
    found = {name: (horizon.get(name) or {}).get("value") for name in names}
    return {"key": one["key"], "title": one["title"]} | found


def _version_lines(row: Any, is_new: bool) -> list[str]:
    kind = row.get_kind_display()
    lines = [f"Version {row.version}: {kind.lower()}, {row.get_state_display().lower()}."]
    if is_new:
        lines.append(
            f"Learned from {row.rows:,} client-weeks of {row.clients:,} clients, {row.churned_clients:,} of which "
            f"left, {row.first_as_of} to {row.last_as_of}; {row.seconds:.1f} seconds."
        )
    figures = [_figures(one) for one in row.card.get("candidates", [])] if is_new else []
    if figures:
        lines += ["", f"{'90 days, out of time':<24}{'AUC':>8}{'PR-AUC':>8}{'Brier':>8}{'ECE':>8}{'Lift':>7}"]
        for one in figures:
            cells = [(one["auc"], 8, 3), (one["pr_auc"], 8, 3), (one["brier"], 8, 4), (one["ece"], 8, 4)]
            cells.append((one["lift"], 7, 1))
            text = "".join(
                f"{'–' if value is None else f'{value:.{places}f}':>{width}}" for value, width, places in cells
            )
            lines.append(f"{one['title'][:23]:<24}{text}")
        lines.append("`bellwether churn card` prints all of it.")
    return lines


def _cell(value: float | None, width: int, places: int) -> str:
    return f"{'–' if value is None else f'{value:.{places}f}':>{width}}"


def print_card(
    version: Annotated[int | None, typer.Option(min=1, help="Which version, default the one in use.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file instead.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print the model card as Markdown: what the model learned from, how well it does, and where it fails."""
    from bellwether.churn.card_text import markdown
    from bellwether.churn.model_reading import about_of, card_of

    row = _version(version)
    card = card_of(row)
    text = json.dumps(card.as_data(), ensure_ascii=False, indent=2) + "\n" if as_json else markdown(card, about_of(row))
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        _refuse(f"{output} cannot be written: {error.strerror}.")
    typer.echo(f"Wrote the card of version {row.version} to {output}.")


def _version(number: int | None) -> Any:
    from bellwether.churn.models import ChurnModel
    from bellwether.churn.versions import active_model

    if number is None:
        return active_model().row
    row = ChurnModel.objects.filter(version=number).defer("parameters", "card").first()
    if row is None:
        newest = ChurnModel.objects.values_list("version", flat=True).first()
        _refuse(f"There is no version {number}; " + (f"the newest is {newest}." if newest else "there is none yet."))
    return row


def predict(
    client: Annotated[str, typer.Option(help="Of one client only: its id, organization id or name.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Predict today's clients with the version in use, once a day and client; doing it again changes nothing."""
    from bellwether.churn.predicting import predict_clients

    found = None
    if client:
        from bellwether.health.selectors import find_client

        try:
            found = find_client(client)
        except BellwetherError as error:
            _refuse(str(error))
    with terminal_progress() as progress:
        new = predict_clients(now=timezone.now(), client_ids=[found.pk] if found else None, progress=progress)
    if found is not None:
        _one(found, as_json)
        return
    _all(new, as_json)


def _all(new: int, as_json: bool) -> None:
    from django.db.models import Count

    from bellwether.churn.choices import Category
    from bellwether.churn.versions import active_model
    from bellwether.portfolio.models import Client

    shown = Client.objects.filter(churn_predicted_on__isnull=False).order_by()
    counts = dict(shown.values_list("churn_category").annotate(Count("pk")))
    bands = shown.filter(churn_is_band=True).count()
    version = active_model().row
    if as_json:
        found = {str(key): counts.get(key, 0) for key in Category.values}
        typer.echo(json.dumps({"new": new, "version": version.version, "categories": found, "bands": bands}))
        return
    words = ", ".join(f"{counts.get(key, 0):,} {label.lower()}" for key, label in reversed(Category.choices))
    typer.echo(f"{new:,} new predictions by version {version.version} ({version.get_kind_display().lower()}).")
    typer.echo(f"Clients by category: {words}; {bands:,} of them as a band, without a figure.")


def _one(client: Any, as_json: bool) -> None:
    from bellwether.churn.selectors import newest_predictions
    from bellwether.churn.words import factors

    client.refresh_from_db()
    row = newest_predictions([client]).get(client.pk)
    if row is None:
        _refuse(f"{client.name} is not predicted: it was archived or has left.")
    lines = [line for line in factors(row) if line.is_notable]
    is_figure = row.precision == "FIGURE"
    if as_json:
        data = {
            "client": {"id": str(client.pk), "organization_id": client.organization_id, "name": client.name},
            "as_of": str(row.as_of),
            "version": row.model.version,
            "category": str(row.category),
            "precision": str(row.precision),
            "precision_reason": row.precision_reason,
            "probability": _by_horizon(row, "") if is_figure else None,
            "low": _by_horizon(row, "_low") if is_figure else None,
            "high": _by_horizon(row, "_high") if is_figure else None,
            "factors": [
                {"factor": line.slug, "multiplier": round(line.multiplier, 3), "sentence": line.sentence}
                for line in lines
            ],
        }
        typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    typer.echo(
        f"{client.name}, {row.as_of}, version {row.model.version}: {row.get_category_display().lower()} churn risk"
    )
    if is_figure:
        for days in (30, 60, 90):
            p, low, high = (getattr(row, f"p{days}{part}") for part in ("", "_low", "_high"))
            typer.echo(f"  within {days} days  {p:>6.1%}   (80 %: {low:.1%} to {high:.1%})")
    else:
        typer.echo(f"  no figure: {row.precision_reason}")
    if row.renewal_risk is not None and is_figure:
        typer.echo(f"  not renewing on {row.renewal_on}: {row.renewal_risk:.0%}")
    typer.echo(f"Odds against the {row.contributions['reference']['name'][0].lower()}"
               f"{row.contributions['reference']['name'][1:]}:")  # fmt: skip
    for line in lines:
        typer.echo(f"  × {line.multiplier:<6.2f} {line.heading}: {line.sentence}")


def _by_horizon(row: Any, part: str) -> dict[str, float]:
    return {str(days): getattr(row, f"p{days}{part}") for days in (30, 60, 90)}


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(2)
