from datetime import date
from pathlib import Path

import pytest

from bellwether.common.progress import NoProgress
from bellwether.usage import compaction, services
from bellwether.usage.compaction import MANY, compact_days
from bellwether.usage.lake import Lake
from tests.usage.rollup_twin import Event, event, place, refresh, stored, twin

DAY = date(2026, 3, 2)


def many_parts(lake: Lake, number: int = MANY) -> list[Event]:
    """Leave `number` parts of one event each in the lake."""
    made = [event(f"2026-03-02T{n // 60:02d}:{n % 60:02d}", f"user{n % 5}") for n in range(number)]
    for n, one in enumerate(made):
        place(lake, [one], part=f"flush-{n:03d}")
    return made


class TestCompactDays:
    def test_leaves_one_part_with_the_same_events(self, lake: Lake) -> None:
        made = many_parts(lake)
        assert compact_days(lake, [DAY]) == MANY - 1
        assert len(lake.parts_of(DAY)) == 1
        refresh(lake, [DAY])
        assert stored(lake) == twin(made)

    def test_leaves_a_day_with_few_parts_alone(self, lake: Lake) -> None:
        many_parts(lake, MANY - 1)
        assert compact_days(lake, [DAY, date(2026, 3, 3)]) == 0
        assert len(lake.parts_of(DAY)) == MANY - 1

    def test_leaves_large_parts_alone(self, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
        many_parts(lake)
        (smallest, *_) = sorted(size for _, size in lake.parts_of(DAY))
        monkeypatch.setattr(compaction, "SMALL_BYTES", smallest - 1)
        assert compact_days(lake, [DAY]) == 0

    def test_counts_nothing_twice_after_a_crash_before_the_old_parts_went(
        self, lake: Lake, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = many_parts(lake)

        def crash(self: Path, missing_ok: bool = False) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(Path, "unlink", crash)
            with pytest.raises(KeyboardInterrupt):
                compact_days(lake, [DAY])
        assert len(lake.parts_of(DAY)) == MANY + 1
        assert refresh(lake, [DAY]).repeats == MANY
        assert stored(lake) == twin(made)
        compact_days(lake, [DAY])
        assert refresh(lake, [DAY]).events == MANY
        assert stored(lake) == twin(made)

    @pytest.mark.django_db
    def test_happens_before_a_day_is_rolled_up(self, lake: Lake) -> None:
        made = many_parts(lake)
        services.roll_up(lake, [DAY], progress=NoProgress())
        assert len(lake.parts_of(DAY)) == 1
        assert stored(lake) == twin(made)
