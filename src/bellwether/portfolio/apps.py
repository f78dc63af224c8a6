from django.apps import AppConfig


class PortfolioConfig(AppConfig):
    name = "bellwether.portfolio"
    label = "portfolio"
