"""What is in a root file: one small JSON document, plain or sealed under a passphrase. No I/O.

Below it stand lines of what was added since, see `file_lines`.

{"format": "transcript-vault root", "version": 1, "vault": hex, "holder": hex, "serial": n,
 "generations": [{"id": hex, "ordinal": n, "key": base64, "phase": …, "erased": […], …}, …],
 "holds": [{"id": base64, "kind": …, "user_node": base64, "until": n, "record": …, …}, …]}

"holds" is left out where there are none.

{"format": "transcript-vault sealed root", "version": 1, "kdf": {…}, "sealed": base64}
"""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Collection
from typing import Annotated, Literal

import msgspec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Meta, Struct
from msgspec.structs import replace

from vault.crypto.envelope import KEY_BYTES, Cipher, bind
from vault.errors import RootUnavailableError, TamperedError, UsageError, WrongKeyError
from vault.roots import Erased, Generation, Noted, Phase, RootState

Hex = Annotated[str, Meta(pattern=r"^(?:[0-9a-f]{2})*\Z")]
Count = Annotated[int, Meta(ge=0, le=2**62)]
Key = Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]

_LIFE = {Phase.RETIRED: 0, Phase.CURRENT: 1, Phase.STAGED: 2}


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """A generation together with its key."""

    id: Hex
    ordinal: Count
    key: Key
    phase: Phase
    created_at: int
    retired_at: int | None
    erased: tuple[Erased, ...]

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"<{self.phase} root generation {self.ordinal}>"

    def without_key(self) -> Generation:
        """Give what may leave the root."""
        return Generation(
            id=bytes.fromhex(self.id),
            ordinal=self.ordinal,
            phase=self.phase,
            created_at=self.created_at,
            retired_at=self.retired_at,
            erased=self.erased,
        )


class Document(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="format",
    tag="transcript-vault root",
):
    """A root at one serial: retired generations, then the current one, then a staged one, by ordinal."""

    version: Literal[1]
    vault: Hex
    holder: Hex
    serial: Count
    generations: tuple[Held, ...]
    holds: tuple[Noted, ...] = ()

    def check(self) -> None:
        """Refuse, with a ValueError, what no sequence of changes can lead to."""
        ordinal, life, current = -1, _LIFE[Phase.RETIRED], 0
        for one in self.generations:  # in one go: there may be thousands
            before, life = life, _LIFE[one.phase]
            is_retired = one.phase is Phase.RETIRED
            if one.ordinal <= ordinal or life < before or (one.retired_at is not None) != is_retired:
                raise ValueError("generations that do not follow from each other")
            ordinal = one.ordinal
            current += one.phase is Phase.CURRENT
        if (
            current != 1
            or len({one.id for one in self.generations}) != len(self.generations)
            or len({one.id for one in self.holds}) != len(self.holds)
        ):
            raise ValueError("generations or holds that are not there once")

    @property
    def current(self) -> Held:
        """The generation that the tree hangs from."""
        return next(one for one in reversed(self.generations) if one.phase is Phase.CURRENT)

    @property
    def rank(self) -> tuple[int, int]:
        """Order the mirrors of a root by age.

        Within one history the serial would do. The ordinal comes first for a mirror that was away: failed
        attempts may have raised its serial, but only a finished swap raises the ordinal of the current one.
        """
        return self.current.ordinal, self.serial

    def state(self, before: tuple[Document, RootState] | None = None) -> RootState:
        """Give all but the keys; of what an earlier document held already, what was given then."""
        known: dict[int, Generation] = {}
        if before is not None:
            known = dict(zip(map(id, before[0].generations), before[1].generations, strict=True))
        bare = zip(self.generations, map(known.get, map(id, self.generations)), strict=True)
        return RootState(
            vault=bytes.fromhex(self.vault),
            holder=bytes.fromhex(self.holder),
            generations=tuple(given or held.without_key() for held, given in bare),
            holds=self.holds,
        )

    def settled(self, generation: bytes | None) -> Document:
        """Make current what a finished swap left staged; its predecessor retired when it was staged."""
        last = self.generations[-1]
        if generation is None or last.phase is not Phase.STAGED or last.id != generation.hex():
            return self
        return self.promote(last.id, last.created_at)

    def stage(self, new: Held) -> Document:
        """Add a staged generation in place of any other staged one."""
        count = len(self.generations)
        while self.generations[count - 1].phase is Phase.STAGED:  # they come last, and one is current
            count -= 1
        if new.ordinal <= self.generations[count - 1].ordinal:
            raise UsageError("a new root generation must have a higher ordinal than those before it")
        return replace(self, generations=(*self.generations[:count], new))

    def promote(self, generation: str, at: int) -> Document:
        """Make the staged generation the current one."""
        target = next((one for one in reversed(self.generations) if one.id == generation), None)
        if target is None:
            raise RootUnavailableError("the root does not hold the generation that is to become current")
        if target.phase is Phase.RETIRED:
            raise UsageError("a retired root generation can't become current again")
        if target.phase is Phase.CURRENT:
            return self
        every = list(self.generations)
        for place in reversed(range(len(every))):  # those that may change come last, of maybe thousands
            if every[place] is target:
                every[place] = replace(target, phase=Phase.CURRENT)
            elif every[place].phase is Phase.CURRENT:
                every[place] = replace(every[place], phase=Phase.RETIRED, retired_at=at)
                break
        return replace(self, generations=tuple(every))

    def note(self, noted: Noted, dropping: Collection[bytes]) -> Document:
        """Put a hold in the place of what was known of it; drop others."""
        kept = (one for one in self.holds if one.id != noted.id and one.id not in dropping)
        return replace(self, holds=(*kept, noted))

    def destroy(self, generations: frozenset[str]) -> Document:
        """Take retired generations out, and of the journal what nobody can need any more.

        A keyring of generation n replays what was erased after n. So an entry is kept as long as an older
        generation is, if need be with the next younger one; where none is older it can go.
        """
        kept: list[Held] = []
        carried: tuple[Erased, ...] = ()
        for one in self.generations:
            needed = (*carried, *one.erased) if kept else ()
            if one.id not in generations:
                kept.append(replace(one, erased=needed))
                carried = ()
            elif one.phase is Phase.RETIRED:
                carried = needed
            else:
                raise UsageError(f"a {one.phase} root generation can't be destroyed, only a retired one")
        return replace(self, generations=tuple(kept))


class Kdf(Struct, frozen=True, forbid_unknown_fields=True):
    """How a passphrase becomes a key: Argon2id. The bounds keep a forged file from taking all memory."""

    memory_kib: Annotated[int, Meta(ge=1024, le=256 * 1024)]
    passes: Annotated[int, Meta(ge=1, le=16)]
    lanes: Annotated[int, Meta(ge=1, le=16)]
    salt: Annotated[bytes, Meta(min_length=16, max_length=64)]

    @classmethod
    def fresh(cls) -> Kdf:
        """Choose a salt, and what takes about a tenth of a second."""
        return cls(memory_kib=64 * 1024, passes=3, lanes=4, salt=os.urandom(16))

    @property
    def aad(self) -> bytes:
        """What a sealed document is bound to."""
        numbers = f"{self.memory_kib},{self.passes},{self.lanes}".encode()
        return bind(b"transcript-vault sealed root", b"1", b"argon2id", numbers, self.salt)

    def derive(self, passphrase: str) -> Cipher:
        """Turn the passphrase into its key. Slow on purpose."""
        kdf = Argon2id(
            salt=self.salt,
            length=KEY_BYTES,
            iterations=self.passes,
            lanes=self.lanes,
            memory_cost=self.memory_kib,
        )
        # The same letters must open the file from every keyboard, so: one normal form.
        return Cipher(kdf.derive(unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")))


class Sealed(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="format", tag="transcript-vault sealed root"
):
    """A document under a passphrase."""

    version: Literal[1]
    kdf: Kdf
    sealed: bytes

    def open(self, cipher: Cipher, where: str) -> Document:
        """Decrypt with the passphrase's key."""
        try:
            plain = cipher.open(self.sealed, self.kdf.aad)
        except TamperedError:
            raise WrongKeyError(
                f"the root at {where} does not open with this passphrase, or was changed",
                hint="give the passphrase it was made with, or restore the file from a copy",
            ) from None
        document = decode(plain, where)
        if not isinstance(document, Document):
            raise damaged(where)
        return document


_decoder: msgspec.json.Decoder[Document | Sealed] = msgspec.json.Decoder(Document | Sealed)


def encode(document: Document, kdf: Kdf | None, cipher: Cipher | None) -> bytes:
    """Write a document: plain, or sealed with the cipher that `kdf` gave."""
    plain = msgspec.json.encode(document)
    if kdf is None or cipher is None:
        return plain
    return msgspec.json.encode(Sealed(version=1, kdf=kdf, sealed=cipher.seal(plain, kdf.aad)))


def decode(data: bytes, where: str) -> Document | Sealed:
    """Read a document; `where` names it in errors."""
    found: Document | Sealed | None = None
    with contextlib.suppress(msgspec.MsgspecError, ValueError, RecursionError):
        read = _decoder.decode(data)
        if isinstance(read, Document):
            read.check()
        found = read
    # Raised out here, as an error of the decoder can carry a piece of the document.
    if found is None:
        raise damaged(where)
    return found


def damaged(where: str) -> RootUnavailableError:
    """Say that a root can't be read."""
    return RootUnavailableError(
        f"the root at {where} is damaged, or no root file that this release knows",
        hint="move it away and restore it from a mirror or a copy",
    )
