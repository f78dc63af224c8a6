"""Trying out a scorecard through the staff API. Nothing is saved; anybody may, over the clients that they see."""

from uuid import UUID

from django.http import Http404
from django.utils import timezone
from ninja import Query, Router

from bellwether.common.errors import InvalidInputError
from bellwether.common.paging import pagination
from bellwether.health.config_scopes import scope_of
from bellwether.health.models import HealthScoreConfig
from bellwether.health.simulation import Effect, changed_only
from bellwether.health.simulation_schemas import (
    SimulatedBands,
    SimulatedChange,
    SimulatedMove,
    SimulatedSide,
    SimulateIn,
    SimulateOut,
    SimulateQuery,
)
from bellwether.health.simulations import effect_of, make_draft
from bellwether.portfolio.selectors import visible_client
from bellwether.staff.api_auth import StaffRequest
from bellwether.staff.audit import record

router = Router(tags=["configuration"])


@router.post(
    "/config/health-score/{config_id}/simulate",
    response=SimulateOut,
    operation_id="simulateHealthScore",
    summary="Try out weights, thresholds or a whole scorecard",
)
def simulate(request: StaffRequest, config_id: UUID, given: SimulateIn, query: Query[SimulateQuery]) -> SimulateOut:
    """Return what the configuration with these changes would do today, in the scope of the configuration.

    Bringing it into force gives every client exactly this score, until new data come in.
    """
    now = timezone.now()
    config = HealthScoreConfig.objects.filter(pk=config_id).first()
    if config is None:
        raise Http404
    if config.applies_to_client_id is not None:
        visible_client(request.user, config.applies_to_client_id)
    base = config.definition if given.definition is None else given.definition | {"name": config.scorecard}
    if not isinstance(base.get("components"), list):
        raise InvalidInputError("The definition cannot be used.", {"definition.components": "is a list of components."})
    draft = make_draft(base, scope_of(config), weights=given.weights, thresholds=given.thresholds)
    effect = effect_of(draft, config.scorecard, request.user, now=now)
    rows = changed_only(effect.changes) if query.changed else effect.changes
    start = (query.page - 1) * query.limit
    page = rows.slice(start, query.limit)
    detail = {"weights": draft.card.weights, "count": effect.clients}
    record(
        actor=request.user, action="config.simulate", object_type="config", object_id=config_id, detail=detail, now=now
    )
    return SimulateOut(
        config_id=config_id,
        day=effect.day,
        clients=effect.clients,
        touched=effect.touched,
        changed=effect.changed,
        worse=effect.worse,
        better=effect.better,
        lost=effect.lost,
        gained=effect.gained,
        now=_side(effect, "now"),
        draft=_side(effect, "draft"),
        moves=[
            SimulatedMove(from_status=move.before, to_status=move.after, clients=move.clients, arr=move.arr)
            for move in effect.moves
        ],
        data=[
            SimulatedChange(**(row | {"annual_recurring_revenue": row["arr"]})) for row in page.iter_rows(named=True)
        ],
        pagination=pagination(page=query.page, limit=query.limit, total=rows.height),
    )


def _side(effect: Effect, side: str) -> SimulatedSide:
    return SimulatedSide(
        average=getattr(effect, f"average_{side}"),
        distribution=SimulatedBands(**getattr(effect, side)),
        arr_at_risk=getattr(effect, f"arr_at_risk_{side}"),
    )
