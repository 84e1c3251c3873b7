"""Where keys are looked up: the slots below a user, and what stays the same as long as a user lives."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from vault.crypto.blind import blind_index
from vault.crypto.envelope import ID_BYTES, bind, derive, random_id, random_key
from vault.crypto.tree import Kind, Node, Opened, node_aad, radix_slots, slot
from vault.roots import Root


@dataclass(frozen=True, slots=True, repr=False)
class Seedling:
    """A node to be planted: its key, and the slot of its parent."""

    opened: Opened
    kind: Kind
    slot: bytes
    above: bytes


@dataclass(frozen=True, slots=True, repr=False)
class UserKeys:
    """What stays the same as long as a user lives."""

    node: bytes
    slot: bytes
    index: bytes
    secret: bytes

    @property
    def path(self) -> list[bytes]:
        """Give the slots from the top down to the user."""
        return [*radix_slots(self.index), self.slot]

    def session_slot(self, session_id: str) -> bytes:
        """Give where a session of this user is looked up."""
        return slot(Kind.SESSION, blind_index(derive(self.secret, b"sessions"), "session", session_id))

    @property
    def pseudonym(self) -> str:
        """Give what the log calls a living user: it dies with their secret, and links to nothing then."""
        return derive(self.secret, b"evidence")[: ID_BYTES // 2].hex()

    def idempotency_key(self, session_node: bytes, key: str) -> bytes:
        """Give what stands for an idempotency key in one session."""
        return blind_index(derive(self.secret, b"idempotency", session_node), "key", key)

    def idempotency_seal(self, session_node: bytes, key: bytes, seq: int) -> bytes:
        """Give the code that shows that a key stands for the message it was first used for (P2)."""
        said = bind(key, seq.to_bytes(8, "big"))
        return hmac.digest(derive(self.secret, b"first", session_node), said, "sha256")[:ID_BYTES]


def fresh() -> Opened:
    """Make a key that is in no tree yet."""
    return Opened(random_id(), 0, random_key())


def wrap_top(root: Root, vault: bytes, generation: bytes, node: Node, key: bytes) -> Node:
    """Wrap a top node under a generation of the root."""
    bare = node._replace(parent=generation, wrapped=b"")
    return bare._replace(wrapped=root.wrap(generation, key, node_aad(vault, bare, 0)))


def unwrap_top(root: Root, vault: bytes, node: Node) -> Opened:
    """Open a top node with the generation that it names."""
    return Opened(node.id, node.version, root.unwrap(node.parent, node.wrapped, node_aad(vault, node, 0)))


def kept_slot(session: bytes) -> bytes:
    """Give where the node is looked up from which a session's kept chapters hang.

    They can't hang from the session's own node: erasing one re-keys the node above it, and a session's key,
    from which other chapters derive theirs, never changes.
    """
    return slot(Kind.KEPT, derive(session, b"kept")[:ID_BYTES])


def hidden_slot(session_node: bytes) -> bytes:
    """Give where a session is looked up that the app cleared or deleted while it was held.

    Its name is free then. Who moves it there has its key, so that no thief hides a session (P2).
    """
    return slot(Kind.SESSION, session_node)


def chapter_slot(session: bytes, place: bytes) -> bytes:
    """Give where a chapter's own key is looked up: by its session's key and the epoch it was written in."""
    return slot(Kind.CHAPTER, hmac.digest(derive(session, b"chapters"), place, "sha256")[:ID_BYTES])


def standing_for(node: bytes, where: bytes) -> bytes:
    """Give what a purge records beside a node that it erases: that it was looked up here, and nowhere else.

    A run erases many nodes, and whoever may edit rows must not be able to make a living chapter seem to be
    one of them (P2).
    """
    return hashlib.sha256(bind(b"erased", node, where)).digest()[:ID_BYTES]
