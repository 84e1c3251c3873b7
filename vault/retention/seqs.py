"""Which messages go, by their seqs: what the ledger of a session is told (P2)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from vault.chat.profile import Ranges, join
from vault.retention.steps import Steps
from vault.storage import retention as sql
from vault.storage.retention import Group

_ENDLESS = 2**62


def seqs_removed(connection: Connection, steps: Steps) -> Ranges:
    """Give the seqs of the messages that go."""
    gone = [one.group for one in steps.judged if one.body and one.group.messages]
    return _ranges(connection, steps, gone, sorted(steps.delete), originals=False)


def seqs_bared(connection: Connection, steps: Steps) -> Ranges:
    """Give the seqs of the messages that only lose their originals."""
    gone = [one.group for one in steps.judged if one.originals and not one.body]
    chapters = sorted({one.originals_chapter for one in gone if one.originals_chapter is not None})
    return _ranges(connection, steps, gone, chapters, originals=True)


def _ranges(
    connection: Connection, steps: Steps, gone: Sequence[Group], chapters: Sequence[int], *, originals: bool
) -> Ranges:
    if not gone:
        return ()
    first, last = min(one.first for one in gone), max(one.last for one in gone)
    if sum(one.messages for one in gone) == last - first + 1:
        return ((first, last),)
    session = steps.seen.session.id
    seqs = sql.seqs_in(connection, session, chapters, _ENDLESS, originals=originals)
    return join((), ((seq, seq) for seq in seqs))
