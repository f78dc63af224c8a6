from django.apps import AppConfig


class ChurnConfig(AppConfig):
    name = "bellwether.churn"
    label = "churn"
