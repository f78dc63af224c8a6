"""A real browser against a live server with the cast and its scores. Skipped only where there is no Chromium."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import caches
from django.test import Client as Session
from django.utils import timezone

from bellwether.staff.models import StaffUser
from tests.conftest import Clients
from tests.dashboard.portfolio_cast import give_scores

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = (390, 844), (1440, 1000)
PATIENCE_MS = 15_000
"""How long a page is waited for: other tests keep the machine busy meanwhile."""
Opener = Callable[..., Any]
TWICE = """[...document.querySelectorAll("body [id]")].map((one) => one.id)
  .filter((id, at, all) => all.indexOf(id) !== at)"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here, so that `-m "not browser"` leaves it out, and let a test that fails try once more.

    A browser on a busy machine may be late for reasons that are not ours; what fails twice is a fault. The summary of
    the run names every test that needed its second try.
    """
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, started once."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium on this machine: install the package chromium to run the browser tests.")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)

    # The browser's driver runs an event loop in this thread; the tests use the database from it on purpose.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            yield browser
            browser.close()
    finally:
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def scored(chromium: Any, transactional_db: None, clients: Clients) -> Clients:
    """The cast's clients with scores as of today."""
    caches["memory"].clear()
    now = timezone.now()
    give_scores(clients, now.date(), now)
    return clients


@pytest.fixture
def open_page(chromium: Any, live_server: Any) -> Iterator[Opener]:
    """Return a function that opens a page of the product: `open_page("/", user=staff.ada, size=PHONE, scheme="dark")`.

    With `user` somebody is signed in. Afterwards no page may have complained in its console or thrown an error, except
    about what the test has put into `page.expected`.
    """
    contexts, complaints = [], []

    def open_one(
        path: str,
        *,
        user: StaffUser | None = None,
        size: tuple[int, int] = DESK,
        scheme: str = "light",
        js: bool = True,
    ) -> Any:
        context = chromium.new_context(
            base_url=live_server.url,
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=js,
        )
        contexts.append(context)
        if user is not None:
            session = Session()
            session.force_login(user)
            value = session.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.expected = ""
        page.on("console", lambda message: _note(page, complaints, message))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _note(page: Any, complaints: list[str], message: Any) -> None:
    if message.type in {"error", "warning"} and not (page.expected and page.expected in message.text):
        complaints.append(f"{page.url}: {message.text}")


@pytest.fixture
def no_violations() -> Callable[[Any], None]:
    """Return a check that axe has nothing to say of a page (WCAG 2.2 A and AA), and that no id is there twice.

    Of two elements with one id a link, a label or a swap would always find the first.
    """
    from axe_playwright_python.sync_playwright import Axe

    def check(page: Any) -> None:
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = Axe().run(page, options={"runOnly": tags}).response["violations"]
        told = [(v["id"], v["help"], [node["target"] for node in v["nodes"]][:4]) for v in found]
        assert told == []
        assert page.evaluate(TWICE) == []

    return check


def width(page: Any) -> int:
    """Return how wide the document is: more than the window means that it scrolls sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth"))
