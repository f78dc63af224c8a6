from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "bellwether.delivery"
    label = "delivery"
