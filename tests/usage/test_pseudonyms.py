"""Pseudonyms: stable, keyed, and the same one by one and all at once."""

import hashlib
import hmac

import polars as pl

from bellwether.usage.pseudonyms import pseudonym, pseudonyms

KEY = b"workspace-key"


class TestPseudonym:
    def test_is_the_first_half_of_an_hmac_sha256(self):
        assert pseudonym("u1", KEY) == hmac.new(KEY, b"u1", hashlib.sha256).hexdigest()[:32]

    def test_differs_by_workspace(self):
        assert pseudonym("u1", KEY) != pseudonym("u1", b"other")


class TestPseudonyms:
    def test_agrees_with_the_one_by_one_function_and_keeps_nulls(self):
        made = pseudonyms(pl.Series(["u1", None, "u2", "u1"]), KEY)
        assert made.to_list() == [pseudonym("u1", KEY), None, pseudonym("u2", KEY), pseudonym("u1", KEY)]

    def test_reads_numbers_as_text(self):
        assert pseudonyms(pl.Series([42]), KEY).to_list() == [pseudonym("42", KEY)]

    def test_of_nothing_is_nothing(self):
        assert pseudonyms(pl.Series([], dtype=pl.String), KEY).to_list() == []
