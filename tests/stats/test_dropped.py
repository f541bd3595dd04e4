"""What waits for its turn is not read anew, and what will never come is."""

from bus.port import Partition
from schemas.topics import RESULTS
from services.stats.dropped import Dropped

SLOW, OTHER = Partition(RESULTS.name, 0), Partition(RESULTS.name, 1)


def test_what_waits_behind_others_is_not_lost_however_long_they_take() -> None:
    dropped = Dropped(most=8)
    for _ in range(8):
        assert not dropped.lost(SLOW, folded=10, read=20)
        with dropped.folding():
            assert not dropped.lost(SLOW, folded=10, read=20)


def test_what_has_not_come_when_all_before_it_is_through_is_lost() -> None:
    dropped = Dropped(most=8)
    assert not dropped.lost(SLOW, folded=10, read=20)
    for _ in range(9):
        with dropped.folding():
            pass
    assert dropped.lost(SLOW, folded=10, read=20)
    assert not dropped.lost(SLOW, folded=10, read=20), "it is being read anew"


def test_what_has_not_come_while_nobody_folds_is_lost() -> None:
    dropped = Dropped(most=8)
    assert not dropped.lost(SLOW, folded=10, read=20)
    assert dropped.lost(SLOW, folded=10, read=20)


def test_what_others_fold_now_and_then_keeps_nothing_lost_from_being_seen() -> None:
    dropped = Dropped(most=8)
    assert not dropped.lost(SLOW, folded=10, read=20)
    with dropped.folding():
        pass
    assert not dropped.lost(SLOW, folded=10, read=20)
    assert dropped.lost(SLOW, folded=10, read=20)


def test_what_moves_on_is_not_lost() -> None:
    dropped = Dropped(most=1)
    for folded in range(10, 20):
        assert not dropped.lost(SLOW, folded, read=30)
        for _ in range(5):
            with dropped.folding():
                pass


def test_what_was_read_only_now_is_not_lost_because_it_stood_still_before() -> None:
    dropped = Dropped(most=8)
    assert not dropped.lost(SLOW, folded=10, read=10)
    for _ in range(20):
        with dropped.folding():
            pass
    assert not dropped.lost(SLOW, folded=10, read=11)
    assert not dropped.lost(OTHER, folded=0, read=None)
