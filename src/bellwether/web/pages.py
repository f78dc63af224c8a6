"""Views of the frame itself."""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from bellwether.web.context import THEMES
from bellwether.web.formatting import STATUSES, Delta, spark
from bellwether.web.glossary import GROUPS

NEXT_THEME = {"": "dark", "dark": "light", "light": ""}
KEPT = timedelta(days=365)


def set_appearance(response: HttpResponse, name: str, value: str) -> None:
    """Keep one choice of appearance in a cookie; an empty value goes back to the reader's system."""
    if value:
        response.set_cookie(name, value, max_age=KEPT, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
    else:
        response.delete_cookie(name, samesite="Lax")


@require_POST
def appearance(request: HttpRequest) -> HttpResponse:
    """Switch theme or rail without JavaScript, then go back to the page. With it, app.js does this in the browser."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        target = settings.LOGIN_REDIRECT_URL
    response = HttpResponseRedirect(target)
    if "theme" in request.POST:
        wanted = request.POST["theme"]
        current = request.COOKIES.get("theme", "")
        set_appearance(response, "theme", wanted if wanted in THEMES else NEXT_THEME.get(current, ""))
    if "rail" in request.POST:
        set_appearance(response, "rail", "" if request.COOKIES.get("rail") == "min" else "min")
    return response


LINE = (62, 61, 63, 60, 58, 59, 55, None, 52, 50, 49, 46, 45, 41)


@require_GET
def parts(request: HttpRequest) -> HttpResponse:
    """Show every part of the interface in all its states. In development only: elsewhere the page does not exist."""
    if not settings.DEBUG:
        raise Http404
    context = {
        "statuses": [*STATUSES, None],
        "deltas": [
            Delta("up", "6", "good"),
            Delta("down", "14", "bad"),
            Delta("flat", "−4"),
            Delta("up", "1", "bad"),
            Delta("up", "12%"),
            None,
        ],
        "line": spark(LINE),
        "wide": spark(LINE, width=120, height=36),
    }
    return render(request, "parts_page.html", context)


@require_GET
@login_required
def help_page(request: HttpRequest) -> HttpResponse:
    """Show what every figure means."""
    return render(request, "help.html", {"groups": GROUPS})


@require_GET
@login_required
def help_term(request: HttpRequest, key: str) -> HttpResponse:
    """Show what one figure means, for the popover beside it."""
    term = next((one for group in GROUPS for one in group.terms if one.key == key), None)
    if term is None:
        raise Http404
    response = render(request, "help_term.html", {"term": term})
    patch_cache_control(response, private=True, max_age=3600)
    return response
