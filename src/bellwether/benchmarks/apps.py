from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    name = "bellwether.benchmarks"
    label = "benchmarks"

    def ready(self) -> None:
        """Decide on the groups that the pages and endpoints of health compare with."""
        from bellwether.benchmarks.published import counted
        from bellwether.health.published_groups import decide_with

        decide_with(counted)
