"""Signing in and out, and passwords. An e-mail address is changed by an administrator, so its pages do not exist."""

from typing import Any, NoReturn

from django.http import Http404, HttpRequest
from django.urls import include, path, re_path


def absent(request: HttpRequest, **_: Any) -> NoReturn:
    """Answer 404."""
    raise Http404


urlpatterns = [
    path("email/", absent),
    path("confirm-email/", absent),
    re_path(r"^confirm-email/(?P<key>[-:\w]+)/$", absent),
    path("", include("allauth.account.urls")),
]
