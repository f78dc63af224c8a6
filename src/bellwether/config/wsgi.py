"""The WSGI entry: Django behind the intake, on one port."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
application = get_wsgi_application()
