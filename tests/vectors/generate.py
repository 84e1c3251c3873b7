"""How the known answers were made: a second implementation of the format, with given keys and nonces.

Run once for each format: python tests/vectors/generate.py >tests/vectors/format-1.json. What a release has
written must open for ever, so what a file has said is never said otherwise; more may be added to it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from typing import Any

import msgspec
from backports import zstd
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEAD = b"\x01\x01"  # format 1, suite 1: AES-256-GCM
VAULT, SESSION, EPOCH, USER = (bytes([letter]) * 16 for letter in b"vseu")
SESSION_KEY, EPOCH_KEY, PARENT_KEY, CHILD_KEY, SECRET = (bytes([letter]) * 32 for letter in b"SEPCK")
LONG = "Ελένη asks for the balance of her account. " * 40


def bind(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def derive(secret: bytes, *info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, bind(HEAD, *info)).derive(secret)


def seal(key: bytes, number: int, plain: bytes, aad: bytes) -> bytes:
    nonce = number.to_bytes(12, "big")
    return HEAD + nonce + AESGCM(key).encrypt(nonce, plain, aad)


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def body(nonce: int, place: tuple[int, str, int], parts: list[Any], *, squeezed: bool = False) -> Any:
    """A sealed message: [content, other fields, metadata, idempotency key]."""
    seq, role, created_at = place
    key = derive(SESSION_KEY + EPOCH_KEY, b"chapter", SESSION, EPOCH)
    encoded = msgspec.msgpack.encode(parts)
    packed = b"\x01" + zstd.compress(encoded, 3) if squeezed else b"\x00" + encoded
    aad = bind(HEAD, VAULT, SESSION, EPOCH, number(seq), number(created_at), role.encode(), b"body")
    return {
        "vault": VAULT.hex(),
        "session": SESSION.hex(),
        "epoch": EPOCH.hex(),
        "session_key": SESSION_KEY.hex(),
        "epoch_key": EPOCH_KEY.hex(),
        "chapter_key": key.hex(),
        "seq": seq,
        "role": role,
        "created_at": created_at,
        "content": parts[0],
        "extra": parts[1],
        "metadata": parts[2],
        "key": None if parts[3] is None else parts[3].hex(),
        "sealed": seal(key, nonce, packed, aad).hex(),
    }


def node(nonce: int, kind: int, slot: bytes, parent_version: int, version: int) -> Any:
    """A key, wrapped by its parent."""
    aad = bind(b"node", VAULT, SESSION, bytes([kind]), slot, USER, number(parent_version))
    return {
        "vault": VAULT.hex(),
        "parent": USER.hex(),
        "parent_key": PARENT_KEY.hex(),
        "parent_version": parent_version,
        "id": SESSION.hex(),
        "kind": kind,
        "slot": slot.hex(),
        "version": version,
        "key": CHILD_KEY.hex(),
        "wrapped": seal(PARENT_KEY, nonce, CHILD_KEY, aad).hex(),
    }


def name(nonce: int, text: str) -> Any:
    """A session's id, for listing it."""
    sealed = seal(derive(SESSION_KEY, b"name"), nonce, text.encode(), bind(b"name", VAULT, SESSION, USER))
    return {
        "vault": VAULT.hex(),
        "node": SESSION.hex(),
        "above": USER.hex(),
        "key": SESSION_KEY.hex(),
        "name": text,
        "sealed": sealed.hex(),
    }


def profile(nonce: int, rev: int, parts: list[Any]) -> Any:
    """A session's label and ledger: [namespace, popped ranges, purged ranges]."""
    aad = bind(b"profile", VAULT, SESSION, number(rev))
    return {
        "vault": VAULT.hex(),
        "node": SESSION.hex(),
        "key": SESSION_KEY.hex(),
        "rev": rev,
        "profile": parts,
        "sealed": seal(derive(SESSION_KEY, b"profile"), nonce, msgspec.msgpack.encode(parts), aad).hex(),
    }


def index(field: str, *values: str) -> Any:
    """What stands for a name; the values are in NFC here."""
    said = bind(field.encode(), *(value.encode() for value in values))
    found = hmac.new(SECRET, said, hashlib.sha256).digest()[:16]
    return {"key": SECRET.hex(), "field": field, "values": values, "index": found.hex()}


def beside(nonce: int, part: bytes, plain: bytes) -> Any:
    """What is sealed beside a body, in the same chapter: originals, and a message that lies outside."""
    key = derive(SESSION_KEY + EPOCH_KEY, b"chapter", SESSION, EPOCH)
    aad = bind(HEAD, VAULT, SESSION, EPOCH, number(3), number(17), b"user", part)
    return {**place(key), "seq": 3, "sealed": seal(key, nonce, plain, aad).hex()}


def place(key: bytes) -> Any:
    """Where the message is that all of these belong to."""
    at = {"vault": VAULT.hex(), "session": SESSION.hex(), "epoch": EPOCH.hex(), "chapter_key": key.hex()}
    return {**at, "role": "user", "created_at": 17}


def originals(nonce: int, parts: list[Any]) -> Any:
    """What redaction took out of a message."""
    return {**beside(nonce, b"originals", b"\x00" + msgspec.msgpack.encode(parts)), "originals": parts}


def outside(nonce: int, known: tuple[int, int], parts: list[Any]) -> Any:
    """A message in a memory outside the vault."""
    plain = b"".join(map(number, known)) + b"\x00" + msgspec.msgpack.encode(parts)
    made = beside(nonce, b"outside", plain)
    envelope = USER + SESSION + number(3) + bytes.fromhex(made.pop("sealed"))
    text = "tv1." + base64.urlsafe_b64encode(envelope).rstrip(b"=").decode()
    return {**made, "user": USER.hex(), "known": known, "content": parts[0], "envelope": text}


def record(nonce: int, collection: str, name: str, value: Any) -> Any:
    """A record of an adapter, and where it is looked up."""
    key = derive(SESSION_KEY + EPOCH_KEY, b"chapter", SESSION, EPOCH)
    found = [
        hmac.new(derive(SESSION_KEY, b"records"), said, hashlib.sha256).digest()[:16]
        for said in (
            bind(b"collection", collection.encode()),
            bind(b"record", collection.encode(), name.encode()),
        )
    ]
    aad = bind(HEAD, VAULT, SESSION, EPOCH, b"record", *found, b"user", number(17))
    packed = b"\x00" + msgspec.msgpack.encode([[name, value]])
    names = {"session_key": SESSION_KEY.hex(), "collection": collection, "name": name, "value": value}
    looked_up = {"place": found[0].hex(), "key": found[1].hex()}
    return {**place(key), **names, **looked_up, "sealed": seal(key, nonce, packed, aad).hex()}


def root(nonce: int, passphrase: str | None) -> Any:
    """A root file, plain or under a passphrase."""
    generation = {
        "id": EPOCH.hex(), "ordinal": 7, "key": base64.b64encode(PARENT_KEY).decode(), "phase": "current",
        "created_at": 17, "retired_at": None, "erased": [],
    }  # fmt: skip
    names = {"format": "transcript-vault root", "version": 1, "vault": VAULT.hex(), "holder": USER.hex()}
    plain = json.dumps({**names, "serial": 9, "generations": [generation]})
    known = {"passphrase": passphrase, "generation": EPOCH.hex(), "key": PARENT_KEY.hex()}
    if passphrase is None:
        return {**known, "document": plain}
    salt = b"salt" * 4
    key = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=1024).derive(passphrase.encode())
    sealed = seal(
        key,
        nonce,
        plain.encode(),
        bind(b"transcript-vault sealed root", b"1", b"argon2id", b"1024,1,1", salt),
    )
    kdf = {"memory_kib": 1024, "passes": 1, "lanes": 1, "salt": base64.b64encode(salt).decode()}
    outer = {"format": "transcript-vault sealed root", "version": 1, "kdf": kdf}
    return {**known, "document": json.dumps({**outer, "sealed": base64.b64encode(sealed).decode()})}


def continued_root(nonce: int, passphrase: str | None) -> Any:
    """A root file with a line behind its document."""
    whole = root(nonce, passphrase)
    added = {
        "id": USER.hex(), "ordinal": 8, "key": base64.b64encode(CHILD_KEY).decode(), "phase": "staged",
        "created_at": 18, "retired_at": None, "erased": [],
    }  # fmt: skip
    line = json.dumps({"serial": 10, "promoted": None, "generation": added})
    known = {"added": USER.hex(), "added_key": CHILD_KEY.hex()}
    if passphrase is not None:
        salt = b"salt" * 4
        key = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=1024).derive(
            passphrase.encode()
        )
        kdf = bind(b"transcript-vault sealed root", b"1", b"argon2id", b"1024,1,1", salt)
        sealed = seal(key, nonce + 1, line.encode(), bind(b"transcript-vault sealed root line", kdf, b"10"))
        line = json.dumps({"sealed": base64.b64encode(sealed).decode()})
    return {**whole, **known, "document": f"{whole['document']}\n{line}\n"}


def signing() -> Any:
    """The key that signs certificates and checkpoints, as it is given away."""
    private = Ed25519PrivateKey.from_private_bytes(derive(SECRET, b"signing"))
    raw, name = b"\x01" + private.public_key().public_bytes_raw(), f"transcript-vault/{VAULT.hex()}"
    key_id = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    public = f"{name}+{key_id}+{base64.b64encode(raw).decode()}"
    return {"vault": VAULT.hex(), "service": SECRET.hex(), "public": public}


def generate() -> Any:
    call = {"id": "c-1", "function": {"name": "weather", "arguments": '{"city": "Köln"}'}}
    numbers = {"a": [1, -1, 2**64 - 1, 0.5]}
    purposes: list[tuple[bytes, ...]] = [(b"users",), (b"a", b"bc"), (b"ab", b"c"), ()]
    return {
        "bodies": [
            body(1, (0, "user", 1_790_000_000_000_000), ["Hello", None, None, None]),
            body(2, (7, "assistant", -1), [None, {"tool_calls": [call]}, {"ms": 12}, b"k-1"]),
            body(3, (2**40, "system", -(2**55)), [LONG, None, numbers, None], squeezed=True),
        ],
        "nodes": [node(4, 5, b"\x05" + b"i" * 16, 0, 0), node(5, 8, b"\x08" + b"j" * 16, 2**40, 3)],
        "names": [name(6, "s-1"), name(7, "Ελένη@example.com")],
        "profiles": [
            profile(8, 0, ["", [], []]),
            profile(9, 12, ["support/eu", [[3, 3], [9, 12]], [[0, 2]]]),
        ],
        "indexes": [index("user", "u-42"), index("user", "Zoë"), index("epoch", "default", "-3")],
        "originals": [originals(10, ["I am Zoë", None, {"ms": 1}, {"<PERSON_1>": "Zoë"}])],
        "outside": [outside(11, (1, 0), ["Hello", None, None, None, False, 1])],
        "records": [record(12, "state", "step", {"at": [3, "köln"]})],
        "roots": [root(0, None), root(13, "correct horse Ünïcode")],
        "continued_roots": [continued_root(0, None), continued_root(14, "correct horse Ünïcode")],
        "signing": [signing()],
        "derived": [
            {
                "secret": SECRET.hex(),
                "info": [part.hex() for part in info],
                "key": derive(SECRET, *info).hex(),
            }
            for info in purposes
        ],
    }


if __name__ == "__main__":
    json.dump(generate(), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
