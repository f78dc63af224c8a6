"""What of an address or number is shown before it is revealed."""

import pytest

from bellwether.portfolio.masking import masked_email, masked_phone


class TestMaskedEmail:
    def test_keeps_the_first_letter_and_the_domain(self) -> None:
        assert masked_email("mara.lindqvist@cobalt.example") == "m•••@cobalt.example"

    def test_says_nothing_about_the_length_of_the_name(self) -> None:
        assert masked_email("m@cobalt.example") == masked_email("mmmmmmmmmm@cobalt.example")

    @pytest.mark.parametrize("address", ["mara", "@cobalt.example", "mara@"])
    def test_hides_what_is_no_address_whole(self, address: str) -> None:
        assert masked_email(address) == "•••"

    def test_leaves_nothing_as_nothing(self) -> None:
        assert masked_email("") == ""


class TestMaskedPhone:
    def test_keeps_the_last_two_digits(self) -> None:
        assert masked_phone("+1 (312) 555-0142") == "••• 42"

    def test_hides_a_short_number_whole(self) -> None:
        assert masked_phone("55 12") == "•••"

    def test_leaves_nothing_as_nothing(self) -> None:
        assert masked_phone("  ") == ""
