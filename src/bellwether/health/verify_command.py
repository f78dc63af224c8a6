"""`bellwether verify-scores`: checks that stored scores are what their inputs and configuration give."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from django.utils import timezone

from bellwether.health.score_faults import keep_faults
from bellwether.health.verifying import Verified, verify_scores

SHOWN = 20


def verify(
    sample: Annotated[int, typer.Option(min=1, help="How many scores to draw.")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed draws the same scores.")] = 1,
    every: Annotated[bool, typer.Option("--all", help="Check every stored score.")] = False,
    scorecard: Annotated[str, typer.Option(help="Only scores of this scorecard.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make stored scores again from their inputs and configuration, bit for bit; exit 1 where one does not hold."""
    found = verify_scores(sample=None if every else sample, seed=seed, scorecard=scorecard)
    if every and not scorecard:
        keep_faults(found, now=timezone.now())
    typer.echo(_as_json(found) if json_ else _as_text(found))
    if found.faults:
        raise typer.Exit(1)


def _as_json(found: Verified) -> str:
    faults = [asdict(fault) | {"date": fault.date.isoformat()} for fault in found.faults]
    return json.dumps({"checked": found.checked, "without_seal": found.without_seal, "faults": faults}, indent=2)


def _as_text(found: Verified) -> str:
    if not found.checked:
        return "There are no stored scores to check."
    lines = [
        f"{one.client} ({one.organization_id}), {one.scorecard}, {one.date}: {'; '.join(one.faults)}."
        for one in found.faults[:SHOWN]
    ]
    if len(found.faults) > SHOWN:
        lines.append(f"and {len(found.faults) - SHOWN} more; --json shows them all.")
    held = found.checked - len(found.faults)
    lines.append(f"{found.checked} scores checked: {held} hold, {len(found.faults)} do not.")
    if found.without_seal:
        lines.append(f"{found.without_seal} were stored without a seal, before there were seals; they were made again.")
    return "\n".join(lines)
