from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "bellwether.dashboard"
    label = "dashboard"
