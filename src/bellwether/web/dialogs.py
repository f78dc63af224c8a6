"""Forms that open over the page: a dialog where there is JavaScript, else a page of their own with the same form."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

TARGET = "dialog"
UNDO = "undo:"


def in_dialog(request: HttpRequest) -> bool:
    """Return whether the answer goes into the open dialog."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and htmx.target == TARGET


def show_form(request: HttpRequest, template: str, values: Mapping[str, Any], *, invalid: bool = False) -> HttpResponse:
    """Return the form of `template`, which extends `dialog_layout.html`; 422 when what was sent cannot be used.

    The template finds `in_dialog`, and `next`: where the reader goes afterwards.
    """
    context = {"in_dialog": in_dialog(request), "next": next_address(request, ""), **values}
    response = render(request, template, context, status=422 if invalid else 200)
    patch_vary_headers(response, ["HX-Request", "HX-Target", "Cookie"])
    patch_cache_control(response, private=True, no_store=True)
    return response


def done(request: HttpRequest, address: str, text: str, *, undo: object = None, failed: bool = False) -> HttpResponse:
    """Say `text` on the next page and go there: to the posted `next` if it is one of ours, else to `address`.

    With `undo`, the id of a portfolio.changes Change, the sentence carries a button that takes it back.
    """
    say = messages.error if failed else messages.success
    say(request, text, extra_tags=f"{UNDO}{undo}" if undo else "")
    target = next_address(request, address)
    if not getattr(request, "htmx", None):
        return redirect(target)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = target
    return response


def next_address(request: HttpRequest, otherwise: str) -> str:
    """Return the address in `next`, or `otherwise` where there is none or it leads elsewhere."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return otherwise
