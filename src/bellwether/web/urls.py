"""Addresses of the frame: appearance, and in development the page of parts."""

from django.conf import settings
from django.urls import path

from bellwether.web import pages

urlpatterns = [path("appearance/", pages.appearance, name="appearance")]
if settings.DEBUG:
    urlpatterns.append(path("parts/", pages.parts, name="parts"))
