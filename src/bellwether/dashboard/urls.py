"""Addresses of the pages that staff read."""

from django.urls import path

from bellwether.dashboard import (
    client_adoption_licences,
    client_adoption_page,
    client_page,
    client_people_page,
    client_usage_page,
    data_actions,
    data_page,
    portfolio_page,
    settings_features_page,
    settings_measures_page,
)

urlpatterns = [
    path("", portfolio_page.portfolio, name="portfolio"),
    path("clients.csv", portfolio_page.export, name="portfolio_export"),
    path("clients/<uuid:client_id>/", client_page.client, name="client"),
    path("data/", data_page.data, name="data"),
    path("data/rejects.csv", data_page.rejects, name="data_rejects"),
    path("data/ignore/", data_actions.ignore, name="data_ignore"),
    path("data/run/", data_actions.run, name="data_run_request"),
    path("data/run/<uuid:run_id>/", data_page.run, name="data_run"),
    path("settings/features/", settings_features_page.features, name="settings_features"),
    path("settings/features.toml", settings_features_page.export, name="settings_features_export"),
    path("settings/features/new/", settings_features_page.feature, name="settings_feature_new"),
    path("settings/features/edit/<slug:key>/", settings_features_page.feature, name="settings_feature"),
    path(
        "settings/features/edit/<slug:key>/<slug:action>/",
        settings_features_page.feature_action,
        name="settings_feature_action",
    ),
    path("settings/measures/", settings_measures_page.measures, name="settings_measures"),
    path("clients/<uuid:client_id>/usage/", client_usage_page.usage, name="client_usage"),
    path("clients/<uuid:client_id>/usage/live/", client_usage_page.live, name="client_usage_live"),
    path("clients/<uuid:client_id>/usage.csv", client_usage_page.export, name="client_usage_export"),
    path("clients/<uuid:client_id>/adoption/", client_adoption_page.adoption, name="client_adoption"),
    path("clients/<uuid:client_id>/adoption.csv", client_adoption_page.export, name="client_adoption_export"),
    path("clients/<uuid:client_id>/licences/", client_adoption_licences.licences, name="client_licences"),
    path("clients/<uuid:client_id>/licences/undo/", client_adoption_licences.undo, name="client_licences_undo"),
    path(
        "clients/<uuid:client_id>/adoption/<slug:feature>/",
        client_adoption_page.adoption,
        name="client_adoption_feature",
    ),
    path("clients/<uuid:client_id>/people/", client_people_page.people, name="client_people"),
    path("clients/<uuid:client_id>/people.csv", client_people_page.export, name="client_people_export"),
    path("clients/<uuid:client_id>/people/does/", client_people_page.activities, name="client_people_activities"),
    path("clients/<uuid:client_id>/people/links/", client_people_page.links, name="client_people_links"),
    path("clients/<uuid:client_id>/people/link/", client_people_page.link, name="client_people_link"),
    path("clients/<uuid:client_id>/people/undo/", client_people_page.undo_link, name="client_people_undo"),
    path("clients/<uuid:client_id>/people/user/<str:user_key>/", client_people_page.person, name="client_person"),
    path("clients/<uuid:client_id>/contacts/reveal/", client_page.reveal_contacts, name="client_reveal"),
    path("clients/<uuid:client_id>/refresh/", client_page.refresh_score, name="client_refresh"),
    path("clients/<uuid:client_id>/refresh/<uuid:run_id>/", client_page.refresh_state, name="client_refresh_state"),
]
