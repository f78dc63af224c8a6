"""The command that makes a demo and serves it."""

import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from django.conf import settings
from django.utils import timezone
from rich.table import Table

from bellwether.common.errors import InvalidInputError
from bellwether.common.terminal import console, terminal_progress
from bellwether.common.time import day_of
from bellwether.demo.home import Marker
from bellwether.demo.plan import DemoPlan, check_plan
from bellwether.demo.services import NO_SCORE, prepare
from bellwether.demo.staffing import PASSWORD, WORKSPACE, default_logins, make_staff

DEFAULT_HOME = "var/demo"
BANDS = ("HEALTHY", "MONITOR", "AT_RISK", "CRITICAL", NO_SCORE)


def register(app: typer.Typer) -> None:
    """Add the commands of this package to `app`."""
    app.command()(demo)


def demo(
    clients: Annotated[int, typer.Option(help="How many clients.")] = 250,
    days: Annotated[int, typer.Option(help="How many days of usage.")] = 400,
    seed: Annotated[int, typer.Option(help="The same seed, sizes and end date give the same content.")] = 7,
    today: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day; default today.")] = None,
    preset: Annotated[str | None, typer.Option(help="ethico, operations or suppliers.")] = None,
    home: Annotated[Path | None, typer.Option(help=f"Folder of the demo; default {DEFAULT_HOME}.")] = None,
    serve: Annotated[bool, typer.Option(help="Serve the demo when it is ready.")] = True,
    fresh: Annotated[bool, typer.Option(help="Replace a demo that is there; other data is never touched.")] = False,
) -> None:
    """Make a synthetic portfolio with known truth, ready to click, and serve it. Doing it again only serves."""
    now = timezone.now()
    workspace_today = day_of(now, settings.BELLWETHER_WORKSPACE_ZONE)
    plan = DemoPlan(
        clients=clients,
        days=days,
        seed=seed,
        today=today.date() if today else workspace_today,
        preset=preset or settings.BELLWETHER_PRESET,
    )
    _refuse_wrong_usage(plan, workspace_today)
    _enter_home(home, preset)
    with terminal_progress() as progress:
        marker = prepare(
            plan, home=settings.HOME, now=now, today_given=today is not None, fresh=fresh, progress=progress
        )
    _print_summary(marker)
    if serve:
        console.print(f"Serving {settings.BELLWETHER_BASE_URL} until Ctrl C.")
        # A process of its own: this one holds the memory and the threads of what it computed.
        command = [sys.executable, "-m", "bellwether", "serve"]
        os.execve(sys.executable, command, dict(os.environ))  # noqa: S606 - this very program


def _refuse_wrong_usage(plan: DemoPlan, today: date) -> None:
    try:
        check_plan(plan)
        if plan.today > today:
            raise InvalidInputError(f"--today {plan.today} lies ahead; take {today} or an earlier day.")
    except InvalidInputError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None


def _enter_home(home: Path | None, preset: str | None) -> None:
    """Make the demo's settings hold for this process and those it starts.

    Home and preset are read once, when a process starts: where they differ, this command starts itself again.
    """
    if not os.environ.get("BELLWETHER_WORKSPACE_NAME", "").strip():
        os.environ["BELLWETHER_WORKSPACE_NAME"] = settings.BELLWETHER_WORKSPACE_NAME = WORKSPACE
    wanted = {"BELLWETHER_HOME": str(home or os.environ.get("BELLWETHER_HOME", "").strip() or DEFAULT_HOME)}
    if preset:
        wanted["BELLWETHER_PRESET"] = preset
    if any(os.environ.get(name, "").strip() != value for name, value in wanted.items()):
        command = [sys.executable, "-m", "bellwether", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | wanted)  # noqa: S606 - this very program, with its arguments


def _print_summary(marker: Marker) -> None:
    summary = marker.summary or {}
    plan = marker.plan
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, count in summary["counts"].items():
        table.add_row(name, f"{count:,}")
    console.print(f"\n[bold]{WORKSPACE}[/bold], {plan.days} days up to {plan.today}, seed {plan.seed}, {plan.preset}")
    console.print(table)
    bands = summary["bands"]
    named = [name for name in BANDS if name in bands]
    console.print("Health: " + ", ".join(f"{bands[name]} {name.lower().replace('_', ' ')}" for name in named))
    seconds = summary["seconds"]
    console.print("Took " + ", ".join(f"{name} {took:.1f} s" for name, took in seconds.items()))
    console.print(f"Data: {settings.HOME}   Planted truth: {settings.HOME / 'demo' / 'truth.parquet'}", soft_wrap=True)
    logins = Table("Sign in as", "Name", "Role", box=None, pad_edge=False)
    for member in default_logins(make_staff(plan)):
        logins.add_row(member.email, f"{member.first_name} {member.last_name}", member.role)
    console.print(logins)
    console.print(f"Password of all: [bold]{PASSWORD}[/bold]   (this demo only; no write key or API token was made)")
    total = sum(seconds.values())
    console.print(f"Ready: {plan.clients} clients, {summary['counts']['events']:,} events, made in {total:.0f} s.")
