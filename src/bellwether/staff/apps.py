from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "bellwether.staff"
    label = "staff"
