"""Split a text into the pieces that are searched, and join changed ones: what was valid stays valid."""

from __future__ import annotations

from vault.redaction.segments.escapes import origin
from vault.redaction.segments.mails import attachments
from vault.redaction.segments.pieces import Form, Piece, Writer, as_it_is, blobs, join
from vault.redaction.segments.splitting import split

__all__ = ["Form", "Piece", "Writer", "as_it_is", "attachments", "blobs", "join", "origin", "split"]
