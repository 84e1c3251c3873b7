"""A second reader of the vault's formats, written from SECURITY.md: it uses nothing of the vault.

python tests/reader.py VAULT ROOT.KEY       # prints every message of a vault in a directory, as JSON lines
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec  # for its msgpack alone
from backports import zstd
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEAD = b"\x01\x01"
SECRET, SESSION, CHAPTER = 4, 5, 6
TOPS = {1, 7, 9}
Row = dict[str, Any]


def bind(*parts: bytes | str) -> bytes:
    whole = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in whole)


def number(value: int, *, signed: bool = False) -> bytes:
    return value.to_bytes(8, "big", signed=signed)


def open_envelope(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    if sealed[:2] != HEAD:
        raise ValueError("another format")
    return AESGCM(key).decrypt(sealed[2:14], sealed[14:], aad)


def derive(secret: bytes, *info: bytes | str) -> bytes:
    return HKDF(hashes.SHA256(), 32, None, bind(HEAD, *info)).derive(secret)


def index(key: bytes, name: str, *values: str) -> bytes:
    said = bind(name, *(unicodedata.normalize("NFC", value) for value in values))
    return hmac.digest(key, said, "sha256")[:16]


def unpack(plain: bytes) -> Any:
    packed = zstd.decompress(plain[1:]) if plain[:1] == b"\x01" else plain[1:]
    return msgspec.msgpack.decode(packed)


# -- what is sealed ----------------------------------------------------------------------------------------


def open_root(document: bytes, passphrase: str = "") -> dict[bytes, bytes]:
    """Give the keys of a root file's generations."""
    whole, *lines = document.split(b"\n")
    root, added = json.loads(whole), [json.loads(line) for line in lines[:-1]]
    if root["format"] == "transcript-vault sealed root":
        kdf = root["kdf"]
        salt, costs = base64.b64decode(kdf["salt"]), (kdf["memory_kib"], kdf["passes"], kdf["lanes"])
        key = Argon2id(
            salt=salt, length=32, memory_cost=costs[0], iterations=costs[1], lanes=costs[2]
        ).derive(unicodedata.normalize("NFC", passphrase).encode())
        aad = bind("transcript-vault sealed root", "1", "argon2id", ",".join(map(str, costs)), salt)
        root = json.loads(open_envelope(key, base64.b64decode(root["sealed"]), aad))
        places = [
            bind("transcript-vault sealed root line", aad, str(root["serial"] + n + 1))
            for n in range(len(added))
        ]
        added = [
            json.loads(open_envelope(key, base64.b64decode(line["sealed"]), place))
            for place, line in zip(places, added, strict=True)
        ]
    generations = [*root["generations"], *(line["generation"] for line in added)]
    return {bytes.fromhex(one["id"]): base64.b64decode(one["key"]) for one in generations}


def open_node(vault: bytes, node: Row, parent_key: bytes, parent_version: int) -> bytes:
    aad = bind(
        "node", vault, node["id"], bytes([node["kind"]]), node["slot"], node["parent"], number(parent_version)
    )
    return open_envelope(parent_key, node["wrapped"], aad)


def open_name(sealed: bytes, vault: bytes, node: bytes, above: bytes, key: bytes) -> str:
    return open_envelope(derive(key, "name"), sealed, bind("name", vault, node, above)).decode()


def open_profile(sealed: bytes, vault: bytes, node: bytes, key: bytes, rev: int) -> Any:
    aad = bind("profile", vault, node, number(rev))
    return msgspec.msgpack.decode(open_envelope(derive(key, "profile"), sealed, aad))


def chapter_key(session: bytes, epoch: bytes, session_node: bytes, epoch_node: bytes) -> bytes:
    return derive(session + epoch, "chapter", session_node, epoch_node)


@dataclass(frozen=True)
class Place:
    """What everything in a chapter is bound to, and its key."""

    vault: bytes
    session: bytes
    chapter: bytes
    key: bytes

    def aad(self, row: Row, part: str) -> bytes:
        at = number(row["created_at"], signed=True)
        return bind(HEAD, self.vault, self.session, self.chapter, number(row["seq"]), at, row["role"], part)

    def open(self, row: Row, part: str = "body") -> Any:
        return unpack(open_envelope(self.key, row[part], self.aad(row, part)))

    def open_record(self, row: Row) -> Any:
        at = number(row["created_at"], signed=True)
        aad = bind(
            HEAD, self.vault, self.session, self.chapter, "record", row["place"], row["key"], row["role"], at
        )
        return unpack(open_envelope(self.key, row["body"], aad))[0]

    def open_outside(self, text: str, row: Row) -> tuple[tuple[int, int], Any]:
        raw = base64.urlsafe_b64decode(text.removeprefix("tv1.") + "==")
        if raw[16:32] != self.session or raw[32:40] != number(row["seq"]):
            raise ValueError("another message's")
        plain = open_envelope(self.key, raw[40:], self.aad(row, "outside"))
        known = int.from_bytes(plain[:8], "big"), int.from_bytes(plain[8:16], "big")
        return known, unpack(plain[16:])


# -- a whole vault -----------------------------------------------------------------------------------------


def rows(path: Path, table: str) -> list[Row]:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]


@dataclass
class Vault:
    """A vault in a directory, opened with the keys of its root."""

    directory: Path
    roots: dict[bytes, bytes]
    id: bytes = b""
    nodes: dict[bytes, Row] = field(default_factory=dict)
    keys: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keyring = self.directory / "keyring.db"
        self.id = next(row["value"] for row in rows(keyring, "keyring_meta") if row["name"] == "vault")
        self.nodes = {row["id"]: row for row in rows(keyring, "nodes")}
        closed = list(self.nodes.values())
        while closed:
            openable = [one for one in closed if self._parent(one) is not None]
            if not openable:
                raise ValueError("nodes that hang from nothing")
            for one in openable:
                parent = self._parent(one)
                assert parent is not None
                self.keys[one["id"]] = open_node(self.id, one, *parent)
            closed = [one for one in closed if one["id"] not in self.keys]

    def _parent(self, node: Row) -> tuple[bytes, int] | None:
        above = node["parent"]
        if node["kind"] in TOPS:
            return (self.roots[above], 0) if above in self.roots else None
        return (self.keys[above], self.nodes[above]["version"]) if above in self.keys else None

    def table(self, name: str) -> list[Row]:
        return rows(self.directory / "transcripts.db", name)

    def messages(self) -> Iterator[dict[str, Any]]:
        """Give every message that opens."""
        secrets = {
            one["parent"]: self.keys[one["id"]] for one in self.nodes.values() if one["kind"] == SECRET
        }
        users = {row["id"]: row for row in self.table("users") if row["node"] in self.keys}
        sessions = {row["id"]: row for row in self.table("sessions") if row["node"] in self.keys}
        chapters = {row["id"]: row for row in self.table("chapters")}
        epochs = {row["id"]: row["node"] for row in self.table("epochs")}
        for row in self.table("messages"):
            session = sessions.get(row["session_id"])
            if session is None:
                continue
            user, node, key = users[session["user_id"]], session["node"], self.keys[session["node"]]
            place = self._place(session, chapters[row["chapter_id"]], epochs)
            said = place.open(row)
            found = {
                "user_id": open_name(user["name"], self.id, user["node"], b"", secrets[user["node"]]),
                "session_id": open_name(session["name"], self.id, node, user["node"], key),
                "seq": row["seq"],
                "role": row["role"],
                "content": said[0],
                "extra": said[1] if len(said) > 1 else None,
                "metadata": said[2] if len(said) > 2 else None,
            }
            if row["originals"] is not None:
                beside = self._place(session, chapters[row["originals_chapter_id"]], epochs)
                found["original"] = beside.open(row, "originals")[0]
            yield found

    def records(self) -> Iterator[Any]:
        """Give every record that opens: its key, and its value."""
        sessions = {row["id"]: row for row in self.table("sessions") if row["node"] in self.keys}
        chapters = {row["id"]: row for row in self.table("chapters")}
        epochs = {row["id"]: row["node"] for row in self.table("epochs")}
        for row in self.table("records"):
            if row["session_id"] in sessions:
                place = self._place(sessions[row["session_id"]], chapters[row["chapter_id"]], epochs)
                yield place.open_record(row)

    def _place(self, session: Row, chapter: Row, epochs: dict[int, bytes]) -> Place:
        node, key = session["node"], self.keys[session["node"]]
        place = chapter["node"] if chapter["epoch_id"] is None else epochs[chapter["epoch_id"]]
        slot = bytes([CHAPTER]) + hmac.digest(derive(key, "chapters"), place, "sha256")[:16]
        own = next((one["id"] for one in self.nodes.values() if one["slot"] == slot), None)
        opened = self.keys[own] if own else chapter_key(key, self.keys[place], node, place)
        return Place(self.id, node, place, opened)


# -- evidence ----------------------------------------------------------------------------------------------


def check_certificate(document: bytes, public: str) -> dict[str, Any]:
    """Give a certificate that holds; raise for any other. `public` is what `vault keys public` printed."""
    name, key_id, encoded = public.strip().split("+", 2)
    raw = base64.b64decode(encoded)
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != key_id:
        raise ValueError("no public key")
    key = Ed25519PublicKey.from_public_bytes(raw[1:])
    said = json.loads(document)
    signature, proof = base64.b64decode(said["signature"]), said["proof"]
    # RFC 8785, of which texts, whole numbers and null need no more than this.
    canonical = json.dumps(
        said | {"signature": None}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )
    key.verify(signature, b"transcript-vault erasure 1\n" + canonical.encode())

    text, _, signed = proof["checkpoint"].rpartition("\n\n")
    mark, signer, signature64 = signed.strip().split(" ")
    if (mark, signer) != ("—", name):
        raise ValueError("a checkpoint of another")
    key.verify(base64.b64decode(signature64)[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    found = hashlib.sha256(b"\0" + proof["entry"].encode()).digest()
    if origin != name or climb(found, proof["index"], int(size), proof["hashes"]) != base64.b64decode(root):
        raise ValueError("the log does not hold the entry")
    entry = json.loads(proof["entry"])
    if (entry["act"], entry["kind"], entry["subject"]) != (said["id"], said["kind"], said["pseudonym"]):
        raise ValueError("the log says something else")
    return dict(said)


def climb(leaf: bytes, place: int, size: int, hashes64: list[str]) -> bytes:
    """Give the root to which a proof of inclusion leads (RFC 9162, 2.1.3.2)."""
    found, last = leaf, size - 1
    for one in map(base64.b64decode, hashes64):
        if place % 2 or place == last:
            found = hashlib.sha256(b"\1" + one + found).digest()
            while not place % 2 and place:
                place, last = place >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + one).digest()
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the proof is too short")
    return found


if __name__ == "__main__":
    directory, root = map(Path, sys.argv[1:3])
    for message in Vault(directory.absolute(), open_root(root.read_bytes())).messages():
        print(json.dumps(message, ensure_ascii=False))
