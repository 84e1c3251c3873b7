"""Root generations that a rotation retired and whose destruction the log has not told yet (P6, P8).

What an erasure retires stands in its certificate. A rotation has none, so the keyring keeps a fact for each,
written with the swap and taken away with the entry of the destruction: a crash between root and keyring
loses neither. Each is sealed, or whoever may write to the keyring could have a generation destroyed, or have
the log say so of one that never was.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from vault.crypto.envelope import ID_BYTES, bind, derive
from vault.errors import TamperedError
from vault.roots import Generation
from vault.storage import keyring as sql

_FACT = "rotated "
_HASTY, _PATIENT = b"\x01", b"\x00"


@dataclass(frozen=True, slots=True)
class Rotation:
    """A generation that a rotation retired; `now` says not to wait for the horizon."""

    name: str
    generation: bytes
    now: bool


class Rotations:
    """Remembers rotations in the keyring's own facts."""

    def __init__(self, service: Callable[[], bytes]) -> None:
        self._service = service

    def note(self, connection: Connection, retired: Generation, *, now: bool) -> None:
        """Remember a rotation in the transaction of its swap."""
        name, mark = f"{_FACT}{retired.ordinal}", _HASTY if now else _PATIENT
        sql.write_meta(connection, name, retired.id + mark + self._seal(name, retired.id, mark))

    def untold(self, connection: Connection) -> list[Rotation]:
        """Give the rotations whose old generation nobody has told to be gone."""
        facts = sql.read_meta(connection)
        return [self._read(name, value) for name, value in facts.items() if name.startswith(_FACT)]

    def told(self, connection: Connection, rotations: Iterable[Rotation]) -> None:
        """Forget those of whose end the log tells from this transaction on."""
        for one in rotations:
            sql.drop_meta(connection, one.name)

    def _read(self, name: str, value: bytes) -> Rotation:
        generation, mark, seal = value[:ID_BYTES], value[ID_BYTES:][:1], value[ID_BYTES + 1 :]
        if not hmac.compare_digest(seal, self._seal(name, generation, mark)):
            raise TamperedError("the keyring holds a rotation of the root that was not written by this vault")
        return Rotation(name, generation, mark == _HASTY)

    def _seal(self, name: str, generation: bytes, mark: bytes) -> bytes:
        said = bind(name.encode(), generation, mark)
        return hmac.digest(derive(self._service(), b"rotations"), said, "sha256")[:ID_BYTES]
