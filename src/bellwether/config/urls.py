"""Where every page and interface lives."""

from django.urls import include, path

urlpatterns = [
    path("", include("bellwether.web.urls")),
    path("", include("bellwether.dashboard.urls")),
    path("accounts/", include("bellwether.staff.urls")),
]
