from django.apps import AppConfig


class PortfolioConfig(AppConfig):
    name = "bellwether.portfolio"
    label = "portfolio"

    def ready(self) -> None:
        from bellwether.portfolio.history import keep_history

        keep_history()
