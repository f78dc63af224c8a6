"""Addresses of the pages that staff read."""

from django.urls import path

from bellwether.dashboard import client_page, portfolio_page

urlpatterns = [
    path("", portfolio_page.portfolio, name="portfolio"),
    path("clients.csv", portfolio_page.export, name="portfolio_export"),
    path("clients/<uuid:client_id>/", client_page.client, name="client"),
    path("clients/<uuid:client_id>/contacts/reveal/", client_page.reveal_contacts, name="client_reveal"),
    path("clients/<uuid:client_id>/refresh/", client_page.refresh_score, name="client_refresh"),
    path("clients/<uuid:client_id>/refresh/<uuid:run_id>/", client_page.refresh_state, name="client_refresh_state"),
]
