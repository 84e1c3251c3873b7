"""Checking a certificate with nothing but the public key: no vault, no database, no network (P6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from vault.errors import TamperedError, UsageError
from vault.evidence.certificate import FORM, Certificate, Proof, entry_of, sealed_text
from vault.evidence.entries import Entry, canonical
from vault.evidence.merkle import HASH_BYTES, includes, leaf_hash
from vault.evidence.notes import Checkpoint, Verifier, decode64, open_checkpoint

_SIGNATURE_BYTES = 64
_WORDS = {"act": "id", "subject": "pseudonym"}  # what the log calls what the certificate calls otherwise


def read_key(given: str) -> Verifier:
    """Read a public key: itself, or a file that holds it."""
    path = Path(given)
    try:
        if "+" in given and not path.is_file():
            return Verifier.parse(given)
        return Verifier.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"the public key can't be read: {error.strerror}",
            hint="name a file that holds it, or give what vault keys public prints",
        ) from None
    except ValueError:  # of UTF-8, or of a name that no file can have
        raise UsageError("this is not a public key of a vault", hint="vault keys public prints it") from None


def check_certificates(text: str | bytes, key: Verifier) -> list[Certificate]:
    """Give the certificates of a file, one or a list; raise TamperedError where one does not hold."""
    raw = _parse(text)
    if not isinstance(raw, list):
        return [_check(raw, key)]
    if not raw:
        raise TamperedError("there is no certificate in this file")
    return [_check(one, key) for one in raw]


def check_certificate(text: str | bytes, key: Verifier) -> Certificate:
    """Give the certificate; raise TamperedError, with the reason, for one that does not hold."""
    return _check(_parse(text), key)


def _check(raw: object, key: Verifier) -> Certificate:
    found = _read(raw)
    if found.format != FORM:
        raise TamperedError("the certificate is of a form that this release does not know")
    if found.proof is None or found.signature is None or found.key is None:
        raise TamperedError("the certificate has no proof: it was not given out by a vault like this")
    if found.key != str(key):
        raise TamperedError("the certificate names another key than the one that was given")
    if f"transcript-vault/{found.vault}" != key.name:
        raise TamperedError("vault: the certificate is of another vault than the key")
    _check_entry(found, found.proof)
    _check_inclusion(found.proof, _checkpoint(found.proof, key))
    signature = decode64(found.signature)
    if signature is None or len(signature) != _SIGNATURE_BYTES:
        raise TamperedError("signature: it is malformed")
    if not isinstance(raw, dict) or not key.signed(sealed_text(raw), signature):
        raise TamperedError("signature: it does not fit the certificate, of which something was changed")
    return found


def _parse(text: str | bytes) -> object:
    try:
        found: object = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
        canonical(found)
    except (ValueError, RecursionError):  # of JSON and UTF-8; what nobody can sign, as it has no one form
        raise TamperedError("this is not a certificate of a vault") from None
    return found


def _refuse(constant: str) -> object:
    """Refuse NaN and its like, which are no JSON."""
    raise ValueError(constant)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse a field that is there twice: readers differ in which of the two they show."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _read(raw: object) -> Certificate:
    try:
        return msgspec.convert(raw, Certificate)
    except msgspec.ValidationError as error:
        _, at, where = str(error).rpartition(" - at `$.")
        field = f"{where.rstrip('`')}: " if at else ""
        raise TamperedError(f"{field}this is not what a certificate of a vault says there") from None


def _check_entry(certificate: Certificate, proof: Proof) -> None:
    """Compare each field with what the log says."""
    entry = Entry.decode(proof.entry)
    said, logged = (_fields(one) for one in (entry_of(certificate, entry.at), entry))
    for name in sorted(said.keys() | logged.keys()):
        if said.get(name) != logged.get(name):
            raise TamperedError(
                f"{_WORDS.get(name, name)}: the certificate does not say what its log entry says"
            )


def _fields(entry: Entry) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(entry)
    facts: dict[str, Any] = built.pop("facts", {})
    return built | facts


def _checkpoint(proof: Proof, key: Verifier) -> Checkpoint:
    try:
        return open_checkpoint(proof.checkpoint, key)
    except TamperedError as error:
        raise TamperedError(f"checkpoint: {error}") from None


def _check_inclusion(proof: Proof, checkpoint: Checkpoint) -> None:
    hashes = [decode64(one) for one in proof.hashes]
    path = [one for one in hashes if one is not None and len(one) == HASH_BYTES]
    if len(path) < len(hashes):
        raise TamperedError("hashes: one of the proof's hashes is malformed")
    if not includes(leaf_hash(proof.entry.encode()), proof.index, checkpoint.size, path, checkpoint.root):
        raise TamperedError("proof: the log of the checkpoint does not hold this entry in this place")
