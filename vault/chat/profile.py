"""What is sealed in a session's row: its label, the ledger of removed seqs, the hashes of placeholders.

Without the ledger of what was lawfully removed a gap is a theft (P2). What a hold kept from being removed is
in it too: `hidden` are seqs whose rows are still there, `is_hidden` is set when the app cleared or deleted
the whole session (P5).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from operator import itemgetter

import msgspec

from vault.crypto.envelope import Cipher, bind, derive
from vault.errors import TamperedError

Ranges = tuple[tuple[int, int], ...]  # sorted, and none touches another
_END = itemgetter(1)
_PLACE = 8  # bytes of a place that a ledger remembers: it grows by one for each day of a session


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """Removed seqs as closed ranges: `popped` by the app, `purged` by retention; what redaction remembers.

    Fields are only ever added at the end.
    """

    namespace: str
    popped: Ranges = ()
    purged: Ranges = ()
    placeholders: dict[bytes, tuple[str, int]] = {}
    hidden: Ranges = ()
    is_hidden: bool = False
    bare: Ranges = ()  # messages whose originals were purged before them
    started: int | None = None  # when the session began, once its first messages are purged
    is_closed: bool = False  # somebody asked to forget it, and only a floor keeps it (P5)
    remainder_of: bytes | None = None  # the session in which what a floor keeps here was said
    last: tuple[int, int] | None = None  # its last message, and its last of either kind, once some are erased
    skipped: Ranges = ()  # of those popped, what an export that was imported did not have
    emptied: tuple[bytes, ...] = ()  # the places, cut short, of chapters out of which retention took all

    def emptying(self, places: Iterable[bytes]) -> Profile:
        """Remember chapters out of which all is taken: what stands there later was moved there (P2)."""
        emptied = dict.fromkeys((*self.emptied, *(place[:_PLACE] for place in places)))
        return msgspec.structs.replace(self, emptied=tuple(emptied))

    def check_not_emptied(self, place: bytes | None) -> None:
        """Raise TamperedError for a row of a dead chapter out of which this very ledger knows all taken."""
        if place is not None and place[:_PLACE] in self.emptied:
            raise TamperedError("a row was moved to where retention had taken everything")

    def losing(self, started: int, last: tuple[int, int]) -> Profile:
        """Remember when a session began and was last used, before its messages of those times are erased."""
        return msgspec.structs.replace(
            self,
            started=started if self.started is None else min(self.started, started),
            last=last if self.last is None else (max(self.last[0], last[0]), max(self.last[1], last[1])),
        )

    def purging(self, removed: Ranges) -> Profile:
        """Remember what retention takes: what the app had taken before, and a hold had kept, was popped."""
        if not self.hidden:
            return msgspec.structs.replace(self, purged=join(self.purged, removed))
        own = without(removed, self.hidden)
        popped = join(self.popped, without(removed, own))
        return msgspec.structs.replace(self, popped=popped, purged=join(self.purged, own))

    def explains(self, start: int, stop: int) -> bool:
        """Say whether every seq from start up to, not including, stop was lawfully removed."""
        return count_in(self.popped, start, stop) + count_in(self.purged, start, stop) == stop - start

    def counts(self, rows: int, start: int, stop: int) -> bool:
        """Say whether so many rows from start up to stop are all that is left: none gone, none back."""
        return rows + count_in(self.popped, start, stop) + count_in(self.purged, start, stop) == stop - start

    def hides(self, seq: int) -> bool:
        """Say whether the app removed a message that a hold keeps."""
        return count_in(self.hidden, seq, seq + 1) == 1

    @property
    def hidden_seqs(self) -> list[int]:
        """Give the seqs of the messages that only a hold keeps."""
        every = (seq for first, end in self.hidden for seq in range(first, end + 1))
        return [seq for seq in every if not self.explains(seq, seq + 1)]

    @property
    def removed(self) -> int:
        """Count the messages that were lawfully removed."""
        return sum(end + 1 - first for first, end in (*self.popped, *self.purged))

    @property
    def next_seq(self) -> int:
        """Give the first seq that no removed message had."""
        return 1 + max((end for _, end in (*self.popped, *self.purged)), default=-1)


def count_in(ranges: Ranges, start: int, stop: int) -> int:
    """Count the seqs of some ranges that lie between start and stop; only the ranges there are looked at."""
    counted = 0
    for at in range(bisect_left(ranges, start, key=_END), len(ranges)):
        first, end = ranges[at]
        if first >= stop:
            break
        counted += min(end + 1, stop) - max(first, start)
    return counted


def add_to(ranges: Ranges, seqs: Iterable[int]) -> Ranges:
    """Add seqs to ranges, joining what touches."""
    return join(ranges, ((seq, seq) for seq in seqs))


def join(ranges: Ranges, more: Iterable[tuple[int, int]]) -> Ranges:
    """Add ranges to ranges, joining what touches."""
    joined: list[list[int]] = []
    for first, end in sorted([*ranges, *more]):
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([first, end])
    return tuple((first, end) for first, end in joined)


def without(ranges: Ranges, others: Ranges) -> Ranges:
    """Take ranges out of ranges."""
    for first, end in others:
        parts = (
            part
            for start, stop in ranges
            for part in ((start, min(stop, first - 1)), (max(start, end + 1), stop))
        )
        ranges = tuple((start, stop) for start, stop in parts if start <= stop)
    return ranges


def profile_cipher(key: bytes) -> Cipher:
    """Make what seals the profiles of one session, by the session's key."""
    return Cipher(derive(key, b"profile"))


def seal_profile(profile: Profile, vault: bytes, node: bytes, key: bytes | Cipher, rev: int) -> bytes:
    """Seal a profile for one revision of one session's row."""
    cipher = key if isinstance(key, Cipher) else profile_cipher(key)
    return cipher.seal(msgspec.msgpack.encode(profile), _aad(vault, node, rev))


def open_profile(sealed: bytes, vault: bytes, node: bytes, key: bytes | Cipher, rev: int) -> Profile:
    """Open what `seal_profile` sealed."""
    cipher = key if isinstance(key, Cipher) else profile_cipher(key)
    plain = cipher.open(sealed, _aad(vault, node, rev))
    try:
        return msgspec.msgpack.decode(plain, type=Profile)
    except msgspec.MsgspecError:
        raise TamperedError("a session's profile is of an unknown form") from None


def _aad(vault: bytes, node: bytes, rev: int) -> bytes:
    return bind(b"profile", vault, node, rev.to_bytes(8, "big"))


def seal_name(name: str, vault: bytes, node: bytes, above: bytes, key: bytes) -> bytes:
    """Seal an id of the app's, so that it can be listed and goes with its key."""
    return Cipher(derive(key, b"name")).seal(name.encode(), bind(b"name", vault, node, above))


def open_name(sealed: bytes, vault: bytes, node: bytes, above: bytes, key: bytes) -> str:
    """Open what `seal_name` sealed."""
    return Cipher(derive(key, b"name")).open(sealed, bind(b"name", vault, node, above)).decode()
