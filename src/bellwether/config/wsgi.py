"""The WSGI entry: Django behind the intake, on one port."""

import gc
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bellwether.config.settings")
django_application = get_wsgi_application()

from bellwether.usage.intake import in_front_of  # noqa: E402

PAGES_AT_ONCE = 2
_turn = threading.BoundedSemaphore(PAGES_AT_ONCE)


def pages(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer with Django, a few requests of this process at a time.

    The server has many threads, because intake requests wait together for one commit. Pages compute instead: more of
    them at once than this only take the interpreter from each other, and all of them get slower.
    """
    with _turn:
        return django_application(environ, start_response)


application = in_front_of(pages)

# What is loaded by now stays for the life of the process: without it in the way, and with rarer rounds, looking for
# garbage takes a few milliseconds less of every page.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)
