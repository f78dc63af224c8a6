"""What playbooks have done so far: the results that pages and the API show. A fixed number of queries.

Results are of all clients of the workspace, for every reader: an effect can be told of many clients only. Roles that do
not see all clients get no outcomes of fewer than five clients (figures.shown_to_some, docs/adr/0043).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Avg, Count, Q

from bellwether.common.time import day_of
from bellwether.playbooks.choices import Arm, EnrolmentState, PlaybookState
from bellwether.playbooks.definition import Definition, Outcome
from bellwether.playbooks.definition_reading import definition_from_data
from bellwether.playbooks.figures import Enrolled, Figures, State, figures, shown_to_some
from bellwether.playbooks.models import Enrolment, Intervention, Playbook, PlaybookVersion
from bellwether.playbooks.outcome_kinds import COUNTING, Counting
from bellwether.playbooks.uplift import Estimate
from bellwether.playbooks.wording import outcome_words
from bellwether.playbooks.worth import Value, ranked, together, value_of
from bellwether.staff.models import StaffUser

LOGGED_TIMES = 20
"""Clients with a logged duration that it takes to go by logged time instead of the declared one."""
FIELDS = (
    "playbook_id", "version_id", "client_id", "arm", "state", "enrolled_at", "enrolled_by_id", "baseline",
    "outcome_value", "outcome_known_at", "outcome_detail",
)  # fmt: skip


@dataclass(frozen=True)
class VersionResult:
    """One version: its figures alone. `counts`: whether it is part of the playbook's figures."""

    version: PlaybookVersion
    definition: Definition
    figures: Figures
    counts: bool


@dataclass(frozen=True)
class Result:
    """A playbook's result: the figures of all versions that measure the same as the one in force, with the same
    hold-out. `value` is what it brings; `minutes` of a CSM a client, `minutes_logged` whether from logged times.

    Shares and uplifts of binary outcomes are 0-1, others points of score. `rank` is the place by value an hour among
    the playbooks listed with it, from 1; None without a measured value.
    """

    playbook: Playbook
    definition: Definition
    outcome: str
    counting: Counting
    figures: Figures
    versions: tuple[VersionResult, ...]
    value: Value
    minutes: float
    minutes_logged: bool
    saved_reason: str
    rank: int | None = None

    @property
    def saved(self) -> Estimate | None:
        """The ARR that was saved, with its range; `saved_reason` says why there is none."""
        return self.figures.saved


@dataclass(frozen=True)
class Summary:
    """All results together. `saved` adds up every playbook with a measured effect on churn or renewal, those too that
    did badly; `words` counts playbooks by their evidence."""

    running: int
    playbooks: int
    runs: int
    saved: Estimate | None
    words: Mapping[str, int]


def results(user: StaffUser, *, archived: bool = False) -> list[Result]:
    """Return the result of each playbook that has a version, in the order of their names, with their ranks."""
    rows = Playbook.objects.filter(version__isnull=False).select_related("version", "owner").order_by("name", "pk")
    if not archived:
        rows = rows.exclude(state=PlaybookState.ARCHIVED)
    found = _results(list(rows), user)
    order = ranked([one.value for one in found])
    places = {place: rank for rank, place in enumerate(order, 1) if found[place].value.total is not None}
    return [replace(one, rank=places.get(place)) for place, one in enumerate(found)]


def result_of(playbook: Playbook, user: StaffUser) -> Result:
    """Return the result of one playbook that has a version, without a rank."""
    return _results([playbook], user)[0]


def summary(found: Sequence[Result]) -> Summary:
    """Return what `found` come to together."""
    words: dict[str, int] = defaultdict(int)
    for one in found:
        words[one.figures.evidence.word] += 1
    return Summary(
        running=sum(one.playbook.state == PlaybookState.RUNNING for one in found),
        playbooks=len(found),
        runs=sum(version.figures.enrolled for one in found for version in one.versions),
        saved=together([one.saved for one in found if one.saved]),
        words=dict(words),
    )


def _results(playbooks: Sequence[Playbook], user: StaffUser) -> list[Result]:
    ids = [one.pk for one in playbooks]
    versions: dict[UUID, list[PlaybookVersion]] = defaultdict(list)
    for version in PlaybookVersion.objects.filter(playbook__in=ids).order_by("-number"):
        versions[version.playbook_id].append(version)
    enrolled = _enrolled(ids)
    logged = _logged_minutes(ids)
    return [_result(one, versions[one.pk], enrolled, logged.get(one.pk), user) for one in playbooks]


def _enrolled(playbook_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, Enrolled]]]:
    """Return the enrolments by playbook with their version, in the order in which their windows end."""
    zone = settings.BELLWETHER_WORKSPACE_ZONE
    found: dict[UUID, list[tuple[UUID, Enrolled]]] = defaultdict(list)
    rows = Enrolment.objects.filter(playbook__in=list(playbook_ids)).order_by("outcome_due_on", "enrolled_at", "pk")
    for row in rows.values(*FIELDS).iterator(chunk_size=5_000):
        day = day_of(row["enrolled_at"], zone)
        found[row["playbook_id"]].append((row["version_id"], _counted(row, day)))
    return found


def _counted(row: dict[str, Any], day: date) -> Enrolled:
    state: State = "known" if row["outcome_value"] is not None else "unknown" if row["outcome_detail"] else "waiting"
    arr = (row["baseline"] or {}).get("arr")
    return Enrolled(
        client_id=row["client_id"],
        held_out=row["arm"] == Arm.HELD_OUT,
        enrolled_on=day,
        state=state,
        value=row["outcome_value"],
        arr=None if arr is None else float(arr),
        by_hand=row["enrolled_by_id"] is not None,
        is_active=row["state"] == EnrolmentState.ACTIVE,
    )


def _logged_minutes(playbook_ids: Iterable[UUID]) -> dict[UUID, float]:
    """Return the mean minutes logged for a treated client, of playbooks with enough such clients."""
    rows = (
        Intervention.objects.filter(
            enrolment__playbook__in=list(playbook_ids),
            enrolment__arm=Arm.TREATED,
            activity__completed_at__isnull=False,
            activity__duration_minutes__gt=0,
        )
        .order_by()
        .values("enrolment__playbook_id")
        .annotate(
            clients=Count("enrolment_id", distinct=True),
            times=Count("pk", filter=Q(activity__duration_minutes__gt=0)),
            mean=Avg("activity__duration_minutes"),
        )
    )
    return {
        row["enrolment__playbook_id"]: row["mean"] * row["times"] / row["clients"]
        for row in rows
        if row["clients"] >= LOGGED_TIMES
    }


def _result(
    playbook: Playbook,
    versions: Sequence[PlaybookVersion],
    enrolled: Mapping[UUID, Sequence[tuple[UUID, Enrolled]]],
    logged: float | None,
    user: StaffUser,
) -> Result:
    definitions = {version.pk: definition_from_data(version.definition) for version in versions}
    assert playbook.version_id is not None  # noqa: S101 - callers leave out playbooks without a version
    current = definitions[playbook.version_id]
    counting = COUNTING[current.outcome.kind]
    same = {pk for pk, one in definitions.items() if _measures_the_same(one, current)}
    rows = enrolled.get(playbook.pk, ())

    def made(definition: Definition, chosen: Sequence[Enrolled]) -> Figures:
        found = figures(
            chosen,
            COUNTING[definition.outcome.kind],
            hold_out=definition.hold_out,
            window_days=definition.outcome.days,
        )
        return found if user.sees_all_clients else shown_to_some(found)

    whole = made(current, [row for version, row in rows if version in same])
    parts = tuple(
        VersionResult(
            version,
            definitions[version.pk],
            made(definitions[version.pk], [row for pk, row in rows if pk == version.pk]),
            version.pk in same,
        )
        for version in versions
    )
    minutes = logged if logged is not None else float(current.minutes_per_client)
    value = value_of(
        whole.uplift, whole.saved, treated=whole.treated.known, minutes_per_client=minutes, unit=current.outcome.kind
    )
    return Result(
        playbook=playbook,
        definition=current,
        outcome=outcome_words(current.outcome),
        counting=counting,
        figures=whole,
        versions=parts,
        value=value,
        minutes=minutes,
        minutes_logged=logged is not None,
        saved_reason=_saved_reason(whole, counting),
    )


def _measures_the_same(one: Definition, other: Definition) -> bool:
    def key(definition: Definition) -> tuple[Outcome, int]:
        return definition.outcome, definition.hold_out

    return key(one) == key(other)


def _saved_reason(found: Figures, counting: Counting) -> str:
    if found.saved is not None:
        return ""
    if not counting.saves_arr:
        return "Saved ARR is told of outcomes that are about leaving or renewing."
    if found.uplift is None:
        return "Told once the effect is measured."
    return "The ARR of the treated clients is not known."
