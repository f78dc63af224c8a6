"""Where every page and interface lives."""

from django.urls import include, path

from bellwether.api import operations
from bellwether.api.api import api

urlpatterns = [
    path("api/", api.urls),
    path("healthz", operations.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.metrics, name="metrics"),
    path("", include("bellwether.web.urls")),
    path("", include("bellwether.dashboard.urls")),
    path("accounts/", include("bellwether.staff.urls")),
]
