"""Every figure says what it means."""

import re

import pytest
from django.test import Client as Session
from django.urls import reverse

from bellwether.web.glossary import BY_LABEL, GROUPS, term_of
from tests.conftest import Clients, Staff

TERMS = [term for group in GROUPS for term in group.terms]


class TestTerms:
    def test_are_found_by_any_of_their_labels(self) -> None:
        assert term_of("arr at risk") is term_of("ARR at risk")
        assert term_of("Contacted") is term_of("Last contact")
        assert term_of("no such figure") is None

    def test_have_one_meaning_each(self) -> None:
        labels = [label.lower() for term in TERMS for label in (term.name, *term.labels)]
        assert len(labels) == len(set(labels)) == len(BY_LABEL)
        assert len({term.key for term in TERMS}) == len(TERMS)


@pytest.fixture
def vera(staff: Staff, clients: Clients) -> Session:
    session = Session()
    session.force_login(staff.vera)
    return session


FIGURE = re.compile(r'<(?:div|a) class="kpi.*?(?=<(?:div|a) class="kpi|</section>)', re.S)


class TestPages:
    def test_help_has_every_term(self, vera: Session) -> None:
        page = vera.get(reverse("help")).content.decode()
        assert all(f'id="{term.key}"' in page for term in TERMS)

    def test_one_term_is_fetched_for_its_figure(self, vera: Session) -> None:
        assert "sum of ARR" in vera.get(reverse("help_term", args=["arr-at-risk"])).content.decode()
        assert vera.get(reverse("help_term", args=["nothing"])).status_code == 404

    @pytest.mark.parametrize("name", ["portfolio", "client"])
    def test_every_key_figure_explains_itself(self, vera: Session, clients: Clients, name: str) -> None:
        path = reverse(name, args=[clients.fading.pk] if name == "client" else [])
        figures = FIGURE.findall(vera.get(path).content.decode())
        assert len(figures) >= 4
        assert [one[:200] for one in figures if "popovertarget=" not in one and "/help/" not in one] == []
