"""The WSGI entry: Django behind the intake, on one port."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
django_application = get_wsgi_application()

from bellwether.usage.intake import in_front_of  # noqa: E402

application = in_front_of(django_application)
