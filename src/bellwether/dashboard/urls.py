"""Addresses of the pages that staff read."""

from django.urls import path

from bellwether.dashboard import client_page, portfolio_page

urlpatterns = [
    path("", portfolio_page.portfolio, name="portfolio"),
    path("clients/<uuid:client_id>/", client_page.client, name="client"),
]
