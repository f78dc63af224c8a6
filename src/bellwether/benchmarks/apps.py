from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    name = "bellwether.benchmarks"
    label = "benchmarks"
