"""ChatGPT's export, conversations.json: of each tree of messages, the branch that was shown last."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vault.errors import InputError
from vault.messages import Message
from vault.transfer.sources import Arrivals, Given, Incoming, Unreadable, values
from vault.transfer.sources.arrays import elements

_TEXTS = ("text", "multimodal_text")  # no set: a file may say anything, what has no hash too


def read_chatgpt(given: Given) -> Arrivals:
    """Read the conversations in the order of the file, each from its first message on."""
    path = Path(given.source)
    is_inside = os.path.isdir(path)  # noqa: PTH112 (a name that no file can have is told by who opens it)
    for number, found in enumerate(elements(path / "conversations.json" if is_inside else path), 1):
        if isinstance(found, Unreadable):
            yield found
            continue
        place = f"conversation {number}"
        try:
            conversation = values.mapping(found)
            session_id = values.text(conversation.get("conversation_id") or conversation.get("id"), "id")
            branch = _branch(conversation)
        except InputError as error:
            yield Unreadable(place=place, why=str(error))
            continue
        for ordinal, (name, said) in enumerate(branch, 1):
            where = f"message {ordinal} of {place}"
            try:
                message = _message(said)
            except InputError as error:
                yield Unreadable(place=where, why=str(error))
                continue
            if message is not None:
                yield Incoming(place=where, session_id=session_id, message=message, name=name)


def _branch(conversation: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Go from the current node up to the root; give what was said on the way, in order."""
    tree = conversation.get("mapping")
    if not isinstance(tree, dict):
        raise InputError("it has no tree of messages")
    node, passed = conversation.get("current_node"), set()
    branch: list[tuple[str, dict[str, Any]]] = []
    while node is not None:
        one = tree.get(node) if isinstance(node, str) else None
        if not isinstance(one, dict) or node in passed:
            raise InputError("its tree of messages leads nowhere")
        passed.add(node)
        said = one.get("message")
        if isinstance(said, dict):
            branch.append((str(node), said))
        node = one.get("parent")
    return branch[::-1]


def _message(said: dict[str, Any]) -> Message | None:
    """Give a message; None for one that holds nothing, which are there to tie the tree together."""
    author, body = said.get("author"), said.get("content")
    if not isinstance(author, dict) or not isinstance(body, dict):
        raise InputError("it is no message of ChatGPT's")
    content = _content(body)
    if content in ("", None, []):
        return None
    extra: dict[str, Any] = {}
    if isinstance(author.get("name"), str):
        extra["name"] = author["name"]
    if body.get("content_type") not in _TEXTS:
        extra["content_type"] = body.get("content_type")
    if isinstance(said.get("recipient"), str) and said["recipient"] != "all":
        extra["recipient"] = said["recipient"]
    about = said.get("metadata")
    model = about.get("model_slug") if isinstance(about, dict) else None
    metadata = {"model": model} if isinstance(model, str) else {}
    return Message(
        values.role(author.get("role")), content, metadata, extra, values.moment(said.get("create_time"))
    )


def _content(body: dict[str, Any]) -> Any:  # noqa: ANN401 (text, or parts)
    parts = body.get("parts")
    if isinstance(parts, list):
        kept = [part for part in parts if part not in ("", None)]
        if all(isinstance(part, str) for part in kept):
            return "\n".join(kept)
        return [{"type": "text", "text": part} if isinstance(part, str) else part for part in kept]
    for name in ("text", "result"):
        if isinstance(body.get(name), str):
            return body[name]
    rest = {name: value for name, value in body.items() if name != "content_type"}
    return rest or None
