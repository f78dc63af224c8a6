"""Addresses of the frame: appearance, and in development the page of parts."""

from django.urls import path

from bellwether.web import pages

urlpatterns = [
    path("help/", pages.help_page, name="help"),
    path("help/<slug:key>/", pages.help_term, name="help_term"),
    path("appearance/", pages.appearance, name="appearance"),
    path("parts/", pages.parts, name="parts"),
]
