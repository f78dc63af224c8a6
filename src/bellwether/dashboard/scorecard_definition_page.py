"""Components, formulas and measures of a scorecard: shown to all, edited into a draft by administrators."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bellwether.common.errors import InvalidInputError
from bellwether.dashboard import scorecard_definition_form as forms
from bellwether.dashboard.client_access import answer
from bellwether.dashboard.scorecard_effect import effect_view
from bellwether.dashboard.scorecard_form import Asked, read_asked
from bellwether.dashboard.scorecard_saving import save_draft
from bellwether.dashboard.scorecard_state import State, state_of
from bellwether.health.custom_registry import known_measures
from bellwether.health.formulas import parse_formula
from bellwether.health.simulation import Effect
from bellwether.health.simulations import effect_of, make_draft
from bellwether.staff.models import StaffUser

NEW_KINDS = (("linear", "From 0 to 100 points between two values"), ("ratio", "Share of another measure"))


@require_http_methods(["GET", "POST"])
@login_required
def definition(request: HttpRequest) -> HttpResponse:
    """Show the components of the draft that the address names; POST tries the form out or saves it as a draft."""
    user, now = cast(StaffUser, request.user), timezone.now()
    posted = request.method == "POST"
    given = QueryDict(request.POST.get("draft", "").removeprefix("?")) if posted else request.GET
    state = state_of(user, read_asked(given.dict()), now=now)  # type: ignore[arg-type]
    base = state.draft.definition if state.draft and not state.scaled else state.base.definition
    as_text = (request.POST if posted else request.GET).get("as") == "text"
    values: dict[str, str] = request.POST.dict() if posted else {}  # type: ignore[assignment]
    shown, effect = base, None
    problems: dict[str, str] = {}
    if posted:
        if values.get("action") == "save" and not user.may_configure:
            raise PermissionDenied("Only administrators save scorecards.")
        shown, problems = _read(base, values, state, as_text=as_text)
        if not problems:
            try:
                draft = make_draft(shown, state.scope)
                effect = effect_of(draft, state.scorecard, user, now=now)
                if values.get("action") == "save":
                    saved = save_draft(draft, state, actor=user, reason="", now=now)
                    messages.success(request, f"Version {saved.version} is saved as a draft. Nothing has changed yet.")
                    return redirect(reverse("scorecard") + Asked(scope=state.scope, config=saved.pk).query())
            except InvalidInputError as error:
                problems = error.errors or {"": str(error)}
    response = answer(
        request,
        "dashboard/scorecard_definition.html",
        _values(state, shown, values, problems, effect, as_text=as_text, query="?" + given.urlencode()),
    )
    response.status_code = 422 if problems else 200
    return response


def _read(
    base: dict[str, Any], values: dict[str, str], state: State, *, as_text: bool
) -> tuple[dict[str, Any], dict[str, str]]:
    if not as_text:
        return forms.read_components(base, values)
    try:
        return forms.read_text(values.get("text", "")) | {"name": state.scorecard}, {}
    except InvalidInputError as error:
        return base, error.errors


def _values(
    state: State,
    shown: dict[str, Any],
    values: dict[str, str],
    problems: dict[str, str],
    effect: Effect | None,
    *,
    as_text: bool,
    query: str,
) -> dict[str, Any]:
    known = known_measures()
    labels = {slug: measure.label for slug, measure in known.items()}
    components = [] if as_text else forms.component_fields(shown)
    words = {}
    for at, component in enumerate(shown["components"] if not as_text else []):
        formula = parse_formula(component["formula"])
        words[f"c{at}"] = formula.words({slug: slug for slug in formula.measures} | labels)
    own = {f"components.{c['key']}": c["label"] for c in shown["components"] if isinstance(c, dict) and "key" in c}
    return {
        "state": state,
        "may_edit": state.user.may_configure,
        "components": components,
        "words": words,
        "values": values,
        "problems": problems,
        "sentences": [_sentence(field, text, own) for field, text in problems.items()],
        "effect": effect_view(effect) if effect else None,
        "as_text": as_text,
        "text": values.get("text") or forms.as_text(shown),
        "measures": sorted(((m.slug, m.label, m.source.value) for m in known.values()), key=lambda one: one[1]),
        "new_kinds": NEW_KINDS,
        "total": sum(float(component.get("weight", 0)) for component in shown["components"]) if not as_text else 100.0,
        "query": "" if query == "?" else query,
        "back_href": reverse("scorecard") + ("" if query == "?" else query),
    }


def _sentence(field: str, text: str, labels: dict[str, str]) -> str:
    """Return a problem as a sentence: "Usage reads the unknown measures logins."."""
    if field == "weights":
        return f"The weights {text}"
    for path, label in labels.items():
        if field == path or field.startswith(f"{path}."):
            return f"{label} {text}"
    return f"{field} {text}" if field == "text" else text[:1].upper() + text[1:] if not field else f"It {text}"
