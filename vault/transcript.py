"""`Transcript`: the messages of one session, and the records beside them. See aio_transcript.py."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from vault.chat.records import Drop, Put, Record, Records, plain
from vault.core import Core
from vault.messages import Content, Message, Messages, check_id, check_role
from vault.saying import UNSAID, Unsaid, many_messages, one_message


class Transcript:
    """The messages of one session of one user."""

    __slots__ = ("_core", "_namespace", "session_id", "user_id")

    def __init__(self, core: Core, user_id: str, session_id: str, namespace: str) -> None:
        self._core = core
        self._namespace = namespace
        self.user_id = user_id
        self.session_id = session_id

    def append(
        self,
        message: str | Message | Mapping[str, Any],
        content: Content | Unsaid = UNSAID,
        *,
        metadata: dict[str, Any] | None = None,
        created_at: datetime | None = None,
        key: str | None = None,
    ) -> Message:
        """Add one message: a role and content, a dict, or a Message. It is durable when this returns.

        With `key`, saying the same again in this session adds nothing and gives the first message.
        """
        one = one_message(message, content, metadata, created_at)
        return self._core.extend(self.user_id, self.session_id, self._namespace, [one], key)[0]

    def extend(
        self, messages: Iterable[Message | Mapping[str, Any]], *, key: str | None = None
    ) -> list[Message]:
        """Add many messages, all or none."""
        many = many_messages(messages)
        return self._core.extend(self.user_id, self.session_id, self._namespace, many, key)

    def messages(  # noqa: PLR0913 (which, and how)
        self,
        *,
        last: int | None = None,
        before: int | None = None,
        reveal: bool = False,
        include_hidden: bool = False,
        purpose: str = "",
        actor: str = "",
    ) -> Messages:
        """Give the messages in order: all, the `last` ones, or those `before` a seq.

        `reveal` puts back what redaction replaced, where the policy keeps it. `include_hidden` gives what a
        hold keeps, too: what a clear or delete hid first, in `hidden` its places. Both take a purpose, and
        stand in the log.
        """
        return self._core.messages(
            self.user_id,
            self.session_id,
            last=last,
            before=before,
            reveal=reveal,
            include_hidden=include_hidden,
            purpose=purpose,
            actor=actor,
        )

    def stream(self, role: str, tokens: Iterable[str]) -> Iterator[str]:
        """Give a model's tokens on as they come, redacted; store the whole message when they end.

        Text is held back as far as something personal may still be open. Where the tokens break off with an
        error, nothing is stored.
        """
        check_role(role)
        stream = self._core.stream(self.user_id, self.session_id, self._namespace)
        for token in tokens:
            if safe := stream.feed(token):
                yield safe
        rest = stream.finish()
        said = one_message(role, stream.text, None, None)
        self._core.extend(self.user_id, self.session_id, self._namespace, [said], shown=stream.shown)
        if rest:
            yield rest

    def restore(self, text: str, *, purpose: str, actor: str = "") -> str:
        """Put originals back where their placeholders stand in a text, for a person who may see them."""
        return self._core.restore_text(self.user_id, self.session_id, text, purpose, actor)

    def pop(self) -> Message | None:
        """Remove the last message and give it. Its row is deleted, which is no erasure from old copies.

        Under a hold it is hidden only.
        """
        return self._core.remover.pop(self.user_id, self.session_id)

    def clear(self) -> None:
        """Start the session anew: its messages are erased, or hidden under a hold; its name stays."""
        self._core.requests.clear(self.user_id, self.session_id, self._namespace)

    def delete(self) -> None:
        """Erase the session, or hide it under a hold. Its id may be used again."""
        self._core.requests.delete(self.user_id, self.session_id)

    def records(self, collection: str) -> TranscriptRecords:
        """Give a collection of records: sealed values by key, beside the messages."""
        return TranscriptRecords(self._core, self.user_id, self.session_id, self._namespace, collection)


class TranscriptRecords:
    """One collection of records in a session: values that are redacted, sealed and erased as messages are.

    A value is made of dicts, lists, texts, numbers and bytes. Records have no chain: one that is taken from
    the database reads as one that was never written.
    """

    __slots__ = ("_core", "_namespace", "collection", "session_id", "user_id")

    def __init__(self, core: Core, user_id: str, session_id: str, namespace: str, collection: str) -> None:
        self._core = core
        self._namespace = namespace
        self.user_id = user_id
        self.session_id = session_id
        self.collection = check_id(collection, "collection")

    def put(
        self, key: str, value: object, *, created_at: datetime | None = None, revision: int | None = None
    ) -> int | None:
        """Write a record, or write it anew; it is durable when this returns.

        With `revision`, only where the record still has that one, and 0 where there is none; otherwise
        RevisionError. The new revision comes back.
        """
        one = plain(self.collection, key, value, created_at=created_at, revision=revision)
        return next(iter(self._keep([one])), None)

    def put_many(self, values: Mapping[str, object]) -> None:
        """Write many records, all or none."""
        self._keep([plain(self.collection, key, value) for key, value in values.items()])

    def get(self, key: str) -> Record | None:
        """Give a record; None for one that is not there, or was purged."""
        return next(iter(self._read(keys=[check_id(key, "key of a record")])), None)

    def list(self, *, last: int | None = None) -> Records:
        """Give all records, or the last ones, in the order of their dates."""
        return self._read(last=last)

    def delete(self, key: str, *, revision: int | None = None) -> None:
        """Delete a record, where there is one. Its row is deleted, which is no erasure from old copies.

        Under a hold it is hidden only.
        """
        self._keep([], [Drop(self.collection, key, revision)])

    def hidden(self, *, purpose: str, actor: str = "") -> Records:
        """Give what was deleted and a hold keeps; it stands in the log who asked, and what for."""
        return self._core.hidden_records(self.user_id, self.session_id, self.collection, purpose, actor)

    def _keep(self, puts: Sequence[Put], drops: Sequence[Drop] = ()) -> Sequence[int]:
        return self._core.keep(self.user_id, self.session_id, self._namespace, puts, drops)

    def _read(self, *, keys: Sequence[str] | None = None, last: int | None = None) -> Records:
        return self._core.records.read(self.user_id, self.session_id, self.collection, keys=keys, last=last)
