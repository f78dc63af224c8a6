"""The drafted mail of a milestone: a workspace's template that fails is told of, not passed over."""

import pytest

from bellwether.milestones.mail import EXAMPLE, draft, shipped
from bellwether.milestones.rules import Kind

pytestmark = pytest.mark.one_database


class TestDraft:
    def test_uses_the_workspaces_own_words(self) -> None:
        mail = draft(Kind.USES, EXAMPLE | {"client": "Cobalt"}, subject="To {{ client }}", text="Well done.")
        assert (mail.subject, mail.text, mail.fault) == ("To Cobalt", "Well done.", "")

    def test_says_which_template_could_not_be_used(self) -> None:
        mail = draft(Kind.USES, EXAMPLE, subject="To {{ nobody }}", text="{{ target / 0 }}")
        assert mail.fault == "The workspace's subject and text could not be used; the draft is the one as shipped."
        assert mail.text == draft(Kind.USES, EXAMPLE).text

    def test_as_shipped_has_no_fault(self) -> None:
        assert shipped(Kind.USES)[1]
        assert draft(Kind.USES, EXAMPLE).fault == ""
