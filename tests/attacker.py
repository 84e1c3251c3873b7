"""The adversary of P3: holds every copy ever taken of transcripts and of the keyring, and a root.

It does not ask the vault. It tries every wrapped key of every copy under every key it has, until nothing new
opens, and then every body of every copy.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from databases import Rows
from sqlalchemy import MetaData

from vault.chat.chapter import BODY, ORIGINALS, chapter_key, make_chapter
from vault.chat.outside import OUTSIDE, Envelope, read_envelope
from vault.chat.records import aad as record_aad
from vault.crypto.envelope import Cipher
from vault.crypto.tree import Kind, Node, Opened, node_aad
from vault.errors import TamperedError
from vault.messages import unpack, unpack_originals
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
    whole, *lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    held = [*whole["generations"], *(line["generation"] for line in lines)]
    return {bytes.fromhex(one["id"]): _key(one["key"]) for one in held}


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
        """Give the text of every body, and of all originals, of a copy that opens with any key there is."""
        sessions = {row["id"]: row for row in table(transcripts, schema.transcripts, "sessions")}
        chapters = {row["id"]: row for row in table(transcripts, schema.transcripts, "chapters")}
        epochs = {row["id"]: row for row in table(transcripts, schema.transcripts, "epochs")}
        texts = set()
        for row in table(transcripts, schema.transcripts, "messages"):
            session = _bytes(sessions[row["session_id"]]["node"])
            for part, column, number in (
                (BODY, "body", row["chapter_id"]),
                (ORIGINALS, "originals", row["originals_chapter_id"]),
            ):
                if number is None:
                    continue
                chapter = chapters[number]
                epoch = chapter["epoch_id"]
                place = _bytes(chapter["node"] if epoch is None else epochs[epoch]["node"])
                for key in self._chapter_keys(session, place):
                    made = make_chapter(0, self.vault, session, place, key)
                    aad = made.aad(_int(row["seq"]), str(row["role"]), _int(row["created_at"]), part)
                    plain = _open(key, _bytes(row[column]), aad)
                    if plain is not None:
                        opened = unpack(plain) if part is BODY else unpack_originals(plain)
                        texts.add(str(opened.content))
        return texts | self._records(transcripts, sessions, chapters, epochs)

    def _records(
        self,
        transcripts: Dump,
        sessions: Mapping[object, Mapping[str, object]],
        chapters: Mapping[object, Mapping[str, object]],
        epochs: Mapping[object, Mapping[str, object]],
    ) -> set[str]:
        texts = set()
        for row in table(transcripts, schema.transcripts, "records"):
            session = _bytes(sessions[row["session_id"]]["node"])
            chapter = chapters[row["chapter_id"]]
            epoch = chapter["epoch_id"]
            place = _bytes(chapter["node"] if epoch is None else epochs[epoch]["node"])
            name = _bytes(row["place"]), _bytes(row["key"])
            for key in self._chapter_keys(session, place):
                made = make_chapter(0, self.vault, session, place, key)
                bound = record_aad(made, name, str(row["role"]), _int(row["created_at"]))
                plain = _open(key, _bytes(row["body"]), bound)
                if plain is not None:
                    content = unpack(plain).content
                    assert isinstance(content, list)
                    texts.add(str(content[1]))
        return texts

    def read_outside(self, copies: Sequence[Dump], memory: Iterable[str]) -> set[str]:
        """Give the text of every envelope in a copied memory that opens with any key there is.

        What its row says (its role, its time, its chapter) is taken from whichever copy has it.
        """
        lying = [read_envelope(found) for row in memory for found in _ENVELOPE.findall(row)]
        return {text for one in lying for copy in copies if (text := self._outside(copy, one)) is not None}

    def _outside(self, copy: Dump, one: Envelope) -> str | None:
        nodes = {row["id"]: row["node"] for row in table(copy, schema.transcripts, "sessions")}
        epochs = [_bytes(row["node"]) for row in table(copy, schema.transcripts, "epochs")]
        for row in table(copy, schema.transcripts, "messages"):
            if (nodes[row["session_id"]], row["seq"]) != (one.session, one.seq):
                continue
            for epoch in epochs:
                for key in self._chapter_keys(one.session, epoch):
                    made = make_chapter(0, self.vault, one.session, epoch, key)
                    aad = made.aad(one.seq, str(row["role"]), _int(row["created_at"]), OUTSIDE)
                    plain = _open(key, one.sealed, aad)
                    if plain is not None:
                        return _text(unpack(plain[16:]).content)
        return None

    def _chapter_keys(self, session: bytes, place: bytes) -> list[bytes]:
        """Give every key that a chapter's bodies might have been sealed with: derived, or any own one."""
        derived = [
            chapter_key(above.key, beside.key, session, place)
            for above in self.keys.get(session, {}).values()
            for beside in self.keys.get(place, {}).values()
        ]
        own = [
            one.key
            for node, kind in self.kinds.items()
            if kind is Kind.CHAPTER
            for one in self.keys[node].values()
        ]
        return derived + own


_ENVELOPE = re.compile(r"tv1\.[\w-]+")


def _text(content: object) -> str:
    """Find the text in content that is a text, or a list with one part that has it."""
    match content:
        case [{"text": str(text)}]:
            return text
        case _:
            return str(content)


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
