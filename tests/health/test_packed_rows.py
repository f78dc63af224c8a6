"""Packed rows come out as they went in, client by client, in a few bytes each."""

from collections.abc import Sequence
from datetime import date

import polars as pl
from polars.testing import assert_frame_equal

from bellwether.health.packed_rows import PackedRows, Packer

SCHEMA = {
    "organization_id": pl.String,
    "date": pl.Date,
    "event": pl.String,
    "is_service": pl.Boolean,
    "events": pl.Int64,
}
NAMED = ["event", "is_service"]


def frame(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


FIRST = frame(
    ("p", date(2026, 1, 2), "Closed", False, 5),
    ("o", date(2026, 1, 1), None, True, 70_000),
    ("p", date(2026, 1, 3), "Closed", False, 1),
)
LATER = frame(("o", date(2026, 2, 1), "Opened", False, 2), ("q", date(2026, 2, 2), None, True, -3))


def packed(*frames: pl.DataFrame, named: Sequence[str] = NAMED) -> PackedRows:
    packer = Packer(dict(frames[0].schema), named)
    for one in frames:
        packer.add(one)
    return packer.packed()


def test_gives_the_rows_of_one_client() -> None:
    rows = packed(FIRST, LATER)
    assert_frame_equal(rows.of(["o"]), frame(FIRST.row(1), LATER.row(0)))
    assert_frame_equal(rows.of(["p"]), frame(FIRST.row(0), FIRST.row(2)))


def test_gives_several_clients_and_all_of_them() -> None:
    rows = packed(FIRST, LATER)
    assert_frame_equal(rows.of(["q", "p"]), frame(LATER.row(1), FIRST.row(0), FIRST.row(2)))
    assert_frame_equal(rows.of(), pl.concat([FIRST, LATER]), check_row_order=False)


def test_knows_nothing_of_clients_without_rows() -> None:
    assert_frame_equal(packed(FIRST).of(["nobody"]), frame())
    assert_frame_equal(packed(FIRST.clear()).of(), frame())


def test_packs_rows_without_names() -> None:
    plain = FIRST.select("organization_id", "date")
    assert_frame_equal(packed(plain, named=[]).of(["o"]), plain[1:2])


def test_takes_a_few_bytes_a_row() -> None:
    many = pl.concat([FIRST] * 1_000)
    assert packed(many).rows.estimated_size() <= 9 * many.height
