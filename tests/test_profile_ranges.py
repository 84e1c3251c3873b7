"""What a ledger says of removed seqs, and that asking it takes no longer the more was removed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from vault.chat.profile import Profile, Ranges, add_to, count_in


class _Counted(tuple[tuple[int, int], ...]):  # noqa: SLOT001 (it counts)
    """Ranges that count how often one is looked at."""

    looks = 0

    def __getitem__(self, at: int) -> tuple[int, int]:  # type: ignore[override]
        self.looks += 1
        return super().__getitem__(at)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for one in super().__iter__():
            self.looks += 1
            yield one


@pytest.mark.parametrize("seed", range(30))
def test_seqs_are_counted_as_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    removed = set(chance.sample(range(60), chance.randint(0, 50)))
    ranges = add_to((), removed)
    for start in range(-1, 62):
        assert Profile("", hidden=ranges).hides(start) == (start in removed)
        for stop in range(start, 62):
            assert count_in(ranges, start, stop) == len(removed & set(range(start, stop)))


def test_a_gap_is_explained_without_a_look_at_all_the_others() -> None:
    every: Ranges = tuple((seq, seq) for seq in range(0, 4_000, 2))
    ranges = _Counted(every)
    profile = Profile("", purged=ranges)
    for seq in range(1_000, 1_200, 2):
        assert profile.explains(seq, seq + 1)
        assert not profile.explains(seq, seq + 2)
    assert ranges.looks <= 200 * 20
