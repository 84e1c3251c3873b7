"""The adversary of P3: holds every copy ever taken of transcripts and of the keyring, and a root.

It does not ask the vault. It tries every wrapped key of every copy under every key it has, until nothing new
opens, and then every body of every copy.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from databases import Rows
from sqlalchemy import MetaData

from vault.chat.chapter import chapter_key, make_chapter
from vault.crypto.envelope import Cipher
from vault.crypto.tree import Kind, Node, Opened, node_aad
from vault.errors import TamperedError
from vault.messages import unpack
from vault.storage import schema

Dump = Mapping[str, Rows]


def table(dump: Dump, metadata: MetaData, name: str) -> list[dict[str, object]]:
    """Give the rows of a table with their columns' names."""
    columns = [column.name for column in metadata.tables[name].columns]
    return [dict(zip(columns, row, strict=True)) for row in dump[name]]


def nodes_of(keyring: Dump) -> list[Node]:
    """Read the nodes of a copied keyring."""
    return [
        Node(
            _bytes(row["id"]),
            _bytes(row["parent"]),
            Kind(_int(row["kind"])),
            _int(row["version"]),
            _bytes(row["slot"]),
            _bytes(row["wrapped"]),
        )
        for row in table(keyring, schema.keyring, "nodes")
    ]


def root_keys(path: Path) -> dict[bytes, bytes]:
    """Read all generations' keys from a root file: the attacker may read it, not only the vault."""
    held = msgspec.json.decode(path.read_bytes())
    return {bytes.fromhex(one["id"]): _key(one["key"]) for one in held["generations"]}


def _key(text: str) -> bytes:
    return msgspec.json.decode(f'"{text}"'.encode(), type=bytes)


@dataclass
class Attacker:
    """Everything that opened so far. Keys are kept by node and version."""

    vault: bytes
    roots: Mapping[bytes, bytes]
    keys: dict[bytes, dict[int, Opened]] = field(default_factory=lambda: defaultdict(dict))
    kinds: dict[bytes, Kind] = field(default_factory=dict)

    def take_keyrings(self, keyrings: Iterable[Dump]) -> None:
        """Open every wrapped key that any copy holds, parents from one copy and children from another too."""
        closed = {node for keyring in keyrings for node in nodes_of(keyring)}
        self.take_nodes(closed)

    def take_nodes(self, closed: set[Node]) -> None:
        found = True
        while found:
            opened = {node: key for node in closed if (key := self._try(node)) is not None}
            for node, key in opened.items():
                self.keys[node.id][node.version] = Opened(node.id, node.version, key)
                self.kinds[node.id] = node.kind
            closed -= opened.keys()
            found = bool(opened)

    def _try(self, node: Node) -> bytes | None:
        if node.parent in self.roots:
            return _open(self.roots[node.parent], node.wrapped, node_aad(self.vault, node, 0))
        for parent in self.keys.get(node.parent, {}).values():
            key = _open(parent.key, node.wrapped, node_aad(self.vault, node, parent.version))
            if key is not None:
                return key
        return None

    def read(self, transcripts: Dump) -> set[str]:
        """Give the text of every body of a copy that opens with any key there is."""
        sessions = {row["id"]: row for row in table(transcripts, schema.transcripts, "sessions")}
        chapters = {row["id"]: row for row in table(transcripts, schema.transcripts, "chapters")}
        epochs = {row["id"]: row for row in table(transcripts, schema.transcripts, "epochs")}
        texts = set()
        for row in table(transcripts, schema.transcripts, "messages"):
            session = _bytes(sessions[row["session_id"]]["node"])
            chapter = chapters[row["chapter_id"]]
            own = chapter["node"]
            epoch = epochs[chapter["epoch_id"]]["node"] if chapter["epoch_id"] is not None else own
            for key in self._chapter_keys(session, _bytes(epoch), None if own is None else _bytes(own)):
                made = make_chapter(0, self.vault, session, _bytes(epoch), key)
                aad = made.aad(_int(row["seq"]), str(row["role"]), _int(row["created_at"]))
                plain = _open(key, _bytes(row["body"]), aad)
                if plain is not None:
                    texts.add(str(unpack(plain).content))
        return texts

    def _chapter_keys(self, session: bytes, epoch: bytes, own: bytes | None) -> list[bytes]:
        """Give every key that the chapter's bodies might have been sealed with."""
        if own is not None:
            return [one.key for one in self.keys.get(own, {}).values()]
        return [
            chapter_key(above.key, beside.key, session, epoch)
            for above in self.keys.get(session, {}).values()
            for beside in self.keys.get(epoch, {}).values()
        ]


def _open(key: bytes, sealed: bytes, aad: bytes) -> bytes | None:
    try:
        return Cipher(key).open(sealed, aad)
    except TamperedError:
        return None


def _bytes(value: object) -> bytes:
    assert isinstance(value, bytes), type(value)
    return value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
