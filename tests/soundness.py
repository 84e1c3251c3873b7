"""What must hold of the three stores at every rest, seen past the vault."""

from pathlib import Path

from attacker import Attacker, Dump, nodes_of, root_keys, table
from databases import Databases
from root_files import document

from vault.crypto.tree import TOPS, Kind
from vault.storage import schema
from vault.storage.keyring import split_root


def meta(keyring: Dump) -> dict[str, bytes]:
    """Give the keyring's own facts."""
    rows = table(keyring, schema.keyring, "keyring_meta")
    return {str(row["name"]): row["value"] for row in rows if isinstance(row["value"], bytes)}


def generations(root: Path) -> list[tuple[str, bytes]]:
    """Give the phases and ids that a root file holds, oldest first."""
    return [(one.phase, bytes.fromhex(one.id)) for one in document(root).generations]


def check_sound(databases: Databases, *mirrors: Path) -> None:
    """Root and keyring agree, every key opens, nothing hangs in the air, every message has its key."""
    keyring = databases.dump(databases.keyring)
    transcripts = databases.dump(databases.transcripts)
    facts, nodes = meta(keyring), nodes_of(keyring)
    named, _ = split_root(facts["root"])
    held = max((generations(mirror) for mirror in mirrors), key=len)
    assert [phase for phase, _ in held].count("current") == 1
    assert held[-1] in {("current", named), ("staged", named)}  # it is promoted by the next change

    present = {key for mirror in mirrors for one, key in root_keys(mirror).items() if one == named}
    [key] = present
    everything = Attacker(facts["vault"], {named: key})
    everything.take_keyrings([keyring])
    assert everything.keys.keys() == {node.id for node in nodes}
    assert sorted(node.kind for node in nodes if node.parent == named) == sorted(TOPS)

    sessions = {node.id for node in nodes if node.kind is Kind.SESSION}
    rows = {row["node"]: row["id"] for row in table(transcripts, schema.transcripts, "sessions")}
    assert sessions <= rows.keys()
    users = {row["node"] for row in table(transcripts, schema.transcripts, "users")}
    assert {node.id for node in nodes if node.kind is Kind.USER} <= users
    readable = {rows[node] for node in sessions}
    assert {row["session_id"] for row in table(transcripts, schema.transcripts, "messages")} <= readable


def leftovers(mirror: Path) -> list[str]:
    """Give the files beside a root that hold, or held, its keys."""
    return [path.name for path in mirror.parent.iterdir() if path.suffix in {".new", ".old"}]
