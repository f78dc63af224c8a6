from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "bellwether.webhooks"
    label = "webhooks"
