"""Templates: what they may say, what is refused, and which variable is missing."""

import pytest

from bellwether.common.errors import InvalidInputError
from bellwether.playbooks.rendering import EXAMPLE, LONGEST_TEMPLATE, VARIABLES, check, html_of, names_in, render

pytestmark = pytest.mark.one_database


def test_a_message_is_filled_in() -> None:
    body = "Dear {{ contact.first_name }},\n\n{% if days_to_renewal < 70 %}renewal is near{% endif %}.\n{{ csm.name }}"
    made = render("{{ client.name }}:\n {{ score }}", body, EXAMPLE)
    assert made.subject == "Cobalt Foundry: 58"
    assert made.text == "Dear Mara,\n\nrenewal is near.\nJane Okafor"
    assert made.html == "<p>Dear Mara,</p>\n<p>renewal is near.<br>Jane Okafor</p>"


def test_every_variable_of_the_list_has_an_example() -> None:
    assert names_in(" ".join(f"{{{{ {name} }}}}" for name in VARIABLES)) == tuple(VARIABLES)
    assert render("", " ".join(f"{{{{ {name} }}}}" for name in VARIABLES), EXAMPLE).text


def test_what_people_typed_is_no_html() -> None:
    assert html_of("<script>alert(1)</script> & co") == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; co</p>"


@pytest.mark.parametrize(
    "template",
    [
        "{{ client.__class__ }}",
        "{{ client['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ client.name.upper() }}",
        "{{ client|attr('name') }}",
        "{{ csm|map('x') }}",
        "{% for x in client %}x{% endfor %}",
        "{{ range(9) }}",
        "{{ 'a' * 999999999 }}",
        "{{ 9 ** 99999 }}",
        "{% set x = score %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% macro x() %}{% endmacro %}",
        "{{ cycler }}",
        "{{ lipsum() }}",
        "{{ self }}",
        "{{ nothing }}",
        "{{ client }}",
        "{{ open",
        "{% if %}",
        "x" * (LONGEST_TEMPLATE + 1),
        "{{ client.name ~ score }}",
        "{{ '%9999d' % score }}",
    ],
    ids=[f"template{n}" for n in range(24)],
)
def test_everything_else_is_refused_with_a_reason(template: str) -> None:
    assert check(template)
    with pytest.raises(InvalidInputError) as caught:
        render("", template, EXAMPLE)
    assert "body" in caught.value.errors


def test_a_missing_value_is_named_and_a_default_helps() -> None:
    values = {**EXAMPLE, "contact": {}, "last_login": None}
    with pytest.raises(InvalidInputError) as caught:
        render("Hello {{ contact.first_name }}", "Since {{ last_login }}", values)
    assert caught.value.errors == {
        "subject": "contact.first_name has no value for this client.",
        "body": "last_login has no value for this client.",
    }
    made = render(
        "x", "Dear {{ contact.first_name | default('all') }}{% if last_login is defined %}!{% endif %}", values
    )
    assert made.text == "Dear all"


def test_what_cannot_be_computed_is_told() -> None:
    with pytest.raises(InvalidInputError, match="cannot be computed"):
        render("x", "{{ client.name < 3 }}", EXAMPLE)
    with pytest.raises(InvalidInputError, match="cannot be computed"):
        render("x", "{{ score / 0 }}", EXAMPLE)
