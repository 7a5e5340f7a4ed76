"""Stages on one axis: how many at a time, how long in all, and pauses left out but counted."""

from __future__ import annotations

import pytest

from gandetect.analyses.timing.numbers import slots, timeline


def at(second: float) -> str:
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"2026-01-01T{9 + int(hours):02d}:{int(minutes):02d}:{seconds:06.3f}+00:00"


def test_stages_are_counted_while_they_run_and_not_where_they_meet() -> None:
    line = timeline([("data", at(0), 10), ("gans/a", at(10), 50), ("gans/b", at(20), 20)])
    times, numbers = line.at_work()
    assert dict(zip(times, numbers, strict=True)) == {0: 1, 10: 1, 20: 2, 40: 1, 60: 0}
    assert (line.wall, line.total) == (60, 80)
    assert line.kinds == ["data", "gans"]
    assert line.pauses == []


def test_a_pause_of_hours_is_left_out_and_said() -> None:
    line = timeline([("data", at(0), 10), ("gans/a", at(7210), 30), ("gans/b", at(7220), 5)])
    assert line.pauses == [(10, 7200)]
    assert [(one.start, one.end) for one in line.stages] == [(0, 10), (10, 40), (20, 25)]
    assert line.wall == 40


def test_a_short_wait_stays_and_a_long_stage_is_no_pause() -> None:
    line = timeline([("a", at(0), 4000), ("b", at(10), 5), ("c", at(4299), 1)])
    assert line.pauses == []
    assert line.wall == 4300
    assert timeline([("a", at(0), 1), ("b", at(302), 1)]).pauses == [(1, 301)]


def test_the_order_of_the_list_does_not_matter() -> None:
    times = [("gans/a", at(7210), 30), ("data", at(0), 10)]
    assert timeline(times) == timeline(times[::-1])


def test_a_clock_of_another_zone_is_the_same_moment() -> None:
    line = timeline([("a", "2026-01-01T10:00:00+01:00", 5), ("b", at(5), 5)])
    assert [one.start for one in line.stages] == [0, 5]


def test_what_has_no_start_is_left() -> None:
    line = timeline([("a", "", 3), ("b", at(0), 2)])
    assert [one.kind for one in line.stages] == ["b"]
    empty = timeline([])
    assert (empty.wall, empty.total, empty.at_work()) == (0, 0, ([], []))


@pytest.mark.parametrize(("jobs", "expected"), [(2, 2), (0, None), ("2", None), (None, None)])
def test_room_is_what_the_manifest_says(jobs, expected) -> None:
    assert slots({"jobs": jobs}) == expected
