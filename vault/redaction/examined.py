"""Messages in which everything was found, before anything of them is numbered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vault.messages import Message
from vault.redaction import Redacted
from vault.redaction.memory import Memory
from vault.redaction.replacing import Replacer
from vault.redaction.result import leave_marks, tell
from vault.redaction.search import Shard
from vault.redaction.settings import Redaction
from vault.redaction.structure import Denied, rewritten


class ExaminedMessages:
    """Messages, each with what was found in its texts; None where it stays as it is."""

    def __init__(
        self,
        found: Sequence[tuple[Message, list[Shard] | None]],
        settings: Redaction,
        denied: Denied | None,
        replacer: Callable[[Memory], Replacer],
    ) -> None:
        self._found = found
        self._settings = settings
        self._denied = denied
        self._replacer = replacer

    def finish(self, memory: Memory) -> list[Redacted]:
        """Replace what was found, numbered by what the session remembers."""
        replacer = self._replacer(memory)
        return [
            Redacted(message) if shards is None else self._finished(message, shards, memory, replacer)
            for message, shards in self._found
        ]

    def _finished(
        self, message: Message, shards: list[Shard], memory: Memory, replacer: Replacer
    ) -> Redacted:
        values: dict[str, str] = {}
        texts = []
        if message.role != "assistant":  # who may have been streamed: numbered before the end was known
            _leave(memory, shards)
        for shard in shards:
            text, more = replacer.write(shard)
            texts.append(text)
            tell(values, more)
        _leave(memory, shards)
        keep = self._settings.blobs == "keep"
        if keep and all(text == shard.text for text, shard in zip(texts, shards, strict=True)):
            return Redacted(message)
        metadata = self._settings.metadata == "redact"
        redacted = rewritten(message, iter(texts), metadata=metadata, blobs=keep, denied=self._denied)
        return Redacted(redacted, values if self._settings.originals and redacted != message else None)


def _leave(memory: Memory, shards: list[Shard]) -> None:
    for shard in shards:
        leave_marks(memory, shard.text)
