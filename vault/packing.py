"""What was redacted, made ready to be sealed: encoded and packed, each with the place of its key."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from vault.chat.entries import Entry
from vault.chat.record_hiding import RecordHider
from vault.chat.records import Batch, Beside, Sealing, pack_record
from vault.chat.session import Session
from vault.chat.wrapping import make_parcel
from vault.messages import Message, created_us, encode, encode_originals, pack
from vault.placing import Placing, Spot
from vault.redaction import Redacted


class Packing:
    """Packs messages and records for the policies in force."""

    def __init__(self, placing: Placing, hider: RecordHider, limit: int) -> None:
        self._placing = placing
        self._hide = hider.hide
        self._limit = limit

    def of_batch(
        self,
        redacted: Sequence[Redacted],
        batch: Batch,
        namespace: str,
        now: int,
        session: Session | None = None,
    ) -> tuple[list[Entry], Beside]:
        """Encode what is to be written: the messages first, then what each record said."""
        count = len(batch.given)
        times = [created_us(one.message, now) for one in redacted[:count]]
        spot = self._placing.spot(session, namespace, times, now)
        entries = self._entries(redacted[:count], batch, spot)
        rest = iter(redacted[count:])
        sealings = []
        for put in batch.puts:
            value = put.make([one.message for one in itertools.islice(rest, len(put.said))])
            bare = Message(put.role, None, created_at=put.created_at)
            created_at = created_us(bare, now)
            place, _ = self._placing.places(bare, created_at, spot, refuses=False)
            packed = pack_record(put.key, value, limit=self._limit)
            sealings.append(
                Sealing(put.collection, put.key, packed, created_at, place, put.revision, put.role)
            )
        return entries, Beside(sealings, batch.drops, batch.pointers, batch.basis, hide=self._hide)

    def taken_over(
        self, redacted: Sequence[Redacted], given: Sequence[Message], now: int, session: Session
    ) -> list[Entry]:
        """Encode messages that are taken over from elsewhere; those that are past go at the next run."""
        times = [created_us(one.message, now) for one in redacted]
        spot = self._placing.spot(session, session.profile.namespace, times, now)
        return self._entries(redacted, Batch(given), spot, refuses=False)

    def _entries(
        self, redacted: Sequence[Redacted], batch: Batch, spot: Spot, *, refuses: bool = True
    ) -> list[Entry]:
        mark, limit = batch.key.encode() if batch.key is not None else None, self._limit
        entries = []
        for index, (one, original) in enumerate(zip(redacted, batch.given, strict=True)):
            message, originals, parcel = one.message, None, None
            created_at = spot.times[index]
            place, theirs = self._placing.places(message, created_at, spot, refuses=refuses)
            values = None if theirs is None else one.values
            packed = pack(encode(message, limit=limit, key=mark, has_originals=values is not None))
            if batch.outside is not None:
                kept = values is not None
                parcel = make_parcel(packed, index, batch.outside, message.role, kept=kept)
                packed = parcel.announced
            if values is not None:
                originals = pack(encode_originals(original, values, limit=limit))
            where = None if originals is None else theirs
            entries.append(Entry(packed, message.role, created_at, place, originals, where, parcel))
        return entries
