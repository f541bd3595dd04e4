"""Who is fenced rests and claims again; who is fenced again and again ends."""

from bus.fences import MOST, REST, WITHIN, Fences


def test_a_fence_is_borne_and_the_owner_left_alone_for_a_moment() -> None:
    time = [0.0]
    fences = Fences(lambda: time[0])
    assert [fences.resting, fences.borne(), fences.resting] == [False, True, True]
    time[0] += REST
    assert not fences.resting


def test_too_many_in_a_minute_are_not_borne_but_as_many_over_hours_are() -> None:
    time = [0.0]
    fences = Fences(lambda: time[0])
    assert [fences.borne() for _ in range(MOST + 1)] == [True] * MOST + [False]
    for _ in range(20):
        time[0] += WITHIN / MOST + 1
        assert fences.borne() == (time[0] > WITHIN)
