"""What a root file gained since it was last written whole: a line for each generation that was added.

To add a generation takes no key away, so it needs no new file: one line at the end, made durable, is enough.
A last line without its end was never durable, and nobody was told of it: it is passed over. The lines of a
sealed root are sealed each, under the same key, bound to their places.

    {"serial": n, "promoted": hex or null, "generation": {…}}        {"sealed": base64}
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from vault.crypto.envelope import Cipher, bind
from vault.errors import TamperedError, UsageError, WrongKeyError
from vault.roots import Phase
from vault.roots.file_format import Count, Document, Held, Hex, Kdf, Sealed, damaged, decode

END = b"\n"

Unlock = Callable[[Kdf], Cipher]


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """A generation that was staged, and the one before it that was promoted on the way, if it was."""

    serial: Count
    promoted: Hex | None
    generation: Held

    def after(self, document: Document) -> Document:
        """Give the document as it is from here on."""
        new, known = self.generation, document.generations
        if self.serial != document.serial + 1 or new.phase is not Phase.STAGED or new.retired_at is not None:
            raise UsageError("a line of the root is not one that follows")
        if any(one.id == new.id for one in known):
            raise UsageError("a generation of the root is there twice")
        promoted = None if self.promoted is None else bytes.fromhex(self.promoted)
        staged = document.settled(promoted).stage(new)
        return msgspec.structs.replace(staged, serial=self.serial)


class _SealedLine(Struct, frozen=True, forbid_unknown_fields=True):
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Understood:
    """What a root file says."""

    data: bytes = field(repr=False)  # keys are in it
    document: Document
    kdf: Kdf | None

    @property
    def is_whole(self) -> bool:
        """Say whether a line can follow: nothing at the end was broken off."""
        return self.data.endswith(END)


_lines: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_sealed_lines: msgspec.json.Decoder[_SealedLine] = msgspec.json.Decoder(_SealedLine)


def encode(line: Line, kdf: Kdf | None, cipher: Cipher | None) -> bytes:
    """Write a line: plain, or sealed with the cipher that `kdf` gave."""
    plain = msgspec.json.encode(line)
    if kdf is None or cipher is None:
        return plain + END
    return msgspec.json.encode(_SealedLine(cipher.seal(plain, _place(kdf, line.serial)))) + END


def _has_no_key(_: Kdf) -> Cipher:
    raise WrongKeyError("this root is under a passphrase", hint="give the passphrase")


def understand(
    data: bytes, where: str, unlock: Unlock = _has_no_key, before: Understood | None = None
) -> Understood:
    """Read a root file; `where` names it in errors. What was understood `before` is not read again."""
    if before is not None and before.is_whole and data.startswith(before.data):
        document, kdf, rest = before.document, before.kdf, data[len(before.data) :]
    else:
        first, _, rest = data.partition(END)
        found = decode(first, where)
        kdf = found.kdf if isinstance(found, Sealed) else None
        document = found.open(unlock(found.kdf), where) if isinstance(found, Sealed) else found
    lines = rest.split(END)[:-1]  # behind the last end is nothing, or a line that was broken off
    if lines:
        cipher = None if kdf is None else unlock(kdf)
        document = _extended(document, lines, kdf, cipher, where)
    return Understood(data, document, kdf)


def _extended(
    document: Document, lines: list[bytes], kdf: Kdf | None, cipher: Cipher | None, where: str
) -> Document:
    is_sound = False
    with suppress(msgspec.MsgspecError, UsageError, ValueError, RecursionError):
        for line in lines:
            document = _open(line, document.serial + 1, kdf, cipher, where).after(document)
        is_sound = True
    # Raised out here, as an error of the decoder can carry a piece of the line.
    if not is_sound:
        raise damaged(where)
    return document


def _open(line: bytes, serial: int, kdf: Kdf | None, cipher: Cipher | None, where: str) -> Line:
    if kdf is None or cipher is None:
        return _lines.decode(line)
    try:
        return _lines.decode(cipher.open(_sealed_lines.decode(line).sealed, _place(kdf, serial)))
    except TamperedError:
        raise WrongKeyError(
            f"a line of the root at {where} does not open in its place, or was changed",
            hint="restore the file from a mirror or a copy",
        ) from None


def _place(kdf: Kdf, serial: int) -> bytes:
    return bind(b"transcript-vault sealed root line", kdf.aad, str(serial).encode())
